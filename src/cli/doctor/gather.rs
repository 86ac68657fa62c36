//! The facts, from the system as far as it tells them.

use super::{ports, trunks};
use crate::base::{beside, folder_of};
use crate::cli::client::{Client, ClientError};
use crate::cli::{prompts_there, starting};
use crate::config::{self, Config, DeskUser, NamedFile, Secrets};
use crate::dialplan::{Both, Finding, Lang, Plan};
use crate::doctor::{
    Address, Certificate, Clock, Compared, Descriptors, Facts, Listener, PlanFolder, Room, Running,
    SecretFile, Sound, StoreFile, What, Whose, Zone,
};
use crate::io::recording::free_bytes;
use crate::sip::api::Transport;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Room that the history's disk must have: a busy month is some hundred MiB.
const STORE_BYTES: u64 = 512 << 20;
/// What a daemon has open beside sound: phones by TCP and TLS, browsers, the journal.
const OTHER_DESCRIPTORS: u64 = 1_024;
/// Where a unit may lie, the one in force first (systemd.unit(5)).
const UNITS: [&str; 3] = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"];

/// All facts about the desk of a configuration.
pub(super) fn facts(file: &Path, ask_trunks: bool) -> Facts {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let mut facts = Facts {
        clock: Clock { synchronised: synchronised(), now_s, written_s: None },
        ..Facts::default()
    };
    let (config, findings) = match config::load(file, Secrets::Look) {
        Ok((config, findings)) => (config, findings),
        Err(findings) => {
            facts.findings = findings;
            return facts;
        }
    };
    facts.findings = findings;
    let plan = zone(&config, &mut facts, now_s);
    facts.findings.extend(starting::newer(&config));
    facts.findings.retain(|finding| !is_an_end(finding));
    let running = running(&config);
    let runs = running != Running::No;
    facts.running = Some(running);
    facts.listeners = listeners(&config);
    facts.sound = Some(sound(&config, runs));
    facts.addresses = addresses(&config);
    let pid = ports::holder(false, config.http.listen.port()).filter(|_| runs).map(|(pid, _)| pid);
    facts.descriptors = descriptors(&config, pid);
    facts.certificates = certificates(&config, now_s);
    facts.rooms = rooms(&config);
    let user = user_of(&config, pid);
    let files = config.named_files(file, plan.as_ref());
    facts.secrets = secrets(&files, user.map(|user| user.uid));
    if let Some(user) = user {
        // A secret that is another's has a line of its own.
        let files: Vec<NamedFile> =
            files.into_iter().filter(|it| !it.is_secret || is_of(&it.file, user)).collect();
        facts.findings.extend(config::unreadable(&files, user));
        facts.store_files = store_files(&config, user.uid);
        facts.plan_folder = plan_folder(&config, user.uid);
    }
    facts.clock.written_s = written_s(&config.store.file);
    if ask_trunks {
        facts.trunks = trunks::asked(&config);
    }
    facts
}

/// The judge counts the days itself.
fn is_an_end(finding: &Finding) -> bool {
    ["certificate-over", "certificate-soon-over"].contains(&finding.message.code)
}

/// The plan, and what reading it found.
fn zone(config: &Config, facts: &mut Facts, now_s: i64) -> Option<Plan> {
    let known = prompts_there(config.media.prompts.as_deref()).ok();
    let plan = match config::load_plan(config, known.as_ref()) {
        Ok((plan, findings)) => {
            facts.findings.extend(findings);
            plan
        }
        Err(findings) => {
            facts.findings.extend(findings);
            return None;
        }
    };
    let now = DateTime::from_timestamp(now_s, 0).unwrap_or_default();
    facts.zone = Some(Zone {
        plan: plan.timezone.name().to_owned(),
        machine: machine_zone(),
        table: chrono_tz::IANA_TZDB_VERSION.to_owned(),
        year: now.year(),
        compared: compared(plan.timezone, now),
    });
    Some(plan)
}

/// The built-in table of a zone and the machine's, day by day for a year.
fn compared(zone: chrono_tz::Tz, now: DateTime<Utc>) -> Compared {
    let days = year_from(zone, now);
    let Some(said) = by_machine(zone, &days) else { return Compared::Unknown };
    let said: Vec<&str> = said.lines().collect();
    if said.len() != days.len() {
        return Compared::Unknown;
    }
    let ours = days.iter().map(|day| (day, day.format("%z").to_string()));
    match ours.zip(said).find(|((_, ours), machine)| ours != machine) {
        None => Compared::Same,
        Some(((day, ours), machine)) => Compared::Differs {
            day: day.date_naive().to_string(),
            ours,
            machine: machine.to_owned(),
        },
    }
}

/// This time of day, each day of a year.
fn year_from(zone: chrono_tz::Tz, now: DateTime<Utc>) -> Vec<DateTime<chrono_tz::Tz>> {
    let days = (0..=365).filter_map(|day| now.checked_add_signed(TimeDelta::days(day)));
    days.map(|day| day.with_timezone(&zone)).collect()
}

