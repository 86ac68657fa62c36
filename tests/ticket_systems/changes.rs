//! How tickets stand is read back: every one that changed, whenever it did, and nothing that is not understood.

use crate::all;
use crate::contract::PATIENCE;
use crate::redmine::Redmine;
use crate::rt::Rt;
use crate::system::{ARRIVED, System, a_call, run, ticket_of};
use madoguchi::base::{CallId, Wall};
use madoguchi::event::{TicketEscalatedTo, TicketExclusion, TicketState};
use madoguchi::feed::Field;
use madoguchi::io::deliver::tickets::{Changed, Cursor};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Looks until there is no more.
fn looked(system: &dyn System, cursor: &mut Cursor) -> (BTreeMap<String, TicketState>, Changed) {
    let sink = system.sink(PATIENCE);
    let (mut told, mut last) = (BTreeMap::new(), Changed::default());
    for _ in 0..1_000 {
        let look = run(async { sink.changed(cursor).expect("it tells").await });
        let look = look.expect(system.name());
        *cursor = look.cursor.clone();
        for seen in &look.tickets {
            told.insert(seen.ticket.clone(), seen.state.clone());
        }
        last.problems.extend(look.problems.clone());
        last.tickets.extend(look.tickets.clone());
        if !look.more {
            return (told, last);
        }
    }
    panic!("{}: it never ends", system.name());
}

fn opened(system: &dyn System, call: CallId) -> String {
    run(async { system.sink(PATIENCE).create(&ticket_of(call, "電話", "x")).await })
        .expect(system.name())
}

/// Systems that tell of changes.
fn telling() -> Vec<Box<dyn System>> {
    all().into_iter().filter(|system| system.can().changed).collect()
}

#[test]
fn who_does_not_tell_of_changes_says_so() {
    for system in all() {
        let since = Cursor::new();
        let tells = system.sink(PATIENCE).changed(&since).is_some();
        assert_eq!(tells, system.can().changed, "{}", system.name());
    }
}

#[test]
fn a_ticket_is_told_as_it_stands_from_its_opening_to_its_end_and_back() {
    for system in telling() {
        let (call, mut cursor) = (a_call(), Cursor::new());
        let ticket = opened(&*system, call);
        let (told, look) = looked(&*system, &mut cursor);
        let open = TicketState {
            received_at: ARRIVED,
            completed_at: None,
            escalations: Vec::new(),
            reported_at: None,
            technical: false,
            exclusions: Vec::new(),
        };
        assert_eq!(told[&ticket], open, "{}", system.name());
        let seen = look.tickets.iter().find(|it| it.ticket == ticket).expect("told");
        assert_eq!(seen.call, Some(call), "{}", system.name());

        system.write(&ticket, "escalated_at", "2026-11-26 09:35;2026/11/26 9:40");
        system.write(&ticket, "escalated_to", "システム構築業者;other");
        system.write(&ticket, "escalation_answered_at", "2026-11-26T10:00:00+09:00;");
        system.write(&ticket, "reported_at", "2026-11-26 09:50");
        system.write(&ticket, "technical", "はい");
        system.write(&ticket, "exclusions", "ウイルス調査;caller_asked_for_time");
        let (told, _) = looked(&*system, &mut cursor);
        let state = &told[&ticket];
        let minutes = |minutes: i64| Wall(ARRIVED.0 + minutes * 60_000);
        assert_eq!(state.escalations.len(), 2, "{}", system.name());
        assert_eq!(state.escalations[0].to, TicketEscalatedTo::SystemBuilder);
        assert_eq!(state.escalations[0].at, minutes(5));
        assert_eq!(state.escalations[0].answered_at, Some(minutes(30)));
        assert_eq!(
            (state.escalations[1].at, state.escalations[1].answered_at),
            (minutes(10), None)
        );
        assert_eq!((state.reported_at, state.technical), (Some(minutes(20)), true));
        let excluded =
            [TicketExclusion::VirusInvestigation, TicketExclusion::CallerAskedForTime].to_vec();
        assert_eq!(state.exclusions, excluded, "{}", system.name());
        // A real system's clock is today's; these fields are of a day of the test's.
        for field in ["escalated_at", "escalated_to", "escalation_answered_at", "reported_at"] {
            system.write(&ticket, field, "");
        }

        system.close(&ticket, true);
        let (told, _) = looked(&*system, &mut cursor);
        assert!(told[&ticket].completed_at.is_some(), "{}", system.name());
        system.close(&ticket, false);
        let (told, _) = looked(&*system, &mut cursor);
        assert_eq!(told[&ticket].completed_at, None, "{}: opened again", system.name());
    }
}

