//! The operating figures as rows and columns, for spreadsheets and terminals.

use super::{AgentFigures, By, CallFigures, Operating, OperatingRow};
use crate::base::CsvCell;
use crate::view::worked::Doing;

/// A column: its headings, and what stands in it.
struct Column<T> {
    ja: &'static str,
    en: &'static str,
    of: fn(&T) -> Option<String>,
}

macro_rules! columns {
    ($($ja:literal, $en:literal, $of:expr;)*) => { &[$(Column { ja: $ja, en: $en, of: $of }),*] };
}

#[allow(clippy::unnecessary_wraps)] // one shape for all columns
fn count(count: u64) -> Option<String> {
    Some(count.to_string())
}

/// Milliseconds as seconds, exact.
#[allow(clippy::unnecessary_wraps)]
fn seconds(ms: u64) -> Option<String> {
    Some(match ms % 1_000 {
        0 => (ms / 1_000).to_string(),
        rest => format!("{}.{rest:03}", ms / 1_000),
    })
}

const CALLS: &[Column<CallFigures>] = columns![
    "着信", "arrived", |it| count(it.arrived);
    "オペレータ要求呼", "offered", |it| count(it.offered);
    "応答", "answered", |it| count(it.answered);
    "目標内応答", "answered_in_time", |it| count(it.service_level.part);
    "目標内応答率 %", "service_level %", |it| it.service_level.percent();
    "平均応答時間 秒", "average_speed_of_answer s", |it| it.average_speed_of_answer.seconds();
    "最長待ち時間 秒", "longest_wait s", |it| seconds(it.longest_wait_ms);
    "平均通話時間 秒", "average_talk s", |it| it.average_talk.seconds();
    "平均保留時間 秒", "average_hold s", |it| it.average_hold.seconds();
    "平均後処理時間 秒", "average_wrap_up s", |it| it.average_wrap_up.seconds();
    "平均処理時間 秒", "average_handling s", |it| it.average_handling.seconds();
];

const AGENTS: &[Column<AgentFigures>] = columns![
    "サインインした人数", "agents", |it| count(it.agents);
    "サインイン時間 秒", "signed_in s", |it| seconds(it.signed_in_ms);
    "通話 秒", "talk s", |it| seconds(it.ms.of(Doing::Talk));
    "保留 秒", "hold s", |it| seconds(it.ms.of(Doing::Hold));
    "その他の通話 秒", "other_call s", |it| seconds(it.ms.of(Doing::OtherCall));
    "呼出中 秒", "ringing s", |it| seconds(it.ms.of(Doing::Ringing));
    "後処理 秒", "wrap_up s", |it| seconds(it.ms.of(Doing::WrapUp));
    "離席 秒", "paused s", |it| seconds(it.ms.of(Doing::Paused));
    "電話機未登録 秒", "unreachable s", |it| seconds(it.ms.of(Doing::Unreachable));
    "待機 秒", "idle s", |it| seconds(it.ms.of(Doing::Idle));
    "サインアウト後の通話 秒", "signed_out_talk s", |it| seconds(it.ms.of(Doing::SignedOutTalk));
    "稼働率 %", "occupancy %", |it| it.occupancy.percent();
    "受けた呼", "taken", |it| count(it.taken);
    "平均処理時間（オペレータ） 秒", "agent_average_handling s", |it| it.average_handling.seconds();
    "呼出 応答", "rings_answered", |it| count(it.rings.answered);
    "呼出 不応答", "rings_missed", |it| count(it.rings.missed);
    "呼出 拒否", "rings_refused", |it| count(it.rings.refused);
    "呼出 発信者が切断", "rings_caller_left", |it| count(it.rings.caller_left);
    "呼出 他が応答", "rings_taken_elsewhere", |it| count(it.rings.taken_elsewhere);
    "呼出 届かず", "rings_unreachable", |it| count(it.rings.unreachable);
    "呼出 システムが取消", "rings_withdrawn", |it| count(it.rings.withdrawn);
];

/// Which columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Calls,
    Agents,
}

impl Operating {
    /// All columns side by side; the first row is the headings, the last the sum.
    #[must_use]
    pub fn sheet(&self, japanese: bool) -> Vec<Vec<CsvCell>> {
        self.rows_of(Part::All, japanese)
    }

    /// Those of calls and lines, and those of agents, each as a sheet of its own; none that was not asked for.
    #[must_use]
    pub fn sheets(&self, japanese: bool) -> Vec<Vec<Vec<CsvCell>>> {
        let asked = [
            self.total.calls.is_some().then_some(Part::Calls),
            self.total.agents.is_some().then_some(Part::Agents),
        ];
        asked.into_iter().flatten().map(|part| self.rows_of(part, japanese)).collect()
    }

    fn rows_of(&self, part: Part, japanese: bool) -> Vec<Vec<CsvCell>> {
        let pick = |ja: &'static str, en: &'static str| if japanese { ja } else { en };
        let text = |text: &str| CsvCell::Text(text.to_owned());
        let named = self.by == By::Agent;
        let mut heads = vec![text(match self.by {
            By::HalfHour => pick("時間帯", "half_hour"),
            By::Day => pick("日", "day"),
            By::Month => pick("月", "month"),
            By::Group => pick("グループ", "group"),
            By::Number => pick("番号", "number"),
            By::Agent => pick("内線", "agent"),
        })];
        if named {
            heads.push(text(pick("氏名", "name")));
        }
        let calls = self.total.calls.is_some() && part != Part::Agents;
        let agents = self.total.agents.is_some() && part != Part::Calls;
        let lines = self.total.lines_full.is_some() && part != Part::Agents;
        if calls {
            heads.extend(CALLS.iter().map(|it| text(pick(it.ja, it.en))));
        }
        if lines {
            heads.push(text(pick("全回線使用中 秒", "lines_full s")));
            heads.push(text(pick("全回線使用中 回", "lines_full_times")));
        }
        if agents {
            heads.extend(AGENTS.iter().map(|it| text(pick(it.ja, it.en))));
        }
        let number = |shown: Option<String>| shown.map_or(CsvCell::Empty, CsvCell::Number);
        let row = |key: &str, row: &OperatingRow| {
            let mut cells = vec![text(key)];
            if named {
                cells.push(text(row.name.as_deref().unwrap_or_default()));
            }
            if let Some(it) = row.calls.as_ref().filter(|_| calls) {
                cells.extend(CALLS.iter().map(|column| number((column.of)(it))));
            }
            if let Some(it) = row.lines_full.filter(|_| lines) {
                cells.push(number(seconds(it.ms)));
                cells.push(number(count(it.times)));
            }
            if let Some(it) = row.agents.as_ref().filter(|_| agents) {
                cells.extend(AGENTS.iter().map(|column| number((column.of)(it))));
            }
            cells
        };
        let none = pick("（なし・通話中）", "(none, or not over)");
        let rows = self.rows.iter().map(|it| {
            let key = if it.key.is_empty() { none } else { it.key.as_str() };
            row(key, it)
        });
        let mut all = vec![heads];
        all.extend(rows);
        all.push(row(pick("計", "total"), &self.total));
        all
    }
}
