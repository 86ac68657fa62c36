//! A walk told to a person, in Japanese or English.

use super::finding::{Lang, tame};
use super::hours::ClosedWhy;
use super::plan::{FeatureCode, Strategy};
use super::shape::show;
use super::walked::{End, Expected, GroupWay, Offer, Step, Walk};
use crate::base::{AdHoc, PromptId};
use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use std::fmt::Write as _;
use std::time::Duration;

/// Agents named of one offer; of more, how many.
const NAMED: usize = 12;

impl Walk {
    /// The whole answer, one line a step, each with a line end.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let mut text = format!("{}\n", time(self.at, lang));
        for step in &self.steps {
            let _ = writeln!(text, "  {}", tame(&step.text(lang)));
        }
        match &self.end {
            End::Group(way) => group(&mut text, way, lang),
            end => {
                let _ = writeln!(text, "→ {}", tame(&end.text(lang)));
            }
        }
        if !matches!(self.end, End::Nothing | End::Code { .. }) {
            let counted = if self.counted {
                lang.pick("実績に数える", "counted")
            } else {
                lang.pick("実績に数えない", "not counted")
            };
            let _ = writeln!(text, "  ({counted})");
        }
        text
    }
}

fn time(at: DateTime<Tz>, lang: Lang) -> String {
    let day = usize::try_from(at.weekday().num_days_from_monday()).unwrap_or(0);
    let (en, ja) = super::values::WEEK.get(day).copied().unwrap_or_default();
    let second = if at.second() == 0 { String::new() } else { format!(":{:02}", at.second()) };
    let (date, clock) = (at.format("%Y-%m-%d"), at.format("%H:%M"));
    format!("{date} ({}) {clock}{second} {}", lang.pick(ja, en), at.timezone())
}

fn why(why: &ClosedWhy, lang: Lang) -> String {
    match why {
        ClosedWhy::Night => lang.pick("受付時間外", "outside its hours").to_owned(),
        ClosedWhy::Weekend => lang.pick("休みの曜日", "no service on this weekday").to_owned(),
        ClosedWhy::Holiday(name) => format!("{}{name}", lang.pick("祝日: ", "holiday: ")),
        ClosedWhy::Closure(name) => format!("{}{name}", lang.pick("休業: ", "closure: ")),
        ClosedWhy::AdHoc(name) => format!("{}{name}", lang.pick("臨時休業: ", "closed: ")),
        ClosedWhy::Disaster(name) => format!("{}{name}", lang.pick("災害: ", "disaster: ")),
    }
}

fn outcome(expected: Expected, lang: Lang) -> String {
    let ja = match expected {
        Expected::MenuServed => "自動応答完了",
        Expected::Closed => "時間外",
        Expected::Blocked => "輻輳拒否",
    };
    let name = expected.name();
    lang.pick(format!("結果 {ja} {name}"), format!("outcome {name}"))
}

