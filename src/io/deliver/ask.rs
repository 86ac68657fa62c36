//! One question to a host outside and its whole answer: so long and so big at most, and no redirect followed.

use super::out::{Out, host_of};
use super::{Failed, NoWay, Unreached};
use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// All of one question: looking the name up, connecting, asking, the whole answer.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer, bytes.
pub const MOST_ANSWER: usize = 256 << 10;

/// A way to ask.
pub struct Asker {
    out: Out,
}

impl Asker {
    /// Makes ready; connects to nobody. Authorities: none means those of the machine. `private` says whether
    /// addresses that are not for everybody are asked.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub fn new(authorities: &[CertificateDer<'static>], private: bool) -> Result<Self, NoWay> {
        Ok(Self { out: Out::new(authorities, private)? })
    }

    /// Fetches JSON.
    ///
    /// # Errors
    ///
    /// [`Failed`]: no answer in [`ANSWER_PATIENCE`], one of more than [`MOST_ANSWER`] bytes, or no 2xx.
    pub async fn get(&self, url: &Uri) -> Result<Vec<u8>, Failed> {
        self.ask(url, Method::GET, String::new(), None).await
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
        self.ask(url, Method::POST, form, authorization).await
    }

    async fn ask(
        &self,
        url: &Uri,
        method: Method,
        form: String,
        authorization: Option<String>,
    ) -> Result<Vec<u8>, Failed> {
        let target = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut request = Request::builder()
            .method(&method)
            .uri(target)
            .header(HOST, host_of(url))
            .header(USER_AGENT, concat!("madoguchi/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONNECTION, HeaderValue::from_static("close"));
        if method == Method::POST {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(CONTENT_LENGTH, form.len());
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let to = || host_of(url).to_owned();
        let request = request.body(Full::new(Bytes::from(form))).map_err(|error| {
            Failed::Unreachable { to: to(), why: std::io::Error::other(error).into() }
        })?;
        let whole = self.out.say(url, request, async |answer| {
            let status = answer.status();
            if !status.is_success() {
                let (status, is_redirect) = (status.as_u16(), status.is_redirection());
                return Err(Failed::Refused { status, retry_after: None, is_redirect });
            }
            match Limited::new(answer.into_body(), MOST_ANSWER).collect().await {
                Ok(body) => Ok(body.to_bytes().to_vec()),
                Err(error) if error.is::<LengthLimitError>() => {
                    Err(Failed::TooLong { most: MOST_ANSWER })
                }
                Err(error) => {
                    let why = match error.downcast::<hyper::Error>() {
                        Ok(error) => Unreached::Http(*error),
                        Err(error) => Unreached::Io(std::io::Error::other(error)),
                    };
                    Err(Failed::Unreachable { to: to(), why })
                }
            }
        });
        let late = Failed::TimedOut { after: ANSWER_PATIENCE };
        timeout(ANSWER_PATIENCE, whole).await.unwrap_or(Err(late))
    }
}
