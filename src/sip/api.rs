//! The face of the SIP room: what the engine asks of it and what it tells the engine. Everything
//! else in `sip` is behind this; the engine never sees a header, a transaction or a dialog.

use super::digest::Ha1;
use super::trunk::{Profile, Server, Upstream};
use crate::base::{KeysBy, LegId, Network, Number, Private, Reason, TrunkId, Wall};
use crate::sdp::Sealing;
use bytes::Bytes;
use std::net::SocketAddr;

pub use super::subscription::{
    Circles, DialogName, KeptDialog, KeptSubscription, Lamp, LampCall, LampStage,
    SubscriptionChange,
};

/// By what a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream inside TLS (RFC 3261 §26.2.1).
    Tls,
    /// Messages of a WebSocket (RFC 7118); its connections are only ever made by the peer.
    Ws,
    /// The same inside TLS.
    Wss,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// Whether it is carried by connections: nothing is lost or repeated while one stands, and a lost
    /// one is told. All but UDP.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether nobody on the way can read or change it.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Whether the peer is a WebSocket client, to which no connection can be made (RFC 7118 §5.2).
    #[must_use]
    pub const fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// In small letters, as the configuration, the store and the metrics have it, and a URI's
    /// `transport` parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// As a Via has it (RFC 3261 §20.42, RFC 7118 §5.1).
    #[must_use]
    pub const fn in_via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The port of a URI that names none (RFC 3261 §19.1.2, RFC 7118 §5.5).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// The one of that name, whatever its letters' case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(name))
    }
}

/// The way a message came, and so the way its answer goes back (RFC 3261 §18.2.2, RFC 3581, RFC 5923).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// By what.
    pub transport: Transport,
    /// Which of our listeners, as an index into [`Settings::listeners`].
    pub listener: u16,
    /// The peer.
    pub remote: SocketAddr,
    /// The connection, unique while the process lives; 0 for UDP, and for "a connection of your
    /// choice to `remote`, opened when there is none".
    pub connection: u64,
}

/// One address that we listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// By what.
    pub transport: Transport,
    /// As written into Via and Contact; never `0.0.0.0`.
    pub advertised: SocketAddr,
}

/// What the endpoint must know once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our listeners; a [`Flow`] points into this list.
    pub listeners: Vec<Listener>,
    /// Host names and addresses that mean us in a Request-URI, beside the listeners' own.
    pub hosts: Vec<String>,
    /// The digest realm.
    pub realm: String,
    /// Which digest algorithms a phone is challenged with.
    pub digest: super::digest::Offer,
    /// Server and User-Agent header.
    pub product: String,
    /// Shortest lease of a registration, seconds.
    pub min_expires_s: u32,
    /// Longest lease of a registration, seconds.
    pub max_expires_s: u32,
    /// Contacts an account may have at once; one more takes the place of the oldest.
    pub max_contacts: usize,
    /// What is asked and offered in calls.
    pub session: SessionPolicy,
    /// Most server and client transactions held at once; a request beyond it is answered 503 without state.
    pub max_transactions: usize,
}

/// What is asked and offered in calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Whose provisional responses are made reliable.
    pub reliable: Reliable,
    /// The session interval that we ask for (RFC 4028), seconds; none asks for none, and keeps to what
    /// a peer asks.
    pub expires_s: Option<u32>,
    /// The least interval that we bear, seconds.
    pub least_s: u32,
    /// Whether a phone of ours may send a call on to another of ours by 3xx. To outsiders none may.
    pub follows: bool,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self { reliable: Reliable::WhenRequired, expires_s: None, least_s: 90, follows: true }
    }
}

/// When a caller's 180 and 183 must be acknowledged by PRACK (RFC 3262).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliable {
    /// When it requires it.
    #[default]
    WhenRequired,
    /// Also when it only says that it can, and its INVITE carries an offer.
    WhenSupported,
}

/// Who may do what, looked up by the endpoint; replaced whole on reload.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Accounts by user name; the user name is also the extension.
    pub accounts: std::collections::BTreeMap<String, Account>,
    /// Trunks, recognised by source address and transport.
    pub trunks: Vec<Trunk>,
    /// Phones that never register, at fixed addresses.
    pub fixed_phones: std::collections::BTreeMap<Number, String>,
}

/// One account's secret.
#[derive(Clone, Debug)]
pub struct Account {
    /// What its phone proves that it knows.
    pub secret: AccountSecret,
    /// From where and how often it may register.
    pub policy: AccountPolicy,
}

/// What a phone proves that it knows, from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountSecret {
    /// The password itself; its hashes are computed once when the directory is set.
    Password(Private<String>),
    /// The hashes of name, realm and password for MD5 and SHA-256 (HA1, RFC 7616 §3.4.2), for this realm only. They open
    /// this desk like the password, and nothing else that has the same one.
    Hashed {
        /// The realm that they were made for.
        realm: String,
        /// The hashes.
        ha1: Ha1,
    },
}

