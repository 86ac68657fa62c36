//! The table of what the next month is expected to come to. It was simulated elsewhere and is handed in.

use super::made::Report;
use super::table::{Cell, Table};
use super::words;
use crate::view::Month;
use serde::Serialize;

/// A mean and where 95 of 100 months lie, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: u64,
    /// 2.5 of 100 lie below.
    pub low: u64,
    /// 2.5 of 100 lie above.
    pub high: u64,
}

/// What the next month is expected to come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextMonth {
    /// Which.
    pub month: Month,
    /// Calls of the last three months that it is based on.
    pub based_on_calls: u64,
    /// Service days with calls among them.
    pub based_on_days: u64,
    /// The figures; none when the history is too short.
    pub expected: Option<Expected>,
}

/// Its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Months that were simulated.
    pub months: u64,
    /// Calls, hundredths.
    pub calls: Spread,
    /// The abandon rate, hundredths of a percent; none when nobody calls.
    pub abandon: Option<Spread>,
    /// The busy rate, the same.
    pub busy: Option<Spread>,
    /// Months of 100 that keep both limits.
    pub within: u64,
    /// Hours of agents, hundredths.
    pub agent_hours: u64,
    /// Calls on a service day against those of the months before, as a year ago, hundredths; none when the history
    /// does not go back so far.
    pub season: Option<u64>,
}

fn hundredths(of: u64) -> Cell {
    Cell::Number(format!("{}.{:02}", of / 100, of % 100))
}

fn rounded(of: u64) -> Cell {
    Cell::count(of.saturating_add(50) / 100)
}

/// None when it was not asked for.
pub(super) fn month(report: &Report) -> Option<Table> {
    let next = report.next_month.as_ref()?;
    let title = format!("{}の見込み", words::month(next.month));
    let heads = [("項目", 34), ("見込み", 14), ("下", 12), ("上", 12), ("基準", 14), ("単位", 10)];
    let mut table = Table::new("next-month", &title, &heads);
    let Some(expected) = &next.expected else {
        return Some(table.note(format!(
            "直近三か月の記録（{} 呼、{} 営業日）からは見込みを出せない（500 呼と 5 営業日が要る）。",
            next.based_on_calls, next.based_on_days
        )));
    };
    let mut row = |name: &str, cells: [Cell; 4], unit: &str| {
        let mut row = vec![Cell::text(name)];
        row.extend(cells);
        row.push(Cell::text(unit));
        table.rows.push(row);
    };
    let calls = expected.calls;
    let cells = [rounded(calls.mean), rounded(calls.low), rounded(calls.high), Cell::Empty];
    row("着信（かけ直しを含む）", cells, "件");
    let limits = [report.policy.abandon_limit, report.policy.busy_limit];
    for (name, rate, limit) in
        [("放棄率", expected.abandon, limits[0]), ("ビジー率", expected.busy, limits[1])]
    {
        let of = |side: fn(Spread) -> u64| rate.map_or(Cell::Empty, |rate| hundredths(side(rate)));
        let limit = Cell::text(format!("{} % 未満", limit.percent));
        row(name, [of(|it| it.mean), of(|it| it.low), of(|it| it.high), limit], "%");
    }
    let only = |cell: Cell| [cell, Cell::Empty, Cell::Empty, Cell::Empty];
    row("両方の基準を守る見込み", only(Cell::count(expected.within)), "%");
    row("オペレータの延べ時間", only(rounded(expected.agent_hours)), "時間");
    let season = match expected.season {
        Some(season) => format!(
            "前年同月はその前の月々の {}.{:02} 倍であった。呼数にはこれを掛けた。",
            season / 100,
            season % 100
        ),
        None => "前年同月が記録にないため、季節による増減は入っていない。".to_owned(),
    };
    Some(table.note(format!(
        "直近三か月の {} 呼（{} 営業日）から人のふるまいを取り、窓口の規則そのもので {} か月分をシミュレートした。\
         オペレータは、その三か月の曜日・30 分ごとの平均の人数がいるものとした。\
         「下」から「上」に 100 か月のうち 95 か月が入る。{season}",
        next.based_on_calls, next.based_on_days, expected.months
    )))
}