#[test]
fn a_ticket_that_is_not_understood_is_left_out_until_it_is_mended() {
    for system in telling() {
        let (call, mut cursor) = (a_call(), Cursor::new());
        let ticket = opened(&*system, call);
        looked(&*system, &mut cursor);
        system.write(&ticket, "reported_at", "あした");
        let (told, look) = looked(&*system, &mut cursor);
        assert!(!told.contains_key(&ticket), "{}", system.name());
        let problem = look.problems.iter().find(|it| it.ticket == ticket).expect(system.name());
        assert_eq!(problem.misread.field, Field::ReportedAt, "{}", system.name());
        let said = problem.misread.to_string();
        assert!(said.contains("reported_at") && !said.contains("あした"), "{said}");
        system.write(&ticket, "reported_at", "2026-11-26 09:31");
        let (told, _) = looked(&*system, &mut cursor);
        assert_eq!(told[&ticket].reported_at, Some(Wall(ARRIVED.0 + 60_000)), "{}", system.name());
    }
}

#[test]
fn of_hundreds_of_tickets_in_one_second_none_is_missed() {
    let redmine = Redmine::own();
    let rt = Rt::own();
    for _ in 0..3 {
        opened(&redmine, a_call());
        opened(&rt, a_call());
    }
    {
        let mut site = redmine.own.as_ref().expect("ours").site.lock().unwrap();
        let like = site.issues[0].clone();
        for id in 4..=350 {
            let mut issue = like.clone();
            issue["id"] = json!(id);
            site.issues.push(issue);
        }
        let mut site = rt.own.as_ref().expect("ours").site.lock().unwrap();
        let like = site.tickets[0].clone();
        for id in 4..=350 {
            let mut ticket = like.clone();
            ticket["id"] = json!(id.to_string());
            site.tickets.push(ticket);
        }
    }
    let due: BTreeSet<String> = (1..=350).map(|id: u32| id.to_string()).collect();
    for system in [&redmine as &dyn System, &rt] {
        let mut cursor = Cursor::new();
        for round in 0..2 {
            let told: BTreeSet<String> = looked(system, &mut cursor).0.into_keys().collect();
            assert_eq!(told, due, "{} {round}", system.name());
        }
    }
}

#[test]
fn what_changes_in_the_second_of_the_last_look_or_after_a_clock_was_put_back_is_told() {
    let redmine = Redmine::own();
    let rt = Rt::own();
    for system in [&redmine as &dyn System, &rt] {
        let (one, other) = (opened(system, a_call()), opened(system, a_call()));
        let mut cursor = Cursor::new();
        looked(system, &mut cursor);
        // The same second: its own clock has not moved.
        system.close(&one, true);
        assert!(looked(system, &mut cursor).0[&one].completed_at.is_some(), "{}", system.name());
        redmine.own.as_ref().expect("ours").site.lock().unwrap().now_s -= 30;
        rt.own.as_ref().expect("ours").site.lock().unwrap().now_s -= 30;
        system.close(&other, true);
        assert!(looked(system, &mut cursor).0[&other].completed_at.is_some(), "{}", system.name());
    }
}

#[test]
fn after_a_long_time_only_what_changed_is_told() {
    let redmine = Redmine::own();
    let rt = Rt::own();
    for system in [&redmine as &dyn System, &rt] {
        for _ in 0..5 {
            opened(system, a_call());
        }
        let mut cursor = Cursor::new();
        assert_eq!(looked(system, &mut cursor).0.len(), 5, "{}", system.name());
        redmine.own.as_ref().expect("ours").site.lock().unwrap().now_s += 3_600;
        rt.own.as_ref().expect("ours").site.lock().unwrap().now_s += 3_600;
        let new = opened(system, a_call());
        looked(system, &mut cursor);
        let told: Vec<String> = looked(system, &mut cursor).0.into_keys().collect();
        assert_eq!(told, [new], "{}", system.name());
    }
}

#[test]
fn an_older_redmine_that_does_not_say_what_is_closed_is_asked_for_it() {
    let redmine = Redmine::own();
    redmine.own.as_ref().expect("ours").site.lock().unwrap().is_old = true;
    let (ticket, mut cursor) = (opened(&redmine, a_call()), Cursor::new());
    redmine.close(&ticket, true);
    assert!(looked(&redmine, &mut cursor).0[&ticket].completed_at.is_some());
    redmine.close(&ticket, false);
    assert_eq!(looked(&redmine, &mut cursor).0[&ticket].completed_at, None);
}

#[test]
fn a_ticket_of_no_call_is_told_without_one_from_its_creation() {
    let redmine = Redmine::own();
    let ticket = opened(&redmine, a_call());
    redmine.write(&ticket, "call", "");
    redmine.write(&ticket, "arrived_at", "");
    let (_, look) = looked(&redmine, &mut Cursor::new());
    assert_eq!(look.tickets[0].call, None);
    assert_eq!(look.tickets[0].state.received_at, Wall(ARRIVED.0 + 60_000));
}
