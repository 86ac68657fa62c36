//! The files of `prompts/`, inside the program, so that it can speak wherever it is put.

/// One announcement: Japanese at 8 and 16 kHz, and English at both where it is spoken.
pub(super) struct BuiltIn {
    pub(super) name: &'static str,
    pub(super) narrow: &'static [u8],
    pub(super) wide: &'static [u8],
    pub(super) english: Option<(&'static [u8], &'static [u8])>,
}

macro_rules! file {
    ($folder:literal, $name:literal) => {
        include_bytes!(concat!("../../../prompts/", $folder, $name, ".wav"))
    };
}

macro_rules! spoken {
    ($($name:literal),* $(,)?) => {
        [$(BuiltIn {
            name: $name,
            narrow: file!("", $name),
            wide: file!("wide/", $name),
            english: Some((file!("en/", $name), file!("en/wide/", $name))),
        }),*]
    };
}

/// Music has no language.
pub(super) static MUSIC: BuiltIn = BuiltIn {
    name: "music",
    narrow: file!("", "music"),
    wide: file!("wide/", "music"),
    english: None,
};

/// All that is spoken, in the order of their names.
pub(super) static SPOKEN: [BuiltIn; 93] = spoken![
    "adhoc-closed",
    "after-hours",
    "busy",
    "callback-agent",
    "callback-caller",
    "callback-done",
    "callback-enter",
    "callback-offer",
    "callback-refused",
    "closing",
    "code-done",
    "code-refused",
    "comfort",
    "desk-is-demo",
    "digit-0",
    "digit-1",
    "digit-2",
    "digit-3",
    "digit-4",
    "digit-5",
    "digit-6",
    "digit-7",
    "digit-8",
    "digit-9",
    "disaster",
    "extension-enter",
    "extension-wrong",
    "holiday",
    "information",
    "language",
    "menu-none",
    "menu-wrong",
    "message-full",
    "message-leave",
    "message-none",
    "message-thanks",
    "number-confirm",
    "number-enter",
    "number-heard",
    "number-wrong",
    "parked",
    "parked-at-701",
    "parked-at-702",
    "parked-at-703",
    "parked-at-704",
    "parked-at-705",
    "parked-at-706",
    "parked-at-707",
    "parked-at-708",
    "parked-at-709",
    "parked-at-710",
    "parked-at-711",
    "parked-at-712",
    "parked-at-713",
    "parked-at-714",
    "parked-at-715",
    "parked-at-716",
    "parked-at-717",
    "parked-at-718",
    "parked-at-719",
    "parked-at-720",
    "position-1",
    "position-10",
    "position-2",
    "position-3",
    "position-4",
    "position-5",
    "position-6",
    "position-7",
    "position-8",
    "position-9",
    "queue-full",
    "queue-keys",
    "recorded",
    "slot-empty",
    "supervised",
    "survey-question",
    "survey-thanks",
    "survey-wrong",
    "wait-10min",
    "wait-1min",
    "wait-2min",
    "wait-3min",
    "wait-4min",
    "wait-5min",
    "wait-6min",
    "wait-7min",
    "wait-8min",
    "wait-9min",
    "waited-too-long",
    "welcome",
    "whisper-desk",
    "year-end",
];
