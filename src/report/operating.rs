//! Tables of how the desk worked: calls by outcome, day, half hour, number, group and agent, waits, and three
//! months side by side. Each says how its figures are made.

use super::compare::{Change, Column};
use super::made::{Report, Row, WaitRow};
use super::table::{Cell, Table};
use super::{words, working};
use crate::view::{Average, Figures, Outcome, Ratio};
use chrono::NaiveDate;

/// All eleven outcomes; they add up to the calls.
pub(super) fn outcomes(report: &Report) -> Table {
    let closed = !report.sheet.revisions.is_empty();
    let mut heads = vec![("結果", 24), ("件数", 12), ("割合 %", 12), ("対象外期間の呼", 14)];
    if closed {
        heads.push(("現在の集計", 12));
    }
    let mut table = Table::new("outcomes", "結果別の呼", &heads);
    let (figures, now) = (&report.figures, &report.counted_now);
    let mut row = |name: &str, count: u64, left_out: Option<u64>, count_now: u64| {
        let share = Ratio { part: count, whole: figures.arrived };
        let mut cells = vec![
            Cell::text(name),
            Cell::count(count),
            Cell::number(share.percent()),
            left_out.map_or(Cell::Empty, Cell::count),
        ];
        if closed {
            cells.push(Cell::count(count_now));
        }
        table.rows.push(cells);
    };
    for outcome in Outcome::ALL {
        let of = |figures: &Figures| figures.outcomes.get(outcome);
        let left_out = report.excluded_outcomes.get(outcome);
        row(outcome.japanese(), of(figures), Some(left_out), of(now));
    }
    let open = report.excluded.saturating_sub(report.excluded_outcomes.sum());
    row("未決定", figures.undecided, Some(open), now.undecided);
    row("計（着信）", figures.arrived, Some(report.excluded), now.arrived);
    table.sum = true;
    table
        .note("1 つの呼に結果は 1 つ。11 の結果と未決定の和は着信に等しい。対象外期間の呼は件数に含まない。")
        .note(format!("集計対象外の番号への呼（どの数値にも含まない）: {} 件", figures.left_out))
}

/// Operating figures with their formulas.
pub(super) fn figures(report: &Report) -> Table {
    let mut table = Table::new(
        "operating",
        "運用実績",
        &[("項目", 24), ("値", 16), ("単位", 10), ("計算式", 60)],
    );
    let figures = &report.figures;
    let target = words::thousandths(report.policy.answer_target_ms);
    let mut row = |name: &str, value: Cell, unit: &str, formula: &str| {
        table.rows.push(vec![Cell::text(name), value, Cell::text(unit), Cell::text(formula)]);
    };
    row(
        "着信",
        Cell::count(figures.arrived),
        "件",
        "集計対象の番号に着信した呼（対象外期間の呼を除く）",
    );
    row(
        "オペレータ要求呼",
        Cell::count(figures.offered),
        "件",
        "結果の決まった呼のうち、オペレータを求めたもの",
    );
    row("応答", Cell::count(figures.answered), "件", "応答＋ビジー後応答");
    row(
        "目標内応答",
        Cell::count(figures.answered_in_time.part),
        "件",
        &format!("応答のうち、オペレータを求めてから {target} 秒以内のもの"),
    );
    row(
        "目標内応答率（サービスレベル）",
        Cell::number(figures.answered_in_time.percent()),
        "%",
        "目標内応答 ÷ オペレータ要求呼",
    );
    row(
        "平均応答時間",
        Cell::number(report.speed_of_answer.seconds()),
        "秒",
        "応答した呼の待ち時間の合計 ÷ 応答（待ち時間はオペレータを求めてから応答まで）",
    );
    row(
        "最長待ち時間",
        Cell::Number(words::seconds(figures.longest_wait_ms)),
        "秒",
        "結果の決まった呼の待ち時間の最大（応答しなかった呼を含む）",
    );
    row(
        "平均通話時間",
        Cell::number(report.talk.seconds()),
        "秒",
        "終わった呼の通話時間（保留を含む）の合計 ÷ 応答。現在の集計による",
    );
    for (name, value, unit, formula) in working::totals(&report.working) {
        row(name, value, unit, &format!("{formula}。現在の集計による"));
    }
    row("集計対象外の番号への呼", Cell::count(figures.left_out), "件", "どの率にも含まない");
    table
}

