//! Request Tracker over REST 2.0 (5.0 tried). What it does silently is looked at: a query by an unknown field
//! finds nothing, a moment in a query is read in the zone of the token's user (so none stands in ours), a
//! ticket that was opened again keeps the moment of its closing.

use super::walk::{PAGE, Page, Walk};
use super::way::{SystemAt, Way, encoded, number, query, set};
use super::{
    Asked, Changed, Cursor, MOST_OPEN, ReadBack, TicketSink, Unable, is_number, mark, named,
    subject,
};
use crate::base::{CallId, Private, Wall, stamp};
use crate::feed::{Addition, NewTicket, OpenTicket, Told, Value, Values};
use crate::io::deliver::NoWay;
use crate::io::deliver::client::Question;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bytes of a subject; Request Tracker cuts more off, in the middle of a character if need be.
const SUBJECT_BYTES: usize = 200;
/// Pages of a ticket's texts that are looked through: 10,000 texts.
const MOST_PAGES: usize = 100;

/// Request Tracker.
#[derive(Clone, Debug)]
pub struct RtConfig {
    /// Where (without `/REST/2.0`), and the token.
    pub at: SystemAt,
    /// The queue's name.
    pub queue: String,
    /// Which custom field, by its name, holds which value. [`Value::Call`] is always among them.
    pub fields: BTreeMap<Value, String>,
    /// Custom fields, by their names, that are read back.
    pub read: ReadBack,
    /// The desk's zone, for times without one.
    pub zone: chrono_tz::Tz,
}

/// A Request Tracker.
pub(super) struct Rt {
    way: Way,
    config: RtConfig,
    call: String,
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
    /// Not of every list.
    #[serde(default)]
    total: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ticket {
    #[serde(rename = "id")]
    id: Json,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    resolved: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
    #[serde(default)]
    custom_fields: Vec<CustomField>,
}

#[derive(Deserialize)]
struct CustomField {
    name: String,
    #[serde(default)]
    values: Vec<Json>,
}

#[derive(Deserialize)]
struct Opened {
    id: Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Queue {
    #[serde(default)]
    ticket_custom_fields: Option<Vec<FieldName>>,
}

#[derive(Deserialize)]
struct FieldName {
    name: Option<String>,
}

/// Ids come as text and as numbers.
fn id_of(id: &Json) -> Result<u64, Unable> {
    let found = id.as_u64().or_else(|| id.as_str().and_then(number));
    found.ok_or(Unable::Garbled { what: "a ticket's id" })
}

impl Ticket {
    /// The text of a custom field; one of several values has them with `;` between.
    fn field(&self, name: &str) -> Option<String> {
        let field = self.custom_fields.iter().find(|field| field.name == name)?;
        let values = field.values.iter().filter_map(Json::as_str);
        Some(values.collect::<Vec<_>>().join(";"))
    }
}

/// Moments as it writes them: UTC with its Z. One that never was is empty, or of 1970.
fn moment(text: Option<&str>) -> Option<Wall> {
    text.and_then(|text| stamp(text, chrono_tz::UTC))
}

/// A text of TicketSQL: between quotes, in which a backslash takes the next one literally.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

impl Rt {
    pub(super) fn new(config: RtConfig, patience: Duration) -> Result<Self, NoWay> {
        let way = Way::new(&config.at, ("authorization", "token "), patience)?;
        let call = config.fields.get(&Value::Call).cloned().unwrap_or_default();
        Ok(Self { way, config, call })
    }

    /// TicketSQL: tickets of the queue for which `also` holds.
    fn sql(&self, also: &str) -> String {
        let queue = format!("Queue = {}", quoted(&self.config.queue));
        if also.is_empty() { queue } else { format!("{queue} AND {also}") }
    }

    async fn tickets(&self, sql: &str, pairs: &[(&str, &str)]) -> Result<List<Ticket>, Unable> {
        let fields = "Subject,Created,Resolved,LastUpdated,CustomFields";
        let all = [&[("query", sql), ("fields", fields)], pairs].concat();
        let question = Question::new(Method::GET, query("/REST/2.0/tickets", &all));
        self.way.read(question, "a list of tickets").await
    }

    fn fields(&self, values: &Values) -> Map<String, Json> {
        let held =
            self.config.fields.iter().filter_map(|(value, name)| {
                Some((name.clone(), json!(values.get(value)?.reveal())))
            });
        held.collect()
    }

