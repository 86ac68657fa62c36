//! `[tickets]`: which ticket systems (targets) are fed with calls, which calls make a ticket there, and which of
//! a call's values stand in which of their fields.

use super::address::{AddressFault, is_link, judged};
use super::files::{directory, secret, taken, whole};
use super::parse::Reading;
use super::problem::Problem;
use super::secrets;
use super::show::quoted;
use super::tickets_problem::TicketsProblem;
use super::tls::authorities;
use crate::base::{Language, Private, TargetId};
use crate::dialplan::reader::{At, Item, Table};
use crate::dialplan::shape::TextRule;
use crate::dialplan::{Finding, show_duration};
use crate::feed::{Template, Value};
use crate::tickets::Directory;
use crate::view::{FeedRules, Handling, LEDGER, Outcome};
use http::Uri;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// A file of a secret that is not there.
const ABSENT: Problem = Problem::Tickets(TicketsProblem::NoSecret);
/// Most targets.
const MOST_TARGETS: usize = 16;
/// A subject unless the file says otherwise, in Japanese and in English.
const SUBJECTS: (&str, &str) = ("電話 {caller} {outcome}", "Call from {caller}: {outcome}");
const DAY: Duration = Duration::from_hours(24);

/// Which system a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The desk's own ledger of incidents, which is fed by nobody but the history.
    Ledger,
    /// Redmine's REST.
    Redmine,
    /// Request Tracker's REST2.
    Rt,
    /// Zammad's REST and CTI push.
    Zammad,
    /// The site's own receiver of signed POSTs.
    Webhook,
    /// A folder.
    Folder,
}

impl TargetKind {
    /// As the file writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

const KINDS: [(&str, TargetKind); 6] = [
    ("ledger", TargetKind::Ledger),
    ("redmine", TargetKind::Redmine),
    ("rt", TargetKind::Rt),
    ("zammad", TargetKind::Zammad),
    ("webhook", TargetKind::Webhook),
    ("folder", TargetKind::Folder),
];

/// What is read back, by its name in `read`.
pub const READ_KEYS: [&str; 6] = [
    "escalated_at",
    "escalation_answered_at",
    "escalated_to",
    "reported_at",
    "technical",
    "exclusions",
];

/// All that is configured of tickets.
#[derive(Clone, Debug)]
pub struct TicketsConfig {
    /// Where the desk's pages are, without a slash at its end: recordings are listened to there.
    pub link: Option<String>,
    /// Of the words in tickets.
    pub language: Language,
    /// Who has which number: a file for agents' panels.
    pub directory: Option<PathBuf>,
    /// What that file holds; nobody when it cannot be used, which is a warning: calls need it not.
    pub people: Arc<Directory>,
    /// Authorities that all targets are judged by; none: those of the machine.
    pub ca: Option<PathBuf>,
    /// What that file holds.
    pub authorities: Vec<CertificateDer<'static>>,
    /// At least one; without any in the file the ledger.
    pub targets: Vec<TargetConfig>,
}

/// One ticket system.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    /// Its name in the history.
    pub name: TargetId,
    /// Which system it is.
    pub kind: TargetKind,
    /// Which calls make a ticket.
    pub rules: FeedRules,
    /// What tickets are called.
    pub subject: Template,
    /// Where it is; of the ledger and a folder none.
    pub at: Option<TargetAt>,
    /// Which of its fields, by its own names of them, holds which value.
    pub fields: BTreeMap<Value, String>,
    /// Which of its fields is read back as what; names of [`READ_KEYS`].
    pub read: BTreeMap<&'static str, String>,
    /// How often it is asked what changed; none: it is not.
    pub read_every: Option<Duration>,
    /// Redmine's project, Request Tracker's queue, Zammad's group; of others empty.
    pub place: String,
    /// Redmine's tracker.
    pub tracker: Option<u64>,
    /// Redmine's priority.
    pub priority: Option<u64>,
    /// Zammad's customer; of others empty.
    pub customer: String,
    /// Zammad: the file that holds the secret end of the CTI push's address.
    pub cti_file: Option<PathBuf>,
    /// What it holds.
    pub cti: Option<Private<String>>,
    /// The folder.
    pub path: Option<PathBuf>,
    /// Whether files in it are lines of JSON; otherwise CSV.
    pub jsonl: bool,
}

