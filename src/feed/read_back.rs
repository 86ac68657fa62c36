//! How a ticket stands, read from the words of a target's fields: moments, lists, and the words that
//! docs/TICKETS.md has for files of tickets.
//!
//! A ticket is told as a whole or not at all: one of whose fields is not understood, or whose moments are out
//! of order, is left out with its problems, and what was told of it before holds. Half of it would flatter a
//! figure: an escalation that is not understood would make a ticket that was solved at once.

use crate::base::{Language, Wall, stamp};
use crate::event::{TicketEscalatedTo, TicketEscalation, TicketExclusion, TicketState};
use chrono_tz::Tz;

/// Most escalations of one ticket.
pub const MOST_ESCALATIONS: usize = 16;

/// A target's clock may be so far behind the desk's, milliseconds: a completion that is earlier than the
/// arrival by no more is taken as at the arrival.
const SKEW_MS: i64 = 5 * 60_000;

/// A person who writes `9:30` of a call that arrived at 9:30:25 means no earlier moment, milliseconds.
const MINUTE_MS: i64 = 60_000;

/// A ticket as a target tells of it. An empty text: nothing stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By the target's own clock.
    pub created_at: Wall,
    /// The same; none: it is open.
    pub completed_at: Option<Wall>,
    /// When the call arrived, as the desk wrote it there. Empty: the ticket was received when it was created.
    pub arrived_at: String,
    /// A list with `;` between.
    pub escalated_at: String,
    /// As many, or none at all; an item may be empty.
    pub escalation_answered_at: String,
    /// As many.
    pub escalated_to: String,
    /// One moment.
    pub reported_at: String,
    /// One word.
    pub technical: String,
    /// A list of words.
    pub exclusions: String,
}

/// What is read of a ticket, by its name in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The arrival of the call.
    ArrivedAt,
    /// When the ticket was closed.
    CompletedAt,
    /// When it was escalated.
    EscalatedAt,
    /// When that was answered.
    EscalationAnsweredAt,
    /// To whom.
    EscalatedTo,
    /// The first progress report.
    ReportedAt,
    /// Technical by nature.
    Technical,
    /// Why it is left out of figures.
    Exclusions,
}

impl Field {
    /// As the configuration names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ArrivedAt => "arrived_at",
            Self::CompletedAt => "completed_at",
            Self::EscalatedAt => "escalated_at",
            Self::EscalationAnsweredAt => "escalation_answered_at",
            Self::EscalatedTo => "escalated_to",
            Self::ReportedAt => "reported_at",
            Self::Technical => "technical",
            Self::Exclusions => "exclusions",
        }
    }
}

/// What is due where something else stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A moment.
    Stamp,
    /// One of these words, each in English and in Japanese.
    Word(&'static [(&'static str, &'static str)]),
    /// As many items as another field has.
    AsMany(Field),
    /// No more items than this.
    AtMost(usize),
    /// No earlier moment than another field's.
    NotBefore(Field),
}

/// What is not understood of a ticket. What stands there is not told: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said(Language::En))]
pub struct Misread {
    /// Where.
    pub field: Field,
    /// What should stand there.
    pub due: Due,
}

impl Misread {
    /// In a sentence without its end.
    #[must_use]
    pub fn said(&self, language: Language) -> String {
        let name = self.field.name();
        let (ja, en) = match self.due {
            Due::Stamp => (
                "2026-10-05 09:30 のような日時（2000〜2099 年）".to_owned(),
                "a moment such as 2026-10-05 09:30, of the years 2000 to 2099".to_owned(),
            ),
            Due::Word(words) => {
                let join = |each: Vec<&str>, between: &str| each.join(between);
                let ja = words.iter().map(|(_, ja)| *ja).collect();
                let en = words.iter().map(|(en, _)| *en).collect();
                (join(ja, "、"), format!("one of {}", join(en, ", ")))
            }
            Due::AsMany(other) => (
                format!("{} と同じ個数", other.name()),
                format!("as many items as {} has", other.name()),
            ),
            Due::AtMost(most) => (format!("{most} 個まで"), format!("{most} items at most")),
            Due::NotBefore(other) => (
                format!("{} かその後", other.name()),
                format!("no earlier moment than {}", other.name()),
            ),
        };
        match language {
            Language::Ja => format!("{name} が読めない。正しくは: {ja}"),
            Language::En => format!("{name} is not understood; due is {en}"),
        }
    }
}

