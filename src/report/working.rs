//! Tables of how the desk worked: agents' time and rings, handling by group and number, half hours and days.
//! Each has the definitions of its figures beside it. All are counted now, also of a closed month.

use super::made::{HALF_HOURS, Report};
use super::operating::half_hour;
use super::table::{Cell, Table};
use super::words;
use crate::base::Wall;
use crate::view::{
    AgentFigures, CallFigures, DEFINITIONS, Doing, Operating, OperatingRow, OperatingWanted, Views,
    Window,
};
use crate::view::{By, Month};
use serde::Serialize;
use std::collections::BTreeMap;

/// A month's operating figures, cut in every way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Working {
    /// Calls and agents' time by half hour.
    pub by_half_hour: Operating,
    /// By day.
    pub by_day: Operating,
    /// Calls by the group asked for last.
    pub by_group: Operating,
    /// Calls by the number dialled.
    pub by_number: Operating,
    /// Agents' time and rings.
    pub by_agent: Operating,
}

impl Working {
    /// Of a month; what lasts is counted up to the last entry of the history.
    pub(super) fn of(views: &Views, month: Month) -> Self {
        let by =
            |by| views.operating(&OperatingWanted::all(Window::month(month), by), Wall(i64::MIN));
        Self {
            by_half_hour: by(By::HalfHour),
            by_day: by(By::Day),
            by_group: by(By::Group),
            by_number: by(By::Number),
            by_agent: by(By::Agent),
        }
    }
}

/// The definitions of these figures, as notes.
fn defined(mut table: Table, figures: &[&str]) -> Table {
    for it in DEFINITIONS.iter().filter(|it| figures.contains(&it.figure)) {
        table = table.note(format!("{} ＝ {}", it.name, it.ja));
    }
    table
}

const OF_CALLS: [&str; 8] = [
    "offered",
    "service_level",
    "average_speed_of_answer",
    "longest_wait",
    "average_talk",
    "average_hold",
    "average_wrap_up",
    "average_handling",
];
const OF_TIME: [&str; 11] = [
    "signed_in",
    "talk",
    "hold",
    "other_call",
    "ringing",
    "wrap_up",
    "paused",
    "unreachable",
    "idle",
    "signed_out_talk",
    "occupancy",
];

/// Of a closed month: none of this is among what it was closed with.
pub(super) fn counted_now(report: &Report, table: Table) -> Table {
    if report.sheet.revisions.is_empty() {
        return table;
    }
    table.note("月の締めで固定される数値ではなく、現在の集計による。")
}

/// What a month's figures as a whole come to, with their formulas: more rows of the table of operating figures.
pub(super) fn totals(working: &Working) -> Vec<(&'static str, Cell, &'static str, &'static str)> {
    let row = |figure: &str, value: Option<String>| {
        let it = DEFINITIONS.iter().find(|it| it.figure == figure)?;
        let unit = if it.unit == "s" {
            "秒"
        } else if it.unit == "%" {
            "%"
        } else {
            "件"
        };
        Some((it.name, Cell::number(value), unit, it.ja))
    };
    let total = &working.by_day.total;
    let mut rows = Vec::new();
    if let Some(it) = &total.calls {
        rows.push(row("average_hold", it.average_hold.seconds()));
        rows.push(row("average_wrap_up", it.average_wrap_up.seconds()));
        rows.push(row("average_handling", it.average_handling.seconds()));
    }
    if let Some(it) = &total.agents {
        rows.push(row("signed_in", Some(words::seconds(it.signed_in_ms))));
        rows.push(row("occupancy", it.occupancy.percent()));
    }
    if let Some(it) = &total.lines_full {
        rows.push(row("lines_full", Some(words::seconds(it.ms))));
    }
    rows.into_iter().flatten().collect()
}

fn seconds(ms: u64) -> Cell {
    Cell::Number(words::seconds(ms))
}

fn time_heads() -> Vec<(&'static str, u16)> {
    vec![
        ("サインイン 秒", 10),
        ("通話 秒", 9),
        ("保留 秒", 8),
        ("その他の通話 秒", 9),
        ("呼出中 秒", 8),
        ("後処理 秒", 8),
        ("離席 秒", 9),
        ("電話機未登録 秒", 9),
        ("待機 秒", 10),
        ("サインアウト後 秒", 8),
        ("稼働率 %", 6),
    ]
}

fn time_cells(it: &AgentFigures) -> Vec<Cell> {
    let mut cells = vec![seconds(it.signed_in_ms)];
    cells.extend(Doing::ALL.map(|doing| seconds(it.ms.of(doing))));
    cells.push(Cell::number(it.occupancy.percent()));
    cells
}

