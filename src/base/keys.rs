//! How a peer tells and is told the keys that people press.

/// One peer's way with keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeysBy {
    /// What was agreed: by telephone-event, or, with a peer that has none, by the tones themselves.
    #[default]
    Auto,
    /// By telephone-event alone; tones in the sound are sound.
    Events,
    /// They are told it by SIP INFO; we are told by INFO or telephone-event.
    Info,
    /// By their tones, whatever was agreed.
    Tones,
}

impl KeysBy {
    /// The words of the configuration.
    pub const ALL: [(&'static str, Self); 4] = [
        ("auto", Self::Auto),
        ("rtp", Self::Events),
        ("info", Self::Info),
        ("inband", Self::Tones),
    ];
}
