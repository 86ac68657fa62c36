//! Callers who are called back, and what lies in the message boxes, over restarts too.

use super::placed::World;
use crate::base::{CallId, Channels, LegId, Mono, Now, Private, Rng};
use crate::event::{
    CallEvent, CallbackEnd, CallbackEvent, Entry, Fact, Means, MessageEvent, NoteEvent, Origin,
    PlacedEvent,
};
use crate::pbx::group::Waiter;
use crate::pbx::{
    Action, Boxes, CallbacksMemory, Command, CommandError, Desk, Input, MessageOrder, NOTES_MOST,
    Notes,
};
use std::sync::Arc;

impl World {
    /// Somebody outside calls the group's number.
    pub(super) fn call(&mut self, number: &str) -> LegId {
        let leg = LegId(self.next);
        self.next += 2;
        self.tell(super::ladder::arrived(leg, number, Origin::Trunk("carrier".into())));
        leg
    }

    /// Seconds go by, with a tick at each deadline.
    pub(super) fn wait(&mut self, seconds: u64) {
        let until = self.ms + seconds * 1000;
        while let Some(due) = self.desk.next_deadline().filter(|due| due.0 <= until * 1000) {
            self.ms = self.ms.max(due.0.div_ceil(1000));
            self.tell(Input::Tick);
        }
        self.ms = until;
    }

    pub(super) fn keys(&mut self, leg: LegId, keys: &str) {
        for key in keys.chars() {
            self.tell(Input::Key { leg, key });
        }
    }

    pub(super) fn wishes(&self) -> Vec<(CallId, CallbackEvent)> {
        let told = self.out.iter().filter_map(|action| match action {
            Action::Record(Fact::Callback { call, event }) => Some((*call, event.clone())),
            _ => None,
        });
        told.collect()
    }

    /// The phone that is rung for a wish now, if any.
    pub(super) fn rung(&mut self) -> Option<LegId> {
        let rung = self.out.iter().rev().find_map(|action| match action {
            Action::DialBack { leg, number, .. } => Some((*leg, number.reveal().clone())),
            _ => None,
        });
        self.out.retain(|action| !matches!(action, Action::DialBack { .. }));
        rung.map(|(leg, _)| leg)
    }

    pub(super) fn drain(&mut self, drains: bool) {
        let now = Now { mono: Mono(self.ms * 1000), wall: self.wall() };
        self.desk.drain(drains, now, &mut self.out);
    }

    /// The number outside that is being called, if any.
    pub(super) fn dialled_out(&mut self) -> Option<(LegId, String)> {
        let found = self.out.iter().rev().find_map(|action| match action {
            Action::DialOut { leg, way, .. } => Some((*leg, way.number.to_string())),
            _ => None,
        });
        self.out.retain(|action| !matches!(action, Action::DialOut { .. }));
        found
    }

    /// What was recorded, as entries of the history.
    pub(super) fn history(&self) -> Vec<Entry> {
        let facts = self.out.iter().filter_map(|action| match action {
            Action::Record(fact) => Some(fact.clone()),
            _ => None,
        });
        facts.zip(1..).map(|(fact, seq)| Entry { seq, at: self.wall(), fact }).collect()
    }

    /// A desk that begins anew with what the history says.
    fn restarted(&self, history: &[Entry]) -> Self {
        let (mut boxes, mut wishes) = (Boxes::default(), CallbacksMemory::default());
        for entry in history {
            boxes.apply(entry);
            wishes.apply(entry);
        }
        let mut desk = Desk::new(Arc::new(super::placed::plan()), 8, Rng::from_number(2));
        let now = Now { mono: Mono(self.ms * 1000), wall: self.wall() };
        desk.restore_attended(boxes, wishes, now);
        let mut notes = Notes::default();
        for entry in history {
            notes.apply(entry);
        }
        desk.restore_notes(notes);
        let mut world = Self { desk, ms: self.ms, out: Vec::new(), next: 101 };
        world.tell(Input::Tick);
        world.starts("201");
        world
    }
}

