//! `madoguchi report` as it is typed, over drawn histories and those of demonstrations: against a recount by
//! another program (tests/report/recount.py), and its files as other programs read them.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "support/folder.rs"]
mod folder;

use folder::{Folder, store};
use madoguchi::base::{CallId, Private, Rng, Wall};
use madoguchi::event::{
    CallEvent, Caller, CallerNumber, Closed, EndCause, Entry, Fact, FiguresEvent, Means, Origin,
    Party, Purpose, TrunkEvent,
};
use madoguchi::view::{Policy, Setup, Views};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// 2025-10-01, 2026-09-01 and 2026-10-01, each at midnight in Japan.
const MONTHS: [(&str, i64, u64); 3] = [
    ("2025-10", 1_759_244_400_000, 150),
    ("2026-09", 1_788_188_400_000, 400),
    ("2026-10", 1_790_780_400_000, 600),
];
const DAY: i64 = 86_400_000;

/// A desk whose names would like to be scripts and formulas.
fn desk() -> Folder {
    Folder::new("report", |plan| {
        let plan = plan.replace("佐藤 花子", "<script>alert(1)</script>");
        plan.replace("鈴木 一郎", "=HYPERLINK(1)")
    })
}

impl Folder {
    /// With the exit code and all that is printed.
    fn report(&self, month: &str, more: &[&str]) -> (i32, String) {
        let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
            .args(["report", month, "--lang", "en", "--config"])
            .arg(self.0.join("madoguchi.toml"))
            .args(["--into".as_ref(), self.0.join("out").as_os_str()])
            .args(more)
            .output()
            .expect("it runs");
        let said = [run.stdout, run.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (run.status.code().expect("an exit code"), said)
    }

    fn made(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join("out").join(name)).unwrap()
    }
}

/// Draws a history.
struct Draw {
    rng: Rng,
    entries: Vec<Entry>,
    calls: u64,
}

impl Draw {
    fn fact(&mut self, at: i64, fact: Fact) {
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(Entry { seq, at: Wall(at), fact });
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.rng.below(most)
    }

    fn call(&mut self, at: i64) {
        use CallEvent as Is;
        self.calls += 1;
        let call = CallId(uuid::Uuid::from_u64_pair(self.calls, self.rng.bits()));
        let (number, counted) = match self.up_to(20) {
            0 => ("0312345670", false),
            1..=6 => ("0312345679", true),
            _ => ("0312345678", true),
        };
        let caller = Caller {
            number: CallerNumber::Known(Private::new("0398765432".to_owned())),
            name: None,
            diverted_from: None,
        };
        let origin = Origin::Trunk("carrier".into());
        let mut steps = vec![(0, Is::Arrived { number: number.into(), caller, origin, counted })];
        let mut t = 0;
        let menu = self.up_to(2) == 0;
        if menu {
            t += 100;
            steps.push((t, Is::Accepted));
            steps.push((t, Is::MenuEntered { menu: "welcome".into() }));
        }
        let end = |by, cause| Is::Ended { by, cause };
        let group = || "desk".into();
        let kind = self.up_to(40);
        if kind < 32 {
            t += self.up_to(4_000);
            steps.push((t, Is::OperatorAsked { group: Some(group()) }));
        }
        if kind < 32 && self.up_to(12) == 0 {
            t += 500;
            steps.push((t, Is::Queued { group: group(), position: 1 }));
            let (prompt, purpose) = ("busy".into(), Purpose::Busy);
            steps.push((t, Is::Announced { prompt, purpose }));
        }
        let agent = format!("20{:02}", 1 + self.up_to(10));
        match kind {
            0..=25 => {
                t += [3_000, 9_000, 25_000, 90_000, 400_000][self.up_to(5) as usize];
                t += self.up_to(t + 1);
                steps.push((t, Is::OfferMade { agent: agent.as_str().into() }));
                steps.push((t, Is::OperatorAnswered { agent: agent.as_str().into() }));
                t += self.up_to(600_000);
                steps.push((t, end(Party::Caller, EndCause::HungUp)));
            }
            26 => {
                t += self.up_to(60_000);
                steps.push((t, end(Party::Caller, EndCause::HungUp)));
            }
            27 => {
                t += self.up_to(2_000);
                steps.push((t, end(Party::Caller, EndCause::HungUp)));
            }
            28 => steps.push((t + 9_000, end(Party::System, EndCause::WaitedTooLong))),
            29 => {
                let (mailbox, number) = ("desk".into(), 1);
                steps.push((t + 9_000, Is::MessageLeft { mailbox, number, length_ms: 5_000 }));
                steps.push((t + 9_500, end(Party::Caller, EndCause::HungUp)));
            }
            30 => steps.push((t + 9_000, end(Party::System, EndCause::Restart))),
            31 => steps.push((t + 100, end(Party::Agent, EndCause::HungUp))),
            32 => steps.push((t, end(Party::System, EndCause::LinesFull))),
            33 => steps.push((t + 5_000, end(Party::Caller, EndCause::HungUp))),
            34 => steps.push((t + 5_000, end(Party::System, EndCause::MenuDone))),
            35 | 36 => {
                steps.push((t, Is::FoundClosed { why: Closed::Night }));
                steps.push((t + 9_000, end(Party::System, EndCause::ClosedTold)));
            }
            37 => steps.push((t + 50, end(Party::System, EndCause::NotAnswered { status: 486 }))),
            38 => {
                let what = "no media port".to_owned();
                steps.push((t, end(Party::System, EndCause::Fault { what })));
            }
            _ => {
                t += 400;
                steps.push((t, Is::OperatorAsked { group: Some(group()) }));
                steps.push((t, end(Party::System, EndCause::QueueFull)));
            }
        }
        for (t_ms, event) in steps {
            self.fact(at + t_ms as i64, Fact::Call { call, t_ms, event });
        }
    }

