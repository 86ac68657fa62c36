//! Calls that agents placed outside and pass on, and callers of the desk whom they send outside.

use super::placed::World;
use crate::base::LegId;
use crate::event::{Caller, CallerNumber, Entry, Fact, Origin};
use crate::pbx::{Action, AgentState, Input, TalkedMemory, TransferNews, TransferTo};

/// 201, 202 and 203 are signed in; 201 may call outside, twice at once.
fn world() -> World {
    let mut world = World::with(&[], 2);
    for agent in ["202", "203"] {
        world.starts(agent);
    }
    world.out.clear();
    world
}

/// What went into the history, and what the phone that asked was told.
fn told(world: &mut World) -> Vec<String> {
    let word = |action: Action| match action {
        Action::Record(Fact::Call { event, .. }) => {
            let text = format!("{event:?}");
            Some(text.split([' ', '{']).next().unwrap_or_default().to_owned())
        }
        Action::Record(Fact::Placed { event, .. }) => {
            let text = format!("{event:?}");
            Some(format!("placed {}", text.split([' ', '{']).next().unwrap_or_default()))
        }
        Action::Transfer { news, .. } => Some(format!("{news:?}")),
        Action::Connect { .. } => Some("connect".to_owned()),
        Action::DialOut { trunk, .. } => Some(format!("out {trunk}")),
        Action::Dial { extension, .. } => Some(format!("dial {extension}")),
        _ => None,
    };
    world.out.drain(..).filter_map(word).collect()
}

/// 201 talks with somebody outside: its own leg and the other's.
fn talks_outside(world: &mut World) -> (LegId, LegId) {
    let own = world.dial("201", "0398765432");
    let far = world.dialled();
    world.tell(Input::Answered { leg: far });
    world.out.clear();
    (own, far)
}

/// A caller from outside talks with 201: the caller's leg and the phone's.
fn serves(world: &mut World) -> (LegId, LegId) {
    let leg = LegId(world.next);
    world.next += 2;
    let caller = Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
    let origin = Origin::Trunk("carrier".into());
    let dialled = "0312345673".into();
    world.tell(Input::Arrived { leg, dialled, caller, origin, hindrance: None });
    let phone = world.dialled();
    world.tell(Input::Answered { leg: phone });
    world.out.clear();
    (leg, phone)
}

fn to(number: &str) -> TransferTo {
    TransferTo::Number(number.into())
}

#[test]
fn an_agents_call_outside_goes_on_with_a_colleague_under_the_same_name() {
    let mut world = world();
    let (own, far) = talks_outside(&mut world);
    let id = world.desk.call_of(own);
    world.tell(Input::Hold { leg: own, on: true });
    world.ms += 60_000;
    world.out.clear();
    world.tell(Input::Transfer { leg: own, to: to("202") });
    let phone = world.dialled();
    assert_eq!(world.desk.call_of(far), id);
    assert_eq!(
        told(&mut world),
        [
            "placed Resumed",
            "placed Ended",
            "Arrived",
            "Accepted",
            "OperatorAnswered",
            "Accepted",
            "Transferred",
            "dial 202",
            "OfferMade"
        ]
    );
    world.tell(Input::Answered { leg: phone });
    assert_eq!(told(&mut world), ["Done", "connect", "OperatorAnswered"]);
    assert_eq!(world.agent(), AgentState::Idle);
    // The time outside still runs on 201's account: two minutes a day.
    world.ms += 59_999;
    world.tell(Input::Tick);
    assert_eq!(told(&mut world), [""; 0]);
    world.ms += 1;
    world.tell(Input::Tick);
    assert_eq!(told(&mut world), ["Ended"]);
    assert_eq!(world.desk.held(), 0);
    world.dial("201", "0398765432");
    assert_eq!(world.done(), ["refuse 403", "= TimeUsedUp"]);
}

#[test]
fn a_call_outside_is_given_to_a_group_and_comes_back_when_nobody_is_there() {
    let mut world = world();
    let (own, far) = talks_outside(&mut world);
    world.tell(Input::Transfer { leg: own, to: to("700") });
    // 201 gave it away and is not rung for it while others are free; it is the first of the group.
    assert!(told(&mut world).contains(&"OperatorAsked".to_owned()));
    world.gone(far);
    world.out.clear();
    assert_eq!(world.desk.held(), 0);

    let (own, far) = talks_outside(&mut world);
    world.tell(Input::Transfer { leg: own, to: to("202") });
    let phone = world.dialled();
    world.out.clear();
    world.tell(Input::Refused { leg: phone, status: 486 });
    assert_eq!(told(&mut world), ["OfferEnded", "Failed { status: 486 }", "Returned", "connect"]);
    world.gone(own);
    assert!(world.desk.open_calls() <= 1, "it hung up at once, and is rung again");
    world.gone(far);
    world.out.clear();
    assert_eq!(world.desk.held(), 0);
}