/// One agent, 201, who talks; then a caller who asks in the queue to be called back, and hangs up.
fn asked() -> (World, LegId, LegId) {
    let mut world = World::with(&[("carrier", Channels::default())], 5);
    let (first, phone) = world.asks();
    (world, first, phone)
}

impl World {
    /// See [`asked`].
    pub(super) fn asks(&mut self) -> (LegId, LegId) {
        let first = self.call("700");
        let phone = self.rings();
        self.tell(Input::Answered { leg: phone });
        self.rings_now();
        let waits = self.call("700");
        self.keys(waits, "21");
        self.gone(waits);
        (first, phone)
    }
}

#[test]
fn a_caller_is_called_back_once_when_it_is_its_turn() {
    let (mut world, first, _) = asked();
    let asked = world.history().into_iter().filter_map(|entry| match entry.fact {
        Fact::Call { call, event: CallEvent::CallbackAsked { number, entered, .. }, .. } => {
            Some((call, number.reveal().clone(), entered))
        }
        _ => None,
    });
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked.len(), 1, "{:?}", world.out);
    assert_eq!((asked[0].1.as_str(), asked[0].2), ("0398765432", false));
    // Who calls after that is behind.
    let later = world.call("700");
    world.wait(5);
    assert_eq!(world.rung(), None, "its agent talks");
    world.gone(first);
    world.wait(11); // after-call work
    let phone = world.rung().expect("the agent is rung for the wish, before the later caller");
    world.tell(Input::Answered { leg: phone });
    let (out, number) = world.dialled_out().expect("the caller is called");
    assert_eq!(number, "0398765432");
    world.tell(Input::Ringing { leg: out });
    world.tell(Input::Answered { leg: out });
    assert!(world.out.contains(&Action::Connect { caller: phone, agent: out }));
    world.wait(20);
    world.gone(out);
    let ends: Vec<_> = world.wishes().into_iter().map(|(_, event)| event).collect();
    assert_eq!(ends.last(), Some(&CallbackEvent::Ended { why: CallbackEnd::Answered }));
    // The agent has its work after the call, and then the later caller.
    assert!(!world.rings_now());
    world.wait(11);
    assert!(world.rings_now());
    world.gone(later);
    world.wait(4000);
    assert_eq!(world.rung(), None, "never twice");
    assert_eq!(world.dialled_out(), None);
}

#[test]
fn a_wish_waits_while_the_desk_drains_and_the_desk_goes_on() {
    // An agent gets free: for who waits, and not for the wish, though that is before.
    let (mut world, first, _) = asked();
    let later = world.call("700");
    world.drain(true);
    world.gone(first);
    world.wait(11);
    assert_eq!(world.rung(), None, "nobody is called back who would be cut off");
    let phone = world.rings();
    world.tell(Input::Answered { leg: phone });
    assert!(world.out.contains(&Action::Connect { caller: later, agent: phone }));
    world.gone(later);
    world.wait(11);
    assert_eq!(world.rung(), None);
    // Called off, it is served at once.
    world.drain(false);
    let phone = world.rung().expect("the agent is rung for the wish");

    // A pause that ends meanwhile.
    world.tell(Input::Answered { leg: phone });
    let (out, _) = world.dialled_out().expect("called");
    world.tell(Input::Refused { leg: out, status: 486 });
    world.drain(true);
    world.wait(90);
    assert_eq!(world.rung(), None);
    world.drain(false);
    // A phone that rings for it rings on, and is the last while the desk drains.
    assert!(world.rung().is_some());
    world.drain(true);
    world.wait(90);
    assert_eq!(world.rung(), None);
    world.drain(false);
    assert!(world.rung().is_some(), "{:?}", world.wishes());
}

#[test]
fn a_place_that_is_nobodys_costs_nobody_the_desk() {
    let mut world = World::with(&[("carrier", Channels::default())], 5);
    let group = world.desk.floor.group_ix(&"line".into()).expect("a group");
    let order = world.desk.floor.draw_order(Some(1));
    let place = Waiter { leg: LegId(998), since: Mono(0), demand: None, put_off: None };
    let room = world.desk.floor.group_mut(group);
    room.waiting.insert(order, place);
    room.hungry.insert(order);
    world.call("700");
    assert!(world.rings_now(), "who waits behind it is served");
}

