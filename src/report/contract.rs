//! Tables of what the contract asks for: the sheet, its revisions, what was left out, how it was read, what
//! nobody here can see.

use super::made::{ExcludedRow, Report};
use super::sheet::{Basis, Revision, SheetLine};
use super::table::{Cell, Table};
use super::words;
use crate::view::{ExclusionState, Outcome, Policy, Signed};

/// 別紙4, No. 1 to 6.
pub(super) fn sheet(report: &Report) -> Table {
    let mut table = Table::new(
        "sla-sheet",
        "別紙4 SLA項目一覧（No. 1〜6）",
        &[
            ("No.", 4),
            ("項目", 20),
            ("計算式", 31),
            ("分子", 11),
            ("母数", 8),
            ("実績", 11),
            ("基準", 13),
            ("判定", 10),
        ],
    );
    let row = |line: &SheetLine| {
        let [part, whole, value, limit] = words::value(line);
        vec![
            Cell::count(u64::from(line.no)),
            Cell::text(words::figure(line.no)),
            Cell::text(formula(line.no, &report.policy)),
            number(part),
            number(whole),
            Cell::text(value),
            Cell::text(limit),
            Cell::text(words::verdict(line.verdict)),
        ]
    };
    table.rows = report.sheet.lines.iter().map(row).collect();
    let basis = match report.sheet.basis {
        Basis::CountedNow => {
            "この月は締められていない。No. 5・6 は作成時点の集計による。".to_owned()
        }
        Basis::Closed { revision } => format!(
            "この月は締められている。No. 5・6 は締めた数値（第 {revision} 版）であり、後の集計では変わらない。"
        ),
    };
    table
        .note(basis)
        .note("判定は丸める前の分数で行い、率は小数第 2 位（第 3 位を四捨五入）で示す。母数が 0 のときは値がない（0 % ではない）。")
        .note("No. 1〜4 はチケットの書き出しから求める。与えられないときは「対象データなし」とする。")
        .note("通信事業者が当方に届く前に拒否した呼は、ここでは見えない。「全回線使用中の時間」の表を併せて見る。")
}

fn number(text: String) -> Cell {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Cell::Number(text)
    } else {
        Cell::text(text)
    }
}

/// How a figure is made, with the outcomes that the settings put in.
fn formula(no: u8, policy: &Policy) -> String {
    let of = |(part, whole): (Vec<Outcome>, Vec<Outcome>)| {
        format!("（{}）÷（{}）", words::joined(&part), words::joined(&whole))
    };
    match no {
        1 => "エスカレーションなしで完了した件数 ÷ 全件数".to_owned(),
        2 => "対応時間の合計 ÷ 完了件数".to_owned(),
        3 => "（エスカレーション − 受付）の合計 ÷ エスカレーション件数".to_owned(),
        4 => "（経過報告 − 受付）の合計 ÷ 経過報告のある件数".to_owned(),
        5 => of(policy.abandon_parts()),
        _ => of(policy.busy_parts()),
    }
}

/// What a closed month was closed with, revision by revision, and what is counted now. None while it is open.
pub(super) fn revisions(report: &Report) -> Option<Table> {
    let sheet = &report.sheet;
    if sheet.revisions.is_empty() {
        return None;
    }
    let mut table = Table::new(
        "revisions",
        "締めた数値と現在の集計",
        &[
            ("版", 10),
            ("締めた者", 12),
            ("日時", 18),
            ("理由", 18),
            ("着信", 8),
            ("放棄率 分子/母数", 14),
            ("放棄率 %", 9),
            ("ビジー率 分子/母数", 14),
            ("ビジー率 %", 9),
            ("記録の通番", 10),
            ("記録のハッシュ", 14),
        ],
    );
    let rates = |[abandon, busy]: [&SheetLine; 2]| {
        let of = |line: &SheetLine| {
            let [part, whole, value, _] = words::value(line);
            [Cell::text(format!("{part}/{whole}")), Cell::text(value.replace(" %", ""))]
        };
        of(abandon).into_iter().chain(of(busy))
    };
    for Revision { closed, no_5, no_6 } in &sheet.revisions {
        let mut row = vec![
            Cell::text(format!("第 {} 版", closed.revision)),
            Cell::text(&closed.closed.author),
            Cell::text(words::at(report, closed.closed.at_ms)),
            Cell::text(&closed.reason),
            Cell::count(closed.figures.arrived),
        ];
        row.extend(rates([no_5, no_6]));
        row.push(Cell::count(closed.figures.through_seq));
        row.push(closed.figures.hash.as_ref().map_or(Cell::Empty, Cell::text));
        table.rows.push(row);
    }
    let [abandon, busy] = &sheet.counted_now;
    let mut row = vec![
        Cell::text("現在の集計"),
        Cell::Empty,
        Cell::text(words::at(report, report.made_at_ms)),
        Cell::Empty,
        Cell::count(report.counted_now.arrived),
    ];
    row.extend(rates([abandon, busy]));
    row.push(Cell::count(report.log.through_seq));
    row.push(report.log.hash.as_ref().map_or(Cell::Empty, Cell::text));
    table.rows.push(row);
    let differs = if sheet.differs_from_closed {
        "現在の集計は最後の版と異なる。締めた数値が有効であり、改めるには新しい版として締め直す。"
    } else {
        "現在の集計は最後の版と一致する。"
    };
    Some(table.note(differs))
}

