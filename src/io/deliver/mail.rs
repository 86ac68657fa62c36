//! One mail by the site's own server.

use super::{Failed, NoWay, PATIENCE, Unreached};
use crate::base::Private;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use lettre::{Address, AsyncTransport as _, Tokio1Executor};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// One word of the server's.
const WORD: Duration = Duration::from_secs(15);

/// How the connection to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte.
    Tls,
    /// By STARTTLS, and no mail without it.
    StartTls,
    /// Not at all.
    Off,
}

/// By which server, from whom, to whom.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is protected.
    pub tls: MailTls,
    /// Name and password there; none: it takes ours by our address.
    pub login: Option<(String, Private<String>)>,
    /// Authorities that the server's certificate may be signed by; none: those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
    /// From whom.
    pub from: String,
    /// To whom; at least one.
    pub to: Vec<String>,
}

/// A way to people's mailboxes.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    server: String,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mail {
    /// Makes ready; connects to nobody.
    ///
    /// # Errors
    ///
    /// [`NoWay`]: an address that is none, or TLS takes none of the authorities.
    pub fn new(config: &MailConfig) -> Result<Self, NoWay> {
        let mailbox = |text: &String| text.parse::<Address>().map(|at| Mailbox::new(None, at));
        let from = mailbox(&config.from)?;
        let to = config.to.iter().map(mailbox).collect::<Result<Vec<_>, _>>()?;
        let tls = match config.tls {
            MailTls::Off => Tls::None,
            MailTls::Tls => Tls::Wrapper(parameters(config)?),
            MailTls::StartTls => Tls::Required(parameters(config)?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .timeout(Some(WORD))
            .tls(tls);
        if let Some((user, password)) = &config.login {
            let credentials = Credentials::new(user.clone(), password.reveal().clone());
            transport = transport.credentials(credentials);
        }
        let server = format!("{}:{}", config.host, config.port);
        Ok(Self { transport: transport.build(), server, from, to })
    }

    /// Sends it once, to all. `id` is the same for every try and stands in Message-ID, by which most
    /// mailboxes show a repetition once.
    ///
    /// # Errors
    ///
    /// [`Failed`]; the server may have it all the same.
    pub async fn send(&self, id: &str, subject: &str, text: String) -> Result<(), Failed> {
        let why = |why: Unreached| Failed::Unreachable { to: self.server.clone(), why };
        let message = self.message(id, subject, text);
        let message =
            message.map_err(|error| why(std::io::Error::other(error.to_string()).into()))?;
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(error, why)),
            Err(_) => Err(Failed::TimedOut { after: PATIENCE }),
        }
    }

    fn message(
        &self,
        id: &str,
        subject: &str,
        text: String,
    ) -> Result<Message, lettre::error::Error> {
        let domain = self.from.email.domain();
        // RFC 3834 §5: nobody's holiday answers to it.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .message_id(Some(format!("<{id}@{domain}>")))
            .date_now()
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        message.body(text)
    }
}

fn parameters(config: &MailConfig) -> Result<TlsParameters, Error> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if !config.authorities.is_empty() {
        parameters = parameters.certificate_store(CertificateStore::None);
    }
    for authority in &config.authorities {
        parameters =
            parameters.add_root_certificate(Certificate::from_der(authority.as_ref().to_vec())?);
    }
    parameters.build()
}

fn failed(error: Error, why: impl Fn(Unreached) -> Failed) -> Failed {
    match error.status() {
        Some(status) => {
            Failed::Refused { status: status.into(), retry_after: None, is_redirect: false }
        }
        None if error.is_timeout() => Failed::TimedOut { after: PATIENCE },
        None => why(error.into()),
    }
}
