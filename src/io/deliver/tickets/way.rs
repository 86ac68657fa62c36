//! The way to a ticket system over HTTP: its address, its key in a header, and JSON that is read into what its
//! documentation promises.

use super::super::client::{Client, Question, Server};
use super::super::{Answer, NoWay};
use super::Unable;
use crate::base::Private;
use http::Uri;
use http::header::{ACCEPT, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Longest answer of a ticket system, bytes: a page of 100 tickets with all that is written in them.
const MOST_ANSWER: usize = 8 << 20;

/// What is common to all systems over HTTP.
#[derive(Clone, Debug)]
pub struct SystemAt {
    /// Where it is; its path is before all that is asked for.
    pub url: Uri,
    /// Its key, token or secret.
    pub key: Private<String>,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
    /// Authorities that its certificate may be signed by; none: those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl SystemAt {
    /// A way without a key in its questions.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub(super) fn client(&self, patience: Duration) -> Result<Client, NoWay> {
        Client::new(Server {
            url: self.url.clone(),
            private: self.private,
            allowed_by: "private = true of the target in [tickets]",
            authorities: self.authorities.clone(),
            patience,
            most: MOST_ANSWER,
        })
    }
}

/// A way whose questions bear a key.
pub(super) struct Way {
    client: Client,
    header: HeaderName,
    key: Private<String>,
    pages: String,
}

impl Way {
    /// `header` bears `before` and the key.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub(super) fn new(
        at: &SystemAt,
        (header, before): (&'static str, &str),
        patience: Duration,
    ) -> Result<Self, NoWay> {
        Ok(Self {
            client: at.client(patience)?,
            header: HeaderName::from_static(header),
            key: Private::new(format!("{before}{}", at.key.reveal())),
            pages: at.url.to_string().trim_end_matches('/').to_owned(),
        })
    }

    /// Where a person looks at something: `target` behind the system's address.
    pub(super) fn page(&self, target: &str) -> String {
        format!("{}{target}", self.pages)
    }

    /// Asks once; a 2xx.
    ///
    /// # Errors
    ///
    /// [`Unable::Failed`].
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, Unable> {
        let mut question = question.with(self.header.clone(), self.key.reveal());
        question.headers.push((ACCEPT, HeaderValue::from_static("application/json")));
        Ok(self.client.ask(question).await?.yes()?)
    }

    /// Asks once; what the answer's JSON says. `what` is due, for the error.
    ///
    /// # Errors
    ///
    /// [`Unable::Failed`], or [`Unable::Garbled`].
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        question: Question,
        what: &'static str,
    ) -> Result<T, Unable> {
        let answer = self.ask(question).await?;
        serde_json::from_slice(&answer.body).map_err(|_| Unable::Garbled { what })
    }
}

/// Text as it stands in a path or behind a `=` in a query (RFC 3986 §2.1): what is not unreserved (§2.3) is
/// encoded.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// A query: names as they stand, values encoded.
pub(super) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// One more field of an object that is sent.
pub(super) fn set(object: &mut Json, field: &str, value: impl Into<Json>) {
    if let Json::Object(fields) = object {
        fields.insert(field.to_owned(), value.into());
    }
}

/// A ticket's number in digits, as all systems name theirs; a person may write a `#` before it. None: it is
/// the name of no ticket, and must not get into a path.
pub(super) fn number(ticket: &str) -> Option<u64> {
    ticket.strip_prefix('#').unwrap_or(ticket).parse().ok()
}
