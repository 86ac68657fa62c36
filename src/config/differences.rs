//! What a reload changes, by name: each setting, item of the plan, account, person and certificate that is another than the
//! one in force. No secret is in it: of what holds one it is said that it is another.

use super::held::Setting;
use super::{Config, TlsFiles};
use crate::base::{Private, hex};
use crate::dialplan::HolidayTable;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which: `plan groups.desk.ring`, `limits.calls`, `account 2011`.
    pub what: String,
    /// What is in force; none: it is new. Of a secret only that there is one.
    pub before: Option<String>,
    /// What takes its place; none: it is gone.
    pub after: Option<String>,
}

/// The differences of two configurations with their plans' texts. Settings that are left out stand there with their
/// defaults, items of a plan as they are written.
#[must_use]
pub fn differences(before: (&Config, &str), after: (&Config, &str)) -> Vec<Difference> {
    let settings = |(config, plan): (&Config, &str)| {
        let mut all = BTreeMap::new();
        each("", &read(&config.show()), &mut all);
        each("plan ", &read(plan), &mut all);
        let files =
            [("certificate [sip.tls]", &config.tls), ("certificate [http]", &config.http_tls)];
        for (name, files) in files {
            if let Some(files) = files {
                all.insert(name.to_owned(), fingerprint(files));
            }
        }
        all
    };
    let mut found = between("", &settings(before), &settings(after), Clone::clone);
    let (old, new) = (before.0, after.0);
    let held = |config: &Config| -> BTreeMap<String, Private<String>> {
        let all = config.held().into_iter();
        let named = |it: Setting| format!("{}.{} (what it holds)", it.place, it.key);
        all.map(|(it, secret)| (named(it), secret.clone())).collect()
    };
    found.extend(between("", &held(old), &held(new), |_| "•••".to_owned()));
    found.extend(between("account ", &old.accounts, &new.accounts, |_| "•••".to_owned()));
    let people = |config: &Config| -> BTreeMap<String, crate::people::Person> {
        config.people.iter().map(|person| (person.user.clone(), person.clone())).collect()
    };
    found.extend(between("person ", &people(old), &people(new), |person| {
        let line = person.extension.as_ref().map(|line| format!(" {line}")).unwrap_or_default();
        format!("{}{line}", person.role.name())
    }));
    found
}

/// Another table of holidays behind a plan that names the same file, by its SHA-256: its days are no settings.
#[must_use]
pub fn other_holidays(
    before: Option<&HolidayTable>,
    after: Option<&HolidayTable>,
) -> Option<Difference> {
    let sum = |table: &HolidayTable| hex(&Sha256::digest(table.written()));
    let (before, after) = (before.map(sum), after.map(sum));
    let what = || "plan holidays (what the table holds)".to_owned();
    (before != after).then(|| Difference { what: what(), before, after })
}

/// What is in one and not in the other, or is another there.
fn between<T: PartialEq>(
    kind: &str,
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    said: impl Fn(&T) -> String,
) -> Vec<Difference> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let difference = |name: &String| Difference {
        what: format!("{kind}{name}"),
        before: before.get(name).map(&said),
        after: after.get(name).map(&said),
    };
    differ.map(difference).collect()
}

/// What is no TOML has no settings; whoever wants to know what is wrong with it asks `check`.
fn read(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

/// Each value by the names that lead to it. Tables of a list go by their `name`, or their place. It goes as deep as what
/// reads TOML lets a text go.
fn flatten(before: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => each(&format!("{before}."), table, all),
        Value::Array(items) if items.iter().any(Value::is_table) => {
            for (place, item) in items.iter().enumerate() {
                let called = item.get("name").and_then(Value::as_str);
                let called = called.map_or_else(|| (place + 1).to_string(), str::to_owned);
                flatten(&format!("{before}[{called}]"), item, all);
            }
        }
        other => {
            all.insert(before.to_owned(), other.to_string());
        }
    }
}

fn each(before: &str, table: &Table, all: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        flatten(&format!("{before}{name}"), value, all);
    }
}

