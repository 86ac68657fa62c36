//! A folder that another program empties: one file a step, whole or not there. A file's name bears the step's
//! key, so that a repetition takes its own place; what the other program has moved to `done/` is known as well.

use super::{Asked, TicketSink, Unable, subject};
use crate::base::{CallId, CsvCell, Wall, csv_bytes};
use crate::feed::{Addition, NewTicket, Value, Values};
use serde_json::{Map, Value as Json, json};
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Names of a folder that are looked through; `done/` has to be emptied of the oldest before.
const MOST_FILES: usize = 500_000;
/// Where the other program puts what it has taken.
const DONE: &str = "done";
/// Characters of a subject.
const SUBJECT: usize = 255;

/// A folder that another program empties.
#[derive(Clone, Debug)]
pub struct FolderConfig {
    /// It must be there.
    pub path: PathBuf,
    /// Whether a file holds a line of JSON; otherwise a table of CSV with its heading.
    pub jsonl: bool,
}

/// A folder.
pub(super) struct Folder {
    config: FolderConfig,
}

/// What a file holds.
struct Step {
    call: CallId,
    key: String,
    kind: String,
    at: Wall,
    subject: Option<String>,
    text: Option<String>,
    values: Values,
}

/// A key as it stands in a file's name: no system forbids these signs there.
fn in_name(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

impl Step {
    fn name(&self, jsonl: bool) -> String {
        let at = chrono::DateTime::from_timestamp_millis(self.at.0).unwrap_or_default();
        let end = if jsonl { "jsonl" } else { "csv" };
        // UTC, so that the names' order is that of time whatever zone the desk is in.
        format!("{}_{}.{end}", at.format("%Y%m%dT%H%M%S%3fZ"), in_name(&self.key))
    }

    fn value(&self, value: Value) -> Option<&str> {
        self.values.get(&value).map(|text| text.reveal().as_str())
    }

    fn csv(&self) -> Vec<u8> {
        let text = |text: &str| CsvCell::Text(text.to_owned());
        let cell = |it: Option<&str>| it.map_or(CsvCell::Empty, text);
        let mut heading: Vec<CsvCell> = Value::ALL.iter().map(|(name, _)| text(name)).collect();
        heading.extend(["kind", "key", "subject", "text"].map(text));
        let mut row: Vec<CsvCell> = Value::ALL
            .iter()
            .map(|(_, value)| match self.value(*value) {
                // Of another call's step the values are that call's; the ticket is this one's.
                None if *value == Value::Call => text(&self.call.to_string()),
                Some(number) if value.is_number() && number.parse::<u64>().is_ok() => {
                    CsvCell::Number(number.to_owned())
                }
                other => cell(other),
            })
            .collect();
        row.push(text(&self.kind));
        row.push(text(&self.key));
        row.push(cell(self.subject.as_deref()));
        row.push(cell(self.text.as_deref()));
        csv_bytes(&[heading, row])
    }

    fn json(&self) -> Vec<u8> {
        let mut line: Map<String, Json> = Map::new();
        for (value, text) in &self.values {
            let text = text.reveal();
            let number = text.parse::<u64>().ok().filter(|_| value.is_number());
            line.insert(
                value.name().to_owned(),
                number.map_or_else(|| json!(text), |number| json!(number)),
            );
        }
        line.insert(Value::Call.name().to_owned(), json!(self.call.to_string()));
        line.insert("kind".to_owned(), json!(self.kind));
        line.insert("key".to_owned(), json!(self.key));
        for (name, text) in [("subject", &self.subject), ("text", &self.text)] {
            if let Some(text) = text {
                line.insert(name.to_owned(), json!(text));
            }
        }
        format!("{}\n", Json::Object(line)).into_bytes()
    }
}

/// With the file or folder that the disk spoke of.
fn at(path: &Path) -> impl FnOnce(Error) -> Unable + use<'_> {
    |error| Unable::Disk { path: path.to_owned(), error }
}

/// Writes a file under a name of its own first, and gives it its own when it is whole on the disk.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Unable> {
    let part = folder.join(format!(".{name}.part"));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            // What a killed daemon left is of the same step.
            .truncate(true)
            // The other program may be another user of the group; nobody else reads callers' numbers.
            .mode(0o640)
            .open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()
    })();
    if let Err(error) = written {
        // On a full disk the room is given back.
        let _ = fs::remove_file(&part);
        return Err(Unable::Disk { path: part, error });
    }
    let whole = folder.join(name);
    fs::rename(&part, &whole).map_err(at(&whole))?;
    // The name itself must outlive a power cut too.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// Whether a name in the folder, or in what was taken from it, is one that is looked for.
