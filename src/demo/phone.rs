//! One SIP user of the demonstration: a socket of its own, our SIP room as its voice, and a diary of
//! deeds to be done. What it does and when is its temperament's business.

use super::sound::Sound;
use crate::base::{LegId, Mono, Now, Number, Private, Rng, Wall};
use crate::sdp::{self, Codec, Direction, Local, Sealing};
use crate::sip::api::{
    Directory, Effect, Flow, LegEvent, Listener, Settings, Shown, Transport, Trunk, Why,
};
use crate::sip::trunk::Profile;
use crate::sip::{Endpoint, Message, Method};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::UdpSocket;

/// Something to be done at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Places the next call of the temperament's.
    Place,
    /// Answers the ringing call.
    Answer,
    /// Refuses the ringing call.
    Refuse(u16),
    /// Hangs up, in whatever state.
    HangUp,
    /// Presses a key.
    Press(char),
    /// Registers again.
    Register,
}

/// What a phone's temperament is told.
pub enum Happened<'e> {
    /// Something on a leg.
    Leg(LegId, &'e LegEvent),
    /// It is time to place a call.
    Due,
}

/// Decides what a phone does.
pub trait Temperament: Send {
    /// Takes what happened; answers with deeds and when, counted from now, and calls to place.
    fn on(&mut self, happened: &Happened<'_>, rng: &mut Rng, todo: &mut Plan);
}

/// What a temperament wants.
#[derive(Debug, Default)]
pub struct Plan {
    /// Deeds for a leg.
    pub deeds: Vec<(Duration, LegId, Deed)>,
    /// Calls to place now.
    pub calls: Vec<NewCall>,
}

/// A call to be placed.
#[derive(Debug)]
pub struct NewCall {
    /// Even, never used before on this phone.
    pub leg: LegId,
    /// What is dialled.
    pub number: Number,
    /// Who calls.
    pub shown: Shown,
    /// Offers nothing that the desk can speak, as a misconfigured gateway does.
    pub mute: bool,
}

struct Call {
    sound: Option<Sound>,
    incoming: Option<Bytes>,
}

/// One phone.
pub struct Phone {
    endpoint: Endpoint,
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    desk: SocketAddr,
    start: Instant,
    rng: Rng,
    calls: BTreeMap<LegId, Call>,
    diary: BTreeMap<(Mono, u64), (LegId, Deed)>,
    written: u64,
    effects: Vec<Effect>,
    account: Option<super::register::Registration>,
    pitch_hz: f32,
}

/// The leg of deeds that belong to no call.
pub const NO_LEG: LegId = LegId(0);

impl Phone {
    /// A phone on its own socket. `numbers` are what it may dial, all at the desk.
    pub fn new(
        socket: UdpSocket,
        desk: SocketAddr,
        numbers: &[Number],
        account: Option<(String, Private<String>)>,
        mut rng: Rng,
    ) -> std::io::Result<Self> {
        let local = socket.local_addr()?;
        let settings = Settings {
            listeners: vec![Listener { transport: Transport::Udp, advertised: local }],
            hosts: Vec::new(),
            realm: "demonstration".to_owned(),
            product: "Madoguchi demonstration phone".to_owned(),
            min_expires_s: 60,
            max_expires_s: 3600,
            max_contacts: 1,
            digest: crate::sip::digest::Offer::Both,
            session: crate::sip::api::SessionPolicy::default(),
            max_transactions: 1000,
        };
        let directory = Directory {
            accounts: BTreeMap::new(),
            trunks: vec![Trunk {
                id: "desk".into(),
                sources: vec![desk],
                transport: Some(Transport::Udp),
                profile: Profile::default(),
                upstream: None,
            }],
            fixed_phones: numbers
                .iter()
                .map(|number| (number.clone(), format!("sip:{number}@{desk}")))
                .collect(),
        };
        let endpoint = Endpoint::new(settings, directory, rng.fork());
        let pitch_hz = f32::from(u16::try_from(rng.below(200)).unwrap_or(0)) + 220.0;
        let account = account.map(|(user, password)| {
            super::register::Registration::new(user, password, local, desk, rng.fork())
        });
        Ok(Self {
            endpoint,
            socket: Arc::new(socket),
            local,
            desk,
            start: Instant::now(),
            rng,
            calls: BTreeMap::new(),
            diary: BTreeMap::new(),
            written: 0,
            effects: Vec::new(),
            account,
            pitch_hz,
        })
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            mono: Mono(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)),
            wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
        }
    }

    /// Writes a deed into the diary.
    pub fn note(&mut self, after: Duration, leg: LegId, deed: Deed) {
        self.written = self.written.wrapping_add(1);
        self.diary.insert((self.now().mono + after, self.written), (leg, deed));
    }

    /// Lives for ever.
    pub async fn live(mut self, mut temperament: Box<dyn Temperament>) {
        let mut buffer = vec![0_u8; 65_535];
        let socket = Arc::clone(&self.socket);
        loop {
            let wait = self.until_next();
            tokio::select! {
                received = socket.recv_from(&mut buffer) => {
                    if let Ok((length, remote)) = received
                        && let Some(bytes) = buffer.get(..length)
                    {
                        self.receive(Bytes::copy_from_slice(bytes), remote).await;
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
            let now = self.now();
            self.endpoint.tick(now, &mut self.effects);
            self.do_what_is_due(&mut temperament).await;
            self.carry_out(&mut temperament).await;
        }
    }

    fn until_next(&self) -> Duration {
        let diary = self.diary.keys().next().map(|(at, _)| *at);
        let next = [diary, self.endpoint.next_deadline()].into_iter().flatten().min();
        let now = self.now().mono;
        next.map_or(Duration::from_secs(1), |at| at.since(now)).min(Duration::from_secs(1))
    }

    async fn receive(&mut self, bytes: Bytes, remote: SocketAddr) {
        if let Some(account) = &mut self.account
            && let Ok(Message::Response(response)) = crate::sip::parse(&bytes)
            && response.head.cseq.method == Method::Register
        {
            if let Some(again) = account.answered(&response) {
                let _ = self.socket.send_to(&again, self.desk).await; // repeated at the next refresh
            }
            return;
        }
        let flow = Flow { transport: Transport::Udp, listener: 0, remote, connection: 0 };
        let now = self.now();
        self.endpoint.receive(flow, bytes, false, now, &mut self.effects);
    }

    async fn do_what_is_due(&mut self, temperament: &mut Box<dyn Temperament>) {
        while let Some((&(at, n), &(leg, deed))) = self.diary.first_key_value() {
            let now = self.now();
            if at > now.mono {
                break;
            }
            self.diary.remove(&(at, n));
            match deed {
                Deed::Place => {
                    let mut plan = Plan::default();
                    temperament.on(&Happened::Due, &mut self.rng, &mut plan);
                    self.follow(plan).await;
                }
                Deed::Register => {
                    if let Some(account) = &mut self.account {
                        let request = account.request();
                        let again = account.again_after();
                        let _ = self.socket.send_to(&request, self.desk).await;
                        self.note(again, NO_LEG, Deed::Register);
                    }
                }
                Deed::Answer => self.answer(leg).await,
                Deed::Refuse(status) => {
                    if self.calls.remove(&leg).is_some() {
                        self.endpoint.refuse(leg, status, now, &mut self.effects);
                    }
                }
                Deed::HangUp => {
                    if self.calls.remove(&leg).is_some() {
                        self.endpoint.hang_up(leg, Why::Normal, now, &mut self.effects);
                    }
                }
                Deed::Press(key) => {
                    if let Some(sound) = self.calls.get(&leg).and_then(|call| call.sound.as_ref()) {
                        sound.press(key);
                    }
                }
            }
        }
    }

    fn description(&self, leg: LegId, port: u16, direction: Direction) -> Local {
        Local {
            ip: self.local.ip(),
            port,
            session_id: leg.0,
            version: 1,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            direction,
            ptime_ms: 20,
            sealing: Sealing::Off,
            keys: None,
            fingerprint: None,
            mux: false,
            before: None,
        }
    }

    async fn follow(&mut self, plan: Plan) {
        for (after, leg, deed) in plan.deeds {
            self.note(after, leg, deed);
        }
        for NewCall { leg, number, shown, mute } in plan.calls {
            let Some(sound) = self.sound().await else { continue };
            let mut offer = self.description(leg, sound.port, Direction::SendRecv).offer();
            if mute {
                let text = String::from_utf8_lossy(&offer).replace("RTP/AVP 0 8 101", "RTP/AVP 18");
                offer = text.into_bytes();
            }
            self.calls.insert(leg, Call { sound: Some(sound), incoming: None });
            let now = self.now();
            let offer = Some(Bytes::from(offer));
            if self.endpoint.dial(leg, &number, &shown, offer, now, &mut self.effects).is_err() {
                self.calls.remove(&leg);
            }
        }
    }

    async fn sound(&mut self) -> Option<Sound> {
        let seed = u32::try_from(self.rng.below(1 << 31)).unwrap_or(1);
        Sound::open(self.local.ip(), self.pitch_hz, seed).await.ok()
    }

    async fn answer(&mut self, leg: LegId) {
        let Some(offer) = self.calls.get(&leg).and_then(|call| call.incoming.clone()) else {
            return;
        };
        let Some(sound) = self.sound().await else { return };
        let local = self.description(leg, sound.port, Direction::SendRecv);
        let now = self.now();
        match sdp::parse(&offer).and_then(|offer| local.answer(&offer)) {
            Ok((answer, agreed)) => {
                sound.talk(agreed);
                if let Some(call) = self.calls.get_mut(&leg) {
                    call.sound = Some(sound);
                }
                self.endpoint.accept(leg, Bytes::from(answer), now, &mut self.effects);
            }
            Err(_) => self.endpoint.refuse(leg, 488, now, &mut self.effects),
        }
    }

    async fn carry_out(&mut self, temperament: &mut Box<dyn Temperament>) {
        while !self.effects.is_empty() {
            for effect in std::mem::take(&mut self.effects) {
                match effect {
                    Effect::Send { flow, bytes, .. } => {
                        let _ = self.socket.send_to(&bytes, flow.remote).await; // SIP repeats
                    }
                    Effect::Leg { leg, event } => self.leg(leg, &event, temperament).await,
                    Effect::Binding(_)
                    | Effect::Subscription(_)
                    | Effect::Watched(_)
                    | Effect::LookUp(_) => {}
                }
            }
        }
    }

    async fn leg(&mut self, leg: LegId, event: &LegEvent, temperament: &mut Box<dyn Temperament>) {
        let now = self.now();
        match event {
            LegEvent::Incoming(incoming) => {
                self.calls.insert(leg, Call { sound: None, incoming: incoming.sdp.clone() });
                self.endpoint.ring(leg, None, now, &mut self.effects);
            }
            LegEvent::Progress { sdp: Some(sdp), .. } | LegEvent::Answered { sdp: Some(sdp) } => {
                if let Some(sound) = self.calls.get(&leg).and_then(|call| call.sound.as_ref())
                    && let Ok(agreed) = sdp::parse(sdp).and_then(|answer| {
                        self.description(leg, sound.port, Direction::SendRecv).agreed(&answer)
                    })
                {
                    sound.talk(agreed);
                }
            }
            LegEvent::Offer { sdp } => {
                let port =
                    self.calls.get(&leg).and_then(|call| call.sound.as_ref()).map(|s| s.port);
                let answer = match (sdp, port) {
                    (Some(offer), Some(port)) => sdp::parse(offer)
                        .and_then(|offer| {
                            self.description(leg, port, Direction::SendRecv).answer(&offer)
                        })
                        .map_or(Err(488), |(answer, _)| Ok(Bytes::from(answer))),
                    _ => Err(488),
                };
                self.endpoint.answer_offer(leg, answer, now, &mut self.effects);
            }
            LegEvent::ReferNews { .. } => {}
            LegEvent::Refer(_) => self.endpoint.answer_refer(leg, 603, now, &mut self.effects),
            LegEvent::Refused { .. } | LegEvent::Over(_) => {
                self.calls.remove(&leg);
            }
            LegEvent::Progress { .. }
            | LegEvent::Answered { .. }
            | LegEvent::Confirmed { .. }
            | LegEvent::OfferAnswered { .. }
            | LegEvent::Reason(_)
            | LegEvent::Digit(_) => {}
        }
        let mut plan = Plan::default();
        temperament.on(&Happened::Leg(leg, event), &mut self.rng, &mut plan);
        self.follow(plan).await;
    }
}