impl AccountSecret {
    /// The hashes for a name and a realm.
    #[must_use]
    pub fn ha1(&self, user: &str, realm: &str) -> Ha1 {
        match self {
            Self::Password(password) => Ha1::new(user, realm, password.reveal()),
            Self::Hashed { ha1, .. } => ha1.clone(),
        }
    }
}

/// What an account may; the default is everything that the settings allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPolicy {
    /// Where it may send from; empty means anywhere.
    pub networks: Vec<Network>,
    /// By what it may come; empty means by any.
    pub transports: Vec<Transport>,
    /// Contacts at once, instead of [`Settings::max_contacts`].
    pub max_contacts: Option<usize>,
    /// What it is to be with encrypted sound.
    pub sealing: Sealing,
    /// By what it tells and is told keys.
    pub keys: KeysBy,
}

impl AccountPolicy {
    /// Whether it may come this way.
    #[must_use]
    pub fn allows(&self, flow: Flow) -> bool {
        let from = flow.remote.ip();
        (self.networks.is_empty() || self.networks.iter().any(|network| network.contains(from)))
            && (self.transports.is_empty() || self.transports.contains(&flow.transport))
    }
}

/// A peer that is believed by its address.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name.
    pub id: TrunkId,
    /// Source addresses; port 0 means any port.
    pub sources: Vec<SocketAddr>,
    /// By what it comes; none means any.
    pub transport: Option<Transport>,
    /// What it is like.
    pub profile: Profile,
    /// Where it is reached; none: it only calls us.
    pub upstream: Option<Upstream>,
}

/// What the endpoint wants done or known, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Put these bytes on the wire.
    Send {
        /// Which way.
        flow: Flow,
        /// One whole message.
        bytes: Bytes,
        /// Whether it may go before the journal is written. Only a 100 Trying, an ACK to a failure,
        /// an answer to OPTIONS and answers that create no state (400, 401, 405, 420, 481, 503 …) may.
        free: bool,
    },
    /// Something happened to a leg.
    Leg {
        /// Which.
        leg: LegId,
        /// What.
        event: LegEvent,
    },
    /// A registration came, was refreshed, or went; to be stored before the 200 goes out.
    Binding(BindingChange),
    /// A subscription came, was renewed, or went; to be stored before what follows goes out.
    Subscription(SubscriptionChange),
    /// A phone watches the lamp of this number from now on; tell what it shows by
    /// [`super::Endpoint::show`].
    Watched(Number),
    /// A server's name is to be looked up (RFC 3263 §4); the answer comes back by
    /// [`super::Endpoint::looked_up`].
    LookUp(Server),
}

/// What happens to a leg, as the engine sees it. After `Over` nothing more comes for that leg.
#[derive(Clone, Debug)]
pub enum LegEvent {
    /// A new INVITE from somebody we know; 100 Trying has been sent.
    Incoming(Box<Incoming>),
    /// A provisional answer above 100 to our INVITE, with SDP when it carried one. Answers of other
    /// forks come too; their SDP replaces the last.
    Progress {
        /// 180 to 199.
        status: u16,
        /// Early media.
        sdp: Option<Bytes>,
    },
    /// A 2xx to our INVITE; the ACK has been sent. A second fork's 2xx is acknowledged and ended
    /// inside and never seen here. With an offerless INVITE the peer's offer is here, and the ACK
    /// waits for [`super::Endpoint::answer_in_ack`].
    Answered {
        /// Answer, or offer to an offerless INVITE.
        sdp: Option<Bytes>,
    },
    /// Our INVITE came to nothing; the leg is over.
    Refused {
        /// 300 to 699; 408 when nobody answered the request, 503 when it could not be sent, 487
        /// after our own cancel.
        status: u16,
    },
    /// The caller's ACK to our 2xx came, with SDP when our 2xx carried the offer.
    Confirmed {
        /// The answer to a late offer.
        sdp: Option<Bytes>,
    },
    /// The peer makes an offer by re-INVITE or UPDATE, or, before our 2xx, by PRACK; answer with [`super::Endpoint::answer_offer`].
    Offer {
        /// None asks us to make the offer.
        sdp: Option<Bytes>,
    },
    /// The peer answered our re-INVITE, or refused it (`Err(status)`); 491 is retried inside. Or it
    /// answered, by PRACK, the offer that our ringing carried.
    OfferAnswered {
        /// SDP or status.
        result: Result<Option<Bytes>, u16>,
    },
    /// A key by SIP INFO (application/dtmf-relay or application/dtmf).
    Digit(char),
    /// The peer said why it ends the leg, by BYE or CANCEL; `Over` follows.
    Reason(Reason),
    /// The phone asks that the one it speaks with be connected with somebody else (REFER); answer with
    /// [`super::Endpoint::answer_refer`].
    Refer(Box<Refer>),
    /// How it goes that we asked the peer for (REFER): 1xx goes on, anything else is the end.
    ReferNews {
        /// 100 to 699.
        status: u16,
    },
    /// The leg is over; nothing more is owed.
    Over(LegEnd),
}

