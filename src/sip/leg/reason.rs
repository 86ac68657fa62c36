//! The Reason header (RFC 3326): what we say when we end a leg, and what a peer says.

use crate::base::{Protocol, Reason};
use crate::sip::api::Why;
use crate::sip::{Head, HeaderName};

/// Of our CANCEL or BYE.
pub(super) fn said(why: Why) -> Option<&'static str> {
    match why {
        Why::Normal => None,
        Why::Elsewhere => Some("SIP;cause=200;text=\"Call completed elsewhere\""),
        Why::Fault => Some("SIP;cause=500;text=\"Server Internal Error\""),
        Why::Expired => Some("SIP;cause=408;text=\"Session Expired\""),
    }
}

/// The first reason of a peer's that we understand; its text is passed over.
pub(in crate::sip) fn read(head: &Head) -> Option<Reason> {
    head.headers.all(&HeaderName::Reason).find_map(|value| {
        let value = std::str::from_utf8(value).ok()?;
        let mut parts = value.split(';').map(str::trim);
        let protocol = parts.next()?;
        let (protocol, least, most) = if protocol.eq_ignore_ascii_case("SIP") {
            (Protocol::Sip, 100, 699)
        } else if protocol.eq_ignore_ascii_case("Q.850") {
            (Protocol::Q850, 1, 127)
        } else {
            return None;
        };
        let cause = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("cause").then(|| value.trim().parse().ok())?
        })?;
        (least..=most).contains(&cause).then_some(Reason { protocol, cause })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_protocol_and_a_number() {
        let sip = |cause| Some(Reason { protocol: Protocol::Sip, cause });
        let q850 = |cause| Some(Reason { protocol: Protocol::Q850, cause });
        let table = [
            ("", None),
            ("Reason: Q.850;cause=16;text=\"Terminated\"", q850(16)),
            ("Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"", sip(200)),
            ("Reason: q.850 ; Cause = 31", q850(31)),
            ("Reason: FreeSWITCH;cause=1, SIP;cause=486", sip(486)),
            ("Reason: preemption;cause=1", None),
            ("Reason: Q.850", None),
            ("Reason: Q.850;cause=0", None),
            ("Reason: Q.850;cause=128", None),
            ("Reason: SIP;cause=99999", None),
            ("Reason: SIP;cause=x\r\nReason: Q.850;cause=16", q850(16)),
        ];
        for (line, want) in table {
            let line = if line.is_empty() { String::new() } else { format!("{line}\r\n") };
            let text = format!(
                "BYE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
                 From: <sip:b@192.0.2.2>;tag=b\r\nTo: <sip:a@192.0.2.1>;tag=a\r\nCall-ID: c\r\n\
                 CSeq: 2 BYE\r\n{line}\r\n"
            );
            let message = crate::sip::parse(&bytes::Bytes::from(text)).expect("a request");
            assert_eq!(read(message.head()), want, "{line}");
        }
        // What we say ourselves is understood.
        assert_eq!(said(Why::Normal), None);
    }
}
