//! One handshake, from the first datagram to the keys.

use super::gate::Gate;
use super::{Fingerprint, Identity};
use crate::base::Mono;
use crate::srtp::{Keys, MasterKey, Suite};
use bytes::BytesMut;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A handshake that is not done by then has failed.
pub const MOST_TIME: Duration = Duration::from_secs(10);
/// After so long without an answer the crate says a flight again (RFC 6347 §4.2.4.1). It does so seven times
/// and then gives up, which is after [`MOST_TIME`].
const REPEAT: Duration = Duration::from_millis(1300);
/// The crate forgets to repeat a flight when what it gets is not the answer to it, such as the `ClientHello`
/// once more because our flight was lost. Then we say the same datagrams again, so long after the last time.
const REPEAT_FORGOTTEN: Duration = Duration::from_secs(1);
/// Largest datagram that we send.
const MTU_BYTES: usize = 1200;
/// RFC 5764 §4.2.
const EXPORTER: &str = "EXTRACTOR-dtls_srtp";
/// What the exchange hands to the crate as the peer's address; it multiplexes by it, and we have one peer.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// Which side we are (RFC 5763 §5). The passive one is better for us: the peer may then show any kind of
/// certificate, and what reaches us first is its proof of being there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `a=setup:passive`: we wait for the peer's `ClientHello`.
    Server,
    /// `a=setup:active`: we begin.
    Client,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A datagram for the peer.
    Send(Vec<u8>),
    /// The handshake is done and the peer is who the SDP says. Once.
    Keys(Box<Keys>),
    /// It came to nothing; nothing may be heard. Once, and nothing follows.
    Failed(Failure),
    /// The peer has ended the association: what comes under its keys after that is not its own any more.
    Closed,
}

/// Why a handshake came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The peer's certificate is not the one of the SDP (RFC 8122 §6.2): somebody stands between, or the
    /// description is another's.
    #[error("the peer's certificate does not fit the fingerprint in its SDP")]
    Fingerprint,
    /// [`MOST_TIME`] has passed.
    #[error("the DTLS handshake took longer than 10 s")]
    Late,
    /// The peer shares none of our suites for SRTP, or says nothing of SRTP.
    #[error("no SRTP suite in common by DTLS")]
    NoSuite,
    /// The peer refused, by an alert, or broke the protocol.
    #[error("the DTLS handshake was refused, or broken by the peer")]
    Refused,
}

/// A handshake under way, done, or failed.
pub struct Handshake {
    endpoint: Endpoint,
    role: Role,
    origin: Instant,
    gate: Gate,
    state: State,
    /// What was sent last, and when.
    flight: Vec<Vec<u8>>,
    sent: Mono,
    /// Set when the certificate was looked at: whether it fits.
    fits: Arc<OnceLock<bool>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Shaking {
        until: Mono,
    },
    /// The last flight is still said again when the peer missed it.
    Done,
    Over,
}

impl Handshake {
    /// Begins. `expected` are the fingerprints of the peer's SDP, one of which must fit; `suites` is what we
    /// take for SRTP; the client's order counts, so as [`Role::Client`] the best come first. (AES-256 in counter
    /// mode has no number in DTLS and is passed over.) As
    /// [`Role::Client`] the first datagram is in `out` when it returns.
    #[must_use]
    pub fn begin(
        identity: &Identity,
        role: Role,
        expected: Vec<Fingerprint>,
        suites: &[Suite],
        now: Mono,
        out: &mut Vec<Output>,
    ) -> Self {
        let fits = Arc::new(OnceLock::new());
        let config = config(identity, role, expected, suites, Arc::clone(&fits));
        let server = config.as_ref().ok().filter(|_| role == Role::Server).cloned();
        let endpoint = Endpoint::new(PEER, TransportProtocol::UDP, server);
        let state = State::Shaking { until: after(now, MOST_TIME) };
        let (origin, gate) = (identity.origin, Gate::default());
        let flight = Vec::new();
        let mut begun = Self { endpoint, role, origin, gate, state, flight, sent: now, fits };
        match (role, config) {
            (_, Err(_)) => begun.fail(Failure::NoSuite, out),
            (Role::Server, Ok(_)) => {}
            (Role::Client, Ok(config)) => {
                let at = begun.instant(now);
                begun.drive(now, out, |endpoint| {
                    endpoint.connect(at, PEER, config, None).map(|()| Vec::new())
                });
            }
        }
        begun
    }

