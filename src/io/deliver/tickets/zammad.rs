//! Zammad over its REST API, from its documentation and source (5 and 6), with calls pushed to its caller log.
//!
//! A search by words is answered from an index that lags behind; a search by condition asks the database, so
//! a ticket that was opened a moment ago is found.

use super::cti::Push;
use super::way::{SystemAt, Way, number, query};
use super::{Asked, MOST_OPEN, TicketSink, Unable, is_number, mark, named, subject, unheard_of};
use crate::base::{CallId, Private};
use crate::feed::{Addition, NewTicket, OpenTicket, Value, Values};
use crate::io::deliver::client::Question;
use crate::io::deliver::{Failed, NoWay};
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Characters of a title: a column of its database.
const SUBJECT: usize = 250;
/// Tickets of one call, or open ones of one caller, that are looked at.
const MOST_FOUND: usize = 50;

/// Zammad.
#[derive(Clone, Debug)]
pub struct ZammadConfig {
    /// Where, and the token.
    pub at: SystemAt,
    /// The group that tickets go to.
    pub group: String,
    /// Whose customer a ticket is: a login or mail address.
    pub customer: String,
    /// The secret end of the CTI push's address; none: calls are not pushed.
    pub cti: Option<Private<String>>,
    /// Which field of a ticket object, by its name, holds which value. [`Value::Call`] is always among them.
    pub fields: BTreeMap<Value, String>,
}

/// A Zammad.
pub(super) struct Zammad {
    way: Way,
    push: Option<Push>,
    config: ZammadConfig,
    call: String,
}

#[derive(Deserialize)]
struct Ticket {
    id: u64,
    #[serde(default)]
    title: Option<String>,
    /// Its state's name, where the answer is an expanded one.
    #[serde(default)]
    state: Option<String>,
    #[serde(flatten)]
    fields: Map<String, Json>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
struct Me {
    #[serde(default)]
    active: bool,
}

impl Ticket {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Json::as_str)
    }
}

impl Zammad {
    pub(super) fn new(config: ZammadConfig, patience: Duration) -> Result<Self, NoWay> {
        let way = Way::new(&config.at, ("authorization", "Token token="), patience)?;
        let push = config.cti.clone().map(|end| Push::new(&config.at, end)).transpose()?;
        let call = config.fields.get(&Value::Call).cloned().unwrap_or_default();
        Ok(Self { way, push, config, call })
    }

    /// Tickets whose field is this, the oldest first.
    async fn of_field(&self, field: &str, value: &str) -> Result<Vec<Ticket>, Unable> {
        let operator = format!("condition[ticket.{field}][operator]");
        let is = format!("condition[ticket.{field}][value]");
        let (operator, is) = (super::way::encoded(&operator), super::way::encoded(&is));
        let most = MOST_FOUND.to_string();
        let pairs = [
            (operator.as_str(), "is"),
            (is.as_str(), value),
            ("expand", "true"),
            ("sort_by", "created_at"),
            ("order_by", "asc"),
            ("limit", most.as_str()),
        ];
        let question = Question::new(Method::GET, query("/api/v1/tickets/search", &pairs));
        let found: Vec<Ticket> = self.way.read(question, "a list of tickets").await?;
        if found.iter().any(|ticket| ticket.field(field) != Some(value)) {
            return Err(Unable::Misconfigured {
                what: format!("tickets have no field {field}, or cannot be found by it"),
            });
        }
        Ok(found)
    }

    fn fields(&self, values: &Values) -> Map<String, Json> {
        let held = self.config.fields.iter().filter_map(|(value, name)| {
            let text = values.get(value)?.reveal();
            let number = text.parse::<u64>().ok().filter(|_| value.is_number());
            Some((name.clone(), number.map_or_else(|| json!(text), |number| json!(number))))
        });
        held.collect()
    }

