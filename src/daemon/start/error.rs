//! Why a desk could not be started.

use super::super::feeding::NotFed;
use crate::io::store;
use crate::io::trace::ExportError;
use std::net::SocketAddr;

/// Why the desk could not be started; each says the mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A SIP listener.
    #[error(transparent)]
    Listen(#[from] crate::io::net::ListenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// Reading the history.
    #[error("the history cannot be read: {0}")]
    History(#[from] store::ReadError),
    /// The certificate for DTLS cannot be made.
    #[error("the certificate for encrypted sound (DTLS) cannot be made")]
    NoIdentity,
    /// The recorder.
    #[error("the recorder cannot be started: {source}; [recording] directory is {directory}")]
    Recorder {
        /// Where it was to record to.
        directory: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The media threads.
    #[error("the media threads cannot be started: {0}")]
    Media(std::io::Error),
    /// Certificate and key.
    #[error("TLS cannot use certificate and key of [sip.tls]: {0}")]
    Certificate(String),
    /// Prompts.
    #[error("the prompts cannot be read: {0}")]
    Prompts(String),
    /// The HTTP listener.
    #[error(
        "cannot listen for HTTP on {address}: {source}; choose another address in [http] listen"
    )]
    Http {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The token.
    #[error("the HTTP token is too weak: {0}")]
    Token(String),
    /// The feeding of ticket systems.
    #[error(transparent)]
    NotFed(#[from] NotFed),
    /// A way to whom warnings are told.
    #[error("nobody can be told of warnings: {0}; mend [warning]")]
    Warning(#[from] crate::io::deliver::NoWay),
    /// The exporter of the SIP trace.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A thread or a random number.
    #[error("the operating system refused {what}: {source}")]
    System {
        /// What was asked.
        what: &'static str,
        /// What it said.
        source: std::io::Error,
    },
}