const ESCALATED_TO: &[(&str, &str)] =
    &[("system_builder", "システム構築業者"), ("other", "その他")];
const TECHNICAL: &[(&str, &str)] = &[("yes", "はい"), ("no", "いいえ")];
const EXCLUSIONS: &[(&str, &str)] = &[
    ("virus_investigation", "ウイルス調査"),
    ("vendor_investigation", "ベンダー調査"),
    ("caller_asked_for_time", "時間指定"),
];

/// Reads a ticket; moments without an offset are in `zone`.
///
/// # Errors
///
/// All that is not understood of it, in the order of the fields.
pub fn read_back(told: &Told, zone: Tz) -> Result<TicketState, Vec<Misread>> {
    let mut reader = Reader { zone, wrong: Vec::new() };
    let state = reader.state(told);
    if reader.wrong.is_empty() { Ok(state) } else { Err(reader.wrong) }
}

struct Reader {
    zone: Tz,
    wrong: Vec<Misread>,
}

impl Reader {
    /// Of no use when something is wrong.
    fn state(&mut self, told: &Told) -> TicketState {
        let arrived = self.moment(Field::ArrivedAt, &told.arrived_at).map(|it| it.at);
        let received_at = arrived.unwrap_or(told.created_at);
        let received = Some((received_at, Field::ArrivedAt));
        let completed_at = told.completed_at.and_then(|at| {
            let told = Moment { at, leeway_ms: SKEW_MS };
            self.in_order(Field::CompletedAt, told, received)
        });
        let escalations = self.escalations(told, received, completed_at);
        let reported_at = self
            .moment(Field::ReportedAt, &told.reported_at)
            .and_then(|at| self.in_order(Field::ReportedAt, at, received));
        let technical = match told.technical.trim() {
            "" => false,
            word => self.word(Field::Technical, as_yes_or_no(word), TECHNICAL) == Some(0),
        };
        let mut exclusions: Vec<TicketExclusion> = list(&told.exclusions)
            .into_iter()
            .filter_map(|word| match self.word(Field::Exclusions, word, EXCLUSIONS)? {
                0 => Some(TicketExclusion::VirusInvestigation),
                1 => Some(TicketExclusion::VendorInvestigation),
                _ => Some(TicketExclusion::CallerAskedForTime),
            })
            .collect();
        exclusions.sort_unstable();
        exclusions.dedup();
        TicketState { received_at, completed_at, escalations, reported_at, technical, exclusions }
    }

    fn escalations(
        &mut self,
        told: &Told,
        received: Option<(Wall, Field)>,
        completed: Option<Wall>,
    ) -> Vec<TicketEscalation> {
        let (ats, tos) = (list(&told.escalated_at), list(&told.escalated_to));
        let answers = list(&told.escalation_answered_at);
        if ats.len() > MOST_ESCALATIONS {
            self.wrong::<()>(Field::EscalatedAt, Due::AtMost(MOST_ESCALATIONS));
            return Vec::new();
        }
        let due = ats.len();
        if tos.len() != due {
            self.wrong::<()>(Field::EscalatedTo, Due::AsMany(Field::EscalatedAt));
        }
        // No answer at all may be an empty field.
        if ![0, due].contains(&answers.len()) {
            self.wrong::<()>(Field::EscalationAnsweredAt, Due::AsMany(Field::EscalatedAt));
        }
        if tos.len() != due || ![0, due].contains(&answers.len()) {
            return Vec::new();
        }
        let answers = answers.into_iter().chain(std::iter::repeat(""));
        let mut all = Vec::new();
        for ((at, to), answer) in ats.into_iter().zip(tos).zip(answers) {
            let to = self.word(Field::EscalatedTo, to, ESCALATED_TO).map(|word| match word {
                0 => TicketEscalatedTo::SystemBuilder,
                _ => TicketEscalatedTo::Other,
            });
            let at = match self.moment(Field::EscalatedAt, at) {
                Some(at) => self.in_order(Field::EscalatedAt, at, received),
                None => self.wrong(Field::EscalatedAt, Due::Stamp),
            };
            let answer = self.moment(Field::EscalationAnsweredAt, answer);
            let asked = at.map(|at| (at, Field::EscalatedAt));
            let answered_at =
                answer.and_then(|at| self.in_order(Field::EscalationAnsweredAt, at, asked));
            if let (Some(done), Some(at)) = (completed, at)
                && done < at
            {
                self.wrong::<()>(Field::CompletedAt, Due::NotBefore(Field::EscalatedAt));
            }
            if let (Some(to), Some(at)) = (to, at) {
                all.push(TicketEscalation { to, at, answered_at });
            }
        }
        all
    }

