//! The health pages, open to all: whether the threads go on (`/healthz/live`), whether callers may be sent here
//! (`/healthz/ready`), and all that is not well, with what to do (`/healthz`). They say nothing of calls and name
//! nobody. Every reason has an entry in docs/RUNBOOK.md, which a test holds.

use super::{Server, about};
use crate::view::{
    DiskState, Gauges, JournalState, RecordingState, SiteState, TargetState, TrunkGauge,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// A thread that has not said for so long that it lives is stalled.
pub const STALLED: Duration = Duration::from_secs(5);

/// So long before its end a certificate in force is told: 14 days, seconds.
const CERTIFICATE_ENDS_S: i64 = 14 * 24 * 60 * 60;

/// Figures that are so far behind the history are late.
const LATE_MS: u64 = 10_000;

/// What the health page and the wall say of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok`, or `failing` when callers had better not be sent here: what `/healthz/ready` answers.
    #[schemars(schema_with = "about::status")]
    status: &'static str,
    journal: JournalState,
    engine: Beat,
    media: Beat,
    /// The thread of the SIP sockets.
    net: Beat,
    /// Told, and not a fault of ours: a restart would not mend it.
    trunks: Trunks,
    /// The same.
    recording: RecordingState,
    /// The same.
    site_store: SiteState,
    /// The same: the room for the journal on its disk.
    disk: DiskState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "TrunksState")]
#[serde(rename_all = "snake_case")]
enum Trunks {
    Ok,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "BeatState")]
#[serde(rename_all = "snake_case")]
enum Beat {
    Ok,
    Stalled,
}

/// What a reason asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(rename = "HealthWeight")]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Calls go on as they should; something beside them does not.
    Told,
    /// Callers had better be sent elsewhere, if there is an elsewhere.
    Unready,
    /// No caller is served, and only a new process mends it.
    Dead,
}

/// Something that is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "HealthReason")]
#[expect(clippy::struct_field_names, reason = "the name that it has in JSON")]
pub struct Reason {
    /// Its name, which does not change.
    pub reason: &'static str,
    /// What it asks for.
    pub weight: Weight,
    /// What is wrong, in Japanese.
    pub ja: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// What to do first, in Japanese.
    pub todo_ja: &'static str,
    /// The same in English.
    pub todo_en: &'static str,
    /// Where more is said; `madoguchi runbook` and the reason's name shows it.
    pub runbook: &'static str,
}

/// A reason, and when it is one.
type Known = (Reason, fn(&Gauges) -> bool);

macro_rules! known {
    ($($name:literal $weight:ident, $ja:literal, $en:literal, $todo_ja:literal, $todo_en:literal, $when:expr;)*) => {
        const KNOWN: &[Known] = &[$((
            Reason {
                reason: $name,
                weight: Weight::$weight,
                ja: $ja,
                en: $en,
                todo_ja: $todo_ja,
                todo_en: $todo_en,
                runbook: concat!("docs/RUNBOOK.md#", $name),
            },
            $when,
        )),*];

        /// Names of all reasons.
        pub const REASONS: &[&str] = &[$($name),*];
    };
}