#[test]
fn a_refused_wish_leaves_an_agents_call_outside_as_it_was() {
    let mut world = world();
    let (own, far) = talks_outside(&mut world);
    for (leg, number, status) in
        [(own, "9", 404), (own, "201", 403), (own, "*1", 403), (own, "119", 403), (far, "202", 403)]
    {
        world.tell(Input::Transfer { leg, to: to(number) });
        let refused = format!("Refused {{ status: {status} }}");
        assert_eq!(told(&mut world), [refused], "{number}");
    }
    world.gone(far);
    assert_eq!(world.done(), ["hang up", "= HungUp"]);
    assert_eq!(world.desk.held(), 0);
}

#[test]
fn whom_an_agent_called_outside_is_joined_with_the_colleague_it_asked() {
    for asks_by_consultation in [false, true] {
        let mut world = world();
        let (own, far) = talks_outside(&mut world);
        let consult = world.dial("201", "202");
        let phone = world.dialled();
        world.tell(Input::Answered { leg: phone });
        world.out.clear();
        let (leg, other) = if asks_by_consultation { (consult, own) } else { (own, consult) };
        world.tell(Input::Transfer { leg, to: TransferTo::Leg(other) });
        let told = told(&mut world);
        assert_eq!(told.first().map(String::as_str), Some("Accepted"), "{told:?}");
        assert!(told.contains(&"connect".to_owned()) && told.contains(&"Done".to_owned()));
        assert_eq!(world.agent(), AgentState::Idle);
        world.gone(phone);
        world.out.clear();
        assert_eq!((world.desk.held(), world.desk.call_of(far)), (0, None));
    }
}

#[test]
fn a_caller_is_sent_outside_by_the_rules_of_the_agent_who_sends() {
    let mut world = world();
    let (caller, phone) = serves(&mut world);
    world.tell(Input::Transfer { leg: phone, to: to("0398765432") });
    let far = world.dialled();
    assert_eq!(told(&mut world), ["Accepted", "SentAway", "TrunkTried", "out carrier"]);
    // A trunk that cannot is followed by the next.
    world.tell(Input::Refused { leg: far, status: 503 });
    world.tell(Input::Refused { leg: world.dialled(), status: 503 });
    let far = world.dialled();
    assert_eq!(
        told(&mut world),
        ["TrunkFailed", "TrunkTried", "out carrier", "TrunkFailed", "TrunkTried", "out second"]
    );
    world.tell(Input::Ringing { leg: far });
    world.tell(Input::Answered { leg: far });
    assert_eq!(told(&mut world), ["Rings", "Done", "connect", "AwayAnswered"]);
    assert_eq!(world.agent(), AgentState::Idle);
    for (leg, on) in [(far, true), (caller, true), (far, false), (caller, false)] {
        world.tell(Input::Hold { leg, on });
    }
    assert_eq!(told(&mut world), ["Held", "Held", "Resumed", "Resumed"]);
    // It counts for 201: with two of its own there is no room for a third.
    talks_outside(&mut world);
    world.dial("201", "0398765433");
    assert_eq!(world.done(), ["refuse 486", "= TooManyCalls"]);
    world.ms += 120_000;
    world.tell(Input::Tick);
    let text = format!("{:?}", world.out);
    assert_eq!(text.matches("TimeUsedUp").count(), 2, "{text}");
    world.out.clear();
    assert_eq!(world.desk.held(), 0);
}

