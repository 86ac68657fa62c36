//! What a panel shows over a history: erasing, a snapshot, and a desk as large as can be.

use super::Views;
use super::tests::{Pen, TOKYO_MIDNIGHT_OCT_1, asked, hung_up, id, setup};
use crate::base::{AgentId, Kept, Private, Wall};
use crate::event::{
    CallEvent, CallerNumber, ConsultEnd, ConsultSide, DeskEvent, Fact, Means, MessageEvent,
    NoteEvent, OfferEnd,
};
use crate::view::{
    AGENTS_SHOWN, BoxLaid, GroupLaid, Layout, Panel, Role, Setup, SlotLaid, Unanswered,
};

fn agent() -> AgentId {
    "2001".into()
}

fn noted(call: u64, text: &str) -> Fact {
    let (text, by) = (Private::new(text.to_owned()), Means::Api);
    Fact::Note { call: id(call), event: NoteEvent::Noted { agent: agent(), text, by } }
}

/// One call that rang at 2001 in vain, was written about and is over; the same number again an hour later, which
/// asks a colleague.
fn history() -> Pen {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1 + 3_600_000, ..Pen::default() };
    pen.arrive(1, true);
    pen.call(1, 100, asked());
    pen.call(1, 200, CallEvent::OfferMade { agent: agent() });
    pen.call(1, 5_200, CallEvent::OfferEnded { agent: agent(), why: OfferEnd::RangOut });
    pen.call(1, 9_000, hung_up());
    pen.fact(noted(1, "old"));
    pen.at += 3_600_000;
    pen.arrive(2, true);
    pen.call(2, 50, CallEvent::KeyPressed { menu: "main".into(), key: '3' });
    pen.call(2, 100, asked());
    pen.call(2, 200, CallEvent::OfferMade { agent: agent() });
    pen.call(2, 2_000, CallEvent::OperatorAnswered { agent: agent() });
    pen.fact(noted(2, "new"));
    pen.call(2, 3_000, CallEvent::ConsultBegan { by: agent(), with: "2002".into() });
    pen
}

fn panel(views: &Views, of: &str, at: i64) -> Panel {
    views.panel(&of.into(), Wall(at), &|_| None).expect("an agent of the plan")
}

#[test]
fn what_is_erased_is_on_no_panel_and_what_is_not_stays() {
    let mut pen = history();
    let views = pen.read();
    let before = panel(&views, "2001", pen.at);
    let call = before.call.as_ref().expect("a call");
    assert_eq!((call.role, call.held), (Role::Talking, true));
    assert_eq!(call.consulting, Some("2002".into()));
    assert_eq!(call.notes.len(), 1);
    assert_eq!((call.earlier.len(), call.earlier[0].notes[0].text.reveal().as_str()), (1, "old"));
    assert_eq!(before.unanswered[0].why, Unanswered::Missed);
    assert!(matches!(before.unanswered[0].caller.number, CallerNumber::Known(_)));
    let asked_of = panel(&views, "2002", pen.at).call.expect("a colleague asks");
    assert_eq!((asked_of.role, asked_of.row.call), (Role::Asked, id(2)));

    let since = Wall(TOKYO_MIDNIGHT_OCT_1 + 2 * 3_600_000);
    let event =
        DeskEvent::CallersErased { before: since, calls: 1, entries: 2, kept: 0, incidents: 0 };
    pen.fact(Fact::Desk { event });
    let views = pen.read();
    let after = panel(&views, "2001", pen.at);
    let call = after.call.as_ref().expect("a call");
    assert!(call.earlier.is_empty());
    assert_eq!(call.notes[0].text.reveal(), "new");
    assert!(matches!(after.unanswered[0].caller.number, CallerNumber::Erased));
    assert_eq!(after.unanswered[0].caller.name, None);
    let json = serde_json::to_string(&after).expect("JSON");
    assert!(!json.contains("old"), "{json}");

    // The next day nothing of it rang today; and a snapshot has all of it.
    let tomorrow = pen.at + 24 * 3_600_000;
    assert!(panel(&views, "2001", tomorrow).unanswered.is_empty());
    let mut bytes = Vec::new();
    views.keep(&mut bytes);
    let found = Views::found(setup(), &mut Kept::new(&bytes)).expect("a snapshot");
    assert_eq!(panel(&found, "2001", pen.at), after);
    assert_eq!(found, views);
}

