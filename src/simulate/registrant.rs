//! A phone's registration, from the phone's side: REGISTER, the answer to the challenge, the renewal in
//! time (RFC 3261 §10.2), and the same credentials on the INVITEs that the phone sends.

use super::host::password;
use crate::base::{Mono, Number, Rng};
use crate::sip::api::Transport;
use crate::sip::digest::Challenge;
use crate::sip::{AnyUri, HeaderName, Message, Method, NameAddr, Uri, Via, Writer, parse};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// The lease asked for, seconds.
const LEASE_S: u32 = 90;
/// Renewed so long after it was granted.
const RENEW_AFTER: Duration = Duration::from_secs(45);
/// First wait for an answer; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// A request is given up after this (Timer F), and a new one begun.
const PATIENCE: Duration = Duration::from_secs(32);

#[derive(Clone, Debug)]
enum State {
    /// To be sent at this time.
    Due(Mono),
    /// Sent, unanswered.
    Asked { bytes: Bytes, since: Mono, again: Mono, wait: Duration },
    /// No more.
    Stopped,
}

/// One phone's registration.
#[derive(Clone, Debug)]
pub struct Registrant {
    at: SocketAddr,
    transport: Transport,
    desk: SocketAddr,
    extension: Number,
    state: State,
    challenge: Option<Challenge>,
    count: u32,
    cseq: u32,
    boot: u32,
    /// Challenged again at once: the password would be wrong.
    tries: u32,
}

impl Registrant {
    /// A phone at `at` that registers `extension` with the desk as soon as it is switched on.
    #[must_use]
    pub fn new(at: SocketAddr, transport: Transport, desk: SocketAddr, extension: &Number) -> Self {
        Self {
            at,
            transport,
            desk,
            extension: extension.clone(),
            state: State::Due(Mono::ZERO),
            challenge: None,
            count: 0,
            cseq: 0,
            boot: 0,
            tries: 0,
        }
    }

    /// The phone forgot everything.
    pub fn switch_on(&mut self, now: Mono) {
        self.state = State::Due(now);
        self.challenge = None;
        self.count = 0;
        self.cseq = 0;
        self.boot += 1;
        self.tries = 0;
    }

    /// The stream to the desk broke: a phone makes a new one and registers by it.
    pub fn disconnected(&mut self, now: Mono) {
        if !matches!(self.state, State::Stopped) {
            self.state = State::Due(now + Duration::from_secs(1));
        }
    }

    /// Lets the lease run out.
    pub fn stop(&mut self) {
        self.state = State::Stopped;
    }

    /// When [`Self::work`] is due.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Mono> {
        match &self.state {
            State::Due(at) => Some(*at),
            State::Asked { again, .. } => Some(*again),
            State::Stopped => None,
        }
    }

    /// Sends what is due.
    pub fn work(&mut self, now: Mono, rng: &mut Rng) -> Vec<Bytes> {
        match &mut self.state {
            State::Due(at) if *at <= now => {
                let bytes = self.register(rng);
                let again = now + FIRST_WAIT;
                self.state =
                    State::Asked { bytes: bytes.clone(), since: now, again, wait: FIRST_WAIT };
                vec![bytes]
            }
            State::Asked { since, again, .. } if *again <= now && now.since(*since) >= PATIENCE => {
                self.state = State::Due(now + Duration::from_secs(1));
                Vec::new()
            }
            State::Asked { bytes, again, wait, .. } if *again <= now => {
                *wait = (*wait * 2).min(Duration::from_secs(4)); // T2, RFC 3261 §17.1.2.2
                *again = now + *wait;
                vec![bytes.clone()]
            }
            State::Due(_) | State::Asked { .. } | State::Stopped => Vec::new(),
        }
    }

    fn credentials(&mut self, method: &Method, uri: &str) -> Option<String> {
        let challenge = self.challenge.as_ref()?;
        self.count += 1;
        let user = self.extension.as_str();
        let cnonce = format!("{:08x}", self.count);
        Some(challenge.answer(user, &password(user), method, uri, &cnonce, self.count))
    }

    fn register(&mut self, rng: &mut Rng) -> Bytes {
        self.cseq += 1;
        let registrar = format!("sip:{}", self.desk);
        let who = format!("sip:{}@{}", self.extension, self.desk);
        let Ok(AnyUri::Known(uri)) = AnyUri::parse(&who) else { return Bytes::new() };
        let address = NameAddr::new(AnyUri::Known(uri));
        let credentials = self.credentials(&Method::Register, &registrar);
        let mut writer = Writer::request(&Method::Register, &registrar);
        let contact = Uri::at(Some(self.extension.as_str()), self.at);
        let contact = if self.transport.is_stream() {
            contact.with_param("transport", Some(self.transport.as_str()))
        } else {
            contact
        };
        let branch = format!("z9hG4bK{}", rng.token());
        writer
            .via(&Via::new(self.transport, self.at, &branch, true))
            .header(&HeaderName::MaxForwards, 70)
            .from(&address.clone().with_tag(&rng.token()))
            .to(&address)
            .call_id(&format!("reg-{}-{}@{}", self.extension, self.boot, self.at.ip()))
            .cseq(self.cseq, &Method::Register)
            .contact(contact)
            .header(&HeaderName::Expires, LEASE_S);
        if let Some(credentials) = credentials {
            writer.header(&HeaderName::Authorization, credentials);
        }
        writer.finish()
    }

    /// Takes an answer to a REGISTER; false when the message is not one.
    pub fn receive(&mut self, bytes: &Bytes, now: Mono) -> bool {
        let Ok(Message::Response(response)) = parse(bytes) else { return false };
        if response.head.cseq.method != Method::Register {
            return false;
        }
        if response.head.cseq.number != self.cseq || !matches!(self.state, State::Asked { .. }) {
            return true; // an older one's
        }
        match response.status {
            ..=199 => {}
            200..=299 => {
                self.tries = 0;
                self.state = State::Due(now + RENEW_AFTER);
            }
            401 if self.tries < 3 => {
                self.tries += 1;
                let values = response.head.headers.all(&HeaderName::WwwAuthenticate);
                self.challenge = Challenge::pick(values);
                self.count = 0;
                self.state = State::Due(now);
            }
            _ => {
                self.tries = 0;
                self.state = State::Due(now + Duration::from_secs(5));
            }
        }
        true
    }

    /// Adds the credentials to an INVITE that opens a dialog with the desk.
    pub fn sign(&mut self, bytes: Bytes) -> Bytes {
        if !bytes.starts_with(b"INVITE ") || self.challenge.is_none() {
            return bytes;
        }
        let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else { return bytes };
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let Some(uri) = line.split(' ').nth(1) else { return bytes };
        let Some(credentials) = self.credentials(&Method::Invite, uri) else { return bytes };
        let mut signed = Vec::with_capacity(bytes.len() + credentials.len() + 20);
        signed.extend_from_slice(&bytes[..end + 2]);
        signed.extend_from_slice(b"Authorization: ");
        signed.extend_from_slice(credentials.as_bytes());
        signed.extend_from_slice(&bytes[end..]);
        Bytes::from(signed)
    }
}
