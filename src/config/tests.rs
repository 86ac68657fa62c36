//! Defaults, refusals and secrets.

use super::*;
use crate::dialplan::{Finding, Findings, Lang, Source};
use crate::sip::api::AccountSecret;
use crate::view::{Handling, Outcome};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const EXAMPLE: &str = include_str!("../../docs/examples/madoguchi.toml");

/// The least that a configuration must say.
const LEAST: &str = r#"[sip]
listen = ["udp:127.0.0.1:5060"]
realm = "desk.example"
[plan]
file = "plan.toml"
"#;

fn read(text: &str) -> Result<(Config, Vec<Finding>), Vec<Finding>> {
    parse(text, "madoguchi.toml", Path::new("/etc/madoguchi"))
}

fn codes(result: &Result<(Config, Vec<Finding>), Vec<Finding>>) -> Vec<&'static str> {
    let (Ok((_, findings)) | Err(findings)) = result;
    findings.iter().map(|finding| finding.message.code).collect()
}

#[test]
fn the_example_shows_every_default() {
    let Ok((config, warnings)) = read(EXAMPLE) else { panic!("{:?}", read(EXAMPLE)) };
    assert!(warnings.is_empty(), "{warnings:?}");
    // Taking the comment sign from every default changes nothing.
    let mut shown_only = false;
    let written: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            // A section that nobody has by default, down to the next one.
            Some(rest) if rest.starts_with('[') => {
                shown_only = true;
                format!("{line}\n")
            }
            None if line.starts_with('[') => {
                shown_only = false;
                format!("{line}\n")
            }
            Some(rest)
                if rest.contains(" = ")
                    && !shown_only
                    && !rest.starts_with("advertise")
                    && !rest.starts_with("prompts")
                    && !rest.starts_with("numbers")
                    && !rest.starts_with("contact")
                    // What stands below [[accounts.rules]] belongs to it.
                    && !rest.starts_with("accounts =")
                    && !rest.starts_with("networks =")
                    && !rest.starts_with("transports =")
                    && !rest.starts_with("max_contacts = 1 ")
                    && !rest.starts_with("encryption =")
                    && !rest.starts_with("dtmf =")
                    && !rest.starts_with("viewer_token_file")
                    && !rest.starts_with("wall_token_file")
                    && !rest.starts_with("people_file")
                    && !rest.starts_with("link =")
                    && !rest.starts_with("directory =")
                    && !rest.starts_with("ca =")
                    && !rest.starts_with("certificate")
                    && !rest.starts_with("key =")
                    && !rest.starts_with("service_begins")
                    && !rest.starts_with("keep_callers_days")
                    && !rest.starts_with("hep") =>
            {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let Ok((same, warnings)) = read(&written) else { panic!("{:?}", read(&written)) };
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(same.show(), config.show());
    let commented = |text: &str| text.matches("\n# ").count();
    let taken = commented(EXAMPLE) - commented(&written);
    assert!(taken > 40, "{taken} defaults");
    // Every key in force stands in the example, commented or not.
    for line in config.show().lines().filter(|line| line.contains(" = ")) {
        let (key, _) = line.split_once(" = ").unwrap();
        let there =
            EXAMPLE.lines().any(|l| l.trim_start_matches("# ").starts_with(&format!("{key} = ")));
        assert!(there, "{key} is not in the example");
    }
}

#[test]
fn what_is_shown_means_the_same() {
    let text = format!(
        "{LEAST}[[trunks]]\nname = \"c\"\nsources = [\"192.0.2.1\", \"[2001:db8::1]:5060\"]\n\
         [[fixed_phones]]\nnumbers = \"2000-2001\"\ncontact = \"sip:{{number}}@127.0.0.1:7060\"\n"
    );
    let (config, _) = read(&text).unwrap();
    let (again, _) = read(&config.show()).unwrap();
    assert_eq!(config.show(), again.show());
    assert_eq!(config.plan, Path::new("/etc/madoguchi/plan.toml"));
    assert_eq!(config.store.file, Path::new("/etc/madoguchi/madoguchi.db"));
    assert_eq!(config.limits.calls, 5000);
    assert_eq!(config.media.ports, 20_000..=29_999);
    assert_eq!(config.sip_settings().max_expires_s, 3600);
    let (few, _) = read(&format!("{LEAST}[media]\nports = \"20000-20999\"\n")).unwrap();
    assert_eq!(few.limits.calls, 500);
    let directory = config.directory();
    let contact = directory.fixed_phones.get(&Number::from("2001")).map(String::as_str);
    assert_eq!(contact, Some("sip:2001@127.0.0.1:7060"));
    assert_eq!(directory.trunks[0].sources[0].port(), 0);
}

#[test]
fn a_listener_on_every_address_tells_the_advertised_one() {
    let text = LEAST.replace(
        "127.0.0.1:5060\"]",
        "0.0.0.0:5060\", \"tcp:127.0.0.1:0\"]\nadvertise = \"192.0.2.10\"",
    ) + "[media]\naddress = \"0.0.0.0\"\n";
    let (config, warnings) = read(&text).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let listeners = config.sip_settings().listeners;
    assert_eq!(listeners[0].advertised, "192.0.2.10:5060".parse::<SocketAddr>().unwrap());
    assert_eq!(listeners[1].advertised, "127.0.0.1:0".parse::<SocketAddr>().unwrap());
    assert_eq!(config.media.advertised(), "192.0.2.10".parse::<IpAddr>().unwrap());
}

#[test]
fn each_fault_is_found_and_nothing_else() {
    // (what is changed in the least configuration, into what, codes)
    let table: &[(&str, &str, &[&str])] = &[
        ("[sip]", "[spi]", &["missing-key", "unknown-key"]),
        ("listen =", "lissen =", &["missing-key", "unknown-key"]),
        ("realm = \"desk.example\"", "", &["missing-key"]),
        ("realm = \"desk.example\"", "realm = \"a\\\"b\"", &["bad-realm"]),
        ("realm = \"desk.example\"", "realm = \"\"", &["bad-realm"]),
        ("[\"udp:127.0.0.1:5060\"]", "[]", &["empty"]),
        ("[\"udp:127.0.0.1:5060\"]", "\"udp:127.0.0.1:5060\"", &["wrong-kind"]),
        ("udp:127", "sctp:127", &["bad-listen"]),
        ("udp:127", "tls:127", &["no-certificate"]),
        ("udp:127", "wss:127", &["no-certificate"]),
        (
            "[plan]",
            "[[trunks]]\nname = \"c\"\nsources = [\"192.0.2.1\"]\ntls_names = [\"c.example\"]\n[plan]",
            &["names-without-tls"],
        ),
        ("realm =", "origins = [\"https://panel.example/\"]\nrealm =", &["bad-origin"]),
        ("[plan]", "[sip.tls]\nkey = \"k\"\n[plan]", &["missing-key"]),
        ("udp:127.0.0.1:5060", "udp:127.0.0.1", &["bad-listen"]),
        ("udp:127.0.0.1:5060", "udp:localhost:5060", &["bad-listen"]),
        ("udp:127.0.0.1:5060", "udp:127.0.0.1:5060\", \"udp:127.0.0.1:5060", &["twice"]),
        ("udp:127.0.0.1:5060", "udp:0.0.0.0:5060", &["no-advertise"]),
        ("udp:127.0.0.1:5060", "udp:[::]:5060", &["no-advertise"]),
        ("udp:127.0.0.1:5060", "udp:127.0.0.1:20004", &["port-inside"]),
        ("[plan]", "advertise = \"0.0.0.0\"\n[plan]", &["bad-address"]),
        ("[plan]", "advertise = \"desk.example\"\n[plan]", &["bad-address"]),
        ("[plan]", "hosts = [\"desk example\"]\n[plan]", &["bad-host"]),
        ("[plan]", "min_expires = \"2h\"\n[plan]", &["out-of-range"]),
        ("[plan]", "min_expires = \"5m\"\nmax_expires = \"60s\"\n[plan]", &["lease-order"]),
        ("[plan]", "min_expires = 60\n[plan]", &["wrong-kind"]),
        ("[plan]", "[media]\naddress = \"0.0.0.0\"\n[plan]", &["no-advertise"]),
        ("[plan]", "[media]\nports = \"20001-29999\"\n[plan]", &["odd-port"]),
        ("[plan]", "[media]\nports = \"20000-20002\"\n[plan]", &["few-ports"]),
        ("[plan]", "[media]\ncodecs = [\"opus\"]\n[plan]", &["no-g711"]),
        ("[plan]", "[media]\nports = \"80-90\"\n[plan]", &["bad-ports"]),
        ("[plan]", "[media]\nports = \"20000-70000\"\n[plan]", &["bad-ports"]),
        ("[plan]", "[media]\nthreads = 0\ndscp = 64\n[plan]", &["out-of-range", "out-of-range"]),
        ("[plan]", "[store]\ndurability = \"disk\"\n[plan]", &["bad-word"]),
        ("[plan]", "[http]\nlisten = \"8080\"\n[plan]", &["bad-address"]),
        ("[plan]", "[http]\nlisten = \"0.0.0.0:8080\"\n[plan]", &["open-pages"]),
        (
            "[plan]",
            "[limits]\ncalls = 0\nqueue_delay_ms = 1\n[plan]",
            &["out-of-range", "out-of-range"],
        ),
        ("[plan]", "[limits]\ncalls = 5001\n[plan]", &["ports-below-calls"]),
        ("[plan]", "[limits]\ncals = 1\n[plan]", &["unknown-key"]),
        ("[plan]", "[[trunks]]\nname = \"a\"\nsources = []\n[plan]", &["empty"]),
        (
            "[plan]",
            "[[trunks]]\nname = \"a b\"\nsources = [\"0.0.0.0\", \"x\"]\n[plan]",
            &["bad-text", "bad-address", "bad-address"],
        ),
        (
            "[plan]",
            "[[trunks]]\nname = \"a\"\nsources = [\"192.0.2.1\"]\n[[trunks]]\nname = \"a\"\nsources = [\"192.0.2.1:5060\"]\n[plan]",
            &["twice", "twice"],
        ),
        (
            "[plan]",
            "[[fixed_phones]]\nnumbers = \"2000-2002\"\ncontact = \"sip:x@127.0.0.1\"\n[plan]",
            &["one-contact"],
        ),
        (
            "[plan]",
            "[[fixed_phones]]\nnumbers = \"2002-2000\"\ncontact = \"sip:{number}@127.0.0.1\"\n[plan]",
            &["bad-range"],
        ),
        (
            "[plan]",
            "[[fixed_phones]]\nnumbers = \"000000-199999\"\ncontact = \"sip:{number}@127.0.0.1\"\n[plan]",
            &["range-too-long"],
        ),
        (
            "[plan]",
            "[[fixed_phones]]\nnumbers = \"2000\"\ncontact = \"sip:{number}@256.0.0.1\"\n[plan]",
            &["bad-contact"],
        ),
        (
            "[plan]",
            "[[fixed_phones]]\nnumbers = \"2000\"\ncontact = \"sip:2000>\\r\\nVia: x@127.0.0.1\"\n[plan]",
            &["bad-contact"],
        ),
        (
            "[plan]",
            "[[fixed_phones]]\nnumbers = \"2000-2003\"\ncontact = \"sip:{number}@127.0.0.1\"\n[[fixed_phones]]\nnumbers = \"2002-2005\"\ncontact = \"sip:{number}@127.0.0.1\"\n[plan]",
            &["twice"],
        ),
        ("file = \"plan.toml\"", "file = \"\"", &["bad-text"]),
        ("[plan]\nfile = \"plan.toml\"", "", &["missing-key"]),
    ];
    for (from, into, want) in table {
        assert!(LEAST.contains(from), "{from}");
        let result = read(&LEAST.replacen(from, into, 1));
        assert_eq!(codes(&result), *want, "{from} -> {into}\n{result:?}");
        let (Ok((_, findings)) | Err(findings)) = &result;
        assert_eq!(result.is_err(), findings.iter().any(Finding::is_error), "{into}");
        for finding in findings {
            assert!(finding.render(Lang::Ja).len() > 10 && finding.render(Lang::En).len() > 10);
        }
    }
    assert!(codes(&read(LEAST)).is_empty());
}

#[test]
fn a_refusal_names_file_line_found_and_due() {
    let text = LEAST.replace("[plan]", "[media]\nports = \"20001-20010\"\n[plan]")
        + "[limits]\ncalls = 4\n";
    let findings = read(&text).unwrap_err();
    let told: Vec<_> = findings.iter().map(|finding| finding.render(Lang::En)).collect();
    assert_eq!(
        told.join("\n"),
        "error[odd-port]: ports begin with the odd 20001
 --> madoguchi.toml:5:9
  |
5 | ports = \"20001-20010\"
  |         ^^^^^^^^^^^^^
  |
  = due: an even one: RTP takes the even port, RTCP the next (RFC 3550 §11)"
    );
}

#[test]
fn accounts_are_read_and_faults_named_without_showing_a_secret() {
    let text = "# people\n2001\tcorrect horse\n\n2002 hunter2hunter2\n2003\tshrt7\n2001\tanother one\n\
                20 4\tgood enough\n2005\ttab\tinside!\n2006\tfine-pass\r\n";
    let mut out = Findings::new(Source::secret(text, "accounts.tsv"));
    let accounts = accounts(&mut out);
    let users: Vec<&str> = accounts.keys().map(String::as_str).collect();
    assert_eq!(users, ["2001", "2006"]);
    let password = |text: &str| AccountSecret::Password(Private::new(text.to_owned()));
    assert_eq!(accounts["2001"], password("correct horse"));
    assert_eq!(accounts["2006"], password("fine-pass"));
    let findings = out.into_sorted();
    let told: Vec<_> = findings.iter().map(|f| f.render(Lang::En) + &f.render(Lang::Ja)).collect();
    let lines: Vec<usize> =
        findings.iter().filter_map(|f| f.place.as_ref()).map(|place| place.line).collect();
    assert_eq!(lines, [4, 5, 6, 7, 8]);
    assert!(told.concat().contains("weak-passwords]: 1 accounts"), "{told:?}");
    for secret in ["hunter2", "shrt7", "another one", "good enough", "inside!"] {
        assert!(!told.concat().contains(secret), "{secret}");
        assert!(!format!("{findings:?}{accounts:?}").contains(secret), "{secret}");
    }
}

/// A folder of its own that goes when the test ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("madoguchi-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path); // left over from a run that was killed
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> std::path::PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // nothing depends on it
    }
}

