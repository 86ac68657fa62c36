//! What whoever feeds a system relies on when nothing goes wrong.

use crate::all;
use crate::system::{System, a_call, addition_of, run, ticket_of};
use madoguchi::base::CallId;
use madoguchi::event::Unfed;
use madoguchi::feed::{Value, key};
use madoguchi::io::deliver::tickets::Unable;
use std::collections::BTreeMap;
use std::time::Duration;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Texts that a caller, an agent or an enemy may bring, and what becomes of them where a line is one line.
const HOSTILE: [&str; 9] = [
    "電話 0355501234 応答",
    "He said \"it's 'broken'\", twice; a\\b",
    "<script>alert(1)</script> &amp; <b>x</b>",
    "'; DROP TABLE issues; --",
    "=HYPERLINK(\"http://example.invalid\",\"x\")",
    "+1-2@x, -3",
    "絵文字 📞👩🏽‍💻 ｶﾀｶﾅ",
    "%s %00 ${x} {{x}} #{x}",
    "*x* _y_ !z! h1. t [[w]] #12",
];

/// Opens a ticket as the feeder does: looked for before.
fn opened(system: &dyn System, call: CallId, subject: &str, text: &str) -> String {
    let sink = system.sink(PATIENCE);
    run(async {
        let found = sink.find(call).await.expect("looked for");
        assert_eq!(found, Vec::<String>::new(), "{}: nothing yet", system.name());
        sink.create(&ticket_of(call, subject, text)).await.expect(system.name())
    })
}

#[test]
fn a_ticket_is_opened_and_found_by_its_call() {
    for system in all() {
        let (call, other) = (a_call(), a_call());
        let ticket = opened(&*system, call, "電話", "一行目\n二行目");
        let another = opened(&*system, other, "電話", "ほか");
        assert!((1..=64).contains(&ticket.chars().count()), "{}: {ticket}", system.name());
        assert_ne!(ticket, another, "{}", system.name());
        if system.can().find {
            let found = run(async { system.sink(PATIENCE).find(call).await.expect("found") });
            assert_eq!(found, std::slice::from_ref(&ticket), "{}", system.name());
        }
        let shown = system.shown(call);
        assert_eq!(shown.len(), 1, "{}: {shown:?}", system.name());
        assert_eq!((shown[0].name.as_str(), shown[0].subject.as_str()), (&*ticket, "電話"));
        let mark = format!("[madoguchi {}]", key(call, 7, "open"));
        assert_eq!(shown[0].texts, [format!("一行目\n二行目\n{mark}")], "{}", system.name());
    }
}

#[test]
fn what_is_added_stands_there_once_and_in_order() {
    for system in all() {
        let call = a_call();
        let ticket = opened(&*system, call, "電話", "初め");
        let sink = system.sink(PATIENCE);
        let steps = [
            addition_of(call, 9, "note", Some("メモ (2001): 再起動した"), &[]),
            addition_of(call, 10, "ended", Some("通話が終わりました。"), &[(Value::TalkS, "63")]),
            addition_of(call, 12, "called_back", Some("折り返し"), &[]),
        ];
        run(async {
            for step in &steps {
                let before = sink.holds(&ticket, &step.key).await.expect(system.name());
                assert!(!before, "{}: not yet {}", system.name(), step.key);
                sink.append(&ticket, step).await.expect(system.name());
                let after = sink.holds(&ticket, &step.key).await.expect(system.name());
                assert_eq!(after, system.can().find, "{}: {}", system.name(), step.key);
            }
            // The number of one step begins with another's.
            let other = key(call, 1, "note");
            assert!(!sink.holds(&ticket, &other).await.expect(system.name()), "{}", system.name());
        });
        let shown = system.shown(call);
        let texts: Vec<&str> =
            shown[0].texts.iter().map(|text| text.lines().next().unwrap_or("")).collect();
        let due = ["初め", "メモ (2001): 再起動した", "通話が終わりました。", "折り返し"];
        assert_eq!(texts, due, "{}", system.name());
    }
}

