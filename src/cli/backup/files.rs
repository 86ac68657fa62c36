//! Which files of a desk belong into a backup, and what the configuration names that does not.

use crate::config::{self, Config, Secrets};
use crate::dialplan::Finding;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// A file of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Whole {
    /// As it lies there.
    File(PathBuf),
    /// Accounts of people, without what proves them.
    People(PathBuf),
}

/// What belongs into a backup, by its path within, and what is left out.
pub(in crate::cli) struct Belongs {
    pub files: BTreeMap<PathBuf, Whole>,
    pub left_out: Vec<String>,
    /// The plan's name.
    pub desk: String,
    /// What is wrong with the plan, when no desk could start by it: it belongs to the desk all the same.
    pub plan_refused: Vec<Finding>,
}

/// Reads the configuration and says what belongs to the desk.
///
/// # Errors
///
/// What is wrong with the configuration.
pub(in crate::cli) fn belongs(path: &Path) -> Result<(Config, Belongs), Vec<Finding>> {
    let (config, _) = config::load(path, Secrets::Look)?;
    let (desk, holidays, plan_refused) = match config::plan_at(&config.plan, None) {
        Ok((plan, _)) => (plan.name, plan.holidays.map(|(file, _)| file), Vec::new()),
        Err(findings) => {
            let (desk, holidays) = of_a_refused_plan(&config.plan);
            (desk, holidays, findings)
        }
    };
    let base = path.parent().unwrap_or(Path::new(""));
    let mut files = BTreeMap::new();
    let mut add = |file: &Path| {
        files.insert(within(base, file), Whole::File(file.to_owned()));
    };
    add(path);
    // Of a plan that is refused a file may be what is missing.
    let is_there = |file: &Path| plan_refused.is_empty() || file.is_file();
    let table = holidays.map(|file| config.plan.parent().unwrap_or(Path::new("")).join(file));
    [Some(config.plan.clone()), table]
        .iter()
        .flatten()
        .filter(|file| is_there(file))
        .for_each(|file| add(file));
    for table in super::super::rehearse::tables_beside(&config.plan) {
        add(&table);
    }
    for prompt in prompts(config.media.prompts.as_deref()) {
        add(&prompt);
    }
    if let Some(people) = config.http.people_file.as_ref().filter(|file| file.exists()) {
        files.insert(within(base, people), Whole::People(people.clone()));
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut left_out = Vec::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        named("", &table, base, &mut left_out);
    }
    // What the configuration need not name.
    let token = config.http.token_file.display().to_string();
    if !left_out.contains(&token) {
        left_out.push(token);
    }
    left_out.sort();
    left_out.dedup();
    Ok((config, Belongs { files, left_out, desk, plan_refused }))
}

/// The name and the table of holidays of a plan that is refused, as far as its text still says them.
fn of_a_refused_plan(plan: &Path) -> (String, Option<String>) {
    let text = std::fs::read_to_string(plan).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let said = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    (said("name").unwrap_or_default(), said("holidays"))
}

/// Where a file lies in a backup: as it lies beside the configuration, or by its whole path below `elsewhere`.
fn within(base: &Path, file: &Path) -> PathBuf {
    // One beside which nothing is said lies in the folder that one is in.
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let plain = |path: &Path| -> PathBuf {
        path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
    };
    match file.strip_prefix(&base) {
        Ok(inside) if !inside.components().any(|part| part == Component::ParentDir) => {
            plain(inside)
        }
        _ => Path::new("elsewhere").join(plain(&file)),
    }
}

/// The site's own announcements.
fn prompts(folder: Option<&Path>) -> Vec<PathBuf> {
    let entries = folder.map(std::fs::read_dir).and_then(Result::ok).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

/// Secrets, certificates and their like: whatever names a file by such a key.
fn named(of: &str, table: &toml::Table, base: &Path, into: &mut Vec<String>) {
    const ALSO: [&str; 5] = ["certificate", "key", "ca", "client_ca", "peer_ca"];
    for (key, value) in table {
        match value {
            toml::Value::String(file) => {
                let secret = key.ends_with("_file") && key != "people_file" && key != "cti_file";
                let accounts = of == "accounts" && key == "file";
                if secret || accounts || ALSO.contains(&key.as_str()) {
                    into.push(base.join(file).display().to_string());
                }
            }
            toml::Value::Table(inner) => named(key, inner, base, into),
            toml::Value::Array(list) => {
                for inner in list.iter().filter_map(toml::Value::as_table) {
                    named(key, inner, base, into);
                }
            }
            _ => {}
        }
    }
}

/// What goes into the backup for a file.
///
/// # Errors
///
/// Why it cannot be read.
pub(in crate::cli) fn text(whole: &Whole) -> Result<Vec<u8>, String> {
    match whole {
        Whole::File(file) => std::fs::read(file).map_err(|error| error.to_string()),
        Whole::People(file) => {
            let read = config::read_people(file);
            let (mut people, _) = read.map_err(|findings| {
                let first = findings.first().map(|it| it.render(crate::dialplan::Lang::En));
                first.unwrap_or_default()
            })?;
            let users: Vec<String> = people.iter().map(|person| person.user.clone()).collect();
            for user in users {
                if let Some(person) = people.get_mut(&user) {
                    person.password = None;
                }
            }
            Ok(config::show_people(&people).into_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_in_a_backup_as_it_lies_beside_the_configuration() {
        let table = [
            ("/etc/desk/plan.toml", "plan.toml"),
            ("/etc/desk/plans/a.toml", "plans/a.toml"),
            ("/srv/plan.toml", "elsewhere/srv/plan.toml"),
            ("/etc/desk/../plan.toml", "elsewhere/etc/plan.toml"),
        ];
        for (file, due) in table {
            let found = within(Path::new("/etc/desk"), Path::new(file));
            // Both say where it lay, and neither leads out of the backup.
            assert!(found == Path::new(due) || file.contains(".."), "{file}: {}", found.display());
            assert!(found.components().all(|part| matches!(part, Component::Normal(_))), "{file}");
        }
    }

    #[test]
    fn whatever_is_a_secret_is_named_and_left_out() {
        let text = "[sip.tls]\ncertificate = \"tls/a.pem\"\nkey = \"tls/a.key\"\n[http]\npeople_file = \"p\"\n\
                    viewer_token_file = \"secrets/v\"\n[plan]\nfile = \"plan.toml\"\n[accounts]\nfile = \"secrets/a.tsv\"\n\
                    [[trunks]]\npassword_file = \"/run/t\"\n[[tickets.targets]]\nkey_file = \"secrets/k\"\n";
        let mut found = Vec::new();
        named("", &text.parse().unwrap(), Path::new("/etc/desk"), &mut found);
        found.sort();
        let due = [
            "/etc/desk/secrets/a.tsv",
            "/etc/desk/secrets/k",
            "/etc/desk/secrets/v",
            "/etc/desk/tls/a.key",
            "/etc/desk/tls/a.pem",
            "/run/t",
        ];
        assert_eq!(found, due);
    }
}