known! {
    "engine-stalled" Dead, "呼の処理が止まっている", "the engine is stuck: no call moves",
        "systemd が 15 秒ほどで起動し直す。続くなら記録を取って systemctl restart madoguchi",
        "systemd starts the desk anew within about 15 s; if not: keep a trace, then systemctl restart madoguchi",
        |it| stalled(it.engine_beat_age_ms);
    "net-stalled" Dead, "SIP の送受信が止まっている", "the SIP sockets are not served: the desk is deaf",
        "systemd が 15 秒ほどで起動し直す。続くなら systemctl restart madoguchi",
        "systemd starts the desk anew within about 15 s; if not: systemctl restart madoguchi",
        |it| stalled(it.net_beat_age_ms);
    "media-stalled" Dead, "音声の中継が止まっている", "the media threads are stuck: calls are silent",
        "systemd が 15 秒ほどで起動し直す。続くなら CPU を見て systemctl restart madoguchi",
        "systemd starts the desk anew within about 15 s; if not: look at the CPU, then systemctl restart madoguchi",
        |it| stalled(it.media_beat_age_ms);
    "journal-failing" Unready, "履歴が書けない。通話は続き、記録はメモリーにある", "the history cannot be written: calls go on, entries wait in memory",
        "df と dmesg で保存先のディスクを見て空ける。再起動しない（メモリーの記録が失われる）",
        "look at the store's disk (df, dmesg) and make room; do not restart: what is in memory would be lost",
        |it| it.journal == JournalState::Failing;
    "closing" Unready, "終了の途中。新しい着信は断っている", "the desk is ending: new calls are refused",
        "止めたのでなければ journalctl -u madoguchi で理由を見る",
        "unless somebody stopped it: journalctl -u madoguchi says why",
        |it| it.closing;
    "draining" Unready, "入れ替えのため、新しい着信を断っている。通話が終わり次第、終了する", "to be replaced: callers are refused, and the desk ends once its calls have",
        "madoguchi drain で残りの通話を見る。やめるには madoguchi drain --off",
        "madoguchi drain says how many calls are left; madoguchi drain --off calls it off",
        |it| it.draining;
    "trunks-down" Told, "使えない外線がある", "a trunk is not registered, or no server of it answers",
        "/api/v1/trunks でどれかを見て、回線と事業者を確かめる",
        "/api/v1/trunks says which; look at the line, then ask the carrier",
        |it| !it.trunks.iter().all(TrunkGauge::is_up);
    "disk-low" Told, "履歴のディスクの空きが少ない。録音は止まり、通話は続く", "the journal's disk is short of room: recordings stop first, calls go on",
        "df で [store] file のディスクを見て空ける（docs/BACKUP.md）",
        "look at the disk of [store] file (df) and make room (docs/BACKUP.md)",
        |it| it.disk.state != DiskState::Ok;
    "recording-disk-full" Told, "録音のディスクに空きがなく、録音していない", "the disk of recordings is full: nothing is recorded",
        "df で [recording] directory のディスクを見て空ける",
        "look at the disk of [recording] directory (df) and make room",
        |it| recording(it) == RecordingState::DiskFull;
    "recording-failing" Told, "録音が書けない", "recordings cannot be written",
        "journalctl -u madoguchi で理由を、df と dmesg でディスクを見る",
        "journalctl -u madoguchi says why; look at the disk (df, dmesg)",
        |it| recording(it) == RecordingState::Failing;
    "site-store-away" Told, "サイトの PostgreSQL が応答しない。失われるものはない", "the site's PostgreSQL does not answer; nothing is lost",
        "madoguchi site で様子を見て、PostgreSQL とそこまでの経路を確かめる",
        "madoguchi site says how it is; look at PostgreSQL and the way to it",
        |it| site(it) == SiteState::Away;
    "site-store-refused" Told, "サイトの PostgreSQL が写しを受け付けない（人が直す）", "the site's PostgreSQL refuses the copy until somebody mends it",
        "journalctl -u madoguchi で理由を見る（docs/SITE.md）",
        "journalctl -u madoguchi says why (docs/SITE.md)",
        |it| site(it) == SiteState::Refused;
    "tickets-barred" Told, "チケットシステムが鍵を受け付けないか、設定と合わない（人が直す）", "a ticket system refuses our key, or is not as configured, until somebody mends it",
        "madoguchi tickets status でどれかを見て、鍵と設定を直し、systemctl reload madoguchi",
        "madoguchi tickets status says which; mend key or configuration, then systemctl reload madoguchi",
        |it| it.targets.iter().any(|target| target.state == TargetState::Barred);
    "tickets-away" Told, "応答しないチケットシステムがある。失われるものはない", "a ticket system does not answer; nothing is lost",
        "madoguchi tickets status でどれかを見て、その機器と経路を確かめる",
        "madoguchi tickets status says which; look at it and at the way to it",
        |it| it.targets.iter().any(|target| target.state == TargetState::Away);
    "certificate-ends" Told, "使用中の証明書が 14 日以内に切れるか、もう切れている", "a certificate in force ends within 14 days, or has ended",
        "madoguchi doctor でどれかを見て、新しい証明書と鍵を置き、systemctl reload madoguchi",
        "madoguchi doctor says which; put a new certificate and its key there, then systemctl reload madoguchi",
        |it| it.certificates.iter().any(|certificate| certificate.left_s < CERTIFICATE_ENDS_S);
    "entries-lost" Told, "起動してから、履歴の記録が失われた", "entries of the history were lost since the start",
        "madoguchi verify で欠けた所を調べ、月を締める前に報告する",
        "madoguchi verify names the holes; report them before the month is closed",
        |it| it.journal_lost > 0;
    "figures-late" Told, "画面と数値が遅れている", "wallboard and figures are late",
        "CPU の空きを見る（top）。待てば追い付く",
        "look at the CPU (top); they catch up by themselves",
        |it| it.feed.lag_ms > LATE_MS;
    "files-short" Told, "開けるファイルの残りが 2 割を切った", "less than a fifth of the files that may be open is left",
        "LimitNOFILE を増やし、呼の少ない時に再起動する",
        "raise LimitNOFILE, and restart when there are few calls",
        |it| files_short(it);
}