    /// A datagram of the peer's, of which [`super::is_dtls`] said that it is DTLS.
    pub fn datagram(&mut self, datagram: &[u8], now: Mono, out: &mut Vec<Output>) {
        if self.state == State::Over || self.is_late(now, out) || !self.gate.lets(datagram) {
            return;
        }
        let (at, bytes) = (self.instant(now), BytesMut::from(datagram));
        self.drive(now, out, |endpoint| endpoint.read(at, PEER, None, bytes));
    }

    /// The time has come that [`Self::deadline`] named; earlier does no harm.
    pub fn tick(&mut self, now: Mono, out: &mut Vec<Output>) {
        if self.state == State::Over || self.is_late(now, out) {
            return;
        }
        let at = self.instant(now);
        if self.endpoint.poll_timeout(&PEER).is_some_and(|due| due <= at) {
            self.drive(now, out, |endpoint| endpoint.handle_timeout(PEER, at).map(|()| Vec::new()));
        } else if self.forgotten().is_some_and(|due| due <= now) {
            out.extend(self.flight.iter().cloned().map(Output::Send));
            self.sent = now;
        }
    }

    /// When [`Self::tick`] is due next.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        let State::Shaking { until } = self.state else { return None };
        let again = self
            .endpoint
            .poll_timeout(&PEER)
            .map(|due| after(Mono::ZERO, due.saturating_duration_since(self.origin)));
        Some(again.or(self.forgotten()).map_or(until, |again| again.min(until)))
    }

    /// When the last flight is due again by our own count.
    fn forgotten(&self) -> Option<Mono> {
        let forgets = matches!(self.state, State::Shaking { .. })
            && !self.flight.is_empty()
            && self.endpoint.poll_timeout(&PEER).is_none();
        forgets.then(|| after(self.sent, REPEAT_FORGOTTEN))
    }

    /// Says goodbye (RFC 5764 §4: the keys must not be used after that).
    pub fn close(&mut self, now: Mono, out: &mut Vec<Output>) {
        if self.state == State::Done {
            let at = self.instant(now);
            let _ = catch_unwind(AssertUnwindSafe(|| self.endpoint.stop(at, PEER)));
            self.send(now, out);
        }
        self.state = State::Over;
    }

    fn instant(&self, now: Mono) -> Instant {
        let since = now.since(Mono::ZERO);
        self.origin.checked_add(since).unwrap_or(self.origin)
    }

    fn is_late(&mut self, now: Mono, out: &mut Vec<Output>) -> bool {
        let late = matches!(self.state, State::Shaking { until } if now >= until);
        if late {
            self.fail(Failure::Late, out);
        }
        late
    }

    fn drive(
        &mut self,
        now: Mono,
        out: &mut Vec<Output>,
        step: impl FnOnce(&mut Endpoint) -> Result<Vec<EndpointEvent>, Error>,
    ) {
        // A fault in the crate ends this handshake and no other.
        let endpoint = &mut self.endpoint;
        let stepped = catch_unwind(AssertUnwindSafe(|| step(endpoint)));
        self.send(now, out);
        let events = match stepped {
            Ok(Ok(events)) => events,
            // Done is done: what is broken or stale after that changes nothing (RFC 6347 §4.1.2.7).
            Ok(Err(_)) if self.state == State::Done => return,
            Ok(Err(error)) => return self.fail(self.failure(&error), out),
            Err(_) => return self.fail(Failure::Refused, out),
        };
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => self.done(out),
                EndpointEvent::PeerClosed if self.state == State::Done => {
                    self.state = State::Over;
                    out.push(Output::Closed);
                }
                EndpointEvent::PeerClosed => self.fail(Failure::Refused, out),
                // Nothing is said by DTLS itself.
                _ => {}
            }
        }
    }

    fn send(&mut self, now: Mono, out: &mut Vec<Output>) {
        let endpoint = &mut self.endpoint;
        let sent: Vec<Vec<u8>> =
            std::iter::from_fn(|| Some(endpoint.poll_transmit()?.message.to_vec())).collect();
        if !sent.is_empty() {
            out.extend(sent.iter().cloned().map(Output::Send));
            (self.flight, self.sent) = (sent, now);
        }
    }

    fn failure(&self, error: &Error) -> Failure {
        match error {
            _ if self.fits.get() == Some(&false) => Failure::Fingerprint,
            Error::ErrServerNoMatchingSrtpProfile
            | Error::ErrClientNoMatchingSrtpProfile
            | Error::ErrServerRequiredButNoClientEms => Failure::NoSuite,
            _ => Failure::Refused,
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Output>) {
        if self.state != State::Over {
            self.state = State::Over;
            out.push(Output::Failed(failure));
        }
    }

    fn done(&mut self, out: &mut Vec<Output>) {
        if !matches!(self.state, State::Shaking { .. }) {
            return;
        }
        // The handshake ends only with a certificate that fits; this is the second lock on the door.
        if self.fits.get() != Some(&true) {
            return self.fail(Failure::Fingerprint, out);
        }
        match self.keys() {
            Some(keys) => {
                self.state = State::Done;
                out.push(Output::Keys(Box::new(keys)));
            }
            None => self.fail(Failure::NoSuite, out),
        }
    }

    fn keys(&self) -> Option<Keys> {
        let state = self.endpoint.get_connection_state(PEER)?;
        let suite = suite(state.srtp_protection_profile())?;
        let (key, salt) = (suite.key_bytes(), suite.salt_bytes());
        let length = key.checked_add(salt)?.checked_mul(2)?;
        let exported = state.export_keying_material(EXPORTER, &[], length).ok()?;
        let exported = Zeroizing::new(exported.as_ref().to_vec());
        // Client's key, server's key, client's salt, server's salt (RFC 5764 §4.2).
        let (keys, salts) = exported.split_at_checked(key.checked_mul(2)?)?;
        let ((client, server), (client_salt, server_salt)) =
            (keys.split_at_checked(key)?, salts.split_at_checked(salt)?);
        let client = MasterKey::new(suite, client, client_salt)?;
        let server = MasterKey::new(suite, server, server_salt)?;
        Some(match self.role {
            Role::Server => Keys { ours: server, theirs: client },
            Role::Client => Keys { ours: client, theirs: server },
        })
    }
}

