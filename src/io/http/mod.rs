//! What people and programs see over HTTP: the wallboard, the API, the metrics page, the health page.
//!
//! Everything shown is read from the views or asked of the store; everything ordered becomes an
//! input of the engine. No rule of the desk and no figure is made here. A slow or lost browser
//! costs its own connection and nothing else.
//!
//! Who may: `/healthz` and the login page are open and say nothing of calls; all else needs a login or a
//! token, and what each role may stands in `routes`.

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod about;
mod api;
mod attended;
mod auth;
mod day;
mod doors;
mod drain;
mod erasures;
mod figures;
mod guard;
mod health;
mod hours;
mod hub;
mod in_call;
mod incidents;
mod log;
mod login;
mod openapi;
mod operating;
mod pages;
mod panel;
mod parked;
mod people;
mod plan;
mod planning;
mod range;
mod recordings;
mod reload;
mod routes;
mod secure;
mod sign_on;
mod sip;
mod stream;
mod talks;
mod ticketing;
mod who;

#[cfg(test)]
mod tests;

pub use auth::{Token, WeakToken};
pub use drain::Drains;
pub use erasures::{
    Anchored, EraseFn, Erasure, ErasureFailure, ErasureWanted, HandedOver, LeftAlone, WhyLeft,
};
pub use guard::MAX_CONNECTIONS;
pub use health::{REASONS, STALLED};
pub use hub::{FEED_BOUND, NowFn, PUBLISH_EVERY, Reread, ViewHub};
pub use log::{LogDoors, LogRow};
pub use openapi::document as openapi;
pub use people::PeopleNow;
pub use plan::{
    NotActivated, NotCompared, PlanEffect, PlanEffectCall, PlanEffectNumber, PlanText, Plans,
};
pub use planning::{
    NoTonight, NotAsked, Planner, Planning, PlanningAnswer, PlanningBasis, PlanningDay,
    PlanningHalfHour, PlanningLevel, PlanningLevels, PlanningLines, PlanningPoint, PlanningRoster,
    PlanningShift, PlanningSpan, PlanningState, PlanningStep, PlanningWanted, Tonight,
    TonightRates,
};
pub use recordings::{Opened, Pieces, Recordings};
pub use reload::{Differs, Reading, Reloads};
pub use secure::{TlsNow, shown as shown_by_tls};
pub use sign_on::{Provider, ProviderFailure, SignOn};
pub use sip::{MAX_TRACES, TraceSource};
pub use stream::MAX_STREAMS;
pub use ticketing::{Caller, CallerTicket, Handover, Person, TicketDoors};

use crate::base::{CallId, Wall};
use crate::event::{DeskEvent, Entry};
use crate::pbx::api::{Command, CommandError};
use crate::view::{Blocked, Gauges, Month, Views};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Largest request body, bytes.
pub const BODY_BOUND: usize = 16 * 1024;

/// Event streams are told to end and connections have this long to do so when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A future of a closure's.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Gives a person's command to the engine and tells what became of it.
pub type CommandSink = Arc<dyn Fn(Command) -> BoxFuture<Result<(), CommandFailure>> + Send + Sync>;

/// Reads the machine's gauges.
pub type GaugesFn = Arc<dyn Fn() -> Gauges + Send + Sync>;

/// Makes the metrics page.
pub type MetricsFn =
    Arc<dyn Fn(&Views, &Gauges, Wall, &dyn Fn(CallId) -> Option<u64>) -> String + Send + Sync>;

/// Reads one call's entries from the store, none when it has none; the error is for the log.
pub type LadderFn = Arc<dyn Fn(CallId) -> BoxFuture<Result<Vec<Entry>, String>> + Send + Sync>;

/// The history's hash after an entry, hexadecimal; none when it cannot be read.
pub type HashFn = Arc<dyn Fn(u64) -> BoxFuture<Option<String>> + Send + Sync>;

/// Some calls, all or (true) those with recordings, whose ids lie from the first one on and below the second,
/// the greatest ids first, each with its entries in order; none when there are no more. The error is for the log.
pub type ListedFn = Arc<
    dyn Fn(CallId, CallId, bool) -> BoxFuture<Result<Vec<(CallId, Vec<Entry>)>, String>>
        + Send
        + Sync,
>;

/// Makes a month's report as files: names and bytes. The error is for who asks.
pub type ReportFn =
    Arc<dyn Fn(Month) -> BoxFuture<Result<Vec<(String, Vec<u8>)>, String>> + Send + Sync>;

/// Writes something of people into the history; false when it could not.
pub type NoteFn = Arc<dyn Fn(DeskEvent) -> BoxFuture<bool> + Send + Sync>;