fn stalled(age_ms: u64) -> bool {
    Duration::from_millis(age_ms) > STALLED
}

fn recording(gauges: &Gauges) -> RecordingState {
    gauges.recording.as_ref().map(|it| it.state).unwrap_or_default()
}

fn site(gauges: &Gauges) -> SiteState {
    gauges.site.map(|it| it.state).unwrap_or_default()
}

fn files_short(gauges: &Gauges) -> bool {
    let (open, limit) = (gauges.process.open_files, gauges.process.open_files_limit);
    open.saturating_mul(5) > limit.saturating_mul(4)
}

/// Everything that is not well, of this weight or more; what weighs most first.
fn reasons(gauges: &Gauges, least: Weight) -> Vec<Reason> {
    let known = KNOWN.iter().filter(|(reason, is)| reason.weight >= least && is(gauges));
    let mut found: Vec<Reason> = known.map(|(reason, _)| *reason).collect();
    found.sort_by_key(|reason| std::cmp::Reverse(reason.weight));
    found
}

const fn word(well: bool) -> &'static str {
    if well { "ok" } else { "failing" }
}

impl Health {
    pub(super) fn of(gauges: &Gauges) -> Self {
        let beat = |age_ms| if stalled(age_ms) { Beat::Stalled } else { Beat::Ok };
        let up = gauges.trunks.iter().all(TrunkGauge::is_up);
        Self {
            status: word(reasons(gauges, Weight::Unready).is_empty()),
            journal: gauges.journal,
            engine: beat(gauges.engine_beat_age_ms),
            media: beat(gauges.media_beat_age_ms),
            net: beat(gauges.net_beat_age_ms),
            trunks: if up { Trunks::Ok } else { Trunks::Down },
            recording: recording(gauges),
            site_store: site(gauges),
            disk: gauges.disk.state,
        }
    }
}

/// The whole page.
#[derive(Serialize, JsonSchema)]
pub(super) struct HealthPage {
    #[serde(flatten)]
    health: Health,
    /// All that is not well; what weighs most first.
    reasons: Vec<Reason>,
}

/// What a machine asks for, and what stands against it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HealthProbe")]
pub(super) struct Probe {
    /// `ok`, or `failing`.
    #[schemars(schema_with = "about::status")]
    status: &'static str,
    /// Why it is failing.
    reasons: Vec<Reason>,
}

fn answer(well: bool, page: impl Serialize) -> Response {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(page)).into_response()
}

fn probe(server: &Server, least: Weight) -> Response {
    let reasons = reasons(&(server.app.gauges)(), least);
    let well = reasons.is_empty();
    answer(well, Probe { status: word(well), reasons })
}

/// `GET /healthz`: the status is that of `/healthz/ready`.
pub(super) async fn whole(State(server): State<Server>) -> Response {
    let gauges = (server.app.gauges)();
    let reasons = reasons(&gauges, Weight::Told);
    let well = reasons.iter().all(|reason| reason.weight < Weight::Unready);
    answer(well, HealthPage { health: Health::of(&gauges), reasons })
}

/// `GET /healthz/live`.
pub(super) async fn live(State(server): State<Server>) -> Response {
    probe(&server, Weight::Dead)
}

