//! One POST to the site's own receiver: signed, with an id, over a connection of its own.

use super::client::{Client, Question, Server};
use super::{Failed, NoWay, PATIENCE};
use crate::base::Private;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{Method, Uri};
use sha2::Sha256;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Where to, and what it is signed by.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// `https://…`; `http://…` only where `private` is.
    pub url: Uri,
    /// Known to the receiver and to us.
    pub secret: Private<String>,
    /// Whether addresses that are not for everybody are connected to.
    pub private: bool,
    /// Authorities that the receiver's certificate may be signed by; none: those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// A way to the receiver.
pub struct Webhook {
    secret: Private<String>,
    client: Client,
}

/// The signature in the header `Madoguchi-Signature`: HMAC-SHA256 in hexadecimal over the time in seconds as
/// it stands in `Madoguchi-Timestamp`, a dot, and the body.
#[must_use]
pub fn signature(secret: &str, at_s: i64, body: &[u8]) -> String {
    // HMAC takes a key of any length (RFC 2104 §2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(at_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={}", crate::base::hex(&mac.finalize().into_bytes()))
}

impl Webhook {
    /// Makes ready; connects to nobody.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub fn new(config: WebhookConfig) -> Result<Self, NoWay> {
        let WebhookConfig { url, secret, private, authorities } = config;
        // Of the answer the status and the headers are read; its body is not.
        let allowed_by = "webhook_private = true in [warning]";
        let client = Client::new(Server {
            url,
            private,
            allowed_by,
            authorities,
            patience: PATIENCE,
            most: 0,
        })?;
        Ok(Self { secret, client })
    }

    /// Says it once. `id` is the same for every try; `at_s` is now, in seconds since 1970, and signed. A 2xx
    /// is a yes, whatever else the answer says. Dropping it ends the connection.
    ///
    /// # Errors
    ///
    /// [`Failed`]; the receiver may have it all the same.
    pub async fn post(&self, id: &str, at_s: i64, body: String) -> Result<(), Failed> {
        let question = signed(&self.secret, id, at_s, body).with(CONTENT_TYPE, "application/json");
        self.client.ask(question).await?.yes().map(|_| ())
    }
}

/// A POST to a server's own address, signed. `id` is the same for every try; `at_s` is now, in seconds since
/// 1970.
pub(super) fn signed(secret: &Private<String>, id: &str, at_s: i64, body: String) -> Question {
    let signature = signature(secret.reveal(), at_s, body.as_bytes());
    let mut question = Question::new(Method::POST, "")
        .with(HeaderName::from_static("idempotency-key"), id)
        .with(HeaderName::from_static("madoguchi-timestamp"), &at_s.to_string())
        .with(HeaderName::from_static("madoguchi-signature"), &signature);
    question.body = body.into();
    question
}
