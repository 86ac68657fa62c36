//! Signatures of tokens, judged by `ring`, which TLS here has already. Nothing is signed.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as Wrong, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature as by;

/// What is taken (RFC 7518 §3.1): no `none`, and no MAC, whose key the client would share.
pub(super) const TAKEN: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static BY_RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    // Thumbprints and keys made from keys: used nowhere here.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Must have been called before a token is judged; once is enough.
pub(super) fn install() {
    let _ = BY_RING.install_default(); // it is there already
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the crate asks so")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    // A key of one family must not be taken for one of another.
    if key.family() != algorithm.family() || !TAKEN.contains(algorithm) {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(ByRing { algorithm: *algorithm, key: key.clone() }))
}

struct ByRing {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Wrong> {
        // Both have least lengths of keys, RFC 7518 §3.3: 2,048 bits.
        let rsa: Option<&'static by::RsaParameters> = match self.algorithm {
            Algorithm::RS256 => Some(&by::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => Some(&by::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => Some(&by::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => Some(&by::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => Some(&by::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => Some(&by::RSA_PSS_2048_8192_SHA512),
            _ => None,
        };
        let point: Option<&'static dyn by::VerificationAlgorithm> = match self.algorithm {
            Algorithm::ES256 => Some(&by::ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => Some(&by::ECDSA_P384_SHA384_FIXED),
            Algorithm::EdDSA => Some(&by::ED25519),
            _ => None,
        };
        let verified = match (self.key.kind(), rsa, point) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Some(parameters), None) => {
                by::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(point), None, Some(algorithm)) => {
                by::UnparsedPublicKey::new(algorithm, point).verify(message, signature)
            }
            (
                DecodingKeyKind::RsaModulusExponent { .. } | DecodingKeyKind::SecretOrDer(_),
                _,
                _,
            ) => Err(ring::error::Unspecified),
        };
        verified.map_err(|_| Wrong::new())
    }
}