/// Three months side by side.
pub(super) fn compared(report: &Report) -> Table {
    let compared = &report.compared;
    let months = [&compared.this, &compared.before, &compared.year_ago].map(|it| {
        let basis = match (it.revision, &it.figures) {
            (Some(revision), _) => format!("（締め 第 {revision} 版）"),
            (None, Some(_)) => "（未締め）".to_owned(),
            (None, None) => "（記録なし）".to_owned(),
        };
        words::month(it.month) + &basis
    });
    let mut table = Table::new(
        "comparison",
        "前月・前年同月との比較",
        &[
            ("項目", 26),
            (&months[0], 16),
            (&months[1], 16),
            ("前月差", 12),
            (&months[2], 16),
            ("前年同月差", 12),
        ],
    );
    let mut counts = |name: &str, of: &dyn Fn(&Figures) -> u64| {
        let in_month = |it: &Column| it.figures.as_ref().map(of);
        let this = in_month(&compared.this);
        let other = |it: &Column| {
            let then = in_month(it);
            let change = then.zip(this).map(|(then, now)| Change::of_counts(then, now).shown());
            [then.map_or(Cell::Empty, Cell::count), Cell::number(change)]
        };
        let mut row = vec![Cell::text(name), this.map_or(Cell::Empty, Cell::count)];
        row.extend(other(&compared.before));
        row.extend(other(&compared.year_ago));
        table.rows.push(row);
    };
    counts("着信（件）", &|it| it.arrived);
    for outcome in Outcome::ALL {
        counts(&format!("{}（件）", outcome.japanese()), &|it| it.outcomes.get(outcome));
    }
    counts("オペレータ要求呼（件）", &|it| it.offered);
    let mut ratios = |name: &str, of: &dyn Fn(&Figures) -> Ratio| {
        let in_month = |it: &Column| it.figures.as_ref().map(of);
        let this = in_month(&compared.this);
        let shown = |ratio: Option<Ratio>| Cell::number(ratio.and_then(Ratio::percent));
        let other = |it: &Column| {
            let then = in_month(it);
            let change = then.zip(this).and_then(|(then, now)| Change::of_ratios(then, now));
            [shown(then), Cell::number(change.map(Change::shown))]
        };
        let mut row = vec![Cell::text(name), shown(this)];
        row.extend(other(&compared.before));
        row.extend(other(&compared.year_ago));
        table.rows.push(row);
    };
    ratios("放棄率（%）", &|it| it.abandon_rate.ratio);
    ratios("ビジー率（%）", &|it| it.busy_rate.ratio);
    ratios("目標内応答率（%）", &|it| it.answered_in_time);
    table.note(
        "率の差は丸める前の分数の差（ポイント）。締めた月は締めた数値による。「―」は記録または対象の呼がないことを示す。",
    )
}

/// Columns of a table of counts, after its own first ones.
fn outcome_heads() -> Vec<(&'static str, u16)> {
    let outcomes = Outcome::ALL.map(|outcome| (outcome.japanese(), 6));
    let mut heads = vec![("着信", 6)];
    heads.extend(outcomes);
    heads.push(("未決定", 6));
    heads
}

fn outcome_cells(figures: &Figures) -> Vec<Cell> {
    let mut cells = vec![Cell::count(figures.arrived)];
    cells.extend(Outcome::ALL.map(|outcome| Cell::count(figures.outcomes.get(outcome))));
    cells.push(Cell::count(figures.undecided));
    cells
}

fn rate_cells(figures: &Figures) -> [Cell; 2] {
    [figures.abandon_rate, figures.busy_rate].map(|rate| Cell::number(rate.ratio.percent()))
}