/// Sources that are not listened to, and the way to let one in again.
#[derive(Clone)]
pub struct Doors {
    /// The doors that are shut.
    pub shut: Arc<dyn Fn() -> Vec<Blocked> + Send + Sync>,
    /// Opens all that are shut for an address: whether any was; none when the engine does not answer.
    pub open: Arc<dyn Fn(std::net::IpAddr) -> BoxFuture<Option<bool>> + Send + Sync>,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandFailure {
    /// The desk's rules say no.
    Refused(CommandError),
    /// The engine did not answer in time, or its queue is full.
    Unavailable,
}

/// All that the pages are made from.
#[derive(Clone)]
pub struct App {
    /// The views.
    pub hub: ViewHub,
    /// What a caller of the API must know.
    pub token: Token,
    /// The same for those who only look: they change nothing, and see no numbers in the SIP trace.
    pub viewer: Option<Token>,
    /// The same for a screen on a wall: the board and nothing else.
    pub wall: Option<Token>,
    /// People's accounts.
    pub people: PeopleNow,
    /// The site's identity provider, if people come by it.
    pub sign_on: Option<SignOn>,
    /// Writes who came and who ordered what into the history.
    pub note: NoteFn,
    /// The plan's file.
    pub plans: Arc<dyn Plans>,
    /// What is read again, and whether it could be.
    pub reloads: Arc<dyn Reloads>,
    /// Makes a month's report.
    pub report: ReportFn,
    /// Answers how many agents a month needs.
    pub planner: Arc<dyn Planner>,
    /// Whether browsers come by TLS: cookies then go over nothing else.
    pub secure: bool,
    /// The way into the engine.
    pub commands: CommandSink,
    /// Erases a person on request.
    pub erase: EraseFn,
    /// The machine's state.
    pub gauges: GaugesFn,
    /// The metrics page.
    pub metrics: MetricsFn,
    /// One call's entries.
    pub ladder: LadderFn,
    /// The history's hash after an entry.
    pub hash: HashFn,
    /// The calls of a time.
    pub listed: ListedFn,
    /// The SIP trace.
    pub trace: TraceSource,
    /// Who is shut out.
    pub doors: Doors,
    /// The log's levels.
    pub log: LogDoors,
    /// The way to an end without a call cut off.
    pub drains: Arc<dyn Drains>,
    /// The feeding of ticket systems.
    pub tickets: Arc<dyn TicketDoors>,
    /// Recordings of calls, if any are made.
    pub recordings: Option<Recordings>,
    /// The program's version.
    pub version: String,
}

/// What every handler holds.
#[derive(Clone)]
struct Server {
    app: Arc<App>,
    streams: Arc<tokio::sync::Semaphore>,
    traces: Arc<tokio::sync::Semaphore>,
    fetches: Arc<tokio::sync::Semaphore>,
    reports: Arc<tokio::sync::Semaphore>,
    logins: login::Desk,
    stopping: watch::Receiver<bool>,
}

/// Serves until `stop` is done, then lets running answers end for a moment.
///
/// # Errors
///
/// Never after it has begun: trouble with one connection ends that one.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsNow>,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stop_tx, stopping) = watch::channel(false);
    let server = Server {
        app: Arc::new(app),
        streams: Arc::new(tokio::sync::Semaphore::new(MAX_STREAMS)),
        traces: Arc::new(tokio::sync::Semaphore::new(MAX_TRACES)),
        fetches: Arc::new(tokio::sync::Semaphore::new(recordings::MAX_FETCHES)),
        reports: Arc::new(tokio::sync::Semaphore::new(1)),
        logins: login::Desk::new(),
        stopping: stopping.clone(),
    };
    let wait = |mut stopping: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, which is the end as well.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let secured = secure::Secured::new(guard::Guarded::new(listener), tls);
    let service = router(server).into_make_service_with_connect_info::<guard::Peer>();
    let served = axum::serve(secured, service).with_graceful_shutdown(wait(stopping.clone()));
    tokio::spawn(async move {
        stop.await;
        let _ = stop_tx.send(true);
    });
    let patience = async move {
        wait(stopping).await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        ended = served => ended,
        () = patience => Ok(()),
    }
}

fn router(server: Server) -> Router {
    let closed = routes::router().layer(from_fn_with_state(server.clone(), auth::authorize));
    Router::new()
        .route("/", get(pages::wallboard))
        .route("/login.js", get(pages::login_script))
        .route("/login/oidc", get(sign_on::begin))
        .route(crate::people::sign_on::WAY_BACK, get(sign_on::back))
        .route("/panel", get(panel::page))
        .route("/panel/{file}", get(panel::file))
        .route("/recordings", get(pages::recordings))
        .route("/recordings.css", get(pages::recordings_style))
        .route("/recordings.js", get(pages::recordings_script))
        .route("/supervisor", get(pages::supervisor))
        .route("/supervisor/{file}", get(pages::supervisor_file))
        .route("/tv", get(pages::tv))
        .route("/tv.js", get(pages::tv_script))
        .route("/lib/{name}", get(pages::library))
        .route("/wallboard.css", get(pages::style))
        .route("/wallboard.js", get(pages::script))
        .route("/wallboard-chart.js", get(pages::chart))
        .route("/wallboard-words.js", get(pages::words))
        .merge(routes::open_router())
        .merge(closed)
        .fallback(api::not_found)
        .layer(DefaultBodyLimit::max(BODY_BOUND))
        .layer(from_fn(api::in_words))
        .layer(from_fn(pages::harden))
        .with_state(server)
}
