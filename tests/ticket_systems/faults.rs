//! What whoever feeds a system relies on when it goes wrong: nothing twice, nothing lost, and the reason told
//! without a word of the answer.

use crate::all;
use crate::contract::PATIENCE;
use crate::serve::{Fault, TELLTALE};
use crate::system::{System, a_call, addition_of, run, ticket_of};
use madoguchi::event::Unfed;
use madoguchi::io::deliver::Failed;
use madoguchi::io::deliver::tickets::Unable;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(400);

/// Whether a failure is the one that is due.
type Due = fn(&Unable) -> bool;

/// What is done although no answer says so.
fn done_unseen() -> [(Fault, Due); 5] {
    [
        (Fault::DoneBut(500), |it| it.unfed() == Unfed::Refused { status: 500 }),
        (Fault::DoneBut(502), |it| it.unfed() == Unfed::Refused { status: 502 }),
        (Fault::DoneAndGone, |it| it.unfed() == Unfed::CutOff),
        (Fault::DoneButSlow(Duration::from_millis(900)), |it| it.unfed() == Unfed::TimedOut),
        (Fault::DoneButGarbled, |it| it.unfed() == Unfed::Garbled),
    ]
}

fn quiet(unable: &Unable, system: &dyn System) {
    for told in [unable.to_string(), format!("{unable:?}")] {
        assert!(!told.contains(TELLTALE), "{}: {told}", system.name());
    }
}

#[test]
fn a_ticket_whose_answer_was_lost_is_there_once_in_the_end() {
    for system in all() {
        for (fault, due) in done_unseen() {
            let call = a_call();
            let ticket = ticket_of(call, "電話", "x");
            if !system.fault(true, fault) {
                continue;
            }
            let tried = run(async { system.sink(SHORT).create(&ticket).await });
            match tried {
                Err(unable) => {
                    assert!(due(&unable), "{} {fault:?}: {unable}", system.name());
                    quiet(&unable, &*system);
                }
                // The site's own receiver may answer anything: a 2xx is a yes.
                Ok(name) => {
                    assert!(matches!(fault, Fault::DoneButGarbled), "{} {fault:?}", system.name());
                    assert_eq!((system.name(), name), ("webhook", call.to_string()));
                }
            }
            let sink = system.sink(PATIENCE);
            let found = run(async { sink.find(call).await }).expect(system.name());
            if system.can().find {
                assert_eq!(found.len(), 1, "{} {fault:?}", system.name());
            } else {
                run(async { sink.create(&ticket).await }).expect(system.name());
            }
            assert_eq!(system.shown(call).len(), 1, "{} {fault:?}", system.name());
        }
    }
}

#[test]
fn an_addition_whose_answer_was_lost_is_there_once_in_the_end() {
    for system in all() {
        for (seq, (fault, _)) in (40..).zip(done_unseen()) {
            let call = a_call();
            let sink = system.sink(PATIENCE);
            let ticket = run(async { sink.create(&ticket_of(call, "電話", "x")).await });
            let ticket = ticket.expect(system.name());
            if !system.fault(true, fault) {
                continue;
            }
            let step = addition_of(call, seq, "note", Some("メモ"), &[]);
            if let Err(unable) = run(async { system.sink(SHORT).append(&ticket, &step).await }) {
                quiet(&unable, &*system);
            }
            run(async {
                if !sink.holds(&ticket, &step.key).await.expect(system.name()) {
                    sink.append(&ticket, &step).await.expect(system.name());
                }
            });
            let shown = system.shown(call);
            assert_eq!(shown[0].texts.len(), 2, "{} {fault:?}", system.name());
        }
    }
}

#[test]
fn what_never_arrived_is_not_there_and_comes_with_the_next_try() {
    for system in all() {
        let call = a_call();
        if !system.fault(true, Fault::Gone) {
            continue;
        }
        let (sink, ticket) = (system.sink(PATIENCE), ticket_of(call, "電話", "x"));
        let unable = run(async { sink.create(&ticket).await }).expect_err(system.name());
        assert_eq!(unable.unfed(), Unfed::CutOff, "{}", system.name());
        assert_eq!(run(async { sink.find(call).await }).expect(system.name()), [""; 0]);
        run(async { sink.create(&ticket).await }).expect(system.name());
        assert_eq!(system.shown(call).len(), 1, "{}", system.name());
    }
}