    /// None when nothing stands there, or it is wrong.
    fn moment(&mut self, field: Field, text: &str) -> Option<Moment> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        match stamp(text, self.zone) {
            Some(at) => {
                let leeway_ms = if has_seconds(text) { 0 } else { MINUTE_MS - 1 };
                Some(Moment { at, leeway_ms })
            }
            None => self.wrong(field, Due::Stamp),
        }
    }

    /// A moment that is not before another one; one that only seems so is taken as at that one.
    fn in_order(
        &mut self,
        field: Field,
        moment: Moment,
        earlier: Option<(Wall, Field)>,
    ) -> Option<Wall> {
        match earlier {
            Some((limit, other)) if moment.at < limit => {
                if limit.0.saturating_sub(moment.at.0) <= moment.leeway_ms {
                    Some(limit)
                } else {
                    self.wrong(field, Due::NotBefore(other))
                }
            }
            Some(_) | None => Some(moment.at),
        }
    }

    /// Which of the words it is.
    fn word(&mut self, field: Field, word: &str, words: &'static [(&str, &str)]) -> Option<usize> {
        let found = words.iter().position(|(en, ja)| word.eq_ignore_ascii_case(en) || word == *ja);
        found.or_else(|| self.wrong(field, Due::Word(words)))
    }

    fn wrong<T>(&mut self, field: Field, due: Due) -> Option<T> {
        let misread = Misread { field, due };
        if !self.wrong.contains(&misread) {
            self.wrong.push(misread);
        }
        None
    }
}

/// A moment, and how much earlier than another one it may seem without being so.
#[derive(Clone, Copy)]
struct Moment {
    at: Wall,
    leeway_ms: i64,
}

/// Ticket systems have boxes to tick as well.
fn as_yes_or_no(word: &str) -> &str {
    match word {
        "1" | "true" => "yes",
        "0" | "false" => "no",
        word => word,
    }
}

fn has_seconds(text: &str) -> bool {
    let time = text.split_once([' ', 'T']).map_or("", |(_, time)| time);
    let clock = time.split(['Z', '+', '-']).next().unwrap_or_default();
    clock.matches(':').count() >= 2
}