#[test]
fn values_go_to_the_fields_that_are_configured_and_no_further() {
    for system in all() {
        let call = a_call();
        let ticket = opened(&*system, call, "電話", "x");
        let due = |outcome: &str, wait: &str| {
            let call = call.to_string();
            let all = [
                (Value::Call, call.as_str()),
                (Value::Caller, "0355501234"),
                (Value::ArrivedAt, "2026-11-26T09:30:00.000+09:00"),
                (Value::Outcome, outcome),
                (Value::WaitS, wait),
            ];
            all.map(|(value, text)| (value, text.to_owned())).into_iter().collect()
        };
        // The receivers of the site's own have all values, and look at those that they want.
        let own = |mut fields: BTreeMap<Value, String>| {
            if !system.can().open_of {
                assert_eq!(
                    fields.remove(&Value::CallerName).as_deref(),
                    Some("not for this system")
                );
            }
            fields
        };
        let shown = system.shown(call);
        assert_eq!(own(shown[0].fields.clone()), due("answered", "12"), "{}", system.name());

        let before = system.asked();
        let sink = system.sink(PATIENCE);
        let step = addition_of(
            call,
            9,
            "wrap_up",
            None,
            &[(Value::WaitS, "13"), (Value::Outcome, "abandoned")],
        );
        run(async {
            sink.append(&ticket, &step).await.expect(system.name());
            // Twice is once: nothing but values, and the same.
            sink.append(&ticket, &step).await.expect(system.name());
        });
        assert_eq!(system.asked(), before.map(|it| it + 2), "{}", system.name());
        let shown = system.shown(call);
        assert_eq!(own(shown[0].fields.clone()), due("abandoned", "13"), "{}", system.name());
        assert_eq!(shown[0].texts.len(), 1, "{}: no text was added", system.name());
    }
}

#[test]
fn what_has_no_text_and_no_value_is_not_asked_for() {
    for system in all() {
        let call = a_call();
        let ticket = opened(&*system, call, "電話", "x");
        let (before, shown) = (system.asked(), system.shown(call));
        let before = before.and(system.asked());
        let mut nothing = addition_of(call, 9, "wrap_up", None, &[]);
        nothing.values.clear();
        run(async { system.sink(PATIENCE).append(&ticket, &nothing).await.expect(system.name()) });
        assert_eq!(system.asked(), before, "{}", system.name());
        assert_eq!(system.shown(call), shown, "{}", system.name());
    }
}

#[test]
fn any_text_travels_as_it_is() {
    for system in all() {
        for (seq, text) in (20..).zip(HOSTILE) {
            let call = a_call();
            let long: String = text.chars().cycle().take(system.can().subject).collect();
            let long = long.trim_end();
            let ticket = opened(&*system, call, long, &format!("{text}\n\n{text}"));
            let step = addition_of(call, seq, "note", Some(&format!("{text}\nx")), &[]);
            let sink = system.sink(PATIENCE);
            run(async { sink.append(&ticket, &step).await.expect(system.name()) });
            let shown = system.shown(call);
            // In a table what a spreadsheet would run begins with an apostrophe.
            let plain = |it: &str| {
                let it =
                    if system.name() == "folder of CSV" { it.trim_start_matches('\'') } else { it };
                it.to_owned()
            };
            let due = |it: &str| plain(it);
            assert_eq!(plain(&shown[0].subject), due(long), "{}: {text}", system.name());
            let mark = format!("[madoguchi {}]", key(call, 7, "open"));
            let first = format!("{text}\n\n{text}\n{mark}");
            assert_eq!(plain(&shown[0].texts[0]), due(&first), "{}: {text}", system.name());
            let note = format!("{text}\nx\n[madoguchi {}]", step.key);
            assert_eq!(plain(&shown[0].texts[1]), due(&note), "{}: {text}", system.name());
        }
    }
}

