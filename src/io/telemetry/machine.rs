//! What the page says of the machine: engine, SIP, media, journal, configuration. From the gauges, never
//! from the history.

use super::page::{Page, number, seconds};
use crate::view::{
    CertificateOf, DiskState, Gauges, JournalState, RecordingState, SiteState, Views,
};

/// All of it.
pub(super) fn machine(page: &mut Page, views: &Views, gauges: &Gauges) {
    engine(page, gauges);
    admission(page, gauges);
    sip_kinds(page, gauges);
    process(page, gauges);
    config(page, gauges);
    trace(page, gauges);
    recording(page, gauges);
    site(page, gauges);
    trunks(page, gauges);
    journal(page, views, gauges);
}

fn engine(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_engine_heartbeat_age_seconds",
        "Since the engine last said it lives.",
        seconds(gauges.engine_beat_age_ms),
    );
    page.one(
        "madoguchi_engine_queue_length",
        "Inputs that wait for the engine.",
        number(gauges.engine_queue),
    );
    page.count(
        "madoguchi_engine_shed_invites_total",
        "Requests refused with 503 because the engine was late (refused calls count as blocked, too).",
        gauges.shed_invites,
    );
    page.count(
        "madoguchi_engine_inputs_dropped_total",
        "Inputs thrown away because the engine's queue was full; SIP repeats them.",
        gauges.engine_inputs_dropped,
    );
    page.count(
        "madoguchi_engine_panics_total",
        "Faults caught in the engine; each cost the call that caused it.",
        gauges.engine_panics,
    );
    page.count(
        "madoguchi_journal_late_total",
        "Times that decisions went out before the journal had them, because it was late.",
        gauges.said_before_written,
    );
    page.one("madoguchi_engine_calls", "Calls the engine holds.", number(gauges.engine_calls));
    page.one("madoguchi_engine_legs", "SIP dialogs the engine holds.", number(gauges.legs));
    page.one(
        "madoguchi_sip_transactions",
        "SIP transactions held.",
        number(gauges.sip_transactions),
    );
    page.counter(
        "madoguchi_sip_messages_total",
        "SIP messages.",
        &["direction"],
        [(vec!["in"], gauges.sip_messages_in), (vec!["out"], gauges.sip_messages_out)],
    );
    page.count(
        "madoguchi_sip_unsent_total",
        "SIP messages that the operating system would not take, or that found their connection's queue full.",
        gauges.sip_unsent,
    );
    page.count(
        "madoguchi_sip_malformed_total",
        "Received bytes that were no SIP message.",
        gauges.sip_malformed,
    );
    page.count(
        "madoguchi_sip_connections_refused_total",
        "SIP connections not let in, or ended for others, at a bound.",
        gauges.sip_connections_refused,
    );
    page.count(
        "madoguchi_sip_handshakes_failed_total",
        "SIP connections that came to nothing in TLS or in a WebSocket's request.",
        gauges.sip_handshakes_failed,
    );
    page.count(
        "madoguchi_sip_stun_answers_total",
        "STUN requests of phones answered.",
        gauges.stun_answers,
    );
    page.one(
        "madoguchi_sip_registrations",
        "Registrations in force.",
        number(gauges.registrations),
    );
    page.one(
        "madoguchi_sip_subscriptions",
        "Subscriptions in force: lamps and the like that phones watch.",
        number(gauges.subscriptions),
    );
    page.one(
        "madoguchi_media_heartbeat_age_seconds",
        "Since the slowest media thread last said it lives.",
        seconds(gauges.media_beat_age_ms),
    );
    page.one(
        "madoguchi_net_heartbeat_age_seconds",
        "Since the thread of the SIP sockets last said it lives.",
        seconds(gauges.net_beat_age_ms),
    );
    page.one("madoguchi_media_ports", "RTP ports open.", number(gauges.media_ports));
    page.one(
        "madoguchi_media_mixes",
        "Conversations whose sound is decoded: pairs that share no codec, and more than two at once.",
        number(gauges.media_mixes),
    );
    page.counter(
        "madoguchi_rtp_packets_total",
        "RTP packets.",
        &["direction"],
        [(vec!["in"], gauges.rtp_packets_in), (vec!["out"], gauges.rtp_packets_out)],
    );
    page.count(
        "madoguchi_rtp_packets_dropped_total",
        "RTP packets thrown away: wrong source, malformed, no room.",
        gauges.rtp_packets_dropped,
    );
}

