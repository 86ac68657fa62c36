//! What is due, what is not, what is kept and what is erased, over small histories.

use crate::base::tests::spent;
use crate::base::{Kept, Private, TargetId, Wall};
use crate::event::{
    CallEvent, CallbackEnd, CallbackEvent, DeskEvent, Entry, Fact, FeedEvent, Means, NoteEvent,
    TicketState, Unfed,
};
use crate::view::feeding::{FeedRules, SEEN_KEPT, StepKind, TICKETS_KEPT};
use crate::view::views::tests::{Pen, TOKYO_MIDNIGHT_OCT_1, asked, hung_up, id, setup};
use crate::view::{Handling, LEDGER, Outcome, Views};

fn target() -> TargetId {
    "tool".into()
}

fn feed(call: Option<u64>, event: FeedEvent) -> Fact {
    Fact::Feed { target: target(), call: call.map(id), event }
}

fn noted(call: u64) -> Fact {
    let (text, by) = (Private::new("メモ".to_owned()), Means::Api);
    Fact::Note { call: id(call), event: NoteEvent::Noted { agent: "2001".into(), text, by } }
}

fn pen() -> Pen {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1 + 36_000_000, ..Pen::default() };
    pen.fact(feed(None, FeedEvent::TargetSet { rules: FeedRules::default().written() }));
    pen
}

fn answered(pen: &mut Pen, call: u64) {
    pen.arrive(call, true);
    pen.call(call, 100, asked());
    pen.call(call, 9_000, CallEvent::OperatorAnswered { agent: "2001".into() });
}

fn due(views: &Views, call: u64) -> Option<&'static str> {
    views.ticket_step(&target(), id(call)).map(|due| due.kind.name())
}

fn steps(views: &Views, call: u64) -> Vec<&'static str> {
    views.outbox_row(&target(), id(call)).map(|row| row.steps).unwrap_or_default()
}

fn opened(pen: &mut Pen, call: u64, ticket: &str) {
    let through = pen.entries.len() as u64;
    let ticket = ticket.to_owned();
    let event = FeedEvent::TicketOpened { through, ticket, found: false, tries: 1 };
    pen.fact(feed(Some(call), event));
}

fn added(pen: &mut Pen, call: u64) {
    let views = pen.read();
    let step = views.ticket_step(&target(), id(call)).expect("something due").seq;
    pen.fact(feed(Some(call), FeedEvent::TicketAdded { step, tries: 1 }));
}

#[test]
fn a_ticket_is_due_from_the_answer_on_and_what_comes_later_is_added_in_order() {
    let mut pen = pen();
    answered(&mut pen, 1);
    assert_eq!(steps(&pen.read(), 1), ["open"]);
    opened(&mut pen, 1, "7");
    assert_eq!(pen.read().outbox(&target(), false, 9).1, 0);
    pen.fact(noted(1));
    pen.call(1, 60_000, hung_up());
    pen.fact(noted(1));
    let views = pen.read();
    assert_eq!(steps(&views, 1), ["note", "ended", "note"]);
    assert_eq!(views.ticket_of(&target(), id(1)), Some("7"));
    for left in [2, 1, 0] {
        added(&mut pen, 1);
        assert_eq!(steps(&pen.read(), 1).len(), left);
    }
    let views = pen.read();
    let status = &views.feed_statuses()[0];
    assert_eq!((status.waiting, status.opened, status.added, status.stuck), (0, 1, 3, 0));
}

#[test]
fn a_ticket_that_is_opened_behind_the_end_has_the_end_in_it_and_notes_are_added_still() {
    let mut pen = pen();
    answered(&mut pen, 1);
    pen.fact(noted(1));
    pen.call(1, 60_000, hung_up());
    assert_eq!(steps(&pen.read(), 1), ["open", "note", "ended"]);
    opened(&mut pen, 1, "7");
    assert_eq!(steps(&pen.read(), 1), ["note"]);
    // What an earlier process opened holds nobody knows what: its end is added.
    answered(&mut pen, 2);
    pen.call(2, 60_000, hung_up());
    let through = pen.read().ticket_step(&target(), id(2)).expect("due").seq;
    let event = FeedEvent::TicketOpened { through, ticket: "8".to_owned(), found: true, tries: 1 };
    pen.fact(feed(Some(2), event));
    assert_eq!(steps(&pen.read(), 2), ["ended"]);
}

