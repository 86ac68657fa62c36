//! Zammad: one of ours, made from its documentation and source; no real one was tried.

use crate::serve::{Asked, Fault, Reply, Served, Site, reply, written};
use crate::system::{Can, Shown, System};
use madoguchi::base::{CallId, Private};
use madoguchi::feed::Value;
use madoguchi::io::deliver::tickets::{
    SystemAt, SystemConfig, TicketSink, ZammadConfig, sink_within,
};
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

pub const TOKEN: &str = "zammad-token-0123456789";
pub const CTI: &str = "cti-end-0123456789";

pub struct Zammad {
    pub own: Served<Memory>,
}

#[derive(Default)]
pub struct Memory {
    pub tickets: Vec<Json>,
    /// Events of the caller log.
    pub pushed: Vec<Json>,
}

impl Memory {
    fn at(&self, id: &str) -> Option<usize> {
        self.tickets.iter().position(|ticket| written(&ticket["id"]) == id)
    }

    fn without_articles(ticket: &Json) -> Json {
        let mut ticket = ticket.clone();
        ticket.as_object_mut().expect("a ticket").remove("articles");
        ticket
    }

    fn set(ticket: &mut Json, given: &Json) {
        for (name, value) in given.as_object().expect("an object") {
            if name == "article" {
                ticket["articles"].as_array_mut().expect("articles").push(value.clone());
            } else {
                ticket[name] = value.clone();
            }
        }
    }

    fn search(&self, asked: &Asked) -> Reply {
        let mut found: Vec<&Json> = self.tickets.iter().collect();
        for (name, value) in &asked.query {
            let field = name.strip_prefix("condition[ticket.");
            let Some(field) = field.and_then(|it| it.strip_suffix("][value]")) else { continue };
            if !crate::CONFIGURED.iter().any(|(known, _)| column(known) == field) {
                return reply(422, "{\"error\":\"Invalid condition\"}");
            }
            found.retain(|ticket| match &ticket[field] {
                Json::String(text) => text == value,
                other => written(other) == *value,
            });
        }
        let all: Vec<Json> = found.into_iter().map(Self::without_articles).collect();
        reply(200, json!(all))
    }
}

/// What the fields are called there.
fn column(value: &str) -> String {
    if value == "call" { "call_id".to_owned() } else { value.to_owned() }
}

impl Site for Memory {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let parts: Vec<&str> =
            asked.path.strip_prefix("/api/v1/").unwrap_or_default().split('/').collect();
        if let ("POST", ["cti", end]) = (asked.method.as_str(), parts.as_slice()) {
            if *end != CTI {
                return reply(401, "{}");
            }
            self.pushed.push(asked.json().expect("an event"));
            return reply(200, "{}");
        }
        if asked.header("authorization") != format!("Token token={TOKEN}") {
            return reply(401, "{\"error\":\"Invalid BasicAuth credentials\"}");
        }
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["users", "me"]) => reply(200, json!({ "id": 3, "active": true })),
            ("GET", ["tickets", "search"]) => self.search(asked),
            ("POST", ["tickets"]) => {
                let Some(body) = asked.json() else { return reply(400, "{}") };
                if body["group"] != json!("Desk")
                    || body["customer"] != json!("caller@desk.example")
                {
                    return reply(422, "{\"error\":\"No lookup value found\"}");
                }
                let id = self.tickets.len() + 1;
                let mut ticket = json!({ "id": id, "state": "new", "articles": [] });
                Self::set(&mut ticket, &body);
                self.tickets.push(ticket.clone());
                reply(201, Self::without_articles(&ticket))
            }
            ("PUT", ["tickets", id]) => match (self.at(id), asked.json()) {
                (Some(at), Some(body)) => {
                    Self::set(&mut self.tickets[at], &body);
                    reply(200, Self::without_articles(&self.tickets[at]))
                }
                _ => reply(404, "{\"error\":\"Couldn't find Ticket\"}"),
            },
            ("GET", ["ticket_articles", "by_ticket", id]) => match self.at(id) {
                Some(at) => reply(200, &self.tickets[at]["articles"]),
                None => reply(404, "{\"error\":\"Couldn't find Ticket\"}"),
            },
            _ => reply(404, "{}"),
        }
    }
}

impl Zammad {
    pub fn own() -> Self {
        Self { own: Served::start(Memory::default()) }
    }

    pub fn config(&self) -> ZammadConfig {
        ZammadConfig {
            at: SystemAt {
                url: format!("http://{}", self.own.at).parse().expect("a URL"),
                key: Private::new(TOKEN.to_owned()),
                private: true,
                authorities: Vec::new(),
            },
            group: "Desk".to_owned(),
            customer: "caller@desk.example".to_owned(),
            cti: None,
            fields: crate::CONFIGURED.into_iter().map(|(name, it)| (it, column(name))).collect(),
        }
    }
}

impl System for Zammad {
    fn name(&self) -> &'static str {
        "zammad"
    }

    fn can(&self) -> Can {
        Can { find: true, miss: true, changed: false, open_of: true, subject: 200 }
    }

    fn sink(&self, patience: Duration) -> Box<dyn TicketSink> {
        sink_within(SystemConfig::Zammad(self.config()), patience).expect("a way")
    }

    fn shown(&self, call: CallId) -> Vec<Shown> {
        let site = self.own.site.lock().unwrap();
        let own = site.tickets.iter().filter(|it| it["call_id"] == json!(call.to_string()));
        let each = own.map(|ticket| {
            let articles = ticket["articles"].as_array().expect("articles").iter();
            let field = |(name, value): (&str, Value)| {
                let text = match &ticket[column(name)] {
                    Json::Null => return None,
                    Json::String(text) => text.clone(),
                    other => other.to_string(),
                };
                Some((value, text))
            };
            Shown {
                name: ticket["id"].to_string(),
                subject: ticket["title"].as_str().unwrap_or_default().to_owned(),
                texts: articles.map(|it| it["body"].as_str().expect("a text").to_owned()).collect(),
                fields: crate::CONFIGURED.into_iter().filter_map(field).collect(),
            }
        });
        each.collect()
    }

    fn fault(&self, writes: bool, fault: Fault) -> bool {
        self.own.fault(writes, fault);
        true
    }

    fn asked(&self) -> Option<usize> {
        Some(self.own.asked.load(Ordering::Relaxed))
    }

    fn close(&self, ticket: &str, closed: bool) {
        let mut site = self.own.site.lock().unwrap();
        let at = site.at(ticket).expect("it is there");
        site.tickets[at]["state"] = json!(if closed { "closed" } else { "open" });
    }
}
