//! What of a call can stand in a ticket's field.

/// A value of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// The call's id (UUID version 7): by it no target has two tickets of one call.
    Call,
    /// The caller's number in national digits, or why there is none.
    Caller,
    /// The caller's display name.
    CallerName,
    /// The number that was dialled.
    Called,
    /// The group that was asked for last.
    Group,
    /// RFC 3339 in the desk's zone, seconds.
    ArrivedAt,
    /// The same of its end.
    EndedAt,
    /// The line of the agent who answered first.
    Agent,
    /// The outcome's name as in the API.
    Outcome,
    /// From asking for an operator to the answer or the end, whole seconds.
    WaitS,
    /// With agents, holds included, whole seconds.
    TalkS,
    /// On hold, whole seconds.
    HoldS,
    /// The after-call work of the last agent, whole seconds.
    WrapUpS,
    /// Where its first recording is listened to.
    Recording,
    /// Keys that led somewhere, such as `main:2 printer:1`.
    Menu,
    /// Numbers that were entered, such as `staff:12345`.
    Entered,
}

impl Value {
    /// All of them with their names in the configuration.
    pub const ALL: [(&'static str, Self); 16] = [
        ("call", Self::Call),
        ("caller", Self::Caller),
        ("caller_name", Self::CallerName),
        ("called", Self::Called),
        ("group", Self::Group),
        ("arrived_at", Self::ArrivedAt),
        ("ended_at", Self::EndedAt),
        ("agent", Self::Agent),
        ("outcome", Self::Outcome),
        ("wait_s", Self::WaitS),
        ("talk_s", Self::TalkS),
        ("hold_s", Self::HoldS),
        ("wrap_up_s", Self::WrapUpS),
        ("recording", Self::Recording),
        ("menu", Self::Menu),
        ("entered", Self::Entered),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// In Japanese and in English, as a line of a ticket begins.
    #[must_use]
    pub const fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Call => ("呼ID", "call"),
            Self::Caller => ("発信者番号", "caller"),
            Self::CallerName => ("発信者名", "caller's name"),
            Self::Called => ("着信番号", "number dialled"),
            Self::Group => ("グループ", "group"),
            Self::ArrivedAt => ("着信日時", "arrived"),
            Self::EndedAt => ("終了日時", "ended"),
            Self::Agent => ("応答者", "agent"),
            Self::Outcome => ("結果", "outcome"),
            Self::WaitS => ("待ち時間（秒）", "wait (s)"),
            Self::TalkS => ("通話時間（秒）", "talk (s)"),
            Self::HoldS => ("保留時間（秒）", "hold (s)"),
            Self::WrapUpS => ("後処理時間（秒）", "after-call work (s)"),
            Self::Recording => ("録音", "recording"),
            Self::Menu => ("メニュー", "menu"),
            Self::Entered => ("入力された番号", "numbers entered"),
        }
    }

    /// Whether it is a whole number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::WaitS | Self::TalkS | Self::HoldS | Self::WrapUpS)
    }
}
