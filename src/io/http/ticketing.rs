//! Ticket systems over HTTP: how each stands, what it has not got yet and why, what a person orders about that;
//! and who calls, for a panel.

use super::sip::base64;
use super::who::Who;
use super::{BoxFuture, Server, about, api};
use crate::base::{CallId, Private, TargetId};
use crate::event::{FeedEvent, Means};
use crate::pbx::Command;
use crate::view::{FeedStatus, OutboxRow, TICKET_BOUND, TargetGauge, TargetState};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};

/// Longest name of an author, characters.
const AUTHOR_BOUND: usize = 64;
/// Longest reason, characters.
const REASON_BOUND: usize = 200;
/// Longest words of a ticket that a person writes anew, characters.
const TEXT_BOUND: usize = 10_000;
/// Calls in one answer; the count is whole.
pub(super) const ROWS_BOUND: usize = 1_000;
/// Orders of a retry of everything that are under way at once: the engine commits many together, and its queue keeps
/// room for all else.
const RETRIED_AT_ONCE: usize = 16;
/// How often, and how long apart, one of them is given while the desk takes no orders.
const ORDERED_MOST: u32 = 30;
const ORDER_PAUSE: Duration = Duration::from_secs(1);
/// Of an order about all, and of a sheet: as many as a target has waiting, which the views bound.
const ALL: usize = usize::MAX;

/// What the feeding of ticket systems can be asked.
pub trait TicketDoors: Send + Sync {
    /// A person wants one call, or all, to be tried at once.
    fn again(&self, target: &TargetId, call: Option<CallId>);
    /// What a target is or would be handed of a call; none when the history has no such call.
    fn preview(&self, target: TargetId, call: CallId) -> BoxFuture<Option<Handover>>;
    /// The calls that a target has not got, as a sheet to be printed (HTML) or as CSV, and its media type.
    fn sheet(
        &self,
        target: TargetId,
        rows: Vec<OutboxRow>,
        csv: bool,
    ) -> BoxFuture<(&'static str, String)>;
    /// Who calls, within a third of a second.
    fn caller(&self, number: String) -> BoxFuture<Caller>;
}

/// What a target is handed of a call: its ticket, or what is due next for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Handover {
    /// By this it knows a repetition.
    pub key: String,
    /// One line; empty when a ticket is there and something is added to it.
    pub subject: Private<String>,
    /// Several lines.
    pub text: Private<String>,
    /// All values by name.
    pub values: BTreeMap<&'static str, Private<String>>,
    /// The target's fields by its own names of them, and what stands in each.
    pub fields: BTreeMap<String, Private<String>>,
}

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "WhoCalls")]
pub struct Caller {
    /// The person with this number in the imported directory.
    pub person: Option<Person>,
    /// Open tickets of this number, 10 at most.
    pub tickets: Vec<CallerTicket>,
    /// Whether every ticket system answered in time.
    pub whole: bool,
}

/// Somebody of the imported directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DirectoryPerson")]
pub struct Person {
    /// As the directory has it.
    pub name: String,
    /// Where he or she works.
    pub department: String,
    /// Anything else.
    pub note: String,
}