#[test]
fn which_calls_make_a_ticket_a_note_or_nothing() {
    let mut pen = pen();
    // Given up while waiting: a ticket of its own, once it is over.
    pen.arrive(1, true);
    pen.call(1, 100, asked());
    assert_eq!(steps(&pen.read(), 1), [""; 0]);
    pen.call(1, 40_000, hung_up());
    assert_eq!(steps(&pen.read(), 1), ["open"]);
    opened(&mut pen, 1, "7");
    // The same caller rings once and is gone: a note on that.
    pen.arrive(2, true);
    pen.call(2, 100, asked());
    pen.call(2, 900, hung_up());
    let views = pen.read();
    assert_eq!((steps(&views, 1), steps(&views, 2)), (vec!["later_call"], vec![]));
    let later = views.ticket_step(&target(), id(1)).expect("due");
    assert_eq!(later.kind, StepKind::LaterCall { call: id(2) });
    added(&mut pen, 1);
    // A day and more later it is nothing.
    pen.at += 86_400_001;
    pen.arrive(3, true);
    pen.call(3, 100, asked());
    pen.call(3, 900, hung_up());
    // Nor is who left in the menu, nor who called a number that is not counted.
    pen.arrive(4, true);
    pen.call(4, 900, hung_up());
    pen.arrive(5, false);
    pen.call(5, 100, asked());
    pen.call(5, 40_000, hung_up());
    assert_eq!(pen.read().outbox(&target(), false, 9).1, 0);
    // Other rules hold from then on.
    let mut rules = FeedRules::default();
    rules.set(Outcome::MenuLeft, Handling::Ticket);
    pen.fact(feed(None, FeedEvent::TargetSet { rules: rules.written() }));
    pen.arrive(6, true);
    pen.call(6, 900, hung_up());
    assert_eq!(steps(&pen.read(), 6), ["open"]);
    pen.fact(feed(None, FeedEvent::TargetGone));
    let views = pen.read();
    assert_eq!(views.feed_statuses(), []);
    assert_eq!(due(&views, 6), None);
}

#[test]
fn what_became_of_a_wish_to_be_called_back_is_added() {
    let mut pen = pen();
    answered(&mut pen, 1);
    pen.call(1, 60_000, hung_up());
    opened(&mut pen, 1, "7");
    let event = CallbackEvent::Ended { why: CallbackEnd::Answered };
    pen.fact(Fact::Callback { call: id(1), event });
    assert_eq!(due(&pen.read(), 1), Some("called_back"));
}

#[test]
fn what_is_given_up_waits_for_a_person_who_retries_edits_adopts_or_discards() {
    let given_up = |pen: &mut Pen, call: u64| {
        let step = pen.read().ticket_step(&target(), id(call)).expect("due").seq;
        let why = Unfed::Refused { status: 422 };
        pen.fact(feed(Some(call), FeedEvent::FeedGivenUp { step, tries: 3, why }));
    };
    let author = || "佐藤".to_owned();
    let mut pen = pen();
    for call in 1..=4 {
        answered(&mut pen, call);
        given_up(&mut pen, call);
    }
    // A note on one that waits for a person waits with it.
    pen.fact(noted(1));
    let views = pen.read();
    let (rows, total) = views.outbox(&target(), true, 2);
    assert_eq!((rows.len(), total), (2, 4));
    assert_eq!(rows[0].stuck.expect("stuck").why, Unfed::Refused { status: 422 });
    assert_eq!(views.tickets_due(&target()).count(), 0);
    assert_eq!(views.feed_statuses()[0].stuck, 4);
    let by = Means::Api;
    pen.fact(feed(Some(1), FeedEvent::FeedRetried { author: author(), by }));
    let (subject, text) = (Some(Private::new("件名".to_owned())), Private::new("本文".to_owned()));
    pen.fact(feed(Some(2), FeedEvent::FeedEdited { subject, text, author: author(), by }));
    let ticket = "99".to_owned();
    pen.fact(feed(Some(3), FeedEvent::TicketAdopted { ticket, author: author(), by }));
    let reason = "二重".to_owned();
    pen.fact(feed(Some(4), FeedEvent::FeedDiscarded { reason, author: author(), by }));
    let views = pen.read();
    assert_eq!(views.tickets_due(&target()).collect::<Vec<_>>(), [id(1), id(2)]);
    let edited = views.ticket_step(&target(), id(2)).and_then(|due| due.edited).expect("edited");
    assert_eq!(edited.text.reveal(), "本文");
    assert_eq!(views.ticket_of(&target(), id(3)), Some("99"));
    pen.call(3, 60_000, hung_up());
    pen.call(4, 60_000, hung_up());
    pen.fact(noted(4));
    let views = pen.read();
    assert_eq!((steps(&views, 3), steps(&views, 4)), (vec!["ended"], vec![]));
    // What was erased is nobody's words any more, live and when it is read again.
    let before = Wall(pen.at + 1);
    let event = DeskEvent::CallersErased { before, calls: 4, entries: 4, kept: 0, incidents: 0 };
    pen.fact(Fact::Desk { event });
    let views = pen.read();
    assert_eq!(views.ticket_step(&target(), id(2)).expect("due").edited, None);
    assert_eq!(views.outbox_row(&target(), id(2)).expect("due").caller, None);
    let mut bytes = Vec::new();
    views.keep(&mut bytes);
    assert_eq!(Views::found(setup(), &mut Kept::new(&bytes)).expect("a snapshot"), views);
}

