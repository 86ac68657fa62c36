//! What people outside the desk are told of a rate whose early warning turned, in the receiver's form and in
//! people's words; and when a telling that failed is tried again.
//!
//! Sends nothing: `io::deliver` does. Names no caller; a notice holds counts only.

mod pace;

pub use pace::{GIVEN_UP_AT, Next, Try, next};

use crate::base::Wall;
use crate::event::{WarnedRate, Warning, WarningTurn};
use crate::view::{Figure, Ratio, written};
use serde_json::{Value, json};

/// The form of the JSON; another form gets another number.
pub const FORM: u32 = 1;

/// A turn as it is told.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// The plan's name.
    pub desk: &'a str,
    /// The zone that its time is written in.
    pub zone: chrono_tz::Tz,
    /// Where the figures are looked at.
    pub link: Option<&'a str>,
    /// When it turned.
    pub at: Wall,
    /// The entry with which it turned; 0 of a trial.
    pub seq: u64,
    /// What turned.
    pub turn: &'a WarningTurn,
    /// Whether it only tries the way, and its numbers are made up.
    pub trial: bool,
}

/// `7 %` as `5/100 = 5.00 %`.
fn fraction((part, whole): (u64, u64)) -> Option<String> {
    Some(format!("{part}/{whole} = {} %", Ratio { part, whole }.percent()?))
}

fn percent((part, whole): (u64, u64)) -> Option<String> {
    Ratio { part, whole }.percent()
}