fn sip_kinds(page: &mut Page, gauges: &Gauges) {
    let of = |request: bool| {
        let kinds = gauges.sip_by_kind.iter().filter(move |it| it.request == request);
        kinds.flat_map(|it| [(vec!["in", it.kind], it.received), (vec!["out", it.kind], it.sent)])
    };
    page.counter(
        "madoguchi_sip_requests_total",
        "SIP requests by method, said again or not; other: methods that we do not know.",
        &["direction", "method"],
        of(true),
    );
    page.counter(
        "madoguchi_sip_responses_total",
        "SIP responses by class of status, said again or not.",
        &["direction", "class"],
        of(false),
    );
}

fn process(page: &mut Page, gauges: &Gauges) {
    let it = gauges.process;
    page.one(
        "madoguchi_process_start_time_seconds",
        "When the process began, since 1970.",
        seconds(u64::try_from(it.started_ms).unwrap_or(0)),
    );
    page.one(
        "madoguchi_process_resident_memory_bytes",
        "Memory of the machine that the process takes.",
        number(it.resident_bytes),
    );
    page.count_seconds(
        "madoguchi_process_cpu_seconds_total",
        "Time on a processor, all threads together.",
        seconds(it.cpu_ms),
    );
    page.one("madoguchi_process_open_fds", "Files and sockets open.", number(it.open_files));
    page.one("madoguchi_process_max_fds", "As many may be open.", number(it.open_files_limit));
    page.one("madoguchi_process_threads", "Threads of the process.", number(it.threads));
}

fn admission(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_sip_blocked_sources",
        "Sources that are not listened to, as a whole or as one account, because they guessed at passwords.",
        number(gauges.blocked_sources),
    );
    page.count(
        "madoguchi_sip_auth_failures_total",
        "Wrong answers to our challenge; a challenge itself is none.",
        gauges.auth_failures,
    );
    page.count(
        "madoguchi_sip_auth_against_rules_total",
        "Of the wrong answers, those for an account that may not come from there or that way.",
        gauges.auth_against_rules,
    );
    page.count(
        "madoguchi_sip_auth_unheard_total",
        "Answers that were not looked at because their source is blocked.",
        gauges.auth_unheard,
    );
}

fn config(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_config_loaded_timestamp_seconds",
        "When the configuration in force was read.",
        number(u64::try_from(gauges.config_loaded_s).unwrap_or(0)),
    );
    let end_s = |of| gauges.certificates.iter().find(|it| it.of == of).map(|it| it.end_s);
    page.gauge(
        "madoguchi_certificate_end_timestamp_seconds",
        "When the certificate in force ends, whatever its file holds meanwhile; NaN without one.",
        "of",
        CertificateOf::ALL.map(|of| {
            let end_s = end_s(of).and_then(|end_s| u64::try_from(end_s).ok());
            (of.name(), end_s.map_or(f64::NAN, number))
        }),
    );
    page.count(
        "madoguchi_config_reload_failures_total",
        "Readings of changed files that were refused for what they found.",
        gauges.reloads_refused,
    );
}

fn trace(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_trace_messages",
        "SIP messages kept for looking at.",
        number(gauges.trace_messages),
    );
    page.one("madoguchi_trace_bytes", "Memory that they take.", number(gauges.trace_bytes));
    page.count(
        "madoguchi_trace_pushed_out_total",
        "SIP messages dropped from the trace before their time, for want of room.",
        gauges.trace_pushed_out,
    );
    page.count(
        "madoguchi_trace_exported_total",
        "SIP messages sent to the collector.",
        gauges.trace_exported,
    );
    page.count(
        "madoguchi_trace_unexported_total",
        "SIP messages that the collector did not get: it was away or slow, or they were too long.",
        gauges.trace_unexported,
    );
}

fn recording(page: &mut Page, gauges: &Gauges) {
    let it = gauges.recording.unwrap_or_default();
    let states = [
        ("off", RecordingState::Off),
        ("ok", RecordingState::Ok),
        ("disk_full", RecordingState::DiskFull),
        ("failing", RecordingState::Failing),
    ];
    page.gauge(
        "madoguchi_recording_state",
        "1 at how it stands with recordings: no place for them, well, too little room on their disk, the disk refuses.",
        "state",
        states.map(|(name, state)| (name, f64::from(u8::from(state == it.state)))),
    );
    page.one("madoguchi_recordings_open", "Recordings that grow now.", number(it.open));
    page.count("madoguchi_recordings_kept_total", "Recordings that were ended.", it.kept);
    page.count(
        "madoguchi_recordings_failed_total",
        "Recordings that were not begun, or ended before their time.",
        it.failed,
    );
    page.count(
        "madoguchi_recordings_deleted_total",
        "Recordings that were deleted for their age.",
        it.deleted,
    );
    page.count(
        "madoguchi_recording_packets_dropped_total",
        "Packets that are missing in recordings because the disk was too slow; the calls had them.",
        it.dropped,
    );
    page.one(
        "madoguchi_recording_disk_free_bytes",
        "Bytes free on the disk of recordings.",
        number(it.free_bytes),
    );
}

