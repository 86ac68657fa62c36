//! What the engine may ask of the media threads, and what they tell back: closed lists, so that the
//! relay technique behind them can change without the callers noticing.

use super::quality::{Fault, Quality};
use crate::base::{LegId, PlayId, PromptId, TapId};
use crate::sdp::{Codec, Control, Protection, Voice};
use std::net::{IpAddr, SocketAddr};

/// How one leg's stream is spoken in both directions, as negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Where the peer's SDP says it listens; the only source trusted until the source is locked.
    pub remote: SocketAddr,
    /// Where the peer's SIP comes from: the one other host whose sound may be believed to be a phone's
    /// behind NAT.
    pub home: Option<IpAddr>,
    /// The voice codec.
    pub codec: Codec,
    /// Payload type we send voice with (the peer's number for it).
    pub send_pt: u8,
    /// Payload type voice arrives with (our number for it).
    pub recv_pt: u8,
    /// Further codecs that the peer may begin to speak at any time, each with its numbers.
    pub also: Vec<Voice>,
    /// Payload type we send telephone-event with, when the peer takes it.
    pub send_event_pt: Option<u8>,
    /// Payload type telephone-event arrives with, when agreed.
    pub recv_event_pt: Option<u8>,
    /// The clock of telephone-event, Hz.
    pub event_clock_hz: u32,
    /// Packet time in milliseconds, 10 to 60.
    pub ptime_ms: u8,
    /// Whether the peer asked for that packet time: packets of another length are cut anew for it.
    pub ptime_asked: bool,
    /// Whether we may send (the peer did not say `sendonly` or `inactive`).
    pub may_send: bool,
    /// Whether the peer said it will send; silence is noticed only then.
    pub will_receive: bool,
    /// Whether the tones of keys in its sound are keys.
    pub hears_tones: bool,
    /// Whether the peer is told keys by SIP INFO, and so hears none from here.
    pub told_by_info: bool,
    /// Whether packets are encrypted, and by which keys.
    pub protection: Protection,
    /// Where control packets (RTCP) go.
    pub control: Control,
}

impl Stream {
    /// How long a packet of what we say is, milliseconds: as long as was agreed, of what can be said.
    #[must_use]
    pub fn packet_ms(&self) -> u8 {
        self.ptime_ms.clamp(10, 60)
    }
}

/// One leg's place in a mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The leg.
    pub leg: LegId,
    /// The legs of the same mix that it hears.
    pub hears: Vec<LegId>,
}

/// A wish of the engine's. None is answered but by [`Notice`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Binds a port before any leg has it; answered by `Reserved` or `NotReserved`.
    Reserve {
        /// Our address in the SDP to come.
        ip: IpAddr,
        /// An RTP port, even; not in use.
        port: u16,
    },
    /// Gives the leg its port, reserved or else bound now.
    Open {
        /// The leg; new.
        leg: LegId,
        /// Our address in the leg's SDP.
        ip: IpAddr,
        /// Our RTP port, even.
        port: u16,
    },
    /// Sets or replaces what was negotiated; a new remote unlocks the source.
    Stream {
        /// The leg.
        leg: LegId,
        /// The negotiated stream.
        stream: Stream,
    },
    /// Passes audio between two legs, both ways; a leg that was in another bridge leaves it. What plays
    /// on either leg stops, without a notice; a play begun later covers the other leg's sound until it
    /// is done or stopped.
    Bridge {
        /// One.
        a: LegId,
        /// Other.
        b: LegId,
    },
    /// Lets up to 16 legs hear each other as each seat says: three in a talk, or one that listens, or
    /// whispers to one of them. Otherwise as `Bridge`; a leg that is closed leaves the others to talk on.
    Mix {
        /// The legs.
        seats: Vec<Seat>,
    },
    /// Presses a key towards the peer: by telephone-event where it takes that, else by its tones. While
    /// it is pressed nothing else is heard there; of keys not yet said 32 are kept.
    Press {
        /// The leg.
        leg: LegId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// Ends the passing of audio on both legs of the bridge that `leg` is in, or takes it out of its mix.
    Unbridge {
        /// Either leg.
        leg: LegId,
    },
    /// Plays the prompts one after another without a gap; replaces what plays on the leg. A loop that the
    /// leg heard before, the same one, goes on where it was left.
    Play {
        /// The leg that hears it.
        leg: LegId,
        /// Named in the notice.
        play: PlayId,
        /// What is played, in order.
        prompts: Vec<PromptId>,
        /// Starts again at the end, for ever.
        looped: bool,
        /// A key of the phone's stops it, without a notice but the key's own, within 50 ms.
        stops_on_key: bool,
    },
    /// The phone has told a key in another way than by sound: what such a key stops, stops.
    Keyed {
        /// The leg.
        leg: LegId,
    },
    /// From now on what passes between the leg and those whom it is joined with is copied for the recorder.
    Tap {
        /// The caller's leg.
        leg: LegId,
        /// Under which name; none: no longer.
        tap: Option<TapId>,
    },
    /// Stops what plays; nothing when nothing does.
    Stop {
        /// The leg.
        leg: LegId,
    },
    /// Frees the port. Unknown legs are ignored.
    Close {
        /// The leg.
        leg: LegId,
    },
}

/// What a media thread noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The port is bound and waits for its leg.
    Reserved {
        /// Which.
        port: u16,
    },
    /// The port could not be bound: another program has it.
    NotReserved {
        /// Which.
        port: u16,
    },
    /// The port could not be bound, or was lost by a fault of ours; the leg does not exist.
    OpenFailed {
        /// The leg.
        leg: LegId,
        /// The port that failed.
        port: u16,
    },
    /// A play came to its end (never sent for a looped one, nor after `Stop` or a replacing `Play`).
    PlayDone {
        /// The leg.
        leg: LegId,
        /// Which.
        play: PlayId,
    },
    /// A key was pressed: one notice a press, however many packets told it.
    Digit {
        /// The leg.
        leg: LegId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// The peer, whose leg is tapped and joined with nobody, was heard to speak for so long since the last word
    /// on it; at most five a second.
    Spoke {
        /// The leg.
        leg: LegId,
        /// Milliseconds of voice.
        ms: u32,
    },
    /// No packet came from the peer for the configured time although it should send. Sent once a gap.
    Silent {
        /// The leg.
        leg: LegId,
    },
    /// Packets come again after `Silent`.
    Heard {
        /// The leg.
        leg: LegId,
    },
    /// Something is plainly wrong with the sound of the leg, or is no more. Of legs that are not yet
    /// answered, too: whether it means anything, the engine knows.
    Fault {
        /// The leg.
        leg: LegId,
        /// What.
        fault: Fault,
        /// From here on; else it has ended.
        on: bool,
    },
    /// How the leg's sound has been so far: when it is of another grade than it was (every 30 s at most), and
    /// when the leg is closed, after anything was sent or heard.
    Quality {
        /// The leg.
        leg: LegId,
        /// In figures.
        quality: Box<Quality>,
        /// The leg is closed.
        last: bool,
    },
}