impl Notice<'_> {
    /// The same for every try, and another for every turn: by it a receiver knows a repetition.
    #[must_use]
    pub fn id(&self) -> String {
        let kind = if self.trial { "trial" } else { "warning" };
        format!("{kind}-{}-{}", self.seq, self.at.0)
    }

    /// In Japanese and in English.
    fn rate(&self) -> (&'static str, &'static str) {
        match self.turn.rate {
            WarnedRate::Abandon => Figure::Abandon.said(),
            WarnedRate::Busy => Figure::Busy.said(),
        }
    }

    /// What it has come to, in Japanese and in English.
    fn state(&self) -> (&'static str, &'static str) {
        match self.turn.to {
            Warning::None => {
                ("上限を下回る見込みに戻りました", "is expected to stay within its limit again")
            }
            Warning::Projected => (
                "このままでは月末に上限以上になる見込みです",
                "will miss its limit at the month's end at this pace",
            ),
            Warning::Missed => ("上限以上になっています", "misses its limit now"),
        }
    }

    /// A mail's first line, without a line's end.
    #[must_use]
    pub fn subject(&self) -> String {
        let ((ja, en), (state_ja, state_en)) = (self.rate(), self.state());
        let (trial_ja, trial_en) = if self.trial { ("【試験】", "[trial] ") } else { ("", "") };
        let month = &self.turn.month;
        let desk: String = self.desk.chars().filter(|letter| !letter.is_control()).collect();
        format!("{trial_ja}{desk}: {month} の{ja}は{state_ja} / {trial_en}{month}: {en} {state_en}")
    }

    /// In Japanese: what turned, the numbers, where to look.
    #[must_use]
    pub fn japanese(&self) -> String {
        let turn = self.turn;
        let mut lines = Vec::new();
        if self.trial {
            lines.push("これは試験です。数字は架空のものです。".to_owned());
        }
        lines.push(format!(
            "{}: {} の{}は、{}。",
            self.desk,
            turn.month,
            self.rate().0,
            self.state().0
        ));
        let so_far = fraction(turn.so_far).unwrap_or_else(|| "呼がない".to_owned());
        lines.push(format!("ここまで: {so_far}（上限: {} % 未満）", turn.limit_percent));
        let projected = turn.projected.and_then(percent);
        let projected =
            projected.map_or_else(|| "まだ分からない".to_owned(), |it| format!("{it} %"));
        lines.push(format!("月末の見込み: {projected}"));
        if let Some(left) = turn.left_in_month {
            let what = match turn.rate {
                WarnedRate::Abandon => "放棄",
                WarnedRate::Busy => "ビジー",
            };
            lines.push(format!("今月あと {left} 件の{what}までは上限を下回る"));
        }
        lines.push(format!("時刻: {}", written(self.at, self.zone)));
        lines.extend(self.link.map(|link| format!("数字: {link}")));
        lines.join("\n")
    }

    /// The same in English.
    #[must_use]
    pub fn english(&self) -> String {
        let turn = self.turn;
        let mut lines = Vec::new();
        if self.trial {
            lines.push("This is a trial. The numbers are made up.".to_owned());
        }
        lines.push(format!("{}: {}, {} {}.", self.desk, turn.month, self.rate().1, self.state().1));
        let so_far = fraction(turn.so_far).unwrap_or_else(|| "no calls".to_owned());
        lines.push(format!("So far: {so_far} (must stay below {} %)", turn.limit_percent));
        let projected = turn.projected.and_then(percent);
        let projected =
            projected.map_or_else(|| "not known yet".to_owned(), |it| format!("{it} %"));
        lines.push(format!("Projected at the month's end: {projected}"));
        if let Some(left) = turn.left_in_month {
            let what = match turn.rate {
                WarnedRate::Abandon => "abandoned",
                WarnedRate::Busy => "busy",
            };
            lines.push(format!("The month still bears {left} more {what} calls"));
        }
        lines.push(format!("At: {}", written(self.at, self.zone)));
        lines.extend(self.link.map(|link| format!("Figures: {link}")));
        lines.join("\n")
    }

    /// A mail's text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n\n{}\n\nid: {}\n", self.japanese(), self.english(), self.id())
    }

    /// A receiver's JSON (docs/WARNING.md).
    #[must_use]
    pub fn body(&self) -> String {
        let turn = self.turn;
        let shares = |(part, whole): (u64, u64)| {
            let percent = percent((part, whole));
            json!({ "part": part, "whole": whole, "percent": percent })
        };
        let projected = turn.projected.map_or(Value::Null, |(part, whole)| {
            let percent = percent((part, whole));
            json!({ "part_hundredths": part, "whole_hundredths": whole, "percent": percent })
        });
        let body = json!({
            "form": FORM,
            "kind": "warning_turned",
            "id": self.id(),
            "trial": self.trial,
            "desk": self.desk,
            "seq": self.seq,
            "at": written(self.at, self.zone),
            "rate": turn.rate.name(),
            "month": turn.month,
            "from": turn.from.name(),
            "to": turn.to.name(),
            "limit_percent": turn.limit_percent,
            "so_far": shares(turn.so_far),
            "projected": projected,
            "left_in_month": turn.left_in_month,
            "link": self.link,
            "text": { "ja": self.japanese(), "en": self.english() },
        });
        body.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(rate: WarnedRate, to: Warning) -> WarningTurn {
        WarningTurn {
            rate,
            month: "2026-10".to_owned(),
            from: Warning::None,
            to,
            so_far: (5, 100),
            limit_percent: 10,
            projected: Some((15_500, 110_000)),
            left_in_month: Some(104),
        }
    }

    fn notice(turn: &WarningTurn) -> Notice<'_> {
        Notice {
            desk: "IT サービスデスク",
            zone: chrono_tz::Asia::Tokyo,
            link: Some("https://desk.example/"),
            at: Wall(1_790_780_400_000),
            seq: 57,
            turn,
            trial: false,
        }
    }

    #[test]
    fn a_manager_reads_rate_fraction_projection_and_what_is_left_in_both_languages() {
        let turn = turn(WarnedRate::Abandon, Warning::Projected);
        let notice = notice(&turn);
        assert_eq!(
            notice.text(),
            "IT サービスデスク: 2026-10 の放棄率（別紙4 No. 5）は、このままでは月末に上限以上になる見込みです。\n\
             ここまで: 5/100 = 5.00 %（上限: 10 % 未満）\n月末の見込み: 14.09 %\n\
             今月あと 104 件の放棄までは上限を下回る\n時刻: 2026-10-01T00:00:00.000+09:00\n\
             数字: https://desk.example/\n\n\
             IT サービスデスク: 2026-10, abandon rate (No. 5) will miss its limit at the month's end at this pace.\n\
             So far: 5/100 = 5.00 % (must stay below 10 %)\nProjected at the month's end: 14.09 %\n\
             The month still bears 104 more abandoned calls\nAt: 2026-10-01T00:00:00.000+09:00\n\
             Figures: https://desk.example/\n\nid: warning-57-1790780400000\n"
        );
        assert!(notice.subject().starts_with("IT サービスデスク: 2026-10 の放棄率"));
        let trial = Notice { trial: true, ..notice };
        assert!(trial.subject().starts_with("【試験】"), "{}", trial.subject());
        assert!(trial.text().starts_with("これは試験です"), "{}", trial.text());
    }

    #[test]
    fn before_the_first_whole_day_nothing_is_projected() {
        let turn = WarningTurn {
            projected: None,
            left_in_month: None,
            so_far: (0, 0),
            ..turn(WarnedRate::Busy, Warning::Missed)
        };
        let notice = Notice { link: None, ..notice(&turn) };
        let text = notice.text();
        for words in ["まだ分からない", "not known yet", "呼がない", "no calls", "ビジー率"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        let body: Value = serde_json::from_str(&notice.body()).expect("JSON");
        assert_eq!(body["projected"], Value::Null);
        assert_eq!(body["left_in_month"], Value::Null);
    }

    #[test]
    fn the_receivers_json_has_what_is_documented() {
        let turn = turn(WarnedRate::Abandon, Warning::Missed);
        let body: Value = serde_json::from_str(&notice(&turn).body()).expect("JSON");
        let fields: Vec<&str> =
            body.as_object().expect("an object").keys().map(String::as_str).collect();
        let page = include_str!("../../docs/WARNING.md");
        for field in &fields {
            assert!(page.contains(&format!("| `{field}` |")), "{field} is not in docs/WARNING.md");
        }
        assert_eq!(body["so_far"], json!({ "part": 5, "whole": 100, "percent": "5.00" }));
        assert_eq!(body["projected"]["percent"], "14.09");
        assert_eq!((&body["rate"], &body["to"]), (&json!("abandon"), &json!("missed")));
        assert_eq!(body["id"], "warning-57-1790780400000");
    }
}
