//! What the media threads count. Each thread counts in plain numbers of its own and lays them out for
//! others to read once a round, so that counting costs a packet nothing that could be seen.

use crate::base::Mono;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A snapshot over all media threads. All but the gauges [`Self::legs`], [`Self::bridges`],
        /// [`Self::mixes`] and [`Self::plays`] only ever grow.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// One thread's counters as others see them.
        #[derive(Debug, Default)]
        pub(super) struct Board {
            beat_us: AtomicU64,
            $($name: AtomicU64,)*
        }

        impl Board {
            /// The thread lives; only that thread calls it.
            pub(super) fn beat(&self, now: Mono) {
                self.beat_us.store(now.0, Ordering::Relaxed);
            }

            /// When it last said so.
            pub(super) fn beaten_at(&self) -> Mono {
                Mono(self.beat_us.load(Ordering::Relaxed))
            }

            /// Lays out what one thread has counted; only that thread calls it.
            pub(super) fn publish(&self, counted: &Counters) {
                $(self.$name.store(counted.$name, Ordering::Relaxed);)*
            }

            /// Adds this thread's counts to a snapshot.
            pub(super) fn add_to(&self, sum: &mut Counters) {
                $(sum.$name = sum.$name.wrapping_add(self.$name.load(Ordering::Relaxed));)*
            }
        }
    };
}

counters! {
    /// Legs that are open now.
    legs,
    /// Pairs of legs that hear each other now.
    bridges,
    /// Mixes now: pairs that share no codec, and more than two legs that hear each other.
    mixes,
    /// Legs that hear a prompt now.
    plays,
    /// Packets taken from a leg's phone.
    packets_received,
    /// Packets passed from one leg to another.
    packets_relayed,
    /// Packets of prompts sent.
    packets_played,
    /// Packets of mixed voices and of keys of ours sent.
    packets_made,
    /// Packets copied for the recorder.
    packets_tapped,
    /// Not copied for the recorder, which is too slow; the packet itself went on.
    dropped_untapped,
    /// Keys noticed.
    keys,
    /// Dropped: not RTP, or longer than an Ethernet frame.
    dropped_malformed,
    /// Handshakes (DTLS) that led to keys.
    handshakes,
    /// Handshakes that failed.
    handshakes_failed,
    /// Phones that ended their encrypted association, mostly at the end of a call.
    goodbyes,
    /// Dropped: not sealed by the phone's key, or sealed and sent again.
    dropped_forged,
    /// Reports (RTCP) of phones that were taken.
    reports_received,
    /// Reports of ours that were sent.
    reports_sent,
    /// Ports for reports that another program held: those legs report nothing.
    control_ports_held,
    /// Dropped: RTCP on a port where none was agreed on.
    dropped_rtcp,
    /// Dropped: from an address that is not the phone's.
    dropped_stranger,
    /// Dropped: before anything was negotiated.
    dropped_early,
    /// Dropped: a payload type that was not agreed, or one that the other phone does not take.
    dropped_payload,
    /// Dropped: the other leg hears a prompt, or is on hold.
    dropped_covered,
    /// Dropped: older than the moment when the legs were joined.
    dropped_late,
    /// Dropped: had waited through a stall of the machine.
    dropped_stale,
    /// Dropped: the kernel did not take it (no route, buffer full).
    dropped_unsent,
    /// Times that the network said that a phone's port is closed.
    unreachable,
    /// Ports that could not be bound for a leg.
    open_failed,
    /// Ports that another program held when they were to be bound ahead.
    held_elsewhere,
    /// Prompts that were asked for and that the library does not have.
    prompts_missing,
    /// Plays refused because the command queue was at its bound.
    plays_refused,
    /// Stalls: rounds that came more than 100 ms late.
    stalls,
    /// Panics that were caught; each has cost one leg.
    faults,
}

impl Counters {
    /// Dropped packets by reason, for a metric's label.
    #[must_use]
    pub const fn dropped(&self) -> [(&'static str, u64); 10] {
        [
            ("malformed", self.dropped_malformed),
            ("forged", self.dropped_forged),
            ("rtcp", self.dropped_rtcp),
            ("stranger", self.dropped_stranger),
            ("early", self.dropped_early),
            ("payload", self.dropped_payload),
            ("covered", self.dropped_covered),
            ("late", self.dropped_late),
            ("stale", self.dropped_stale),
            ("unsent", self.dropped_unsent),
        ]
    }

    /// Packets sent by kind, for a metric's label.
    #[must_use]
    pub const fn sent(&self) -> [(&'static str, u64); 3] {
        [
            ("passed", self.packets_relayed),
            ("played", self.packets_played),
            ("made", self.packets_made),
        ]
    }

    /// What went wrong, for a metric's label.
    #[must_use]
    pub const fn troubles(&self) -> [(&'static str, u64); 9] {
        [
            ("unreachable", self.unreachable),
            ("open_failed", self.open_failed),
            ("port_held", self.held_elsewhere),
            ("control_port_held", self.control_ports_held),
            ("handshake_failed", self.handshakes_failed),
            ("prompt_missing", self.prompts_missing),
            ("play_refused", self.plays_refused),
            ("stall", self.stalls),
            ("panic", self.faults),
        ]
    }
}

/// One more.
pub(super) const fn count(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}