/// Periods that were entered to be left out.
pub(super) fn exclusions(report: &Report) -> Table {
    let mut table = Table::new(
        "exclusions",
        "対象外期間（予見できない不測の事態）",
        &[
            ("番号", 6),
            ("開始", 15),
            ("終了", 15),
            ("理由", 18),
            ("入力者・日時", 17),
            ("状態", 9),
            ("承認者・日時", 17),
            ("除いた呼", 8),
            ("除いた呼の内訳", 22),
        ],
    );
    table.rows = report.exclusions.iter().map(|row| exclusion(report, row)).collect();
    table
        .note("承認された期間に着信した呼だけを、すべての集計から除く。終了の時刻は期間に含まない。入力者と承認者は別の者である。")
        .note(format!(
            "この月に対象外とした呼は {} 件。{}",
            report.excluded,
            breakdown(&report.excluded_outcomes)
        ))
}

fn exclusion(report: &Report, row: &ExcludedRow) -> Vec<Cell> {
    let signed = |signed: &Signed| format!("{} {}", signed.author, words::at(report, signed.at_ms));
    let (state, approved) = match &row.exclusion.state {
        ExclusionState::Entered => ("未承認".to_owned(), Cell::Empty),
        ExclusionState::Approved { approved } => ("承認".to_owned(), Cell::text(signed(approved))),
        ExclusionState::Withdrawn { approved, withdrawn, why } => (
            format!("取消（{}、{why}）", signed(withdrawn)),
            approved.as_ref().map_or(Cell::Empty, |it| Cell::text(signed(it))),
        ),
    };
    vec![
        Cell::count(u64::from(row.exclusion.exclusion)),
        Cell::text(words::at(report, row.exclusion.from_ms)),
        Cell::text(words::at(report, row.exclusion.until_ms)),
        Cell::text(&row.exclusion.reason),
        Cell::text(signed(&row.exclusion.entered)),
        Cell::text(state),
        approved,
        Cell::count(row.calls),
        Cell::text(breakdown(&row.outcomes)),
    ]
}

fn breakdown(outcomes: &crate::view::PerOutcome) -> String {
    let some = Outcome::ALL.into_iter().filter(|outcome| outcomes.get(*outcome) > 0);
    let parts = some.map(|outcome| format!("{} {}", outcome.japanese(), outcomes.get(outcome)));
    parts.collect::<Vec<_>>().join("、")
}

/// The time in which callers may have been refused before they reached us.
pub(super) fn trunks(report: &Report) -> Table {
    let mut table = Table::new(
        "trunks-full",
        "全回線使用中の時間（当方から見えない呼）",
        &[("回線", 30), ("全チャネル使用中の時間（秒）", 30), ("回数", 20)],
    );
    for full in &report.trunks_full {
        table.rows.push(vec![
            Cell::text(&full.trunk),
            Cell::Number(words::thousandths(full.ms)),
            Cell::count(full.times),
        ]);
    }
    table
        .note("通信事業者が当方に届く前に拒否した呼（網側の話中）は、この記録に現れず、どの率にも含まれない。")
        .note("上の秒数は、その間に新たな発信者が網側で拒否され得た時間の目安である。月をまたぐ時間は月の境で分け、続いている時間は終わってから数える。")
}

/// How the contract was read.
pub(super) fn settings(report: &Report) -> Table {
    let mut table = Table::new("settings", "集計の設定", &[("設定", 30), ("値", 20), ("意味", 50)]);
    let now = report.policy_now.as_ref().map(Policy::settings);
    if now.is_some() {
        table.heads.push("現在の値".to_owned());
        table.widths.push(20);
    }
    for (name, value) in report.policy.settings() {
        let mut row =
            vec![Cell::text(&name), Cell::text(plain(&value)), Cell::text(meaning(&name))];
        if let Some(now) = &now {
            row.push(now.get(&name).map_or(Cell::Empty, |value| Cell::text(plain(value))));
        }
        table.rows.push(row);
    }
    let version = match report.settings_version {
        0 => "この設定はまだ記録に書かれていない（版なし）。".to_owned(),
        version => format!("記録にある設定の版: {version}"),
    };
    table.note(version)
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn meaning(setting: &str) -> &'static str {
    match setting {
        "short_call_ms" => "ワンコール切りとする、着信から切断までの時間（ミリ秒、以下）",
        "short_call_excluded_from" => "ワンコール切りを母数から除く率",
        "released_counts_as" => "ビジー切断と輻輳拒否の数え方",
        "failed_counts_as" => "障害の数え方",
        "menu_left_counts_as" => "自動応答内離脱の数え方",
        "message_taken_counts_as" => "伝言の数え方",
        "answer_target_ms" => "目標内応答とする待ち時間（ミリ秒、以下）",
        "abandon_limit" => "放棄率の基準（%、未満）",
        "busy_limit" => "ビジー率の基準（%、未満）",
        "service_begins" => "サービス開始日（その月から 3 か月が調整期間）",
        _ => "",
    }
}

/// The part of the history behind all this.
pub(super) fn log(report: &Report) -> Table {
    let mut table = Table::new("log", "集計の元になった記録", &[("項目", 30), ("値", 70)]);
    let mut row = |name: &str, value: Cell| table.rows.push(vec![Cell::text(name), value]);
    row("最初の通番", Cell::count(report.log.from_seq));
    row("最後の通番", Cell::count(report.log.through_seq));
    row("最後の通番までのハッシュ", report.log.hash.as_ref().map_or(Cell::Empty, Cell::text));
    row("失われた記録", Cell::count(report.whole.holes));
    row("結果の決まっていない呼", Cell::count(report.whole.undecided));
    row("作成日時", Cell::text(words::at(report, report.made_at_ms)));
    row("タイムゾーン", Cell::text(report.timezone));
    row("プログラムの版", Cell::text(report.version));
    table.note("すべての数値はこの範囲の記録だけから計算される。呼は着信した日と月に属し、結果が決まったときに数える。")
}