/// Where a target is, and its key.
#[derive(Clone, Debug)]
pub struct TargetAt {
    /// Its address.
    pub url: Uri,
    /// Holds its key, token or secret.
    pub key_file: PathBuf,
    /// What that file holds.
    pub key: Private<String>,
    /// Hosts that may stand in `url`.
    pub hosts: Vec<String>,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
}

impl Default for TicketsConfig {
    /// The ledger alone.
    fn default() -> Self {
        Self {
            link: None,
            language: Language::default(),
            directory: None,
            people: Arc::default(),
            ca: None,
            authorities: Vec::new(),
            targets: ledger().into_iter().collect(),
        }
    }
}

fn ledger() -> Option<TargetConfig> {
    let subject = Template::read(SUBJECTS.0).ok()?;
    Some(TargetConfig::empty(LEDGER.into(), TargetKind::Ledger, subject))
}

impl TargetConfig {
    fn empty(name: TargetId, kind: TargetKind, subject: Template) -> Self {
        Self {
            name,
            kind,
            rules: FeedRules::default(),
            subject,
            at: None,
            fields: BTreeMap::new(),
            read: BTreeMap::new(),
            read_every: None,
            place: String::new(),
            tracker: None,
            priority: None,
            customer: String::new(),
            cti_file: None,
            cti: None,
            path: None,
            jsonl: false,
        }
    }
}

impl Reading<'_, '_> {
    pub(super) fn tickets(&mut self, mut table: Table) -> TicketsConfig {
        let link = table.get("link").and_then(|item| self.link(&item));
        let language = table.get("language").and_then(|item| item.word(&Language::ALL, self.out));
        let language = language.unwrap_or_default();
        let directory = table.get("directory").and_then(|item| self.path(&item));
        let ca = table.get("ca").and_then(|item| self.path(&item));
        let targets = table.get("targets").map(|item| self.targets(&item, language));
        let targets = targets.unwrap_or_else(|| ledger().into_iter().collect());
        table.finish(self.out);
        let (people, authorities) = (Arc::default(), Vec::new());
        TicketsConfig { link, language, directory, people, ca, authorities, targets }
    }

    fn link(&mut self, item: &Item) -> Option<String> {
        let text = item.raw(self.out)?;
        if !is_link(&text.value) {
            let found = text.value.clone();
            self.out.at(&text.span, Problem::Tickets(TicketsProblem::BadLink { found }));
        }
        Some(text.value.trim_end_matches('/').to_owned())
    }

    fn targets(&mut self, item: &Item, language: Language) -> Vec<TargetConfig> {
        let mut targets: Vec<TargetConfig> = Vec::new();
        let mut names: BTreeMap<TargetId, usize> = BTreeMap::new();
        let entries = self.bounded(item);
        if entries.is_empty() || entries.len() > MOST_TARGETS {
            let problem = TicketsProblem::Targets { found: entries.len(), most: MOST_TARGETS };
            self.out.at(&item.span, Problem::Tickets(problem));
        }
        for entry in entries {
            let Some(mut table) = entry.table(self.out) else { continue };
            let name = table
                .need("name", "name = \"redmine\"", self.out)
                .and_then(|item| item.text(TextRule::Id, self.out));
            let kind = table
                .need("kind", "kind = \"redmine\"", self.out)
                .and_then(|item| item.word(&KINDS, self.out));
            let (Some(name), Some(kind)) = (name, kind) else { continue };
            let id = TargetId::from(name.value.as_str());
            if let Some(first) = names.insert(id.clone(), name.span.start) {
                let line = self.out.source().line_of(first);
                self.out.at(&name.span, Problem::Twice { what: id.to_string(), line });
            }
            if (id.as_str() == LEDGER) != (kind == TargetKind::Ledger) {
                self.out.at(&name.span, Problem::Tickets(TicketsProblem::LedgerName));
            }
            targets.extend(self.target(table, id, kind, language));
        }
        targets
    }