    async fn probe_all(&self) -> Result<(), Unable> {
        let wrong = |what: String| Err(Unable::Misconfigured { what });
        let names: BTreeSet<&str> = self
            .config
            .fields
            .values()
            .map(String::as_str)
            .chain(self.config.read.names())
            .collect();
        for name in &names {
            // They stand in TicketSQL, where nothing takes these literally.
            if name.is_empty() || name.contains(['{', '}', '\'', '"', '\\']) {
                return wrong(format!(
                    "a custom field's name must be without braces and quotes: {name}"
                ));
            }
        }
        let path = format!("/REST/2.0/queue/{}", encoded(&self.config.queue));
        let queue: Result<Queue, Unable> =
            self.way.read(Question::new(Method::GET, path), "a queue").await;
        let queue = match queue {
            // The token is taken, or it would be 401: what is refused is the queue, there or not.
            Err(unable) if matches!(unable.status(), Some(403 | 404)) => {
                return wrong(format!(
                    "there is no queue {}, or the token's user may not see it",
                    self.config.queue
                ));
            }
            queue => queue?,
        };
        let known: Vec<String> = match queue.ticket_custom_fields {
            Some(fields) => fields.into_iter().filter_map(|field| field.name).collect(),
            // What fields its tickets have is told by a ticket alone, once there is one.
            None => match self.tickets(&self.sql(""), &[("per_page", "1")]).await?.items.pop() {
                Some(ticket) => ticket.custom_fields.into_iter().map(|field| field.name).collect(),
                None => return Ok(()),
            },
        };
        match names.iter().find(|name| !known.iter().any(|known| known == *name)) {
            Some(name) => wrong(format!("tickets of the queue have no custom field {name}")),
            None => Ok(()),
        }
    }

    async fn of_call(&self, call: CallId) -> Result<Vec<String>, Unable> {
        let call = call.to_string();
        let sql = self.sql(&format!("CF.{{{}}} = {}", self.call, quoted(&call)));
        let pairs = [("orderby", "id"), ("order", "ASC"), ("per_page", "100")];
        let found = self.tickets(&sql, &pairs).await?.items;
        let own = found
            .iter()
            .filter(|ticket| ticket.field(&self.call).as_deref() == Some(call.as_str()));
        own.map(|ticket| Ok(id_of(&ticket.id)?.to_string())).collect()
    }

    async fn open(&self, ticket: &NewTicket) -> Result<String, Unable> {
        let mut subject = subject(ticket, SUBJECT_BYTES);
        while subject.len() > SUBJECT_BYTES {
            subject.pop();
        }
        let question = Question::new(Method::POST, "/REST/2.0/ticket").json(&json!({
            "Queue": self.config.queue,
            "Subject": subject,
            "Content": ticket.text.reveal(),
            "ContentType": "text/plain",
            "CustomFields": self.fields(&ticket.values),
        }));
        let opened: Opened = self.way.read(question, "the new ticket").await?;
        Ok(id_of(&opened.id)?.to_string())
    }

    /// Whether there is such a ticket: some refusals do not tell why.
    async fn must_be(&self, id: u64, ticket: &str) -> Result<(), Unable> {
        let question = Question::new(Method::GET, format!("/REST/2.0/ticket/{id}"));
        self.way.ask(question).await.map_err(|unable| unable.about(ticket))?;
        Ok(())
    }

    async fn has(&self, ticket: &str, key: &str) -> Result<bool, Unable> {
        let Some(id) = number(ticket) else {
            return Err(Unable::NoTicket { ticket: named(ticket) });
        };
        self.must_be(id, ticket).await?;
        let mark = mark(key);
        for page in 1..=MOST_PAGES {
            let (page, size) = (page.to_string(), PAGE.to_string());
            let pairs =
                [("fields", "Content"), ("per_page", size.as_str()), ("page", page.as_str())];
            let path = format!("/REST/2.0/ticket/{id}/attachments");
            let question = Question::new(Method::GET, query(&path, &pairs));
            let found: List<Text> = self.way.read(question, "a ticket's texts").await?;
            let mut texts = found.items.iter().filter_map(|text| text.content.as_deref());
            if texts.any(|text| text.contains(&mark)) {
                return Ok(true);
            }
            if found.items.len() < PAGE {
                return Ok(false);
            }
        }
        Err(Unable::Garbled { what: "a ticket of at most 10,000 texts" })
    }

    async fn add(&self, ticket: &str, addition: &Addition) -> Result<(), Unable> {
        let fields = self.fields(&addition.values);
        if addition.text.is_none() && fields.is_empty() {
            return Ok(());
        }
        let Some(id) = number(ticket) else {
            return Err(Unable::NoTicket { ticket: named(ticket) });
        };
        let mut change = json!({ "CustomFields": fields });
        let question = match &addition.text {
            Some(text) => {
                set(&mut change, "Content", text.reveal().as_str());
                set(&mut change, "ContentType", "text/plain");
                Question::new(Method::POST, format!("/REST/2.0/ticket/{id}/comment"))
            }
            None => Question::new(Method::PUT, format!("/REST/2.0/ticket/{id}")),
        };
        match self.way.ask(question.json(&change)).await {
            Ok(_) => Ok(()),
            // A comment on a ticket that is not there is refused by this.
            Err(unable) if unable.status() == Some(400) => {
                self.must_be(id, ticket).await?;
                Err(unable)
            }
            Err(unable) => Err(unable.about(ticket)),
        }
    }

