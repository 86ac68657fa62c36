//! What the page says of sound: how the legs sounded, from the history; what the media threads did, from
//! their gauges.

use super::page::Page;
use crate::view::{Gauges, Views};

/// How the legs of calls sounded since the history began.
pub(super) fn heard(page: &mut Page, views: &Views) {
    let sound = views.sound();
    page.counter(
        "madoguchi_media_faults_total",
        "Faults of sound noticed: one_way, no_way, loop; frozen (a phone sends digital silence) is mostly a muted phone.",
        &["kind"],
        sound.faults.iter().map(|(fault, count)| (vec![fault.name()], *count)),
    );
    page.spread(
        "madoguchi_media_mos",
        "Estimated opinion (ITU-T G.107) of what came from the phone of each ended leg, 1 to 4.5.",
        &sound.mos,
    );
    page.spread(
        "madoguchi_media_loss_ratio",
        "Share of packets of each ended leg that were lost on their way to us.",
        &sound.loss,
    );
    page.spread(
        "madoguchi_media_jitter_seconds",
        "Jitter in the mean of what came from the phone of each ended leg.",
        &sound.jitter,
    );
    page.spread(
        "madoguchi_media_round_trip_seconds",
        "There and back between us and the phone of each ended leg, when reports told it.",
        &sound.round_trip,
    );
}

/// What the media threads did since the process began.
pub(super) fn done(page: &mut Page, gauges: &Gauges) {
    fn labelled<'a>(values: &[(&'a str, u64)]) -> impl Iterator<Item = (Vec<&'a str>, u64)> {
        values.iter().map(|(label, count)| (vec![*label], *count))
    }
    page.counter(
        "madoguchi_media_packets_sent_total",
        "RTP packets sent: passed on, of prompts (played), of decoded voices and keys (made).",
        &["kind"],
        labelled(&gauges.media_sent),
    );
    page.counter(
        "madoguchi_media_packets_dropped_total",
        "Packets of sound and reports thrown away, by reason.",
        &["reason"],
        labelled(&gauges.media_dropped),
    );
    page.counter(
        "madoguchi_media_reports_total",
        "Reports (RTCP) taken from phones and sent to them.",
        &["direction"],
        labelled(&gauges.media_reports),
    );
    page.counter(
        "madoguchi_media_troubles_total",
        "What went wrong on the media threads, by kind.",
        &["kind"],
        labelled(&gauges.media_troubles),
    );
    page.count(
        "madoguchi_media_keys_total",
        "Keys that callers and agents pressed (telephone-event).",
        gauges.media_keys,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::SoundTotals;

    #[test]
    fn a_spread_is_a_histogram_as_prometheus_reads_it() {
        let mut page = Page::default();
        page.spread("madoguchi_media_mos", "Help.", &SoundTotals::default().mos);
        let text = page.text();
        assert!(text.contains("# TYPE madoguchi_media_mos histogram"), "{text}");
        assert!(text.contains("madoguchi_media_mos_bucket{le=\"+Inf\"} 0"), "{text}");
        assert!(text.contains("madoguchi_media_mos_count 0"), "{text}");
    }
}