#[test]
fn secrets_that_others_can_read_are_refused_with_the_mend() {
    let folder = Folder::new("modes");
    let text = format!("{LEAST}[accounts]\nfile = \"accounts.tsv\"\n");
    let config = folder.write("madoguchi.toml", &text, 0o644);
    let accounts = folder.write("accounts.tsv", "2001\tcorrect horse\n", 0o640);
    let findings = load(&config, Secrets::Look).unwrap_err();
    let told = findings[0].render(Lang::En);
    assert!(told.starts_with("error[readable-secret]: others can read it (mode 0640)"), "{told}");
    assert!(told.ends_with(&format!("chmod 600 {}", accounts.display())), "{told}");

    fs::set_permissions(&accounts, fs::Permissions::from_mode(0o600)).unwrap();
    let (config, _) = load(&config, Secrets::Look).unwrap();
    let due = AccountSecret::Password(Private::new("correct horse".to_owned()));
    assert_eq!(config.accounts["2001"], due);
    assert!(!format!("{config:?}").contains("correct horse"));
    assert!(!config.show().contains("correct horse"));
    assert!(config.http_token().reveal().is_empty());
}

#[test]
fn hashes_stand_in_the_place_of_passwords_and_let_the_same_phones_in() {
    let folder = Folder::new("hashed");
    let text = format!("{LEAST}[accounts]\nfile = \"accounts.tsv\"\n");
    let config = folder.write("madoguchi.toml", &text, 0o644);
    let written = "# phones\n2001\tcorrect horse\r\n\n2002\tbattery staple";
    let accounts = folder.write("accounts.tsv", written, 0o600);
    let realm = load(&config, Secrets::Look).unwrap().0.sip.realm;
    let (hashed, count) = crate::config::hashed(written, &realm);
    assert_eq!(count, 2);
    // Everything else of the file stays, its line ends too; no password does.
    let text = hashed.reveal();
    assert!(text.starts_with("# phones\n2001\t") && text.contains("\r\n\n2002\t"), "{text}");
    assert!(!text.contains("horse") && !text.contains("staple"));
    assert_eq!(crate::config::hashed(text, &realm), (hashed.clone(), 0), "once is enough");
    crate::config::replace_private(&accounts, text).unwrap();
    assert_eq!(fs::metadata(&accounts).unwrap().permissions().mode() & 0o777, 0o600);
    let (loaded, findings) = load(&config, Secrets::Look).unwrap();
    assert!(findings.iter().all(|it| !it.render(Lang::En).contains("password")), "{findings:?}");
    let ha1 = |user: &str, password: &str| {
        let by_password = crate::sip::digest::Ha1::new(user, &realm, password);
        assert_eq!(loaded.accounts[user].ha1(user, &realm), by_password);
    };
    ha1("2001", "correct horse");
    ha1("2002", "battery staple");
    assert!(!format!("{loaded:?}").contains(text.split('\t').nth(2).unwrap()), "never shown");

    // For another realm they let nobody in: that is said, not found out by a phone.
    crate::config::replace_private(&accounts, &text.replace(&realm, "old.example")).unwrap();
    let told: String =
        load(&config, Secrets::Look).unwrap_err().iter().map(|it| it.render(Lang::En)).collect();
    assert!(told.contains("extension 2001 are for the realm old.example"), "{told}");
    crate::config::replace_private(&accounts, "2001\tdesk\t00ff\t00ff\n").unwrap();
    let told = load(&config, Secrets::Look).unwrap_err()[0].render(Lang::En);
    assert!(told.contains("has tabs and is not one of hashes") && !told.contains("00ff"), "{told}");
}

