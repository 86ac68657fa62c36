//! One call, one outcome: a state machine over the call's own events and nothing else.
//!
//! An outcome is decided when an operator answers or when the call ends, whichever is first, and is
//! never changed. Where the definition leaves a pair of state and end open, the line below says how
//! it is read.

use super::Policy;
use super::rule::Rule;
use crate::base::{Keep, Kept, kept};
use crate::event::{CallEvent, EndCause, Party, Purpose};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

/// What a call came to: the closed list of the contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 応答: an operator answered and no busy announcement had been started.
    Answered,
    /// ビジー後応答: a busy announcement had been started, and an operator answered in the end.
    AnsweredAfterBusy,
    /// 放棄: the caller hung up after asking for an operator and before one answered.
    Abandoned,
    /// ワンコール切り: the same within [`Policy::short_call_ms`] of arrival, no busy announcement started.
    ShortAbandoned,
    /// ビジー切断: the system ended the call of a caller who had asked for an operator.
    BusyReleased,
    /// 輻輳拒否: refused without any announcement.
    Blocked,
    /// 自動応答内離脱: the caller hung up before asking for an operator.
    MenuLeft,
    /// 自動応答完了: the auto attendant ended the call.
    MenuServed,
    /// 時間外: arrived outside service hours.
    Closed,
    /// 伝言: left a message or asked to be called back.
    MessageTaken,
    /// 障害: a fault of the system while no operator had answered.
    Failed,
}

impl Outcome {
    /// As in the contract.
    #[must_use]
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::Answered => "応答",
            Self::AnsweredAfterBusy => "ビジー後応答",
            Self::Abandoned => "放棄",
            Self::ShortAbandoned => "ワンコール切り",
            Self::BusyReleased => "ビジー切断",
            Self::Blocked => "輻輳拒否",
            Self::MenuLeft => "自動応答内離脱",
            Self::MenuServed => "自動応答完了",
            Self::Closed => "時間外",
            Self::MessageTaken => "伝言",
            Self::Failed => "障害",
        }
    }

    /// All of them, in the contract's order.
    pub const ALL: [Self; 11] = [
        Self::Answered,
        Self::AnsweredAfterBusy,
        Self::Abandoned,
        Self::ShortAbandoned,
        Self::BusyReleased,
        Self::Blocked,
        Self::MenuLeft,
        Self::MenuServed,
        Self::Closed,
        Self::MessageTaken,
        Self::Failed,
    ];

    /// As in the API, the metrics and the contract's table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::AnsweredAfterBusy => "answered_after_busy",
            Self::Abandoned => "abandoned",
            Self::ShortAbandoned => "short_abandoned",
            Self::BusyReleased => "busy_released",
            Self::Blocked => "blocked",
            Self::MenuLeft => "menu_left",
            Self::MenuServed => "menu_served",
            Self::Closed => "closed",
            Self::MessageTaken => "message_taken",
            Self::Failed => "failed",
        }
    }

    /// Whether an operator answered.
    #[must_use]
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Answered | Self::AnsweredAfterBusy)
    }

    /// Reads [`Outcome::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// A count for each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerOutcome([u64; Outcome::ALL.len()]);

kept!(newtype PerOutcome);

impl PerOutcome {
    /// One more.
    pub fn add(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    /// Counts by [`Outcome::name`]; what is not named is 0, and a name that is not known here is passed
    /// over.
    #[must_use]
    pub fn named(counts: &std::collections::BTreeMap<String, u64>) -> Self {
        let mut all = Self::default();
        for (name, count) in counts {
            if let Some(outcome) = Outcome::from_name(name) {
                all.0[outcome as usize] += count;
            }
        }
        all
    }

    /// How many.
    #[must_use]
    pub fn get(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// All together.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds another's counts to these.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

impl Serialize for PerOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Outcome::ALL.len()))?;
        for outcome in Outcome::ALL {
            map.serialize_entry(outcome.name(), &self.get(outcome))?;
        }
        map.end()
    }
}

/// What a call came to, with the figures that hang on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What gave the outcome.
    pub rule: Rule,
    /// From asking for an operator to the answer or the end, milliseconds; none when no operator
    /// was ever asked for.
    pub wait_ms: Option<u64>,
}

kept!(struct Decision { rule, wait_ms });

impl Decision {
    /// The outcome.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.rule.outcome()
    }
}

