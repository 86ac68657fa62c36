//! The names and passwords of one session (RFC 8445 §5.3, RFC 8839 §5.4).

use crate::base::{Private, Rng};

/// `ice-char` (RFC 8839 §5.1): 64 of them, six bits each.
const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// 48 bits; 24 are due (RFC 8445 §5.3).
const FRAGMENT_CHARS: usize = 8;
/// 144 bits; 128 are due.
const PASSWORD_CHARS: usize = 24;
const MOST_CHARS: usize = 256;

/// One side's `a=ice-ufrag` and `a=ice-pwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    fragment: String,
    password: Private<String>,
}

/// Why credentials are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCredentials {
    /// The fragment has 4 to 256 letters, digits, `+` and `/`.
    #[error("not an ice-ufrag")]
    Fragment,
    /// The password has 22 to 256 of them.
    #[error("not an ice-pwd")]
    Password,
}

impl Credentials {
    /// Ours for a new session, or for one that the peer begins anew (RFC 8445 §9).
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        let mut chars = |count| -> String {
            let drawn = (0..count).map(|_| {
                let at = usize::try_from(rng.below(64)).unwrap_or_default();
                char::from(CHARS.get(at).copied().unwrap_or(b'A'))
            });
            drawn.collect()
        };
        Self { fragment: chars(FRAGMENT_CHARS), password: Private::new(chars(PASSWORD_CHARS)) }
    }

    /// The peer's, from its description.
    ///
    /// # Errors
    ///
    /// [`NotCredentials`].
    pub fn parse(fragment: &str, password: &str) -> Result<Self, NotCredentials> {
        let sound = |text: &str, least: usize| {
            (least..=MOST_CHARS).contains(&text.len()) && text.bytes().all(|c| CHARS.contains(&c))
        };
        if !sound(fragment, 4) {
            return Err(NotCredentials::Fragment);
        }
        if !sound(password, 22) {
            return Err(NotCredentials::Password);
        }
        let password = Private::new(password.to_owned());
        Ok(Self { fragment: fragment.to_owned(), password })
    }

    /// `a=ice-ufrag`.
    #[must_use]
    pub fn fragment(&self) -> &str {
        &self.fragment
    }

    /// `a=ice-pwd`. A secret of the session.
    #[must_use]
    pub fn password(&self) -> &str {
        self.password.reveal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_long_enough_and_differ_and_the_password_is_not_shown() {
        let mut rng = Rng::from_number(1);
        let (one, two) = (Credentials::draw(&mut rng), Credentials::draw(&mut rng));
        assert_ne!(one, two);
        assert_eq!((one.fragment().len(), one.password().len()), (8, 24));
        assert_eq!(Credentials::parse(one.fragment(), one.password()), Ok(one.clone()));
        assert!(!format!("{one:?}").contains(one.password()));
    }

    #[test]
    fn what_is_too_short_too_long_or_of_other_signs_is_refused() {
        let password = "VOkJxbRl1RmTxUk/WvJxBt";
        let long = "a".repeat(257);
        let table = [
            ("evtj", password, Ok(())),
            ("evt", password, Err(NotCredentials::Fragment)),
            ("ev:tj", password, Err(NotCredentials::Fragment)),
            (&long, password, Err(NotCredentials::Fragment)),
            ("evtj", "VOkJxbRl1RmTxUk/WvJxB", Err(NotCredentials::Password)),
            ("evtj", "VOkJxbRl1RmTxUk/WvJxB\n", Err(NotCredentials::Password)),
            ("evtj", &long, Err(NotCredentials::Password)),
        ];
        for (fragment, password, want) in table {
            assert_eq!(
                Credentials::parse(fragment, password).map(|_| ()),
                want,
                "{fragment} {password}"
            );
        }
    }
}
