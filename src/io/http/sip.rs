//! The SIP trace for people and programs: live, as a list, and one call's as a ladder, a page, a
//! capture file. Numbers and names are pseudonyms unless the request says `reveal=numbers`, and then
//! the log says so; credentials are never shown.

use super::auth::Leave;
use super::{Server, about, api};
use crate::base::CallId;
use crate::trace::{
    Glance, Ladder, PAGE_STYLE, Record, Redactor, Reveal, Seen, Tracer, ladder_text, line, page,
    pcap,
};
use crate::view;
use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Live traces at once; one more is refused with 503. Each costs up to a tenth of a core under load.
pub const MAX_TRACES: usize = 4;
/// Messages that a live trace looks at in one turn; it leaves out older ones and says how many.
const TURN: usize = 1_000;
/// Between two turns of a live trace.
const EVERY: Duration = Duration::from_millis(100);
/// Turns between two signs of life.
const BEAT: u32 = 20;
/// Events that wait for a reader; one who takes none for ten seconds is let go.
const WAITING: usize = 64;
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages in one answer, and unless asked otherwise.
const MOST: usize = 1_000;
const USUAL: usize = 100;
/// Messages of one capture file; later ones are left out.
const CAPTURED: usize = 20_000;

/// Where the messages are.
pub type TraceSource = Arc<dyn Tracer>;

/// What is asked for; every field at most once.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// A call's id.
    #[schemars(with = "Option<uuid::Uuid>")]
    call: Option<String>,
    /// The user part of From, as it is on the wire.
    from: Option<String>,
    /// The user part of To, as it is on the wire.
    to: Option<String>,
    /// That of `CSeq`, so that answers come too.
    method: Option<String>,
    /// Adds the message as `text`.
    #[schemars(with = "Option<about::YesOrNo>")]
    full: Option<String>,
    /// `numbers`: with numbers and names as they are; a supervisor is due.
    #[schemars(with = "Option<about::RevealWord>")]
    reveal: Option<String>,
    /// Only what came behind this `seq`.
    after: Option<u64>,
    /// Messages in the answer; 100 if left out.
    #[schemars(range(min = 1, max = MOST))]
    limit: Option<usize>,
}

type Asked = Result<Query<Wanted>, axum::extract::rejection::QueryRejection>;

/// [`Wanted`], understood.
struct Sieve {
    call: Option<CallId>,
    from: Option<String>,
    to: Option<String>,
    method: Option<String>,
    full: bool,
    reveal: Reveal,
    after: u64,
    limit: usize,
}

