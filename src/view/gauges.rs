//! Numbers that are not in the history: how the machine fares. Plain, filled by the daemon.

use crate::base::{GroupId, Number, TargetId, TrunkId, Wall};
use crate::event::ToldBy;
use schemars::JsonSchema;
use serde::Serialize;

/// How the engine, the media threads, the sockets and the journal fare at one instant. Counters
/// run since the process began.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// Milliseconds since the engine thread last said it lives.
    pub engine_beat_age_ms: u64,
    /// Milliseconds since the thread of the SIP sockets last said it lives.
    pub net_beat_age_ms: u64,
    /// Whether an orderly end has begun: what is new is refused.
    pub closing: bool,
    /// Whether the desk ends once its calls have: callers are refused.
    pub draining: bool,
    /// Inputs waiting for the engine.
    pub engine_queue: u64,
    /// INVITEs refused with 503 because the engine's queue was late (counter).
    pub shed_invites: u64,
    /// Inputs thrown away because the engine's queue was full (counter).
    pub engine_inputs_dropped: u64,
    /// Faults caught in the engine, each of which cost one call (counter).
    pub engine_panics: u64,
    /// Times that decisions went out before the journal had them, because it was late (counter).
    pub said_before_written: u64,
    /// Calls the engine holds.
    pub engine_calls: u64,
    /// Legs the engine holds.
    pub legs: u64,
    /// SIP transactions held.
    pub sip_transactions: u64,
    /// SIP messages received (counter).
    pub sip_messages_in: u64,
    /// SIP messages sent (counter).
    pub sip_messages_out: u64,
    /// The same by method or class; every one is there (counters).
    pub sip_by_kind: Vec<SipCount>,
    /// SIP messages that the operating system would not take, or that found their connection's queue full
    /// (counter).
    pub sip_unsent: u64,
    /// Datagrams and stream parts that were no SIP message (counter).
    pub sip_malformed: u64,
    /// SIP connections that were not let in, or gave way to others, because a bound was reached (counter).
    pub sip_connections_refused: u64,
    /// SIP connections that came to nothing in TLS or in a WebSocket's request (counter).
    pub sip_handshakes_failed: u64,
    /// STUN requests of phones answered (counter).
    pub stun_answers: u64,
    /// Registrations in force.
    pub registrations: u64,
    /// Subscriptions in force: lamps and the like that phones watch.
    pub subscriptions: u64,
    /// Milliseconds since the slowest media thread last said it lives.
    pub media_beat_age_ms: u64,
    /// RTP ports open.
    pub media_ports: u64,
    /// Pairs of legs whose sound is decoded, and tables of more than two, now.
    pub media_mixes: u64,
    /// RTP packets sent, by kind (counters).
    pub media_sent: Vec<(&'static str, u64)>,
    /// Packets of sound and reports thrown away, by reason (counters).
    pub media_dropped: Vec<(&'static str, u64)>,
    /// Reports (RTCP), by direction (counters).
    pub media_reports: Vec<(&'static str, u64)>,
    /// What went wrong on the media threads, by kind (counters).
    pub media_troubles: Vec<(&'static str, u64)>,
    /// Keys pressed (counter).
    pub media_keys: u64,
    /// RTP packets received (counter).
    pub rtp_packets_in: u64,
    /// RTP packets sent (counter).
    pub rtp_packets_out: u64,
    /// RTP packets thrown away: wrong source, malformed, no room (counter).
    pub rtp_packets_dropped: u64,
    /// SIP messages kept for looking at.
    pub trace_messages: u64,
    /// Memory they take, bytes.
    pub trace_bytes: u64,
    /// SIP messages dropped from the trace for want of room (counter).
    pub trace_pushed_out: u64,
    /// When the configuration in force was read, seconds since 1970.
    pub config_loaded_s: i64,
    /// The certificates in force whose end can be told.
    pub certificates: Vec<CertificateGauge>,
    /// Readings of the configuration that were refused for what they found.
    pub reloads_refused: u64,
    /// SIP messages sent to the collector (counter).
    pub trace_exported: u64,
    /// SIP messages that the collector did not get (counter).
    pub trace_unexported: u64,
    /// Doors that are shut for having guessed at passwords.
    pub blocked_sources: u64,
    /// Answers to our challenge that were wrong (counter).
    pub auth_failures: u64,
    /// Of these, for an account that may not come that way (counter).
    pub auth_against_rules: u64,
    /// Answers that were not looked at because a door was shut (counter).
    pub auth_unheard: u64,
    /// The disk that the journal lies on.
    pub disk: DiskGauge,
    /// Whether the journal is being written.
    pub journal: JournalState,
    /// Entries decided and not yet on disk.
    pub journal_pending: u64,
    /// Entries given up because the journal was away too long (counter).
    pub journal_lost: u64,
    /// The last entry on disk.
    pub journal_committed_seq: u64,
    /// Transactions written (counter).
    pub journal_transactions: u64,
    /// Every group of the plan.
    pub groups: Vec<GroupGauge>,
    /// Every desk number of the plan.
    pub desk_numbers: Vec<DeskNumberGauge>,
    /// Every trunk of the configuration.
    pub trunk_names: Vec<TrunkId>,
    /// Entries on disk since the snapshot that lies beside the store; all when there is none.
    pub snapshot_behind: u64,
    /// Snapshots that could not be written (counter).
    pub snapshot_failures: u64,
    /// How far the figures are behind the history.
    pub feed: FeedGauge,
    /// The process.
    pub process: ProcessGauge,
    /// The trunks that we reach ourselves.
    pub trunks: Vec<TrunkGauge>,
    /// By what people outside are told of warnings, with the tries that failed since the start (counters).
    pub warning_ways: Vec<(ToldBy, u64)>,
    /// The ticket systems.
    pub targets: Vec<TargetGauge>,
    /// The recorder; none when no call can be recorded.
    pub recording: Option<RecordingGauge>,
    /// The history's copy in the site's store; none when the site has no such store.
    pub site: Option<SiteGauge>,
}

/// SIP messages of one method or one class of status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipCount {
    /// A method, `other` for those that we do not know; or `1xx` to `6xx`.
    pub kind: &'static str,
    /// Whether `kind` is a method.
    pub request: bool,
    /// Received (counter).
    pub received: u64,
    /// Handed to the operating system (counter).
    pub sent: u64,
}

/// A group of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupGauge {
    /// Which.
    pub group: GroupId,
    /// Agents whose phones could be rung now.
    pub free_agents: u64,
}

/// A desk number of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskNumberGauge {
    /// As it is dialled.
    pub number: Number,
    /// For people.
    pub name: String,
    /// Calls that are up on it.
    pub in_use: u64,
    /// As many may be.
    pub lines: u64,
}