/// `GET /healthz/ready`.
pub(super) async fn ready(State(server): State<Server>) -> Response {
    probe(&server, Weight::Unready)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{CertificateGauge, CertificateOf, FeedGauge, ProcessGauge, SiteGauge};

    fn named(gauges: &Gauges, least: Weight) -> Vec<&'static str> {
        reasons(gauges, least).iter().map(|reason| reason.reason).collect()
    }

    #[test]
    fn what_is_wrong_is_named_and_weighed() {
        let well = Gauges::default;
        let process = |open_files| ProcessGauge {
            open_files,
            open_files_limit: 100,
            ..ProcessGauge::default()
        };
        let site = |state| Some(SiteGauge { state, ..SiteGauge::default() });
        let feed = |lag_ms| FeedGauge { lag_ms, ..FeedGauge::default() };
        let table: [(Gauges, &[&str]); 13] = [
            (well(), &[]),
            (Gauges { engine_beat_age_ms: 5_000, ..well() }, &[]),
            (Gauges { engine_beat_age_ms: 5_001, ..well() }, &["engine-stalled"]),
            (Gauges { net_beat_age_ms: 5_001, ..well() }, &["net-stalled"]),
            (Gauges { media_beat_age_ms: u64::MAX, ..well() }, &["media-stalled"]),
            (Gauges { journal: JournalState::Failing, ..well() }, &["journal-failing"]),
            (Gauges { closing: true, ..well() }, &["closing"]),
            (Gauges { draining: true, ..well() }, &["draining"]),
            (Gauges { journal_lost: 1, ..well() }, &["entries-lost"]),
            (Gauges { feed: feed(10_001), ..well() }, &["figures-late"]),
            (Gauges { process: process(80), ..well() }, &[]),
            (Gauges { process: process(81), ..well() }, &["files-short"]),
            (
                Gauges { site: site(SiteState::Away), closing: true, ..well() },
                &["closing", "site-store-away"],
            ),
        ];
        for (gauges, due) in table {
            assert_eq!(named(&gauges, Weight::Told), due);
        }
        let ill = Gauges {
            journal: JournalState::Failing,
            media_beat_age_ms: 9_000,
            journal_lost: 3,
            ..well()
        };
        assert_eq!(named(&ill, Weight::Dead), ["media-stalled"]);
        assert_eq!(named(&ill, Weight::Unready), ["media-stalled", "journal-failing"]);
        assert_eq!(Health::of(&ill).status, "failing");
        // What is only told makes nobody send callers elsewhere.
        assert_eq!(Health::of(&Gauges { journal_lost: 3, ..well() }).status, "ok");
    }

    #[test]
    fn a_certificate_in_force_that_ends_soon_is_a_reason_of_healthz() {
        const DAY_S: i64 = 24 * 60 * 60;
        let ending = |of, left_s| Gauges {
            certificates: vec![
                CertificateGauge { of: CertificateOf::Sip, end_s: 0, left_s: 400 * DAY_S },
                CertificateGauge { of, end_s: 0, left_s },
            ],
            ..Gauges::default()
        };
        let pages = CertificateOf::Pages;
        assert_eq!(named(&ending(pages, 14 * DAY_S), Weight::Told), Vec::<&str>::new());
        for of in [CertificateOf::Sip, pages] {
            assert_eq!(named(&ending(of, 14 * DAY_S - 1), Weight::Told), ["certificate-ends"]);
            assert_eq!(named(&ending(of, -DAY_S), Weight::Told), ["certificate-ends"]);
        }
        // Who does not look at it is served as before.
        assert_eq!(Health::of(&ending(pages, -1)).status, "ok");
    }

    #[test]
    fn every_reason_is_told_in_both_languages_with_what_to_do() {
        let japanese = |text: &str| {
            text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'))
        };
        for (reason, _) in KNOWN {
            assert!(japanese(reason.ja) && japanese(reason.todo_ja), "{reason:?}");
            assert!(reason.en.is_ascii() && reason.todo_en.is_ascii(), "{reason:?}");
            assert!(reason.runbook.ends_with(reason.reason), "{reason:?}");
        }
    }
}