/// Every day of the month.
pub(super) fn by_day(report: &Report) -> Table {
    let mut heads = vec![("日", 8)];
    heads.extend(outcome_heads());
    heads.extend([("放棄率 %", 7), ("ビジー率 %", 7), ("対象外期間", 6)]);
    let mut table = Table::new("by-day", "日別の呼", &heads);
    let mut row = |name: String, figures: &Figures, left_out: u64| {
        let mut cells = vec![Cell::text(name)];
        cells.extend(outcome_cells(figures));
        cells.extend(rate_cells(figures));
        cells.push(Cell::count(left_out));
        table.rows.push(cells);
    };
    for day in &report.by_day {
        let name = day.key.parse::<NaiveDate>().map_or_else(|_| day.key.clone(), words::day);
        row(name, &day.figures, day.excluded.unwrap_or(0));
    }
    row("計".to_owned(), &report.counted_now, report.excluded);
    table.sum = true;
    counted_now(report, table.note("呼は着信した日に属する。率の定義は別紙4の表による。基準は月で判定し、日では判定しない。"))
}

/// Half hours of the working day, and the rest.
pub(super) fn by_half_hour(report: &Report) -> Table {
    let mut heads = vec![("時間帯", 12)];
    heads.extend(outcome_heads());
    heads.push(("目標内応答率 %", 8));
    let mut table = Table::new("by-half-hour", "30 分ごとの呼", &heads);
    let row = |name: String, figures: &Figures| {
        let mut cells = vec![Cell::text(name)];
        cells.extend(outcome_cells(figures));
        cells.push(Cell::number(figures.answered_in_time.percent()));
        cells
    };
    table.rows =
        report.by_half_hour.iter().map(|it| row(half_hour(&it.key), &it.figures)).collect();
    cut(report, table, |figures| row("計".to_owned(), figures))
        .note("着信の時刻による。時間帯の終わりはその時間帯に含まない。目標内応答率 ＝ 目標内応答 ÷ オペレータ要求呼。")
}

/// `08:30〜09:00`, or the rest of the day.
pub(super) fn half_hour(key: &str) -> String {
    let Some((hour, minute)) = key.split_once(':') else {
        return "その他の時間".to_owned();
    };
    let hour: u32 = hour.parse().unwrap_or(0);
    let end = if minute == "00" { format!("{hour:02}:30") } else { format!("{:02}:00", hour + 1) };
    format!("{key}〜{end}")
}

/// By the number that was dialled.
pub(super) fn by_number(report: &Report) -> Table {
    let table = keyed(report, ("by-number", "着信番号別の呼", "番号"), &report.by_number, "");
    table.note("発信者がダイヤルした番号による。集計対象外の番号の呼は着信に含まない。平均応答時間（秒）＝ 応答した呼の待ち時間の合計 ÷ 応答。")
}

/// By the group that was asked for.
pub(super) fn by_group(report: &Report) -> Table {
    let open = "（なし・通話中）";
    let table = keyed(report, ("by-group", "グループ別の呼", "グループ"), &report.by_group, open);
    table.note("最後に求めたグループによる。グループを求めなかった呼と、まだ終わっていない呼は「（なし・通話中）」に数える。")
}

