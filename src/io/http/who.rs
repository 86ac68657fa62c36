//! Who sent a request, and what that one may be author of and act for.

use super::api;
use crate::base::AgentId;
use crate::people::{Person, Role};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;

/// The author of a request that is let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// Who came with an account; none with one of the desk's tokens.
    pub(super) person: Option<(String, String)>,
    /// What it may.
    pub(super) role: Role,
    /// The own line.
    pub(super) extension: Option<AgentId>,
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forbidden(pub(super) Cow<'static, str>);

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        api::error(StatusCode::FORBIDDEN, self.0)
    }
}

/// What stands in the history of who came with a token.
const TOKEN: &str = "token";

impl Who {
    pub(super) fn by_token(role: Role) -> Self {
        Self { person: None, role, extension: None }
    }

    pub(super) fn person(person: &Person) -> Self {
        Self {
            person: Some((person.user.clone(), person.name.clone())),
            role: person.role,
            extension: person.extension.clone(),
        }
    }

    /// For the history.
    pub(super) fn user(&self) -> &str {
        self.person.as_ref().map_or(TOKEN, |(user, _)| user)
    }

    /// Whose word it is: a person's own name, whatever else is said; of who came with a token, the name given.
    ///
    /// # Errors
    ///
    /// Status and words of the answer, when another's name was given, or none where one is due.
    pub(super) fn author(
        &self,
        given: Option<&str>,
        bound: usize,
    ) -> Result<String, (StatusCode, String)> {
        match (&self.person, given) {
            (Some((_, name)), None) => Ok(name.clone()),
            (Some((_, name)), Some(given)) if given.trim() == name => Ok(name.clone()),
            (Some((_, name)), Some(_)) => {
                let due = format!("the author is {name}, who signed in; due is no other's name");
                Err((StatusCode::FORBIDDEN, due))
            }
            (None, given) => api::words("author", given.unwrap_or_default(), bound)
                .map_err(|why| (StatusCode::BAD_REQUEST, why)),
        }
    }

    /// Whether it may order something about this line: its own, or anybody's from a supervisor on.
    ///
    /// # Errors
    ///
    /// When it may not.
    pub(super) fn may_act_for(&self, agent: &AgentId) -> Result<(), Forbidden> {
        if self.role >= Role::Supervisor || self.extension.as_ref() == Some(agent) {
            return Ok(());
        }
        Err(Forbidden("an agent orders about the own line only".into()))
    }

    /// Whether the phone that would hear a talk is its own, or any from an administrator on.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub(super) fn may_listen_at(&self, phone: &AgentId) -> Result<(), Forbidden> {
        if self.role >= Role::Admin || self.extension.as_ref() == Some(phone) {
            return Ok(());
        }
        Err(Forbidden("a supervisor listens at the own phone only".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent() -> Who {
        Who {
            person: Some(("sato".into(), "佐藤".into())),
            role: Role::Agent,
            extension: Some("2001".into()),
        }
    }

    #[test]
    fn nobody_signs_with_anothers_name() {
        assert_eq!(agent().author(None, 64).ok().as_deref(), Some("佐藤"));
        assert_eq!(agent().author(Some("佐藤"), 64).ok().as_deref(), Some("佐藤"));
        let refused = agent().author(Some("鈴木"), 64).expect_err("another's");
        assert_eq!(refused.0, StatusCode::FORBIDDEN);
        let token = Who::by_token(Role::Admin);
        assert_eq!(token.author(Some("鈴木"), 64).ok().as_deref(), Some("鈴木"));
        assert_eq!(token.author(None, 64).expect_err("nobody").0, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn an_agent_acts_for_the_own_line_only_and_a_supervisor_listens_at_the_own_phone() {
        let supervisor = Who { role: Role::Supervisor, ..agent() };
        let admin = Who::by_token(Role::Admin);
        let (own, other) = (AgentId::from("2001"), AgentId::from("2002"));
        assert!(agent().may_act_for(&own).is_ok() && agent().may_act_for(&other).is_err());
        assert!(supervisor.may_act_for(&other).is_ok() && admin.may_act_for(&other).is_ok());
        assert!(
            supervisor.may_listen_at(&own).is_ok() && supervisor.may_listen_at(&other).is_err()
        );
        assert!(admin.may_listen_at(&other).is_ok());
    }
}
