//! A Redmine of the test's own, from Debian's package: set up as a Japanese desk's by `tests/tickets_real/`, on a
//! loopback port, killed and started again at will, and asked for the truth in its own database.
//!
//! It ends with the thread that started it. One worker of one thread: requests are answered one after the other.

use super::http::{self, Answer};
use super::poll;
use super::ports::Block;
use super::process::{Dir, Process};
use super::s;
use super::seeded::{self, Seeded};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

const PACKAGED: &str = "/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default";
const HOME: &str = "/usr/share/redmine";
const SEED: &str = include_str!("../tickets_real/redmine_seed.rb");
const SERVED: &str = include_str!("../tickets_real/redmine.ru");

/// Ids of what the seed made. Redmine gives them; none may be guessed from another installation.
#[derive(Clone, Debug, Deserialize)]
pub struct Ids {
    /// Of the user `madoguchi`, who may see, add, change and comment in the project.
    pub api_key: String,
    /// Of a user who is a member of nothing.
    pub stranger_key: String,
    /// The user `madoguchi`.
    pub user: u64,
    /// The project's identifier (`desk`).
    pub project: String,
    /// Its number.
    pub project_id: u64,
    /// A project that `madoguchi` may not see.
    pub elsewhere_id: u64,
    /// The tracker 電話.
    pub tracker: u64,
    /// The default priority.
    pub priority: u64,
    /// An activity, for times spent.
    pub activity: u64,
    /// The status 受付, in which an issue begins.
    pub open: u64,
    /// The status 対応中.
    pub working: u64,
    /// The status 完了, which closes.
    pub closed: u64,
    /// Custom fields by name.
    pub fields: BTreeMap<String, u64>,
}

/// An issue as it stands in Redmine's database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// Its number.
    pub id: u64,
    /// 題名.
    pub subject: String,
    /// 説明, with CR LF between lines; empty when there is none.
    pub description: String,
    /// The id of its status.
    pub status: u64,
    /// Whether that status closes.
    pub is_closed: u8,
    /// When it was closed last, in UTC; stays when it is opened again.
    pub closed_on: Option<String>,
    /// Custom fields that are not empty, by name.
    pub fields: BTreeMap<String, String>,
    /// Notes and changes, oldest first.
    pub journals: Vec<Journal>,
}

/// One note or change of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Journal {
    /// Its number among those of all issues.
    pub id: u64,
    /// The id of who wrote it.
    pub user: u64,
    /// The text, empty for a change alone.
    pub notes: String,
    /// What it changed: the attribute's name, or a custom field's id, and the new value.
    pub details: Vec<(String, Option<String>)>,
}

/// A running Redmine.
pub struct Redmine {
    dir: Dir,
    port: u16,
    process: Process,
    ids: Ids,
    _ports: Block,
}

fn environment(dir: &Dir) -> Vec<String> {
    let database = dir.file("database").display().to_string();
    vec![
        "env".to_owned(),
        // See scripts/ticket-tools.
        "BUNDLER_VERSION=2.3.15".to_owned(),
        "REDMINE_INSTANCE=default".to_owned(),
        "RAILS_ENV=production".to_owned(),
        "RAILS_LOG_TO_STDOUT=1".to_owned(),
        "LANG=C.UTF-8".to_owned(),
        format!("HOME={}", dir.path().display()),
        format!("DATABASE_URL=sqlite3:{database}?timeout=10000"),
        format!("MADOGUCHI_IDS={}", dir.file("ids").display()),
    ]
}

fn seed() -> Seeded {
    seeded::seeded("redmine", PACKAGED, &[SEED], |dir| {
        let script = dir.write("seed.rb", SEED);
        seeded::give(&script);
        let mut argv = seeded::as_its_user();
        argv.extend(environment(dir));
        argv.extend(["bundle", "exec", "rails", "runner"].map(str::to_owned));
        argv.push(script.display().to_string());
        seeded::run(&argv, Path::new(HOME));
    })
}

