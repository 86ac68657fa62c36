//! A person's numbers, names, words and recordings erased because that was asked for, and the proof of it. How it is
//! done is handed in.

use super::who::Who;
use super::{BoxFuture, Server, about, api};
use crate::base::{CallId, Private};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Longest name of an author, and of a request, characters.
const AUTHOR_BOUND: usize = 64;
const REFERENCE_BOUND: usize = 64;

/// Does it.
pub type EraseFn =
    Arc<dyn Fn(ErasureWanted) -> BoxFuture<Result<Erasure, ErasureFailure>> + Send + Sync>;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct ErasureWanted {
    /// Whose: by number.
    pub number: Option<Private<String>>,
    /// Whose: by name.
    pub name: Option<Private<String>>,
    /// The request, by the number that the site's own files give it.
    pub reference: String,
    /// Who orders it.
    pub author: String,
}

/// Why it was not done, or not to its end; it may be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErasureFailure {
    /// Nobody can be looked for by what was said; in English.
    Unfit(String),
    /// The journal or the engine said no; in English, nothing of a person's.
    Failed(String),
}

/// A place in the history and its hash there: an anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ErasureAnchor")]
pub struct Anchored {
    /// The entry.
    pub seq: u64,
    /// The hash there, hexadecimal; null when it could not be read.
    pub hash: Option<String>,
}

/// A call whose texts, or one of whose recordings, were left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ErasureLeft")]
pub struct LeftAlone {
    /// Which.
    pub call: CallId,
    /// Why.
    pub why: WhyLeft,
}

/// Why something was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ErasureWhyLeft")]
#[serde(rename_all = "snake_case")]
pub enum WhyLeft {
    /// The call was up: ask again when it is over.
    Up,
    /// The caller is still to be called back: cancel that, then ask again.
    ToBeCalledBack,
    /// A recording is held (`.hold`): take that away, then ask again by the same reference; the texts stay until then.
    RecordingHeld,
    /// A recording could not be deleted, is not whole yet, or cannot be seen: ask again by the same reference. The texts
    /// are erased, so that no other request finds the call.
    RecordingNotDeleted,
}

/// What a ticket system was handed earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ErasureHandedOver")]
pub struct HandedOver {
    /// Which system.
    pub target: String,
    /// Of which call.
    pub call: CallId,
    /// Its ticket there.
    pub ticket: String,
}

/// The proof of an erasure. Nothing in it says whose it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Erasure {
    /// The request, by the number that the site's own files give it.
    pub reference: String,
    /// Who ordered it.
    pub author: String,
    /// When it began, in the desk's zone.
    pub began_at: String,
    /// When it had ended.
    pub ended_at: String,
    /// The history before.
    pub before: Anchored,
    /// The history after, with the entry that tells of this.
    pub after: Anchored,
    /// Calls whose texts were erased.
    pub calls: Vec<CallId>,
    /// Incidents entered by hand whose words were erased, by the entries that opened them.
    pub incidents: Vec<u64>,
    /// Entries that had a text.
    pub entries: u64,
    /// The texts.
    pub texts: u64,
    /// Recordings and voice messages that were deleted, by their paths in the folder of recordings.
    pub recordings: Vec<String>,
    /// What was left, and why.
    pub left: Vec<LeftAlone>,
    /// What ticket systems have of these calls: it is to be erased there by hand.
    pub handed_over: Vec<HandedOver>,
    /// Entries that were looked through afterwards.
    pub searched_again: u64,
    /// Calls and incidents in which the person was found then, those that were left among them.
    pub found_again: u64,
    /// Whether the file beside the store that had copies of the texts is empty.
    pub copies_emptied: bool,
    /// Whether traces may lie in unused parts of the store, because an earlier version wrote these entries.
    pub traces_possible: bool,
    /// What this does not reach, in Japanese.
    pub not_reached_ja: Vec<String>,
    /// What this does not reach, in English.
    pub not_reached: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ErasureRequest")]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// A telephone number, with or without hyphens; this or a name, or both.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    number: Option<String>,
    /// A name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    name: Option<String>,
    /// The request, by the number that the site's own files give it: it stands in the history for ever.
    #[schemars(length(min = 1, max = REFERENCE_BOUND), regex(pattern = about::WORDS))]
    reference: String,
    /// Who orders it; who signed in by name may leave it out.
    #[serde(default)]
    #[schemars(length(min = 1, max = AUTHOR_BOUND), regex(pattern = about::WORDS))]
    author: Option<String>,
}

/// `POST /api/v1/erasures`.
pub(super) async fn erase(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Response {
    let bad = |why: String| api::error(StatusCode::BAD_REQUEST, why);
    // What serde says of a wrong body may have the number in it.
    let Ok(wanted) = serde_json::from_slice::<Wanted>(&body) else {
        return bad(
            "due is JSON with number or name (or both) and reference, and nothing else".to_owned()
        );
    };
    let reference = match api::words("reference", &wanted.reference, REFERENCE_BOUND) {
        Ok(reference) => reference,
        Err(why) => return bad(why),
    };
    let author = match who.author(wanted.author.as_deref(), AUTHOR_BOUND) {
        Ok(author) => author,
        Err((status, why)) => return api::error(status, why),
    };
    let given =
        |text: Option<String>| text.filter(|text| !text.trim().is_empty()).map(Private::new);
    let (number, name) = (given(wanted.number), given(wanted.name));
    if number.is_none() && name.is_none() {
        return bad("due is a number or a name".to_owned());
    }
    let wanted = ErasureWanted { number, name, reference, author };
    match (server.app.erase)(wanted).await {
        Ok(erasure) => Json(erasure).into_response(),
        Err(ErasureFailure::Unfit(why)) => bad(why),
        Err(ErasureFailure::Failed(why)) => {
            tracing::error!(why, "an erasure that was asked for did not come to its end");
            let why = format!("it did not come to its end, and is to be asked again: {why}");
            api::error(StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}
