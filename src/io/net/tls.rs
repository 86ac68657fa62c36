//! SIP inside TLS (RFC 3261 §26.2, RFC 5922): what we show of ourselves, whom we believe, and how both
//! are replaced while connections stand. Knows no file: what comes in has been read.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::net::TcpStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// How those are judged to whom we connect.
#[derive(Clone, Debug)]
pub enum Peers {
    /// By these authorities, and by their name or address (RFC 5922 §7).
    By(Vec<CertificateDer<'static>>),
    /// Not at all: what is said is kept from listeners, not from impostors.
    Unverified,
}

/// What TLS needs.
#[derive(Debug)]
pub struct TlsParts {
    /// Our certificate and what leads to its authority, our own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first.
    pub key: PrivateKeyDer<'static>,
    /// Who may have signed a certificate that a connecting peer shows. Without any, none is asked for.
    pub clients: Vec<CertificateDer<'static>>,
    /// Those to whom we connect.
    pub peers: Peers,
    /// Names by address: to whom we connect there must prove one of them, and who connects from there
    /// must show a certificate with one of them. An address that is not listed must prove itself when
    /// we connect, and nothing when it does.
    pub names: BTreeMap<IpAddr, Vec<ServerName<'static>>>,
}

/// TLS as it is in force; replaced whole, for connections that begin from then on.
#[derive(Debug)]
pub struct Tls(RwLock<Arc<Current>>);

/// What was made of [`TlsParts`], and can take the place of what is in force.
#[derive(Debug)]
pub struct TlsMade(Arc<Current>);

impl TlsMade {
    /// # Errors
    ///
    /// What rustls says of certificate, key or authorities.
    pub fn new(parts: TlsParts) -> Result<Self, rustls::Error> {
        Current::new(parts).map(|current| Self(Arc::new(current)))
    }
}

#[derive(Debug)]
struct Current {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    names: BTreeMap<IpAddr, Vec<ServerName<'static>>>,
}

impl Tls {
    /// # Errors
    ///
    /// As [`TlsMade::new`].
    pub fn new(parts: TlsParts) -> Result<Self, rustls::Error> {
        TlsMade::new(parts).map(|made| Self(RwLock::new(made.0)))
    }

    /// Takes effect for connections that begin from now on; those that stand go on as they are.
    pub fn replace(&self, made: TlsMade) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = made.0;
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The server's side of a handshake, with no bound of its own on time.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        from: IpAddr,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        let current = self.current();
        let stream = TlsAcceptor::from(Arc::clone(&current.server)).accept(stream).await?;
        if let Some(names) = current.names.get(&from.to_canonical()) {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            if !shown.is_some_and(|shown| is_named(shown, names)) {
                return Err(io::Error::other("no certificate of the name that is due there"));
            }
        }
        Ok(stream)
    }

    /// The client's side, likewise.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        to: IpAddr,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let current = self.current();
        let to = to.to_canonical();
        let name = current.names.get(&to).and_then(|names| names.first()).cloned();
        let name = name.unwrap_or_else(|| ServerName::IpAddress(to.into()));
        TlsConnector::from(Arc::clone(&current.client)).connect(name, stream).await
    }
}

impl Current {
    fn new(parts: TlsParts) -> Result<Self, rustls::Error> {
        let TlsParts { chain, key, clients, peers, names } = parts;
        let provider = Arc::new(crypto::ring::default_provider());
        let building = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let building = if clients.is_empty() {
            building.with_no_client_auth()
        } else {
            let roots = Arc::new(roots(clients)?);
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| rustls::Error::General(error.to_string()))?;
            building.with_client_cert_verifier(verifier)
        };
        let server = building.with_single_cert(chain.clone(), key.clone_key())?;
        let building = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let building = match peers {
            Peers::By(authorities) => building.with_root_certificates(roots(authorities)?),
            Peers::Unverified => building
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Unverified(provider))),
        };
        let client = building.with_client_auth_cert(chain, key)?;
        Ok(Self { server: Arc::new(server), client: Arc::new(client), names })
    }
}

fn roots(authorities: Vec<CertificateDer<'static>>) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority)?;
    }
    Ok(roots)
}

fn is_named(certificate: &CertificateDer<'_>, names: &[ServerName<'static>]) -> bool {
    ParsedCertificate::try_from(certificate)
        .is_ok_and(|parsed| names.iter().any(|name| verify_server_name(&parsed, name).is_ok()))
}