/// The items of a field with semicolons between; of an empty one none.
fn list(text: &str) -> Vec<&str> {
    let text = text.trim();
    if text.is_empty() { Vec::new() } else { text.split([';', '；']).map(str::trim).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-05 09:30:25 in Japan.
    const ARRIVED: &str = "2026-10-05T09:30:25.250+09:00";
    const ARRIVED_MS: i64 = 1_791_160_225_250;

    fn told() -> Told {
        Told {
            created_at: Wall(ARRIVED_MS + 40_000),
            arrived_at: ARRIVED.to_owned(),
            ..Told::default()
        }
    }

    fn read(told: &Told) -> Result<TicketState, Vec<Misread>> {
        read_back(told, chrono_tz::Asia::Tokyo)
    }

    #[test]
    fn a_ticket_is_read_from_the_words_that_people_write_into_its_fields() {
        let ticket = Told {
            completed_at: Some(Wall(ARRIVED_MS + 7_200_000)),
            escalated_at: "2026-10-05 09:40; 2026/10/5 10:00:30".to_owned(),
            escalation_answered_at: ";2026-10-05T10:20+09:00".to_owned(),
            escalated_to: "システム構築業者；other".to_owned(),
            reported_at: "2026/10/5 9:50".to_owned(),
            technical: "1".to_owned(),
            exclusions: "時間指定;virus_investigation;時間指定".to_owned(),
            ..told()
        };
        let at = |minutes: i64, s: i64| Wall(1_791_160_200_000 + minutes * 60_000 + s * 1_000);
        let due = TicketState {
            received_at: Wall(ARRIVED_MS),
            completed_at: Some(Wall(ARRIVED_MS + 7_200_000)),
            escalations: vec![
                TicketEscalation {
                    to: TicketEscalatedTo::SystemBuilder,
                    at: at(10, 0),
                    answered_at: None,
                },
                TicketEscalation {
                    to: TicketEscalatedTo::Other,
                    at: at(30, 30),
                    answered_at: Some(at(50, 0)),
                },
            ],
            reported_at: Some(at(20, 0)),
            technical: true,
            exclusions: vec![
                TicketExclusion::VirusInvestigation,
                TicketExclusion::CallerAskedForTime,
            ],
        };
        assert_eq!(read(&ticket), Ok(due));
        let bare = read(&Told { created_at: Wall(7), ..Told::default() }).expect("nothing wrong");
        assert_eq!((bare.received_at, bare.completed_at, bare.technical), (Wall(7), None, false));
    }

    #[test]
    fn what_a_minute_or_the_other_clock_hides_is_no_disorder() {
        let with = |escalated_at: &str, completed_ms: i64| Told {
            escalated_at: escalated_at.to_owned(),
            escalated_to: "other".to_owned(),
            completed_at: Some(Wall(ARRIVED_MS + completed_ms)),
            ..told()
        };
        let state = read(&with("2026-10-05 09:30", 60_000)).expect("the minute of the arrival");
        assert_eq!(state.escalations[0].at, Wall(ARRIVED_MS));
        let wrong = |field, due| Err(vec![Misread { field, due }]);
        let before = Due::NotBefore(Field::ArrivedAt);
        assert_eq!(read(&with("2026-10-05 09:29", 60_000)), wrong(Field::EscalatedAt, before));
        assert_eq!(read(&with("2026-10-05 09:30:24", 60_000)), wrong(Field::EscalatedAt, before));
        let behind = Told { completed_at: Some(Wall(ARRIVED_MS - SKEW_MS)), ..told() };
        assert_eq!(read(&behind).expect("so far").completed_at, Some(Wall(ARRIVED_MS)));
        let further = Told { completed_at: Some(Wall(ARRIVED_MS - SKEW_MS - 1)), ..told() };
        assert_eq!(read(&further), wrong(Field::CompletedAt, before));
    }

    #[test]
    fn what_is_not_understood_is_said_and_the_ticket_is_left_out() {
        type Change = fn(&mut Told);
        let table: [(&str, Change, &str, &str); 11] = [
            ("no moment", |it| it.reported_at = "明日".into(), "reported_at", "2026-10-05 09:30"),
            ("a day", |it| it.reported_at = "2026-10-05".into(), "reported_at", "2026-10-05 09:30"),
            ("arrival", |it| it.arrived_at = "x".into(), "arrived_at", "2026-10-05 09:30"),
            ("no word", |it| it.technical = "maybe".into(), "technical", "yes, no"),
            (
                "no reason",
                |it| it.exclusions = "virus;".into(),
                "exclusions",
                "vendor_investigation",
            ),
            (
                "no whom",
                |it| it.escalated_at = "2026-10-05 10:00".into(),
                "escalated_to",
                "as many",
            ),
            ("no when", |it| it.escalated_to = "other".into(), "escalated_to", "as many"),
            (
                "an empty when",
                |it| (it.escalated_at, it.escalated_to) = (";".into(), "other;other".into()),
                "escalated_at",
                "a moment",
            ),
            ("too many", |it| it.escalated_at = ";".repeat(16), "escalated_at", "16 items"),
            (
                "answered before",
                |it| {
                    it.escalated_at = "2026-10-05 10:00".into();
                    it.escalated_to = "その他".into();
                    it.escalation_answered_at = "2026-10-05 09:59".into();
                },
                "escalation_answered_at",
                "than escalated_at",
            ),
            (
                "done before",
                |it| {
                    it.escalated_at = "2026-10-05 10:00".into();
                    it.escalated_to = "その他".into();
                    it.completed_at = Some(Wall(ARRIVED_MS + 1_000));
                },
                "completed_at",
                "than escalated_at",
            ),
        ];
        for (case, change, field, due) in table {
            let mut ticket = told();
            change(&mut ticket);
            let wrong = read(&ticket).expect_err(case);
            assert_eq!(wrong.len(), 1, "{case}: {wrong:?}");
            assert_eq!(wrong[0].field.name(), field, "{case}");
            assert!(wrong[0].to_string().contains(due), "{case}: {}", wrong[0]);
            let ja = wrong[0].said(Language::Ja);
            assert!(ja.starts_with(field) && ja.contains("正しくは"), "{case}: {ja}");
        }
    }
}
