//! A row for every line that the judge can say.

use super::*;
use crate::dialplan::{Both, Finding, Lang, Message, Severity};

fn facts() -> Facts {
    Facts {
        clock: Clock { synchronised: Some(true), now_s: 1_000, written_s: None },
        ..Facts::default()
    }
}

/// The mark and the words of the only line of a topic.
fn one(facts: &Facts, topic: &str) -> (Mark, String) {
    let lines = judge(facts);
    let mut of_topic = lines.iter().filter(|line| line.topic == topic);
    let line = of_topic.next().unwrap_or_else(|| panic!("no line on {topic}: {lines:?}"));
    assert!(of_topic.next().is_none(), "one line on {topic}: {lines:?}");
    for lang in [Lang::Ja, Lang::En] {
        let told = line.render(lang);
        assert_eq!(told.lines().count(), if line.mark == Mark::Ok { 1 } else { 3 }, "{told}");
    }
    (line.mark, line.render(Lang::En))
}

#[track_caller]
fn row(facts: &Facts, topic: &str, mark: Mark, words: &str) {
    let (found, said) = one(facts, topic);
    assert_eq!(found, mark, "{said}");
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_running_desk_is_judged_by_healthz() {
    let no_http = Both { ja: "HTTP ではない".to_owned(), en: "no HTTP".to_owned() };
    let table = [
        (Running::Well, Mark::Ok, "is well"),
        (Running::No, Mark::Look, "does not run"),
        (Running::Ill(503), Mark::Wrong, "503"),
        (Running::Strange(no_http), Mark::Wrong, "no HTTP"),
    ];
    assert!(!judge(&facts()).iter().any(|line| line.topic == "desk"), "nobody was asked");
    for (running, mark, words) in table {
        row(&Facts { running: Some(running), ..facts() }, "desk", mark, words);
    }
}

#[test]
fn ports_are_free_or_ours() {
    let table = [
        (Held::Free, Running::No, Mark::Ok, "is free"),
        (Held::Free, Running::Well, Mark::Look, "does not listen"),
        (Held::Ours, Running::Well, Mark::Ok, "own"),
        (Held::Ours, Running::No, Mark::Ok, "own"),
        (Held::Unknown, Running::Well, Mark::Ok, "in use"),
        (Held::Unknown, Running::No, Mark::Wrong, "as root"),
        (Held::By("asterisk".to_owned()), Running::No, Mark::Wrong, "stop asterisk"),
        (Held::By("asterisk".to_owned()), Running::Well, Mark::Wrong, "stop asterisk"),
        (Held::NotHere, Running::No, Mark::Wrong, "not this machine's"),
        (Held::Refused("Permission denied".to_owned()), Running::No, Mark::Wrong, "privileges"),
    ];
    for (held, running, mark, words) in table {
        let listeners = vec![Listener { name: "udp:192.0.2.10:5060".to_owned(), held }];
        row(&Facts { running: Some(running), listeners, ..facts() }, "port", mark, words);
    }
    let table = [
        (None, Mark::Ok, "the desk's"),
        (Some(0), Mark::Ok, "free"),
        (Some(3), Mark::Look, "3 of 10000"),
    ];
    for (taken, mark, words) in table {
        row(
            &Facts { sound: Some(Sound { ports: 10_000, taken }), ..facts() },
            "sound",
            mark,
            words,
        );
    }
}

#[test]
fn addresses_must_be_ones_that_phones_and_trunks_reach() {
    // (address, this machine's, a trunk outside, mark, words)
    let table = [
        ("192.0.2.10", true, false, Mark::Ok, "is this machine's"),
        ("10.0.0.5", true, false, Mark::Ok, "is this machine's"),
        ("127.0.0.1", true, false, Mark::Look, "this machine alone"),
        ("10.0.0.5", true, true, Mark::Look, "private address"),
        ("172.16.0.5", true, true, Mark::Look, "private address"),
        ("100.64.0.5", true, true, Mark::Look, "private address"),
        ("fd00::1", true, true, Mark::Look, "private address"),
        ("198.51.100.7", false, true, Mark::Look, "outside a NAT"),
        ("198.51.100.7", true, true, Mark::Ok, "is this machine's"),
    ];
    for (ip, here, public_trunk, mark, words) in table {
        let ip = ip.parse().unwrap();
        let addresses = vec![Address { key: "[sip] listen", ip, here, public_trunk }];
        row(&Facts { addresses, ..facts() }, "address", mark, words);
    }
}

#[test]
fn descriptors_must_bear_the_calls() {
    let table = [
        (65_536, Whose::Daemon, Mark::Ok, "the running desk"),
        (20_000, Whose::Unit, Mark::Ok, "the unit"),
        (1_024, Whose::Daemon, Mark::Wrong, "LimitNOFILE=20000"),
        (1_024, Whose::Unit, Mark::Wrong, "LimitNOFILE=20000"),
        (1_024, Whose::Shell, Mark::Look, "this shell"),
    ];
    for (limit, whose, mark, words) in table {
        let descriptors = Some(Descriptors { limit, whose, needed: 20_000 });
        row(&Facts { descriptors, ..facts() }, "descriptors", mark, words);
    }
}

#[test]
fn certificates_end() {
    let table = [
        (Some(400), Mark::Ok, "400 days"),
        (Some(30), Mark::Ok, "30 days"),
        (Some(29), Mark::Look, "ends in 29 days"),
        (Some(0), Mark::Look, "ends in 0 days"),
        (Some(-1), Mark::Wrong, "is over"),
        (None, Mark::Look, "cannot be read"),
    ];
    for (days_left, mark, words) in table {
        let certificates = vec![Certificate { file: "tls/desk.pem".to_owned(), days_left }];
        row(&Facts { certificates, ..facts() }, "certificate", mark, words);
    }
}

#[test]
fn trunks_answer() {
    let table = [
        (Answer::Status(200), Mark::Ok, "answers (200)"),
        (Answer::Status(404), Mark::Ok, "answers (404)"),
        (Answer::Status(503), Mark::Look, "503"),
        (Answer::Silent, Mark::Wrong, "does not answer"),
        (Answer::Failed("no such name".to_owned()), Mark::Wrong, "no such name"),
        (Answer::ByTls, Mark::Look, "by TLS"),
    ];
    for (answer, mark, words) in table {
        let (name, server) = ("carrier".to_owned(), "192.0.2.1:5060".to_owned());
        let trunks = vec![TrunkAsked { name, server, answer }];
        row(&Facts { trunks, ..facts() }, "trunk", mark, words);
    }
}

#[test]
fn disks_have_room() {
    const MIB: u64 = 1 << 20;
    let table = [
        (What::Store, Ok(4_096 * MIB), Mark::Ok, "4096 MiB"),
        (What::Store, Ok(1_500 * MIB), Mark::Look, "1500 MiB"),
        (What::Store, Ok(900 * MIB), Mark::Wrong, "enlarge"),
        (What::Recordings, Ok(900 * MIB), Mark::Wrong, "keep_days"),
        (What::Recordings, Err("not there".to_owned()), Mark::Wrong, "make the folder"),
    ];
    for (what, free, mark, words) in table {
        let topic = if what == What::Store { "history" } else { "recordings" };
        let rooms = vec![Room { what, folder: "store".to_owned(), free, least: 1_024 * MIB }];
        row(&Facts { rooms, ..facts() }, topic, mark, words);
    }
}

#[test]
fn secrets_are_the_daemons_alone() {
    // (mode and owner, as whom the desk runs, made by a start, mark, words)
    let table = [
        (Some((0o100_600, 998)), Some(998), false, Mark::Ok, "its owner alone"),
        (Some((0o100_400, 998)), None, false, Mark::Ok, "its owner alone"),
        (Some((0o100_640, 998)), Some(998), false, Mark::Wrong, "chmod 600"),
        (Some((0o100_604, 998)), Some(998), false, Mark::Wrong, "(604)"),
        (Some((0o100_600, 0)), Some(998), false, Mark::Wrong, "chown 998"),
        (None, Some(998), true, Mark::Ok, "first start"),
        (None, Some(998), false, Mark::Wrong, "is not there"),
    ];
    for (found, due_owner, is_made, mark, words) in table {
        let file = "secrets/x".to_owned();
        let secrets = vec![SecretFile { file, found, due_owner, is_made, is_handed: false }];
        row(&Facts { secrets, ..facts() }, "secret", mark, words);
    }
}

#[test]
fn what_systemd_hands_over_is_not_to_be_given_to_the_daemons_user() {
    // (mode and owner of what CREDENTIALS_DIRECTORY names: the sources, or what systemd made of them)
    let table = [
        (Some((0o100_600, 0)), Mark::Ok, "handed over by systemd"),
        (Some((0o100_440, 0)), Mark::Ok, "handed over by systemd"),
        (Some((0o100_644, 0)), Mark::Wrong, "chmod 600"),
        (None, Mark::Wrong, "is not there"),
    ];
    for (found, mark, words) in table {
        let (file, due_owner) = ("/etc/madoguchi/secrets/http-token".to_owned(), Some(998));
        let secrets = vec![SecretFile { file, found, due_owner, is_made: false, is_handed: true }];
        row(&Facts { secrets, ..facts() }, "secret", mark, words);
    }
}

#[test]
fn a_history_that_is_not_the_daemons_is_found() {
    let of = |owner, due_owner| Facts {
        store_files: vec![StoreFile { file: "madoguchi.db".to_owned(), owner, due_owner }],
        ..facts()
    };
    row(&of(0, 998), "history", Mark::Wrong, "chown 998 madoguchi.db");
    for (owner, due_owner) in [(998, 998), (0, 0), (998, 0)] {
        assert_eq!(judge(&of(owner, due_owner)), judge(&facts()));
    }
}

#[test]
fn a_page_can_put_a_plan_in_force() {
    // (mode, owner, as whom the desk runs, mark, words)
    let table = [
        (0o40_755, 998, 998, Mark::Ok, "can put"),
        (0o40_755, 0, 998, Mark::Look, "chown 998 /etc/madoguchi"),
        (0o40_555, 998, 998, Mark::Look, "no page can"),
        (0o40_777, 0, 998, Mark::Ok, "can put"),
        (0o40_555, 998, 0, Mark::Ok, "can put"),
    ];
    for (mode, owner, due_owner, mark, words) in table {
        let folder = "/etc/madoguchi".to_owned();
        let plan_folder = Some(PlanFolder { folder, mode, owner, due_owner });
        row(&Facts { plan_folder, ..facts() }, "plan", mark, words);
    }
}

#[test]
fn the_clock_is_set_and_only_goes_on() {
    let clock = |synchronised, written_s| Facts {
        clock: Clock { synchronised, now_s: 1_000, written_s },
        ..Facts::default()
    };
    row(&clock(Some(true), None), "clock", Mark::Ok, "set by NTP");
    row(&clock(Some(false), None), "clock", Mark::Wrong, "set-ntp");
    row(&clock(None, None), "clock", Mark::Look, "cannot be told");
    let jumps = [(999, Mark::Ok), (1_002, Mark::Ok), (1_003, Mark::Wrong), (4_600, Mark::Wrong)];
    for (written_s, mark) in jumps {
        assert_eq!(
            worst(&judge(&Facts {
                running: Some(Running::Well),
                ..clock(Some(true), Some(written_s))
            })),
            mark,
            "{written_s}"
        );
    }
}

#[test]
fn the_table_of_zones_is_not_old() {
    let table = [
        ("2025b", 2026, Mark::Ok, "2025b"),
        ("2025b", 2027, Mark::Look, "newer madoguchi"),
        ("unknown", 2026, Mark::Look, "newer madoguchi"),
        ("", 2026, Mark::Look, "newer madoguchi"),
    ];
    for (table, year, mark, words) in table {
        let (plan, machine) = ("Asia/Tokyo".to_owned(), Some("Etc/UTC".to_owned()));
        let (table, compared) = (table.to_owned(), Compared::Unknown);
        let zone = Some(Zone { plan, machine, table, year, compared });
        row(&Facts { zone, ..facts() }, "zone", mark, words);
    }
}

#[test]
fn an_old_table_of_zones_that_is_still_true_troubles_nobody() {
    let differs = Compared::Differs {
        day: "2031-03-30".to_owned(),
        ours: "+0200".to_owned(),
        machine: "+0100".to_owned(),
    };
    for (compared, mark, words) in [
        (Compared::Same, Mark::Ok, "what the machine's does"),
        (differs, Mark::Look, "on 2031-03-30 +0200 by it and +0100"),
    ] {
        let (plan, machine) = ("Europe/Berlin".to_owned(), Some("Etc/UTC".to_owned()));
        let zone = Some(Zone { plan, machine, table: "2025b".to_owned(), year: 2031, compared });
        row(&Facts { zone, ..facts() }, "zone", mark, words);
    }
}

#[test]
fn what_check_finds_is_told_and_bounded() {
    let finding = |severity| Finding {
        file: "madoguchi.toml".into(),
        place: None,
        message: Message {
            severity,
            code: "x",
            found: Both { ja: "未知".to_owned(), en: "an unknown key".to_owned() },
            due: Both { ja: "正しい".to_owned(), en: "a known key".to_owned() },
        },
    };
    row(&facts(), "configuration", Mark::Ok, "passes check");
    let told = |severity| Facts { findings: vec![finding(severity)], ..facts() };
    row(&told(Severity::Warning), "configuration", Mark::Look, "an unknown key");
    row(&told(Severity::Error), "configuration", Mark::Wrong, "a known key");
    let many = Facts { findings: vec![finding(Severity::Error); 200], ..facts() };
    let lines = judge(&many);
    assert_eq!(lines.iter().filter(|line| line.topic == "configuration").count(), 20);
    assert_eq!(worst(&lines), Mark::Wrong);
}
