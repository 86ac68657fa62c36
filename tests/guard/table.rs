//! The table itself: every test that it names is there and is run, and docs/SECURITY.md says what it says.

use crate::rows::{ROWS, Row};
use crate::support::desk::Desk;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::s;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- the table: written by `MADOGUCHI_WRITE_DOCS=1 cargo test --offline --test guard document` -->";
const END: &str = "<!-- the table ends -->";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Why a test that is named does not hold anything: it is not there, is none, or is left out.
fn complaint(text: &str, name: &str) -> Option<String> {
    let Some(at) = text.find(&format!("fn {name}(")) else { return Some("is not there".into()) };
    let begins = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let lines = text[..begins].lines().rev();
    let above: Vec<&str> = lines
        .map(str::trim)
        .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
        .filter(|line| line.starts_with("#["))
        .collect();
    if !above.iter().any(|line| line.contains("test]") || line.contains("test(")) {
        return Some("is no test".into());
    }
    let ignored = above.iter().any(|line| line.starts_with("#[ignore"));
    ignored.then(|| "is not run".into())
}

#[test]
fn every_class_is_held_by_tests_that_are_there_and_are_run() {
    let mut wrong = Vec::new();
    for row in ROWS {
        if row.held.is_empty() && row.open.is_empty() {
            wrong.push(format!("{}: nothing holds it, and nothing says why", row.class));
        }
        for (file, names) in row.held {
            let Ok(text) = std::fs::read_to_string(root().join(file)) else {
                wrong.push(format!("{file} is not there"));
                continue;
            };
            // A script is named by what it does.
            let is_code = Path::new(file).extension().is_some_and(|end| end == "rs");
            for name in *names {
                let fault = if is_code {
                    complaint(&text, name)
                } else {
                    (!text.contains(name)).then(|| "is not there".into())
                };
                wrong.extend(fault.map(|fault| format!("{file}: {name} {fault}")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let classes: BTreeSet<&str> = ROWS.iter().map(|row| row.class).collect();
    assert_eq!(classes.len(), ROWS.len(), "no class stands twice");
    assert!(ROWS.len() >= 24, "{}", ROWS.len());
}

#[test]
fn a_test_that_is_gone_is_none_or_is_not_run_is_noticed() {
    let text = "#[test]\nfn runs() {}\n\nfn aid() {}\n\n#[test]\n#[ignore = \"x\"]\nfn waits() {}\n\
                proptest! {\n    /// Doc.\n    #[test]\n    fn drawn(x in 0..1) {}\n}\n";
    assert_eq!(complaint(text, "runs"), None);
    assert_eq!(complaint(text, "drawn"), None);
    assert_eq!(complaint(text, "aid").as_deref(), Some("is no test"));
    assert_eq!(complaint(text, "waits").as_deref(), Some("is not run"));
    assert_eq!(complaint(text, "gone").as_deref(), Some("is not there"));
}

fn written(rows: &[Row]) -> String {
    let mut out = format!(
        "{BEGIN}\n\n| what is tried | what is due | what holds it | what is open |\n|---|---|---|---|\n"
    );
    let line =
        |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    for row in rows {
        let held = row.held.iter().map(|(file, names)| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{file}: {}", names.join(", "))
        });
        let held = held.collect::<Vec<_>>().join("<br>");
        let open = if row.open.is_empty() { "–".to_owned() } else { line(row.open) };
        out += &format!("| {} | {} | {held} | {open} |\n", line(row.class), line(row.due));
    }
    out + "\n" + END
}

#[test]
fn the_document_has_the_table_as_it_is_tried() {
    let path = root().join("docs/SECURITY.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let due = format!("{before}{}{after}", written(ROWS));
    if std::env::var_os("MADOGUCHI_WRITE_DOCS").is_some() {
        std::fs::write(&path, &due).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text == due,
        "docs/SECURITY.md: MADOGUCHI_WRITE_DOCS=1 cargo test --offline --test guard document"
    );
}

/// Bits in a text of hexadecimal digits; 0 when there are others in it.
fn bits(text: &str) -> usize {
    if text.chars().all(|c| c.is_ascii_hexdigit()) { text.len() * 4 } else { 0 }
}

#[test]
fn what_names_calls_is_drawn_anew_and_long_enough() {
    let desk = Desk::start("desk.toml");
    let mut phone = Line::new(desk.fixed_port(201), "201", desk.sip);
    let mut seen: [BTreeSet<String>; 4] = Default::default();
    for n in 0..20 {
        let mut caller = Line::new(desk.ports.port(), "6001", desk.sip);
        let call = caller.invite("201", &sdp(9, &[0], "sendrecv"));
        let challenge = caller.status(&call, 401, s(3));
        let offer = challenge.must("WWW-Authenticate");
        let nonce = offer.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        seen[0].insert(nonce.to_owned());
        if n >= 5 {
            continue;
        }
        // What the desk itself draws, in a call of its own.
        let mut colleague = Line::new(desk.fixed_port(202), "202", desk.sip);
        let call = colleague.invite("201", &sdp(9, &[0], "sendrecv"));
        let rung = phone.ring(s(5));
        phone.answer(&rung, 180, "");
        let invite = rung.invite.clone().unwrap();
        let (id, tag) = (invite.must("Call-ID"), invite.parameter("From", "tag").unwrap());
        let via = invite.must("Via");
        let branch = via.split("branch=z9hG4bK").nth(1).unwrap().split(';').next().unwrap();
        for (set, name) in seen[1..].iter_mut().zip([id.split('@').next().unwrap(), &tag, branch]) {
            assert!(bits(name) >= 64, "{name} in {invite}");
            set.insert(name.to_owned());
        }
        colleague.cancel(&call);
        phone.cancel_comes(&rung, s(3));
    }
    assert_eq!(seen.map(|set| set.len()), [20, 5, 5, 5], "none comes twice");
}