    fn target(
        &mut self,
        mut table: Table,
        name: TargetId,
        kind: TargetKind,
        language: Language,
    ) -> Option<TargetConfig> {
        let subject = match table.get("subject").and_then(|item| item.raw(self.out)) {
            None => Template::read(language.pick(SUBJECTS.0, SUBJECTS.1)).ok()?,
            Some(text) => match Template::read(&text.value) {
                Ok(subject) => subject,
                Err(error) => {
                    let error = error.to_string();
                    self.out.at(&text.span, Problem::Tickets(TicketsProblem::Subject { error }));
                    return None;
                }
            },
        };
        let mut target = TargetConfig::empty(name, kind, subject);
        if let Some(rules) = table.table("rules", self.out) {
            self.feed_rules(rules, &mut target.rules);
        }
        let within = table.duration("note_within", Duration::ZERO..=30 * DAY, DAY, self.out);
        target.rules.note_within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        match kind {
            TargetKind::Ledger => {}
            TargetKind::Folder => {
                let path = table.need("path", "path = \"/var/spool/madoguchi\"", self.out);
                target.path = path.and_then(|item| self.path(&item));
                let forms = [("csv", false), ("jsonl", true)];
                let form = table.get("form").and_then(|item| item.word(&forms, self.out));
                target.jsonl = form.unwrap_or_default();
            }
            TargetKind::Redmine | TargetKind::Rt | TargetKind::Zammad | TargetKind::Webhook => {
                target.at = self.target_at(&mut table);
            }
        }
        match kind {
            TargetKind::Redmine => {
                target.place = self.place(&mut table, "project", "project = \"desk\"");
                let id = 1..=u64::from(u32::MAX);
                let number = |table: &mut Table, key, out: &mut _| {
                    table.get(key).and_then(|item| item.integer(id.clone(), out)).map(|at| at.value)
                };
                target.tracker = number(&mut table, "tracker", self.out);
                target.priority = number(&mut table, "priority", self.out);
            }
            TargetKind::Rt => target.place = self.place(&mut table, "queue", "queue = \"Desk\""),
            TargetKind::Zammad => {
                target.place = self.place(&mut table, "group", "group = \"Desk\"");
                target.customer =
                    self.place(&mut table, "customer", "customer = \"desk@desk.example\"");
                target.cti_file = table.get("cti_file").and_then(|item| self.path(&item));
            }
            TargetKind::Ledger | TargetKind::Webhook | TargetKind::Folder => {}
        }
        if let TargetKind::Redmine | TargetKind::Rt | TargetKind::Zammad = kind {
            let span = table.key_span("fields");
            if let Some(fields) = table.table("fields", self.out) {
                target.fields = self.fields(fields, kind);
            }
            if !target.fields.contains_key(&Value::Call) {
                self.out.at(&span, Problem::Tickets(TicketsProblem::NoCallField));
            }
        }
        if let TargetKind::Redmine | TargetKind::Rt = kind {
            if let Some(read) = table.table("read", self.out) {
                target.read = self.read_back(read, kind);
            }
            let minute = Duration::from_mins(1);
            let every =
                table.duration("read_every", Duration::from_secs(1)..=DAY, minute, self.out);
            target.read_every = Some(every);
        }
        table.finish(self.out);
        Some(target)
    }

    fn place(&mut self, table: &mut Table, key: &'static str, example: &'static str) -> String {
        let item = table.need(key, example, self.out);
        item.and_then(|item| item.text(TextRule::Name, self.out))
            .map(|at| at.value)
            .unwrap_or_default()
    }

    fn feed_rules(&mut self, table: Table, rules: &mut FeedRules) {
        for (name, item) in table.entries() {
            let handling = item.word(&Handling::ALL, self.out);
            match (Outcome::from_name(&name.value), handling) {
                (Some(outcome), Some(handling)) => rules.set(outcome, handling),
                (Some(_), None) => {}
                (None, _) => {
                    let found = name.value;
                    self.out
                        .at(&name.span, Problem::Tickets(TicketsProblem::NoSuchOutcome { found }));
                }
            }
        }
    }