impl Step {
    fn text(&self, lang: Lang) -> String {
        match self {
            Self::Desk { number, name, lines } => lang.pick(
                format!("着信番号 {number}「{name}」（{lines} 回線）"),
                format!("desk number {number} \"{name}\" ({lines} lines)"),
            ),
            Self::Recorded { always, announcement } => {
                let told = announcement.as_ref().map_or_else(
                    || lang.pick("案内なし".to_owned(), "nothing is told of it".to_owned()),
                    |prompt| {
                        lang.pick(
                            format!("先に「{prompt}」を流す"),
                            format!("told before: {prompt}"),
                        )
                    },
                );
                if *always {
                    lang.pick(
                        format!("通話を録音する（{told}）"),
                        format!("the call is recorded ({told})"),
                    )
                } else {
                    lang.pick(
                        format!("求めがあれば通話を録音する（{told}）"),
                        format!("the call is recorded when somebody wants it ({told})"),
                    )
                }
            }
            Self::AdHoc { to } => match to {
                AdHoc::Open => lang.pick("臨時に受付中", "opened out of turn"),
                AdHoc::Closed => lang.pick("臨時休業", "closed out of turn"),
                AdHoc::Disaster => lang.pick("災害のため休業", "closed because of a disaster"),
            }
            .to_owned(),
            Self::AlwaysOpen => {
                lang.pick("いつでも受付", "always open: it has no hours").to_owned()
            }
            Self::Open { hours } => {
                lang.pick(format!("受付時間 {hours}: 受付中"), format!("hours {hours}: open"))
            }
            Self::Closed { hours, why: reason, next } => {
                let reason = why(reason, lang);
                let next = next.map(|next| time(next, lang));
                match next {
                    Some(next) => lang.pick(
                        format!("受付時間 {hours}: 閉（{reason}）。次の受付は {next}"),
                        format!("hours {hours}: closed ({reason}); opens {next}"),
                    ),
                    None => lang.pick(
                        format!("受付時間 {hours}: 閉（{reason}）。次の受付の予定はない"),
                        format!("hours {hours}: closed ({reason}); no opening in sight"),
                    ),
                }
            }
            Self::Menu { menu, says } => {
                let says: Vec<&str> = says.iter().map(PromptId::as_str).collect();
                let says = says.join(", ");
                lang.pick(
                    format!("自動応答 {menu}: {says} を流す"),
                    format!("menu {menu}: says {says}"),
                )
            }
            Self::Key { menu, key } => lang.pick(
                format!("自動応答 {menu}: {key} を押す"),
                format!("menu {menu}: presses {key}"),
            ),
            Self::WrongKey { menu, key } => lang.pick(
                format!("自動応答 {menu}: {key} を押すが行き先がない"),
                format!("menu {menu}: presses {key}, which leads nowhere"),
            ),
            Self::NoKey { menu, waited } => {
                let waited = show(*waited);
                lang.pick(
                    format!("自動応答 {menu}: 案内の後 {waited} の間キーなし"),
                    format!("menu {menu}: no key within {waited} of the greeting"),
                )
            }
            Self::Dialled { menu, number } => lang.pick(
                format!("自動応答 {menu}: 内線 {number} を押す"),
                format!("menu {menu}: dials {number}"),
            ),
            Self::Language { language } => lang.pick(
                format!("ここから案内は {} で流す", language.name()),
                format!("hears {} from here on", language.name()),
            ),
            Self::Entry { entry, says } => {
                let says: Vec<&str> = says.iter().map(PromptId::as_str).collect();
                let says = says.join(", ");
                lang.pick(
                    format!("番号入力 {entry}: {says} を流す"),
                    format!("entry {entry}: says {says}"),
                )
            }
            Self::Entered { entry, digits } => lang.pick(
                format!("番号入力 {entry}: {digits}"),
                format!("entry {entry}: {digits} is entered"),
            ),
            Self::EntryRefused { entry, digits } if digits.is_empty() => lang.pick(
                format!("番号入力 {entry}: 何も押さない"),
                format!("entry {entry}: nothing is entered"),
            ),
            Self::EntryRefused { entry, digits } => lang.pick(
                format!("番号入力 {entry}: {digits} は桁数が違うか、訂正された"),
                format!("entry {entry}: {digits} is too short, or taken back"),
            ),
            Self::EntryOver { entry, tries } => lang.pick(
                format!("番号入力 {entry}: {tries} 回で打ち切り、otherwise へ"),
                format!("entry {entry}: gives up after {tries}, takes otherwise"),
            ),
            Self::TriesOver { menu, tries } => lang.pick(
                format!("自動応答 {menu}: {tries} 回で打ち切り、then へ"),
                format!("menu {menu}: gives up after {tries}, takes then"),
            ),
        }
    }
}

