//! Redmine over its REST API (5.0 tried). What it does silently is looked at: an unknown filter answers with all
//! issues, an unknown field is dropped, an issue that was opened again keeps the moment of its closing.

use super::walk::{PAGE, Page, Walk};
use super::way::{SystemAt, Way, encoded, number, query, set};
use super::{
    Asked, Changed, Cursor, MOST_OPEN, ReadBack, TicketSink, Unable, is_number, mark, named,
    subject, unheard_of,
};
use crate::base::{CallId, Private, Wall, stamp};
use crate::feed::{Addition, NewTicket, OpenTicket, Told, Value, Values};
use crate::io::deliver::NoWay;
use crate::io::deliver::client::Question;
use http::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Characters of a subject that Redmine takes; more earn a 422.
const SUBJECT: usize = 255;

/// Redmine.
#[derive(Clone, Debug)]
pub struct RedmineConfig {
    /// Where, and the API key.
    pub at: SystemAt,
    /// The project's identifier.
    pub project: String,
    /// The tracker's id; none: the project's first.
    pub tracker: Option<u64>,
    /// The priority's id; none: the default.
    pub priority: Option<u64>,
    /// Which custom field, by its id, holds which value. [`Value::Call`] is always among them.
    pub fields: BTreeMap<Value, u64>,
    /// Custom fields, by their ids in digits, that are read back.
    pub read: ReadBack,
    /// The desk's zone, for times without one.
    pub zone: chrono_tz::Tz,
}

/// A Redmine.
pub(super) struct Redmine {
    way: Way,
    config: RedmineConfig,
    call: u64,
}

#[derive(Deserialize)]
struct Issues {
    issues: Vec<Issue>,
    #[serde(default)]
    total_count: u64,
}

#[derive(Deserialize)]
struct OneIssue {
    issue: Issue,
}

#[derive(Deserialize)]
struct Issue {
    id: u64,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    custom_fields: Vec<CustomField>,
    #[serde(default)]
    created_on: String,
    #[serde(default)]
    updated_on: String,
    #[serde(default)]
    closed_on: Option<String>,
    #[serde(default)]
    journals: Vec<Journal>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    id: u64,
    /// Of Redmine 5 and later.
    #[serde(default)]
    is_closed: Option<bool>,
}

#[derive(Deserialize)]
struct CustomField {
    id: u64,
    #[serde(default)]
    value: Json,
}

#[derive(Deserialize)]
struct Journal {
    #[serde(default)]
    notes: Option<String>,
}

#[derive(Deserialize)]
struct OneProject {
    project: Project,
}

#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    trackers: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: u64,
}

#[derive(Deserialize)]
struct Statuses {
    issue_statuses: Vec<Status>,
}

impl Issue {
    /// The text of a custom field; one of several values has them with `;` between. None: the issue has no
    /// such field.
    fn field(&self, id: u64) -> Option<String> {
        let field = self.custom_fields.iter().find(|field| field.id == id)?;
        Some(match &field.value {
            Json::String(text) => text.clone(),
            Json::Array(all) => all.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(";"),
            _ => String::new(),
        })
    }
}

/// Moments as Redmine writes them: UTC with its Z.
fn moment(text: &str) -> Result<Wall, Unable> {
    stamp(text, chrono_tz::UTC).ok_or(Unable::Garbled { what: "an issue's moments" })
}

impl Redmine {
    pub(super) fn new(config: RedmineConfig, patience: Duration) -> Result<Self, NoWay> {
        let way = Way::new(&config.at, ("x-redmine-api-key", ""), patience)?;
        // The configuration has it always; no issue has a field 0.
        let call = config.fields.get(&Value::Call).copied().unwrap_or_default();
        Ok(Self { way, config, call })
    }

    fn list(&self, pairs: &[(&str, &str)]) -> Question {
        let path = format!("/projects/{}/issues.json", encoded(&self.config.project));
        Question::new(Method::GET, query(&path, pairs))
    }

    async fn issues(&self, pairs: &[(&str, &str)]) -> Result<Issues, Unable> {
        self.way.read(self.list(pairs), "a list of issues").await
    }

    /// Values for the fields that are configured.
    fn fields(&self, values: &Values) -> Vec<Json> {
        let held = self.config.fields.iter().filter_map(|(value, id)| {
            Some(json!({ "id": id, "value": values.get(value)?.reveal() }))
        });
        held.collect()
    }

