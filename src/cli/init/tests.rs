//! First files as a person asks for them.

use super::asking::Person;
use super::{Init, answer};
use crate::cli::Reply;
use crate::dialplan::Lang;
use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

#[derive(clap::Parser)]
struct Arguments {
    #[command(flatten)]
    init: Init,
}

/// Somebody who says these lines, one after the other; nobody without.
struct Says(VecDeque<&'static str>, String);

impl Person for Says {
    fn is_there(&self) -> bool {
        !self.0.is_empty() || !self.1.is_empty()
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        self.1.push_str(question);
        Ok(self.0.pop_front().map(str::to_owned))
    }

    fn tell(&mut self, what: &str) {
        self.1.push_str(what);
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("madoguchi-init-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder); // of a run that was killed
    folder
}

fn asked(folder: &Path, options: &str, says: &[&'static str]) -> (Reply, String) {
    let line = format!("init {} {options}", folder.display());
    let parsed = <Arguments as clap::Parser>::try_parse_from(line.split_whitespace());
    let arguments = parsed.unwrap_or_else(|error| panic!("{line}: {error}")).init;
    let mut person = Says(says.iter().copied().collect(), String::new());
    let reply = answer(&arguments, Lang::En, &mut person).unwrap_or_else(|reply| reply);
    (reply, person.1)
}

#[test]
fn a_script_makes_a_desk_that_passes_check_and_test() {
    // (name, options): hours with a break, over the week's end, day and night; one agent and many; IPv6; a carrier.
    let table = [
        ("plain", "--number 0312345678 --address 127.0.0.1"),
        (
            "lunch",
            "--number 50 --agents 1 --open mon-sat=08:30-12:00,13:00-18:15 --address 127.0.0.1",
        ),
        (
            "always",
            "--number 0312345678 --agents 500 --open mon-sun=00:00-24:00 --address 127.0.0.1",
        ),
        (
            "named",
            "--number 0312345678 --address ::1 --host desk.example --carrier 192.0.2.1 --open sat-mon=09:00-24:00",
        ),
    ];
    for (name, options) in table {
        let dir = folder(name);
        let (reply, said) = asked(&dir, &format!("{options} --yes"), &[]);
        assert_eq!((reply.code, said.as_str()), (0, ""), "{name}: {}{}", reply.out, reply.err);
        for file in [
            "madoguchi.toml",
            "desk.toml",
            "desk.test.toml",
            "secrets/accounts.tsv",
            "secrets/people.toml",
            "secrets/http-token",
            "secrets/desk.key",
            "tls/desk.pem",
        ] {
            let about = std::fs::metadata(dir.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert_eq!(about.mode() & 0o777, 0o600, "{file}");
        }
        assert_eq!(std::fs::metadata(dir.join("secrets")).unwrap().mode() & 0o777, 0o700);
        // Every phone's password is shown, and stands nowhere: the file has what proves it.
        let accounts = std::fs::read_to_string(dir.join("secrets/accounts.tsv")).unwrap();
        let lines = accounts.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            let [extension, realm, md5, sha256] = fields.as_slice() else { panic!("{line}") };
            let shown = reply
                .out
                .lines()
                .find_map(|line| line.trim_start().strip_prefix(extension)?.strip_prefix("  "));
            let password = shown.unwrap_or_else(|| panic!("{extension} in {}", reply.out));
            assert!(password.len() >= 16 && !accounts.contains(password), "{extension}");
            let ha1 = crate::sip::digest::Ha1::new(extension, realm, password);
            assert_eq!(ha1.hashes(), [*md5, *sha256], "{extension}");
            let plan = std::fs::read_to_string(dir.join("desk.toml")).unwrap();
            assert!(!plan.contains(password));
        }
        let people = std::fs::read_to_string(dir.join("secrets/people.toml")).unwrap();
        assert!(people.contains("$argon2id$") && people.contains("role = \"admin\""), "{people}");
        std::fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn nothing_is_ever_written_over() {
    let dir = folder("again");
    let line = "--number 0312345678 --address 127.0.0.1 --yes";
    std::fs::create_dir_all(dir.join("secrets")).unwrap();
    std::fs::write(dir.join("secrets/accounts.tsv"), "somebody's own").unwrap();
    let (reply, _) = asked(&dir, line, &[]);
    assert!(reply.code == 1 && reply.err.contains("is there already"), "{}", reply.err);
    let kept = std::fs::read_to_string(dir.join("secrets/accounts.tsv")).unwrap();
    assert_eq!(kept, "somebody's own");
    assert!(!dir.join("madoguchi.toml").exists() && !dir.join("tls").exists());
    std::fs::remove_file(dir.join("secrets/accounts.tsv")).unwrap();
    assert_eq!(asked(&dir, line, &[]).0.code, 0);
    let before = std::fs::read(dir.join("secrets/desk.key")).unwrap();
    assert_eq!(asked(&dir, line, &[]).0.code, 1);
    assert_eq!(std::fs::read(dir.join("secrets/desk.key")).unwrap(), before);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_person_is_asked_little_and_again_after_a_slip() {
    let dir = folder("asked");
    let says = ["110", "0312345678", "3", "", "127.0.0.1"];
    let (reply, said) = asked(&dir, "", &says);
    assert_eq!(reply.code, 0, "{}{}", reply.out, reply.err);
    assert!(said.contains("not an emergency number"), "{said}");
    assert_eq!(said.matches("desk's number").count(), 3, "asked twice, told once: {said}");
    assert!(said.contains("[mon-fri=08:30-18:15]"), "{said}");
    let plan = std::fs::read_to_string(dir.join("desk.toml")).unwrap();
    assert!(plan.contains("agents = [\"2001-2003\"]"), "{plan}");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_cannot_be_meant_makes_nothing() {
    let dir = folder("wrong");
    for (options, words) in [
        ("--yes", "--number is needed"),
        ("", "nobody to ask"),
        ("--yes --number 7000", "--number:"),
        ("--yes --number 0312345678 --agents 0", "--agents:"),
        ("--yes --number 0312345678 --open mon", "--open:"),
        ("--yes --number 0312345678 --address 0.0.0.0", "--address:"),
        ("--yes --number 0312345678 --host a..b", "--host:"),
        ("--yes --number 0312345678 --sip-port 80", "--sip-port:"),
        ("--yes --number 0312345678 --sip-port 8442", "--pages-port:"),
        ("--yes --number 0312345678 --rtp 5000-6000", "--rtp:"),
        ("--yes --number 0312345678 --owner nobody-of-this-name", "--owner:"),
        ("--yes --number 0312345678 --admin 管理者", "--admin:"),
    ] {
        let (reply, _) = asked(&dir, options, &[]);
        assert!(reply.code == 2 && reply.err.contains(words), "{options}: {}", reply.err);
        assert!(!dir.exists(), "{options}");
    }
}
