//! The same watch from outside: each agent's phone as the wire shows it. A phone that is rung, or in
//! any call, by what we have sent and heard so far, is sent no INVITE on a queue's behalf.

use crate::base::{CallId, Mono};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// What one message says that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says<'a> {
    /// An INVITE that opens a dialog.
    Invite(&'a str),
    /// BYE or CANCEL.
    End(&'a str),
    /// ACK.
    Ack(&'a str),
    /// A provisional answer to an INVITE.
    Early(&'a str),
    /// A final answer to an INVITE.
    Final(&'a str, u16),
    /// Anything else.
    Else,
}

/// The first line of a message, for ladders.
#[must_use]
pub fn first_line(message: &[u8]) -> &str {
    let end = message.iter().position(|byte| *byte == b'\r').unwrap_or(message.len());
    std::str::from_utf8(&message[..end]).unwrap_or("(not text)")
}

/// Reads one of our own writer's messages; both sides of the simulated wire use it.
#[must_use]
pub fn read(message: &[u8]) -> Says<'_> {
    let Ok(text) = std::str::from_utf8(message) else { return Says::Else };
    let Some((first, rest)) = text.split_once("\r\n") else { return Says::Else };
    let value = |name: &str| {
        let lines = rest.split("\r\n").take_while(|line| !line.is_empty());
        let mut found = lines.filter_map(|line| {
            let (head, value) = line.split_once(':')?;
            head.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        found.next().unwrap_or("")
    };
    let call_id = value("Call-ID");
    if let Some(status) = first.strip_prefix("SIP/2.0 ") {
        let status = status.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        return match status {
            _ if !value("CSeq").ends_with("INVITE") => Says::Else,
            100..200 => Says::Early(call_id),
            200.. => Says::Final(call_id, status),
            _ => Says::Else,
        };
    }
    if first.starts_with("INVITE ") && !value("To").contains(";tag=") {
        return Says::Invite(call_id);
    }
    if first.starts_with("ACK ") {
        return Says::Ack(call_id);
    }
    if first.starts_with("BYE ") || first.starts_with("CANCEL ") {
        return Says::End(call_id);
    }
    Says::Else
}

/// One dialog, begun or being begun, between us and a phone.
#[derive(Clone, Debug)]
struct Busy {
    phone: IpAddr,
    /// None for a feature code, whose end the history does not tell.
    call: Option<CallId>,
    /// Certainly up until then: a feature code is answered with a prompt of a second at least. After
    /// it the BYE may wait for the ACK (RFC 3261 §15), and the wire does not tell the end either.
    until: Mono,
    confirmed: bool,
    /// The phone has said something of it.
    heard: bool,
}

/// Shorter than any prompt.
const PROMPT_LEAST: Duration = Duration::from_millis(900);

/// Dialogs with agents' phones by Call-ID.
#[derive(Debug, Default)]
pub struct Lines {
    /// Ports may fail to be bound, and with them a feature code's answer.
    codes_fail: bool,
    busy: BTreeMap<String, Busy>,
    /// Dialogs that are over, and may still be repeated: an INVITE without any answer cannot be
    /// cancelled yet (RFC 3261 §9.1) and goes on until it is answered or given up.
    over: BTreeSet<String>,
}

impl Lines {
    /// No dialogs. `codes_fail` when a feature code may end without its prompt.
    #[must_use]
    pub fn new(codes_fail: bool) -> Self {
        Self { codes_fail, ..Self::default() }
    }

    fn end(&mut self, id: &str) {
        if self.busy.remove(id).is_some() {
            self.over.insert(id.to_owned());
        }
    }

    /// We heard this from a phone; `call` is the call that it made arrive.
    pub fn heard(&mut self, phone: IpAddr, message: &[u8], call: Option<CallId>) {
        if let Says::Early(id) | Says::Final(id, _) = read(message)
            && let Some(busy) = self.busy.get_mut(id)
        {
            busy.heard = true;
        }
        match read(message) {
            Says::Invite(id) if call.is_some() && !self.over.contains(id) => {
                self.busy.insert(
                    id.to_owned(),
                    Busy { phone, call, until: Mono::ZERO, confirmed: true, heard: true },
                );
            }
            Says::End(id) | Says::Final(id, 300..) => {
                self.end(id);
            }
            Says::Ack(id) => {
                if let Some(busy) = self.busy.get_mut(id) {
                    busy.confirmed = true;
                }
            }
            Says::Invite(_) | Says::Early(_) | Says::Final(..) | Says::Else => {}
        }
    }

    /// The history says that the call is over, or the part that these phones had in it.
    pub fn over(&mut self, call: CallId, of: impl Fn(IpAddr) -> bool) {
        let ended = self.busy.extract_if(.., |_, busy| busy.call == Some(call) && of(busy.phone));
        self.over.extend(ended.map(|(id, _)| id));
    }

    /// The history says that a phone rings no more. One that has said anything is told so (CANCEL or BYE), and the
    /// wire shows it; one that has not is told when it does (RFC 3261 §9.1), and may never be.
    pub fn rings_no_more(&mut self, call: CallId, of: impl Fn(IpAddr) -> bool) {
        let ended = self
            .busy
            .extract_if(.., |_, busy| busy.call == Some(call) && !busy.heard && of(busy.phone));
        self.over.extend(ended.map(|(id, _)| id));
    }

    /// Whether a message is an INVITE that opens a dialog not seen before.
    #[must_use]
    pub fn opens(&self, message: &[u8]) -> bool {
        matches!(read(message), Says::Invite(id) if !self.busy.contains_key(id) && !self.over.contains(id))
    }

    /// We send this to a phone, `call` being what it is rung for. Returns what must not be.
    pub fn sent(
        &mut self,
        phone: IpAddr,
        message: &[u8],
        call: Option<CallId>,
        direct: bool,
        at: Mono,
    ) -> Option<String> {
        match read(message) {
            Says::Invite(id) => {
                if self.busy.contains_key(id) || self.over.contains(id) {
                    return None; // repeated
                }
                let other = self.busy.iter().find(|(_, busy)| {
                    busy.phone == phone
                        && (busy.call.is_some() || busy.confirmed || at < busy.until)
                });
                let wrong = other
                    .filter(|_| !direct)
                    .map(|(other, _)| format!("{phone} gets INVITE {id} while in {other}"));
                // Of who is rung for no call (to listen, to be told something) the history tells no end,
                // nor does the wire when the phone never answers.
                let confirmed = call.is_some();
                let (until, heard) = (Mono::ZERO, false);
                self.busy.insert(id.to_owned(), Busy { phone, call, until, confirmed, heard });
                wrong
            }
            Says::End(id) => {
                self.end(id);
                None
            }
            Says::Final(id, 300..) => {
                // For the phone it is over, whatever else we may say of another copy of its INVITE.
                self.busy.remove(id);
                self.over.insert(id.to_owned());
                None
            }
            Says::Final(id, _) => {
                // A feature code: answered, and no call. Its 200 may be repeated after its end.
                if self.over.contains(id) {
                    return None;
                }
                self.busy.entry(id.to_owned()).or_insert(Busy {
                    phone,
                    call: None,
                    until: if self.codes_fail { at } else { at + PROMPT_LEAST },
                    confirmed: false,
                    heard: true,
                });
                None
            }
            Says::Early(_) | Says::Ack(_) | Says::Else => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Says, read};
    use crate::base::{CallId, Mono};

    const INVITE: &[u8] = b"INVITE sip:2001@198.51.100.1 SIP/2.0\r\nTo: <sip:2001@d>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n";
    const OTHER: &[u8] = b"INVITE sip:2001@198.51.100.1 SIP/2.0\r\nTo: <sip:2001@d>\r\nCall-ID: b\r\nCSeq: 1 INVITE\r\n\r\n";
    const BYE: &[u8] = b"BYE sip:2001@198.51.100.1 SIP/2.0\r\nTo: <sip:2001@d>;tag=1\r\nCall-ID: a\r\nCSeq: 2 BYE\r\n\r\n";
    const BUSY: &[u8] =
        b"SIP/2.0 486 Busy Here\r\nTo: <sip:2001@d>;tag=1\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n";
    const RINGING: &[u8] =
        b"SIP/2.0 180 Ringing\r\nTo: <sip:2001@d>;tag=1\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n";

    #[test]
    fn messages_are_read_as_far_as_needed() {
        let table: [(&[u8], Says); 6] = [
            (INVITE, Says::Invite("a")),
            (BYE, Says::End("a")),
            (BUSY, Says::Final("a", 486)),
            (RINGING, Says::Early("a")),
            (b"SIP/2.0 200 OK\r\nCall-ID: a\r\nCSeq: 1 CANCEL\r\n\r\n", Says::Else),
            (b"OPTIONS sip:d SIP/2.0\r\nCall-ID: a\r\n\r\n", Says::Else),
        ];
        for (message, want) in table {
            assert_eq!(read(message), want);
        }
    }

    #[test]
    fn a_phone_in_a_call_that_is_rung_again_is_seen() {
        let phone = "198.51.100.1".parse().unwrap();
        let call = Some(CallId(uuid::Uuid::nil()));
        let ring = |before: &dyn Fn(&mut Lines)| {
            let mut lines = Lines::default();
            assert_eq!(lines.sent(phone, INVITE, call, false, Mono::ZERO), None);
            before(&mut lines);
            lines.sent(phone, OTHER, call, false, Mono::ZERO)
        };
        assert!(ring(&|_| {}).is_some(), "rung twice");
        assert!(
            ring(&|l| drop(l.sent(phone, INVITE, call, false, Mono::ZERO))).is_some(),
            "repeated, then rung"
        );
        assert!(
            ring(&|l| drop(l.sent(phone, BYE, call, false, Mono::ZERO))).is_none(),
            "we ended the first"
        );
        assert!(ring(&|l| l.heard(phone, BUSY, None)).is_none(), "it refused the first");
        let mut lines = Lines::default();
        assert_eq!(lines.sent(phone, INVITE, call, false, Mono::ZERO), None);
        assert_eq!(
            lines.sent(phone, OTHER, call, true, Mono::ZERO),
            None,
            "its own line may ring beside"
        );
        // Of who is rung for no call nobody can tell when it is over.
        let mut lines = Lines::default();
        assert_eq!(lines.sent(phone, INVITE, None, false, Mono::ZERO), None);
        assert_eq!(lines.sent(phone, OTHER, call, false, Mono::ZERO), None);
    }

    #[test]
    fn a_phone_that_says_nothing_rings_no_more_when_the_history_says_so_and_one_that_rings_when_it_is_told()
     {
        let phone = "198.51.100.1".parse().unwrap();
        let call = CallId(uuid::Uuid::nil());
        let ring = |before: &dyn Fn(&mut Lines)| {
            let mut lines = Lines::default();
            assert_eq!(lines.sent(phone, INVITE, Some(call), false, Mono::ZERO), None);
            before(&mut lines);
            lines.rings_no_more(call, |at| at == phone);
            lines.sent(phone, OTHER, Some(call), false, Mono::ZERO)
        };
        assert!(ring(&|_| {}).is_none(), "nothing was heard of it, so it cannot be cancelled");
        assert!(ring(&|l| l.heard(phone, RINGING, None)).is_some(), "it rings, and nobody told it");
        let told = |lines: &mut Lines| {
            lines.heard(phone, RINGING, None);
            assert_eq!(lines.sent(phone, BYE, Some(call), false, Mono::ZERO), None);
        };
        assert!(ring(&told).is_none(), "it rang, and was told");
    }
}
