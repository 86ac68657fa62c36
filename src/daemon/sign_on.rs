//! The site's identity provider, asked by `io::deliver` and judged by `people::sign_on`. What it says of itself and
//! its keys are kept for an hour; keys that it has just made are looked for when a token needs them.

use crate::config::OidcConfig;
use crate::io::deliver::{Asker, Failed, NoWay, Unreached};
use crate::io::http::{BoxFuture, Provider, ProviderFailure, SignOn};
use crate::people::sign_on::{
    Attempt, Claims, ClientAuth, Doubt, Keys, Metadata, Terms, escaped, read_answer,
};
use base64ct::{Base64, Encoding as _};
use http::Uri;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard, Semaphore};

/// What it said of itself, and its keys, are believed for so long.
const KEPT: Duration = Duration::from_secs(3_600);
/// It is not asked for the same again within so long: what strangers send must not make us ask and ask.
const PAUSE: Duration = Duration::from_secs(10);
/// Logins that ask it at once; one more is told that it is away.
const AT_ONCE: usize = 8;

/// The provider's place in the pages.
///
/// # Errors
///
/// [`NoWay`] when TLS takes none of the authorities.
pub(super) fn sign_on(config: &OidcConfig) -> Result<SignOn, NoWay> {
    let terms = Arc::new(config.terms.clone());
    let inner = Inner {
        terms: Arc::clone(&terms),
        secret: config.secret_file.as_ref().map(|_| config.secret.reveal().clone()),
        plain: config.private,
        asker: Asker::new(&config.authorities, config.private)?,
        places: Semaphore::new(AT_ONCE),
        metadata: Mutex::default(),
        keys: Mutex::default(),
    };
    Ok(SignOn { terms, provider: Arc::new(Asked(Arc::new(inner))) })
}

struct Asked(Arc<Inner>);

impl Provider for Asked {
    fn address(&self, attempt: Attempt) -> BoxFuture<Result<String, ProviderFailure>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let _place = inner.places.try_acquire().map_err(|_| ProviderFailure::Away)?;
            let metadata = inner.metadata().await?;
            Ok(attempt.address(&metadata.authorization, &inner.terms))
        })
    }

    fn claims(
        &self,
        code: String,
        named: Option<String>,
        attempt: Attempt,
        now_s: u64,
    ) -> BoxFuture<Result<Claims, ProviderFailure>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let _place = inner.places.try_acquire().map_err(|_| ProviderFailure::Away)?;
            inner.claims(&code, named.as_deref(), &attempt, now_s).await
        })
    }
}

/// What was fetched, and when it was last tried.
struct Held<T> {
    got: Option<(Instant, Arc<T>)>,
    tried: Option<Instant>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { got: None, tried: None }
    }
}

impl<T> Held<T> {
    fn fresh(&self) -> Option<Arc<T>> {
        let (at, got) = self.got.as_ref()?;
        (at.elapsed() < KEPT).then(|| Arc::clone(got))
    }

    fn just_tried(&self) -> bool {
        self.tried.is_some_and(|at| at.elapsed() < PAUSE)
    }

    fn keep(&mut self, got: T) -> Arc<T> {
        let got = Arc::new(got);
        self.got = Some((Instant::now(), Arc::clone(&got)));
        got
    }
}

struct Inner {
    terms: Arc<Terms>,
    secret: Option<String>,
    plain: bool,
    asker: Asker,
    places: Semaphore,
    metadata: Mutex<Held<Metadata>>,
    keys: Mutex<Held<Keys>>,
}

impl Inner {
    /// Who waits for the lock waits for the one question that all of them have.
    async fn metadata(&self) -> Result<Arc<Metadata>, ProviderFailure> {
        let mut held = self.metadata.lock().await;
        if let Some(fresh) = held.fresh() {
            return Ok(fresh);
        }
        if held.just_tried() {
            return Err(ProviderFailure::Away);
        }
        // Discovery §4.
        let issuer = self.terms.issuer.trim_end_matches('/');
        let at = format!("{issuer}/.well-known/openid-configuration");
        let body = self.fetch(&mut held, at.parse().ok()).await?;
        let read = Metadata::read(&body, &self.terms.issuer, self.plain).map_err(doubted)?;
        Ok(held.keep(read))
    }

    /// Its keys; new ones when `anew`, unless they were asked for just now.
    async fn keys(&self, metadata: &Metadata, anew: bool) -> Result<Arc<Keys>, ProviderFailure> {
        let mut held = self.keys.lock().await;
        if let Some(fresh) = held.fresh().filter(|_| !anew || held.just_tried()) {
            return Ok(fresh);
        }
        if held.just_tried() {
            return Err(ProviderFailure::Away);
        }
        let body = self.fetch(&mut held, Some(metadata.keys.clone())).await?;
        Ok(held.keep(Keys::read(&body).map_err(doubted)?))
    }