fn keyed(
    report: &Report,
    (id, title, head): (&'static str, &str, &str),
    rows: &[Row],
    rest: &str,
) -> Table {
    let mut heads = vec![(head, 14)];
    heads.extend(outcome_heads());
    heads.extend([("放棄率 %", 7), ("ビジー率 %", 7), ("平均応答 秒", 7)]);
    let mut table = Table::new(id, title, &heads);
    let row = |name: String, figures: &Figures, speed: Option<String>| {
        let mut cells = vec![Cell::text(name)];
        cells.extend(outcome_cells(figures));
        cells.extend(rate_cells(figures));
        cells.push(Cell::number(speed));
        cells
    };
    table.rows = rows
        .iter()
        .map(|it| {
            let key = if it.key.is_empty() { rest } else { &it.key };
            let name = [key, &it.name].join(" ").trim().to_owned();
            row(name, &it.figures, it.speed_of_answer.seconds())
        })
        .collect();
    cut(report, table, |figures| row("計".to_owned(), figures, None))
}

/// Adds the sum of the rows that were cut from lines, which is the month's count unless lines are missing.
fn cut(report: &Report, mut table: Table, row: impl Fn(&Figures) -> Vec<Cell>) -> Table {
    if report.whole.not_cut == 0 {
        table.rows.push(row(&report.counted_now));
        table.sum = true;
        return counted_now(report, table);
    }
    let table = table.note(format!(
        "記録の古い {} 件は保持の限度を超えたため、この表には現れない（日別の表には現れる）。",
        report.whole.not_cut
    ));
    counted_now(report, table)
}

/// Of a closed month: the cuts are of what is counted now.
fn counted_now(report: &Report, table: Table) -> Table {
    if report.sheet.differs_from_closed {
        return table.note("締めた数値ではなく、現在の集計による（締めた数値とは異なる）。");
    }
    if report.sheet.revisions.is_empty() {
        return table;
    }
    table.note("締めた数値ではなく、現在の集計による（月の計は締めた数値と一致する）。")
}

/// By agent.
pub(super) fn by_agent(report: &Report) -> Table {
    let mut table = Table::new(
        "by-agent",
        "オペレータ別の応答",
        &[
            ("内線", 14),
            ("氏名", 30),
            ("応答（件）", 14),
            ("通話時間の合計（秒）", 20),
            ("平均通話時間（秒）", 20),
        ],
    );
    let mut all = crate::view::AgentShare::default();
    let mut row = |line: &str, name: &str, share: crate::view::AgentShare| {
        let average = Average { sum_ms: share.talk_ms, count: share.answered };
        table.rows.push(vec![
            Cell::text(line),
            Cell::text(name),
            Cell::count(share.answered),
            Cell::Number(words::thousandths(share.talk_ms)),
            Cell::number(average.seconds()),
        ]);
    };
    for agent in &report.by_agent {
        let line = if agent.agent.is_empty() { "（通話中）" } else { agent.agent.as_str() };
        row(line, &agent.name, agent.share);
        all.answered += agent.share.answered;
        all.talk_ms = all.talk_ms.saturating_add(agent.share.talk_ms);
    }
    row("計", "", all);
    table.sum = true;
    let table = counted_now(report, table);
    table.note("最初に応答したオペレータに数える。通話時間は終わった呼の会話（保留と、転送先のオペレータとの会話を含む）。平均 ＝ 合計 ÷ 応答。")
}

/// How long callers waited.
pub(super) fn waits(report: &Report) -> Table {
    let mut table = Table::new(
        "waits",
        "待ち時間の分布",
        &[
            ("待ち時間", 24),
            ("応答した呼", 16),
            ("応答しなかった呼", 16),
            ("計", 16),
            ("割合 %", 14),
        ],
    );
    let of = |it: &WaitRow| (it.calls.answered, it.calls.not_answered);
    let (answered, not_answered) =
        report.waits.iter().map(of).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let whole = answered + not_answered;
    let mut row = |name: String, answered: u64, not_answered: u64| {
        let both = answered + not_answered;
        table.rows.push(vec![
            Cell::text(name),
            Cell::count(answered),
            Cell::count(not_answered),
            Cell::count(both),
            Cell::number(Ratio { part: both, whole }.percent()),
        ]);
    };
    for it in &report.waits {
        row(band(it), it.calls.answered, it.calls.not_answered);
    }
    row("計（オペレータ要求呼）".to_owned(), answered, not_answered);
    table.sum = true;
    let table = table.note("待ち時間 ＝ オペレータを求めてから、応答または呼の終わりまで。区間の上端はその区間に含む。");
    counted_now(report, table)
}

/// `10 秒超 20 秒以下`.
pub(super) fn band(row: &WaitRow) -> String {
    match (row.band.over_ms, row.band.up_to_ms) {
        (None, Some(end)) => format!("{}以下", time(end)),
        (Some(start), Some(end)) => format!("{}超 {}以下", time(start), time(end)),
        (Some(start), None) => format!("{}超", time(start)),
        (None, None) => String::new(),
    }
}

/// The same for little room: `〜20 秒`.
pub(super) fn band_end(row: &WaitRow) -> String {
    row.band.up_to_ms.map_or_else(|| band(row), |end| format!("〜{}", time(end)))
}

fn time(ms: u64) -> String {
    match ms {
        60_000.. if ms.is_multiple_of(60_000) => format!("{} 分", ms / 60_000),
        _ => format!("{} 秒", words::thousandths(ms)),
    }
}