#[test]
fn nobody_is_sent_outside_by_an_agent_who_may_not_call_there() {
    let mut world = world();
    let (_, phone) = serves(&mut world);
    for (number, status) in [("0120123456", 404), ("110", 403), ("901", 200)] {
        world.tell(Input::Transfer { leg: phone, to: to(number) });
        let first = told(&mut world).remove(0);
        let want = if status == 200 {
            "Accepted".to_owned()
        } else {
            format!("{:?}", TransferNews::Refused { status })
        };
        assert_eq!(first, want, "{number}");
    }
    // 202 has no permission; 201 has used up its time.
    let mut world = self::world();
    let leg = world.dial("201", "202");
    let phone = world.dialled();
    world.tell(Input::Answered { leg: phone });
    world.out.clear();
    world.tell(Input::Transfer { leg: phone, to: to("0398765432") });
    assert_eq!(told(&mut world), ["Refused { status: 403 }"]);
    world.gone(leg);
    let (own, _) = talks_outside(&mut world);
    world.ms += 120_000;
    world.tell(Input::Tick);
    assert!(world.desk.call_of(own).is_none());
    let (_, phone) = serves(&mut world);
    world.tell(Input::Transfer { leg: phone, to: to("0398765432") });
    assert_eq!(told(&mut world), ["Refused { status: 403 }"]);
}

#[test]
fn who_is_not_reached_outside_comes_back() {
    let mut world = world();
    let (caller, phone) = serves(&mut world);
    for rings_out in [false, true] {
        world.tell(Input::Transfer { leg: phone, to: to("0398765432") });
        let far = world.dialled();
        world.out.clear();
        if rings_out {
            world.ms += 180_000;
            world.tell(Input::Tick);
            assert_eq!(told(&mut world), ["Failed { status: 480 }", "Returned", "connect"]);
        } else {
            world.tell(Input::Refused { leg: far, status: 486 });
            let due = ["TrunkFailed", "Failed { status: 486 }", "Returned", "connect"];
            assert_eq!(told(&mut world), due);
        }
    }
    // The phone hangs up first, as most do: then it is rung again.
    world.tell(Input::Transfer { leg: phone, to: to("0398765432") });
    let far = world.dialled();
    world.gone(phone);
    world.out.clear();
    world.tell(Input::Refused { leg: far, status: 404 });
    assert_eq!(told(&mut world), ["TrunkFailed", "dial 201", "OfferMade"]);
    world.gone(caller);
    world.out.clear();
    assert_eq!(world.desk.held(), 0);
}

#[test]
fn a_caller_is_joined_with_whom_the_agent_asked_outside() {
    for asks_by_consultation in [false, true] {
        let mut world = world();
        let (caller, phone) = serves(&mut world);
        let (own, far) = talks_outside(&mut world);
        let (leg, other) = if asks_by_consultation { (own, phone) } else { (phone, own) };
        world.tell(Input::Transfer { leg, to: TransferTo::Leg(other) });
        let told = told(&mut world);
        for word in ["Accepted", "placed Ended", "SentAway", "Done", "connect", "AwayAnswered"] {
            assert!(told.contains(&word.to_owned()), "{word}: {told:?}");
        }
        assert_eq!(world.agent(), AgentState::Idle);
        assert_eq!(world.desk.call_of(far), world.desk.call_of(caller));
        world.gone(far);
        world.out.clear();
        assert_eq!(world.desk.held(), 0);
    }
}

#[test]
fn a_restart_knows_what_was_talked_outside_in_calls_that_were_passed_on() {
    let mut world = world();
    let plan = world.desk.floor.plan.clone();
    let mut memory = TalkedMemory::default();
    let mut seq = 0;
    let mut fold = |world: &mut World| {
        let at = world.wall();
        for action in world.out.drain(..) {
            if let Action::Record(fact) = action {
                seq += 1;
                memory.apply(&Entry { seq, at, fact }, &plan);
            }
        }
        memory.talked.clone()
    };
    let own = world.dial("201", "0398765432");
    let far = world.dialled();
    world.tell(Input::Answered { leg: far });
    fold(&mut world);
    world.ms += 20_000;
    world.tell(Input::Transfer { leg: own, to: to("202") });
    let phone = world.dialled();
    world.tell(Input::Answered { leg: phone });
    fold(&mut world);
    world.ms += 10_000;
    world.gone(phone);
    assert_eq!(fold(&mut world), world.desk.floor.ledger.talked);

    let (_, phone) = serves(&mut world);
    world.tell(Input::Transfer { leg: phone, to: to("0398765432") });
    let far = world.dialled();
    world.ms += 3_000;
    world.tell(Input::Answered { leg: far });
    fold(&mut world);
    world.ms += 40_000;
    world.gone(far);
    let talked = fold(&mut world);
    assert_eq!(talked, world.desk.floor.ledger.talked);
    assert_eq!(talked.today(&"201".into(), world.wall(), &plan).as_secs(), 70);
}
