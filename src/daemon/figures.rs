//! The machine's state as metrics and health page show it, gathered from every room when asked.

use super::engine_loop::Clock;
use super::feeding::Fed;
use super::keeper::Fares;
use super::pulse::Pulse;
use super::room::Stands;
use super::warning::Told;
use crate::base::{GroupId, Wall};
use crate::io::http::ViewHub;
use crate::io::media::Media;
use crate::io::net::{Counters, Net};
use crate::io::recording::{Recorder, RecorderState};
use crate::io::store::Store;
use crate::io::store::site::{self, Copying, SitePhase};
use crate::io::telemetry::process;
use crate::io::trace::{Export, Trace};
use crate::pbx;
use crate::recording::command::Trouble;
use crate::sip::trunk::LineState;
use crate::view::{
    CertificateGauge, CertificateOf, DeskNumberGauge, Gauges, GroupGauge, JournalState,
    RecordingGauge, RecordingState, SipCount, SiteGauge, SiteState, TrunkGauge,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn trunk_gauge(line: &LineState) -> TrunkGauge {
    let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    TrunkGauge {
        trunk: line.trunk.clone(),
        registered: line.registered,
        refused: line.refused,
        server: line.server.map(|server| server.to_string()),
        servers: wide(line.servers),
        servers_well: wide(line.well),
    }
}

fn certificates(pulse: &Pulse, now: Wall) -> Vec<CertificateGauge> {
    let ends = [
        (CertificateOf::Sip, &pulse.sip_certificate_end_s),
        (CertificateOf::Pages, &pulse.pages_certificate_end_s),
    ];
    let there = ends.map(|(of, end_s)| (of, end_s.load(Ordering::Relaxed)));
    let gauge = |(of, end_s): (CertificateOf, i64)| CertificateGauge {
        of,
        end_s,
        left_s: end_s.saturating_sub(now.0 / 1_000),
    };
    there.into_iter().filter(|(_, end_s)| *end_s != 0).map(gauge).collect()
}

fn recording_gauge(it: RecorderState, dropped: u64) -> RecordingGauge {
    RecordingGauge {
        state: match it.trouble {
            None => RecordingState::Ok,
            Some(Trouble::DiskFull) => RecordingState::DiskFull,
            Some(_) => RecordingState::Failing,
        },
        open: it.open,
        kept: it.kept,
        failed: it.failed,
        deleted: it.deleted,
        dropped,
        free_bytes: it.free_bytes,
    }
}

fn site_gauge(it: &site::SiteState) -> SiteGauge {
    SiteGauge {
        state: match it.phase {
            SitePhase::Reaching => SiteState::Reaching,
            SitePhase::Copying => SiteState::Copying,
            SitePhase::Level => SiteState::Level,
            SitePhase::Away { .. } => SiteState::Away,
            SitePhase::Refused { .. } => SiteState::Refused,
        },
        behind: it.behind,
        behind_s: it.behind_for.as_secs(),
        copied: it.copied,
        failures: it.failures,
    }
}

fn sip_by_kind(wire: &Counters) -> Vec<SipCount> {
    let both = wire.received_kinds.counts().zip(wire.sent_kinds.counts());
    both.map(|((kind, request, received), (_, _, sent))| SipCount { kind, request, received, sent })
        .collect()
}

fn groups(desk: &pbx::Gauges) -> Vec<GroupGauge> {
    let group = |(id, it): (&GroupId, &pbx::GroupGauge)| GroupGauge {
        group: id.clone(),
        free_agents: it.free_agents.into(),
    };
    desk.groups.iter().map(group).collect()
}

fn desk_numbers(desk: &pbx::Gauges) -> Vec<DeskNumberGauge> {
    let numbers = desk.lines.iter();
    numbers
        .map(|(number, (name, lines))| DeskNumberGauge {
            number: number.clone(),
            name: name.as_ref().to_owned(),
            in_use: desk.by_number.get(number).copied().unwrap_or(0).into(),
            lines: (*lines).into(),
        })
        .collect()
}

/// Gathers what every part shows of itself, for metrics and health.
pub(super) fn gauges(
    clock: Clock,
    pulse: &Arc<Pulse>,
    (net, media): (&Arc<Net>, &Arc<Media>),
    (store, recorder): (&Arc<Store>, Option<&Arc<Recorder>>),
    (trace, export, site): (&Arc<Trace>, Option<&Export>, Option<Arc<Copying>>),
    (told, fed, hub): (Vec<Arc<Told>>, Arc<Fed>, ViewHub),
    (snapshot, disk): (Arc<Fares>, Arc<Stands>),
) -> Arc<dyn Fn() -> Gauges + Send + Sync> {
    let (pulse, net, media, store) =
        (Arc::clone(pulse), Arc::clone(net), Arc::clone(media), Arc::downgrade(store));
    let recorder = recorder.map(Arc::downgrade);
    let started_ms = clock.now().wall.0;
    let (trace, sent) = (Arc::clone(trace), export.map(Export::sent).unwrap_or_default());
    Arc::new(move || {
        let shown = pulse.shown();
        let kept = trace.kept();
        let wire = net.counters();
        let rtp = media.counters();
        // Gone only while the desk ends, when nobody reads these figures any more.
        let journal = store.upgrade().map(|store| store.state()).unwrap_or_default();
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Gauges {
            engine_beat_age_ms: u64::try_from(pulse.silence(&clock).as_millis())
                .unwrap_or(u64::MAX),
            net_beat_age_ms: u64::try_from(pulse.net_silence(&clock).as_millis())
                .unwrap_or(u64::MAX),
            closing: pulse.closing.load(Ordering::Relaxed),
            draining: pulse.draining.load(Ordering::Relaxed),
            engine_queue: wide(shown.queued),
            shed_invites: pulse.shed.load(Ordering::Relaxed),
            engine_inputs_dropped: shown.dropped,
            config_loaded_s: pulse.config_loaded_ms.load(Ordering::Relaxed) / 1_000,
            certificates: certificates(&pulse, clock.now().wall),
            reloads_refused: pulse.reloads_refused.load(Ordering::Relaxed),
            engine_panics: pulse.panics.load(Ordering::Relaxed),
            said_before_written: pulse.said_before_written.load(Ordering::Relaxed),
            engine_calls: wide(shown.gauges.desk.calls),
            legs: wide(shown.gauges.legs),
            sip_transactions: wide(
                shown
                    .gauges
                    .sip
                    .server_transactions
                    .saturating_add(shown.gauges.sip.client_transactions),
            ),
            registrations: wide(shown.gauges.sip.bindings),
            subscriptions: wide(shown.gauges.sip.subscriptions),
            sip_malformed: wire.broken_streams.load(Ordering::Relaxed),
            sip_connections_refused: wire.refused_connections.load(Ordering::Relaxed),
            sip_handshakes_failed: wire.failed_handshakes.load(Ordering::Relaxed),
            stun_answers: wire.stun_answers.load(Ordering::Relaxed),
            media_beat_age_ms: u64::try_from(media.silence(clock.now().mono).as_millis())
                .unwrap_or(u64::MAX),
            rtp_packets_dropped: rtp.dropped().iter().map(|(_, count)| count).sum(),
            media_ports: wide(shown.gauges.ports),
            media_mixes: rtp.mixes,
            sip_messages_in: wire.received.load(Ordering::Relaxed),
            sip_messages_out: wire.sent.load(Ordering::Relaxed),
            sip_unsent: wire.unsent.load(Ordering::Relaxed),
            sip_by_kind: sip_by_kind(wire),
            groups: groups(&shown.gauges.desk),
            desk_numbers: desk_numbers(&shown.gauges.desk),
            trunk_names: shown.gauges.desk.channels.keys().cloned().collect(),
            snapshot_behind: journal
                .committed_seq
                .saturating_sub(snapshot.stands_at.load(Ordering::Relaxed)),
            snapshot_failures: snapshot.failures.load(Ordering::Relaxed),
            feed: hub.behind(),
            process: process(started_ms),
            blocked_sources: wide(shown.admission.blocked),
            auth_failures: shown.admission.failures,
            auth_against_rules: shown.admission.against_rules,
            auth_unheard: shown.admission.unheard,
            trace_messages: wide(kept.messages),
            trace_bytes: wide(kept.bytes),
            trace_pushed_out: kept.pushed_out,
            trace_exported: sent.sent.load(Ordering::Relaxed),
            trace_unexported: sent.dropped.load(Ordering::Relaxed),
            disk: disk.gauge(),
            journal: if journal.failing { JournalState::Failing } else { JournalState::Ok },
            journal_pending: journal.pending,
            journal_lost: journal.lost,
            journal_committed_seq: journal.committed_seq,
            journal_transactions: journal.transactions,
            recording: recorder.as_ref().map(|recorder| {
                let state = recorder.upgrade().map(|it| it.state()).unwrap_or_default();
                recording_gauge(state, rtp.dropped_untapped)
            }),
            warning_ways: told
                .iter()
                .map(|way| (way.by, way.failed.load(Ordering::Relaxed)))
                .collect(),
            targets: fed.gauges(),
            trunks: shown.gauges.lines.iter().map(trunk_gauge).collect(),
            media_sent: rtp.sent().to_vec(),
            media_dropped: rtp.dropped().to_vec(),
            media_reports: vec![("in", rtp.reports_received), ("out", rtp.reports_sent)],
            media_troubles: rtp.troubles().to_vec(),
            media_keys: rtp.keys,
            rtp_packets_in: rtp.packets_received,
            rtp_packets_out: rtp
                .packets_relayed
                .saturating_add(rtp.packets_played)
                .saturating_add(rtp.packets_made),
            site: site.as_ref().map(|site| site_gauge(&site.state())),
        }
    })
}