fn call_heads() -> Vec<(&'static str, u16)> {
    vec![
        ("オペレータ要求呼", 7),
        ("応答", 6),
        ("目標内応答", 6),
        ("目標内応答率 %", 7),
        ("平均応答 秒", 7),
        ("最長待ち 秒", 7),
        ("平均通話 秒", 7),
        ("平均保留 秒", 7),
        ("平均後処理 秒", 7),
        ("平均処理 秒", 7),
    ]
}

fn call_cells(it: &CallFigures) -> Vec<Cell> {
    vec![
        Cell::count(it.offered),
        Cell::count(it.answered),
        Cell::count(it.service_level.part),
        Cell::number(it.service_level.percent()),
        Cell::number(it.average_speed_of_answer.seconds()),
        seconds(it.longest_wait_ms),
        Cell::number(it.average_talk.seconds()),
        Cell::number(it.average_hold.seconds()),
        Cell::number(it.average_wrap_up.seconds()),
        Cell::number(it.average_handling.seconds()),
    ]
}

/// What every table here says of its time.
fn until(report: &Report, table: Table, of: &Operating) -> Table {
    let mut table = table.note(format!(
        "時間は 30 分の区切りで分け、過ぎた日に数える。続いている状態は記録の最後の時刻（{}）まで数えた。停止中の時間は数えない。",
        of.counted_until
    ));
    if of.days_without_half_hours > 0 {
        table = table.note(format!(
            "{} 日については 30 分ごとの記録が保持の限度を超えたため、この表に現れない（日別の表には現れる）。",
            of.days_without_half_hours
        ));
    }
    counted_now(report, table)
}

/// Agents' time and rings.
pub(super) fn agents(report: &Report) -> Table {
    let of = &report.working.by_agent;
    let mut heads = vec![("内線", 6), ("氏名", 10)];
    heads.extend(time_heads());
    heads.extend([("受けた呼", 6), ("平均処理 秒", 7)]);
    let mut table = Table::new("agent-times", "オペレータ別の時間", &heads);
    let row = |key: &str, it: &OperatingRow| {
        let agents = it.agents.as_ref()?;
        let mut cells = vec![Cell::text(key), Cell::text(it.name.as_deref().unwrap_or_default())];
        cells.extend(time_cells(agents));
        cells.push(Cell::count(agents.taken));
        cells.push(Cell::number(agents.average_handling.seconds()));
        Some(cells)
    };
    table.rows = of.rows.iter().filter_map(|it| row(&it.key, it)).collect();
    table.rows.extend(row("計", &of.total));
    table.sum = true;
    let table = defined(table, &[&OF_TIME[..], &["taken"]].concat());
    let table = table.note(
        "平均処理時間 ＝（通話＋保留＋後処理＋サインアウト後の通話）÷ 受けた呼。対象外期間の時間も含む。",
    );
    until(report, table, of)
}

/// What came of ringing their phones.
pub(super) fn rings(report: &Report) -> Table {
    let of = &report.working.by_agent;
    let heads = [
        ("内線", 10),
        ("氏名", 16),
        ("応答", 10),
        ("不応答", 10),
        ("拒否", 10),
        ("発信者が切断", 12),
        ("他が応答", 10),
        ("届かず", 10),
        ("システムが取消", 12),
        ("計", 10),
    ];
    let mut table = Table::new("agent-rings", "オペレータ別の呼出の結果", &heads);
    let row = |key: &str, it: &OperatingRow| {
        let counts = it.agents.as_ref()?.rings.named().map(|(_, count)| count);
        let mut cells = vec![Cell::text(key), Cell::text(it.name.as_deref().unwrap_or_default())];
        cells.extend(counts.map(Cell::count));
        cells.push(Cell::count(counts.iter().sum()));
        Some(cells)
    };
    table.rows = of.rows.iter().filter_map(|it| row(&it.key, it)).collect();
    table.rows.extend(row("計", &of.total));
    table.sum = true;
    let table = table
        .note("窓口への呼でオペレータの電話機を鳴らした回数。呼出が終わった時刻と理由による。");
    counted_now(report, table)
}

