//! What happens to the desk as a whole.

use super::Means;
use crate::base::{AdHoc, CallId, Number, Wall};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Left out of an entry then, as those of earlier versions have it.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks so
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Something about the desk as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeskEvent {
    /// The daemon began with this plan.
    Started {
        /// The program's version.
        version: String,
        /// The plan's name.
        plan: String,
    },
    /// An orderly end.
    Stopped,
    /// A person closed or opened the desk out of turn. It takes the place of what held before for the
    /// same number.
    HoursChanged {
        /// Which desk number; left out: all. One's own goes before that of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<Number>,
        /// To what.
        to: AdHoc,
        /// Why, in the words of who did it.
        reason: String,
        /// Who did it: an agent's extension, or the name that was given.
        author: String,
        /// By what.
        by: Means,
        /// When it ends by itself.
        until: Wall,
    },
    /// The plan's hours hold again.
    HoursRestored {
        /// Of which desk number; left out: of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<Number>,
        /// Who did it; left out when its time was over or the number left the plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        author: Option<String>,
        /// By what.
        by: Means,
    },
    /// Numbers and names of old calls were erased by the running daemon, as `[store] keep_callers_days` has it.
    CallersErased {
        /// Of calls that arrived before then, but for callers who were still to be called back.
        before: Wall,
        /// Calls that had a number or a name.
        calls: u64,
        /// Their entries that had one.
        entries: u64,
        /// Calls that were left because the caller was still to be called back.
        kept: u64,
        /// Incidents that people had entered by hand before then, and that had words of theirs.
        #[serde(default, skip_serializing_if = "is_zero")]
        incidents: u64,
    },
    /// Numbers, names and words of a person were erased because that was asked for. What is not all told by one
    /// entry is told by several. Nothing in it says whose they were.
    ErasedOnRequest {
        /// The request, by the number that the site's own files give it.
        reference: String,
        /// Who ordered it.
        author: String,
        /// Calls that had a text.
        calls: Vec<CallId>,
        /// Incidents that people had entered by hand and that had words of theirs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        incidents: Vec<u64>,
        /// Entries that had a text.
        entries: u64,
        /// Recordings and voice messages that were deleted.
        recordings: u64,
        /// Calls that were left: their callers are still to be called back, or they were up.
        left: u64,
    },
    /// Somebody who may asked over HTTP for something to be changed, or for what is not for everybody: a
    /// recording, numbers in the SIP trace. Written before it is tried; what came of it has events of its own.
    Ordered {
        /// The user, or `token` for who came with one of the desk's tokens.
        who: String,
        /// What they were allowed as: `agent`, `supervisor`, `admin`.
        role: String,
        /// Method and path, at most 200 characters.
        what: String,
    },
    /// A person's login.
    PersonSignedIn {
        /// The user.
        who: String,
        /// As what.
        role: String,
        /// By what they proved who they are; left out: by their password.
        #[serde(default, skip_serializing_if = "SignedInBy::is_password")]
        by: SignedInBy,
    },
    /// A logout; one who just closes the page leaves none.
    PersonSignedOut {
        /// The user, or `token` for who had come with one of the desk's tokens.
        who: String,
        /// Which session it ended, by an id that opens nothing; older versions wrote none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<String>,
        /// When that would have ended by itself: until then a copy of its cookie is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Wall>,
    },
}

/// By what a person proved who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedInBy {
    /// The password of the people file.
    #[default]
    Password,
    /// The site's identity provider.
    Provider,
}

impl SignedInBy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_password(&self) -> bool {
        *self == Self::Password
    }
}