    async fn look(&self, since: &Cursor) -> Result<Changed, Unable> {
        let walk = Walk::at(since);
        let (page, size) = (walk.page().saturating_add(1).to_string(), PAGE.to_string());
        let pairs = [
            ("orderby", "LastUpdated"),
            ("order", "DESC"),
            ("orderby", "id"),
            ("order", "DESC"),
            ("per_page", size.as_str()),
            ("page", page.as_str()),
        ];
        let found = self.tickets(&self.sql(""), &pairs).await?;
        let garbled = || Unable::Garbled { what: "a ticket's moments" };
        let stamps: Result<Vec<i64>, Unable> = found
            .items
            .iter()
            .map(|it| Ok(moment(it.last_updated.as_deref()).ok_or_else(garbled)?.0 / 1_000))
            .collect();
        let total = found.total.unwrap_or_default();
        let next = walk.on(Page { changed_s: &stamps?, total });
        let mut changed = Changed { cursor: next.cursor, more: next.more, ..Changed::default() };
        let told: Vec<&Ticket> = found.items.iter().take(next.keep).collect();
        let open = self.opened_again(&told).await?;
        for ticket in told {
            let id = id_of(&ticket.id)?;
            let resolved = moment(ticket.resolved.as_deref());
            let arrived =
                self.config.fields.get(&Value::ArrivedAt).and_then(|name| ticket.field(name));
            let created = moment(ticket.created.as_deref()).ok_or_else(garbled)?;
            let told = Told {
                completed_at: resolved.filter(|_| !open.contains(&id)),
                arrived_at: arrived.unwrap_or_default(),
                ..self.config.read.told(created, |name| ticket.field(name))
            };
            let call = ticket.field(&self.call).and_then(|call| call.parse().ok()).map(CallId);
            changed.seen(id.to_string(), call, &told, self.config.zone);
        }
        Ok(changed)
    }

    /// Which of the tickets that were resolved once are not so now. What a status is called is the site's own
    /// business; whether it is an active one is asked for.
    async fn opened_again(&self, tickets: &[&Ticket]) -> Result<BTreeSet<u64>, Unable> {
        let resolved = tickets.iter().filter(|it| moment(it.resolved.as_deref()).is_some());
        let ids: Result<Vec<String>, Unable> =
            resolved.map(|ticket| Ok(format!("id = {}", id_of(&ticket.id)?))).collect();
        let ids = ids?;
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let sql = self.sql(&format!("Status = '__Active__' AND ({})", ids.join(" OR ")));
        let found = self.tickets(&sql, &[("per_page", "100")]).await?;
        found.items.iter().map(|ticket| id_of(&ticket.id)).collect()
    }

    async fn of_caller(&self, field: &str, caller: &str) -> Result<Vec<OpenTicket>, Unable> {
        if !is_number(caller) {
            return Ok(Vec::new());
        }
        let sql =
            self.sql(&format!("CF.{{{field}}} = {} AND Status = '__Active__'", quoted(caller)));
        let most = MOST_OPEN.to_string();
        let pairs = [("orderby", "LastUpdated"), ("order", "DESC"), ("per_page", most.as_str())];
        let found = self.tickets(&sql, &pairs).await?.items;
        let own = found.into_iter().filter(|it| it.field(field).as_deref() == Some(caller));
        own.map(|ticket| {
            let id = id_of(&ticket.id)?;
            Ok(OpenTicket {
                ticket: id.to_string(),
                subject: Private::new(ticket.subject.unwrap_or_default()),
                url: Some(self.way.page(&format!("/Ticket/Display.html?id={id}"))),
            })
        })
        .collect()
    }
}

impl TicketSink for Rt {
    fn probe(&self) -> Asked<'_, ()> {
        Box::pin(self.probe_all())
    }

    fn find(&self, call: CallId) -> Asked<'_, Vec<String>> {
        Box::pin(self.of_call(call))
    }

    fn create<'a>(&'a self, ticket: &'a NewTicket) -> Asked<'a, String> {
        Box::pin(self.open(ticket))
    }

    fn holds<'a>(&'a self, ticket: &'a str, key: &'a str) -> Asked<'a, bool> {
        Box::pin(self.has(ticket, key))
    }

    fn append<'a>(&'a self, ticket: &'a str, addition: &'a Addition) -> Asked<'a, ()> {
        Box::pin(self.add(ticket, addition))
    }

    fn changed<'a>(&'a self, since: &'a Cursor) -> Option<Asked<'a, Changed>> {
        Some(Box::pin(self.look(since)))
    }

    fn open_of<'a>(&'a self, number: &'a str) -> Option<Asked<'a, Vec<OpenTicket>>> {
        let field = self.config.fields.get(&Value::Caller)?;
        Some(Box::pin(self.of_caller(field, number)))
    }
}
