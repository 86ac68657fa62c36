//! From a provider's claims to somebody who works here: which user, as what, at which line.

use super::Claims;
use crate::base::AgentId;
use crate::people::{People, Person, Role, is_name, is_user};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest path to a claim, members.
const MOST_MEMBERS: usize = 8;
/// Groups of one person that are looked at.
const MOST_GROUPS: usize = 2_000;

/// Where a claim stands: its name, or names of members inside each other with dots between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(String);

impl ClaimPath {
    /// Takes a path of at most 128 printable characters and 8 members.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        (fits && text.split('.').count() <= MOST_MEMBERS).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A claim whose name has dots in it goes before members inside each other.
    fn find<'c>(&self, claims: &'c Claims) -> Option<&'c Value> {
        if let Some(found) = claims.0.get(&self.0) {
            return Some(found);
        }
        let mut names = self.0.split('.');
        let first = claims.0.get(names.next()?)?;
        names.try_fold(first, |inside, name| inside.get(name))
    }
}

/// What was agreed with the provider, and how its claims are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its name, an address; exactly as it says it.
    pub issuer: String,
    /// Ours there.
    pub client_id: String,
    /// Where browsers come back to; the provider knows it too.
    pub redirect: String,
    /// What is asked for, with `openid`, parted by spaces.
    pub scope: String,
    /// The user name.
    pub user: ClaimPath,
    /// What must stand behind an `@` in it, and is taken off.
    pub domain: Option<String>,
    /// As colleagues know them; none: the user name.
    pub name: Option<ClaimPath>,
    /// The own line.
    pub extension: Option<ClaimPath>,
    /// What gives roles, and which text gives which; none: the people file gives them.
    pub roles: Option<(ClaimPath, BTreeMap<String, Role>)>,
}

/// Why somebody whom the provider knows does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEntry {
    /// The claim is missing, or can be no user name.
    #[error("the claim of the user name is missing, or can be no user name here")]
    NoUser,
    /// Of another domain.
    #[error("the user is not of the configured domain")]
    OtherDomain,
    /// A mail address that the provider has not seen to be theirs (Core §5.1, `email_verified`).
    #[error("the user's mail address is not verified")]
    Unverified,
    /// No group gives a role, or the people file has no such user.
    #[error("nothing gives the user a role")]
    NoRole,
    /// An agent without a line.
    #[error("the user would be an agent, and has no line")]
    NoLine,
    /// The name or the line is another account's.
    #[error("the user's name or line is another account's")]
    Clash,
}

/// Who it is. What the people file says of this user goes before claims of name and line; a role is given by the
/// claim where one is configured, the greatest if several.
///
/// # Errors
///
/// [`NoEntry`].
pub fn person(claims: &Claims, terms: &Terms, people: &People) -> Result<Person, NoEntry> {
    let user = user(claims, terms)?;
    let known = people.get(&user);
    let Some((path, given)) = &terms.roles else { return known.cloned().ok_or(NoEntry::NoRole) };
    let role = role(path.find(claims), given).ok_or(NoEntry::NoRole)?;
    let text = |path: &Option<ClaimPath>| path.as_ref()?.find(claims)?.as_str().map(str::to_owned);
    let name = match known {
        Some(known) => known.name.clone(),
        None => text(&terms.name).filter(|name| is_name(name)).unwrap_or_else(|| user.clone()),
    };
    let claimed = || text(&terms.extension).filter(|line| is_user(line)).map(AgentId::from);
    let extension = known.and_then(|known| known.extension.clone()).or_else(claimed);
    if role == Role::Agent && extension.is_none() {
        return Err(NoEntry::NoLine);
    }
    // Whoever may name themselves at the provider must not sign as a colleague here.
    let clash = people
        .iter()
        .filter(|other| other.user != user)
        .any(|other| other.name == name || extension.is_some() && other.extension == extension);
    if clash {
        return Err(NoEntry::Clash);
    }
    Ok(Person { user, name, role, extension, password: None })
}

fn user(claims: &Claims, terms: &Terms) -> Result<String, NoEntry> {
    let found = terms.user.find(claims).and_then(Value::as_str).ok_or(NoEntry::NoUser)?;
    if terms.user.as_str() == "email" && claims.0.get("email_verified") != Some(&Value::Bool(true))
    {
        return Err(NoEntry::Unverified);
    }
    let bare = match &terms.domain {
        None => found,
        Some(domain) => {
            let (bare, of) = found.rsplit_once('@').ok_or(NoEntry::OtherDomain)?;
            if !of.eq_ignore_ascii_case(domain) {
                return Err(NoEntry::OtherDomain);
            }
            bare
        }
    };
    if is_user(bare) { Ok(bare.to_owned()) } else { Err(NoEntry::NoUser) }
}

/// A text, or a list of texts.
fn role(found: Option<&Value>, given: &BTreeMap<String, Role>) -> Option<Role> {
    let one = |value: &Value| given.get(value.as_str()?).copied();
    match found? {
        Value::Array(all) => all.iter().take(MOST_GROUPS).filter_map(one).max(),
        value => one(value),
    }
}