    /// Redmine's fields are told apart by numbers only.
    fn field(&mut self, item: &Item, kind: TargetKind) -> Option<String> {
        if kind == TargetKind::Redmine {
            let id = item.integer(1..=u64::from(u32::MAX), self.out)?;
            return Some(id.value.to_string());
        }
        item.text(TextRule::Name, self.out).map(|at| at.value)
    }

    fn fields(&mut self, table: Table, kind: TargetKind) -> BTreeMap<Value, String> {
        let mut fields = BTreeMap::new();
        for (name, item) in table.entries() {
            let field = self.field(&item, kind);
            match (Value::named(&name.value), field) {
                (Some(value), Some(field)) => {
                    if fields.values().any(|known| *known == field) {
                        let problem = TicketsProblem::FieldTwice { field: field.clone() };
                        self.out.at(&item.span, Problem::Tickets(problem));
                    }
                    fields.insert(value, field);
                }
                (Some(_), None) => {}
                (None, _) => {
                    let found = name.value;
                    self.out
                        .at(&name.span, Problem::Tickets(TicketsProblem::NoSuchValue { found }));
                }
            }
        }
        fields
    }

    fn read_back(&mut self, mut table: Table, kind: TargetKind) -> BTreeMap<&'static str, String> {
        let mut read = BTreeMap::new();
        for key in READ_KEYS {
            if let Some(field) = table.get(key).and_then(|item| self.field(&item, kind)) {
                read.insert(key, field);
            }
        }
        table.finish(self.out);
        read
    }

    fn target_at(&mut self, table: &mut Table) -> Option<TargetAt> {
        let private = table.flag("private", false, self.out);
        let hosts = table.get("hosts").map(|item| self.hosts(&item));
        let key_file = table.need("key_file", "key_file = \"secrets/redmine\"", self.out);
        let key_file = key_file.and_then(|item| self.path(&item));
        let url = table.need("url", "url = \"https://redmine.example/\"", self.out);
        let text = url.and_then(|item| item.raw(self.out))?;
        let (url, host) = self.target_url(&text, private)?;
        let hosts = hosts.unwrap_or_else(|| vec![host.clone()]);
        if !hosts.iter().any(|known| known.eq_ignore_ascii_case(&host)) {
            let problem = TicketsProblem::HostNotAllowed { host, hosts: hosts.join(", ") };
            self.out.at(&table.key_span("hosts"), Problem::Tickets(problem));
            return None;
        }
        Some(TargetAt { url, key_file: key_file?, key: Private::default(), hosts, private })
    }

    fn target_url(&mut self, text: &At<String>, private: bool) -> Option<(Uri, String)> {
        let problem = match judged(&text.value, private) {
            Ok(read) => return Some(read),
            Err(AddressFault::Bad) => TicketsProblem::BadUrl,
            Err(AddressFault::Plain { host }) => TicketsProblem::PlainUrl { host },
            Err(AddressFault::Private { host }) => TicketsProblem::PrivateUrl { host },
        };
        self.out.at(&text.span, Problem::Tickets(problem));
        None
    }
}

impl TicketsConfig {
    /// Reads the secrets, the authorities and the directory.
    pub(super) fn load(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for target in &mut self.targets {
            if let Some(at) = &mut target.at {
                // A key of another system's making may be short.
                let read = secret(&at.key_file, secrets::trunk_password, ABSENT);
                taken(read, &mut at.key, &mut findings);
            }
            if let Some(file) = &target.cti_file {
                let read = secret(file, secrets::trunk_password, ABSENT);
                taken(read.map(Some), &mut target.cti, &mut findings);
            }
            if let Some(path) = target.path.as_ref().filter(|path| !path.is_dir()) {
                let name = path.display().to_string();
                findings.extend(whole(&name, Problem::Tickets(TicketsProblem::NoFolder)));
            }
        }
        if let Some(ca) = &self.ca {
            taken(authorities(ca), &mut self.authorities, &mut findings);
        }
        if let Some(file) = &self.directory {
            taken(directory(file).map(Arc::new), &mut self.people, &mut findings);
        }
        findings
    }