    fn figures(&mut self, at: i64, event: FiguresEvent) {
        self.fact(at, Fact::Figures { event });
    }

    fn exclude(&mut self, exclusion: u32, from: i64, until: i64, approve: bool) {
        let (reason, author) = ("庁舎の停電".to_owned(), "佐藤".to_owned());
        let (from, until, by) = (Wall(from), Wall(until), Means::Api);
        let at = until.0 + DAY;
        let entered = FiguresEvent::ExclusionEntered { exclusion, from, until, reason, author, by };
        self.figures(at, entered);
        if approve {
            let author = "鈴木".to_owned();
            self.figures(at + 1, FiguresEvent::ExclusionApproved { exclusion, author, by });
        }
    }

    /// Closes a month with what is counted up to here.
    fn close(&mut self, month: &str, at: i64) {
        let mut views = Views::new(Setup {
            desk: String::new(),
            demonstration: false,
            timezone: chrono_tz::Asia::Tokyo,
            policy: Policy::default(),
            agents: Vec::new(),
        });
        self.entries.iter().for_each(|entry| views.apply(entry));
        let figures = views.closing(month.parse().unwrap(), Wall(at)).expect("it can be closed");
        let revision = views.closed_month(month.parse().unwrap()).len() as u32 + 1;
        let (reason, author) = (String::new(), "佐藤".to_owned());
        let (month, figures) = (month.to_owned(), Box::new(figures));
        let by = Means::Api;
        self.figures(
            at,
            FiguresEvent::MonthClosed { month, revision, reason, author, figures, by },
        );
    }

    fn history(seed: u64) -> Vec<Entry> {
        let mut draw = Self { rng: Rng::from_number(seed), entries: Vec::new(), calls: 0 };
        let (version, settings) = (1, Policy::default().settings());
        draw.figures(MONTHS[0].1, FiguresEvent::SettingsChanged { version, settings });
        for (month, begins, calls) in MONTHS {
            let mut arrivals: Vec<i64> = (0..calls)
                .map(|_| {
                    let day = draw.up_to(30) as i64 * DAY;
                    let hours = match draw.up_to(12) {
                        0 => draw.up_to(86_400_000) as i64,
                        _ => 29_700_000 + draw.up_to(36_000_000) as i64,
                    };
                    // Now and then at the very edge of a half hour or a day.
                    let exact = draw.up_to(15) == 0;
                    let at = day + if exact { hours / 1_800_000 * 1_800_000 } else { hours };
                    begins + at - draw.up_to(2) as i64 * i64::from(exact && at > 0)
                })
                .collect();
            arrivals.sort_unstable();
            for at in arrivals {
                draw.call(at);
            }
            let trunk = |event| Fact::Trunk { trunk: "carrier".into(), event };
            draw.fact(begins + 5 * DAY, trunk(TrunkEvent::ChannelsFull));
            let free = TrunkEvent::ChannelsFree { for_ms: 12_345 };
            draw.fact(begins + 5 * DAY + 12_345, trunk(free));
            if month == "2026-09" {
                draw.close(month, begins + 31 * DAY);
                draw.exclude(1, begins + 7 * DAY, begins + 9 * DAY, true);
            }
        }
        let october = MONTHS[2].1;
        draw.exclude(2, october + 12 * DAY, october + 13 * DAY + DAY / 2, true);
        draw.exclude(3, october + 20 * DAY, october + 21 * DAY, false);
        draw.entries
    }
}