#[test]
fn a_caller_who_does_not_answer_is_called_as_often_as_the_plan_says() {
    let (mut world, first, _) = asked();
    world.gone(first);
    world.wait(11);
    for call in 1..=2 {
        let phone = world.rung().unwrap_or_else(|| panic!("rung for call {call}"));
        world.tell(Input::Answered { leg: phone });
        let (out, _) = world.dialled_out().expect("called");
        world.tell(Input::Refused { leg: out, status: 486 });
        world.wait(59);
        assert_eq!(world.rung(), None, "not before its time");
        world.wait(12);
    }
    world.wait(4000);
    assert_eq!(world.rung(), None);
    let ended = CallbackEvent::Ended { why: CallbackEnd::GaveUp };
    assert_eq!(world.wishes().last().map(|(_, event)| event), Some(&ended));
}

#[test]
fn an_agent_who_does_not_take_it_costs_no_call_and_a_wish_lapses() {
    let (mut world, first, _) = asked();
    world.gone(first);
    world.wait(11);
    assert!(world.rung().is_some());
    world.wait(16);
    let missed =
        world.wishes().iter().any(|(_, event)| matches!(event, CallbackEvent::AgentMissed { .. }));
    assert!(missed, "rang out: {:?}", world.wishes());
    world.tell(Input::Phone { extension: "201".into(), reachable: false });
    world.wait(4000);
    let ended = CallbackEvent::Ended { why: CallbackEnd::Lapsed };
    assert_eq!(world.wishes().last().map(|(_, event)| event), Some(&ended));
}

#[test]
fn a_wish_is_cancelled_until_the_caller_is_called() {
    let (mut world, first, _) = asked();
    let call = |world: &World| {
        world.history().into_iter().find_map(|entry| match entry.fact {
            Fact::Call { call, event: CallEvent::CallbackAsked { .. }, .. } => Some(call),
            _ => None,
        })
    };
    let wish = call(&world).expect("a wish");
    let cancel = |world: &mut World| {
        let now = Now { mono: Mono(world.ms * 1000), wall: world.wall() };
        let command = Command::CancelCallback { call: wish, by: Means::Api };
        world.desk.command(command, now, &mut world.out)
    };
    world.gone(first);
    world.wait(11);
    let phone = world.rung().expect("rung");
    assert_eq!(cancel(&mut world), Ok(()));
    assert!(world.out.contains(&Action::HangUp { leg: phone, elsewhere: false }));
    assert_eq!(cancel(&mut world), Err(CommandError::NoSuchCallback));
    world.wait(4000);
    assert_eq!(world.rung(), None);

    let (mut world, first, _) = asked();
    let wish = call(&world).expect("a wish");
    world.gone(first);
    world.wait(11);
    let phone = world.rung().expect("rung");
    world.tell(Input::Answered { leg: phone });
    let now = Now { mono: Mono(world.ms * 1000), wall: world.wall() };
    let command = Command::CancelCallback { call: wish, by: Means::Api };
    let late = world.desk.command(command, now, &mut world.out);
    assert_eq!(late, Err(CommandError::TooLate));
}

#[test]
fn a_wish_outlives_a_restart_and_one_that_was_answered_is_not_called_again() {
    let (mut world, first, _) = asked();
    let before = world.history();
    let mut next = world.restarted(&before);
    next.wait(1);
    assert!(next.rung().is_some(), "{:?}", next.out);

    world.gone(first);
    world.wait(11);
    let phone = world.rung().expect("rung");
    world.tell(Input::Answered { leg: phone });
    let (out, _) = world.dialled_out().expect("called");
    let unanswered = world.history();
    world.tell(Input::Answered { leg: out });
    let answered = world.history();
    let placed =
        |entry: &Entry| matches!(entry.fact, Fact::Placed { event: PlacedEvent::Answered, .. });
    assert!(answered.iter().any(placed));

    let mut next = world.restarted(&unanswered);
    next.wait(1);
    assert!(next.rung().is_some(), "one of two calls was made");

    let mut next = world.restarted(&answered);
    next.wait(4000);
    assert_eq!(next.rung(), None);
    let ended = CallbackEvent::Ended { why: CallbackEnd::Answered };
    assert_eq!(next.wishes().last().map(|(_, event)| event), Some(&ended));
}