    async fn probe_all(&self) -> Result<(), Unable> {
        let wrong = |what: String| Err(Unable::Misconfigured { what });
        let me = Question::new(Method::GET, "/api/v1/users/me");
        let me: Me = self.way.read(me, "the token's user").await?;
        if !me.active {
            return wrong("the token's user is not active".to_owned());
        }
        for name in self.config.fields.values() {
            let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_fit) {
                return wrong(format!("this is no name of a ticket's field: {name}"));
            }
            // The database answers a condition on what it has not got with an error.
            let unheard_of = unheard_of().to_string();
            match self.of_field(name, &unheard_of).await {
                Err(Unable::Failed(Failed::Refused { status: status @ (422 | 500), .. })) => {
                    return wrong(format!(
                        "tickets have no field {name}, or cannot be found by it: the answer is {status}"
                    ));
                }
                found => drop(found?),
            }
        }
        Ok(())
    }

    fn article(subject: &str, text: &str) -> Json {
        // Internal: the customer's own pages do not show it.
        json!({
            "subject": subject,
            "body": text,
            "content_type": "text/plain",
            "type": "note",
            "internal": true,
        })
    }

    async fn open(&self, ticket: &NewTicket) -> Result<String, Unable> {
        let title = subject(ticket, SUBJECT);
        let mut new = self.fields(&ticket.values);
        new.insert("article".to_owned(), Self::article(&title, ticket.text.reveal()));
        new.insert("title".to_owned(), json!(title));
        new.insert("group".to_owned(), json!(self.config.group));
        new.insert("customer".to_owned(), json!(self.config.customer));
        let question = Question::new(Method::POST, "/api/v1/tickets").json(&Json::Object(new));
        let opened: Ticket = self.way.read(question, "the new ticket").await?;
        if let Some(push) = &self.push {
            push.opened(ticket).await;
        }
        Ok(opened.id.to_string())
    }

    async fn has(&self, ticket: &str, key: &str) -> Result<bool, Unable> {
        let Some(id) = number(ticket) else {
            return Err(Unable::NoTicket { ticket: named(ticket) });
        };
        let path = format!("/api/v1/ticket_articles/by_ticket/{id}");
        let found: Result<Vec<Article>, Unable> =
            self.way.read(Question::new(Method::GET, path), "a ticket's articles").await;
        let found = found.map_err(|unable| unable.about(ticket))?;
        let mark = mark(key);
        Ok(found.iter().filter_map(|it| it.body.as_deref()).any(|body| body.contains(&mark)))
    }

    async fn add(&self, ticket: &str, addition: &Addition) -> Result<(), Unable> {
        let mut change = self.fields(&addition.values);
        if addition.text.is_none() && change.is_empty() {
            return Ok(());
        }
        let Some(id) = number(ticket) else {
            return Err(Unable::NoTicket { ticket: named(ticket) });
        };
        if let Some(text) = &addition.text {
            change.insert("article".to_owned(), Self::article(addition.kind, text.reveal()));
        }
        let question =
            Question::new(Method::PUT, format!("/api/v1/tickets/{id}")).json(&Json::Object(change));
        self.way.ask(question).await.map_err(|unable| unable.about(ticket))?;
        if let Some(push) = &self.push {
            push.added(addition).await;
        }
        Ok(())
    }

    async fn of_caller(&self, field: &str, caller: &str) -> Result<Vec<OpenTicket>, Unable> {
        if !is_number(caller) {
            return Ok(Vec::new());
        }
        let found = self.of_field(field, caller).await?;
        let is_open = |ticket: &&Ticket| {
            !ticket
                .state
                .as_deref()
                .is_some_and(|state| ["closed", "merged", "removed"].contains(&state))
        };
        let each = found.iter().rev().filter(is_open).take(MOST_OPEN).map(|ticket| OpenTicket {
            ticket: ticket.id.to_string(),
            subject: Private::new(ticket.title.clone().unwrap_or_default()),
            url: Some(self.way.page(&format!("/#ticket/zoom/{}", ticket.id))),
        });
        Ok(each.collect())
    }
}

impl TicketSink for Zammad {
    fn probe(&self) -> Asked<'_, ()> {
        Box::pin(self.probe_all())
    }

    fn find(&self, call: CallId) -> Asked<'_, Vec<String>> {
        Box::pin(async move {
            let found = self.of_field(&self.call, &call.to_string()).await?;
            Ok(found.iter().map(|ticket| ticket.id.to_string()).collect())
        })
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

    fn open_of<'a>(&'a self, number: &'a str) -> Option<Asked<'a, Vec<OpenTicket>>> {
        let field = self.config.fields.get(&Value::Caller)?;
        Some(Box::pin(self.of_caller(field, number)))
    }
}