/// An open ticket of somebody who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallerTicket {
    /// At which target.
    pub target: TargetId,
    /// The target's name of it.
    pub ticket: String,
    /// Its subject.
    pub subject: Private<String>,
    /// Where a person looks at it.
    pub url: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Targets {
    targets: Vec<Target>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketTarget")]
pub(super) struct Target {
    #[serde(flatten)]
    status: FeedStatus,
    /// Which system it is: `redmine`, `rt`, `zammad`, `webhook`, `folder`, `ledger`.
    system: &'static str,
    /// Whether it can be fed.
    state: TargetState,
    /// Calls of which a try failed and that are tried again.
    troubled: u64,
    /// Tries that failed since the start, by the reason.
    failed: BTreeMap<&'static str, u64>,
}

/// `GET /api/v1/tickets`.
pub(super) async fn targets(State(server): State<Server>) -> Response {
    let gauges = (server.app.gauges)().targets;
    let statuses = server.app.hub.read(|views, _, _| views.feed_statuses());
    let target = |status: FeedStatus| {
        let gauge = gauges.iter().find(|gauge| gauge.target == status.target);
        let failed = gauge.map(|gauge: &TargetGauge| gauge.failed.iter().copied().collect());
        Target {
            system: gauge.map_or("", |gauge| gauge.kind),
            state: gauge.map_or(TargetState::Open, |gauge| gauge.state),
            troubled: gauge.map_or(0, |gauge| gauge.troubled),
            failed: failed.unwrap_or_default(),
            status,
        }
    };
    Json(Targets { targets: statuses.into_iter().map(target).collect() }).into_response()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OutboxWanted")]
pub(super) struct Wanted {
    /// Only those that wait for a person.
    #[serde(default)]
    stuck: bool,
    /// At most so many.
    #[serde(default)]
    #[schemars(range(min = 1, max = ROWS_BOUND))]
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Outbox {
    rows: Vec<OutboxRow>,
    /// How many there are.
    total: usize,
}

fn bad(why: impl Into<String>) -> Response {
    api::error(StatusCode::BAD_REQUEST, why)
}

fn no_such(what: &str) -> Response {
    api::error(StatusCode::NOT_FOUND, format!("there is no {what} of this name"))
}

fn is_fed(server: &Server, target: &TargetId) -> bool {
    server.app.hub.read(|views, _, _| views.feed_rules(target).is_some())
}

/// `GET /api/v1/tickets/{target}/outbox`.
pub(super) async fn outbox(
    State(server): State<Server>,
    Path(target): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Ok(Query(wanted)) = wanted else {
        return bad(format!("due are stuck, true or false, and limit, 1 to {ROWS_BOUND}"));
    };
    let most = wanted.limit.unwrap_or(ROWS_BOUND);
    if !(1..=ROWS_BOUND).contains(&most) {
        return bad(format!("due is limit, 1 to {ROWS_BOUND}"));
    }
    let target = TargetId::from(target);
    if !is_fed(&server, &target) {
        return no_such("ticket system");
    }
    let (rows, total) =
        server.app.hub.read(|views, _, _| views.outbox(&target, wanted.stuck, most));
    Json(Outbox { rows, total }).into_response()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SheetWanted")]
pub(super) struct Form {
    /// `html`, to be printed, or `csv`; without it `html`.
    #[serde(default)]
    #[schemars(extend("enum" = ["html", "csv"]))]
    format: Option<String>,
}

/// `GET /api/v1/tickets/{target}/sheet`: all calls, for none of them is to be forgotten on paper.
pub(super) async fn sheet(
    State(server): State<Server>,
    Path(target): Path<String>,
    form: Result<Query<Form>, QueryRejection>,
) -> Response {
    let csv = match form.as_ref().map(|Query(form)| form.format.as_deref()) {
        Ok(None | Some("html")) => false,
        Ok(Some("csv")) => true,
        Ok(Some(_)) | Err(_) => return bad("due is format, html or csv"),
    };
    let target = TargetId::from(target);
    if !is_fed(&server, &target) {
        return no_such("ticket system");
    }
    let (rows, _) = server.app.hub.read(|views, _, _| views.outbox(&target, false, ALL));
    let (kind, text) = server.app.tickets.sheet(target, rows, csv).await;
    let policy = may_style_itself(&text);
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, policy.as_str())], text).into_response()
}

/// A page that may use its own style, which stands first in it, and nothing else at all.
fn may_style_itself(page: &str) -> String {
    use sha2::Digest as _;
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    let hash = base64(&sha2::Sha256::digest(style.map_or("", |(style, _)| style).as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// `GET /api/v1/tickets/{target}/outbox/{id}`.
pub(super) async fn preview(
    State(server): State<Server>,
    Path((target, id)): Path<(String, String)>,
) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else { return bad("due is a call's id") };
    let target = TargetId::from(target);
    if !is_fed(&server, &target) {
        return no_such("ticket system");
    }
    match server.app.tickets.preview(target, CallId(id)).await {
        Some(preview) => Json(preview).into_response(),
        None => no_such("call"),
    }
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "OutboxOrder")]
pub(super) struct Order {
    /// Who orders it; who signed in by name may leave it out.
    #[schemars(length(min = 1, max = AUTHOR_BOUND), regex(pattern = about::WORDS))]
    author: Option<String>,
    /// Of `discard`: why.
    #[schemars(length(min = 1, max = REASON_BOUND), regex(pattern = about::WORDS))]
    reason: Option<String>,
    /// Of `edit`: the ticket's subject.
    #[schemars(length(min = 1, max = REASON_BOUND), regex(pattern = about::WORDS))]
    subject: Option<String>,
    /// Of `edit`: the words.
    #[schemars(length(min = 1, max = TEXT_BOUND))]
    text: Option<String>,
    /// Of `adopt`: the target's name of the ticket that is there already.
    #[schemars(length(min = 1, max = TICKET_BOUND), regex(pattern = about::WORDS))]
    ticket: Option<String>,
}

/// What is said is as it must be, also where the action asks for other things.
fn order_of(body: &Bytes) -> Result<Order, String> {
    if body.is_empty() {
        return Ok(Order::default());
    }
    let order: Order = serde_json::from_slice(body).map_err(
        |_| "due is a JSON object with author, and what is ordered: reason, subject, text, ticket",
    )?;
    let said = [
        ("reason", &order.reason, REASON_BOUND),
        ("subject", &order.subject, REASON_BOUND),
        ("ticket", &order.ticket, TICKET_BOUND),
    ];
    for (key, text, bound) in said {
        if let Some(text) = text {
            api::words(key, text, bound)?;
        }
    }
    if let Some(text) = &order.text {
        api::lines("text", text, TEXT_BOUND)?;
    }
    Ok(order)
}

/// Of a retry of everything.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "OutboxAgain")]
pub(super) struct Again {
    /// Who orders it; who signed in by name may leave it out.
    #[schemars(length(min = 1, max = AUTHOR_BOUND), regex(pattern = about::WORDS))]
    author: Option<String>,
}

/// `POST /api/v1/tickets/{target}/retry`: all that waits, also what waits for a person.
pub(super) async fn retry_all(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path(target): Path<String>,
    body: Bytes,
) -> Response {
    let read = if body.is_empty() { Ok(Again::default()) } else { serde_json::from_slice(&body) };
    let Ok(order): Result<Again, _> = read else {
        return bad("due is a JSON object with author, or nothing");
    };
    let author = match who.author(order.author.as_deref(), AUTHOR_BOUND) {
        Ok(author) => author,
        Err((status, why)) => return api::error(status, why),
    };
    let target = TargetId::from(target);
    if !is_fed(&server, &target) {
        return no_such("ticket system");
    }
    // First, for whatever becomes of the orders: a person says that a target which is away or barred is to be tried.
    server.app.tickets.again(&target, None);
    // Of its own: it goes on when who asked has left, as a page does that waits 10 s.
    let ended = tokio::spawn(retry_stuck(server, target, author)).await;
    refusal(ended).unwrap_or_else(|| StatusCode::NO_CONTENT.into_response())
}

/// Orders that each call which waits for a person be tried again. The answer when one is not obeyed; no further one
/// is given then.
async fn retry_stuck(server: Server, target: TargetId, author: String) -> Option<Response> {
    let (rows, _) = server.app.hub.read(|views, _, _| views.outbox(&target, true, ALL));
    let (mut under_way, mut refused) = (JoinSet::new(), None);
    for row in rows {
        if under_way.len() >= RETRIED_AT_ONCE
            && let Some(ended) = under_way.join_next().await
        {
            refused = refusal(ended);
            if refused.is_some() {
                break;
            }
        }
        // Somebody else may have ordered about it meanwhile, or the same person once more.
        let now = server.app.hub.read(|views, _, _| views.outbox_row(&target, row.call));
        if now.is_none_or(|now| now.stuck.is_none()) {
            continue;
        }
        let event = Box::new(FeedEvent::FeedRetried { author: author.clone(), by: Means::Api });
        let command = Command::Feed { target: target.clone(), call: Some(row.call), event };
        let server = server.clone();
        under_way.spawn(async move { order_again(&server, command).await });
    }
    // What was given is heard to its end: what became of it is the answer.
    while let Some(ended) = under_way.join_next().await {
        refused = refused.or(refusal(ended));
    }
    if let Some(refused) = &refused {
        // Who ordered it may have left.
        tracing::warn!(target_name = %target, status = refused.status().as_u16(), "not all that waits for a person in a ticket system's outbox could be ordered to be tried again; order it once more / 「すべて再試行」が途中で終わりました");
    }
    refused
}

/// Orders one to be tried again; while the desk is too busy to take the order, again each second. What stands against it.
async fn order_again(server: &Server, command: Command) -> Option<Response> {
    for _ in 0..ORDERED_MOST {
        let refused = api::put(server, command.clone()).await.err()?;
        if refused.status() != StatusCode::SERVICE_UNAVAILABLE {
            return Some(refused);
        }
        tokio::time::sleep(ORDER_PAUSE).await;
    }
    api::put(server, command).await.err()
}

/// What stands against it, of orders that were given aside.
fn refusal(ended: Result<Option<Response>, JoinError>) -> Option<Response> {
    ended.unwrap_or_else(|_| {
        let why = "a fault while they were ordered to be tried again; the log says where";
        Some(api::error(StatusCode::SERVICE_UNAVAILABLE, why))
    })
}

/// `POST /api/v1/tickets/{target}/outbox/{id}/{action}`.
pub(super) async fn order(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path((target, id, action)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else { return bad("due is a call's id") };
    let (target, call) = (TargetId::from(target), CallId(id));
    let order = match order_of(&body) {
        Ok(order) => order,
        Err(why) => return bad(why),
    };
    let author = match who.author(order.author.as_deref(), AUTHOR_BOUND) {
        Ok(author) => author,
        Err((status, why)) => return api::error(status, why),
    };
    if !is_fed(&server, &target) {
        return no_such("ticket system");
    }
    let (waits, stuck, ticket) = server.app.hub.read(|views, _, _| {
        let row = views.outbox_row(&target, call);
        let ticket = views.ticket_of(&target, call).map(ToOwned::to_owned);
        (row.is_some(), row.is_some_and(|row| row.stuck.is_some()), ticket)
    });
    let adopted = action == "adopt" && ticket.is_some();
    if !waits && !adopted {
        return api::error(StatusCode::NOT_FOUND, "nothing of this call waits for this target");
    }
    let event = match action.as_str() {
        "retry" if stuck => FeedEvent::FeedRetried { author, by: Means::Api },
        "retry" => {
            server.app.tickets.again(&target, Some(call));
            return StatusCode::NO_CONTENT.into_response();
        }
        "discard" => {
            match api::words("reason", order.reason.as_deref().unwrap_or_default(), REASON_BOUND) {
                Ok(reason) => FeedEvent::FeedDiscarded { reason, author, by: Means::Api },
                Err(why) => return bad(why),
            }
        }
        "edit" if !stuck => {
            return api::error(
                StatusCode::CONFLICT,
                "it is tried still: only what waits for a person is edited",
            );
        }
        "edit" => match edited(&order) {
            Ok((subject, text)) => FeedEvent::FeedEdited { subject, text, author, by: Means::Api },
            Err(why) => return bad(why),
        },
        "adopt" => {
            let named = order.ticket.as_deref().unwrap_or_default();
            match api::words("ticket", named, TICKET_BOUND) {
                Ok(named) if ticket.as_ref() == Some(&named) => {
                    return StatusCode::NO_CONTENT.into_response(); // It is so already.
                }
                Ok(named) => match ticket {
                    Some(other) => {
                        let why = format!("the call has the ticket {other} there already");
                        return api::error(StatusCode::CONFLICT, why);
                    }
                    None => FeedEvent::TicketAdopted { ticket: named, author, by: Means::Api },
                },
                Err(why) => return bad(why),
            }
        }
        _ => return bad("due is retry, discard, edit or adopt"),
    };
    let event = Box::new(event);
    let command = Command::Feed { target: target.clone(), call: Some(call), event };
    let answer = api::obeyed(&server, command).await;
    server.app.tickets.again(&target, Some(call));
    answer
}

fn edited(order: &Order) -> Result<(Option<Private<String>>, Private<String>), String> {
    let subject = order.subject.as_deref();
    let subject = subject.map(|it| api::words("subject", it, REASON_BOUND)).transpose()?;
    let text = api::lines("text", order.text.as_deref().unwrap_or_default(), TEXT_BOUND)?;
    Ok((subject.map(Private::new), Private::new(text)))
}

/// `GET /api/v1/callers/{number}`.
pub(super) async fn caller(State(server): State<Server>, Path(number): Path<String>) -> Response {
    let digits = number.strip_prefix('+').unwrap_or(&number);
    if !(1..=32).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return bad("due is a number, 1 to 32 digits");
    }
    Json(server.app.tickets.caller(number).await).into_response()
}
