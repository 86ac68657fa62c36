//! What a NOTIFY carries: dialog-info (RFC 4235 §4.4), reginfo (RFC 3680 §5), message summary
//! (RFC 3842 §3). Always the full state, so that a lost one does no harm; the same state gives the
//! same bytes.

use crate::base::{LegId, Private};
use crate::sip::api::Shown;
use crate::sip::{Host, Uri};
use std::fmt::Write as _;

/// What a lamp shows of a number: the calls at its phone, in the order of their legs. None: it is dark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lamp {
    /// The calls.
    pub calls: Vec<LampCall>,
}

/// One call at the number's phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LampCall {
    /// Tells it from the number's other calls.
    pub leg: LegId,
    /// The number's own phone placed it; otherwise it is called.
    pub placed: bool,
    /// How far it is.
    pub stage: LampStage,
    /// Its phone holds the call.
    pub held: bool,
    /// With whom, when that may be known to anybody at all.
    pub with: Option<Shown>,
    /// Its name on the wire, once it has one; the SIP room's to fill in.
    pub dialog: Option<DialogName>,
}

/// The dialog of a call at a number's phone as we name it. Who may take the call's place says it back
/// to us in Replaces, `to_tag` for `to-tag` (RFC 4235 §3.6, RFC 3891 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogName {
    /// Its Call-ID.
    pub call_id: Box<str>,
    /// Our tag.
    pub local_tag: Box<str>,
    /// The phone's; none before it has said a word.
    pub remote_tag: Option<Box<str>>,
}

/// How far a call is (RFC 4235 §3.7.1). Terminated ones are not shown any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LampStage {
    /// The INVITE is out, nothing rings yet.
    Trying,
    /// It rings.
    Early,
    /// They talk.
    Confirmed,
}

impl LampStage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Early => "early",
            Self::Confirmed => "confirmed",
        }
    }
}

/// The dialog-info document of the number called `entity`; with `names` it tells with whom.
pub(super) fn dialog_info(version: u32, entity: &Uri, lamp: &Lamp, names: bool) -> String {
    let mut out = String::with_capacity(512);
    let whose = Xml(&entity.to_string()).to_string();
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
         state=\"full\" entity=\"{whose}\">",
    );
    for call in &lamp.calls {
        let direction = if call.placed { "initiator" } else { "recipient" };
        let (id, stage) = (call.leg.0, call.stage.as_str());
        let _ = write!(out, "<dialog id=\"{id}\"");
        if names && let Some(dialog) = &call.dialog {
            dialog.write(&mut out);
        }
        let _ = writeln!(out, " direction=\"{direction}\">\n<state>{stage}</state>");
        if call.held {
            // §4.1.6: the party whose phone renders nothing holds the call (RFC 3840's form).
            let _ = writeln!(
                out,
                "<local><target uri=\"{whose}\"><param pname=\"+sip.rendering\" pval=\"no\"/>\
                 </target></local>",
            );
        }
        if names && let Some(with) = &call.with {
            remote(&mut out, with, entity.host());
        }
        out.push_str("</dialog>\n");
    }
    out.push_str("</dialog-info>\n");
    out
}

impl DialogName {
    /// §4.1.1. `local` is the notifier, which is we: an INVITE that replaces the dialog comes to us.
    fn write(&self, out: &mut String) {
        let _ = write!(
            out,
            " call-id=\"{}\" local-tag=\"{}\"",
            Xml(&self.call_id),
            Xml(&self.local_tag)
        );
        if let Some(tag) = &self.remote_tag {
            let _ = write!(out, " remote-tag=\"{}\"", Xml(tag));
        }
    }
}

/// Withheld numbers are shown to nobody.
fn remote(out: &mut String, with: &Shown, host: Option<&Host>) {
    let user = with.user.reveal();
    let Some(host) = host.filter(|_| user != "anonymous" && !user.is_empty()) else { return };
    let address = Uri::sip(Some(user), host.clone(), None).to_string();
    let address = Xml(&address);
    out.push_str("<remote><identity");
    if let Some(name) = with.name.as_ref().map(Private::reveal).filter(|name| !name.is_empty()) {
        let _ = write!(out, " display=\"{}\"", Xml(name));
    }
    let _ = writeln!(out, ">{address}</identity><target uri=\"{address}\"/></remote>");
}

/// The reginfo document of an account called `aor`, with its contacts and the seconds left of each.
pub(super) fn reginfo<'a>(
    version: u32,
    aor: &Uri,
    contacts: impl Iterator<Item = (&'a str, u64)>,
) -> String {
    let mut list = String::new();
    for (number, (contact, left_s)) in (1_u32..).zip(contacts) {
        let _ = writeln!(
            list,
            "<contact id=\"c{number}\" state=\"active\" event=\"registered\" expires=\"{left_s}\">\
             <uri>{}</uri></contact>",
            Xml(contact)
        );
    }
    let state = if list.is_empty() { "terminated" } else { "active" };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"{version}\" state=\"full\">\n\
         <registration aor=\"{}\" id=\"r1\" state=\"{state}\">\n{list}</registration>\n</reginfo>\n",
        Xml(&aor.to_string())
    )
}

