//! Bar charts as a handful of rectangles, lines and words in whole units, which each kind of file draws with
//! its own means. Every chart has its figures in a table; the words here say which.

use super::made::{Report, Row};
use super::{operating, words};
use crate::view::{Figures, Outcome};
use chrono::NaiveDate;

/// What is drawn, in an area of `width` by `height` units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    /// The table whose figures these are.
    pub table: &'static str,
    /// For people.
    pub title: String,
    /// What the picture says, for those who do not see it.
    pub told: String,
    pub width: i32,
    pub height: i32,
    pub shapes: Vec<Shape>,
}

/// One piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A filled rectangle by its upper left corner; `told` is its figure.
    Bar { x: i32, y: i32, width: i32, height: i32, colour: Colour, told: String },
    /// A level line.
    Line { x: i32, y: i32, width: i32, colour: Colour },
    /// Words on a base line.
    Words { x: i32, y: i32, align: Align, words: String },
}

/// Where words stand from their point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

const WIDTH: i32 = 720;
const HEIGHT: i32 = 230;
/// Where the bars stand.
const LEFT: i32 = 44;
const TOP: i32 = 30;
const BOTTOM: i32 = 200;
const AXIS: Colour = [0x55, 0x55, 0x55];
const GRID: Colour = [0xdd, 0xdd, 0xdd];

/// Outcomes that are shown as one, told apart in grey print too: from light to dark and back.
const GROUPS: [(&str, Colour, &[Outcome]); 6] = [
    ("応答", [0x3b, 0x78, 0xb4], &[Outcome::Answered]),
    (
        "ビジー（後応答・切断・輻輳）",
        [0xf0, 0xb4, 0x3c],
        &[Outcome::AnsweredAfterBusy, Outcome::BusyReleased, Outcome::Blocked],
    ),
    ("放棄", [0xa0, 0x2c, 0x2c], &[Outcome::Abandoned]),
    ("ワンコール切り", [0xe0, 0xa0, 0x98], &[Outcome::ShortAbandoned]),
    ("障害", [0x20, 0x20, 0x20], &[Outcome::Failed]),
    (
        "自動応答・時間外・伝言",
        [0xc4, 0xcc, 0xd4],
        &[Outcome::MenuLeft, Outcome::MenuServed, Outcome::Closed, Outcome::MessageTaken],
    ),
];
const UNDECIDED: (&str, Colour) = ("未決定", [0x8c, 0x96, 0x8c]);

/// One bar of several parts.
struct Bar {
    label: String,
    /// What the label stands for, in full.
    name: String,
    parts: Vec<u64>,
}

impl Bar {
    fn sum(&self) -> u64 {
        self.parts.iter().sum()
    }
}

/// All charts of the report, by the table that they stand before.
pub(super) fn drawings(report: &Report) -> Vec<Drawing> {
    let mut kinds: Vec<(&str, Colour)> =
        GROUPS.iter().map(|(name, colour, _)| (*name, *colour)).collect();
    kinds.push(UNDECIDED);
    let day = |row: &Row| {
        let day = row.key.parse::<NaiveDate>().ok();
        let name = day.map_or_else(|| row.key.clone(), words::day);
        let label = name.split('（').next().unwrap_or_default().to_owned();
        Bar { label, name: name.replacen('（', " 日（", 1), parts: parts(&row.figures) }
    };
    let half_hour = |row: &Row| {
        let label =
            if row.key.is_empty() { "他" } else { row.key.strip_suffix(":00").unwrap_or("") };
        Bar {
            label: label.trim_start_matches('0').to_owned(),
            name: operating::half_hour(&row.key),
            parts: parts(&row.figures),
        }
    };
    let waits: Vec<Bar> = report
        .waits
        .iter()
        .map(|row| Bar {
            label: operating::band_end(row),
            name: operating::band(row),
            parts: vec![row.calls.answered, row.calls.not_answered],
        })
        .collect();
    let of_waits = [("応答した呼", GROUPS[0].1), ("応答しなかった呼", GROUPS[2].1)];
    let days: Vec<Bar> = report.by_day.iter().map(day).collect();
    let half_hours: Vec<Bar> = report.by_half_hour.iter().map(half_hour).collect();
    vec![
        drawn(("by-day", "日別の呼"), &kinds, &days),
        drawn(("by-half-hour", "30 分ごとの呼"), &kinds, &half_hours),
        drawn(("waits", "待ち時間の分布"), &of_waits, &waits),
    ]
}

fn parts(figures: &Figures) -> Vec<u64> {
    let group = |outcomes: &[Outcome]| outcomes.iter().map(|it| figures.outcomes.get(*it)).sum();
    let mut parts: Vec<u64> = GROUPS.iter().map(|(.., outcomes)| group(outcomes)).collect();
    parts.push(figures.undecided);
    parts
}

