//! `[recording]`: where calls are recorded to, by which key they are sealed, and for how long they are kept.

use super::files::{read, whole};
use super::parse::Reading;
use super::problem::Problem;
use super::show::quoted;
use crate::dialplan::reader::Table;
use crate::dialplan::{Finding, Findings, Source};
use crate::recording::Format;
use crate::recording::vault::SiteKey;
use std::path::{Path, PathBuf};

/// What may be written for each format.
const FORMATS: [(&str, Format); 2] = [("wav", Format::Wav), ("opus", Format::Opus)];
/// Days that recordings may be kept: ten years.
const MOST_DAYS: u64 = 3_660;
/// MiB that must be free unless the file says otherwise.
const LEAST_FREE_MIB: u64 = 1_024;

/// Where and how calls are recorded.
#[derive(Clone, Debug)]
pub struct RecordingConfig {
    /// Where recordings lie.
    pub directory: PathBuf,
    /// In what they are written.
    pub format: Format,
    /// Holds the key that they are sealed by; none: they lie open.
    pub key_file: Option<PathBuf>,
    /// What that file holds.
    pub key: Option<SiteKey>,
    /// Days that they are kept; none: for ever.
    pub keep_days: Option<u32>,
    /// MiB that must be free on their disk: below, nothing is recorded.
    pub least_free_mib: u64,
}

impl Reading<'_, '_> {
    pub(super) fn recording(&mut self, mut table: Table) -> Option<RecordingConfig> {
        let directory = table.need("directory", "directory = \"recordings\"", self.out);
        let directory = directory.and_then(|item| self.path(&item));
        let format = table.get("format").and_then(|item| item.word(&FORMATS, self.out));
        let key_file = table.get("key_file").and_then(|item| self.path(&item));
        let keep = table.get("keep_days").and_then(|item| item.integer(1..=MOST_DAYS, self.out));
        let keep_days = keep.and_then(|days| u32::try_from(days.value).ok());
        let least_free_mib = table.integer("least_free_mib", 0..=1 << 30, LEAST_FREE_MIB, self.out);
        table.finish(self.out);
        let (format, key) = (format.unwrap_or_default(), None);
        Some(RecordingConfig {
            directory: directory?,
            format,
            key_file,
            key,
            keep_days,
            least_free_mib,
        })
    }
}

impl RecordingConfig {
    /// Reads the key.
    pub(super) fn load(&mut self) -> Vec<Finding> {
        let Some(file) = &self.key_file else { return Vec::new() };
        match read_key(file) {
            Ok(key) => {
                self.key = Some(key);
                Vec::new()
            }
            Err(findings) => findings,
        }
    }

    /// What stands in the way of recording now: `free_bytes` are what is free where the recordings will lie,
    /// or why that is not known.
    #[must_use]
    pub fn judge(&self, free_bytes: Result<u64, String>, file: &str) -> Vec<Finding> {
        let mut out = Findings::new(Source::new("", file));
        let directory = self.directory.display().to_string();
        match free_bytes {
            Err(why) => out.whole(Problem::RecordingDirectory { directory, why }),
            Ok(free) => {
                let (free, least) = (free >> 20, self.least_free_mib);
                if free < least {
                    out.whole(Problem::RecordingRoom { directory, free, least });
                }
            }
        }
        if self.directory.exists() && !self.directory.is_dir() {
            let (directory, why) =
                (self.directory.display().to_string(), "it is no directory".to_owned());
            out.whole(Problem::RecordingDirectory { directory, why });
        }
        out.into_sorted()
    }

    pub(super) fn show(&self, line: &mut impl FnMut(String)) {
        let path = |path: &Path| quoted(&path.display().to_string());
        line(format!("\n[recording]\ndirectory = {}", path(&self.directory)));
        line(format!("format = \"{}\"", self.format.ending()));
        if let Some(file) = &self.key_file {
            line(format!("key_file = {}", path(file)));
        }
        if let Some(days) = self.keep_days {
            line(format!("keep_days = {days}"));
        }
        line(format!("least_free_mib = {}", self.least_free_mib));
    }
}

/// The key of recordings in a file that only its owner may read.
///
/// # Errors
///
/// What is wrong with the file; never what is in it.
pub fn read_key(file: &Path) -> Result<SiteKey, Vec<Finding>> {
    let name = file.display().to_string();
    let text = read(file, &name, true)?;
    SiteKey::parse(&text).map_err(|_| whole(&name, Problem::BadRecordingKey))
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use std::path::Path;

    const PLAIN: &str = "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n[media]\naddress = \"127.0.0.1\"\n\
                         [plan]\nfile = \"plan.toml\"\n";

    #[test]
    fn where_and_how_calls_are_recorded_is_read_shown_and_judged() {
        let read = |more: &str| parse(&format!("{PLAIN}{more}"), "x.toml", Path::new("/x"));
        assert!(read("").expect("good").0.recording.is_none());
        let more = "[recording]\ndirectory = \"calls\"\nkey_file = \"key\"\nkeep_days = 90\n";
        let config = read(more).expect("good").0;
        let recording = config.recording.as_ref().expect("said");
        assert_eq!(recording.directory, Path::new("/x/calls"));
        assert_eq!((recording.keep_days, recording.least_free_mib), (Some(90), 1_024));
        let shown = config.show();
        let again = parse(&shown, "y.toml", Path::new("/y")).expect("good").0;
        assert_eq!(again.show(), shown);
        assert!(shown.contains("keep_days = 90") && shown.contains("key_file = \"/x/key\""));

        let codes = |free: Result<u64, String>| {
            let found = recording.judge(free, "x.toml");
            assert!(found.iter().all(|finding| !finding.is_error()), "calls go on without");
            found.iter().map(|finding| finding.message.code.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(codes(Ok(1 << 30)), [""; 0]);
        assert_eq!(codes(Ok((1 << 30) - 1)), ["recording-room"]);
        assert_eq!(codes(Err("gone".to_owned())), ["recording-directory"]);
        for bad in ["[recording]\n", "[recording]\ndirectory = \"x\"\nformat = \"mp3\"\n"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