/// Voice messages of one mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sip) struct Messages {
    /// Not heard yet.
    pub new: u32,
    /// Heard and kept.
    pub old: u32,
}

/// The message summary of a mailbox called `account`.
pub(super) fn summary(account: &Uri, messages: Messages) -> String {
    let Messages { new, old } = messages;
    let waiting = if new > 0 { "yes" } else { "no" };
    format!(
        "Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\n\
         Voice-Message: {new}/{old} (0/0)\r\n"
    )
}

/// Text inside an element or an attribute. What XML 1.0 cannot hold at all is left out.
struct Xml<'a>(&'a str);

impl std::fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                '\u{fffe}' | '\u{ffff}' => {}
                char if char.is_control() => {}
                char => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).expect("a URI")
    }

    fn call(leg: u64, with: Option<(&str, &str)>) -> LampCall {
        let with = with.map(|(user, name)| Shown {
            user: Private::new(user.to_owned()),
            name: Some(Private::new(name.to_owned())),
        });
        LampCall {
            leg: LegId(leg),
            placed: false,
            stage: LampStage::Early,
            held: false,
            with,
            dialog: None,
        }
    }

    #[test]
    fn an_idle_number_has_a_document_without_dialogs() {
        let text = dialog_info(0, &uri("sip:2001@desk.example"), &Lamp::default(), true);
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" \
             state=\"full\" entity=\"sip:2001@desk.example\">\n</dialog-info>\n"
        );
    }

    #[test]
    fn a_call_that_may_be_picked_up_has_the_name_that_replaces_says_back() {
        let mut rings = call(4, None);
        let dialog = |remote_tag: Option<&str>| DialogName {
            call_id: "a\"b@192.0.2.1".into(),
            local_tag: "ours".into(),
            remote_tag: remote_tag.map(Into::into),
        };
        let entity = uri("sip:2001@desk.example");
        for (tag, names, want) in [
            (None, true, "id=\"4\" call-id=\"a&quot;b@192.0.2.1\" local-tag=\"ours\" direction"),
            (Some("t"), true, "local-tag=\"ours\" remote-tag=\"t\" direction=\"recipient\""),
            (Some("t"), false, "<dialog id=\"4\" direction=\"recipient\">"),
        ] {
            rings.dialog = Some(dialog(tag));
            let lamp = Lamp { calls: vec![rings.clone()] };
            let text = dialog_info(1, &entity, &lamp, names);
            assert!(text.contains(want), "{text}");
        }
    }

    #[test]
    fn a_caller_who_writes_markup_is_shown_as_text_and_a_withheld_one_not_at_all() {
        let lamp = Lamp {
            calls: vec![
                call(4, Some(("0312345678", "<b>\"山田\" & 'co'\u{0}"))),
                LampCall {
                    placed: true,
                    held: true,
                    stage: LampStage::Confirmed,
                    ..call(7, Some(("anonymous", "Anonymous")))
                },
            ],
        };
        let entity = uri("sip:2001@desk.example");
        let text = dialog_info(7, &entity, &lamp, true);
        assert!(
            text.contains(
                "<remote><identity display=\"&lt;b&gt;&quot;山田&quot; &amp; &apos;co&apos;\">\
             sip:0312345678@desk.example</identity>"
            ),
            "{text}"
        );
        assert!(text.contains("<dialog id=\"4\" direction=\"recipient\">\n<state>early</state>"));
        assert!(
            text.contains("<dialog id=\"7\" direction=\"initiator\">\n<state>confirmed</state>")
        );
        assert!(text.contains("pname=\"+sip.rendering\" pval=\"no\""));
        assert_eq!(text.matches("<remote>").count(), 1, "{text}");
        assert!(!dialog_info(7, &entity, &lamp, false).contains("0312345678"));
    }

    #[test]
    fn no_message_waits_where_there_is_none() {
        let account = uri("sip:2001@desk.example");
        assert_eq!(
            summary(&account, Messages::default()),
            "Messages-Waiting: no\r\nMessage-Account: sip:2001@desk.example\r\n\
             Voice-Message: 0/0 (0/0)\r\n"
        );
        assert!(summary(&account, Messages { new: 2, old: 1 }).contains("yes"));
    }

    #[test]
    fn a_registration_is_told_with_its_contacts() {
        let aor = uri("sip:2001@desk.example");
        let text = reginfo(3, &aor, [("sip:a@192.0.2.9;x=\"<\"", 59)].into_iter());
        assert!(text.contains("state=\"active\" event=\"registered\" expires=\"59\""), "{text}");
        assert!(text.contains("<uri>sip:a@192.0.2.9;x=&quot;&lt;&quot;</uri>"), "{text}");
        let none = reginfo(4, &aor, std::iter::empty());
        assert!(none.contains("id=\"r1\" state=\"terminated\""), "{none}");
    }
}
