//! What each operating figure is, in words: printed beside the figures, and in docs/FIGURES.md.

use schemars::JsonSchema;
use serde::Serialize;

/// One figure's definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Definition {
    /// As in the API.
    pub figure: &'static str,
    /// Its Japanese name.
    pub name: &'static str,
    /// The formula, Japanese.
    pub ja: &'static str,
    /// The formula, English.
    pub en: &'static str,
    /// The unit in which it is shown; JSON has milliseconds where it is `s`.
    pub unit: &'static str,
}

macro_rules! definitions {
    ($($figure:literal, $name:literal, $ja:literal, $en:literal, $unit:literal;)*) => {
        &[$(Definition { figure: $figure, name: $name, ja: $ja, en: $en, unit: $unit }),*]
    };
}

/// All of them: of calls, of lines, of agents.
pub const DEFINITIONS: &[Definition] = definitions![
    "offered", "オペレータ要求呼",
        "結果の決まった呼のうち、オペレータを求めたもの",
        "decided calls that asked for an operator", "calls";
    "answered", "応答",
        "そのうち、オペレータが応答したもの",
        "those of them that an operator answered", "calls";
    "service_level", "目標内応答率",
        "求めてから目標時間以内に応答した呼 ÷ オペレータ要求呼",
        "answered within `answer_target_ms` (20 s) of asking ÷ offered", "%";
    "average_speed_of_answer", "平均応答時間",
        "応答した呼の待ち時間の合計 ÷ 応答。待ち時間はオペレータを求めてから応答まで",
        "Σ waits of answered calls ÷ answered; a wait is from asking for an operator to the answer", "s";
    "longest_wait", "最長待ち時間",
        "結果の決まった呼の待ち時間の最大（応答しなかった呼を含む）",
        "the longest wait of a decided call, answered or not", "s";
    "average_talk", "平均通話時間",
        "終わった呼の（会話 − 保留）の合計 ÷ 応答",
        "Σ (conversations − holds) of calls that are over ÷ answered", "s";
    "average_hold", "平均保留時間",
        "終わった呼の保留の合計 ÷ 応答",
        "Σ holds of calls that are over ÷ answered", "s";
    "average_wrap_up", "平均後処理時間",
        "呼に続いた後処理（終わったもの）の合計 ÷ 応答",
        "Σ after-call work that followed the calls and is over ÷ answered", "s";
    "average_handling", "平均処理時間 (AHT)",
        "（会話（保留を含む）＋後処理）の合計 ÷ 応答。オペレータについては（通話＋保留＋後処理＋サインアウト後の通話）÷ 受けた呼",
        "Σ (conversations, holds included + after-call work) ÷ answered = talk + hold + after-call work. Of an agent: (talk + hold + after-call work + talk after signing out) ÷ callers taken", "s";
    "lines_full", "全回線使用中",
        "回線ごとの、全チャネルが使用中だった時間の合計。終わったときに数える",
        "Σ over trunks of the time in which all of a trunk's channels were in use, counted when it is over", "s";
    "signed_in", "サインイン時間",
        "通話＋保留＋その他の通話＋呼出中＋後処理＋離席＋電話機未登録＋待機",
        "talk + hold + other calls + ringing + after-call work + paused + unreachable + idle", "s";
    "talk", "通話",
        "サインイン中で、保留していない発信者と話している",
        "signed in and with a caller of the desk who is not held", "s";
    "hold", "保留",
        "発信者を保留しているか、発信者に保留音を聞かせてキー操作で同僚に問い合わせている",
        "the agent holds the caller, or asks somebody by keys while the caller hears music; not while it is turned to the caller in the midst of that", "s";
    "other_call", "その他の通話",
        "サインイン中で、窓口への呼でない通話（折り返し、発信、同僚からの問い合わせ）",
        "signed in and in a call of another kind: called back, placed, asked by a colleague", "s";
    "ringing", "呼出中",
        "窓口への呼で電話機が鳴っていて、通話していない",
        "the phone rings for a call of the desk and the agent is in no call", "s";
    "wrap_up", "後処理",
        "通話後の後処理（離席中を含む）",
        "after-call work, whether paused or not", "s";
    "paused", "離席",
        "本人、監督者または規則により、呼を受けない",
        "set aside, by a person or by a rule", "s";
    "unreachable", "電話機未登録",
        "サインイン中で、電話機が登録されていない",
        "signed in, and the phone is not registered", "s";
    "idle", "待機",
        "サインイン中で、次の呼を受けられる",
        "signed in and free for the next call", "s";
    "signed_out_talk", "サインアウト後の通話",
        "サインインしていないが、発信者と話している（勤務を過ぎた通話）。サインイン時間に含まない",
        "with a caller of the desk and not signed in: a talk that outlasted the shift. Not in `signed_in`", "s";
    "occupancy", "稼働率",
        "（通話＋保留＋その他の通話＋後処理）÷（サインイン − 離席 − 電話機未登録）",
        "(talk + hold + other calls + after-call work) ÷ (signed in − paused − unreachable)", "%";
    "agents", "サインインした人数",
        "その行にサインイン時間のあるオペレータの数。サインイン時間 ÷ 行の長さ が平均の人数",
        "agents with any signed-in time in the row; `signed_in` ÷ the row's length is how many on average", "persons";
    "taken", "受けた呼",
        "オペレータにつながった発信者の数（転送を含む）。応答の時刻による",
        "callers that the agent was put through to, transfers included; by the time of the answer", "callers";
    "rings_…", "呼出の結果",
        "オペレータの電話機の呼出が終わった理由と時刻による: answered 応答、missed 不応答、refused 拒否、caller_left 発信者が切断（取消）、taken_elsewhere 他の電話機が応答、unreachable 届かず、withdrawn システムが取消",
        "how each ringing of the agent's phone for a call ended, by the time of its end: `answered`; `missed` (rang out), `refused`, `caller_left` (cancelled by the caller), `taken_elsewhere`, `unreachable`, `withdrawn` (by the system)", "rings";
];

#[cfg(test)]
mod tests {
    use super::DEFINITIONS;

    #[test]
    fn the_page_of_figures_says_the_same() {
        let page = include_str!("../../../docs/FIGURES.md");
        for it in DEFINITIONS {
            let line = format!("| `{}` | {} | {} | {} |", it.figure, it.name, it.en, it.unit);
            assert!(page.lines().any(|found| found == line), "due in docs/FIGURES.md:\n{line}");
        }
    }
}