/// How far the figures are behind what was written to the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedGauge {
    /// Entries that were handed over and are not in the figures.
    pub behind: u64,
    /// Since the oldest of them was, milliseconds.
    pub lag_ms: u64,
}

/// What the operating system says of the process; 0 where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessGauge {
    /// When it began, milliseconds since 1970.
    pub started_ms: i64,
    /// Memory that is in use, bytes.
    pub resident_bytes: u64,
    /// Time on a processor, all threads together, milliseconds (counter).
    pub cpu_ms: u64,
    /// Files and sockets that are open.
    pub open_files: u64,
    /// As many may be.
    pub open_files_limit: u64,
    /// Threads.
    pub threads: u64,
}

/// How the history's copy in the site's store fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteGauge {
    /// Where it stands.
    pub state: SiteState,
    /// Entries of the journal that are not known to be there.
    pub behind: u64,
    /// For how long not all of the journal has been there, whole seconds.
    pub behind_s: u64,
    /// Entries copied (counter).
    pub copied: u64,
    /// Tries that failed (counter).
    pub failures: u64,
}

/// Where the history's copy in the site's store stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteState {
    /// The site has no such store.
    #[default]
    Off,
    /// Not reached yet since the start.
    Reaching,
    /// What the journal has is being copied.
    Copying,
    /// All is there.
    Level,
    /// It does not answer; the journal keeps what it lacks.
    Away,
    /// It answers, and the copy waits for somebody to mend it.
    Refused,
}

impl SiteState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Off, Self::Reaching, Self::Copying, Self::Level, Self::Away, Self::Refused];

    /// As in the metrics and the health page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Reaching => "reaching",
            Self::Copying => "copying",
            Self::Level => "level",
            Self::Away => "away",
            Self::Refused => "refused",
        }
    }
}