    async fn probe_all(&self) -> Result<(), Unable> {
        let wrong = |what: String| Err(Unable::Misconfigured { what });
        let project = &self.config.project;
        let path = format!("/projects/{}.json?include=trackers", encoded(project));
        let project: Result<OneProject, Unable> =
            self.way.read(Question::new(Method::GET, path), "a project").await;
        let trackers = match project {
            Err(unable) if unable.status() == Some(404) => {
                return wrong(format!("there is no project {}", self.config.project));
            }
            project => project?.project.trackers,
        };
        let tracker = self.config.tracker.or(trackers.first().map(|it| it.id));
        if let Some(tracker) = tracker
            && !trackers.iter().any(|it| it.id == tracker)
        {
            return wrong(format!("the project has no tracker {tracker}"));
        }
        // A number that nobody has: a field that is no filter, or is not there, lets all issues through.
        self.of_call(unheard_of()).await?;
        // Which fields an issue of the tracker has is told by an issue alone, once there is one.
        let tracker = tracker.unwrap_or_default().to_string();
        let pairs = [
            ("status_id", "*"),
            ("tracker_id", tracker.as_str()),
            ("sort", "id:desc"),
            ("limit", "1"),
        ];
        let found = self.issues(&pairs).await?;
        let read = self.config.read.names().map(|name| {
            number(name).ok_or_else(|| Unable::Misconfigured {
                what: format!("{} is no custom field's id", named(name)),
            })
        });
        let due: Result<Vec<u64>, Unable> =
            self.config.fields.values().map(|id| Ok(*id)).chain(read).collect();
        for id in due? {
            if found.issues.iter().any(|issue| issue.field(id).is_none()) {
                return wrong(format!("issues of tracker {tracker} have no custom field {id}"));
            }
        }
        Ok(())
    }

    /// Issues of a call, the oldest first.
    async fn of_call(&self, call: CallId) -> Result<Vec<Issue>, Unable> {
        let (filter, call) = (format!("cf_{}", self.call), call.to_string());
        let pairs = [
            ("status_id", "*"),
            (filter.as_str(), call.as_str()),
            ("sort", "id"),
            ("limit", "100"),
        ];
        let found = self.issues(&pairs).await?.issues;
        if found.iter().any(|issue| issue.field(self.call).as_deref() != Some(call.as_str())) {
            return Err(Unable::Misconfigured {
                what: format!(
                    "custom field {} is not there, or issues cannot be filtered by it",
                    self.call
                ),
            });
        }
        Ok(found)
    }

    async fn open(&self, ticket: &NewTicket) -> Result<String, Unable> {
        let mut issue = json!({
            "project_id": self.config.project,
            "subject": subject(ticket, SUBJECT),
            "description": ticket.text.reveal(),
            "custom_fields": self.fields(&ticket.values),
        });
        for (name, id) in
            [("tracker_id", self.config.tracker), ("priority_id", self.config.priority)]
        {
            if let Some(id) = id {
                set(&mut issue, name, id);
            }
        }
        let question = Question::new(Method::POST, "/issues.json").json(&json!({ "issue": issue }));
        let opened: OneIssue = self.way.read(question, "the new issue").await?;
        let id = opened.issue.id;
        // It is there, so this is no failure: another one would be opened by the next try.
        if opened.issue.field(self.call).as_deref() != Some(ticket.call.to_string().as_str()) {
            tracing::warn!(issue = id, field = self.call, "the issue does not hold its call's id");
        }
        Ok(id.to_string())
    }

    async fn has(&self, ticket: &str, key: &str) -> Result<bool, Unable> {
        let Some(id) = number(ticket) else {
            return Err(Unable::NoTicket { ticket: named(ticket) });
        };
        let question = Question::new(Method::GET, format!("/issues/{id}.json?include=journals"));
        let found: Result<OneIssue, Unable> = self.way.read(question, "an issue").await;
        let issue = found.map_err(|unable| unable.about(ticket))?.issue;
        let mark = mark(key);
        let notes = issue.journals.iter().map(|journal| journal.notes.as_deref());
        Ok(notes.chain([issue.description.as_deref()]).flatten().any(|text| text.contains(&mark)))
    }

    async fn add(&self, ticket: &str, addition: &Addition) -> Result<(), Unable> {
        let fields = self.fields(&addition.values);
        if addition.text.is_none() && fields.is_empty() {
            return Ok(());
        }
        let Some(id) = number(ticket) else {
            return Err(Unable::NoTicket { ticket: named(ticket) });
        };
        let mut issue = json!({ "custom_fields": fields });
        if let Some(text) = &addition.text {
            set(&mut issue, "notes", text.reveal().as_str());
        }
        let question = Question::new(Method::PUT, format!("/issues/{id}.json"))
            .json(&json!({ "issue": issue }));
        self.way.ask(question).await.map_err(|unable| unable.about(ticket))?;
        Ok(())
    }