#[test]
fn a_refusal_is_told_with_its_status_and_its_pause() {
    let table = [
        (401, None),
        (403, None),
        (404, None),
        (409, None),
        (413, None),
        (422, None),
        (429, Some(7)),
        (500, None),
        (503, Some(120)),
        (507, None),
    ];
    for system in all() {
        for (status, after) in table {
            let call = a_call();
            let sink = system.sink(PATIENCE);
            let ticket = ticket_of(call, "電話", "x");
            if !system.fault(true, Fault::Refused(status, after)) {
                continue;
            }
            let unable = run(async { sink.create(&ticket).await }).expect_err(system.name());
            assert_eq!(unable.unfed(), Unfed::Refused { status }, "{}: {unable}", system.name());
            assert_eq!(unable.retry_after(), after.map(Duration::from_secs), "{}", system.name());
            quiet(&unable, &*system);
            assert_eq!(system.shown(call), [], "{}", system.name());
            if !system.can().find {
                continue;
            }
            // The same of a look.
            system.fault(false, Fault::Refused(status, after));
            let unable = run(async { sink.find(call).await }).expect_err(system.name());
            assert_eq!(unable.unfed(), Unfed::Refused { status }, "{}: {unable}", system.name());
        }
    }
}

#[test]
fn an_addition_that_is_refused_is_told_so_and_not_there() {
    for system in all() {
        for status in [401, 403, 413, 422, 429, 500, 503] {
            let call = a_call();
            let sink = system.sink(PATIENCE);
            let ticket = run(async { sink.create(&ticket_of(call, "電話", "x")).await });
            let ticket = ticket.expect(system.name());
            if !system.fault(true, Fault::Refused(status, None)) {
                continue;
            }
            let step = addition_of(call, 50, "note", Some("メモ"), &[]);
            let unable = run(async { sink.append(&ticket, &step).await }).expect_err(system.name());
            assert_eq!(unable.unfed(), Unfed::Refused { status }, "{}: {unable}", system.name());
            assert_eq!(system.shown(call)[0].texts.len(), 1, "{}", system.name());
        }
    }
}

#[test]
fn a_redirect_is_a_refusal_and_nothing_is_followed() {
    for system in all() {
        let (call, sink) = (a_call(), system.sink(PATIENCE));
        if !system.fault(true, Fault::Redirected) {
            continue;
        }
        let before = system.asked().expect("counted");
        let ticket = ticket_of(call, "電話", "x");
        let unable = run(async { sink.create(&ticket).await }).expect_err(system.name());
        let is_redirect = matches!(
            unable,
            Unable::Failed(Failed::Refused { status: 302, is_redirect: true, .. })
        );
        assert!(is_redirect, "{}: {unable}", system.name());
        assert_eq!(system.asked(), Some(before + 1), "{}", system.name());
    }
}

#[test]
fn an_answer_that_is_too_long_or_no_json_is_no_answer() {
    for system in all() {
        if !system.can().find || !system.fault(false, Fault::Endless) {
            continue;
        }
        let (call, sink) = (a_call(), system.sink(PATIENCE));
        let unable = run(async { sink.find(call).await }).expect_err(system.name());
        assert_eq!(unable.unfed(), Unfed::Garbled, "{}: {unable}", system.name());
        system.fault(false, Fault::DoneButGarbled);
        let unable = run(async { sink.find(call).await }).expect_err(system.name());
        assert_eq!(unable.unfed(), Unfed::Garbled, "{}: {unable}", system.name());
        quiet(&unable, &*system);
    }
}

#[test]
fn a_slow_answer_is_waited_for_and_a_slower_one_is_not() {
    for system in all() {
        let (call, late) = (a_call(), Duration::from_millis(700));
        let ticket = ticket_of(call, "電話", "x");
        if !system.fault(true, Fault::DoneButSlow(late)) {
            continue;
        }
        run(async { system.sink(PATIENCE).create(&ticket).await }).expect(system.name());
        system.fault(true, Fault::DoneButSlow(Duration::from_secs(3)));
        let began = Instant::now();
        let ticket = ticket_of(a_call(), "電話", "x");
        let unable = run(async { system.sink(SHORT).create(&ticket).await });
        assert_eq!(unable.expect_err(system.name()).unfed(), Unfed::TimedOut, "{}", system.name());
        assert!(began.elapsed() < Duration::from_secs(2), "{}", system.name());
    }
}