impl Redmine {
    /// Starts one without issues; ready within seconds, and the first on this machine seeds the database before.
    pub fn start() -> Self {
        let seeded = seed();
        let ports = Block::take();
        let port = ports.port();
        let dir = seeded::folder("redmine");
        std::fs::copy(&seeded.database, dir.file("database")).unwrap();
        seeded::give(&dir.file("database"));
        seeded::give(&dir.write("redmine.ru", SERVED));
        let ids = serde_json::from_value(seeded.ids).unwrap();
        let process = Self::launch(&dir, port);
        let mut redmine = Self { dir, port, process, ids, _ports: ports };
        redmine.wait();
        redmine
    }

    fn launch(dir: &Dir, port: u16) -> Process {
        let mut argv = seeded::as_its_user();
        argv.extend(environment(dir));
        argv.extend(["puma", "-e", "production", "-t", "1:1"].map(str::to_owned));
        argv.extend(["-b".to_owned(), format!("tcp://127.0.0.1:{port}")]);
        argv.push(dir.file("redmine.ru").display().to_string());
        Process::start("redmine", &argv, Path::new(HOME), dir.file("redmine.log"))
    }

    fn wait(&mut self) {
        let there = poll(s(120), || {
            assert!(self.process.ended().is_none(), "it ended: {}", self.process.printed());
            let user = self.ask("GET", "/users/current.json", "").ok()?;
            (user.status == 200).then_some(())
        });
        assert!(there.is_some(), "no answer: {}", self.process.printed());
    }

    /// `kill -9`; the port is closed afterwards.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same data and port; ready when this returns.
    pub fn again(&mut self) {
        self.process = Self::launch(&self.dir, self.port);
        self.wait();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The key of the user `madoguchi`.
    pub fn api_key(&self) -> &str {
        &self.ids.api_key
    }

    /// Ids of everything.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The id of a custom field.
    #[track_caller]
    pub fn field(&self, name: &str) -> u64 {
        *self.ids.fields.get(name).unwrap_or_else(|| panic!("no field {name}"))
    }

    /// One request with the user's key, answered within 30 s.
    ///
    /// # Errors
    /// Whatever the socket says.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
        self.ask_as(&self.ids.api_key, method, path, body)
    }

    /// The same with another key.
    ///
    /// # Errors
    /// Whatever the socket says.
    pub fn ask_as(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        http::send(self.address(), method, path, &[("X-Redmine-API-Key", key)], body, s(30))
    }

    /// Nobody has touched the issue since yesterday. Written into its database: Redmine dates a change itself.
    pub fn aged(&self, issue: u64) {
        let sql = format!(
            "UPDATE issues SET updated_on = datetime(updated_on, '-1 day') WHERE id = {issue}"
        );
        seeded::sqlite(&self.dir.file("database"), &sql);
    }

    /// All issues by number, from its database: also while it is killed.
    pub fn issues(&self) -> Vec<Issue> {
        seeded::rows(
            &self.dir.file("database"),
            "SELECT json_object('id', i.id, 'subject', i.subject, 'description', coalesce(i.description, ''),
                'status', i.status_id, 'is_closed', s.is_closed, 'closed_on', i.closed_on,
                'fields', (SELECT json_group_object(f.name, v.value) FROM custom_values v
                    JOIN custom_fields f ON f.id = v.custom_field_id
                    WHERE v.customized_type = 'Issue' AND v.customized_id = i.id AND v.value <> ''),
                'journals', (SELECT json_group_array(json_object('id', j.id, 'user', j.user_id,
                        'notes', coalesce(j.notes, ''),
                        'details', (SELECT json_group_array(json_array(d.prop_key, d.value))
                            FROM (SELECT * FROM journal_details WHERE journal_id = j.id ORDER BY id) d)))
                    FROM (SELECT * FROM journals
                        WHERE journalized_type = 'Issue' AND journalized_id = i.id ORDER BY id) j))
            FROM issues i JOIN issue_statuses s ON s.id = i.status_id ORDER BY i.id",
        )
    }
}