fn after(at: Mono, span: Duration) -> Mono {
    std::ops::Add::add(at, span) // it saturates
}

/// RFC 5764 §4.1.2, RFC 7714 §14.2.
const PROFILES: [(SrtpProtectionProfile, Suite); 4] = [
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, Suite::Aes128Gcm),
    (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, Suite::Aes256Gcm),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, Suite::Aes128Cm80),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32, Suite::Aes128Cm32),
];

fn suite(profile: SrtpProtectionProfile) -> Option<Suite> {
    PROFILES.into_iter().find(|(known, _)| *known == profile).map(|(_, suite)| suite)
}

fn profile(suite: Suite) -> Option<SrtpProtectionProfile> {
    PROFILES.into_iter().find(|(_, known)| *known == suite).map(|(profile, _)| profile)
}

fn config(
    identity: &Identity,
    role: Role,
    expected: Vec<Fingerprint>,
    suites: &[Suite],
    fits: Arc<OnceLock<bool>>,
) -> Result<Arc<HandshakeConfig>, Error> {
    let profiles: Vec<_> = suites.iter().copied().filter_map(profile).collect();
    if profiles.is_empty() {
        return Err(Error::ErrServerNoMatchingSrtpProfile);
    }
    let client = role == Role::Client;
    // Forward secrecy and authenticated encryption, no CBC. The RSA ones are for servers whose certificate
    // is of RSA; ours is not.
    let mut ciphers = vec![
        CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
        CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    ];
    if client {
        ciphers.push(CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256);
        ciphers.push(CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256);
    }
    let config = ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(&identity.provider))
        .with_certificates(vec![identity.certificate.clone()])
        .with_cipher_suites(ciphers)
        .with_srtp_protection_profiles(profiles)
        // The peer shows a certificate and proves that it has the key; no authority is asked: the SDP says
        // whose it is (RFC 5763 §5, RFC 8122 §6.2).
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_insecure_skip_verify(true)
        .with_verify_peer_certificate(Some(Arc::new(move |certificates, _| {
            let leaf = certificates.first();
            let fit = leaf.is_some_and(|leaf| expected.iter().any(|one| one.fits(leaf)));
            // Once wrong is wrong for good.
            let before = *fits.get_or_init(|| fit);
            if fit && before { Ok(()) } else { Err(Error::ErrInvalidCertificate) }
        })))
        .with_extended_master_secret(ExtendedMasterSecretType::Request)
        .with_flight_interval(REPEAT)
        .with_mtu(MTU_BYTES)
        .build(client, Some(PEER))?;
    Ok(Arc::new(config))
}