#[test]
fn a_wish_whose_number_was_erased_lapses_at_the_next_start() {
    let (world, ..) = asked();
    let mut history = world.history();
    for entry in &mut history {
        if let Fact::Call { event: CallEvent::CallbackAsked { number, .. }, .. } = &mut entry.fact {
            *number = Private::new(format!("erased:{}", "0".repeat(64)));
        }
    }
    let mut next = world.restarted(&history);
    next.wait(1);
    assert_eq!((next.rung(), next.dialled_out()), (None, None));
    let ended = CallbackEvent::Ended { why: CallbackEnd::Lapsed };
    assert_eq!(next.wishes().last().map(|(_, event)| event), Some(&ended));
}

#[test]
fn who_asks_twice_has_asked_once_and_a_full_list_takes_no_more() {
    let (mut world, first, _) = asked();
    let again = world.call("700");
    world.keys(again, "21");
    world.gone(again);
    assert_eq!(world.wishes().len(), 0);
    world.gone(first);
    world.wait(11);
    let phone = world.rung().expect("rung");
    world.tell(Input::Answered { leg: phone });
    let (out, _) = world.dialled_out().expect("called");
    world.tell(Input::Answered { leg: out });
    world.gone(out);
    world.wait(4000);
    assert_eq!(world.rung(), None, "the second wish was the first");
    // Another number, which the plan lets be called, and one that it does not.
    let other = world.call("0312345678");
    world.keys(other, "620311112222#");
    let strange = world.call("0312345678");
    world.keys(strange, "62119#");
    let asked = world.history().into_iter().filter_map(|entry| match entry.fact {
        Fact::Call { event: CallEvent::CallbackAsked { number, entered: true, .. }, .. } => {
            Some(number.reveal().clone())
        }
        _ => None,
    });
    assert_eq!(asked.collect::<Vec<_>>(), ["0311112222"]);
}

#[test]
fn messages_light_lamps_are_marked_and_deleted_and_outlive_a_restart() {
    let mut world = World::with(&[], 5);
    let leave = |world: &mut World| {
        let leg = world.call("0312345678");
        world.keys(leg, "51");
        world.played(leg);
        world.tell(Input::Spoke { leg, ms: 3000 });
        world.keys(leg, "#");
        world.gone(leg);
    };
    leave(&mut world);
    leave(&mut world);
    let lamps = world.desk.message_lamps().expect("changed");
    assert_eq!(lamps.get(&"201".into()), Some(&(2, 0)), "{:?}", world.out);
    assert_eq!(lamps.get(&"202".into()), Some(&(2, 0)));
    assert_eq!(world.desk.message_lamps(), None, "nothing since");
    // The box holds two.
    let leg = world.call("0312345678");
    world.keys(leg, "5");
    let full = world.out.iter().any(|action| match action {
        Action::Play { prompts, .. } => prompts == &["box_full".into()],
        _ => false,
    });
    assert!(full);
    let message = world.history().into_iter().find_map(|entry| match entry.fact {
        Fact::Call { call, event: CallEvent::MessageLeft { number, .. }, .. } => {
            Some((call, number))
        }
        _ => None,
    });
    let (call, number) = message.expect("a message");
    let order = |world: &mut World, order| {
        let now = Now { mono: Mono(world.ms * 1000), wall: world.wall() };
        let command = Command::Message { call, number, order, by: Means::Api };
        world.desk.command(command, now, &mut world.out)
    };
    assert_eq!(order(&mut world, MessageOrder::Unheard), Err(CommandError::AlreadySo));
    assert_eq!(order(&mut world, MessageOrder::Heard), Ok(()));
    assert_eq!(world.desk.message_lamps().expect("changed")[&"201".into()], (1, 1));
    let mut next = world.restarted(&world.history());
    assert_eq!(next.desk.message_lamps().expect("at the start")[&"201".into()], (1, 1));
    assert_eq!(order(&mut world, MessageOrder::Delete), Ok(()));
    assert!(world.out.contains(&Action::Erase { call, number }));
    assert_eq!(world.desk.message_lamps().expect("changed")[&"201".into()], (1, 0));
    assert_eq!(order(&mut world, MessageOrder::Heard), Err(CommandError::NoSuchMessage));
    let deleted = MessageEvent::Deleted { by: Means::Api };
    assert!(
        world.history().iter().any(|entry| {
            matches!(&entry.fact, Fact::Message { event, .. } if *event == deleted)
        })
    );
    let mut next = world.restarted(&world.history());
    assert_eq!(next.desk.message_lamps().expect("at the start")[&"201".into()], (1, 0));
}

