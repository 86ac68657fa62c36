//! Checks of a way by strangers and by the peer.

use crate::base::Mono;
use crate::ice::{Candidate, Credentials, Lite, MAX_BYTES};
use std::net::SocketAddr;

/// The credentials of RFC 5769 §2.1, whose request is among the seeds.
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

/// Who does not know the password chooses no way and gives no consent; what is answered is small and of the
/// same transaction.
pub fn ice(data: &[u8]) {
    let from = SocketAddr::from(([192, 0, 2, 7], 40_000));
    for password in [PASSWORD, "xxxxxxxxxxxxxxxxxxxxxx"] {
        let mut lite = Lite::new(Credentials::parse("evtj", password).unwrap());
        let checked = lite.datagram(data, from, Mono(1));
        if password != PASSWORD {
            assert!(!checked.is_valid, "a password guessed");
        }
        assert_eq!(lite.consents(Mono(2)), checked.is_valid);
        assert!(checked.is_valid || (checked.chosen.is_none() && lite.chosen().is_none()));
        if let Some(answer) = checked.answer {
            assert!(data.len() <= MAX_BYTES && answer.len() <= 100);
            assert_eq!(answer[4..20], data[4..20]);
            assert_eq!(usize::from(u16::from_be_bytes([answer[2], answer[3]])), answer.len() - 20);
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(candidate) = text.parse::<Candidate>()
        && candidate.address.is_some()
    {
        assert_eq!(candidate.to_string().parse(), Ok(candidate));
    }
}
