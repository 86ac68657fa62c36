//! What a REFER asks for: Refer-To with Replaces inside, Refer-Sub, Referred-By (RFC 3515 §2.1,
//! RFC 3891 §6.1, RFC 4488 §4, RFC 3892 §2). Knows no leg and no rule.

use super::chars::unescape;
use super::replaces::Named;
use super::{AnyUri, HeaderName, Request, Scheme, Uri};
use std::borrow::Cow;

/// A REFER, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Whom the other side of the call is to speak with.
    pub target: Uri,
    /// The dialog with the one who is consulted already.
    /// As [`Named`] reads it.
    pub replaces: Option<String>,
    /// No subscription is wanted (RFC 4488 §4).
    pub quiet: bool,
}

/// Why a REFER is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReferError {
    /// No Refer-To, several, or a malformed one (RFC 3515 §2.4.2); or a malformed Referred-By.
    #[error("Refer-To is not there once and readable")]
    Malformed,
    /// A scheme or method that is no call.
    #[error("Refer-To asks for something that is no call")]
    NoCall,
}

impl ReferError {
    /// The status this earns.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::NoCall => 603,
        }
    }
}

impl Wish {
    /// Reads a REFER.
    pub fn read(request: &Request) -> Result<Self, ReferError> {
        let head = &request.head;
        if head.headers.all(&HeaderName::ReferTo).count() != 1 {
            return Err(ReferError::Malformed);
        }
        let to = head.address(&HeaderName::ReferTo).ok().flatten();
        let to = to.ok_or(ReferError::Malformed)?;
        // Who refers is proved by its dialog: Referred-By must be readable, and is not believed.
        head.address(&HeaderName::ReferredBy).map_err(|_| ReferError::Malformed)?;
        let AnyUri::Known(uri) = to.uri else { return Err(ReferError::NoCall) };
        let method = uri.params().value("method").map(unescape);
        if method.is_some_and(|method| method != "INVITE") {
            return Err(ReferError::NoCall);
        }
        let replaces = uri.header("Replaces").map(Cow::into_owned);
        if replaces.as_ref().is_some_and(|text| Named::parse(text).is_none()) {
            return Err(ReferError::Malformed);
        }
        let quiet = head
            .headers
            .get(&HeaderName::ReferSub)
            .is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"false"));
        Ok(Self { target: uri.into_target(), replaces, quiet })
    }

    /// The number that is wanted.
    pub fn number(&self) -> Option<String> {
        let user = self.target.named()?;
        // `tel:` names a number and no place.
        (self.target.scheme() == Scheme::Tel || self.target.host().is_some())
            .then(|| user.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Message, parse};

    fn read(lines: &str) -> Result<Wish, ReferError> {
        let text = format!(
            "REFER sip:desk@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
             From: <sip:a@b.example>;tag=1\r\nTo: <sip:a@b.example>;tag=2\r\nCall-ID: c\r\n\
             CSeq: 1 REFER\r\n{lines}\r\n"
        );
        match parse(&text.into()) {
            Ok(Message::Request(request)) => Wish::read(&request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn refer_to_is_read_with_the_dialog_that_it_hides() {
        let wish = read("Refer-To: <sip:2002@192.0.2.1>\r\n").expect("a wish");
        assert_eq!(
            (wish.number().as_deref(), wish.replaces, wish.quiet),
            (Some("2002"), None, false)
        );
        let wish = read("r: sip:2002@192.0.2.1\r\nRefer-Sub: false\r\n").expect("a wish");
        assert!(wish.quiet);
        let wish = read("Refer-To: <tel:+81-3-1234-5678>\r\n").expect("a wish");
        assert_eq!(wish.number().as_deref(), Some("+81312345678"));
        let wish = read(
            "Refer-To: \"B\" <sip:2002@192.0.2.1;transport=udp?Replaces=\
             12%40192.0.2.7%3Bto-tag%3D0123456789abcdef%3Bfrom-tag%3Dxyz%3Bearly-only&Require=replaces>\r\n\
             Referred-By: <sip:2001@desk.example>\r\n",
        )
        .expect("a wish");
        let due = Named {
            call_id: "12@192.0.2.7",
            to_tag: "0123456789abcdef",
            from_tag: "xyz",
            early_only: true,
        };
        assert_eq!(wish.replaces.as_deref().and_then(Named::parse), Some(due));
        assert_eq!(wish.target.to_string(), "sip:2002@192.0.2.1;transport=udp");
    }

    #[test]
    fn what_is_no_wish_for_a_call_is_refused() {
        let table = [
            ("", 400),
            ("Refer-To: <sip:a@b.example?Replaces=1%3Bto-tag%3D2>\r\n", 400),
            (
                "Refer-To: <sip:a@b.example?Replaces=1%3Bto-tag%3D2%3Bto-tag%3D2%3Bfrom-tag%3D1>\r\n",
                400,
            ),
            ("Refer-To: <sip:a@b.example>\r\nReferred-By: <\r\n", 400),
            ("Refer-To: <http://a.example/>\r\n", 603),
            ("Refer-To: <sip:a@b.example;method=BYE>\r\n", 603),
            ("Refer-To: <sip:a@b.example;method=SUBSCRIBE>\r\n", 603),
        ];
        for (lines, want) in table {
            assert_eq!(read(lines).map_err(ReferError::status), Err(want), "{lines}");
        }
    }
}