fn python(script: &str, arguments: &[&Path]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(script);
    let run = Command::new("python3").arg(script).args(arguments).output().expect("python3");
    let said = [&run.stdout, &run.stderr].map(|text| String::from_utf8_lossy(text)).concat();
    assert!(run.status.success(), "{said}");
    said
}

/// What is not 0, by name, with calls that are undecided among them.
fn counts(row: &Value) -> BTreeMap<String, u64> {
    let outcomes = row["outcomes"].as_object().unwrap().iter();
    let undecided = ("undecided".to_owned(), row["undecided"].as_u64().unwrap());
    let all = outcomes.map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    all.chain([undecided]).filter(|(_, count)| *count > 0).collect()
}

fn due(counts: &Value) -> BTreeMap<String, u64> {
    let all = counts.as_object().into_iter().flatten();
    let all = all.map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    all.filter(|(_, count)| *count > 0).collect()
}

/// Every month of the store, call by call in every cut. Tells how many calls there were.
fn agrees(folder: &Folder, store: &Path) -> u64 {
    let recount: Value = serde_json::from_str(&python("recount.py", &[store])).unwrap();
    let mut calls = 0;
    for (month, due_of_month) in recount.as_object().unwrap() {
        let (code, said) = folder.report(month, &["--no-pdf", "--store", store.to_str().unwrap()]);
        let report: Value =
            serde_json::from_str(&folder.made(&format!("report-{month}.json"))).unwrap();
        let now = &report["counted_now"];
        for name in ["arrived", "undecided", "left_out"] {
            assert_eq!(now[name], due_of_month[name], "{month} {name}");
        }
        assert_eq!(report["excluded"], due_of_month["excluded"], "{month}");
        calls += now["arrived"].as_u64().unwrap() + report["excluded"].as_u64().unwrap();
        assert_eq!(counts(now), due(&due_of_month["outcomes"]), "{month}");
        for (rate, of) in [("abandon_rate", "abandon"), ("busy_rate", "busy")] {
            let (found, due) = (&now[rate], &due_of_month[of]);
            assert_eq!((&found["part"], &found["whole"]), (&due[0], &due[1]), "{month} {rate}");
            assert_eq!(found["percent"], due[2], "{month} {rate}");
            let missed = found["verdict"] == "missed";
            let empty = found["verdict"] == "no_calls";
            assert!(empty || missed != due[3].as_bool().unwrap(), "{month} {rate}");
        }
        for (cut, of) in [("by_day", "days"), ("by_half_hour", "half_hours")] {
            let mut keys = 0;
            for row in report[cut].as_array().unwrap() {
                let key = row["key"].as_str().unwrap();
                assert_eq!(counts(row), due(&due_of_month[of][key]), "{month} {cut} {key}");
                keys += usize::from(row["arrived"] != 0);
            }
            assert_eq!(keys, due_of_month[of].as_object().unwrap().len(), "{month} {cut}");
        }
        let missed = report["sheet"]["lines"].as_array().unwrap().iter();
        let missed = missed.filter(|line| line["verdict"] == "missed").count();
        assert_eq!(code, i32::from(missed > 0), "{said}");
        python("page.py", &[&folder.0.join("out").join(format!("report-{month}.html"))]);
    }
    calls
}

#[test]
fn drawn_histories_are_counted_alike_by_another_program() {
    for seed in 0..3 {
        let folder = desk();
        let file = folder.0.join("desk.db");
        store(&file, Draw::history(seed));
        assert!(agrees(&folder, &file) > 1_000, "seed {seed}");
    }
}

#[test]
fn demonstrations_are_counted_alike_by_another_program() {
    for name in ["1-journal", "2-flows", "3-subscriptions", "4-transfers"] {
        let folder = desk();
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/past/{name}.db.gz"));
        let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().expect("gzip runs");
        let file = folder.file("demo.db", unpacked.stdout);
        let before = std::fs::read(&file).unwrap();
        assert!(agrees(&folder, &file) > 30, "{name}");
        assert!(std::fs::read(&file).unwrap() == before, "the store is only read");
    }
}