impl End {
    fn text(&self, lang: Lang) -> String {
        match self {
            Self::Group(way) => way.name.clone(),
            Self::Phone { agent, name, ring } => {
                let ring = show(*ring);
                lang.pick(
                    format!("内線 {agent}「{name}」を {ring} 鳴らす"),
                    format!("extension {agent} \"{name}\" rings for {ring}"),
                )
            }
            Self::Told { prompt, outcome: counted } => {
                let counted = outcome(*counted, lang);
                lang.pick(
                    format!("{prompt} を流して切る（{counted}）"),
                    format!("hears {prompt} and is released ({counted})"),
                )
            }
            Self::Message { mailbox, prompt, longest } => {
                let longest = show(*longest);
                lang.pick(
                    format!("{prompt} を流し、伝言の箱 {mailbox} に {longest} まで録る（結果 伝言 message_taken）"),
                    format!("hears {prompt} and leaves a message of up to {longest} in {mailbox} (outcome message_taken)"),
                )
            }
            Self::Callback { callback, prompt, group } => lang.pick(
                format!("{prompt} を流し、グループ {group} からの折り返し {callback} を受ける（結果 伝言 message_taken）"),
                format!("hears {prompt} and is called back by {group} ({callback}; outcome message_taken)"),
            ),
            Self::Refused { status, outcome: counted } => {
                let counted = outcome(*counted, lang);
                lang.pick(
                    format!("{status} で拒否（{counted}）"),
                    format!("refused with {status} ({counted})"),
                )
            }
            Self::TooManyMenus => {
                let counted = outcome(Expected::MenuServed, lang);
                lang.pick(
                    format!("メニューを回り過ぎたので切る（{counted}）"),
                    format!("went through too many menus and is released ({counted})"),
                )
            }
            Self::Code { code, agent: Some(agent), done } => {
                let code = match code {
                    FeatureCode::SignIn => lang.pick("受付を始める", "sign in"),
                    FeatureCode::SignOut => lang.pick("受付を終える", "sign out"),
                    FeatureCode::Pause => lang.pick("離席", "pause"),
                    FeatureCode::PauseFor(_) => lang.pick("理由付きの離席", "pause for a reason"),
                    FeatureCode::WrapUpLonger => {
                        lang.pick("後処理を延ばす", "longer after-call work")
                    }
                    FeatureCode::WrapUpEnd => lang.pick("後処理を終える", "end of after-call work"),
                    FeatureCode::Unpause => lang.pick("離席を終える", "unpause"),
                    FeatureCode::RecordStart => lang.pick("録音を始める", "record"),
                    FeatureCode::RecordStop => lang.pick("録音を終える", "record no more"),
                    FeatureCode::RecordPause => {
                        lang.pick("録音を止めておく", "pause the recording")
                    }
                    FeatureCode::RecordResume => lang.pick("録音に戻る", "go on recording"),
                    FeatureCode::Park => lang.pick("パーク保留", "park"),
                    FeatureCode::CloseDesk => {
                        lang.pick("全番号を閉める（今日）", "close all numbers for today")
                    }
                    FeatureCode::CloseForDisaster => lang.pick(
                        "災害のため全番号を閉める（今日）",
                        "close all numbers for today because of a disaster",
                    ),
                    FeatureCode::OpenDesk => {
                        lang.pick("全番号を開ける（今日）", "open all numbers for today")
                    }
                    FeatureCode::UsualHours => {
                        lang.pick("計画の受付時間に戻す", "back to the plan's hours")
                    }
                    FeatureCode::Pickup => lang.pick("代理応答", "pick up"),
                    FeatureCode::Listen => lang.pick("モニタ", "listen"),
                    FeatureCode::Whisper => lang.pick("ウィスパ", "whisper"),
                    FeatureCode::Barge => lang.pick("割込み", "barge in"),
                    FeatureCode::Add => lang.pick("三者通話", "add to the talk"),
                };
                lang.pick(
                    format!("特番「{code}」（オペレータ {agent}）。{done} を流す"),
                    format!("feature code: {code} (agent {agent}); hears {done}"),
                )
            }
            Self::Code { agent: None, .. } => lang
                .pick(
                    "特番はオペレータの電話からだけ使える: 403 で拒否",
                    "a feature code is for agents' phones: refused with 403",
                )
                .to_owned(),
            Self::Lot { name, first, said } => lang.pick(
                format!("「{name}」の空いている番号（まず {first}）に保留する。{said} を流す"),
                format!("a free slot of \"{name}\" (first {first}) is kept; hears {said}"),
            ),
            Self::Slot { name, empty, .. } => lang.pick(
                format!("「{name}」に保留された通話を取る。なければ {empty} を流す"),
                format!("fetches who is parked in \"{name}\"; hears {empty} when nobody is"),
            ),
            Self::Nothing => lang
                .pick(
                    "この計画にない番号: 404 で拒否",
                    "not a number of this plan: refused with 404",
                )
                .to_owned(),
        }
    }
}