    async fn look(&self, since: &Cursor) -> Result<Changed, Unable> {
        let walk = Walk::at(since);
        let offset = (walk.page() as usize).saturating_mul(PAGE).to_string();
        let mut pairs = vec![
            ("status_id", "*".to_owned()),
            ("sort", "updated_on:desc,id:desc".to_owned()),
            ("limit", PAGE.to_string()),
            ("offset", offset),
        ];
        let floor = walk.floor_s().and_then(|at| chrono::DateTime::from_timestamp(at, 0));
        if let Some(floor) = floor {
            // It takes no other form of a moment. The second itself is among what is told.
            pairs.push(("updated_on", format!(">={}", floor.format("%Y-%m-%dT%H:%M:%SZ"))));
        }
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let found = self.issues(&pairs).await?;
        let stamps: Result<Vec<i64>, Unable> =
            found.issues.iter().map(|issue| Ok(moment(&issue.updated_on)?.0 / 1_000)).collect();
        let next = walk.on(Page { changed_s: &stamps?, total: found.total_count });
        let mut changed = Changed { cursor: next.cursor, more: next.more, ..Changed::default() };
        let closed = self.closed(&found.issues).await?;
        for issue in found.issues.iter().take(next.keep) {
            let told = self.told(issue, &closed)?;
            let call = issue.field(self.call).and_then(|call| call.parse().ok()).map(CallId);
            changed.seen(issue.id.to_string(), call, &told, self.config.zone);
        }
        Ok(changed)
    }

    /// Ids of the statuses that are closed, where the issues do not say it themselves.
    async fn closed(&self, issues: &[Issue]) -> Result<Vec<u64>, Unable> {
        if issues.iter().all(|issue| issue.closed_on.is_none() || issue.status.is_closed.is_some())
        {
            return Ok(Vec::new());
        }
        let question = Question::new(Method::GET, "/issue_statuses.json");
        let all: Statuses = self.way.read(question, "the issues' statuses").await?;
        let closed = all.issue_statuses.iter().filter(|status| status.is_closed == Some(true));
        Ok(closed.map(|status| status.id).collect())
    }

    fn told(&self, issue: &Issue, closed: &[u64]) -> Result<Told, Unable> {
        // `closed_on` is the last closing, and stays when the issue is opened again.
        let status = &issue.status;
        let is_closed = status.is_closed.unwrap_or_else(|| closed.contains(&status.id));
        let completed_at = match &issue.closed_on {
            Some(at) if is_closed => Some(moment(at)?),
            Some(_) | None => None,
        };
        let arrived = self.config.fields.get(&Value::ArrivedAt).and_then(|id| issue.field(*id));
        let by_name = |name: &str| issue.field(number(name)?);
        Ok(Told {
            completed_at,
            arrived_at: arrived.unwrap_or_default(),
            ..self.config.read.told(moment(&issue.created_on)?, by_name)
        })
    }

    async fn of_caller(&self, field: u64, caller: &str) -> Result<Vec<OpenTicket>, Unable> {
        if !is_number(caller) {
            return Ok(Vec::new());
        }
        let filter = format!("cf_{field}");
        // What a filter's value begins with may be an operator; this one is "equals".
        let value = format!("={caller}");
        let pairs = [
            ("status_id", "open"),
            (filter.as_str(), value.as_str()),
            ("sort", "updated_on:desc"),
            ("limit", "100"),
        ];
        let found = self.issues(&pairs).await?.issues;
        let own = found.iter().filter(|issue| issue.field(field).as_deref() == Some(caller));
        let each = own.take(MOST_OPEN).map(|issue| OpenTicket {
            ticket: issue.id.to_string(),
            subject: Private::new(issue.subject.clone()),
            url: Some(self.way.page(&format!("/issues/{}", issue.id))),
        });
        Ok(each.collect())
    }
}

impl TicketSink for Redmine {
    fn probe(&self) -> Asked<'_, ()> {
        Box::pin(self.probe_all())
    }

    fn find(&self, call: CallId) -> Asked<'_, Vec<String>> {
        Box::pin(async move {
            let found = self.of_call(call).await?;
            Ok(found.iter().map(|issue| issue.id.to_string()).collect())
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

    fn changed<'a>(&'a self, since: &'a Cursor) -> Option<Asked<'a, Changed>> {
        Some(Box::pin(self.look(since)))
    }

    fn open_of<'a>(&'a self, number: &'a str) -> Option<Asked<'a, Vec<OpenTicket>>> {
        let field = *self.config.fields.get(&Value::Caller)?;
        Some(Box::pin(self.of_caller(field, number)))
    }
}
