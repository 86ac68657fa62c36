//! What the judge is told.

use crate::dialplan::{Both, Finding};
use std::net::IpAddr;

/// Everything that was gathered. What could not be is left out and judged as unknown, never as well.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What reading the configuration, its files and its plan said.
    pub findings: Vec<Finding>,
    /// Whether the desk that the configuration describes answers; none: the configuration cannot be read, so that
    /// nobody knows where to ask.
    pub running: Option<Running>,
    /// The listeners of SIP and of the pages.
    pub listeners: Vec<Listener>,
    /// The ports for sound.
    pub sound: Option<Sound>,
    /// The addresses that others are told.
    pub addresses: Vec<Address>,
    /// Descriptors.
    pub descriptors: Option<Descriptors>,
    /// Certificates that could be read.
    pub certificates: Vec<Certificate>,
    /// Trunks, when they were asked.
    pub trunks: Vec<TrunkAsked>,
    /// Disks.
    pub rooms: Vec<Room>,
    /// Files that hold secrets.
    pub secrets: Vec<SecretFile>,
    /// The store's files that are there, if it is known as whom the daemon runs.
    pub store_files: Vec<StoreFile>,
    /// The folder of the plan's file, if it is known as whom the daemon runs.
    pub plan_folder: Option<PlanFolder>,
    /// The clock.
    pub clock: Clock,
    /// The plan's zone.
    pub zone: Option<Zone>,
}

/// The running desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Running {
    /// Nobody listens at the pages' address.
    No,
    /// `/healthz` says that it is well.
    Well,
    /// `/healthz` says that it is not: the status.
    Ill(u16),
    /// Something listens there that cannot be asked, and why.
    Strange(Both),
}

/// One address that the desk listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// As the configuration has it: `udp:192.0.2.10:5060`.
    pub name: String,
    /// Who has it now.
    pub held: Held,
}

/// Who has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nobody.
    Free,
    /// A program called as we are.
    Ours,
    /// Another program, by its name.
    By(String),
    /// Somebody; who, only root may see.
    Unknown,
    /// The address is not this machine's.
    NotHere,
    /// The system refuses it, and why.
    Refused(String),
}

/// The ports for sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// How many there are.
    pub ports: usize,
    /// How many of them could not be bound; none when a running desk has them.
    pub taken: Option<usize>,
}

/// An address that others are told, or that a listener is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The setting that says it: `[sip] advertise`.
    pub key: &'static str,
    /// The address.
    pub ip: IpAddr,
    /// Whether it is this machine's own.
    pub here: bool,
    /// Whether a trunk comes from a public address, which reaches no private one.
    pub public_trunk: bool,
}

/// How many files and sockets the daemon may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// The soft limit.
    pub limit: u64,
    /// Whose limit that is.
    pub whose: Whose,
    /// What calls, phones and files take at most.
    pub needed: u64,
}

/// Whose limit was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The running daemon's.
    Daemon,
    /// The unit's, which the next start gets.
    Unit,
    /// This shell's, which a daemon started from it gets.
    Shell,
}

/// A certificate that was read and fits its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its file.
    pub file: String,
    /// Whole days to its end; none when it is written otherwise than RFC 5280 says.
    pub days_left: Option<i64>,
}

/// A trunk's server that was asked by OPTIONS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkAsked {
    /// The trunk's name.
    pub name: String,
    /// The server as the configuration has it.
    pub server: String,
    /// What came.
    pub answer: Answer,
}

/// What a server said to OPTIONS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A status: somebody is there.
    Status(u16),
    /// Nothing within the time.
    Silent,
    /// It could not be asked, and why.
    Failed(String),
    /// It is reached by TLS, by which this command does not ask.
    ByTls,
}

/// What a disk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The history.
    Store,
    /// Recordings.
    Recordings,
}

/// Room on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What for.
    pub what: What,
    /// The folder.
    pub folder: String,
    /// Bytes free there, or why they cannot be told.
    pub free: Result<u64, String>,
    /// Below so many bytes it is wrong.
    pub least: u64,
}

/// A file that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    /// Its path.
    pub file: String,
    /// Mode and owner; none: it is not there.
    pub found: Option<(u32, u32)>,
    /// As whom the daemon runs, if that is known.
    pub due_owner: Option<u32>,
    /// Whether the daemon makes it when it is missing.
    pub is_made: bool,
    /// Whether the service manager hands it over (`LoadCredential=`): to the daemon's user, whoever owns it.
    pub is_handed: bool,
}

/// A file that the daemon writes its history into: the store, its lock, `SQLite`'s own beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFile {
    /// Its path.
    pub file: String,
    /// Whose it is.
    pub owner: u32,
    /// As whom the daemon runs.
    pub due_owner: u32,
}

/// The folder in which a plan is put in force by a page: the one before is kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFolder {
    /// Its path.
    pub folder: String,
    /// Its mode.
    pub mode: u32,
    /// Whose it is.
    pub owner: u32,
    /// As whom the daemon runs.
    pub due_owner: u32,
}

/// The clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Whether the system says that it is set by NTP; none: it cannot be asked.
    pub synchronised: Option<bool>,
    /// Now, in seconds since 1970.
    pub now_s: i64,
    /// When the history was last written, by the clock of then.
    pub written_s: Option<i64>,
}

/// The zone that hours are counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The plan's.
    pub plan: String,
    /// The machine's, if it can be told.
    pub machine: Option<String>,
    /// The edition of the built-in table of zones: `2025b`.
    pub table: String,
    /// The year now.
    pub year: i32,
    /// What the machine's own table says.
    pub compared: Compared,
}

/// The built-in table of zones and the machine's, of the plan's zone in the year to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The machine has no table, or it cannot be asked.
    Unknown,
    /// They say the same.
    Same,
    /// They do not.
    Differs {
        /// The first such day: `2027-03-28`.
        day: String,
        /// By the built-in one: `+0900`.
        ours: String,
        /// By the machine's.
        machine: String,
    },
}
