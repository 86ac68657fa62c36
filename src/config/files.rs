//! Reading the files themselves, and their modes.

use super::parse::parse_with;
use super::problem::Problem;
use super::tickets_problem::TicketsProblem;
use super::{Config, credential, load_tls, secrets};
use crate::base::{Private, PromptId, Rng, beside, folder_of};
use crate::dialplan::{self, Finding, Findings, HolidayTable, Plan, Source, nearest};
use crate::sip::api::AccountSecret;
use crate::tickets::{Directory, decoded};
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is done about secrets that do not exist yet.
#[derive(Debug)]
pub enum Secrets<'r> {
    /// They are left alone: the files are only looked at.
    Look,
    /// They are made from this source, readable by their owner alone.
    Make(&'r mut Rng),
}

/// What a plan is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A desk that starts with it, and with all that its configuration says.
    Start,
    /// A desk that runs, and would go on by it.
    Running {
        /// Whether a recorder runs: only a start brings one.
        recorder: bool,
    },
}

/// Longest file that is read, bytes.
const MOST_BYTES: u64 = 16 << 20;

/// Reads a configuration and the secrets it names.
///
/// # Errors
///
/// Everything that was found in any of the files, when any of it is an error; otherwise the
/// configuration comes with its warnings.
pub fn load(path: &Path, secrets: Secrets) -> Result<(Config, Vec<Finding>), Vec<Finding>> {
    let name = path.display().to_string();
    let text = read(path, &name, false)?;
    let base = path.parent().unwrap_or(Path::new(""));
    let credentials = credential::folder();
    let (mut config, mut findings) = match parse_with(&text, &name, base, credentials.as_deref()) {
        Ok((config, warnings)) => (Some(config), warnings),
        Err(findings) => (None, findings),
    };
    if let Some(config) = &mut config {
        if let Some(file) = &config.accounts_file {
            match read_accounts(file) {
                Ok((accounts, warnings)) => {
                    config.accounts = accounts;
                    findings.extend(warnings);
                    findings.extend(other_realms(config, &file.display().to_string()));
                    findings.extend(rules_for_nobody(config, Source::new(&text, &name)));
                }
                Err(list) => findings.extend(list),
            }
        }
        for trunk in &mut config.trunks {
            let login = trunk.upstream.as_mut().and_then(|upstream| upstream.login.as_mut());
            if let (Some(login), Some(file)) = (login, &trunk.password_file) {
                match trunk_password(file) {
                    Ok(password) => login.password = password,
                    Err(list) => findings.extend(list),
                }
            }
        }
        if let Some(files) = &config.sip.tls {
            match load_tls(files) {
                Ok((tls, warnings)) => {
                    config.tls = Some(tls);
                    findings.extend(warnings);
                }
                Err(list) => findings.extend(list),
            }
        }
        findings.extend(config.recording.iter_mut().flat_map(super::RecordingConfig::load));
        findings.extend(config.store.site.iter().flat_map(super::SiteConfig::look));
        findings.extend(config.warning.iter_mut().flat_map(super::WarningConfig::load));
        findings.extend(config.tickets.load());
        findings.extend(config.http.oidc.iter_mut().flat_map(super::OidcConfig::load));
        let mut secrets = secrets;
        let http = &config.http;
        let tokens = [
            (Some(&http.token_file), &mut config.token),
            (http.viewer_token_file.as_ref(), &mut config.viewer_token),
            (http.wall_token_file.as_ref(), &mut config.wall_token),
        ];
        for (file, into) in tokens {
            match file.map(|file| token(file, &mut secrets)) {
                Some(Ok(token)) => *into = token,
                Some(Err(list)) => findings.extend(list),
                None => {}
            }
        }
        match config.http.people_file.as_deref().map(super::read_people) {
            Some(Ok((people, warnings))) => {
                config.people = people;
                findings.extend(warnings);
            }
            Some(Err(list)) => findings.extend(list),
            None => {}
        }
        match config.http.tls.as_ref().map(super::load_tls) {
            Some(Ok((files, warnings))) => {
                config.http_tls = Some(files);
                findings.extend(warnings);
            }
            Some(Err(list)) => findings.extend(list),
            None => {}
        }
    }
    findings.extend(config.iter().flat_map(super::tls::fits));
    match config {
        Some(config) if !findings.iter().any(Finding::is_error) => Ok((config, findings)),
        Some(_) | None => Err(findings),
    }
}

/// Reads a plan by itself.
///
/// # Errors
///
/// As [`dialplan::load`], and what cannot be read.
pub fn plan_at(
    path: &Path,
    known_prompts: Option<&BTreeMap<PromptId, Duration>>,
) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
    let name = path.display().to_string();
    let text = read(path, &name, false)?;
    plan_of(&text, path, known_prompts, today())
}

