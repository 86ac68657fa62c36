//! Event packages: which there are, how the Event header names them, what their bodies are called
//! (RFC 6665 §8.2.1).

use crate::sip::params::{Kind, Params};
use crate::sip::{HeaderName, Headers};

/// What can be subscribed to, and `refer`, which a REFER subscribes to by itself (RFC 3515 §2.4.4).
pub(in crate::sip) const ALLOW_EVENTS: &str = "dialog, message-summary, reg, refer";

/// Longest `id` of an Event header that is kept, bytes.
const MAX_ID: usize = 64;

/// A package that phones may subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sip) enum Package {
    /// What goes on at a number (RFC 4235).
    Dialog,
    /// Messages that wait (RFC 3842).
    MessageSummary,
    /// One's own registration (RFC 3680).
    Reg,
}

impl Package {
    /// As the Event header names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::MessageSummary => "message-summary",
            Self::Reg => "reg",
        }
    }

    /// Reads [`Package::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Dialog, Self::MessageSummary, Self::Reg]
            .into_iter()
            .find(|package| package.as_str() == name)
    }

    /// Of its document.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Dialog => "application/dialog-info+xml",
            Self::MessageSummary => "application/simple-message-summary",
            Self::Reg => "application/reginfo+xml",
        }
    }

    /// Whether the subscriber takes our document: without Accept it takes the package's own (§4.1.3).
    pub fn is_accepted(self, headers: &Headers) -> bool {
        let due = self.content_type();
        let family = due.split('/').next().unwrap_or_default();
        let takes = |value: &[u8]| {
            let kind = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            let whole = format!("{family}/*");
            [due, &whole, "*/*"].iter().any(|one| kind.eq_ignore_ascii_case(one.as_bytes()))
        };
        !headers.has(&HeaderName::Accept) || headers.all(&HeaderName::Accept).any(takes)
    }
}

/// An Event header that we can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sip) struct Wanted {
    pub package: Package,
    /// Tells subscriptions of one dialog apart (§8.2.1).
    pub id: Option<Box<str>>,
}

impl Wanted {
    /// Reads the Event header. None is a 489: a package that we do not have, or a parameter that
    /// would ask for something else than we say (`dialog;sla`, one single dialog).
    pub fn read(headers: &Headers) -> Option<Self> {
        let value = std::str::from_utf8(headers.get(&HeaderName::Event)?).ok()?;
        let (name, params) = value.split_at(value.find(';').unwrap_or(value.len()));
        let package = Package::from_name(name.trim())?;
        let params = Params::parse(params, Kind::Header, "Event").ok()?;
        let mut id = None;
        for (name, value) in params.iter() {
            match name.to_ascii_lowercase().as_str() {
                "id" => id = Some(value.filter(|id| id.len() <= MAX_ID)?.into()),
                // RFC 4235 §3.2: ours never hold one, which it allows.
                "include-session-description" if package == Package::Dialog => {}
                _ => return None,
            }
        }
        Some(Self { package, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Message, parse};

    fn headers(lines: &str) -> Headers {
        let text = format!(
            "OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
             From: <sip:a@b.example>;tag=1\r\nTo: <sip:a@b.example>\r\nCall-ID: c\r\n\
             CSeq: 1 OPTIONS\r\n{lines}\r\n"
        );
        match parse(&text.into()) {
            Ok(Message::Request(request)) => request.head.headers,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_is_a_package_of_ours_or_489() {
        let wanted = |package, id: Option<&str>| Some(Wanted { package, id: id.map(Into::into) });
        let table = [
            ("Event: dialog", wanted(Package::Dialog, None)),
            ("o: dialog", wanted(Package::Dialog, None)),
            ("Event: dialog;id=7", wanted(Package::Dialog, Some("7"))),
            ("Event: dialog;include-session-description", wanted(Package::Dialog, None)),
            ("Event: message-summary", wanted(Package::MessageSummary, None)),
            ("Event: reg", wanted(Package::Reg, None)),
            ("Event: dialog;sla", None),
            ("Event: dialog;ma", None),
            ("Event: dialog;call-id=x;to-tag=y;from-tag=z", None),
            ("Event: Dialog", None), // §8.2.1: a token, and case counts
            ("Event: dialog.winfo", None),
            ("Event: presence", None),
            ("Event: refer", None),
            ("Event: dialog;;", None),
            ("Subject: none", None),
        ];
        for (line, want) in table {
            assert_eq!(Wanted::read(&headers(&format!("{line}\r\n"))), want, "{line}");
        }
        let long = format!("Event: dialog;id={}\r\n", "x".repeat(65));
        assert_eq!(Wanted::read(&headers(&long)), None);
    }

    #[test]
    fn a_phone_that_cannot_read_the_document_is_told_so() {
        let table = [
            ("", true),
            ("Accept: application/dialog-info+xml\r\n", true),
            ("Accept: text/plain, Application/Dialog-Info+XML;q=0.3\r\n", true),
            ("Accept: application/*\r\n", true),
            ("Accept: */*\r\n", true),
            ("Accept: application/pidf+xml\r\n", false),
        ];
        for (line, want) in table {
            assert_eq!(Package::Dialog.is_accepted(&headers(line)), want, "{line}");
        }
    }
}
