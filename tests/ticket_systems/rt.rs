//! Request Tracker: one of ours that answers as a real 5.0 does, and a real one where its address is given.

use crate::serve::{Asked, Fault, Reply, Served, Site, ask, reply};
use crate::system::{Can, Shown, System};
use chrono::DateTime;
use madoguchi::base::{CallId, Private};
use madoguchi::feed::Value;
use madoguchi::io::deliver::tickets::{
    ReadBack, RtConfig, SystemAt, SystemConfig, TicketSink, sink_within,
};
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub const TOKEN: &str = "1-31-0123456789abcdef";

const FIELDS: [&str; 11] = [
    "call_id",
    "caller",
    "arrived_at",
    "outcome",
    "wait_s",
    "escalated_at",
    "escalation_answered_at",
    "escalated_to",
    "reported_at",
    "technical",
    "exclusions",
];

/// A Request Tracker somewhere.
pub struct Rt {
    at: SocketAddr,
    token: String,
    pub own: Option<Served<Memory>>,
}

/// What one of ours keeps.
pub struct Memory {
    pub tickets: Vec<Json>,
    pub now_s: i64,
    /// Whether a queue does not tell what fields its tickets have.
    pub is_old: bool,
}

fn stamped(at_s: i64) -> String {
    let at = DateTime::from_timestamp(at_s, 0).expect("a moment");
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn has(ticket: &Json, name: &str, value: &str) -> bool {
    let fields = ticket["CustomFields"].as_array().expect("fields");
    fields.iter().any(|it| it["name"] == json!(name) && it["values"] == json!([value]))
}

/// Whether a ticket is what one condition says.
fn holds(ticket: &Json, condition: &str) -> bool {
    let condition = condition.trim().trim_matches(['(', ')']);
    if condition.contains(" OR ") {
        return condition.split(" OR ").any(|one| holds(ticket, one));
    }
    let (name, value) = condition.split_once(" = ").expect("an equation");
    let value = value.trim_matches('\'').replace("\\'", "'");
    match name {
        "Queue" => value == "Desk",
        "id" => ticket["id"] == json!(value),
        "Status" if value == "__Active__" => ticket["Status"] != json!("resolved"),
        name => {
            let field = name.strip_prefix("CF.{").and_then(|it| it.strip_suffix('}'));
            has(ticket, field.unwrap_or_else(|| panic!("no condition: {name}")), &value)
        }
    }
}

impl Memory {
    fn set(&mut self, at: usize, given: &Json) -> bool {
        let now = stamped(self.now_s);
        let ticket = &mut self.tickets[at];
        let before = ticket.clone();
        for field in ticket["CustomFields"].as_array_mut().expect("fields") {
            let name = field["name"].as_str().expect("a name").to_owned();
            if let Some(value) = given["CustomFields"][&name].as_str() {
                field["values"] = json!([value]);
            }
        }
        if let Some(status) = given["Status"].as_str() {
            ticket["Status"] = json!(status);
            if status == "resolved" {
                ticket["Resolved"] = json!(now);
            }
        }
        let is_news = *ticket != before;
        if is_news {
            ticket["LastUpdated"] = json!(now);
        }
        is_news
    }

    fn open(&mut self, asked: &Asked) -> Reply {
        let Some(body) = asked.json() else {
            return reply(400, "{\"message\":\"JSON parse error\"}");
        };
        if body["Queue"] != json!("Desk") {
            return reply(403, "{\"message\":\"No permission to create tickets in the queue\"}");
        }
        let (id, now) = ((self.tickets.len() + 1).to_string(), stamped(self.now_s));
        let fields: Json = FIELDS
            .iter()
            .rev()
            .map(|name| json!({ "id": "1", "name": name, "values": [] }))
            .collect();
        let mut subject = body["Subject"].as_str().unwrap_or_default().to_owned();
        while subject.len() > 200 {
            subject.pop();
        }
        self.tickets.push(json!({
            "type": "ticket",
            "id": id,
            "Subject": subject.replace('\n', ""),
            "Status": "new",
            "Created": now,
            "LastUpdated": now,
            "Resolved": "1970-01-01T00:00:00Z",
            "CustomFields": fields,
            "texts": [body["Content"]],
        }));
        self.set(self.tickets.len() - 1, &body);
        reply(201, json!({ "type": "ticket", "id": id }))
    }

    fn list(&self, asked: &Asked) -> Reply {
        let query = asked.query("query").expect("a query");
        let mut found: Vec<&Json> = self
            .tickets
            .iter()
            .filter(|ticket| query.split(" AND ").all(|condition| holds(ticket, condition)))
            .collect();
        let order = (asked.query("orderby").unwrap_or("id"), asked.query("order").unwrap_or("ASC"));
        let id = |it: &Json| it["id"].as_str().and_then(|id| id.parse::<u64>().ok());
        match order {
            ("id", "ASC") => {}
            ("LastUpdated", "DESC") => {
                found.sort_by_key(|it| std::cmp::Reverse((it["LastUpdated"].to_string(), id(it))));
            }
            other => panic!("it is not ordered by {other:?}"),
        }
        let number = |name, or| asked.query(name).and_then(|it| it.parse().ok()).unwrap_or(or);
        let (size, page): (usize, usize) = (number("per_page", 20).min(100), number("page", 1));
        let total = found.len();
        let fields: Vec<&str> = asked.query("fields").unwrap_or_default().split(',').collect();
        let items: Vec<Json> = found
            .into_iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|ticket| {
                let mut item = json!({ "type": "ticket", "id": ticket["id"] });
                for field in &fields {
                    item[*field] = ticket[*field].clone();
                }
                item
            })
            .collect();
        let count = items.len();
        reply(200, json!({ "items": items, "total": total, "count": count, "per_page": size }))
    }

    fn at(&self, id: &str) -> Option<usize> {
        self.tickets.iter().position(|ticket| ticket["id"] == json!(id))
    }
}