/// How the recorder fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingGauge {
    /// What is wrong, if anything is.
    pub state: RecordingState,
    /// Files that grow now.
    pub open: u64,
    /// Files that were ended (counter).
    pub kept: u64,
    /// Recordings that were not begun or ended before their time (counter).
    pub failed: u64,
    /// Files deleted for their age (counter).
    pub deleted: u64,
    /// Packets that found no room on their way to the recorder (counter).
    pub dropped: u64,
    /// Bytes free on the disk of recordings.
    pub free_bytes: u64,
}

/// The disk that the journal lies on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskGauge {
    /// How it stands.
    pub state: DiskState,
    /// Bytes that we may still write.
    pub free_bytes: u64,
    /// Bytes that are held back for the journal.
    pub reserve_bytes: u64,
}

/// Whether the journal has room on its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskState {
    /// As much is free as must be.
    #[default]
    Ok,
    /// Less is free; some is held back for the journal.
    Low,
    /// Less is free, and nothing is held back any more.
    NoReserve,
}

/// Whether calls can be recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// The configuration has no place for recordings.
    #[default]
    Off,
    /// They can.
    Ok,
    /// The disk has less room than must be free.
    DiskFull,
    /// The disk or the directory refuses.
    Failing,
}

/// How one trunk is that we reach ourselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrunkGauge {
    /// Which.
    pub trunk: TrunkId,
    /// Whether we are registered there; none when it is not registered with.
    pub registered: Option<bool>,
    /// The SIP status of the last refusal, while we are not registered.
    pub refused: Option<u16>,
    /// Where we are registered, or would call.
    pub server: Option<String>,
    /// Addresses of the carrier's servers.
    pub servers: u64,
    /// Of these, those that calls are sent to.
    pub servers_well: u64,
}

impl TrunkGauge {
    /// Whether calls can be placed by it, and come by it as far as we can know.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.servers_well > 0 && self.registered != Some(false)
    }
}

/// Whether a ticket system can be fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// As far as is known.
    Open,
    /// Nobody answers there, or it asked for a pause.
    Away,
    /// It refuses our key, or is not as the configuration says: a person must mend that.
    Barred,
}

impl TargetState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Away, Self::Barred];

    /// As in the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Away => "away",
            Self::Barred => "barred",
        }
    }
}

/// One ticket system as its feeding shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGauge {
    /// Its name in the configuration.
    pub target: TargetId,
    /// Which system it is: `redmine`, `rt`, `zammad`, `webhook`, `folder`, `ledger`.
    pub kind: &'static str,
    /// Whether it can be fed.
    pub state: TargetState,
    /// Calls of which a try failed and that are tried again.
    pub troubled: u64,
    /// Tries that failed since the start, by the reason (counters).
    pub failed: Vec<(&'static str, u64)>,
}

impl TargetGauge {
    /// Reasons for which a try can fail.
    pub const REASONS: [&'static str; 11] = [
        "unreachable",
        "cut_off",
        "timed_out",
        "not_allowed",
        "redirected",
        "too_many",
        "fault",
        "refused",
        "garbled",
        "no_ticket",
        "disk",
    ];
}

/// A source that is not listened to, because it guessed at passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Blocked {
    /// Its address; of IPv6 the first of the /64.
    pub source: String,
    /// `source` when it is shut out as a whole, `account` when only for one account.
    pub scope: &'static str,
    /// That account, when there is such a one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Wrong answers that were counted.
    pub failures: u32,
    /// Since when.
    #[serde(skip)]
    pub since: Wall,
    /// For how long from now, seconds.
    pub left_s: u64,
}

/// Whether the journal is being written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// Every batch so far is on disk or on its way.
    #[default]
    Ok,
    /// The last try failed; entries wait in memory and are tried again.
    Failing,
}

/// A certificate that is shown to others now, whatever its file holds meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateGauge {
    /// To whom it is shown.
    pub of: CertificateOf,
    /// Its end, seconds since 1970.
    pub end_s: i64,
    /// Seconds from now to there; below zero when it is over.
    pub left_s: i64,
}

/// To whom a certificate is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateOf {
    /// Phones and trunks by TLS (`[sip.tls]`).
    Sip,
    /// Who opens the pages or asks the API (`[http]`).
    Pages,
}

impl CertificateOf {
    /// Each.
    pub const ALL: [Self; 2] = [Self::Sip, Self::Pages];

    /// As metrics have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sip => "sip",
            Self::Pages => "pages",
        }
    }
}