#[test]
fn a_missing_token_is_made_once_and_kept() {
    let folder = Folder::new("token");
    let config = folder.write("madoguchi.toml", LEAST, 0o644);
    let mut rng = crate::base::Rng::from_number(1);
    let (first, _) = load(&config, Secrets::Make(&mut rng)).unwrap();
    let token = first.http_token().reveal().clone();
    assert_eq!(token.len(), 32);
    let mode = fs::metadata(&first.http.token_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (second, _) = load(&config, Secrets::Make(&mut rng)).unwrap();
    assert_eq!(second.http_token().reveal(), &token);
    assert!(!format!("{second:?}").contains(&token));

    fs::write(&first.http.token_file, "short\n").unwrap();
    assert_eq!(codes(&load(&config, Secrets::Look)), ["short-token"]);
}

#[test]
fn missing_files_are_named() {
    let folder = Folder::new("missing");
    let nowhere = folder.0.join("nowhere.toml");
    let findings = load(&nowhere, Secrets::Look).unwrap_err();
    let told = findings[0].render(Lang::En);
    assert!(told.contains("nowhere.toml") && told.contains("No such file"), "{told}");
    let text = format!("{LEAST}[accounts]\nfile = \"nobody.tsv\"\n");
    let config = folder.write("madoguchi.toml", &text, 0o644);
    assert_eq!(codes(&load(&config, Secrets::Look)), ["unreadable"]);
    folder.write("nobody.tsv", "\u{0}", 0o600);
    assert_eq!(codes(&load(&config, Secrets::Look)), ["bad-account"]);
}

#[test]
fn plan_and_configuration_are_judged_together() {
    let folder = Folder::new("together");
    let plan = "name = \"x\"\ntimezone = \"Asia/Tokyo\"\n[desk_numbers.0312345678]\nname = \"x\"\n\
                open = { group = \"g\" }\nlines = 1\ntrunks = [\"carier\"]\n\
                [groups.g]\nagents = \"2001-2002\"\nstrategy = \"linear\"\n[agents]\n2001-2002 = \"x\"\n";
    folder.write("plan.toml", plan, 0o644);
    let text = format!(
        "{LEAST}[[trunks]]\nname = \"carrier\"\nsources = [\"192.0.2.1\"]\n\
         [[fixed_phones]]\nnumbers = \"2001\"\ncontact = \"sip:2001@127.0.0.1\"\n"
    );
    let path = folder.write("madoguchi.toml", &text, 0o644);
    let (config, _) = load(&path, Secrets::Look).unwrap();
    let findings = load_plan(&config, None).unwrap_err();
    let told: Vec<_> = findings.iter().map(|finding| finding.render(Lang::En)).collect();
    assert!(
        told[0].contains("no trunk carier") && told[0].contains("did you mean carrier?"),
        "{told:?}"
    );
    assert!(told[1].starts_with("warning[no-phone]: 1 agents of the plan (2002"), "{told:?}");
    folder.write("plan.toml", &plan.replace("carier", "carrier"), 0o644);
    let (plan, warnings) = load_plan(&config, None).unwrap();
    assert_eq!((plan.agents.len(), warnings.len()), (2, 1));
}

#[test]
fn a_configuration_is_told_from_a_plan() {
    assert!(looks_like_config(EXAMPLE));
    assert!(looks_like_config(LEAST));
    assert!(!looks_like_config(include_str!("../../dialplans/service-desk.toml")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// A configuration that somebody broke anywhere is read without a panic.
    #[test]
    fn no_mutation_makes_parse_panic(
        cuts in proptest::collection::vec((any::<u16>(), 0..30usize, "[ -~\\n\"{}\\[\\]=,:口]{0,12}"), 1..4),
    ) {
        let mut text = EXAMPLE.replace("# ", "");
        for (place, length, put) in cuts {
            let floor = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = floor(usize::from(place) % (text.len() + 1));
            let end = floor((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &put);
        }
        if let Err(findings) = read(&text) {
            prop_assert!(findings.iter().any(Finding::is_error));
        }
    }
}

#[test]
fn the_first_rule_that_names_an_account_is_its_rule() {
    let rules = "[accounts]\nfile = \"accounts.tsv\"\n\
        [[accounts.rules]]\naccounts = [\"2000-2002\", \"front\"]\nnetworks = [\"192.0.2.0/24\"]\nmax_contacts = 1\n\
        [[accounts.rules]]\naccounts = \"*\"\ntransports = [\"tls\", \"wss\"]\n";
    let Ok((mut config, warnings)) = read(&format!("{LEAST}{rules}")) else { panic!("refused") };
    assert!(warnings.is_empty(), "{warnings:?}");
    for user in ["2002", "front", "2003"] {
        config.accounts.insert(
            user.to_owned(),
            AccountSecret::Password(Private::new("long enough".to_owned())),
        );
    }
    let directory = config.directory();
    let policy = |user: &str| &directory.accounts[user].policy;
    for user in ["2002", "front"] {
        assert_eq!(policy(user).max_contacts, Some(1), "{user}");
        assert!(policy(user).transports.is_empty(), "{user}: the second rule is not for it");
    }
    assert_eq!(policy("2003").transports, [Transport::Tls, Transport::Wss]);
    assert_eq!(policy("2003").max_contacts, None);
    for shown in
        ["networks = [\"192.0.2.0/24\"]", "accounts = \"*\"", "transports = [\"tls\", \"wss\"]"]
    {
        assert!(config.show().contains(shown), "{shown} not in\n{}", config.show());
    }
}

#[test]
fn rules_and_traces_that_cannot_be_meant_are_refused() {
    let rule =
        |lines: &str| format!("{LEAST}[accounts]\nfile = \"a\"\n[[accounts.rules]]\n{lines}\n");
    let table = [
        (rule("networks = [\"192.0.2.0/24\"]"), "missing-key"),
        (rule("accounts = \"2000\"\nnetworks = [\"192.0.2.7/24\"]"), "bad-network"),
        (rule("accounts = \"2000\"\nnetworks = [\"desk\"]"), "bad-network"),
        (rule("accounts = \"2000\"\ntransports = [\"sctp\"]"), "bad-word"),
        (rule("accounts = \"2000\""), "empty-rule"),
        (format!("{LEAST}[trace]\nhep = \"homer.example\""), "bad-collector"),
        (format!("{LEAST}[log]\nlevels = \"info,nett=debug\""), "bad-log-levels"),
        (format!("{LEAST}[log]\nformat = \"xml\""), "bad-word"),
        (
            format!("{LEAST}[trace]\nmemory_mib = 0\nhep = \"udp:192.0.2.30:9060\""),
            "hep-without-memory",
        ),
    ];
    for (text, due) in table {
        assert_eq!(codes(&read(&text)), [due], "{text}");
    }
}

#[test]
fn the_contracts_settings_are_read_or_refused_by_name() {
    let figures = |text: &str| read(&format!("{LEAST}[figures]\n{text}\n"));
    let agreed = figures("").expect("the default").0.figures;
    assert_eq!(agreed, crate::view::Policy::default());
    let whole = "short_call_ms = 5000\nreleased_counts_as = \"abandoned\"\n\
                 failed_counts_as = \"excluded\"\nmenu_left_counts_as = \"abandoned\"\n\
                 message_taken_counts_as = \"answered\"\nanswer_target_ms = 30000\n\
                 short_call_excluded_from = \"abandon_and_busy\"\nabandon_limit = 8\n\
                 busy_limit = 4\nservice_begins = \"2026-04-01\"";
    let (config, _) = figures(whole).expect("all of them");
    assert_eq!(config.figures.check(), Ok(()));
    assert_eq!(config.figures.settings().len(), 10);
    // What is shown means the same, and a change of it waits for a restart.
    let shown = config.show();
    let section = shown.split("[figures]\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    let (again, _) = figures(section.expect("it is shown")).expect("it is read again");
    assert_eq!(again.figures, config.figures);
    let (default, _) = figures("").expect("the default");
    assert_eq!(default.needs_restart(&config).len(), 10);
    for (text, code) in [
        ("released_counts_as = \"excluded\"", "bad-word"),
        ("failed_counts_as = \"busy\"", "bad-word"),
        ("busy_limit = 0", "out-of-range"),
        ("service_begins = \"2026-02-30\"", "bad-date"),
        ("short_call = 3", "unknown-key"),
    ] {
        assert_eq!(codes(&figures(text)), [code], "{text}");
    }
}

#[test]
fn how_long_callers_are_kept_is_read_and_shown() {
    let plain = read(LEAST).expect("good").0;
    assert_eq!(plain.store.keep_callers_days, None);
    let store = |more: &str| read(&format!("{LEAST}[store]\n{more}\n"));
    let config = store("keep_callers_days = 400\nerase_callers_at = \"02:30\"").expect("good").0;
    assert_eq!(config.store.keep_callers_days, Some(400));
    assert!(config.show().contains("keep_callers_days = 400\nerase_callers_at = \"02:30\"\n"));
    for (more, due) in [
        ("keep_callers_days = 0", "out-of-range"),
        ("erase_callers_at = \"3 o'clock\"", "bad-time"),
        ("erase_callers_at = \"24:00\"", "bad-time"),
    ] {
        assert_eq!(codes(&store(more)), [due], "{more}");
    }
}

#[test]
fn ticket_systems_are_read_and_what_is_wrong_with_one_is_told_where_it_stands() {
    let target = |kind: &str, more: &str| {
        format!("[tickets]\n[[tickets.targets]]\nname = \"tool\"\nkind = \"{kind}\"\n{more}\n")
    };
    let redmine = "url = \"https://redmine.example/r\"\nkey_file = \"k\"\nproject = \"desk\"\n\
                   tracker = 4\nfields = { call = 1, wait_s = 8 }\nread = { reported_at = 14 }\n\
                   rules = { blocked = \"ticket\", abandoned = \"note\" }\nsubject = \"{caller}\"";
    let (config, _) = read(&format!("{LEAST}{}", target("redmine", redmine))).unwrap();
    let (again, _) = read(&config.show()).unwrap();
    assert_eq!(config.show(), again.show());
    let [tool] = config.tickets.targets.as_slice() else { panic!("one target") };
    assert_eq!(tool.fields.len(), 2);
    assert_eq!(tool.rules.of(Outcome::Blocked), Handling::Ticket);
    assert_eq!(tool.rules.of(Outcome::Abandoned), Handling::Note);
    assert_eq!(tool.rules.of(Outcome::Answered), Handling::Ticket);
    let wrong = |kind: &str, text: &str| codes(&read(&format!("{LEAST}{}", target(kind, text))));
    let table = [
        (
            "redmine",
            redmine.replace("https://redmine.example", "http://redmine.example"),
            "ticket-plain-url",
        ),
        ("redmine", redmine.replace("redmine.example", "127.0.0.1"), "ticket-private-url"),
        ("redmine", redmine.replace("https://redmine", "https://me:pass@redmine"), "ticket-url"),
        ("redmine", format!("{redmine}\nhosts = [\"other.example\"]"), "ticket-host"),
        ("redmine", redmine.replace("call = 1, ", ""), "ticket-no-call-field"),
        ("redmine", redmine.replace("wait_s = 8", "wait_s = 1"), "ticket-field-twice"),
        ("redmine", redmine.replace("wait_s", "waited"), "ticket-value"),
        ("redmine", redmine.replace("blocked", "blocket"), "ticket-outcome"),
        ("redmine", redmine.replace("{caller}", "{coller}"), "ticket-subject"),
        ("ledger", String::new(), "ticket-ledger"),
    ];
    for (kind, text, due) in table {
        assert_eq!(wrong(kind, &text), [due], "{text}");
    }
    let twice = format!("{LEAST}{}", target("folder", "path = \"p\""));
    let twice =
        format!("{twice}[[tickets.targets]]\nname = \"tool\"\nkind = \"folder\"\npath = \"q\"\n");
    assert_eq!(codes(&read(&twice)).len(), 1);
}