#[test]
fn a_closed_month_keeps_its_figures_and_names_are_harmless() {
    let folder = desk();
    store(&folder.0.join("desk.db"), Draw::history(7));
    let (_, said) = folder.report("2026-09", &["--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let report: Value = serde_json::from_str(&folder.made("report-2026-09.json")).unwrap();
    assert_eq!(said["sheet"], report["sheet"]);
    assert_eq!(report["sheet"]["basis"], "closed");
    assert_eq!(report["sheet"]["differs_from_closed"], true);
    let closed = &report["sheet"]["revisions"][0];
    assert_eq!(report["figures"]["abandon_rate"]["part"], closed["abandon"][0]);
    assert_eq!(report["figures"]["arrived"], closed["arrived"]);
    assert_ne!(report["counted_now"]["arrived"], closed["arrived"]);
    let page = folder.made("report-2026-09.html");
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    let agents = folder.made("report-2026-09-by-agent.csv");
    assert!(agents.starts_with('\u{feff}') && agents.contains("2002,'=HYPERLINK(1),"), "{agents}");
    assert!(agents.lines().count() == agents.matches("\r\n").count());
    // A difference is a number, also when it is less than 0.
    let compared = folder.made("report-2026-09-comparison.csv");
    assert!(!compared.contains("'-"), "{compared}");
    // Every file that was told is there.
    for file in said["files"].as_array().unwrap() {
        assert!(folder.0.join("out").join(file.as_str().unwrap()).exists(), "{file}");
    }
}

/// The PDF as another program reads it: the same tables, page by page.
#[test]
fn the_pdf_says_what_the_tables_say() {
    let folder = desk();
    store(&folder.0.join("desk.db"), Draw::history(7));
    let (code, said) = folder.report("2026-09", &[]);
    assert!(code < 2 && said.contains("report-2026-09.pdf"), "{said}");
    let run = Command::new("pdftotext")
        .arg("-layout")
        .args([folder.0.join("out/report-2026-09.pdf"), PathBuf::from("-")])
        .output()
        .expect("pdftotext (poppler-utils)");
    assert!(run.status.success(), "{run:?}");
    let text = String::from_utf8(run.stdout).unwrap();
    let pages: Vec<&str> = text.split_terminator('\u{c}').collect();
    assert!(pages.len() > 3, "{}", pages.len());
    // How wide a blank must be to be told is the other program's business.
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    for (page, number) in pages.iter().zip(1..) {
        assert!(dense(page).ends_with(&format!("{number}/{}", pages.len())), "{page}");
    }
    // Every title, and every row of the days with its counts; nothing runs out of its column.
    let page = folder.made("report-2026-09.html");
    let titles = page.split("-title\">").skip(1).map(|rest| rest.split('<').next().unwrap());
    for title in titles.filter(|title| !title.contains("グラフ")) {
        assert!(dense(&text).contains(&dense(title)), "{title}");
    }
    for line in folder.made("report-2026-09-by-day.csv").lines().skip(1) {
        let cells: Vec<&str> =
            line.split(',').map(|cell| if cell.is_empty() { "―" } else { cell }).collect();
        let there = |line: &str| line.split_whitespace().eq(cells.iter().copied());
        assert!(text.lines().any(there), "{cells:?}");
    }
    assert!(text.contains("<script>alert(1)</script>"), "a name is only words");
    let none = folder.file("none.ttf", "no font").display().to_string();
    let (code, said) = folder.report("2026-09", &["--font", &none]);
    assert!(code == 2 && said.contains("not a font"), "{said}");
}

#[test]
fn exit_codes_are_what_they_say() {
    let folder = desk();
    assert_eq!(folder.report("2026-10", &[]).0, 2, "no store");
    store(&folder.0.join("desk.db"), Draw::history(1));
    let (code, said) = folder.report("2026-10", &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("No. 1 first-contact resolution: no data"), "{said}");
    assert!(said.contains("No. 5 abandon rate: ") && said.contains("report-2026-10.html\n"));
    let (code, said) = folder.report("2024-01", &[]);
    assert_eq!(code, 0, "a month without a call misses nothing: {said}");
    assert!(said.contains("No. 5 abandon rate: no calls"), "{said}");
    assert_eq!(folder.report("October", &[]).0, 2);
    let heading = "id,received_at,completed_at,escalated_to,escalated_at,escalation_answered_at,progress_reported_at,technical,exclusions\n";
    let one = format!("{heading}T-1,2026-10-07 10:00,2026-10-07 10:30,,,,,,\n");
    let tickets = folder.file("tickets.csv", one).display().to_string();
    let (_, said) = folder.report("2026-10", &["--tickets", &tickets]);
    assert!(said.contains("No. 1 first-contact resolution: 100.00 % (1/1) met"), "{said}");
    assert!(said.contains("No. 2 handling time: 30.00 min (1) met"), "{said}");
    assert!(said.contains("No. 3 time to escalation: no tickets to judge"), "{said}");
    let broken = folder.file("broken.csv", "id\n1\n").display().to_string();
    assert_eq!(folder.report("2026-10", &["--tickets", &broken]).0, 2);
    let taken = desk();
    store(&taken.0.join("desk.db"), Draw::history(1));
    taken.file("out", "a file where the folder should be");
    let (code, said) = taken.report("2026-10", &[]);
    assert!(code == 2 && said.contains("cannot be written"), "{said}");
}
