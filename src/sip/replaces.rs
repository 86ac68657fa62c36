//! The dialog that an INVITE wants to take the place of (Replaces, RFC 3891) or to join (Join, RFC 3911).
//! Knows no leg.

use super::{Head, HeaderName};

/// A dialog as its taker names it: `to_tag` is ours, `from_tag` the other's (RFC 3891 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub call_id: &'a str,
    pub to_tag: &'a str,
    pub from_tag: &'a str,
    /// Only while it rings.
    pub early_only: bool,
}

/// What an INVITE wants with a dialog that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Takes<'a> {
    /// Nothing.
    Nothing,
    /// Its place.
    Place(Named<'a>),
    /// To speak in it too.
    Part(Named<'a>),
}

/// The header is malformed, there twice, or beside the other (RFC 3891 §3, RFC 3911 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Takes<'a> {
    /// Reads an INVITE.
    ///
    /// # Errors
    ///
    /// [`Malformed`] earns 400.
    pub fn read(head: &'a Head) -> Result<Self, Malformed> {
        let join = HeaderName::Other("Join".into());
        let of = |name: &HeaderName| {
            let mut found = head.headers.iter().filter(|(had, _)| *had == name);
            match (found.next().map(|(_, value)| value), found.next()) {
                (_, Some(_)) => Err(Malformed),
                (Some(value), None) => named(value).ok_or(Malformed).map(Some),
                (None, None) => Ok(None),
            }
        };
        match (of(&HeaderName::Replaces)?, of(&join)?) {
            (None, None) => Ok(Self::Nothing),
            (Some(named), None) => Ok(Self::Place(named)),
            (None, Some(named)) => Ok(Self::Part(named)),
            (Some(_), Some(_)) => Err(Malformed),
        }
    }
}

fn named(value: &[u8]) -> Option<Named<'_>> {
    Named::parse(std::str::from_utf8(value).ok()?)
}

impl<'a> Named<'a> {
    /// Reads a header's value; None when it lacks a tag or has one twice (RFC 3891 §6.1).
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let call_id = parts.next().filter(|call_id| !call_id.is_empty())?;
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("to-tag") {
                if value.is_empty() || to_tag.replace(value).is_some() {
                    return None;
                }
            } else if name.eq_ignore_ascii_case("from-tag") {
                if value.is_empty() || from_tag.replace(value).is_some() {
                    return None;
                }
            } else if name.eq_ignore_ascii_case("early-only") {
                early_only = true;
            }
        }
        Some(Named { call_id, to_tag: to_tag?, from_tag: from_tag?, early_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_is_named_once_and_whole() {
        let place = |early_only| {
            Ok(Takes::Place(Named { call_id: "1@a", to_tag: "t", from_tag: "f", early_only }))
        };
        let joined = Named { call_id: "1@a", to_tag: "t", from_tag: "f", early_only: false };
        let table = [
            ("", Ok(Takes::Nothing)),
            ("Replaces: 1@a;to-tag=t;from-tag=f\r\n", place(false)),
            ("Replaces: 1@a ; from-tag = f;To-Tag=t ;early-only;x=y\r\n", place(true)),
            ("Join: 1@a;to-tag=t;from-tag=f\r\n", Ok(Takes::Part(joined))),
            ("Replaces: 1@a;to-tag=t\r\n", Err(Malformed)),
            ("Replaces: ;to-tag=t;from-tag=f\r\n", Err(Malformed)),
            ("Replaces: 1@a;to-tag=t;to-tag=t;from-tag=f\r\n", Err(Malformed)),
            ("Replaces: 1;to-tag=;from-tag=f\r\n", Err(Malformed)),
            (
                "Replaces: 1;to-tag=t;from-tag=f\r\nReplaces: 2;to-tag=t;from-tag=f\r\n",
                Err(Malformed),
            ),
            ("Replaces: 1;to-tag=t;from-tag=f\r\nJoin: 1;to-tag=t;from-tag=f\r\n", Err(Malformed)),
        ];
        for (lines, want) in table {
            let text = format!(
                "INVITE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
                 From: <sip:b@192.0.2.2>;tag=b\r\nTo: <sip:a@192.0.2.1>\r\nCall-ID: c\r\n\
                 CSeq: 1 INVITE\r\n{lines}\r\n"
            );
            let had = crate::sip::parse(&bytes::Bytes::from(text));
            match (had, want) {
                (Ok(message), want) => assert_eq!(Takes::read(message.head()), want, "{lines}"),
                // One that may stand once stands twice: refused before it comes here.
                (Err(rejected), Err(Malformed)) => assert_eq!(rejected.error.status(), 400),
                (Err(rejected), Ok(_)) => panic!("{lines}: {rejected}"),
            }
        }
    }
}