    /// Why the directory of people cannot be used now; nothing when it can, or none is named.
    #[must_use]
    pub fn no_directory(&self) -> Vec<Finding> {
        let read = self.directory.as_deref().map(directory);
        read.and_then(Result::err).unwrap_or_default()
    }

    /// Without a key of its own in the file nothing is shown: the ledger is what is left.
    pub(super) fn show(&self, line: &mut impl FnMut(String)) {
        let path = |path: &Path| quoted(&path.display().to_string());
        line("\n[tickets]".to_owned());
        line(format!("language = \"{}\"", self.language.name()));
        if let Some(link) = &self.link {
            line(format!("link = {}", quoted(link)));
        }
        if let Some(directory) = &self.directory {
            line(format!("directory = {}", path(directory)));
        }
        if let Some(ca) = &self.ca {
            line(format!("ca = {}", path(ca)));
        }
        for target in &self.targets {
            target.show(line);
        }
    }
}

impl TargetConfig {
    fn show(&self, line: &mut impl FnMut(String)) {
        let path = |path: &Path| quoted(&path.display().to_string());
        line("\n[[tickets.targets]]".to_owned());
        line(format!("name = {}", quoted(self.name.as_str())));
        line(format!("kind = \"{}\"", self.kind.name()));
        line(format!("subject = {}", quoted(self.subject.as_str())));
        let within = Duration::from_millis(self.rules.note_within_ms);
        line(format!("note_within = \"{}\"", show_duration(within)));
        if let Some(at) = &self.at {
            line(format!("url = {}", quoted(&at.url.to_string())));
            line(format!("key_file = {}", path(&at.key_file)));
            let hosts: Vec<_> = at.hosts.iter().map(|host| quoted(host)).collect();
            line(format!("hosts = [{}]", hosts.join(", ")));
            line(format!("private = {}", at.private));
        }
        match self.kind {
            TargetKind::Redmine => line(format!("project = {}", quoted(&self.place))),
            TargetKind::Rt => line(format!("queue = {}", quoted(&self.place))),
            TargetKind::Zammad => {
                line(format!("group = {}", quoted(&self.place)));
                line(format!("customer = {}", quoted(&self.customer)));
            }
            TargetKind::Ledger | TargetKind::Webhook | TargetKind::Folder => {}
        }
        for (key, value) in [("tracker", self.tracker), ("priority", self.priority)] {
            if let Some(value) = value {
                line(format!("{key} = {value}"));
            }
        }
        if let Some(file) = &self.cti_file {
            line(format!("cti_file = {}", path(file)));
        }
        if let Some(folder) = &self.path {
            line(format!("path = {}", path(folder)));
            line(format!("form = \"{}\"", if self.jsonl { "jsonl" } else { "csv" }));
        }
        if let Some(every) = self.read_every {
            line(format!("read_every = \"{}\"", show_duration(every)));
        }
        let field = |name: &str| match self.kind {
            TargetKind::Redmine => name.to_owned(),
            _ => quoted(name),
        };
        if !self.fields.is_empty() {
            let fields = self
                .fields
                .iter()
                .map(|(value, name)| format!("{} = {}", value.name(), field(name)));
            line(format!("fields = {{ {} }}", fields.collect::<Vec<_>>().join(", ")));
        }
        if !self.read.is_empty() {
            let read = self.read.iter().map(|(key, name)| format!("{key} = {}", field(name)));
            line(format!("read = {{ {} }}", read.collect::<Vec<_>>().join(", ")));
        }
        let rules = self.rules.written();
        let rules = rules.iter().filter(|(name, _)| Outcome::from_name(name).is_some());
        let rules: Vec<_> = rules.map(|(name, word)| format!("{name} = \"{word}\"")).collect();
        line(format!("rules = {{ {} }}", rules.join(", ")));
    }
}