/// What the machine's table says of these days, a line each; none where it has none, of which `date` would say UTC.
fn by_machine(zone: chrono_tz::Tz, days: &[DateTime<chrono_tz::Tz>]) -> Option<String> {
    if !Path::new("/usr/share/zoneinfo").join(zone.name()).exists() {
        return None;
    }
    let mut date = Command::new("date")
        .args(["-f", "-", "+%z"])
        .env("TZ", zone.name())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let asked: Vec<String> = days.iter().map(|day| format!("@{}", day.timestamp())).collect();
    // Less than a pipe holds, so that neither waits for the other; who does not read it says too little.
    let _ = date.stdin.take()?.write_all(asked.join("\n").as_bytes());
    String::from_utf8(date.wait_with_output().ok()?.stdout).ok()
}

/// As localtime(5) has it.
fn machine_zone() -> Option<String> {
    let target = fs::read_link("/etc/localtime").ok()?;
    let (_, zone) = target.to_str()?.split_once("zoneinfo/")?;
    Some(zone.to_owned())
}

/// As systemd says, whichever program sets the clock; else as its own says.
fn synchronised() -> Option<bool> {
    let asked = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output();
    let said = asked.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    match said.as_deref() {
        Ok("yes") => Some(true),
        Ok("no") => Some(false),
        _ => Path::new("/run/systemd/timesync/synchronized").exists().then_some(true),
    }
}

