//! The state that is shown, what a restart forgets, and the ringing of a day.

use super::{AgentRestore, AgentState, Agents};
use crate::base::{AgentId, Wall};
use crate::event::{AgentEvent as E, Means, OfferEnd};
use chrono::NaiveDate;

#[test]
fn the_state_that_matters_most_is_shown() {
    let id = AgentId::from("2001");
    let mut agents = Agents::new(chrono_tz::Asia::Tokyo);
    agents.set_roster(vec![(id.clone(), "佐藤".into())]);
    let steps: &[(E, AgentState)] = &[
        (E::Phone { reachable: true }, AgentState::SignedOut),
        (E::SignedIn { by: Means::FeatureCode }, AgentState::Idle),
        (E::Phone { reachable: false }, AgentState::Unreachable),
        (E::Paused { by: Means::Api, reason: "昼休み".into() }, AgentState::Paused),
        (E::Phone { reachable: true }, AgentState::Paused),
        (E::Talking, AgentState::Talking),
        (E::WrapUp { for_ms: 30_000 }, AgentState::WrapUp),
        (E::Idle, AgentState::Paused),
        (E::Unpaused { by: Means::Api }, AgentState::Idle),
        (E::Talking, AgentState::Talking),
        (E::SignedOut { by: Means::Api }, AgentState::Talking),
        (E::Idle, AgentState::SignedOut),
    ];
    for (at, (event, due)) in (1..).zip(steps) {
        agents.apply(&id, event, Wall(at));
        let row = agents.rows(NaiveDate::MIN).next().expect("shown");
        assert_eq!(row.state, *due, "after {event:?}");
    }
}

#[test]
fn since_moves_only_with_the_state_shown() {
    let id = AgentId::from("2001");
    let mut agents = Agents::new(chrono_tz::Asia::Tokyo);
    agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(10));
    agents.apply(&id, &E::Phone { reachable: true }, Wall(20));
    agents.apply(&id, &E::Phone { reachable: true }, Wall(30));
    agents.offer_made(&id, Wall(40));
    agents.offer_over(&id, Wall(50));
    assert_eq!(
        agents.rows(NaiveDate::MIN).next().map(|row| (row.state, row.since_ms)),
        Some((AgentState::Idle, Wall(50)))
    );
}

#[test]
fn a_restart_forgets_calls_and_phones_and_keeps_people() {
    let id = AgentId::from("2001");
    let mut agents = Agents::new(chrono_tz::Asia::Tokyo);
    agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(1));
    agents.apply(&id, &E::Paused { by: Means::Rule, reason: "rang out".into() }, Wall(2));
    agents.apply(&id, &E::Talking, Wall(3));
    agents.restarted(Wall(4));
    let due = AgentRestore { agent: id, signed_in: true, paused: Some("rang out".into()) };
    assert_eq!(agents.for_restore(), [due]);
    assert_eq!(agents.rows(NaiveDate::MIN).next().map(|row| row.state), Some(AgentState::Paused));
}

#[test]
fn who_left_the_plan_is_hidden_once_signed_out() {
    let id = AgentId::from("2001");
    let mut agents = Agents::new(chrono_tz::Asia::Tokyo);
    agents.set_roster(vec![(id.clone(), "佐藤".into())]);
    agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(1));
    agents.set_roster(vec![]);
    assert_eq!(agents.rows(NaiveDate::MIN).count(), 1);
    agents.apply(&id, &E::SignedOut { by: Means::Api }, Wall(2));
    assert_eq!(agents.rows(NaiveDate::MIN).count(), 0);
}

#[test]
fn missed_refused_cancelled_and_taken_elsewhere_are_told_apart() {
    let id = AgentId::from("2001");
    let mut agents = Agents::new(chrono_tz::Asia::Tokyo);
    agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(1));
    let day = |day| NaiveDate::from_ymd_opt(2026, 10, day).expect("a day");
    agents.rang(&id, Some(OfferEnd::RangOut), day(1));
    let today = [
        None,
        Some(OfferEnd::RangOut),
        Some(OfferEnd::Refused { status: 486 }),
        Some(OfferEnd::CallerLeft),
        Some(OfferEnd::TakenElsewhere),
        Some(OfferEnd::RangOut),
    ];
    for why in today {
        agents.rang(&id, why, day(2));
    }
    let rings = |day| agents.rows(day).next().map(|row| row.today).expect("shown");
    let due = super::Rings {
        answered: 1,
        missed: 2,
        refused: 1,
        caller_left: 1,
        taken_elsewhere: 1,
        ..super::Rings::default()
    };
    assert_eq!(rings(day(2)), due, "yesterday's are not among them");
    assert_eq!(rings(day(3)), super::Rings::default());
}