#[test]
fn control_characters_and_an_empty_subject_stop_nothing() {
    for system in all() {
        let call = a_call();
        let ticket = opened(&*system, call, "", "a\u{1}b\tc\u{7f}d\u{202e}e\u{2028}f");
        let step = addition_of(call, 30, "note", Some("\u{1b}[31m\u{8}"), &[]);
        let sink = system.sink(PATIENCE);
        run(async {
            sink.append(&ticket, &step).await.expect(system.name());
            let holds = sink.holds(&ticket, &step.key).await.expect(system.name());
            assert_eq!(holds, system.can().find, "{}", system.name());
        });
        let shown = system.shown(call);
        assert_eq!((shown.len(), shown[0].texts.len()), (1, 2), "{}", system.name());
        assert_eq!(shown[0].subject, call.to_string(), "{}", system.name());
    }
}

#[test]
fn a_ticket_that_is_not_there_is_told_apart() {
    for system in all() {
        if !system.can().miss {
            continue;
        }
        let call = a_call();
        let step = addition_of(call, 9, "note", Some("x"), &[]);
        let sink = system.sink(PATIENCE);
        // What a person writes as a ticket's name by hand may be anything, and gets into no path.
        for ticket in ["99999999", "#99999999", "../users/1", "1.json?x=", "12 OR 1=1", ""] {
            if !system.can().find {
                system.fault(true, crate::serve::Fault::Refused(404, None));
            }
            let tried = run(async { sink.append(ticket, &step).await });
            let wrong = tried.expect_err(system.name());
            assert!(
                matches!(wrong, Unable::NoTicket { .. }),
                "{} {ticket}: {wrong}",
                system.name()
            );
            assert_eq!(wrong.unfed(), Unfed::NoTicket);
            if system.can().find {
                let wrong = run(async { sink.holds(ticket, &step.key).await });
                let wrong = wrong.expect_err(system.name());
                assert!(matches!(wrong, Unable::NoTicket { .. }), "{} {ticket}", system.name());
            }
        }
    }
}

#[test]
fn open_tickets_of_a_number_are_told_and_closed_ones_are_not() {
    for system in all() {
        let sink = system.sink(PATIENCE);
        if !system.can().open_of {
            assert!(sink.open_of("0355501234").is_none(), "{}", system.name());
            continue;
        }
        // A number that no other test's tickets have.
        let number = format!("03{:08}", a_call().0.as_u128() % 100_000_000);
        let with = |call: CallId| {
            let mut ticket = ticket_of(call, "印刷できない", "x");
            ticket.values.insert(Value::Caller, number.clone().into());
            ticket
        };
        let tell = |number: &str| run(async { sink.open_of(number).expect("it tells").await });
        let (first, second) = run(async {
            let first = sink.create(&with(a_call())).await.expect("opened");
            (first, sink.create(&with(a_call())).await.expect("opened"))
        });
        system.close(&first, true);
        let open = tell(&number).expect(system.name());
        let names: Vec<&str> = open.iter().map(|it| it.ticket.as_str()).collect();
        assert_eq!(names, [second.as_str()], "{}", system.name());
        assert_eq!(open[0].subject.reveal(), "印刷できない", "{}", system.name());
        let url = open[0].url.as_deref().unwrap_or_default();
        assert!(url.starts_with("http://") && url.contains(&second), "{}: {url}", system.name());
        for other in ["0355599999", "非通知", "*", "' OR Queue = 'Desk", "", "+", "03|03"] {
            assert_eq!(tell(other).expect(system.name()), [], "{}: {other}", system.name());
        }
        let before = system.asked();
        let _ = tell("非通知");
        assert_eq!(system.asked(), before, "{}: nothing to look for", system.name());
    }
}

#[test]
fn a_probe_of_what_is_as_configured_changes_nothing() {
    for system in all() {
        let call = a_call();
        let sink = system.sink(PATIENCE);
        run(async { sink.probe().await }).expect(system.name());
        let ticket = opened(&*system, call, "電話", "x");
        let shown = system.shown(call);
        run(async { sink.probe().await }).expect(system.name());
        assert_eq!(system.shown(call), shown, "{}: {ticket}", system.name());
    }
}
