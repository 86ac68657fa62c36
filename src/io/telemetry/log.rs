//! The log's form: text for people, JSON for collectors, to standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// The environment variable that sets what is logged, in the notation of `tracing` (`info`,
/// `madoguchi::engine=debug`).
pub const LEVEL_VARIABLE: &str = "MADOGUCHI_LOG";

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text an event.
    #[default]
    Text,
    /// One JSON object an event.
    Json,
}

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The environment variable holds no filter.
    #[error("{LEVEL_VARIABLE}={found:?} is no log filter ({source}); due is a level such as info")]
    Filter {
        /// What it holds.
        found: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The log was set up before.
    #[error("the log is set up already")]
    Twice,
}

/// Sets up the process's log. Call once, before any thread is started.
///
/// # Errors
///
/// [`LogError`] when the filter cannot be read or a log is set up already.
pub fn init(format: LogFormat) -> Result<(), LogError> {
    let wanted = std::env::var(LEVEL_VARIABLE).unwrap_or_default();
    let filter = filter(&wanted)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|_| LogError::Twice)
}

fn filter(wanted: &str) -> Result<EnvFilter, LogError> {
    if wanted.is_empty() {
        return Ok(EnvFilter::new("info"));
    }
    EnvFilter::try_new(wanted)
        .map_err(|source| LogError::Filter { found: wanted.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_filter_that_is_none_is_named() {
        assert!(filter("").is_ok());
        assert!(filter("madoguchi::engine=debug,info").is_ok());
        let error = filter("madoguchi=loud").expect_err("no such level").to_string();
        assert!(error.contains("madoguchi=loud") && error.contains("due"), "{error}");
    }
}