/// The plan of a text, with the table of holidays that it names.
fn plan_of(
    text: &str,
    path: &Path,
    known_prompts: Option<&BTreeMap<PromptId, Duration>>,
    today: NaiveDate,
) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
    let name = path.display().to_string();
    let (mut plan, mut findings) = dialplan::load(text, &name, known_prompts)?;
    let Some((file, span)) = plan.holidays.clone() else { return Ok((plan, findings)) };
    let mut out = Findings::new(Source::new(text, &name));
    let path = path.parent().unwrap_or(Path::new("")).join(&file);
    match fs::read_to_string(&path) {
        Err(error) => {
            let why = error.to_string();
            out.at(&span, dialplan::Problem::HolidaysUnreadable { file, why });
            findings.extend(out.into_sorted());
            return Err(findings);
        }
        Ok(text) => match HolidayTable::parse(&text, &path.display().to_string()) {
            Err(wrong) => {
                findings.extend(wrong);
                return Err(findings);
            }
            Ok(table) => {
                let (_, last) = table.years();
                let end = NaiveDate::from_ymd_opt(last, 12, 31);
                if end.is_none_or(|end| end.signed_duration_since(today) < HOLIDAYS_AHEAD) {
                    out.at(&span, dialplan::Problem::HolidaysEnd { last });
                }
                plan.set_holidays(table);
            }
        },
    }
    findings.extend(out.into_sorted());
    Ok((plan, findings))
}

/// Tables of holidays that end within this are told of: the next one is published each February.
const HOLIDAYS_AHEAD: TimeDelta = TimeDelta::days(60);

fn today() -> NaiveDate {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let days = i64::try_from(since.as_secs() / 86_400).unwrap_or(0);
    NaiveDate::default() + TimeDelta::days(days)
}

/// Reads the plan that a configuration names, and judges the two together: trunks that the plan names
/// exist, agents have a phone.
///
/// # Errors
///
/// As [`dialplan::load`].
pub fn load_plan(
    config: &Config,
    known_prompts: Option<&BTreeMap<PromptId, Duration>>,
) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
    judge_plan(config, &plan_text(config)?, known_prompts, Stage::Start)
}

/// The text of the plan that a configuration names.
///
/// # Errors
///
/// That it cannot be read.
pub fn plan_text(config: &Config) -> Result<String, Vec<Finding>> {
    read(&config.plan, &config.plan.display().to_string(), false)
}