/// What a REFER asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refer {
    /// A number at our place: the user part of the Refer-To URI, unescaped.
    To(Private<String>),
    /// The far end of this leg of ours: the conversation with whom the phone consulted.
    With(LegId),
    /// Something to which no call can be sent; what that earns. The phone meant to be rid of its caller
    /// all the same.
    Nowhere {
        /// SIP status.
        status: u16,
    },
}

/// How an incoming or answered leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegEnd {
    /// The peer sent BYE.
    Bye,
    /// The caller sent CANCEL before our final answer; 487 has been sent.
    Cancelled,
    /// Our 2xx was never acknowledged (64·T1); we sent BYE. Or our reliable provisional response was
    /// not; we refused the INVITE.
    NoAck,
    /// The peer does not answer in the dialog any more, or answers 408/481.
    Lost,
    /// We ended it ourselves and it is now done.
    ByUs,
}

/// An INVITE that begins a leg, reduced to what the desk's rules may know.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Who brought it, proved by digest or by address.
    pub source: Source,
    /// The number that was called: the Request-URI's user part, unescaped; of a trunk's call, what the
    /// trunk's profile says, in its national form.
    pub dialled: String,
    /// User part of the From URI, unescaped (`anonymous` when withheld).
    pub from_user: Private<String>,
    /// Display name of From, valid UTF-8 (broken bytes replaced), at most 128 characters.
    pub from_name: Option<Private<String>>,
    /// User part of the first P-Asserted-Identity, if any and if the source is believed.
    pub asserted: Option<Private<String>>,
    /// The number that was dialled first, when the call was diverted to us.
    pub diverted_from: Option<Private<String>>,
    /// Privacy: id (or user, header) was asked for.
    pub privacy: bool,
    /// The offer; none means that we are to offer in the 2xx.
    pub sdp: Option<Bytes>,
    /// The INVITE carries no offer and ringing must (RFC 3262 §5): `ring` is to be given one.
    pub rings_with_offer: bool,
    /// The leg whose place it wants to take (RFC 3891): one of ours that stands, and the caller is one
    /// of our accounts. Whether it may is for the rules to say.
    pub replaces: Option<LegId>,
    /// We have more to do than we can: it is to be refused at once with 503. It comes here all the
    /// same, because a refused call is a call, and because a repetition must get the same answer
    /// (RFC 3261 §8.2.7).
    pub shed: bool,
}

/// Who brought an INVITE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A trunk.
    Trunk(TrunkId),
    /// One of our accounts, by digest or as a fixed phone's address.
    Account(Number),
}

/// What is shown to the phone that we dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// User part of our From; `anonymous` when withheld.
    pub user: Private<String>,
    /// Display name of our From.
    pub name: Option<Private<String>>,
}

/// A call to a number outside, as the rules decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// By which trunk.
    pub trunk: TrunkId,
    /// The number in its national form.
    pub number: Number,
    /// The number of ours that calls; none: the trunk's user.
    pub caller: Option<Number>,
    /// Whether the caller withholds that number (184) or insists on showing it (186).
    pub withhold: Option<bool>,
    /// An emergency number: it goes as it is.
    pub emergency: bool,
}

/// Why we end or cancel a leg, for the Reason header (RFC 3326).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The other side hung up or the call is simply over.
    Normal,
    /// Another phone answered: `SIP;cause=200;text="Call completed elsewhere"`, so that phones log
    /// no missed call.
    Elsewhere,
    /// A fault of ours.
    Fault,
    /// Nobody refreshed the session in time (RFC 4028 §10).
    Expired,
}

/// A registration as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Whose.
    pub account: Number,
    /// The Contact URI as registered.
    pub contact: String,
    /// The way it came.
    pub flow: Flow,
    /// Call-ID of the registration.
    pub call_id: String,
    /// Its last `CSeq`.
    pub cseq: u32,
    /// When it lapses, by the wall clock, because it outlives the process.
    pub expires_at: Wall,
    /// Which of a phone's ways it is, when the phone says so (RFC 5626 §4.2).
    pub outbound: Option<Outbound>,
    /// The proxies before it, as one Path or Route header says them, the nearest to us first (RFC 3327).
    pub path: Option<String>,
}

/// A phone and one of its ways to us (RFC 5626 §4.1, §4.2). When the phone registers by that way again,
/// from wherever, it is the same binding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outbound {
    /// `+sip.instance` without its quotes, such as `<urn:uuid:…>`.
    pub instance: String,
    /// `reg-id`, from 1 on.
    pub reg_id: u32,
}

/// A change of the location table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingChange {
    /// New or refreshed; keyed by account and contact.
    Put(Binding),
    /// Gone (removed, lapsed, replaced).
    Remove {
        /// Whose.
        account: Number,
        /// Which.
        contact: String,
    },
}
