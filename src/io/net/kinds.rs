//! SIP messages counted by method and class of status, by their first line alone. What the rest of a message
//! says, and whether it is well formed, is not known here.

use super::count;
use std::sync::atomic::{AtomicU64, Ordering};

/// Methods, classes of status, and at last what is neither: a closed list, so that a stranger's words never
/// become a label.
const KINDS: [(&str, bool); 21] = [
    ("INVITE", true),
    ("ACK", true),
    ("CANCEL", true),
    ("BYE", true),
    ("PRACK", true),
    ("UPDATE", true),
    ("INFO", true),
    ("REFER", true),
    ("NOTIFY", true),
    ("SUBSCRIBE", true),
    ("REGISTER", true),
    ("OPTIONS", true),
    ("MESSAGE", true),
    ("PUBLISH", true),
    ("1xx", false),
    ("2xx", false),
    ("3xx", false),
    ("4xx", false),
    ("5xx", false),
    ("6xx", false),
    (OTHER, true),
];
const OTHER: &str = "other";
const OTHER_AT: usize = KINDS.len() - 1;
const FIRST_CLASS: usize = 14;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(usize);

impl Kind {
    pub(super) fn of(message: &[u8]) -> Self {
        let place = match message.strip_prefix(b"SIP/2.0 ") {
            Some([class @ b'1'..=b'6', _, _, b' ' | b'\r', ..]) => {
                FIRST_CLASS.saturating_add(usize::from(class.saturating_sub(b'1')))
            }
            Some(_) => OTHER_AT,
            None => {
                let method = message.split(|byte| *byte == b' ').next().unwrap_or_default();
                let of_method = |(name, request): &(&str, bool)| {
                    *request && *name != OTHER && name.as_bytes() == method
                };
                KINDS.iter().position(of_method).unwrap_or(OTHER_AT)
            }
        };
        Self(place)
    }
}

/// How many went one way.
#[derive(Debug, Default)]
pub struct Kinds([AtomicU64; KINDS.len()]);

impl Kinds {
    pub(super) fn count(&self, kind: Kind) {
        if let Some(counter) = self.0.get(kind.0) {
            count(counter);
        }
    }

    /// Method or class (`1xx` to `6xx`), whether it is a method, and how many; every kind is there. What is
    /// neither, or a method that we do not know, is the method `other`.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, bool, u64)> {
        let counts = self.0.iter().map(|counter| counter.load(Ordering::Relaxed));
        KINDS.iter().zip(counts).map(|((name, request), count)| (*name, *request, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_what_its_first_line_says() {
        let table: &[(&[u8], &str)] = &[
            (b"INVITE sip:a@b SIP/2.0\r\n", "INVITE"),
            (b"invite sip:a@b SIP/2.0\r\n", "other"),
            (b"INVITES sip:a@b SIP/2.0\r\n", "other"),
            (b"PUBLISH sip:a@b SIP/2.0\r\n", "PUBLISH"),
            (b"SIP/2.0 100 Trying\r\n", "1xx"),
            (b"SIP/2.0 200\r\n", "2xx"),
            (b"SIP/2.0 699 No\r\n", "6xx"),
            (b"SIP/2.0 700 No\r\n", "other"),
            (b"SIP/2.0 2000 No\r\n", "other"),
            (b"SIP/2.0 20", "other"),
            (b"SIP/2.0 ", "other"),
            (b"1xx sip:a@b SIP/2.0\r\n", "other"),
            (b"other sip:a@b SIP/2.0\r\n", "other"),
            (b"", "other"),
            (b"\xff\xfe", "other"),
        ];
        for (message, due) in table {
            let kinds = Kinds::default();
            kinds.count(Kind::of(message));
            let found: Vec<&str> =
                kinds.counts().filter(|(_, _, n)| *n == 1).map(|(name, _, _)| name).collect();
            assert_eq!(found, [*due], "{}", String::from_utf8_lossy(message));
        }
        assert_eq!(KINDS[FIRST_CLASS].0, "1xx");
        assert_eq!(KINDS[OTHER_AT].0, OTHER);
    }
}
