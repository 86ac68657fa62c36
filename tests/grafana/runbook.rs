//! docs/RUNBOOK.md against what it is for: every alert, every reason of /healthz and every error of the log has an
//! entry that says all that is due, and no entry is of something that is no more.

use crate::lint::folder;
use madoguchi::base::LogRoom;
use madoguchi::io::http::REASONS;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Chapter → entry → its text.
fn chapters() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(root().join("docs/RUNBOOK.md")).unwrap();
    let chapter = |chapter: &str| {
        let (title, rest) = chapter.split_once('\n').unwrap();
        let entries = rest.split("\n### ").skip(1).map(|entry| {
            let (name, text) = entry.split_once('\n').unwrap();
            (name.to_owned(), text.to_owned())
        });
        (title.to_owned(), entries.collect())
    };
    text.split("\n## ").skip(1).map(chapter).collect()
}

#[track_caller]
fn names(chapter: &str) -> BTreeSet<String> {
    let chapters = chapters();
    let entries = chapters.get(chapter).unwrap_or_else(|| panic!("no chapter {chapter}"));
    entries.keys().cloned().collect()
}

/// Alert → its runbook_url.
fn alerts() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in fs::read_dir(folder().join("prometheus")).unwrap() {
        let path = file.unwrap().path();
        if !path.to_string_lossy().ends_with(".alerts.yml") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for alert in text.split("- alert: ").skip(1) {
            let name = alert.lines().next().unwrap().trim().to_owned();
            let url = alert.lines().find_map(|line| line.trim().strip_prefix("runbook_url: "));
            let url = url.unwrap_or_else(|| panic!("{name} has no runbook_url"));
            found.insert(name, url.trim_matches('\'').to_owned());
        }
    }
    found
}

#[test]
fn every_alert_leads_to_its_entry_and_every_entry_is_of_an_alert() {
    let alerts = alerts();
    assert!(alerts.len() > 20, "{alerts:?}");
    for (name, url) in &alerts {
        let (page, anchor) = url.split_once('#').unwrap_or_else(|| panic!("{name}: {url}"));
        assert!(page.ends_with("/docs/RUNBOOK.md"), "{name}: {url}");
        assert_eq!(anchor, name.to_lowercase(), "as a heading's anchor is made");
    }
    assert_eq!(names("Alerts"), alerts.into_keys().collect());
}

#[test]
fn every_reason_of_healthz_has_an_entry_and_every_entry_is_of_a_reason() {
    let reasons = REASONS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names("Reasons of /healthz"), reasons);
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
}

/// Each error that the log can hold: its room and the words that are the same each time.
fn errors() -> Vec<(LogRoom, String)> {
    let (src, mut files) = (root().join("src"), Vec::new());
    sources(&src, &mut files);
    let mut found = Vec::new();
    for file in files {
        let path = file.strip_prefix(&src).unwrap().with_extension("");
        let module = format!("madoguchi::{}", path.to_string_lossy().replace('/', "::"));
        let room = LogRoom::of(module.trim_end_matches("::mod")).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        for call in text.split("tracing::error!(").skip(1) {
            // Fields hold no text of their own: the first is the message.
            let message = call.split('"').nth(1).unwrap();
            let end =
                ["{", ":", "\\", " / ", " ("].iter().filter_map(|mark| message.find(mark)).min();
            let head = message[..end.unwrap_or(message.len())].trim();
            assert!(head.len() > 5, "{}: {message}", file.display());
            found.push((room, head.to_owned()));
        }
    }
    found
}

#[test]
fn every_error_of_the_log_is_in_the_entry_of_its_room() {
    let errors = errors();
    assert!(errors.len() > 30, "{errors:?}");
    let chapters = chapters();
    let entries = &chapters["Errors of the log"];
    for (room, message) in &errors {
        let entry = entries.get(&format!("log-{room}"));
        let entry = entry.unwrap_or_else(|| panic!("log-{room} is due for: {message}"));
        assert!(entry.contains(message.as_str()), "log-{room} says nothing of: {message}");
    }
    let rooms = errors.iter().map(|(room, _)| format!("log-{room}")).collect();
    assert_eq!(names("Errors of the log"), rooms);
}

/// Every level of what happens in a room can be found by the room's name.
#[test]
fn every_line_of_the_log_is_of_a_room_that_stands_in_its_page() {
    let page = fs::read_to_string(root().join("docs/LOG.md")).unwrap();
    for room in LogRoom::ALL {
        assert!(page.contains(&format!("| `{room}` |")), "{room}");
    }
}

#[test]
fn an_entry_says_what_callers_meet_where_to_look_what_to_do_and_when_it_is_over() {
    let chapters = chapters();
    let all: BTreeMap<&String, &String> = chapters.values().flatten().collect();
    for (name, text) in &all {
        if let Some(rest) = text.trim().strip_prefix("As [") {
            let (other, link) = rest.split_once("](#").unwrap();
            let link = link.split(')').next().unwrap();
            assert_eq!(link, other.to_lowercase(), "{name}");
            assert!(all.contains_key(&other.to_owned()), "{name}: there is no {other}");
            continue;
        }
        let japanese = text.trim().lines().next().unwrap_or_default();
        assert!(japanese.starts_with("**") && !japanese.is_ascii(), "{name}: {japanese}");
        for due in ["- Callers: ", "- Look: ", "- Do: ", "- Over: "] {
            assert_eq!(text.matches(due).count(), 1, "{name}: {due}");
        }
        let look = text.split("- Look: ").nth(1).unwrap().lines().next().unwrap();
        assert!(look.contains('`') || look.contains("dashboard"), "{name}: {look}");
        // Links lead to entries and pages that are there.
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let there = match link.strip_prefix('#') {
                Some(anchor) => all.keys().any(|name| name.to_lowercase() == anchor),
                None => root().join("docs").join(link).exists(),
            };
            assert!(there, "{name}: {link}");
        }
    }
}