fn any_name(folder: &Path, is_it: impl Fn(&str) -> bool) -> Result<bool, Unable> {
    for place in [folder.to_owned(), folder.join(DONE)] {
        let entries = match fs::read_dir(&place) {
            // Whoever deletes what it takes has no such folder.
            Err(error) if error.kind() == ErrorKind::NotFound && place != folder => continue,
            entries => entries.map_err(at(&place))?,
        };
        for (looked_at, entry) in entries.enumerate() {
            if looked_at >= MOST_FILES {
                let error = Error::other(format!("more than {MOST_FILES} files"));
                return Err(Unable::Disk { path: place, error });
            }
            let name = entry.map_err(at(&place))?.file_name();
            if name.to_str().is_some_and(&is_it) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A whole file of this key, whatever it ends with: the form may have been another one.
fn is_of_key(name: &str, key: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    !name.starts_with('.') && stem.split_once('_').is_some_and(|(_, own)| own == key)
}

/// The file that opened the ticket of a call.
fn opens(name: &str, call: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let own = stem.split_once('_').map_or("", |(_, own)| own);
    let step = own.strip_prefix(call).and_then(|rest| rest.strip_prefix('_'));
    !name.starts_with('.') && step.is_some_and(|step| step.ends_with("_open"))
}

impl Folder {
    pub(super) const fn new(config: FolderConfig) -> Self {
        Self { config }
    }

    /// Looks at the disk, where waiting holds up nobody else.
    async fn at_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, Unable> + Send + 'static,
    ) -> Result<T, Unable> {
        let path = self.config.path.clone();
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        done.unwrap_or_else(|error| {
            Err(Unable::Disk { path: self.config.path.clone(), error: Error::other(error) })
        })
    }

    async fn put(&self, step: Step) -> Result<(), Unable> {
        let jsonl = self.config.jsonl;
        self.at_disk(move |folder| {
            let bytes = if jsonl { step.json() } else { step.csv() };
            write(folder, &step.name(jsonl), &bytes)
        })
        .await
    }
}

impl TicketSink for Folder {
    /// Whether a file can be written there; none stays.
    fn probe(&self) -> Asked<'_, ()> {
        Box::pin(self.at_disk(|folder| {
            let trial = folder.join(".madoguchi.part");
            let written = File::create(&trial).and_then(|mut file| {
                file.write_all(b"\n")?;
                file.sync_all()
            });
            let removed = fs::remove_file(&trial);
            written.and(removed).map_err(at(folder))
        }))
    }

    fn find(&self, call: CallId) -> Asked<'_, Vec<String>> {
        Box::pin(self.at_disk(move |folder| {
            let call = call.to_string();
            let is_there = any_name(folder, |name| opens(name, &call))?;
            Ok(if is_there { vec![call] } else { Vec::new() })
        }))
    }

    /// The name of the ticket is the call's id.
    fn create<'a>(&'a self, ticket: &'a NewTicket) -> Asked<'a, String> {
        let step = Step {
            call: ticket.call,
            key: ticket.key.clone(),
            kind: "open".to_owned(),
            at: ticket.at,
            subject: Some(subject(ticket, SUBJECT)),
            text: Some(ticket.text.reveal().clone()),
            values: ticket.values.clone(),
        };
        Box::pin(async move { self.put(step).await.map(|()| ticket.call.to_string()) })
    }

    fn holds<'a>(&'a self, _: &'a str, key: &'a str) -> Asked<'a, bool> {
        let key = in_name(key);
        Box::pin(self.at_disk(move |folder| any_name(folder, |name| is_of_key(name, &key))))
    }

    fn append<'a>(&'a self, _: &'a str, addition: &'a Addition) -> Asked<'a, ()> {
        if addition.text.is_none() && addition.values.is_empty() {
            return Box::pin(async { Ok(()) });
        }
        Box::pin(self.put(Step {
            call: addition.call,
            key: addition.key.clone(),
            kind: addition.kind.to_owned(),
            at: addition.at,
            subject: None,
            text: addition.text.as_ref().map(|text| text.reveal().clone()),
            values: addition.values.clone(),
        }))
    }
}