impl Sieve {
    fn read(asked: Asked) -> Result<Self, String> {
        let Ok(Query(wanted)) = asked else {
            return Err(
                "due are at most call, from, to, method, full, reveal, after and limit, each once"
                    .to_owned(),
            );
        };
        let call = wanted.call.as_deref().map(call_id).transpose()?;
        let full = match wanted.full.as_deref() {
            None | Some("0" | "false") => false,
            Some("1" | "true" | "") => true,
            Some(other) => return Err(format!("full={other}; due is 1 or 0")),
        };
        let limit = wanted.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(format!("limit={limit}; due is 1 to {MOST}"));
        }
        Ok(Self {
            call,
            from: wanted.from,
            to: wanted.to,
            method: wanted.method,
            full,
            reveal: revealed(wanted.reveal.as_deref())?,
            after: wanted.after.unwrap_or(0),
            limit,
        })
    }

    /// The message as it is shown, when it is wanted.
    fn shown(
        &self,
        record: &Record,
        tracer: &dyn Tracer,
        zone: chrono_tz::Tz,
        redactor: &mut Redactor,
    ) -> Option<Shown> {
        let call = record.call_id().and_then(|id| tracer.call_of(id));
        if self.call.is_some() && self.call != call {
            return None;
        }
        let seen = Seen::read(&record.bytes);
        let glance = seen.as_ref().map(Glance::of).unwrap_or_default();
        let is = |due: &Option<String>, found: &str| due.as_deref().is_none_or(|due| due == found);
        let method = |due: &String| due.eq_ignore_ascii_case(&glance.cseq_method);
        if !is(&self.from, &glance.from)
            || !is(&self.to, &glance.to)
            || !self.method.as_ref().is_none_or(method)
        {
            return None;
        }
        let text = self.full.then(|| {
            let bytes = redactor.message(&record.bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Some(Shown {
            seq: record.seq,
            at: view::written(record.at.wall, zone),
            direction: record.direction.name(),
            transport: record.flow.transport.as_str().to_owned(),
            remote: record.flow.remote.to_string(),
            call,
            line: line(record, &glance, seen.as_ref(), zone, redactor),
            method: glance.method,
            status: glance.status,
            cseq: glance.cseq,
            call_id: glance.call_id,
            from: redactor.user(&glance.from),
            to: redactor.user(&glance.to),
            length: record.bytes.len(),
            text,
        })
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SipMessage")]
pub(super) struct Shown {
    seq: u64,
    at: String,
    direction: &'static str,
    transport: String,
    remote: String,
    call: Option<CallId>,
    method: Option<String>,
    status: Option<u16>,
    cseq: String,
    call_id: String,
    from: String,
    to: String,
    length: usize,
    line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SipMessages")]
pub(super) struct Messages {
    /// Whether there may be more behind the last one.
    more: bool,
    messages: Vec<Shown>,
}

/// What a reader of the stream did not see.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SipLost")]
pub(super) struct Lost {
    /// Messages.
    count: u64,
}

/// A sign of life.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SipBeat")]
pub(super) struct Beat {}

fn call_id(text: &str) -> Result<CallId, String> {
    let due = "due is a call's id, such as 0199a0c1-5b00-7000-8000-000000000001";
    text.parse::<uuid::Uuid>().map(CallId).map_err(|_| due.to_owned())
}

/// Reads `reveal`, and has the log say when numbers are asked for.
fn revealed(text: Option<&str>) -> Result<Reveal, String> {
    match text {
        None | Some("nothing") => Ok(Reveal::Nothing),
        Some("numbers") => {
            tracing::warn!("somebody with the token asked the SIP trace for numbers and names");
            Ok(Reveal::Numbers)
        }
        Some(other) => Err(format!("reveal={other}; due is numbers, or nothing")),
    }
}

fn bad(text: impl Into<String>) -> Response {
    api::error(StatusCode::BAD_REQUEST, text)
}

fn zone(server: &Server) -> chrono_tz::Tz {
    server.app.hub.read(|views, _, _| views.timezone())
}

/// Reading thousands of messages is no work for the threads that serve.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        api::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the trace could not be read; the log says why",
        )
    })
}

/// `GET /api/v1/sip/messages`: what is kept, the oldest first.
pub(super) async fn messages(State(server): State<Server>, asked: Asked) -> Response {
    let sieve = match Sieve::read(asked) {
        Ok(sieve) => sieve,
        Err(refused) => return bad(refused),
    };
    let (tracer, zone) = (Arc::clone(&server.app.trace), zone(&server));
    let found = aside(move || {
        let snapshot = tracer.snapshot(sieve.after);
        let mut redactor = Redactor::new(sieve.reveal);
        let mut shown = snapshot
            .records()
            .filter_map(|record| sieve.shown(record, &*tracer, zone, &mut redactor));
        let messages: Vec<Shown> = shown.by_ref().take(sieve.limit).collect();
        let more = shown.next().is_some();
        Messages { more, messages }
    });
    match found.await {
        Ok(found) => Json(found).into_response(),
        Err(failed) => failed,
    }
}

/// `GET /api/v1/sip/events`: each message as it passes.
pub(super) async fn events(
    State(server): State<Server>,
    Extension(leave): Extension<Arc<Leave>>,
    asked: Asked,
) -> Response {
    let sieve = match Sieve::read(asked) {
        Ok(sieve) => sieve,
        Err(refused) => return bad(refused),
    };
    let Ok(place) = server.traces.clone().try_acquire_owned() else {
        return api::error(StatusCode::SERVICE_UNAVAILABLE, "too many live traces are open");
    };
    let (tx, rx) = mpsc::channel::<Result<Event, Infallible>>(WAITING);
    tokio::spawn(async move {
        let _place = place;
        feed(&server, &leave, sieve, &tx).await;
    });
    Sse::new(ReceiverStream::new(rx)).into_response()
}

/// Until the reader leaves, stalls or may not any more, or the server stops.
async fn feed(
    server: &Server,
    leave: &Leave,
    sieve: Sieve,
    tx: &mpsc::Sender<Result<Event, Infallible>>,
) {
    let (tracer, zone) = (Arc::clone(&server.app.trace), zone(server));
    let mut redactor = Redactor::new(sieve.reveal);
    let newest = tracer.snapshot(0).records().last().map_or(0, |record| record.seq);
    let mut after = if sieve.after > 0 { sieve.after } else { newest };
    let mut stopping = server.stopping.clone();
    let mut turns = tokio::time::interval(EVERY);
    let (mut since_beat, mut since_asked) = (0_u32, 0_u32);
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = tx.closed() => return,
        }
        since_asked = since_asked.saturating_add(1);
        if since_asked >= BEAT {
            since_asked = 0;
            if !leave.holds(server) {
                return;
            }
        }
        let mut out = Vec::new();
        let snapshot = tracer.snapshot(after);
        let records: Vec<&Record> = snapshot.records().collect();
        if let Some(last) = records.last() {
            // Missing numbers were pushed out of the ring before this reader came to them.
            let looked = records.len().min(TURN);
            let passed = last.seq.saturating_sub(after);
            let lost = passed.saturating_sub(u64::try_from(looked).unwrap_or(u64::MAX));
            if lost > 0 {
                let json = serde_json::to_string(&Lost { count: lost }).unwrap_or_default();
                out.push(Event::default().event("lost").data(json));
            }
            after = last.seq;
            for record in records.iter().skip(records.len().saturating_sub(looked)) {
                if let Some(shown) = sieve.shown(record, &*tracer, zone, &mut redactor) {
                    let json = serde_json::to_string(&shown).unwrap_or_default();
                    out.push(Event::default().event("sip").data(json));
                }
            }
        }
        since_beat = since_beat.saturating_add(1);
        if since_beat >= BEAT || !out.is_empty() {
            since_beat = 0;
            out.push(
                Event::default()
                    .event("beat")
                    .data(serde_json::to_string(&Beat {}).unwrap_or_default()),
            );
        }
        for event in out {
            match tokio::time::timeout(PATIENCE, tx.send(Ok(event))).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Page,
    Capture,
}

/// `GET /api/v1/calls/{id}/{ladder.txt|ladder.html|sip.pcap}`.
pub(super) async fn of_call(
    State(server): State<Server>,
    Path((id, form)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    let form = match form.as_str() {
        "ladder.txt" => Form::Text,
        "ladder.html" => Form::Page,
        "sip.pcap" => Form::Capture,
        _ => return api::not_found().await,
    };
    let (call, sieve) = match (call_id(&id), Sieve::read(asked)) {
        (Ok(call), Ok(sieve)) => (call, sieve),
        (Err(refused), _) | (_, Err(refused)) => return bad(refused),
    };
    let (tracer, zone) = (Arc::clone(&server.app.trace), zone(&server));
    let made = aside(move || {
        let ids = tracer.call_ids(call);
        let snapshot = tracer.snapshot(0);
        let of_call = |record: &&Record| {
            record.call_id().is_some_and(|id| ids.iter().any(|known| **known == *id))
        };
        let records: Vec<Record> =
            snapshot.records().filter(of_call).take(CAPTURED).cloned().collect();
        if records.is_empty() {
            return api::error(
                StatusCode::NOT_FOUND,
                "no message of this call is kept (any more); `[trace]` says for how long",
            );
        }
        let mut redactor = Redactor::new(sieve.reveal);
        match form {
            Form::Capture => capture(call, &pcap(&records, tracer.locals(), &mut redactor)),
            Form::Text | Form::Page => {
                let ladder = Ladder::of(&records, &mut redactor);
                let began = view::written(ladder.began, zone);
                let title = format!("SIP {call}  {began}");
                if let Form::Text = form {
                    return ladder_text(&ladder, &title).into_response();
                }
                let note = match sieve.reveal {
                    Reveal::Nothing => {
                        "番号と氏名は仮名（n1、name1 …）です。同じ番号は同じ仮名になります。 / \
                         Numbers and names are pseudonyms; the same number has the same one."
                    }
                    Reveal::Numbers => {
                        "番号と氏名がそのまま入っています。取り扱いに注意。 / \
                         This page holds people's numbers and names."
                    }
                };
                html(page(&ladder, &title, note))
            }
        }
    });
    match made.await {
        Ok(response) | Err(response) => response,
    }
}

fn capture(call: CallId, file: &[u8]) -> Response {
    let name = format!("attachment; filename=\"{call}.pcap\"");
    let mut response = file.to_vec().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/vnd.tcpdump.pcap"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}

/// A page that may use its own style and nothing else at all.
fn html(page: String) -> Response {
    use sha2::Digest as _;
    let hash = base64(&sha2::Sha256::digest(PAGE_STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = axum::response::Html(page).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// RFC 4648 §4.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let word = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = usize::try_from((word >> shift) & 63).unwrap_or(0);
            let due = place <= three.len();
            text.push(if due { LETTERS.get(letter).map_or('=', |b| char::from(*b)) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// RFC 4648 §10.
    #[test]
    fn base64_agrees_with_the_published_vectors() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, due) in table {
            assert_eq!(base64(plain.as_bytes()), due);
        }
    }
}