/// How long a group's or a number's calls waited and took.
fn handling(
    report: &Report,
    (id, title, head): (&'static str, &str, &str),
    of: &Operating,
    names: &BTreeMap<String, String>,
) -> Table {
    let mut heads = vec![(head, 16)];
    heads.extend(call_heads());
    let mut table = Table::new(id, title, &heads);
    let row = |name: String, it: &OperatingRow| {
        let mut cells = vec![Cell::text(name)];
        cells.extend(call_cells(it.calls.as_ref()?));
        Some(cells)
    };
    let named = |key: &str| match names.get(key) {
        _ if key.is_empty() => "（なし・通話中）".to_owned(),
        Some(name) => format!("{key} {name}"),
        None => key.to_owned(),
    };
    table.rows = of.rows.iter().filter_map(|it| row(named(&it.key), it)).collect();
    if of.calls_not_cut == 0 {
        table.rows.extend(row("計".to_owned(), &of.total));
        table.sum = true;
    } else {
        table = table.note(format!(
            "記録の古い {} 件は保持の限度を超えたため、この表には現れない（日別の表には現れる）。",
            of.calls_not_cut
        ));
    }
    counted_now(report, defined(table, &OF_CALLS))
}

/// By group.
pub(super) fn groups(report: &Report) -> Table {
    let names = names(report.by_group.iter().map(|it| (&it.key, &it.name)));
    let what = ("group-handling", "グループ別の応対", "グループ");
    handling(report, what, &report.working.by_group, &names)
}

/// By number.
pub(super) fn numbers(report: &Report) -> Table {
    let names = names(report.by_number.iter().map(|it| (&it.key, &it.name)));
    let what = ("number-handling", "着信番号別の応対", "番号");
    handling(report, what, &report.working.by_number, &names)
}

fn names<'a>(rows: impl Iterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    rows.filter(|(_, name)| !name.is_empty())
        .map(|(key, name)| (key.clone(), name.clone()))
        .collect()
}

/// Calls and agents' time, a row for each part of the month, and their sum.
fn by_time<'a>(
    (id, title): (&'static str, &str),
    head: (&'static str, u16),
    rows: impl Iterator<Item = (String, &'a OperatingRow)>,
    of: &Operating,
) -> Table {
    let mut heads = vec![head];
    heads.extend([
        ("オペレータ要求呼", 6),
        ("目標内応答率 %", 6),
        ("平均応答 秒", 6),
        ("平均処理 秒", 6),
        ("サインインした人数", 6),
    ]);
    heads.extend(time_heads());
    heads.push(("全回線使用中 秒", 6));
    let mut table = Table::new(id, title, &heads);
    table.rows = rows.filter_map(|(name, it)| cells_of_time(name, it)).collect();
    table.rows.extend(cells_of_time("計".to_owned(), &of.total));
    table.sum = true;
    table
}

/// Half hours of the working day, and others with anything in them.
pub(super) fn half_hours(report: &Report) -> Table {
    let of = &report.working.by_half_hour;
    let shown = of.rows.iter().zip(0..).filter(|(it, index)| {
        HALF_HOURS.contains(index)
            || it.agents.as_ref().is_some_and(|it| it.signed_in_ms > 0)
            || it.calls.as_ref().is_some_and(|it| it.arrived > 0)
            || it.lines_full.is_some_and(|it| it.ms > 0)
    });
    let rows = shown.map(|(it, _)| (half_hour(&it.key), it));
    let table = by_time(("half-hour-times", "30 分ごとの運用実績"), ("時間帯", 10), rows, of);
    let what = [
        &["offered", "service_level", "average_speed_of_answer", "average_handling"],
        &OF_TIME[..],
        &["agents", "lines_full"],
    ];
    let table = defined(table, &what.concat());
    let table = table
        .note("呼は着信の時刻、時間は過ぎた時刻による。月のすべての日の同じ時間帯を合わせた。");
    until(report, table, of)
}

fn cells_of_time(name: String, it: &OperatingRow) -> Option<Vec<Cell>> {
    let (calls, agents) = (it.calls.as_ref()?, it.agents.as_ref()?);
    let mut cells = vec![
        Cell::text(name),
        Cell::count(calls.offered),
        Cell::number(calls.service_level.percent()),
        Cell::number(calls.average_speed_of_answer.seconds()),
        Cell::number(calls.average_handling.seconds()),
        // The same persons are there again in the next row: no sum.
        Cell::Number(format!("{}", agents.agents)),
    ];
    cells.extend(time_cells(agents));
    cells.push(seconds(it.lines_full.unwrap_or_default().ms));
    Some(cells)
}

/// Every day of the month.
pub(super) fn days(report: &Report) -> Table {
    let of = &report.working.by_day;
    let name = |key: &str| key.parse().map_or_else(|_| key.to_owned(), words::day);
    let rows = of.rows.iter().map(|it| (name(&it.key), it));
    let table = by_time(("day-times", "日別の運用実績"), ("日", 8), rows, of);
    let table =
        table.note("定義は「30 分ごとの運用実績」と同じ。計の人数は、月にサインインした人数。");
    until(report, table, of)
}