fn group(text: &mut String, way: &GroupWay, lang: Lang) {
    let strategy = match way.strategy {
        Strategy::RingAll => lang.pick("一斉", "ring_all"),
        Strategy::Linear => lang.pick("順次", "linear"),
        Strategy::RoundRobin => lang.pick("巡回", "round_robin"),
        Strategy::LongestIdle => lang.pick("最長待機", "longest_idle"),
        Strategy::FewestCalls => lang.pick("最少応答", "fewest_calls"),
        Strategy::Weighted => lang.pick("重み付け", "weighted"),
    };
    let (id, name) = (&way.group, tame(&way.name));
    let mut line = |said: String| {
        let _ = writeln!(text, "{said}");
    };
    line(lang.pick(
        format!("→ グループ {id}「{name}」（{strategy}）。ここからオペレータを求めた電話になる"),
        format!(
            "→ group {id} \"{name}\" ({strategy}); from here the caller has asked for an operator"
        ),
    ));
    let hears = if way.answered {
        let music = &way.waiting.music;
        lang.pick(format!("{music} を聞く"), format!("hears {music}"))
    } else {
        lang.pick("呼出音を聞く".to_owned(), "hears ringing".to_owned())
    };
    line(lang.pick(
        format!("  全員が受付中で、だれも出ない時（相手は{hears}）:"),
        format!("  when all are signed in and nobody picks up (the caller {hears}):"),
    ));
    for offer in &way.offers {
        line(format!("    {}", offer_text(offer, lang)));
    }
    if way.more {
        line(format!("    {}", lang.pick("（以下くり返し）", "(and so on)")));
    }
    if let Some(prompt) = &way.tells_agent {
        line(lang.pick(
            format!("  出た人にはまず {prompt} を流し、それからつなぐ（相手はそのまま待つ）"),
            format!("  whoever picks up hears {prompt} first (the caller waits as before)"),
        ));
    }
    if let Some(after) = way.queued_after {
        line(lang.pick(
            format!("    {} 鳴らす人がいなくなり、下と同じく待つ", clock(after)),
            format!("    {} nobody is left to ring: waits as below", clock(after)),
        ));
    }
    waiting(text, way, lang);
}

fn waiting(text: &mut String, way: &GroupWay, lang: Lang) {
    let waiting = &way.waiting;
    let mut line = |said: String| {
        let _ = writeln!(text, "{said}");
    };
    let (busy, music, full, waited) =
        (&waiting.busy, &waiting.music, &waiting.full, &waiting.waited);
    line(lang.pick("  だれも空いていない時:", "  when nobody is free:").to_owned());
    line(lang.pick(
        format!("    {} {busy} を流し、続けて {music}", clock(Duration::ZERO)),
        format!("    {} hears {busy}, then {music}", clock(Duration::ZERO)),
    ));
    if !waiting.between.is_empty() && waiting.every < waiting.max_wait {
        let between: Vec<&str> = waiting.between.iter().map(PromptId::as_str).collect();
        let (between, every) = (between.join(", "), show(waiting.every));
        line(lang.pick(
            format!("    音楽が {every} 続くごとに {between}"),
            format!("    after every {every} of music: {between}"),
        ));
    }
    if !waiting.keys.is_empty() {
        let keys: Vec<String> = waiting.keys.iter().map(char::to_string).collect();
        let keys = keys.join(", ");
        line(lang.pick(
            format!("    待つ間に使えるキー: {keys}"),
            format!("    keys while waiting: {keys}"),
        ));
    }
    line(lang.pick(
        format!(
            "    {} {waited} を流して切る（結果 ビジー切断 busy_released）",
            clock(waiting.max_wait)
        ),
        format!(
            "    {} hears {waited} and is released (outcome busy_released)",
            clock(waiting.max_wait)
        ),
    ));
    if let Some((at, closing)) = &waiting.closing {
        let at = clock(*at);
        line(lang.pick(
            format!(
                "    {at} 受付の終わり。{closing} を流して切る（結果 ビジー切断 busy_released）"
            ),
            format!(
                "    {at} the desk closes: hears {closing} and is released (outcome busy_released)"
            ),
        ));
    }
    let most = waiting.max_waiting;
    line(lang.pick(
        format!("    すでに {most} 人が待っていれば、{busy}, {full} を流して切る（結果 ビジー切断 busy_released）"),
        format!("    when {most} wait already: hears {busy}, {full} and is released (outcome busy_released)"),
    ));
}

/// `1:05` after asking for an operator.
fn clock(at: Duration) -> String {
    format!("{:>2}:{:02}", at.as_secs() / 60, at.as_secs() % 60)
}

fn offer_text(offer: &Offer, lang: Lang) -> String {
    let mut names: Vec<String> =
        offer.agents.iter().take(NAMED).map(|(id, name)| format!("{id} {}", tame(name))).collect();
    let more = offer.agents.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(lang.pick(format!("ほか {more} 人"), format!("{more} more")));
    }
    let names = names.join(lang.pick("、", ", "));
    format!("{} – {} {names}", clock(offer.from), clock(offer.until))
}
