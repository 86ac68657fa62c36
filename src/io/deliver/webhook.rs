//! One POST to the site's own receiver: signed, with an id, over a connection of its own.

use super::out::{Out, host_of};
use super::{Failed, NoWay, PATIENCE, Unreached};
use crate::base::Private;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use sha2::Sha256;
use std::time::Duration;
use tokio::time::timeout;
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
    config: WebhookConfig,
    out: Out,
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
        let out = Out::new(&config.authorities, config.private)?;
        Ok(Self { config, out })
    }

    /// Says it once. `id` is the same for every try; `at_s` is now, in seconds since 1970, and signed. A 2xx
    /// is a yes, whatever else the answer says. Dropping it ends the connection.
    ///
    /// # Errors
    ///
    /// [`Failed`]; the receiver may have it all the same.
    pub async fn post(&self, id: &str, at_s: i64, body: String) -> Result<(), Failed> {
        timeout(PATIENCE, self.say(id, at_s, body))
            .await
            .unwrap_or(Err(Failed::TimedOut { after: PATIENCE }))
    }

    async fn say(&self, id: &str, at_s: i64, body: String) -> Result<(), Failed> {
        let url = &self.config.url;
        let unreachable = |why: Unreached| Failed::Unreachable { to: host_of(url).to_owned(), why };
        let request = self.request(id, at_s, body).map_err(unreachable)?;
        // Of the answer the status and the headers are read; its body is not.
        self.out.say(url, request, async |answer| judge(&answer)).await
    }

    fn request(
        &self,
        id: &str,
        at_s: i64,
        body: String,
    ) -> Result<Request<Full<Bytes>>, Unreached> {
        let url = &self.config.url;
        let target = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let request = Request::builder()
            .method(Method::POST)
            .uri(target)
            .header(HOST, host_of(url))
            .header(USER_AGENT, concat!("madoguchi/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(CONTENT_LENGTH, body.len())
            .header(CONNECTION, HeaderValue::from_static("close"))
            .header("Idempotency-Key", id)
            .header("Madoguchi-Timestamp", at_s)
            .header(
                "Madoguchi-Signature",
                signature(self.config.secret.reveal(), at_s, body.as_bytes()),
            )
            .body(Full::new(Bytes::from(body)));
        request.map_err(|error| std::io::Error::other(error).into())
    }
}

fn judge<B>(answer: &Response<B>) -> Result<(), Failed> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // A date is not read: the bounds of our own pauses hold then.
    let retry_after = after.and_then(|after| after.trim().parse().ok()).map(Duration::from_secs);
    let (status, is_redirect) = (status.as_u16(), status.is_redirection());
    Err(Failed::Refused { status, retry_after, is_redirect })
}