/// Believes any certificate, and still sees to it that the peer has its key.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use tokio::net::TcpListener;

    struct Authority(CertifiedIssuer<'static, KeyPair>);

    impl Authority {
        fn new() -> Self {
            let mut parameters = CertificateParams::new(Vec::new()).unwrap();
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
        }

        fn itself(&self) -> Vec<CertificateDer<'static>> {
            vec![self.0.der().clone()]
        }

        /// One side, with a certificate of these names.
        fn side(&self, names: &[&str]) -> TlsParts {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.0);
            TlsParts {
                chain: vec![certificate.unwrap().der().clone()],
                key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
                clients: Vec::new(),
                peers: Peers::By(self.itself()),
                names: BTreeMap::new(),
            }
        }
    }

    fn named(name: &'static str) -> BTreeMap<IpAddr, Vec<ServerName<'static>>> {
        BTreeMap::from([([127, 0, 0, 1].into(), vec![ServerName::try_from(name).unwrap()])])
    }

    /// Whether the two come together, as each sees it.
    async fn meet(desk: TlsParts, peer: TlsParts) -> (bool, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (desk, peer) = (Tls::new(desk).unwrap(), Tls::new(peer).unwrap());
        let accepting = async {
            let (stream, from) = listener.accept().await.unwrap();
            desk.accept(stream, from.ip()).await.is_ok()
        };
        let connecting = async {
            let stream = TcpStream::connect(at).await.unwrap();
            peer.connect(stream, at.ip()).await.is_ok()
        };
        tokio::join!(accepting, connecting)
    }

    #[tokio::test]
    async fn who_connects_and_who_is_connected_to_prove_what_is_due_there() {
        let (ours, foreign) = (Authority::new(), Authority::new());
        let address = ["127.0.0.1"];
        let carrier = || ours.side(&["carrier.example", "127.0.0.1"]);
        let asks = || TlsParts { clients: ours.itself(), ..ours.side(&address) };
        let asks_for = |name| TlsParts { names: named(name), ..asks() };
        // Shows a certificate of another authority, and believes ours.
        let stranger =
            || TlsParts { peers: Peers::By(ours.itself()), ..foreign.side(&["carrier.example"]) };
        let unverified = || TlsParts { peers: Peers::Unverified, ..foreign.side(&address) };
        // A server that refuses a certificate says so after the client's own end of TLS 1.3's handshake.
        let table = [
            ("by its address", ours.side(&address), carrier(), true, Some(true)),
            ("a foreign server", foreign.side(&address), carrier(), false, Some(false)),
            ("another address", ours.side(&["192.0.2.1"]), carrier(), false, Some(false)),
            (
                "a foreign server, unverified",
                foreign.side(&address),
                unverified(),
                true,
                Some(true),
            ),
            (
                "by its name",
                ours.side(&["desk.example"]),
                TlsParts { names: named("desk.example"), ..carrier() },
                true,
                Some(true),
            ),
            (
                "by another name",
                ours.side(&["desk.example"]),
                TlsParts { names: named("other.example"), ..carrier() },
                false,
                Some(false),
            ),
            ("a client's certificate", asks(), carrier(), true, Some(true)),
            ("a foreign client's", asks(), stranger(), false, None),
            ("the trunk's", asks_for("carrier.example"), carrier(), true, Some(true)),
            ("another's than the trunk's", asks_for("other.example"), carrier(), false, None),
        ];
        for (case, desk, peer, accepted, connected) in table {
            let (by_desk, by_peer) = meet(desk, peer).await;
            assert_eq!(by_desk, accepted, "{case}");
            if let Some(connected) = connected {
                assert_eq!(by_peer, connected, "{case}");
            }
        }
    }

    #[tokio::test]
    async fn a_trunk_that_shows_no_certificate_is_refused_where_one_is_due() {
        let ours = Authority::new();
        for (name, want) in [(None, true), (Some("carrier.example"), false)] {
            let names = name.map(named).unwrap_or_default();
            let desk = TlsParts { clients: ours.itself(), names, ..ours.side(&["127.0.0.1"]) };
            let desk = Tls::new(desk).unwrap();
            let provider = Arc::new(crypto::ring::default_provider());
            let bare = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots(ours.itself()).unwrap())
                .with_no_client_auth();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let at = listener.local_addr().unwrap();
            let accepting = async {
                let (stream, from) = listener.accept().await.unwrap();
                desk.accept(stream, from.ip()).await.is_ok()
            };
            let connecting = async {
                let stream = TcpStream::connect(at).await.unwrap();
                let name = ServerName::IpAddress(at.ip().into());
                let _ = TlsConnector::from(Arc::new(bare)).connect(name, stream).await;
            };
            assert_eq!(tokio::join!(accepting, connecting).0, want, "{name:?}");
        }
    }
}
