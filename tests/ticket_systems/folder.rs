//! A folder, and a program that empties it: every other file that it has read it moves to `done/`.

use crate::serve::Fault;
use crate::system::{Can, Shown, System};
use madoguchi::base::CallId;
use madoguchi::feed::Value;
use madoguchi::io::deliver::tickets::{FolderConfig, SystemConfig, TicketSink, sink_within};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub struct Folder {
    pub path: PathBuf,
    pub jsonl: bool,
}

impl Folder {
    pub fn own(jsonl: bool) -> Self {
        let name = format!("madoguchi-tickets-{}", crate::system::a_call());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a folder");
        Self { path, jsonl }
    }

    pub fn config(&self) -> FolderConfig {
        FolderConfig { path: self.path.clone(), jsonl: self.jsonl }
    }

    /// Whole files of both places, by name.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = Vec::new();
        for place in [self.path.clone(), self.path.join("done")] {
            let Ok(entries) = fs::read_dir(place) else { continue };
            all.extend(entries.flatten().map(|it| it.path()).filter(|it| it.is_file()));
        }
        all.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
        all
    }

    /// The columns of a file by their names; what is not there is left out.
    pub fn row(path: &Path) -> BTreeMap<String, String> {
        let text = fs::read_to_string(path).expect("a file");
        if path.extension().is_some_and(|it| it == "jsonl") {
            let line: serde_json::Value = serde_json::from_str(&text).expect("a line");
            let text = |value: &serde_json::Value| {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            };
            let all = line.as_object().expect("an object").iter();
            return all.map(|(name, value)| (name.clone(), text(value))).collect();
        }
        let text = text.strip_prefix('\u{feff}').expect("a mark");
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let heading = reader.headers().expect("a heading").clone();
        let rows: Vec<_> = reader.records().map(|it| it.expect("a row")).collect();
        assert_eq!(rows.len(), 1, "one row");
        let cells = heading.iter().zip(rows[0].iter()).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl System for Folder {
    fn name(&self) -> &'static str {
        if self.jsonl { "folder of JSON lines" } else { "folder of CSV" }
    }

    fn can(&self) -> Can {
        Can { find: true, miss: false, changed: false, open_of: false, subject: 200 }
    }

    fn sink(&self, patience: Duration) -> Box<dyn TicketSink> {
        sink_within(SystemConfig::Folder(self.config()), patience).expect("a way")
    }

    fn shown(&self, call: CallId) -> Vec<Shown> {
        let mut shown: Vec<Shown> = Vec::new();
        for (at, file) in self.files().into_iter().enumerate() {
            let row = Self::row(&file);
            if at % 2 == 0 {
                let done = self.path.join("done");
                let _ = fs::create_dir(&done);
                fs::rename(&file, done.join(file.file_name().expect("a name"))).expect("moved");
            }
            if row["call"] != call.to_string() {
                continue;
            }
            if row["kind"] == "open" {
                let subject = row.get("subject").cloned().unwrap_or_default();
                shown.push(Shown { name: call.to_string(), subject, ..Shown::default() });
            }
            let Some(ticket) = shown.last_mut() else { continue };
            ticket.texts.extend(row.get("text").cloned());
            let values = row.into_iter().filter_map(|(name, it)| Some((Value::named(&name)?, it)));
            ticket.fields.extend(values);
        }
        shown
    }

    fn fault(&self, _: bool, _: Fault) -> bool {
        false
    }

    fn asked(&self) -> Option<usize> {
        None
    }
}
