//! The files that hold secrets: accounts and the HTTP token. No line of them is ever shown.

use super::problem::Problem;
use crate::base::Private;
use crate::dialplan::shape::Shape;
use crate::dialplan::{Findings, Source};
use crate::people::is_user;
use crate::sip::api::AccountSecret;
use crate::sip::digest::Ha1;
use std::collections::BTreeMap;

/// What phones prove that they know, by user name.
pub type Accounts = BTreeMap<String, AccountSecret>;

/// Most accounts.
pub const MOST_ACCOUNTS: usize = 100_000;
/// Shortest password. What registers from a network is guessed at from the network.
const LEAST_PASSWORD: usize = 6;
/// Below this a password is taken, with a warning: a recorded digest can be guessed at leisure.
const STRONG_PASSWORD: usize = 12;
/// Shortest token: 128 bits as hex digits would be 32; a person may choose half of that.
const LEAST_TOKEN: usize = 16;

/// Reads `user<TAB>password` and `user<TAB>realm<TAB>MD5<TAB>SHA-256` lines; `#` begins a comment line, empty lines
/// are nothing.
///
/// What is wrong is added to `out`, which must have been made with [`Source::secret`].
pub fn accounts(out: &mut Findings) -> Accounts {
    let text = out.source().text();
    let mut accounts: BTreeMap<String, (usize, AccountSecret)> = BTreeMap::new();
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
        let span = user_span.end.saturating_add(1)..whole.end;
        let length = password.chars().count();
        let secret = if password.contains('\t') {
            let Some(secret) = hashes(password) else {
                out.at(&span, Problem::BadHashes);
                continue;
            };
            secret
        } else if !(LEAST_PASSWORD..=128).contains(&length)
            || password.chars().any(char::is_control)
        {
            out.at(&span, Problem::ShortPassword { least: LEAST_PASSWORD });
            continue;
        } else {
            AccountSecret::Password(Private::new(password.to_owned()))
        };
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
        // Of hashes nobody knows how long the password was.
        let is_password = matches!(secret, AccountSecret::Password(_));
        weak += usize::from(is_password && length < STRONG_PASSWORD);
        accounts.insert(user.to_owned(), (here, secret));
    }
    if weak > 0 {
        out.whole(Problem::WeakPasswords { count: weak, due: STRONG_PASSWORD });
    }
    accounts.into_iter().map(|(user, (_, secret))| (user, secret)).collect()
}

/// `realm<TAB>MD5<TAB>SHA-256`.
fn hashes(text: &str) -> Option<AccountSecret> {
    let fields: Vec<&str> = text.split('\t').collect();
    let [realm, md5, sha256] = fields.as_slice() else { return None };
    let ha1 = Ha1::from_hashes(md5, sha256)?;
    (!realm.is_empty()).then(|| AccountSecret::Hashed { realm: (*realm).to_owned(), ha1 })
}

/// A file of accounts with hashes in the place of passwords, everything else of it as it is; and how many there were.
/// What is not a line of an account stays, too: `accounts` refuses it.
#[must_use]
pub fn hashed(text: &str, realm: &str) -> (Private<String>, usize) {
    let (mut out, mut count) = (String::new(), 0);
    for line in text.split_inclusive('\n') {
        let (bare, end) = line.split_at(line.trim_end_matches(['\n', '\r']).len());
        match bare.split_once('\t') {
            Some((user, password)) if !bare.starts_with('#') && !password.contains('\t') => {
                let ha1 = Ha1::new(user, realm, password);
                let [md5, sha256] = ha1.hashes();
                out.push_str(&[user, realm, md5, sha256].join("\t"));
                count += 1;
            }
            _ => out.push_str(bare),
        }
        out.push_str(end);
    }
    (Private::new(out), count)
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