fn trunks(page: &mut Page, gauges: &Gauges) {
    let registered = gauges
        .trunks
        .iter()
        .filter_map(|trunk| Some((trunk.trunk.as_str(), f64::from(u8::from(trunk.registered?)))));
    page.gauge(
        "madoguchi_trunk_registered",
        "1 while we are registered with the trunk's carrier, else 0; no line for trunks that are not registered with.",
        "trunk",
        registered,
    );
    page.gauge(
        "madoguchi_trunk_servers_well",
        "Addresses of the trunk's servers that calls are sent to.",
        "trunk",
        gauges.trunks.iter().map(|trunk| (trunk.trunk.as_str(), number(trunk.servers_well))),
    );
}

fn site(page: &mut Page, gauges: &Gauges) {
    let it = gauges.site.unwrap_or_default();
    page.gauge(
        "madoguchi_site_store_state",
        "1 at where the history's copy in the site's store stands: there is none, not reached since the start, being copied, all is there, the store is away, somebody must mend it.",
        "state",
        SiteState::ALL.map(|state| (state.name(), f64::from(u8::from(state == it.state)))),
    );
    page.one(
        "madoguchi_site_store_behind_entries",
        "Entries of the journal that are not known to be in the site's store.",
        number(it.behind),
    );
    page.one(
        "madoguchi_site_store_behind_seconds",
        "For how long not all of the journal has been in the site's store.",
        number(it.behind_s),
    );
    page.count(
        "madoguchi_site_store_copied_entries_total",
        "Entries copied to the site's store.",
        it.copied,
    );
    page.count(
        "madoguchi_site_store_failures_total",
        "Tries to copy to the site's store that failed.",
        it.failures,
    );
}

fn journal(page: &mut Page, views: &Views, gauges: &Gauges) {
    let erased = views.erased();
    page.count(
        "madoguchi_callers_erased_calls_total",
        "Calls whose numbers and names the running daemon erased for their age.",
        erased.calls,
    );
    page.one(
        "madoguchi_callers_erased_before_timestamp_seconds",
        "Calls that arrived before then have neither number nor name, as of the last erasing that found some; 0 before the first.",
        erased.before.map_or(0.0, |at| seconds(u64::try_from(at.0).unwrap_or(0))),
    );
    let disk = gauges.disk;
    let states =
        [("ok", DiskState::Ok), ("low", DiskState::Low), ("no_reserve", DiskState::NoReserve)];
    page.gauge(
        "madoguchi_store_disk_state",
        "1 at how it stands with the room on the journal's disk: enough, less free than must be, nothing held back for the journal any more.",
        "state",
        states.map(|(name, state)| (name, f64::from(u8::from(state == disk.state)))),
    );
    page.one(
        "madoguchi_store_disk_free_bytes",
        "Bytes free on the journal's disk.",
        number(disk.free_bytes),
    );
    page.one(
        "madoguchi_store_reserve_bytes",
        "Bytes of the journal's disk that are held back for it.",
        number(disk.reserve_bytes),
    );
    page.one(
        "madoguchi_journal_failing",
        "1 while the journal cannot be written, else 0.",
        f64::from(u8::from(gauges.journal == JournalState::Failing)),
    );
    page.one(
        "madoguchi_journal_pending_entries",
        "Entries decided and not yet on disk.",
        number(gauges.journal_pending),
    );
    page.count(
        "madoguchi_journal_lost_entries_total",
        "Entries given up because the journal was away too long.",
        gauges.journal_lost,
    );
    page.count(
        "madoguchi_journal_transactions_total",
        "Transactions written.",
        gauges.journal_transactions,
    );
    page.one(
        "madoguchi_snapshot_behind_entries",
        "Entries on disk since the snapshot beside the store: so many does the next start read; all when there is none.",
        number(gauges.snapshot_behind),
    );
    page.count(
        "madoguchi_snapshot_failures_total",
        "Snapshots that could not be written since the start.",
        gauges.snapshot_failures,
    );
    page.one(
        "madoguchi_feed_behind_entries",
        "Entries that were written and are not in the figures yet.",
        number(gauges.feed.behind),
    );
    page.one(
        "madoguchi_feed_lag_seconds",
        "Since the oldest of them was handed over; 0 when there is none.",
        seconds(gauges.feed.lag_ms),
    );
    page.count(
        "madoguchi_history_entries_total",
        "Entries that the figures contain.",
        views.last_seq(),
    );
    page.count("madoguchi_history_holes_total", "Entries missing in the history.", views.holes());
    page.count(
        "madoguchi_history_strays_total",
        "Entries about calls that had not arrived or were over.",
        views.strays(),
    );
}
