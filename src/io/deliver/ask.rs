//! Questions to hosts outside whose answers are short JSON: so long and so big at most, and no redirect followed.

use super::client::{Client, Question, Server};
use super::{Failed, NoWay};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Uri};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// All of one question: looking the name up, connecting, asking, the whole answer.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer, bytes.
pub const MOST_ANSWER: usize = 256 << 10;

/// A way to ask.
pub struct Asker {
    client: Client,
}

impl Asker {
    /// Makes ready; connects to nobody. Authorities: none means those of the machine. `private` says whether
    /// addresses that are not for everybody are asked.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub fn new(authorities: &[CertificateDer<'static>], private: bool) -> Result<Self, NoWay> {
        let client = Client::new(Server {
            // Every question names its own.
            url: Uri::default(),
            private,
            allowed_by: "private = true in [http.oidc]",
            authorities: authorities.to_vec(),
            patience: ANSWER_PATIENCE,
            most: MOST_ANSWER,
        })?;
        Ok(Self { client })
    }

    /// Fetches JSON.
    ///
    /// # Errors
    ///
    /// [`Failed`]: no answer in [`ANSWER_PATIENCE`], one of more than [`MOST_ANSWER`] bytes, or no 2xx.
    pub async fn get(&self, url: &Uri) -> Result<Vec<u8>, Failed> {
        self.ask(url, Question::new(Method::GET, "")).await
    }

    /// Posts a form and reads the JSON that is answered; `authorization` is the header's value.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub async fn post(
        &self,
        url: &Uri,
        form: String,
        authorization: Option<String>,
    ) -> Result<Vec<u8>, Failed> {
        let mut question =
            Question::new(Method::POST, "").with(CONTENT_TYPE, "application/x-www-form-urlencoded");
        question.body = form.into();
        if let Some(authorization) = authorization {
            question = question.with(AUTHORIZATION, &authorization);
        }
        self.ask(url, question).await
    }

    async fn ask(&self, url: &Uri, question: Question) -> Result<Vec<u8>, Failed> {
        let question = question.with(ACCEPT, "application/json");
        Ok(self.client.ask_at(url, question).await?.yes()?.body.to_vec())
    }
}
