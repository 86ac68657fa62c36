//! What the ledger forgets.

use super::received;
use crate::base::{Private, Wall};
use crate::event::{Channel, DeskEvent, Entry, Fact, FeedEvent, IncidentEvent, Means, chain};
use crate::view::feeding::FeedRules;
use crate::view::views::tests::{Pen, TOKYO_MIDNIGHT_OCT_1, setup};
use crate::view::{LEDGER, Views};

/// The journal after `callers_erased`: what stands under `erased` has commitments in the place of its texts.
fn replayed(pen: &Pen, erased: impl Fn(&Entry) -> bool) -> Views {
    let mut views = Views::new(setup());
    for entry in &pen.entries {
        let value = serde_json::to_value(&entry.fact).expect("JSON");
        let serde_json::Value::Object(mut body) = value else { panic!("no object") };
        if erased(entry) {
            chain::erase(&mut body, Some(&[7; 16])).expect("erased");
        }
        let fact = serde_json::from_value(body.into()).expect("a fact");
        views.apply(&Entry { seq: entry.seq, at: entry.at, fact });
    }
    views
}

/// Of what came by mail or at the counter there is no call under which it would be erased.
#[test]
fn the_ledger_forgets_who_wrote_a_mail_a_day_after_who_called_the_day_before() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1 + 36_000_000, ..Pen::default() };
    let rules = FeedRules::default().written();
    let event = FeedEvent::TargetSet { rules };
    pen.fact(Fact::Feed { target: LEDGER.into(), call: None, event });
    let state = |received_at| Box::new(received(received_at));
    let author = || "佐藤".to_owned();
    let said = |text: &str| Private::new(text.to_owned());
    let mail = |pen: &mut Pen, received_at, subject: &str| {
        let (subject, state, author) = (said(subject), state(received_at), author());
        let (channel, by) = (Channel::Mail, Means::Api);
        let event = IncidentEvent::IncidentOpened { channel, subject, state, author, by };
        pen.fact(Fact::Incident { call: None, event });
        pen.entries.last().expect("one").seq
    };
    let start = pen.at;
    let old = mail(&mut pen, Wall(start), "山本さん 印刷");
    pen.at += 1_000;
    let cut = Wall(pen.at);
    // It came long ago and was entered only now.
    let late = mail(&mut pen, Wall(start - 1_000_000), "渡辺さん 共有");
    pen.at += 1_000;
    let event = IncidentEvent::IncidentChanged {
        incident: old,
        subject: Some(said("山本さん（総務課）印刷")),
        category: String::new(),
        state: state(Wall(start)),
        author: author(),
        by: Means::Api,
    };
    pen.fact(Fact::Incident { call: None, event });
    let (calls, entries, kept, incidents) = (0, 2, 0, 1);
    let event = DeskEvent::CallersErased { before: cut, calls, entries, kept, incidents };
    pen.fact(Fact::Desk { event });
    let live = pen.read();
    let subject = |incident| {
        live.incident(incident).map(|row| row.subject.reveal().to_owned()).expect("an incident")
    };
    assert_eq!((subject(old), subject(late)), ("erased".to_owned(), "渡辺さん 共有".to_owned()));
    let of_old = |entry: &Entry| match &entry.fact {
        Fact::Incident { event: IncidentEvent::IncidentChanged { incident, .. }, .. } => {
            *incident == old
        }
        _ => entry.seq == old,
    };
    assert!(replayed(&pen, of_old) == live, "a restart shows the same");
}