#[test]
fn tickets_that_were_opened_long_ago_leave_the_memory() {
    let mut pen = pen();
    let most = u64::try_from(TICKETS_KEPT).expect("small") + 10;
    for call in 1..=most {
        answered(&mut pen, call);
        opened(&mut pen, call, "t");
        pen.call(call, 60_000, hung_up());
        let step = pen.entries.len() as u64;
        pen.fact(feed(Some(call), FeedEvent::TicketAdded { step, tries: 1 }));
    }
    let views = pen.read();
    assert_eq!(views.ticket_of(&target(), id(1)), None);
    assert_eq!(views.ticket_of(&target(), id(most)), Some("t"));
    assert_eq!(views.feed_statuses()[0].waiting, 0);
}

fn seen_at(received_at: Wall) -> TicketState {
    TicketState {
        received_at,
        completed_at: None,
        escalations: Vec::new(),
        reported_at: None,
        technical: false,
        exclusions: Vec::new(),
    }
}

#[test]
fn a_desk_with_years_of_tickets_takes_a_further_one_as_fast_as_the_first() {
    let mut views = Views::new(setup());
    let mut told = |from: u64, to: u64| {
        let began = spent();
        for n in from..to {
            // Ten come at the same time: also of these some can leave.
            let received_at = Wall(TOKYO_MIDNIGHT_OCT_1 + i64::try_from(n / 10).expect("small"));
            let state = seen_at(received_at).into();
            let event = FeedEvent::TicketSeen { ticket: format!("{n:07}"), state };
            let fact = feed(None, event);
            views.apply(&Entry { seq: n + 1, at: Wall(TOKYO_MIDNIGHT_OCT_1), fact });
        }
        spent().saturating_sub(began)
    };
    let kept = u64::try_from(SEEN_KEPT).expect("small");
    let (slack, more) = (kept / 10, kept / 100);
    let first = told(0, kept);
    let further = told(kept, kept + more);
    // A hundredth of them takes a hundredth of the time and some.
    assert!(further < first / 5, "{first:?}, then {further:?} for {more} more");
    told(kept + more, kept + slack + 1);
    let there = views.ticket_states(&target());
    assert_eq!(there.len(), SEEN_KEPT);
    assert_eq!(there.first().expect("some").ticket, format!("{:07}", slack + 1));
    assert_eq!(there.last().expect("some").ticket, format!("{:07}", kept + slack));
}

/// Who is still to be called back is not erased in the history, and so nowhere.
#[test]
fn the_outbox_and_the_ledger_keep_the_number_of_who_is_still_to_be_called_back() {
    let mut pen = pen();
    let rules = FeedRules::default().written();
    let event = FeedEvent::TargetSet { rules };
    pen.fact(Fact::Feed { target: LEDGER.into(), call: None, event });
    pen.arrive(1, true);
    pen.call(1, 100, asked());
    let asked = CallEvent::CallbackAsked {
        callback: "later".into(),
        group: "desk".into(),
        number: Private::new("0312345678".to_owned()),
        entered: false,
        inside: false,
    };
    pen.call(1, 20_000, asked);
    pen.call(1, 21_000, hung_up());
    let before = pen.read();
    let caller = before.outbox_row(&target(), id(1)).expect("due").caller;
    assert!(caller.is_some());
    let event = DeskEvent::CallersErased {
        before: Wall(pen.at + 1),
        calls: 0,
        entries: 0,
        kept: 1,
        incidents: 0,
    };
    pen.fact(Fact::Desk { event });
    let views = pen.read();
    assert_eq!(views.outbox_row(&target(), id(1)).expect("due").caller, caller);
    assert_eq!(views.incident_of(id(1)).expect("an incident").caller, caller);
}
