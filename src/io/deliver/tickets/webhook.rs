//! The site's own receiver of tickets: signed POSTs whose bodies are CloudEvents 1.0 in JSON, structured mode
//! (docs/schemas/ticket-event.json). It cannot be asked; it knows a repetition by its id.

use super::way::{SystemAt, encoded, set};
use super::{Asked, NAME_BOUND, TicketSink, Unable, subject};
use crate::base::{CallId, Private, Wall};
use crate::feed::{Addition, NewTicket, SUBJECT_BOUND, Values};
use crate::io::deliver::client::Client;
use crate::io::deliver::webhook::signed;
use crate::io::deliver::{Answer, NoWay};
use chrono::SecondsFormat;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value as Json, json};
use std::time::Duration;

/// The media type of an event in structured mode (CloudEvents JSON Event Format §3).
const STRUCTURED: &str = "application/cloudevents+json";

/// The site's own receiver of signed POSTs.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Where, and the secret.
    pub at: SystemAt,
    /// The desk's name, the end of CloudEvents' `source`.
    pub desk: String,
}

/// A way to the receiver.
pub(super) struct Receiver {
    client: Client,
    secret: Private<String>,
    source: String,
}

/// What is said of one step.
struct Event<'a> {
    kind: &'static str,
    key: &'a str,
    call: CallId,
    at: Wall,
    data: Json,
}

/// Values by their names, numbers as numbers.
fn typed(values: &Values) -> Map<String, Json> {
    let each = values.iter().map(|(value, text)| {
        let text = text.reveal();
        let number = text.parse::<u64>().ok().filter(|_| value.is_number());
        (value.name().to_owned(), number.map_or_else(|| json!(text), |number| json!(number)))
    });
    each.collect()
}

/// RFC 3339 in UTC, milliseconds.
fn utc(at: Wall) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at.0);
    at.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl Receiver {
    pub(super) fn new(target: WebhookTarget, patience: Duration) -> Result<Self, NoWay> {
        let client = target.at.client(patience)?;
        // A reference without a scheme (RFC 3986 §4.2): the desk has no address that holds everywhere.
        let source = format!("/madoguchi/{}", encoded(&target.desk));
        Ok(Self { client, secret: target.at.key, source })
    }

    async fn say(&self, event: Event<'_>) -> Result<Answer, Unable> {
        let body = json!({
            "specversion": "1.0",
            "id": event.key,
            "source": self.source,
            "type": event.kind,
            "subject": event.call.to_string(),
            "time": utc(event.at),
            "datacontenttype": "application/json",
            "data": event.data,
        });
        let at_s = chrono::Utc::now().timestamp();
        let question = signed(&self.secret, event.key, at_s, body.to_string());
        Ok(self.client.ask(question.with(CONTENT_TYPE, STRUCTURED)).await?.yes()?)
    }

    async fn open(&self, ticket: &NewTicket) -> Result<String, Unable> {
        let data = json!({
            "call": ticket.call.to_string(),
            "kind": "open",
            "subject": subject(ticket, SUBJECT_BOUND),
            "text": ticket.text.reveal(),
            "values": typed(&ticket.values),
        });
        let (key, call, at) = (ticket.key.as_str(), ticket.call, ticket.at);
        let kind = "jp.madoguchi.ticket.opened";
        let answer = self.say(Event { kind, key, call, at, data }).await?;
        // Any 2xx is a yes. A receiver that has names of its own for tickets may tell one.
        let told: Option<Json> = serde_json::from_slice(&answer.body).ok();
        let name = told.as_ref().and_then(|told| told.get("ticket")).and_then(Json::as_str);
        let is_fit = |name: &&str| {
            (1..=NAME_BOUND).contains(&name.chars().count()) && !name.chars().any(char::is_control)
        };
        Ok(name.filter(is_fit).map_or_else(|| call.to_string(), str::to_owned))
    }

    async fn add(&self, ticket: &str, addition: &Addition) -> Result<(), Unable> {
        if addition.text.is_none() && addition.values.is_empty() {
            return Ok(());
        }
        let mut data = json!({
            "call": addition.call.to_string(),
            "kind": addition.kind,
            "ticket": ticket,
            "values": typed(&addition.values),
        });
        if let Some(text) = &addition.text {
            set(&mut data, "text", text.reveal().as_str());
        }
        let (key, call, at) = (addition.key.as_str(), addition.call, addition.at);
        let kind = "jp.madoguchi.ticket.added";
        let said = self.say(Event { kind, key, call, at, data }).await;
        said.map(drop).map_err(|unable| unable.about(ticket))
    }
}

impl TicketSink for Receiver {
    /// It cannot be asked without being told something.
    fn probe(&self) -> Asked<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn find(&self, _: CallId) -> Asked<'_, Vec<String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn create<'a>(&'a self, ticket: &'a NewTicket) -> Asked<'a, String> {
        Box::pin(self.open(ticket))
    }

    fn holds<'a>(&'a self, _: &'a str, _: &'a str) -> Asked<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    fn append<'a>(&'a self, ticket: &'a str, addition: &'a Addition) -> Asked<'a, ()> {
        Box::pin(self.add(ticket, addition))
    }
}