    async fn fetch<T>(
        &self,
        held: &mut MutexGuard<'_, Held<T>>,
        from: Option<Uri>,
    ) -> Result<Vec<u8>, ProviderFailure> {
        let from = from.ok_or(ProviderFailure::Away)?;
        let answer = self.asker.get(&from).await;
        held.tried = Some(Instant::now());
        answer.map_err(|failed| away(&failed))
    }

    async fn claims(
        &self,
        code: &str,
        named: Option<&str>,
        attempt: &Attempt,
        now_s: u64,
    ) -> Result<Claims, ProviderFailure> {
        let metadata = self.metadata().await?;
        // RFC 9207 §2.4: an answer of another provider's is not traded here.
        let is_theirs = named.map_or(!metadata.names_itself, |named| named == self.terms.issuer);
        if !is_theirs {
            return Err(doubted(Doubt::OtherIssuer));
        }
        let (form, authorization) = self.trade(&metadata, code, attempt);
        let answer = self.asker.post(&metadata.token, form, authorization).await;
        let answer = answer.map_err(|failed| match failed {
            // RFC 6749 §5.2.
            Failed::Refused { status: status @ (400 | 401 | 403), .. } => {
                tracing::warn!(status, "the identity provider did not trade the code: it is used or too old, or client_id, client_secret_file or address is not what it knows");
                ProviderFailure::Refused
            }
            failed => away(&failed),
        })?;
        let token = read_answer(&answer).map_err(doubted)?;
        let keys = self.keys(&metadata, false).await?;
        match keys.believe(&token, attempt, &self.terms, now_s) {
            // It has new keys, perhaps (Core §10.1.1).
            Err(Doubt::UnknownKey) => {
                let keys = self.keys(&metadata, true).await?;
                keys.believe(&token, attempt, &self.terms, now_s).map_err(doubted)
            }
            judged => judged.map_err(doubted),
        }
    }

    /// The token request (Core §3.1.3.1, RFC 7636 §4.5): form and Authorization header.
    fn trade(
        &self,
        metadata: &Metadata,
        code: &str,
        attempt: &Attempt,
    ) -> (String, Option<String>) {
        let mut form = format!(
            "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={}",
            escaped(code),
            escaped(&self.terms.redirect),
            attempt.verifier(),
        );
        let id = escaped(&self.terms.client_id);
        match (&self.secret, metadata.auth) {
            // RFC 6749 §2.3.1: both are escaped before they are joined.
            (Some(secret), ClientAuth::Basic) => {
                let pair = format!("{id}:{}", escaped(secret));
                let header = format!("Basic {}", Base64::encode_string(pair.as_bytes()));
                (form, Some(header))
            }
            (Some(secret), ClientAuth::Post) => {
                form.push_str(&format!("&client_id={id}&client_secret={}", escaped(secret)));
                (form, None)
            }
            (None, ClientAuth::Basic | ClientAuth::Post) => {
                form.push_str(&format!("&client_id={id}"));
                (form, None)
            }
        }
    }
}

fn doubted(doubt: Doubt) -> ProviderFailure {
    tracing::error!(why = %doubt, "the identity provider's word was not taken / 認証基盤の答えを確かめられません");
    ProviderFailure::Doubted(doubt)
}

/// For the log, without a word of the provider's.
fn away(failed: &Failed) -> ProviderFailure {
    let why = match failed {
        Failed::Unreachable { why: Unreached::Io(error), .. }
        | Failed::CutOff { why: Unreached::Io(error), .. } => {
            let by_tls = error.get_ref().and_then(|it| it.downcast_ref());
            match by_tls {
                Some(tokio_rustls::rustls::Error::InvalidCertificate(_)) => {
                    "its certificate is not believed; `ca` in [http.oidc] names its authority"
                        .to_owned()
                }
                Some(_) => "TLS with it failed".to_owned(),
                None => error.kind().to_string(),
            }
        }
        Failed::Unreachable { why: Unreached::Http(_), .. }
        | Failed::CutOff { why: Unreached::Http(_), .. } => "what it says is no HTTP".to_owned(),
        Failed::Unreachable { why, .. } | Failed::CutOff { why, .. } => why.to_string(),
        Failed::TimedOut { .. } | Failed::TooLong { .. } | Failed::Refused { .. } => {
            failed.to_string()
        }
    };
    tracing::error!(%why, "the identity provider cannot be asked / 認証基盤に届きません");
    ProviderFailure::Away
}