fn running(config: &Config) -> Running {
    match Client::new(config).ask("GET", "/healthz") {
        Ok(_) => Running::Well,
        Err(ClientError::Refused(status, _)) => Running::Ill(status),
        Err(ClientError::Io(_, error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Running::No
        }
        // An address that is not ours is told of by the port's line.
        Err(ClientError::Io(at, _)) if !ports::is_here(at.ip()) => Running::No,
        Err(error) => Running::Strange(Both { ja: error.told(Lang::Ja), en: error.told(Lang::En) }),
    }
}

fn listeners(config: &Config) -> Vec<Listener> {
    let sip = config.sip.listen.iter().map(|listen| {
        let (udp, at) = (listen.transport == Transport::Udp, listen.address);
        (format!("{}:{at}", listen.transport.as_str()), udp, at)
    });
    let pages =
        std::iter::once((format!("http:{}", config.http.listen), false, config.http.listen));
    sip.chain(pages)
        .filter(|(_, _, at)| at.port() != 0)
        .map(|(name, udp, at)| Listener { name, held: ports::held(udp, at) })
        .collect()
}

fn sound(config: &Config, runs: bool) -> Sound {
    let (ip, range) = (config.media.address, config.media.ports.clone());
    let count = range.clone().count();
    let taken = (!runs).then(|| range.filter(|port| UdpSocket::bind((ip, *port)).is_err()).count());
    Sound { ports: count, taken }
}

fn addresses(config: &Config) -> Vec<Address> {
    let is_public = |at: &SocketAddr| match at.ip() {
        IpAddr::V4(ip) => !(ip.is_private() || ip.is_loopback() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local()),
    };
    let public_trunk = config.trunks.iter().any(|trunk| trunk.sources.iter().any(is_public));
    let listens = config.sip.listen.iter().map(|listen| ("[sip] listen", listen.address.ip()));
    let told = config.sip.advertise.map(|ip| ("[sip] advertise", ip));
    let media = std::iter::once(("[media] address", config.media.advertised()));
    let mut all: Vec<Address> = Vec::new();
    for (key, ip) in listens.chain(told).chain(media) {
        if !ip.is_unspecified() && !all.iter().any(|known| known.key == key && known.ip == ip) {
            all.push(Address { key, ip, here: ports::is_here(ip), public_trunk });
        }
    }
    all
}

fn descriptors(config: &Config, pid: Option<u32>) -> Option<Descriptors> {
    let ports = u64::try_from(config.media.ports.clone().count()).unwrap_or(u64::MAX);
    let calls = u64::try_from(config.limits.calls).unwrap_or(u64::MAX);
    // A conversation takes two pairs.
    let needed = ports.min(calls.saturating_mul(4)).saturating_add(OTHER_DESCRIPTORS);
    let of = |process: &str| limit(&fs::read_to_string(format!("/proc/{process}/limits")).ok()?);
    let found = if let Some(limit) = pid.and_then(|pid| of(&pid.to_string())) {
        Some((limit, Whose::Daemon))
    } else if let Some(limit) = unit_limit() {
        Some((limit, Whose::Unit))
    } else {
        of("self").map(|limit| (limit, Whose::Shell))
    };
    found.map(|(limit, whose)| Descriptors { limit, whose, needed })
}

/// The soft limit as `/proc/PID/limits` has it (proc(5)).
fn limit(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn unit_limit() -> Option<u64> {
    let mut texts = UNITS.iter().map(|folder| format!("{folder}/madoguchi.service"));
    let text = texts.find_map(|path| fs::read_to_string(path).ok())?;
    let line = text.lines().find_map(|line| line.strip_prefix("LimitNOFILE="))?;
    line.trim().parse().ok()
}

fn certificates(config: &Config, now_s: i64) -> Vec<Certificate> {
    let sip = config.sip.tls.as_ref().zip(config.tls.as_ref());
    let pages = config.http.tls.as_ref().zip(config.http_tls.as_ref());
    let mut all: Vec<Certificate> = Vec::new();
    for (named, read) in sip.into_iter().chain(pages) {
        let file = named.certificate.display().to_string();
        if !all.iter().any(|known| known.file == file) {
            all.push(Certificate { file, days_left: read.days_left(now_s) });
        }
    }
    all
}

fn rooms(config: &Config) -> Vec<Room> {
    let store = config.store.file.parent().unwrap_or(Path::new("."));
    let room = |what, folder: &Path, least| {
        // What is not there yet is made on the disk of what is above it.
        let there = folder.ancestors().find(|part| part.exists()).unwrap_or(Path::new("."));
        let free = free_bytes(there).map_err(|error| error.to_string());
        Room { what, folder: folder.display().to_string(), free, least }
    };
    let mut rooms = vec![room(What::Store, store, STORE_BYTES)];
    rooms.extend(config.recording.iter().map(|recording| {
        let least = recording.least_free_mib.saturating_mul(1 << 20);
        room(What::Recordings, &recording.directory, least)
    }));
    rooms
}

/// As whom the desk of a configuration runs, or would.
pub(in crate::cli) fn desk_user(config: &Config) -> Option<DeskUser> {
    let held = ports::holder(false, config.http.listen.port());
    let ours = held.filter(|(_, name)| name == "madoguchi");
    user_of(config, ours.map(|(pid, _)| pid))
}

/// As whom the daemon runs; while it does not, whose the history's folder is.
fn user_of(config: &Config, pid: Option<u32>) -> Option<DeskUser> {
    pid.and_then(|pid| fs::metadata(format!("/proc/{pid}")).ok())
        .or_else(|| fs::metadata(folder_of(&config.store.file)).ok())
        .map(|about| DeskUser::of(&about))
}

fn is_of(file: &Path, user: DeskUser) -> bool {
    fs::metadata(file).is_ok_and(|about| about.uid() == user.uid)
}

fn store_files(config: &Config, due_owner: u32) -> Vec<StoreFile> {
    let owned = |path: PathBuf| {
        let owner = fs::metadata(&path).ok()?.uid();
        Some(StoreFile { file: path.display().to_string(), owner, due_owner })
    };
    let files = ["", "-wal", "-shm", ".lock"].map(|end| beside(&config.store.file, end));
    files.into_iter().filter_map(owned).collect()
}

fn plan_folder(config: &Config, due_owner: u32) -> Option<PlanFolder> {
    let folder = config.plan.parent()?;
    let about = fs::metadata(folder).ok()?;
    let (mode, owner) = (about.mode(), about.uid());
    Some(PlanFolder { folder: folder.display().to_string(), mode, owner, due_owner })
}

fn secrets(files: &[NamedFile], due_owner: Option<u32>) -> Vec<SecretFile> {
    let looked = |named: &NamedFile| {
        let found = fs::metadata(&named.file).ok().map(|about| (about.mode(), about.uid()));
        let (file, is_made) = (named.file.display().to_string(), named.is_made);
        SecretFile { file, found, due_owner, is_made, is_handed: named.is_handed }
    };
    files.iter().filter(|named| named.is_secret).map(looked).collect()
}

/// When the journal was last written: what is new goes into the log beside it first.
fn written_s(store: &Path) -> Option<i64> {
    let when = |path: &Path| fs::metadata(path).ok().map(|about| about.mtime());
    when(store).max(when(&beside(store, "-wal")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max open files            1024                 1048576              files     \n";
        assert_eq!(limit(text), Some(1_024));
        assert_eq!(limit("Max open files            unlimited unlimited files\n"), Some(u64::MAX));
        assert_eq!(limit(""), None);
        assert_eq!(limit("Max open files\n"), None);
    }

    #[test]
    fn the_machine_is_asked_of_each_day_of_a_year() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(compared(chrono_tz::Asia::Tokyo, now), Compared::Same);
        let berlin = chrono_tz::Europe::Berlin;
        let said = by_machine(berlin, &year_from(berlin, now)).unwrap();
        assert_eq!(said.lines().count(), 366);
        // A summer and a winter.
        assert_eq!(said.lines().filter(|line| *line == "+0200").count(), 217);
        assert!(said.lines().all(|line| ["+0100", "+0200"].contains(&line)));
    }
}