/// How far a call has come towards its outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    stage: Stage,
    /// A busy announcement was started: what makes a call busy.
    busy: bool,
    /// The caller was answered or heard anything from us: it was not refused without a word.
    heard: bool,
}

kept!(struct Progress { stage, busy, heard });

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Arrived; the plan has not sent it anywhere yet.
    #[default]
    Reached,
    /// Outside service hours.
    Closed,
    /// In the auto attendant, or told something by it.
    Menu,
    /// An operator was asked for, this many milliseconds after arrival.
    Asked { at_ms: u64 },
    /// Nothing changes it any more.
    Decided(Decision),
}

impl Keep for Stage {
    fn keep(&self, out: &mut Vec<u8>) {
        match self {
            Self::Reached => 0_u8.keep(out),
            Self::Closed => 1_u8.keep(out),
            Self::Menu => 2_u8.keep(out),
            Self::Asked { at_ms } => (3_u8, *at_ms).keep(out),
            Self::Decided(decision) => (4_u8, *decision).keep(out),
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(match u8::found(from)? {
            0 => Self::Reached,
            1 => Self::Closed,
            2 => Self::Menu,
            3 => Self::Asked { at_ms: Keep::found(from)? },
            4 => Self::Decided(Keep::found(from)?),
            _ => return None,
        })
    }
}

impl Progress {
    /// Takes the call's next event, `t_ms` after its arrival; tells the decision when this event
    /// made it.
    pub fn step(&mut self, event: &CallEvent, t_ms: u64, policy: &Policy) -> Option<Decision> {
        use Stage::{Asked, Closed, Decided, Menu, Reached};
        if matches!(self.stage, Decided(_)) {
            return None; // Transfers, holds and the end of an answered call make no second outcome.
        }
        if let CallEvent::Announced { purpose, .. } = event {
            self.heard = true;
            self.busy |= *purpose == Purpose::Busy;
        }
        let decided = |rule, wait_ms| Decided(Decision { rule, wait_ms });
        let next = match (self.stage, event) {
            (_, CallEvent::OperatorAnswered { .. }) => {
                let rule =
                    if self.busy { Rule::AgentAnsweredAfterBusy } else { Rule::AgentAnswered };
                decided(rule, Some(self.waited_ms(t_ms).unwrap_or(0)))
            }
            // What was left stays left, whatever ends the call after that.
            (_, CallEvent::MessageLeft { .. }) => decided(Rule::MessageLeft, self.waited_ms(t_ms)),
            (_, CallEvent::CallbackAsked { .. }) => {
                decided(Rule::CallbackAsked, self.waited_ms(t_ms))
            }
            // Sent on to a number outside, which is no operator.
            (Asked { .. }, CallEvent::AwayAnswered) => {
                decided(Rule::SentOutside, self.waited_ms(t_ms))
            }
            (_, CallEvent::Ended { by, cause }) => {
                decided(self.at_end(*by, cause, t_ms, policy), self.waited_ms(t_ms))
            }
            // A number that is closed but leads to a person all the same (a duty telephone) is
            // served: from here on the call is one like any other. What can only follow the wish
            // for an operator stands for it.
            (
                Reached | Closed | Menu,
                CallEvent::OperatorAsked { .. }
                | CallEvent::Queued { .. }
                | CallEvent::OfferMade { .. }
                | CallEvent::Announced { purpose: Purpose::Busy, .. },
            ) => Asked { at_ms: t_ms },
            (Reached | Menu, CallEvent::FoundClosed { .. }) => Closed,
            (Reached, CallEvent::MenuEntered { .. } | CallEvent::EntryBegan { .. }) => Menu,
            (same, CallEvent::Accepted) => {
                self.heard = true;
                same
            }
            (same, _) => same,
        };
        self.stage = next;
        self.decision()
    }