impl Site for Memory {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.header("authorization") != format!("token {TOKEN}") {
            return reply(401, "{\"message\":\"Unauthorized\"}");
        }
        let parts: Vec<&str> =
            asked.path.strip_prefix("/REST/2.0/").unwrap_or_default().split('/').collect();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["queue", "Desk"]) if self.is_old => {
                reply(200, json!({ "id": 3, "Name": "Desk" }))
            }
            ("GET", ["queue", "Desk"]) => {
                let fields: Json = FIELDS
                    .iter()
                    .map(|name| json!({ "type": "customfield", "name": name }))
                    .collect();
                reply(200, json!({ "id": 3, "Name": "Desk", "TicketCustomFields": fields }))
            }
            ("GET", ["queue", _]) => reply(403, "{\"message\":\"Forbidden\"}"),
            ("GET", ["tickets"]) => self.list(asked),
            ("POST", ["ticket"]) => self.open(asked),
            ("GET", ["ticket", id]) => match self.at(id) {
                Some(at) => {
                    let mut ticket = self.tickets[at].clone();
                    ticket["id"] = json!(id.parse::<u64>().expect("a number"));
                    reply(200, ticket)
                }
                None => reply(404, "{\"message\":\"Not Found\"}"),
            },
            ("GET", ["ticket", id, "attachments"]) => {
                let Some(at) = self.at(id) else { return reply(404, "{}") };
                let texts = self.tickets[at]["texts"].as_array().expect("texts");
                let size = 100;
                let page: usize = asked.query("page").and_then(|it| it.parse().ok()).unwrap_or(1);
                let items: Vec<Json> = texts
                    .iter()
                    .skip((page - 1) * size)
                    .take(size)
                    .map(|text| json!({ "Content": text }))
                    .collect();
                reply(200, json!({ "items": items, "total": null, "per_page": size }))
            }
            ("POST", ["ticket", id, "comment"]) => {
                let (Some(at), Some(body)) = (self.at(id), asked.json()) else {
                    return reply(400, "{\"message\":\"Permission Denied\"}");
                };
                self.set(at, &body);
                let now = stamped(self.now_s);
                self.tickets[at]["LastUpdated"] = json!(now);
                self.tickets[at]["texts"]
                    .as_array_mut()
                    .expect("texts")
                    .push(body["Content"].clone());
                reply(201, "[\"Comments added\"]")
            }
            ("PUT", ["ticket", id]) => {
                let Some(at) = self.at(id) else {
                    return reply(
                        404,
                        "{\"message\":\"Resource does not exist; use POST to create\"}",
                    );
                };
                let body = asked.json().unwrap_or_default();
                self.set(at, &body);
                reply(200, "[]")
            }
            _ => reply(404, "{\"message\":\"Not Found\"}"),
        }
    }
}

impl Rt {
    /// One of ours.
    pub fn own() -> Self {
        let now_s = crate::system::ARRIVED.0 / 1_000 + 60;
        let own = Served::start(Memory { tickets: Vec::new(), now_s, is_old: false });
        Self { at: own.at, token: TOKEN.to_owned(), own: Some(own) }
    }

