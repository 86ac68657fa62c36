//! Redmine: one of ours that answers as a real 5.0 does, and a real one where its address is given.

use crate::serve::{Asked, Fault, Reply, Served, Site, ask, reply, written};
use crate::system::{Can, Shown, System};
use chrono::DateTime;
use madoguchi::base::{CallId, Private};
use madoguchi::feed::Value;
use madoguchi::io::deliver::tickets::{
    ReadBack, RedmineConfig, SystemAt, SystemConfig, TicketSink, sink_within,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// Ids of what a Redmine has.
#[derive(Clone, Debug)]
pub struct Ids {
    pub project: String,
    pub tracker: u64,
    /// By the names of `Value` and `ReadBack`.
    pub fields: BTreeMap<String, u64>,
    pub open: u64,
    pub closed: u64,
}

/// A Redmine somewhere.
pub struct Redmine {
    at: SocketAddr,
    key: String,
    ids: Ids,
    pub own: Option<Served<Memory>>,
}

/// What a Redmine of ours keeps.
pub struct Memory {
    pub issues: Vec<Json>,
    ids: Ids,
    /// Seconds since 1970 by its own clock.
    pub now_s: i64,
    /// Whether it is older than 5.0 and tells of no status whether it is closed.
    pub is_old: bool,
}

fn stamped(at_s: i64) -> String {
    let at = DateTime::from_timestamp(at_s, 0).expect("a moment");
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Memory {
    fn custom_fields(&self, given: &Json, before: Option<&Json>) -> Json {
        let all = self.ids.fields.iter().map(|(name, id)| {
            let own = given.as_array().and_then(|all| all.iter().find(|it| it["id"] == json!(id)));
            let old = before.and_then(Json::as_array).and_then(|all| {
                all.iter().find(|it| it["id"] == json!(id)).map(|it| it["value"].clone())
            });
            let value = own.map(|own| own["value"].clone()).or(old).unwrap_or(Json::Null);
            json!({ "id": id, "name": name, "value": value })
        });
        all.collect()
    }

    fn status(&self, id: u64) -> Json {
        let is_closed = id == self.ids.closed;
        if self.is_old { json!({ "id": id }) } else { json!({ "id": id, "is_closed": is_closed }) }
    }

    /// What stands there for a person to see: without journals, as lists are.
    fn listed(issue: &Json) -> Json {
        let mut issue = issue.clone();
        issue.as_object_mut().expect("an issue").remove("journals");
        issue
    }

    fn open(&mut self, asked: &Asked) -> Reply {
        let Some(body) = asked.json() else {
            return reply(400, "{\"status\":400,\"error\":\"Bad Request\"}");
        };
        let issue = &body["issue"];
        let subject = issue["subject"].as_str().unwrap_or_default();
        if issue["project_id"] != json!(self.ids.project)
            || subject.trim().is_empty()
            || subject.chars().count() > 255
        {
            return reply(422, "{\"errors\":[\"題名 を入力してください\"]}");
        }
        let (id, now) = (self.issues.len() as u64 + 1, stamped(self.now_s));
        let text = issue["description"].as_str().unwrap_or_default().replace('\n', "\r\n");
        let mut made = json!({
            "id": id,
            "tracker": { "id": issue["tracker_id"].as_u64().unwrap_or(self.ids.tracker) },
            "status": self.status(self.ids.open),
            "subject": subject,
            "description": text,
            "custom_fields": self.custom_fields(&issue["custom_fields"], None),
            "created_on": now,
            "updated_on": now,
            "closed_on": null,
            "journals": [],
        });
        self.issues.push(made.clone());
        made.as_object_mut().expect("an issue").remove("journals");
        reply(201, json!({ "issue": made }))
    }

    fn change(&mut self, id: u64, asked: &Asked) -> Reply {
        let now = stamped(self.now_s);
        let Some(body) = asked.json() else { return reply(400, "{}") };
        let change = &body["issue"];
        let Some(at) = self.issues.iter().position(|it| it["id"] == json!(id)) else {
            return reply(404, "");
        };
        let before = self.issues[at]["custom_fields"].clone();
        let after = self.custom_fields(&change["custom_fields"], Some(&before));
        let status = change["status_id"].as_u64().map(|status| (status, self.status(status)));
        let notes = change["notes"].as_str().unwrap_or_default();
        let issue = &mut self.issues[at];
        let is_news = !notes.is_empty() || before != after || status.is_some();
        issue["custom_fields"] = after;
        if let Some((id, status)) = status {
            issue["status"] = status;
            if id == self.ids.closed {
                issue["closed_on"] = json!(now);
            }
        }
        if is_news {
            issue["updated_on"] = json!(now);
            let journals = issue["journals"].as_array_mut().expect("journals");
            journals.push(json!({ "id": journals.len() + 1, "notes": notes, "created_on": now }));
        }
        reply(204, "")
    }

    fn list(&self, asked: &Asked) -> Reply {
        let mut found: Vec<&Json> = self.issues.iter().collect();
        let is_closed = |it: &Json| it["status"]["id"] == json!(self.ids.closed);
        if asked.query("status_id").unwrap_or("open") == "open" {
            found.retain(|it| !is_closed(it));
        }
        if let Some(tracker) = asked.query("tracker_id") {
            found.retain(|it| written(&it["tracker"]["id"]) == tracker);
        }
        for (name, value) in &asked.query {
            let Some(id) = name.strip_prefix("cf_") else { continue };
            // An unknown filter is none.
            if !self.ids.fields.values().any(|known| known.to_string() == *id) {
                continue;
            }
            let value = value.strip_prefix('=').unwrap_or(value);
            found.retain(|it| {
                let fields = it["custom_fields"].as_array().expect("fields");
                fields.iter().any(|it| written(&it["id"]) == *id && it["value"] == json!(value))
            });
        }
        if let Some(since) = asked.query("updated_on") {
            let Some(since) = since.strip_prefix(">=").filter(|it| it.len() == 20) else {
                return reply(422, "{\"errors\":[\"更新日 は不正な値です\"]}");
            };
            found.retain(|it| it["updated_on"].as_str().expect("a moment") >= since);
        }
        let by = |it: &Json| (it["updated_on"].to_string(), it["id"].as_u64());
        match asked.query("sort") {
            Some("id") => {}
            Some("id:desc") | None => found.reverse(),
            Some("updated_on:desc" | "updated_on:desc,id:desc") => {
                found.sort_by_key(|it| std::cmp::Reverse(by(it)));
            }
            Some(other) => panic!("it is not sorted by {other}"),
        }
        let number = |name, or| asked.query(name).and_then(|it| it.parse().ok()).unwrap_or(or);
        let (total, offset, limit) =
            (found.len(), number("offset", 0), number("limit", 25).min(100));
        let page: Vec<Json> =
            found.into_iter().skip(offset).take(limit).map(Self::listed).collect();
        reply(
            200,
            json!({ "issues": page, "total_count": total, "offset": offset, "limit": limit }),
        )
    }
}

impl Site for Memory {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.header("x-redmine-api-key") != KEY {
            return reply(401, "");
        }
        let path = asked.path.trim_start_matches('/');
        let parts: Vec<&str> = path.trim_end_matches(".json").split('/').collect();
        match (asked.method.as_str(), parts.as_slice()) {
            ("POST", ["issues"]) => self.open(asked),
            ("GET", ["projects", project, "issues"]) if *project == self.ids.project => {
                self.list(asked)
            }
            ("GET", ["projects", project]) if *project == self.ids.project => {
                let trackers = json!([{ "id": self.ids.tracker, "name": "電話" }]);
                reply(200, json!({ "project": { "id": 1, "trackers": trackers } }))
            }
            ("GET", ["issue_statuses"]) => {
                let all = json!([
                    { "id": self.ids.open, "is_closed": false },
                    { "id": self.ids.closed, "is_closed": true },
                ]);
                reply(200, json!({ "issue_statuses": all }))
            }
            ("GET", ["issues", id]) => {
                match self.issues.iter().find(|it| written(&it["id"]) == *id) {
                    Some(issue) => reply(200, json!({ "issue": issue })),
                    None => reply(404, ""),
                }
            }
            ("PUT", ["issues", id]) => self.change(id.parse().unwrap_or(0), asked),
            _ => reply(404, ""),
        }
    }
}

impl Redmine {
    /// One of ours.
    pub fn own() -> Self {
        let names = [
            "call",
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
        let fields = (11..).zip(names).map(|(id, name)| (name.to_owned(), id)).collect();
        let ids = Ids { project: "desk".into(), tracker: 4, fields, open: 1, closed: 5 };
        let memory = Memory {
            issues: Vec::new(),
            ids: ids.clone(),
            now_s: crate::system::ARRIVED.0 / 1_000 + 60,
            is_old: false,
        };
        let own = Served::start(memory);
        Self { at: own.at, key: KEY.to_owned(), ids, own: Some(own) }
    }

    /// The real one that the environment names: `MADOGUCHI_TEST_REDMINE` is its address, such as
    /// `127.0.0.1:3000`, a blank, its key, and the ids as JSON:
    /// `{"project":"desk","tracker":4,"open":7,"closed":9,"fields":{"call":1,…}}`.
    pub fn real() -> Option<Self> {
        let told = std::env::var("MADOGUCHI_TEST_REDMINE").ok()?;
        let mut parts = told.splitn(3, ' ');
        let at = parts.next()?.parse().expect("an address");
        let key = parts.next().expect("a key").to_owned();
        let ids: Json = serde_json::from_str(parts.next().expect("ids")).expect("JSON");
        let fields = ids["fields"].as_object().expect("fields").iter();
        let ids = Ids {
            project: ids["project"].as_str().expect("a project").to_owned(),
            tracker: ids["tracker"].as_u64().expect("a tracker"),
            fields: fields.map(|(name, id)| (name.clone(), id.as_u64().expect("an id"))).collect(),
            open: ids["open"].as_u64().expect("a status"),
            closed: ids["closed"].as_u64().expect("a status"),
        };
        Some(Self { at, key, ids, own: None })
    }

    /// All that can go wrong in its configuration is changed here.
    pub fn config(&self) -> RedmineConfig {
        let read = |name: &str| self.ids.fields.get(name).map(u64::to_string);
        let of = |(name, value): (&'static str, Value)| Some((value, *self.ids.fields.get(name)?));
        RedmineConfig {
            at: SystemAt {
                url: format!("http://{}/", self.at).parse().expect("a URL"),
                key: Private::new(self.key.clone()),
                private: true,
                authorities: Vec::new(),
            },
            project: self.ids.project.clone(),
            tracker: Some(self.ids.tracker),
            priority: None,
            fields: crate::CONFIGURED.into_iter().filter_map(of).collect(),
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
        ask(self.at, method, target, ("X-Redmine-API-Key", &self.key), body)
    }

    fn put(&self, ticket: &str, issue: &Json) {
        let body = json!({ "issue": issue }).to_string();
        let (status, _) = self.ask("PUT", &format!("/issues/{ticket}.json"), &body);
        assert_eq!(status, 204, "a person changes {ticket}");
    }
}

impl System for Redmine {
    fn name(&self) -> &'static str {
        if self.own.is_some() { "redmine" } else { "real redmine" }
    }

    fn can(&self) -> Can {
        Can { find: true, miss: true, changed: true, open_of: true, subject: 200 }
    }

    fn sink(&self, patience: Duration) -> Box<dyn TicketSink> {
        sink_within(SystemConfig::Redmine(self.config()), patience).expect("a way")
    }

    fn shown(&self, call: CallId) -> Vec<Shown> {
        let id = self.ids.fields["call"];
        let list = format!(
            "/projects/{}/issues.json?status_id=*&cf_{id}={call}&sort=id",
            self.ids.project
        );
        let (_, found) = self.ask("GET", &list, "");
        let each = found["issues"].as_array().expect("issues").iter().map(|issue| {
            let one = format!("/issues/{}.json?include=journals", issue["id"]);
            let issue = self.ask("GET", &one, "").1["issue"].clone();
            let mut texts =
                vec![issue["description"].as_str().unwrap_or_default().replace('\r', "")];
            let notes = issue["journals"].as_array().expect("journals").iter();
            let notes = notes.filter_map(|it| it["notes"].as_str()).filter(|it| !it.is_empty());
            texts.extend(notes.map(|it| it.replace('\r', "")));
            let fields = issue["custom_fields"].as_array().expect("fields").iter();
            let fields = fields.filter_map(|it| {
                let of = |(_, value): &(Value, u64)| it["id"] == json!(value);
                let (value, _) = self.config().fields.into_iter().find(of)?;
                let text = it["value"].as_str().filter(|it| !it.is_empty())?;
                Some((value, text.to_owned()))
            });
            Shown {
                name: issue["id"].to_string(),
                subject: issue["subject"].as_str().unwrap_or_default().to_owned(),
                texts,
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
        let status = if closed { self.ids.closed } else { self.ids.open };
        self.put(ticket, &json!({ "status_id": status }));
    }

    fn write(&self, ticket: &str, field: &str, text: &str) {
        let id = self.ids.fields[field];
        self.put(ticket, &json!({ "custom_fields": [{ "id": id, "value": text }] }));
    }
}