#[test]
fn clocks_alone_are_no_change() {
    let views = history().read();
    let at = TOKYO_MIDNIGHT_OCT_1 + 8_000_000;
    let (one, later) = (panel(&views, "2001", at), panel(&views, "2001", at + 5_000));
    assert_ne!(one, later);
    assert_eq!(one.timeless(), later.timeless());
    let mut pen = history();
    // Turned to the caller, the agent holds it no more; the colleague is asked still.
    pen.call(2, 8_000, CallEvent::ConsultAnswered { with: Some("2002".into()) });
    pen.call(2, 8_500, CallEvent::ConsultTurned { to: ConsultSide::Caller });
    let turned = panel(&pen.read(), "2001", at).call.expect("a call");
    let asks = turned.asks.expect("it asks still");
    assert_eq!((turned.held, asks.answered, asks.turned), (false, true, true));
    assert_eq!(turned.consulting, Some("2002".into()));
    pen.call(2, 9_000, CallEvent::ConsultEnded { with: "2002".into(), why: ConsultEnd::SentBack });
    assert_ne!(panel(&pen.read(), "2001", at).timeless(), one.timeless());
}

/// As many agents, slots and callers as a panel ever shows.
#[test]
fn a_panel_of_a_large_desk_is_bounded() {
    let names: Vec<AgentId> = (0..400).map(|n| format!("{}", 3_000 + n).as_str().into()).collect();
    let agents = names.iter().map(|agent| (agent.clone(), format!("オペレータ {agent}"))).collect();
    let mut views = Views::new(Setup { agents, ..setup() });
    let group = GroupLaid {
        group: "desk".into(),
        name: "受付".into(),
        number: None,
        agents: names.clone(),
    };
    let slot = |n: u32| SlotLaid { slot: format!("{n}").as_str().into(), lot: "保留".into() };
    let slots = (700..900).map(slot).collect();
    views.set_layout(Layout { groups: vec![group], slots, ..Layout::default() });
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    for n in 1..=300 {
        pen.arrive(n, true);
        pen.call(n, 100, asked());
        if n > 200 {
            let slot = format!("{}", 500 + n);
            pen.call(n, 200, CallEvent::OperatorAnswered { agent: names[0].clone() });
            pen.call(
                n,
                300,
                CallEvent::Parked { by: names[0].clone(), slot: slot.as_str().into() },
            );
        }
    }
    for entry in &pen.entries {
        views.apply(entry);
    }
    let panel = panel(&views, "3007", pen.at);
    assert_eq!((panel.queue.count, panel.queue.calls.len()), (200, 30));
    assert_eq!(panel.colleagues.len(), AGENTS_SHOWN);
    assert_eq!(panel.slots.iter().filter(|slot| slot.parked.is_some()).count(), 100);
    let json = serde_json::to_string(&panel).expect("JSON");
    assert!(json.len() < 200_000, "{} bytes", json.len());
}

#[test]
fn messages_and_wishes_are_shown_to_whom_they_concern() {
    let mut views = Views::new(setup());
    let group = |name: &str, agent: &str| GroupLaid {
        group: name.into(),
        name: name.to_owned(),
        number: None,
        agents: vec![agent.into()],
    };
    let mailbox = |name: &str, phones: &[&str]| BoxLaid {
        mailbox: name.into(),
        name: format!("box {name}"),
        phones: phones.iter().map(|phone| (*phone).into()).collect(),
    };
    views.set_layout(Layout {
        groups: vec![group("desk", "2001"), group("second", "2002")],
        boxes: vec![mailbox("hers", &["2001"]), mailbox("all", &[])],
        ..Layout::default()
    });
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    for (n, mailbox) in [(1, "hers"), (2, "all")] {
        pen.arrive(n, true);
        let left = CallEvent::MessageLeft { mailbox: mailbox.into(), number: 1, length_ms: 4_000 };
        pen.call(n, 9_000, left);
        pen.call(n, 9_100, hung_up());
    }
    pen.arrive(3, true);
    let number = Private::new("0398765432".to_owned());
    let (entered, inside) = (false, false);
    let (callback, group) = ("back".into(), "desk".into());
    pen.call(3, 500, CallEvent::CallbackAsked { callback, group, number, entered, inside });
    for entry in &pen.entries {
        views.apply(entry);
    }
    let shown = |views: &Views, of| {
        let panel = panel(views, of, TOKYO_MIDNIGHT_OCT_1);
        let boxes = panel.messages.rows.iter().map(|row| row.box_name.clone()).collect();
        (boxes, panel.callbacks.count)
    };
    let due = |boxes: &[&str], wishes| {
        let boxes: Vec<String> = boxes.iter().map(|name| format!("box {name}")).collect();
        (boxes, wishes)
    };
    assert_eq!(shown(&views, "2001"), due(&["all", "hers"], 1));
    assert_eq!(shown(&views, "2002"), due(&["all"], 0));
    // Heard by one, it is nobody's any more.
    let (call, event) = (id(2), MessageEvent::Heard { by: Means::Api });
    pen.fact(Fact::Message { call, number: 1, event });
    views.apply(pen.entries.last().expect("the last"));
    assert_eq!(shown(&views, "2002"), due(&[], 0));
}