    /// The real one that the environment names: `MADOGUCHI_TEST_RT` is its address, a blank, and its token.
    pub fn real() -> Option<Self> {
        let told = std::env::var("MADOGUCHI_TEST_RT").ok()?;
        let (at, token) = told.split_once(' ').expect("an address and a token");
        Some(Self { at: at.parse().expect("an address"), token: token.to_owned(), own: None })
    }

    pub fn config(&self) -> RtConfig {
        let read = |name: &str| Some(name.to_owned());
        let field = |name: &str| if name == "call" { "call_id" } else { name }.to_owned();
        RtConfig {
            at: SystemAt {
                url: format!("http://{}", self.at).parse().expect("a URL"),
                key: Private::new(self.token.clone()),
                private: true,
                authorities: Vec::new(),
            },
            queue: "Desk".to_owned(),
            fields: crate::CONFIGURED.into_iter().map(|(name, it)| (it, field(name))).collect(),
            read: ReadBack {
                escalated_at: read("escalated_at"),
                escalation_answered_at: read("escalation_answered_at"),
                escalated_to: read("escalated_to"),
                reported_at: read("reported_at"),
                technical: read("technical"),
                exclusions: read("exclusions"),
            },
            zone: chrono_tz::Asia::Tokyo,
        }
    }

    fn ask(&self, method: &str, target: &str, body: &str) -> (u16, Json) {
        let token = format!("token {}", self.token);
        ask(self.at, method, target, ("Authorization", &token), body)
    }

    fn put(&self, ticket: &str, change: &Json) {
        let (status, _) =
            self.ask("PUT", &format!("/REST/2.0/ticket/{ticket}"), &change.to_string());
        assert_eq!(status, 200, "a person changes {ticket}");
    }
}

impl System for Rt {
    fn name(&self) -> &'static str {
        if self.own.is_some() { "rt" } else { "real rt" }
    }

    fn can(&self) -> Can {
        // 200 bytes.
        Can { find: true, miss: true, changed: true, open_of: true, subject: 66 }
    }

    fn sink(&self, patience: Duration) -> Box<dyn TicketSink> {
        sink_within(SystemConfig::Rt(self.config()), patience).expect("a way")
    }

    fn shown(&self, call: CallId) -> Vec<Shown> {
        let query = format!("Queue%20=%20'Desk'%20AND%20CF.%7Bcall_id%7D%20=%20'{call}'");
        let list = format!("/REST/2.0/tickets?query={query}&orderby=id&order=ASC&per_page=100");
        let (_, found) = self.ask("GET", &list, "");
        let each = found["items"].as_array().expect("tickets").iter().map(|item| {
            let id = item["id"].as_str().expect("an id");
            let (_, ticket) = self.ask("GET", &format!("/REST/2.0/ticket/{id}"), "");
            let texts = format!("/REST/2.0/ticket/{id}/attachments?fields=Content&per_page=100");
            let (_, texts) = self.ask("GET", &texts, "");
            let texts = texts["items"].as_array().expect("texts").iter();
            let texts = texts.filter_map(|it| it["Content"].as_str()).filter(|it| !it.is_empty());
            let fields = ticket["CustomFields"].as_array().expect("fields").iter();
            let fields = fields.filter_map(|it| {
                let of = |(_, name): &(Value, String)| it["name"] == json!(name);
                let (value, _) = self.config().fields.into_iter().find(of)?;
                Some((value, it["values"][0].as_str()?.to_owned()))
            });
            Shown {
                name: id.to_owned(),
                subject: ticket["Subject"].as_str().unwrap_or_default().to_owned(),
                texts: texts.map(str::to_owned).collect(),
                fields: fields.collect(),
            }
        });
        each.collect()
    }

    fn fault(&self, writes: bool, fault: Fault) -> bool {
        self.own.as_ref().map(|own| own.fault(writes, fault)).is_some()
    }

    fn asked(&self) -> Option<usize> {
        self.own.as_ref().map(|own| own.asked.load(Ordering::Relaxed))
    }

    fn close(&self, ticket: &str, closed: bool) {
        self.put(ticket, &json!({ "Status": if closed { "resolved" } else { "open" } }));
    }

    fn write(&self, ticket: &str, field: &str, text: &str) {
        self.put(ticket, &json!({ "CustomFields": { field: text } }));
    }
}