fn drawn((table, title): (&'static str, &str), kinds: &[(&str, Colour)], bars: &[Bar]) -> Drawing {
    let highest = bars.iter().map(Bar::sum).max().unwrap_or(0);
    let step = step(highest);
    let top = highest.div_ceil(step).max(1) * step;
    let mut shapes = legend(kinds);
    for at in 0..=top / step {
        let y = BOTTOM - height(at * step, top);
        let colour = if at == 0 { AXIS } else { GRID };
        shapes.push(Shape::Line { x: LEFT, y, width: WIDTH - LEFT, colour });
        let words = (at * step).to_string();
        shapes.push(Shape::Words { x: LEFT - 5, y: y + 4, align: Align::End, words });
    }
    let count = i32::try_from(bars.len()).unwrap_or(1).max(1);
    let room = WIDTH - LEFT;
    for (bar, at) in bars.iter().zip(0..) {
        let (left, right) = (LEFT + room * at / count, LEFT + room * (at + 1) / count);
        let gap = ((right - left) / 6).max(1);
        let (mut below, mut x) = (0, left + gap);
        let width = (right - left - 2 * gap).clamp(1, 60);
        x += (right - left - 2 * gap - width) / 2;
        for (part, (kind, colour)) in bar.parts.iter().zip(kinds).filter(|(part, _)| **part > 0) {
            // Ends are rounded, not heights: parts touch and the whole is as high as it should be.
            let (from, until) = (height(below, top), height(below + part, top));
            below += part;
            let told = format!("{} {kind} {part} 件", bar.name);
            let (y, height) = (BOTTOM - until, until - from);
            shapes.push(Shape::Bar { x, y, width, height, colour: *colour, told });
        }
        let (x, words) = (i32::midpoint(left, right), bar.label.clone());
        shapes.push(Shape::Words { x, y: BOTTOM + 16, align: Align::Middle, words });
    }
    let all: u64 = bars.iter().map(Bar::sum).sum();
    let most = bars.iter().filter(|bar| bar.sum() > 0).max_by_key(|bar| bar.sum());
    let most = most
        .map_or_else(String::new, |bar| format!("最も多いのは {} の {} 件。", bar.name, bar.sum()));
    let told = format!("{title}の棒グラフ。合わせて {all} 件。{most}数値は表「{title}」にある。");
    Drawing { table, title: title.to_owned(), told, width: WIDTH, height: HEIGHT, shapes }
}

/// Units of height of a count where `top` is the whole height.
fn height(count: u64, top: u64) -> i32 {
    let whole = u128::from((BOTTOM - TOP).unsigned_abs());
    let doubled = u128::from(count) * whole * 2 + u128::from(top);
    i32::try_from(doubled / (u128::from(top) * 2)).unwrap_or(BOTTOM - TOP)
}

/// Between two lines of the grid: 1, 2 or 5 with noughts, so that there are five at most.
fn step(highest: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for step in [1, 2, 5].map(|it| power.saturating_mul(it)) {
            if highest <= step.saturating_mul(5) || step == u64::MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn legend(kinds: &[(&str, Colour)]) -> Vec<Shape> {
    let mut x = LEFT;
    let mut shapes = Vec::new();
    for (name, colour) in kinds {
        let bar = Shape::Bar {
            x,
            y: 4,
            width: 10,
            height: 10,
            colour: *colour,
            told: (*name).to_owned(),
        };
        let words = (*name).to_owned();
        shapes.extend([bar, Shape::Words { x: x + 14, y: 13, align: Align::Start, words }]);
        // A wide sign takes 11 units.
        x += 14 + i32::try_from(name.chars().count()).unwrap_or(0) * 11 + 10;
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::{BOTTOM, Bar, GROUPS, Shape, TOP, drawn, height, step};
    use crate::view::Outcome;

    #[test]
    fn every_outcome_is_in_one_group() {
        for outcome in Outcome::ALL {
            let groups = GROUPS.iter().filter(|(.., outcomes)| outcomes.contains(&outcome)).count();
            assert_eq!(groups, 1, "{outcome:?}");
        }
    }

    #[test]
    fn the_grid_has_round_numbers_and_room_for_the_highest_bar() {
        let table = [
            (0, 1),
            (5, 1),
            (6, 2),
            (10, 2),
            (11, 5),
            (25, 5),
            (26, 10),
            (600, 200),
            (u64::MAX, 5_000_000_000_000_000_000),
        ];
        for (highest, due) in table {
            assert_eq!(step(highest), due, "{highest}");
        }
    }

    #[test]
    fn parts_of_a_bar_touch_and_fill_its_height() {
        let bar = Bar { label: "1".into(), name: "1 日".into(), parts: vec![1, 0, 1, 1] };
        let kinds = [("a", [0; 3]), ("b", [1; 3]), ("c", [2; 3]), ("d", [3; 3])];
        let drawing = drawn(("t", "表"), &kinds, &[bar]);
        let bars: Vec<(i32, i32)> = drawing
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Bar { y, height, .. } if *y >= TOP => Some((*y, *height)),
                _ => None,
            })
            .collect();
        assert_eq!(bars.len(), 3, "a part of nothing is not drawn");
        assert_eq!(bars[0].0 + bars[0].1, BOTTOM);
        assert!(bars.windows(2).all(|two| two[1].0 + two[1].1 == two[0].0), "{bars:?}");
        assert_eq!(bars[2].0, BOTTOM - height(3, 3));
        assert!(drawing.told.contains("3 件"), "{}", drawing.told);
    }
}