/// The certificate that others see, by its SHA-256.
fn fingerprint(files: &TlsFiles) -> String {
    files.chain.first().map(|certificate| hex(&Sha256::digest(certificate))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Private;
    use crate::config::parse;
    use crate::sip::api::AccountSecret;
    use std::path::Path;

    const CONFIG: &str = "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n\
                      [media]\naddress = \"127.0.0.1\"\nports = \"20000-20999\"\n\
                      [store]\nfile = \"x.db\"\n[http]\ntoken_file = \"token\"\n\
                      [plan]\nfile = \"plan.toml\"\n[accounts]\nfile = \"accounts.tsv\"\n";
    const PLAN: &str = "name = \"desk\"\n[groups.desk]\nring = \"20s\"\nagents = [\"2001\"]\n\
                        [[outside]]\nname = \"inland\"\nnumbers = [\"0xxx\"]\n[agents]\n2001 = \"佐藤\"\n";

    fn told(found: &[Difference]) -> Vec<String> {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        found
            .iter()
            .map(|it| format!("{}: {} -> {}", it.what, side(&it.before), side(&it.after)))
            .collect()
    }

    #[test]
    fn what_is_another_is_named_with_what_it_was_and_no_secret_is_shown() {
        let read = |text: &str| parse(text, "x.toml", Path::new("/x")).unwrap().0;
        let mut old = read(CONFIG);
        assert_eq!(differences((&old, PLAN), (&old, PLAN)), []);
        let secret = |word: &str| AccountSecret::Password(Private::new(word.to_owned()));
        old.accounts = [("2001", "first"), ("2002", "same"), ("2003", "gone")]
            .map(|(user, word)| (user.to_owned(), secret(word)))
            .into();
        let text = format!(
            "{CONFIG}[limits]\ncalls = 7\n[[trunks]]\nname = \"carrier\"\nsources = [\"192.0.2.1\"]\n"
        );
        let mut new = read(&text);
        new.accounts = [("2001", "second"), ("2002", "same"), ("2004", "new")]
            .map(|(user, word)| (user.to_owned(), secret(word)))
            .into();
        let plan = PLAN
            .replace("20s", "25s")
            .replace("0xxx", "0xxxx")
            .replace("[agents]\n", "[agents]\n2002 = \"鈴木\"\n");
        let found = told(&differences((&old, PLAN), (&new, &plan)));
        for due in [
            "plan groups.desk.ring: \"20s\" -> \"25s\"",
            "plan outside[inland].numbers: [\"0xxx\"] -> [\"0xxxx\"]",
            "plan agents.2002: - -> \"鈴木\"",
            "account 2001: ••• -> •••",
            "account 2003: ••• -> -",
            "account 2004: - -> •••",
        ] {
            assert!(found.iter().any(|line| line == due), "{due}: {found:#?}");
        }
        assert!(
            found.iter().any(|line| line.starts_with("limits.calls: ") && line.ends_with("-> 7"))
        );
        assert!(found.iter().any(|line| line.starts_with("trunks[carrier].sources: - -> ")));
        assert!(!found.iter().any(|line| line.starts_with("account 2002")), "{found:#?}");
        assert!(!found.concat().contains("second"));
        // And back.
        assert_eq!(differences((&new, &plan), (&old, PLAN)).len(), found.len());
    }

    #[test]
    fn a_carriers_new_password_is_told_and_not_shown() {
        let trunk = "[[trunks]]\nname = \"carrier\"\nsources = [\"192.0.2.1\"]\nservers = [\"192.0.2.1\"]\n\
                     domain = \"carrier.example\"\nuser = \"0312345678\"\npassword_file = \"carrier\"\n";
        let read = |password: &str, token: &str| {
            let mut config =
                parse(&format!("{CONFIG}{trunk}"), "x.toml", Path::new("/x")).unwrap().0;
            let upstream = config.trunks.first_mut().and_then(|trunk| trunk.upstream.as_mut());
            let login = upstream.and_then(|upstream| upstream.login.as_mut()).unwrap();
            login.password = Private::new(password.to_owned());
            config.token = Private::new(token.to_owned());
            config
        };
        let (old, new) = (read("first", "same"), read("second", "same"));
        assert_eq!(
            told(&differences((&old, PLAN), (&new, PLAN))),
            ["trunks[carrier].password_file (what it holds): ••• -> •••"]
        );
        assert_eq!(old.needs_restart(&new), [""; 0]);
        let other = read("first", "another");
        assert_eq!(
            told(&differences((&old, PLAN), (&other, PLAN))),
            ["http.token_file (what it holds): ••• -> •••"]
        );
        assert_eq!(old.needs_restart(&other), ["[http] token_file (what it holds)"]);
    }

    #[test]
    fn a_table_of_holidays_that_is_taken_over_is_told() {
        let table = |days: &str| HolidayTable::parse(days, "holidays.csv").unwrap();
        let (old, new) = (table("2027-01-01,元日\n"), table("2027-01-01,元日\n2027-05-06,休日\n"));
        assert_eq!(other_holidays(Some(&old), Some(&table("2027/1/1,元日\n"))), None);
        assert_eq!(other_holidays(None, None), None);
        let found = other_holidays(Some(&old), Some(&new)).unwrap();
        assert_eq!(found.what, "plan holidays (what the table holds)");
        assert_eq!(found.before.map(|sum| sum.len()), Some(64));
        assert!(other_holidays(None, Some(&new)).is_some_and(|it| it.before.is_none()));
    }
}
