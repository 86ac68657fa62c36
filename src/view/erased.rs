//! How lists and pages show what was erased of a call: by a word, not by the commitment that stands in the
//! history (docs/HISTORY.md).

use crate::base::Private;
use crate::event::{Caller, CallerNumber, chain};

/// What stands in the place of a text that was erased.
pub const ERASED_WORD: &str = "erased";

/// A number as it is shown.
pub(super) fn shown(text: &Private<String>) -> Private<String> {
    if chain::is_erased(text.reveal()) { erased() } else { text.clone() }
}

/// A number that is no more.
pub(super) fn erased() -> Private<String> {
    Private::new(ERASED_WORD.to_owned())
}

/// Who calls, as it is shown.
pub(super) fn caller_shown(caller: &Caller) -> Caller {
    let gone = |text: &Private<String>| chain::is_erased(text.reveal());
    let number = match &caller.number {
        CallerNumber::Known(number) if gone(number) => CallerNumber::Erased,
        number => number.clone(),
    };
    let left = |text: &Option<Private<String>>| text.clone().filter(|text| !gone(text));
    Caller { number, name: left(&caller.name), diverted_from: left(&caller.diverted_from) }
}

/// The same once it is erased.
pub(super) fn caller_erased(caller: &Caller) -> Caller {
    let number = match &caller.number {
        CallerNumber::Known(_) | CallerNumber::Erased => CallerNumber::Erased,
        CallerNumber::Withheld => CallerNumber::Withheld,
        CallerNumber::Payphone => CallerNumber::Payphone,
        CallerNumber::Unavailable => CallerNumber::Unavailable,
    };
    Caller { number, name: None, diverted_from: None }
}
