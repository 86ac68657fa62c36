//! Who we are in every handshake: one certificate of our own, made at start.

use super::Fingerprint;
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::crypto::Certificate;
use std::sync::Arc;
use std::time::Instant;

/// A self-signed certificate (ECDSA, P-256) with its key, which never leaves the process and dies with it.
pub struct Identity {
    pub(super) certificate: Certificate,
    pub(super) provider: Arc<dyn RTCCryptoProvider>,
    pub(super) origin: Instant,
    fingerprint: Fingerprint,
}

/// No certificate could be made: the operating system gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no certificate could be made for DTLS")]
pub struct NoIdentity;

impl Identity {
    /// Makes the certificate. `origin` is the moment at which [`crate::base::Mono`] is zero; any moment does
    /// that is the same for all handshakes.
    ///
    /// # Errors
    ///
    /// [`NoIdentity`].
    pub fn new(origin: Instant) -> Result<Self, NoIdentity> {
        let provider: Arc<dyn RTCCryptoProvider> =
            rtc_crypto::default_provider().map_err(|_| NoIdentity)?;
        // The name says nothing: who it is, the fingerprint in SDP says (RFC 5763 §3).
        let certificate =
            Certificate::generate_self_signed(vec!["dtls".to_owned()], provider.crypto())
                .map_err(|_| NoIdentity)?;
        let der = certificate.certificate.first().ok_or(NoIdentity)?;
        let fingerprint = Fingerprint::of(der.as_ref());
        Ok(Self { certificate, provider, origin, fingerprint })
    }

    /// For `a=fingerprint` of every description of ours.
    #[must_use]
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.fingerprint)
    }
}
