//! Handing something to somebody outside the desk, once: a signed POST, a mail, a ticket; and asking somebody
//! outside.
//!
//! Each call is one try, with a bound on its time and on what is read of the answer; whether it is tried
//! again is the caller's. What is handed over is bytes here: it may be a warning, a ticket or anything else
//! that has an id by which the receiver knows a repetition.

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod address;
mod ask;
mod client;
mod mail;
pub mod tickets;
mod webhook;

pub use address::is_public;
pub use ask::{ANSWER_PATIENCE, Asker, MOST_ANSWER};
pub use client::{Answer, Client, Question, Server};
pub use mail::{Mail, MailConfig, MailTls};
pub use webhook::{Webhook, WebhookConfig, signature};

use crate::event::Untold;
use std::time::Duration;

/// All of one try: looking the name up, connecting, saying it, the answer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Why a try failed. No text of the receiver's is in it: it may hold anything.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Nobody answered, or the connection broke.
    #[error("{to} cannot be reached: {why}")]
    Unreachable {
        /// Host and port.
        to: String,
        /// What was found.
        why: Unreached,
    },
    /// The connection broke before there was a whole answer.
    #[error("{to}: the connection broke before an answer: {why}")]
    CutOff {
        /// Host and port.
        to: String,
        /// What was found.
        why: Unreached,
    },
    /// What is answered is longer than we read.
    #[error("the answer has more than {most} bytes")]
    TooLong {
        /// What is read at most.
        most: usize,
    },
    /// There was no answer in time.
    #[error("no answer in {} s", patience.as_secs())]
    TimedOut {
        /// So long was waited.
        patience: Duration,
    },
    /// The receiver said no.
    #[error("the answer is {status}{}", if *is_redirect { ": a redirect is not followed" } else { "" })]
    Refused {
        /// HTTP's or SMTP's.
        status: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
        /// Whether it sends us elsewhere.
        is_redirect: bool,
    },
}

/// What stood in the way of an answer.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// The name leads nowhere.
    #[error("the name leads to no address")]
    NoAddress,
    /// The name leads to addresses that are not for everybody, and that is not configured.
    #[error("the name leads to {found}, which is no public address; {allowed_by} allows it")]
    Private {
        /// The first of them.
        found: std::net::IpAddr,
        /// What in the configuration allows it.
        allowed_by: &'static str,
    },
    /// The operating system, TLS or HTTP said no.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// What came is no HTTP.
    #[error("{0}")]
    Http(#[from] hyper::Error),
    /// What came is no SMTP, or TLS said no.
    #[error("{0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

impl Failed {
    /// As the history has it.
    #[must_use]
    pub const fn untold(&self) -> Untold {
        match self {
            Self::Unreachable { .. } | Self::CutOff { .. } | Self::TooLong { .. } => {
                Untold::Unreachable
            }
            Self::TimedOut { .. } => Untold::TimedOut,
            Self::Refused { status, .. } => Untold::Refused { status: *status },
        }
    }

    /// When the receiver wants to be asked again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::CutOff { .. }
            | Self::TooLong { .. }
            | Self::TimedOut { .. } => None,
        }
    }
}

/// A way that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    /// TLS takes none of the authorities.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// The mail's TLS cannot be set up.
    #[error("TLS for mail cannot be set up: {0}")]
    Mail(#[from] lettre::transport::smtp::Error),
    /// Not an address of mail.
    #[error("this is no mail address: {0}")]
    Address(#[from] lettre::address::AddressError),
}

#[cfg(test)]
mod tests;
