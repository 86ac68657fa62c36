//! Random numbers from the operating system.

use super::start::StartError;

/// A key that nobody can guess.
///
/// # Errors
///
/// [`StartError`] when the operating system gives none.
pub(super) fn key() -> Result<[u8; 32], StartError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| StartError::System {
        what: "random numbers",
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(key)
}

/// For the length of a pause; without random numbers the shortest.
pub(super) fn drawn() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => 0,
    }
}
