//! The files that hold secrets: accounts and the HTTP token. No line of them is ever shown.

use super::problem::Problem;
use crate::base::Private;
use crate::dialplan::shape::Shape;
use crate::dialplan::{Findings, Source};
use crate::people::is_user;
use std::collections::BTreeMap;

/// Passwords by user name.
pub type Accounts = BTreeMap<String, Private<String>>;

/// Most accounts.
pub const MOST_ACCOUNTS: usize = 100_000;
/// Shortest password. What registers from a network is guessed at from the network.
const LEAST_PASSWORD: usize = 6;
/// Below this a password is taken, with a warning: a recorded digest can be guessed at leisure.
const STRONG_PASSWORD: usize = 12;
/// Shortest token: 128 bits as hex digits would be 32; a person may choose half of that.
const LEAST_TOKEN: usize = 16;

/// Reads `user<TAB>password` lines; `#` begins a comment line, empty lines are nothing.
///
/// What is wrong is added to `out`, which must have been made with [`Source::secret`].
pub fn accounts(out: &mut Findings) -> Accounts {
    let text = out.source().text();
    let mut accounts: BTreeMap<String, (usize, Private<String>)> = BTreeMap::new();
    let mut weak = 0;
    let mut start = 0_usize;
    for line in text.split_inclusive('\n') {
        let whole = start..start.saturating_add(line.trim_end().len());
        let here = start;
        start = start.saturating_add(line.len());
        let line = line.trim_end_matches(['\n', '\r']);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((user, password)) = line.split_once('\t') else {
            out.at(&whole, Problem::BadAccountLine);
            continue;
        };
        let user_span = here..here.saturating_add(user.len());
        if !is_user(user) {
            out.at(&user_span, Problem::BadUser);
            continue;
        }
        let length = password.chars().count();
        if !(LEAST_PASSWORD..=128).contains(&length) || password.chars().any(char::is_control) {
            let span = user_span.end.saturating_add(1)..whole.end;
            out.at(&span, Problem::ShortPassword { least: LEAST_PASSWORD });
            continue;
        }
        if let Some((first, _)) = accounts.get(user) {
            let line = out.source().line_of(*first);
            out.at(&user_span, Problem::Twice { what: user.to_owned(), line });
            continue;
        }
        if accounts.len() >= MOST_ACCOUNTS {
            let key = "accounts".to_owned();
            out.at(&whole, Shape::TooMany { key, most: MOST_ACCOUNTS });
            break;
        }
        weak += usize::from(length < STRONG_PASSWORD);
        accounts.insert(user.to_owned(), (here, Private::new(password.to_owned())));
    }
    if weak > 0 {
        out.whole(Problem::WeakPasswords { count: weak, due: STRONG_PASSWORD });
    }
    accounts.into_iter().map(|(user, (_, password))| (user, password)).collect()
}

/// The token in a file's text.
pub(super) fn token(text: &str, file: &str) -> Result<Private<String>, Findings<'static>> {
    let token = text.trim();
    let fits = (LEAST_TOKEN..=256).contains(&token.len());
    if fits && token.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(Private::new(token.to_owned()));
    }
    let mut out = Findings::new(Source::secret("", file));
    out.whole(Problem::ShortToken { least: LEAST_TOKEN });
    Err(out)
}

/// A carrier's password: the first line of its file. The carrier chose it, so its length is not judged.
pub(super) fn trunk_password(text: &str, file: &str) -> Result<Private<String>, Findings<'static>> {
    let password = text.lines().next().unwrap_or_default().trim();
    if (1..=128).contains(&password.len()) && !password.chars().any(char::is_control) {
        return Ok(Private::new(password.to_owned()));
    }
    let mut out = Findings::new(Source::secret("", file));
    out.whole(Problem::ShortPassword { least: 1 });
    Err(out)
}