/// The same of a text that might take the place of the plan's.
///
/// # Errors
///
/// As [`dialplan::load`].
pub fn judge_plan(
    config: &Config,
    text: &str,
    known_prompts: Option<&BTreeMap<PromptId, Duration>>,
    stage: Stage,
) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
    let name = config.plan.display().to_string();
    let (plan, mut findings) = plan_of(text, &config.plan, known_prompts, today())?;
    let mut out = Findings::new(Source::new(text, &name));
    for (number, desk) in &plan.desk_numbers {
        for trunk in &desk.trunks {
            if !config.trunks.iter().any(|known| known.name == *trunk) {
                let known = config.trunks.iter().map(|known| known.name.as_str());
                out.whole(Problem::NoTrunk {
                    name: trunk.to_string(),
                    number: number.to_string(),
                    near: nearest(trunk.as_str(), known),
                });
            }
        }
    }
    match stage {
        _ if !plan.records() => {}
        Stage::Start | Stage::Running { .. } if config.recording.is_none() => {
            out.whole(Problem::RecordsNowhere);
        }
        Stage::Running { recorder: false } => out.whole(Problem::RecordsUnready),
        Stage::Start | Stage::Running { recorder: true } => {}
    }
    if let Some(outside) = &plan.outside {
        let ways = outside.rules.iter().map(|rule| (rule.name.as_str(), &rule.trunks));
        for (name, trunks) in ways.chain([("emergency", &outside.emergency)]) {
            for trunk in trunks {
                let there = |known: &&super::TrunkConfig| known.name == *trunk;
                match config.trunks.iter().find(there) {
                    None => {
                        let known = config.trunks.iter().map(|known| known.name.as_str());
                        let near = nearest(trunk.as_str(), known);
                        let (name, number) = (trunk.to_string(), name.to_owned());
                        out.whole(Problem::NoTrunk { name, number, near });
                    }
                    Some(known) if known.upstream.is_none() => {
                        out.whole(Problem::NoWayOut { name: trunk.to_string() });
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let without_phone = plan.agents.keys().filter(|agent| {
        !config.accounts.contains_key(agent.as_str())
            && !config.fixed_phones.contains_key(&crate::base::Number(agent.0.clone()))
    });
    let agents: Vec<String> = without_phone.map(ToString::to_string).collect();
    if !agents.is_empty() {
        out.whole(Problem::NoPhone { agents });
    }
    let refused = out.refuse();
    findings.extend(out.into_sorted());
    if refused { Err(findings) } else { Ok((plan, findings)) }
}

/// Whether a text is a configuration rather than a plan.
#[must_use]
pub fn looks_like_config(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| {
        ["[sip]", "[media]", "[plan]", "[http]"].iter().any(|head| line.starts_with(head))
    })
}

pub(super) fn whole(name: &str, problem: Problem) -> Vec<Finding> {
    let mut out = Findings::new(Source::secret("", name));
    out.whole(problem);
    out.into_sorted()
}

/// Reads a text file of bounded length; a secret one must not be readable by others.
pub(super) fn read(path: &Path, name: &str, secret: bool) -> Result<String, Vec<Finding>> {
    let failed =
        |error: io::Error| whole(name, Problem::File { error: error.to_string(), written: false });
    let file = fs::File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if secret && about.mode() & credential::open_bits(path, credential::folder().as_deref()) != 0 {
        let mode = about.mode() & 0o7777;
        return Err(whole(name, Problem::Readable { mode, file: name.to_owned() }));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| whole(name, Problem::NotText))
}

fn read_accounts(path: &Path) -> Result<(secrets::Accounts, Vec<Finding>), Vec<Finding>> {
    let name = path.display().to_string();
    let text = read(path, &name, true)?;
    let mut out = Findings::new(Source::secret(&text, &name));
    let accounts = secrets::accounts(&mut out);
    if out.refuse() { Err(out.into_sorted()) } else { Ok((accounts, out.into_sorted())) }
}

fn trunk_password(path: &Path) -> Result<Private<String>, Vec<Finding>> {
    let name = path.display().to_string();
    let text = read(path, &name, true)?;
    secrets::trunk_password(&text, &name).map_err(Findings::into_sorted)
}

/// Hashes for another realm than the desk's let nobody in.
fn other_realms(config: &Config, file: &str) -> Vec<Finding> {
    let due = &config.sip.realm;
    let other = |(user, secret): (&String, &AccountSecret)| match secret {
        AccountSecret::Hashed { realm, .. } if realm != due => Some((user.clone(), realm.clone())),
        AccountSecret::Hashed { .. } | AccountSecret::Password(_) => None,
    };
    let mut out = Findings::new(Source::secret("", file));
    for (user, realm) in config.accounts.iter().filter_map(other) {
        out.whole(Problem::OtherRealm { user, realm, due: due.clone() });
    }
    out.into_sorted()
}

/// A rule that names no account protects none: mistyped, or left behind.
fn rules_for_nobody(config: &Config, source: Source) -> Vec<Finding> {
    let mut out = Findings::new(source);
    for rule in &config.account_rules {
        if !config.accounts.keys().any(|user| rule.names(user)) {
            out.at(&rule.span, Problem::RuleForNobody);
        }
    }
    out.into_sorted()
}

fn token(path: &Path, secrets: &mut Secrets) -> Result<Private<String>, Vec<Finding>> {
    let name = path.display().to_string();
    if path.exists() {
        let text = read(path, &name, true)?;
        return secrets::token(&text, &name).map_err(Findings::into_sorted);
    }
    let Secrets::Make(rng) = secrets else { return Ok(Private::default()) };
    let token = format!("{}{}", rng.token(), rng.token());
    write_private(path, &format!("{token}\n"))
        .map_err(|error| whole(&name, Problem::File { error: error.to_string(), written: true }))?;
    Ok(Private::new(token))
}

/// A secret of somebody else's making, as it is judged; `absent` is said when its file is not there.
pub(super) fn secret(
    path: &Path,
    judge: fn(&str, &str) -> Result<Private<String>, Findings<'static>>,
    absent: Problem,
) -> Result<Private<String>, Vec<Finding>> {
    let name = path.display().to_string();
    if !path.exists() {
        return Err(whole(&name, absent));
    }
    let text = read(path, &name, true)?;
    judge(&text, &name).map_err(Findings::into_sorted)
}

/// The imported directory of people. No finding shows a line of it.
pub(super) fn directory(path: &Path) -> Result<Directory, Vec<Finding>> {
    let read = || {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let text = decoded(&bytes).map_err(|error| error.to_string())?;
        Directory::read(&text).map_err(|error| error.to_string())
    };
    let no_directory = |why| Problem::Tickets(TicketsProblem::NoDirectory { why });
    read().map_err(|why| whole(&path.display().to_string(), no_directory(why)))
}

/// Takes what was read, or notes why it could not be.
pub(super) fn taken<T>(read: Result<T, Vec<Finding>>, into: &mut T, findings: &mut Vec<Finding>) {
    match read {
        Ok(read) => *into = read,
        Err(list) => findings.extend(list),
    }
}

/// Makes a new file, and the folder it lies in, that only its owner may read. Never overwrites.
///
/// # Errors
///
/// What the operating system says; also when the file exists.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Puts a text in the place of a file's, whole or not at all; only its owner may read it, who stays the owner. A new
/// file is the folder's owner's: root makes it for the daemon's user, too.
///
/// # Errors
///
/// What the operating system says; the old file is untouched then.
pub fn replace_private(path: &Path, text: &str) -> io::Result<()> {
    let beside = &beside(path, ".new");
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {} // what a killed command left
    }
    write_private(beside, text)?;
    let like = fs::metadata(path).or_else(|_| fs::metadata(folder_of(path)))?;
    let made = fs::metadata(beside)?;
    if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
        // Only root can give a file away; another's stays its own, and the daemon says whose it is.
        let given = std::os::unix::fs::chown(beside, Some(like.uid()), Some(like.gid()));
        if rustix::process::geteuid().is_root() {
            given?;
        }
    }
    fs::rename(beside, path)
}