    /// The decision, once made.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        match self.stage {
            Stage::Decided(decision) => Some(decision),
            _ => None,
        }
    }

    /// When an operator was asked for, in milliseconds after arrival, while none has answered.
    #[must_use]
    pub fn asked_at_ms(&self) -> Option<u64> {
        match self.stage {
            Stage::Asked { at_ms } => Some(at_ms),
            _ => None,
        }
    }

    /// Whether the call goes the closed way.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Whether the caller heard the busy announcement.
    #[must_use]
    pub fn heard_busy(&self) -> bool {
        self.busy
    }

    fn waited_ms(&self, t_ms: u64) -> Option<u64> {
        self.asked_at_ms().map(|asked| t_ms.saturating_sub(asked))
    }

    /// What decides a call that ends while no operator has answered.
    fn at_end(&self, by: Party, cause: &EndCause, t_ms: u64, policy: &Policy) -> Rule {
        use EndCause as End;
        use Stage::{Asked, Closed, Decided, Menu, Reached};
        match (self.stage, by, cause) {
            // A fault decides before anything but an operator's answer, at night too.
            (_, _, End::Fault { .. }) => Rule::SystemFault,
            (_, _, End::Restart) => Rule::Restarted,
            // Only the caller can hang up a call that nobody answered: anything else is our fault.
            (_, Party::System | Party::Agent, End::HungUp) => Rule::NotTheCaller,

            // Within includes the last millisecond.
            (Asked { .. }, Party::Caller, End::HungUp)
                if !self.busy && t_ms <= policy.short_call_ms =>
            {
                Rule::OneRing
            }
            (Asked { .. }, Party::Caller, End::HungUp) => Rule::HungUpWaiting,
            // Who consults a colleague gives up ringing when the caller is passed on meanwhile.
            (Asked { .. }, _, End::Transferred) => Rule::PassedOnRinging,
            (Closed, _, _) => Rule::OutOfHours,
            (Reached | Menu, Party::Caller, End::HungUp) => Rule::HungUpInMenu,

            (_, _, _) if self.busy => Rule::ReleasedAfterBusy,
            // Only a conversation or its ringing is joined with another call, or has its time measured.
            (Reached | Menu, _, End::Transferred)
            | (Reached | Menu | Asked { .. }, _, End::TimeUsedUp) => Rule::NoConversation,
            (_, _, End::LinesFull | End::ChannelsFull | End::NoCapacity) => Rule::NoRoom,
            (Reached | Menu, _, End::MenuDone) | (Menu, _, End::NotAnswered { .. }) => {
                Rule::AttendantDone
            }
            (Reached | Menu, _, End::ClosedTold) => Rule::OutOfHours,
            // Released by us after words of any kind is a release; without a word it is a refusal.
            // Both count alike in every figure.
            (
                Reached | Menu | Asked { .. },
                _,
                End::QueueFull
                | End::WaitedTooLong
                | End::ClosedWhileWaiting
                | End::NotAnswered { .. }
                | End::MenuDone
                | End::ClosedTold,
            ) => {
                if self.heard {
                    Rule::ReleasedAfterWords
                } else {
                    Rule::RefusedUnheard
                }
            }
            (Decided(decision), _, _) => decision.rule,
        }
    }
}

/// The outcome of a whole call, from its events with their `t_ms`; none while it is undecided.
pub fn outcome_of<'a>(
    events: impl IntoIterator<Item = (u64, &'a CallEvent)>,
    policy: &Policy,
) -> Option<Outcome> {
    let mut progress = Progress::default();
    events
        .into_iter()
        .find_map(|(t_ms, event)| progress.step(event, t_ms, policy))
        .map(|decision| decision.outcome())
}

#[cfg(test)]
mod table;

#[cfg(test)]
mod tests {
    use super::table::timeline;
    use super::{Outcome, Policy, Progress, outcome_of};

    #[test]
    fn the_wait_runs_from_asking_to_the_answer_or_the_end() {
        let table = [
            ("arrived@0 accepted menu key@8000 asked offer answered@12500", Some(4500)),
            ("arrived@0 asked queued caller_hangs_up@45000", Some(45_000)),
            ("arrived@0 accepted menu caller_hangs_up@4000", None),
            ("arrived@0 lines_full", None),
        ];
        for (text, due) in table {
            let mut progress = Progress::default();
            let decision = timeline(text)
                .iter()
                .find_map(|(t, e)| progress.step(e, *t, &Policy::default()))
                .expect("decided");
            assert_eq!(decision.wait_ms, due, "{text}");
        }
    }

    #[test]
    fn the_short_call_is_a_setting() {
        let events = timeline("arrived@0 asked offer caller_hangs_up@5000");
        let six = Policy { short_call_ms: 6_000, ..Policy::default() };
        let found = outcome_of(events.iter().map(|(t, e)| (*t, e)), &six);
        assert_eq!(found, Some(Outcome::ShortAbandoned));
    }

    #[test]
    fn names_are_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_name(outcome.name()), Some(outcome));
            let json = serde_json::to_string(&outcome).expect("a name is JSON");
            assert_eq!(json, format!("\"{}\"", outcome.name()));
        }
        assert_eq!(Outcome::from_name("lost"), None);
    }
}
