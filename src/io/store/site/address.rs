//! Where the site's store is and how it is reached.

use super::SiteError;
use crate::base::Private;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

/// How long a connection may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Longest password file, bytes.
const PASSWORD_BOUND: u64 = 4_096;

/// A database of the site's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// On which machine.
    pub host: Host,
    /// The database's name.
    pub database: String,
    /// Who we are there.
    pub user: String,
    /// A file with the password alone, read anew for each connection; none where the server asks for none.
    pub password_file: Option<PathBuf>,
    /// How the way is protected.
    pub tls: Tls,
}

/// On which machine a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// On this one, by the socket in this directory that is called by this port.
    Socket(PathBuf, u16),
    /// By name or address and port.
    Network(String, u16),
}

/// How the way to a database is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for this machine, or a network that is protected otherwise.
    Off,
    /// The server's certificate must be one for its name, signed by one of these (PEM), or by a public
    /// authority when there is no file.
    Verified(Option<PathBuf>),
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Socket(directory, port) => write!(to, "{}:{port}", directory.display())?,
            Host::Network(name, port) if name.contains(':') => write!(to, "[{name}]:{port}")?,
            Host::Network(name, port) => write!(to, "{name}:{port}")?,
        }
        write!(to, "/{}", self.database)
    }
}

impl Address {
    /// Opens a connection whose names mean our schema.
    pub(super) async fn connect(&self) -> Result<PgConnection, SiteError> {
        let options = self.options()?;
        let connecting = PgConnection::connect_with(&options);
        match tokio::time::timeout(CONNECT_PATIENCE, connecting).await {
            Ok(opened) => opened.map_err(SiteError::of(self, "connecting")),
            Err(_) => Err(SiteError::Away {
                address: self.to_string(),
                why: format!("no answer within {} s", CONNECT_PATIENCE.as_secs()),
            }),
        }
    }

    fn options(&self) -> Result<PgConnectOptions, SiteError> {
        let mut options = PgConnectOptions::new_without_pgpass()
            .username(&self.user)
            .database(&self.database)
            .application_name("madoguchi")
            .options([
                ("search_path", "madoguchi"),
                // A connection that was cut must not keep its locks.
                ("tcp_keepalives_idle", "10"),
                ("tcp_keepalives_interval", "5"),
                ("tcp_keepalives_count", "3"),
                ("idle_in_transaction_session_timeout", "10s"),
                ("client_min_messages", "warning"),
            ]);
        options = match &self.host {
            Host::Socket(directory, port) => {
                options.host(&directory.display().to_string()).port(*port)
            }
            Host::Network(name, port) => options.host(name).port(*port),
        };
        options = match &self.tls {
            Tls::Off => options.ssl_mode(PgSslMode::Disable),
            Tls::Verified(None) => options.ssl_mode(PgSslMode::VerifyFull),
            Tls::Verified(Some(authorities)) => {
                options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(authorities)
            }
        };
        if let Some(password) = self.password()? {
            options = options.password(password.reveal());
        }
        Ok(options.disable_statement_logging())
    }

    fn password(&self) -> Result<Option<Private<String>>, SiteError> {
        let Some(path) = &self.password_file else { return Ok(None) };
        let failed = |error: std::io::Error| SiteError::Password {
            file: path.display().to_string(),
            why: error.to_string(),
        };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(PASSWORD_BOUND).read_to_string(&mut text).map_err(failed)?;
        Ok(Some(Private::new(text.trim_end_matches(['\r', '\n']).to_owned())))
    }
}
