//! The site's own receiver, as docs/WARNING.md and the schema tell a site to write one: it checks the
//! signature, and does what it has had before a second time as little as it can.

use crate::serve::{Asked, Fault, Reply, Served, Site, reply};
use crate::system::{Can, Shown, System};
use madoguchi::base::{CallId, Private};
use madoguchi::feed::Value;
use madoguchi::io::deliver::signature;
use madoguchi::io::deliver::tickets::{
    SystemAt, SystemConfig, TicketSink, WebhookTarget, sink_within,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub struct Webhook {
    pub own: Served<Memory>,
}

#[derive(Default)]
pub struct Memory {
    /// Every event once, in order.
    pub events: Vec<Json>,
    keys: BTreeSet<String>,
    /// What it calls tickets, when it has names of its own.
    pub named: Option<Json>,
}

impl Site for Memory {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let at_s: i64 = asked.header("madoguchi-timestamp").parse().unwrap_or_default();
        let due = signature(SECRET, at_s, asked.body.as_bytes());
        if asked.header("madoguchi-signature") != due || asked.path != "/tickets" {
            return reply(401, "");
        }
        assert!((chrono::Utc::now().timestamp() - at_s).abs() < 300, "it is of now");
        assert_eq!(asked.header("content-type"), "application/cloudevents+json");
        let event = asked.json().expect("JSON");
        assert_eq!(event["id"], json!(asked.header("idempotency-key")));
        if self.keys.insert(asked.header("idempotency-key").to_owned()) {
            self.events.push(event);
        }
        match &self.named {
            Some(named) => reply(200, json!({ "ticket": named })),
            None => reply(202, ""),
        }
    }
}

impl Webhook {
    pub fn own() -> Self {
        Self { own: Served::start(Memory::default()) }
    }

    pub fn target(&self) -> WebhookTarget {
        WebhookTarget {
            at: SystemAt {
                url: format!("http://{}/tickets", self.own.at).parse().expect("a URL"),
                key: Private::new(SECRET.to_owned()),
                private: true,
                authorities: Vec::new(),
            },
            desk: "窓口 1".to_owned(),
        }
    }
}

impl System for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn can(&self) -> Can {
        Can { find: false, miss: true, changed: false, open_of: false, subject: 200 }
    }

    fn sink(&self, patience: Duration) -> Box<dyn TicketSink> {
        sink_within(SystemConfig::Webhook(self.target()), patience).expect("a way")
    }

    fn shown(&self, call: CallId) -> Vec<Shown> {
        let site = self.own.site.lock().unwrap();
        let mut shown: Vec<Shown> = Vec::new();
        for event in site.events.iter().filter(|it| it["subject"] == json!(call.to_string())) {
            let data = &event["data"];
            if event["type"] == json!("jp.madoguchi.ticket.opened") {
                let subject = data["subject"].as_str().expect("a subject").to_owned();
                shown.push(Shown { name: call.to_string(), subject, ..Shown::default() });
            }
            let Some(ticket) = shown.last_mut() else { continue };
            ticket.texts.extend(data["text"].as_str().map(str::to_owned));
            for (name, value) in data["values"].as_object().expect("values") {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                ticket.fields.insert(Value::named(name).expect("a value"), text);
            }
        }
        shown
    }

    fn fault(&self, writes: bool, fault: Fault) -> bool {
        self.own.fault(writes, fault);
        true
    }

    fn asked(&self) -> Option<usize> {
        Some(self.own.asked.load(Ordering::Relaxed))
    }
}