impl World {
    /// The phone that rings for a caller.
    pub(super) fn rings(&self) -> LegId {
        let dialled = self.out.iter().rev().find_map(|action| match action {
            Action::Dial { leg, .. } => Some(*leg),
            _ => None,
        });
        dialled.expect("a phone rings")
    }

    /// Whether a phone was dialled for a caller since this was last asked.
    pub(super) fn rings_now(&mut self) -> bool {
        let rings = self.out.iter().any(|action| matches!(action, Action::Dial { .. }));
        self.out.retain(|action| !matches!(action, Action::Dial { .. }));
        rings
    }

    /// What plays to a leg comes to its end.
    pub(super) fn played(&mut self, leg: LegId) {
        let last = self.out.iter().rev().find_map(|action| match action {
            Action::Play { leg: to, play, .. } if *to == leg => Some(*play),
            _ => None,
        });
        let play = last.expect("something plays");
        self.tell(Input::Played { leg, play });
    }
}

#[test]
fn a_call_is_written_about_while_it_is_up_and_after_its_end_and_not_without_end() {
    let (mut world, first, _) = asked();
    let call = world.desk.call_of(first).expect("a call");
    let note = |world: &mut World, call, agent: &str, text: &str| {
        let now = Now { mono: Mono(world.ms * 1000), wall: world.wall() };
        let (agent, text) = (agent.into(), Private::new(text.to_owned()));
        let command = Command::Note { call, agent, text, by: Means::Api };
        world.desk.command(command, now, &mut world.out)
    };
    assert_eq!(note(&mut world, call, "201", "while it is up"), Ok(()));
    assert_eq!(note(&mut world, call, "999", "nobody"), Err(CommandError::NoSuchAgent));
    let other = CallId(uuid::Uuid::from_u128(1));
    assert_eq!(note(&mut world, other, "201", "no call"), Err(CommandError::NoSuchCall));
    world.gone(first);
    assert_eq!(note(&mut world, call, "201", "after its end"), Ok(()));
    let texts = world.history().into_iter().filter_map(|entry| match entry.fact {
        Fact::Note { call: of, event: NoteEvent::Noted { agent, text, .. } } => {
            Some((of, agent.to_string(), text.reveal().clone()))
        }
        _ => None,
    });
    let due = |text: &str| (call, "201".to_owned(), text.to_owned());
    assert_eq!(texts.collect::<Vec<_>>(), [due("while it is up"), due("after its end")]);
    // A restart forgets neither the call nor how much was written.
    let mut next = world.restarted(&world.history());
    for n in 2..NOTES_MOST {
        assert_eq!(note(&mut next, call, "201", "more"), Ok(()), "{n}");
    }
    assert_eq!(note(&mut next, call, "201", "too much"), Err(CommandError::TooMany));
    assert_eq!(note(&mut next, other, "201", "no call"), Err(CommandError::NoSuchCall));
}
