//! What a panel shows over a history: erasing, a snapshot, and a desk as large as can be.

use super::Views;
use super::tests::{Pen, TOKYO_MIDNIGHT_OCT_1, asked, hung_up, id, setup};
use crate::base::{AgentId, Kept, Private, Wall};
use crate::event::{
    CallEvent, CallerNumber, ConsultEnd, DeskEvent, Fact, Means, NoteEvent, OfferEnd,
};
use crate::view::{AGENTS_SHOWN, GroupLaid, Layout, Panel, Role, Setup, SlotLaid, Unanswered};
use std::time::Instant;

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
    let event = DeskEvent::CallersErased { before: since, calls: 1, entries: 2, kept: 0 };
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
    pen.call(2, 9_000, CallEvent::ConsultEnded { with: "2002".into(), why: ConsultEnd::SentBack });
    assert_ne!(panel(&pen.read(), "2001", at).timeless(), one.timeless());
}

/// As many agents, slots and callers as a panel ever shows.
#[test]
fn a_panel_of_a_large_desk_is_bounded_and_soon_made() {
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
    pen.entries.iter().for_each(|entry| views.apply(entry));
    let began = Instant::now();
    const ROUNDS: u32 = 20;
    for _ in 0..ROUNDS {
        let panel = panel(&views, "3007", pen.at);
        assert_eq!((panel.queue.count, panel.queue.calls.len()), (200, 30));
        assert_eq!(panel.colleagues.len(), AGENTS_SHOWN);
        assert_eq!(panel.slots.iter().filter(|slot| slot.parked.is_some()).count(), 100);
        let json = serde_json::to_string(&panel.timeless()).expect("JSON");
        assert!(json.len() < 200_000, "{} bytes", json.len());
    }
    let each = began.elapsed() / ROUNDS;
    eprintln!("a panel of 400 agents, 200 slots, 300 calls: {each:?}");
    assert!(each.as_millis() < 100, "{each:?}");
}
