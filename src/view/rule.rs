//! The line of the definition that gave a call its outcome, in words that a person can check.
//!
//! One rule has one outcome; which rule holds is decided by `outcome`'s machine and nowhere else.

use super::outcome::Outcome;
use crate::base::kept;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a call came to what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// An agent answered, and no busy announcement had been started.
    AgentAnswered,
    /// An agent answered a caller who had been told that all are busy.
    AgentAnsweredAfterBusy,
    /// The caller left a voice message.
    MessageLeft,
    /// The caller asked to be called back.
    CallbackAsked,
    /// The system failed while no agent had answered.
    SystemFault,
    /// The daemon was started anew while no agent had answered.
    Restarted,
    /// Somebody other than the caller hung up a call that nobody had answered.
    NotTheCaller,
    /// It ended as only a conversation can, and there was none.
    NoConversation,
    /// Hung up within the short call, no busy announcement started.
    OneRing,
    /// The caller asked for an operator and hung up before one answered.
    HungUpWaiting,
    /// Passed on to another call while its phone still rang.
    PassedOnRinging,
    /// Arrived outside service hours, and led to nobody.
    OutOfHours,
    /// The caller hung up before asking for an operator.
    HungUpInMenu,
    /// The system ended the call after the busy announcement.
    ReleasedAfterBusy,
    /// The system ended the call of a caller who had heard something, but no busy announcement.
    ReleasedAfterWords,
    /// The wait was too long, and somebody outside answered whom the plan names, before any agent did.
    SentOutside,
    /// No line, no channel, no capacity.
    NoRoom,
    /// The system refused a caller who had heard nothing.
    RefusedUnheard,
    /// The auto attendant was through.
    AttendantDone,
}

kept!(
    enum Rule {
        AgentAnswered,
        AgentAnsweredAfterBusy,
        MessageLeft,
        CallbackAsked,
        SystemFault,
        Restarted,
        NotTheCaller,
        NoConversation,
        OneRing,
        HungUpWaiting,
        PassedOnRinging,
        OutOfHours,
        HungUpInMenu,
        ReleasedAfterBusy,
        ReleasedAfterWords,
        SentOutside,
        NoRoom,
        RefusedUnheard,
        AttendantDone,
    }
);

impl Rule {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::AgentAnswered,
        Self::AgentAnsweredAfterBusy,
        Self::MessageLeft,
        Self::CallbackAsked,
        Self::SystemFault,
        Self::Restarted,
        Self::NotTheCaller,
        Self::NoConversation,
        Self::OneRing,
        Self::HungUpWaiting,
        Self::PassedOnRinging,
        Self::OutOfHours,
        Self::HungUpInMenu,
        Self::ReleasedAfterBusy,
        Self::ReleasedAfterWords,
        Self::SentOutside,
        Self::NoRoom,
        Self::RefusedUnheard,
        Self::AttendantDone,
    ];

    /// What it makes of the call.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::AgentAnswered => Outcome::Answered,
            Self::AgentAnsweredAfterBusy => Outcome::AnsweredAfterBusy,
            Self::MessageLeft | Self::CallbackAsked => Outcome::MessageTaken,
            Self::SystemFault | Self::Restarted | Self::NotTheCaller | Self::NoConversation => {
                Outcome::Failed
            }
            Self::OneRing => Outcome::ShortAbandoned,
            Self::HungUpWaiting | Self::PassedOnRinging => Outcome::Abandoned,
            Self::OutOfHours => Outcome::Closed,
            Self::HungUpInMenu => Outcome::MenuLeft,
            Self::ReleasedAfterBusy | Self::ReleasedAfterWords | Self::SentOutside => {
                Outcome::BusyReleased
            }
            Self::NoRoom | Self::RefusedUnheard => Outcome::Blocked,
            Self::AttendantDone => Outcome::MenuServed,
        }
    }

    /// The rule in Japanese and in English.
    #[must_use]
    pub const fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::AgentAnswered => (
                "ビジーアナウンスが流れる前に、オペレータが応答した",
                "an agent answered, and no busy announcement had been started",
            ),
            Self::AgentAnsweredAfterBusy => (
                "ビジーアナウンスが流れた後に、オペレータが応答した",
                "an agent answered after a busy announcement had been started",
            ),
            Self::MessageLeft => ("伝言が残された", "the caller left a voice message"),
            Self::CallbackAsked => {
                ("折り返しの電話が頼まれた", "the caller asked to be called back")
            }
            Self::SystemFault => (
                "オペレータが応答しないうちに、システムの障害で終わった",
                "a fault of the system ended the call before an agent answered",
            ),
            Self::Restarted => (
                "オペレータが応答しないうちに、システムが再起動した",
                "the system was started anew before an agent answered",
            ),
            Self::NotTheCaller => (
                "誰も応答していない呼が、発信者以外によって切られた（システムの障害とみなす）",
                "nobody had answered, and somebody other than the caller hung up: a fault of the system",
            ),
            Self::NoConversation => (
                "通話がないのに、通話としてしかあり得ない終わり方をした（システムの障害とみなす）",
                "it ended as only a conversation can, and there was none: a fault of the system",
            ),
            Self::OneRing => (
                "ビジーアナウンスが流れる前に、着信から short_call_ms 以内に発信者が切った",
                "the caller hung up within short_call_ms of arrival, and no busy announcement had been started",
            ),
            Self::HungUpWaiting => (
                "オペレータを求めた発信者が、応答の前に切った",
                "the caller asked for an operator and hung up before one answered",
            ),
            Self::PassedOnRinging => (
                "呼び出し中に、別の呼へ引き継がれて終わった",
                "it was given over to another call while the phone still rang",
            ),
            Self::OutOfHours => {
                ("受付時間外に着信した", "it arrived outside service hours and led to nobody")
            }
            Self::HungUpInMenu => (
                "オペレータを求める前に、発信者が切った",
                "the caller hung up before asking for an operator",
            ),
            Self::ReleasedAfterBusy => (
                "ビジーアナウンスの後に、システムが呼を切った",
                "the system ended the call after the busy announcement",
            ),
            Self::ReleasedAfterWords => (
                "オペレータを求めた発信者に何かが聞こえた後に、システムが呼を切った（ビジー切断とみなす）",
                "the system ended the call after the caller had heard something: taken for a busy release",
            ),
            Self::SentOutside => (
                "待ちが長いため外線のあふれ先につながった。オペレータは応答していない（ビジー切断とみなす）",
                "the wait was too long, and a number outside answered, no agent: taken for a busy release",
            ),
            Self::NoRoom => (
                "回線または収容能力に空きがなく、何も流さずに拒否した",
                "refused without any announcement: no line or no capacity was free",
            ),
            Self::RefusedUnheard => (
                "発信者に何も聞こえないうちに、システムが拒否した",
                "the system refused the call before the caller had heard anything",
            ),
            Self::AttendantDone => ("自動応答が終わった", "the auto attendant ended the call"),
        }
    }
}
