//! One event of the log as one line: what stands in it, in which order, and what a line can never do to the next.

use super::log::{LogFormat, Outlet};
use crate::base::LogRoom;
use chrono::{SecondsFormat, Utc};
use rustix::fs::{Stat, fstat};
use std::fmt;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Longest value of a field or message, bytes; the rest is cut off.
const VALUE_MAX: usize = 8 * 1_024;

/// How lines look.
#[derive(Debug)]
pub(super) struct Form {
    json: AtomicBool,
    /// Whatever the configuration says.
    pinned: bool,
    /// Standard error is systemd's journal: it has a clock of its own, and reads priorities (sd-daemon(3)).
    journal: bool,
}

impl Form {
    /// As standard error wants it.
    pub(super) fn of_standard_error(pinned_json: bool) -> Self {
        let journal = goes_to_journal(std::io::stderr());
        Self { json: AtomicBool::new(pinned_json), pinned: pinned_json, journal }
    }

    /// Plain text.
    #[cfg(test)]
    pub(super) fn text() -> Self {
        Self { json: AtomicBool::new(false), pinned: false, journal: false }
    }

    /// Takes the configured one.
    pub(super) fn set(&self, format: LogFormat) {
        self.json.store(self.pinned || format == LogFormat::Json, Ordering::Relaxed);
    }

    /// The line that tells of lines that are not there.
    pub(super) fn dropped(&self, lines: u64) -> String {
        let message = "lines of the log were dropped: standard error takes too little".to_owned();
        let fields = vec![("dropped".to_owned(), Value::Bare(lines.to_string()))];
        self.line(Level::WARN, LogRoom::Desk.name(), &Said { message, fields })
    }

    fn line(&self, level: Level, room: &str, said: &Said) -> String {
        let json = self.json.load(Ordering::Relaxed);
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let line = match (json, self.journal) {
            (true, _) => as_json(&now, level, room, said),
            (false, true) => as_text(level, room, said),
            (false, false) => format!("{now} {}", as_text(level, room, said)),
        };
        if !self.journal {
            return line + "\n";
        }
        marked(level, &line)
    }
}

/// Each line of a text is an entry of its own in the journal, and has its priority.
fn marked(level: Level, text: &str) -> String {
    let priority = priority(level);
    let lines: Vec<String> = text.split('\n').map(|line| format!("<{priority}>{line}\n")).collect();
    lines.concat()
}

/// A text that is no line of the log, as `stream` wants it, with a line end: where that is the journal with priorities,
/// and without empty lines, which are entries there.
pub(super) fn plain(level: Level, text: &str, stream: impl AsFd) -> String {
    let text = text.trim_end_matches('\n');
    if !goes_to_journal(stream) {
        return format!("{text}\n");
    }
    let lines: Vec<&str> = text.split('\n').filter(|line| !line.is_empty()).collect();
    marked(level, &lines.join("\n"))
}

fn goes_to_journal(stream: impl AsFd) -> bool {
    let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    fstat(stream).is_ok_and(|it| is_journal(&named, &it))
}

/// Whether standard error is what the service manager made it, and not what somebody put in its place: device and
/// inode must be those of the variable (systemd.exec(5), `$JOURNAL_STREAM`).
fn is_journal(stream: &str, it: &Stat) -> bool {
    let numbers = stream.split_once(':').and_then(|(device, inode)| {
        Some((device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?))
    });
    numbers == Some((it.st_dev, it.st_ino))
}

/// As syslog counts, and sd-daemon(3) with it.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        _ => "trace",
    }
}

fn as_json(now: &str, level: Level, room: &str, said: &Said) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut line = format!(
        "{{\"time\":\"{now}\",\"level\":\"{}\",\"room\":{},\"message\":{}",
        name(level),
        quoted(room),
        quoted(&said.message)
    );
    for (name, value) in &said.fields {
        let value = match value {
            Value::Bare(value) => value.clone(),
            Value::Text(value) => quoted(value),
        };
        line.push_str(&format!(",{}:{value}", quoted(name)));
    }
    line.push('}');
    line
}

fn as_text(level: Level, room: &str, said: &Said) -> String {
    let mut line = format!("{:>5} {room}: ", name(level).to_uppercase());
    // Only what we say ourselves has more than one line (what is wrong with a file); no line of it can be taken for
    // another event's.
    for (n, part) in said.message.split('\n').enumerate() {
        if n > 0 {
            line.push_str("\n      ");
        }
        line.push_str(&tame(part));
    }
    for (name, value) in &said.fields {
        match value {
            Value::Bare(value) => line.push_str(&format!(" {name}={value}")),
            Value::Text(value) if value.is_empty() || value.contains([' ', '"', '=']) => {
                line.push_str(&format!(" {name}=\"{}\"", tame(value).replace('"', "\\\"")));
            }
            Value::Text(value) => line.push_str(&format!(" {name}={}", tame(value))),
        }
    }
    line
}

/// Without what would move a terminal's cursor or begin a line.
fn tame(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut tamed, c| {
        if c.is_control() {
            tamed.extend(c.escape_default());
        } else {
            tamed.push(c);
        }
        tamed
    })
}

enum Value {
    /// A number or a truth.
    Bare(String),
    Text(String),
}

#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(String, Value)>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        match value {
            Value::Text(text) if field.name() == "message" => self.message = text,
            value => self.fields.push((field.name().to_owned(), value)),
        }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > VALUE_MAX {
        text.truncate(text.floor_char_boundary(VALUE_MAX));
        text.push('…');
    }
    text
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::Text(cut(format!("{value:?}"))));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::Text(cut(value.to_owned())));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::Bare(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::Bare(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON knows no infinity.
        let text = value.to_string();
        self.put(field, if value.is_finite() { Value::Bare(text) } else { Value::Text(text) });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Bare(value.to_string()));
    }
}

/// Makes lines of events.
pub(super) struct LineLayer {
    form: Arc<Form>,
    outlet: Outlet,
}

impl LineLayer {
    pub(super) fn new(form: Arc<Form>, outlet: Outlet) -> Self {
        Self { form, outlet }
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        // What a crate of others says is told by the crate's name.
        let foreign = target.split("::").next().unwrap_or_default();
        let room = LogRoom::of(target).map_or(foreign, LogRoom::name);
        let mut said = Said::default();
        event.record(&mut said);
        self.outlet.put(self.form.line(*event.metadata().level(), room, &said));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        let fields = vec![
            ("call".to_owned(), Value::Text("0199a0c1".to_owned())),
            ("wait_ms".to_owned(), Value::Bare("1500".to_owned())),
            ("error".to_owned(), Value::Text("no \"room\"\r\n2026 ERROR forged".to_owned())),
        ];
        Said { message: "the journal cannot be written".to_owned(), fields }
    }

    fn form(json: bool, journal: bool) -> Form {
        Form { json: AtomicBool::new(json), pinned: false, journal }
    }

    #[test]
    fn text_is_one_line_whatever_stands_in_it() {
        let line = form(false, false).line(Level::ERROR, "store", &said());
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let (_, rest) = line.split_once("Z ").expect("a time");
        assert_eq!(
            rest,
            "ERROR store: the journal cannot be written call=0199a0c1 wait_ms=1500 \
             error=\"no \\\"room\\\"\\r\\n2026 ERROR forged\"\n"
        );
    }

    #[test]
    fn json_is_one_object_a_line_with_names_that_stay() {
        let line = form(true, false).line(Level::WARN, "store", &said());
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(json["level"], "warn");
        assert_eq!(json["room"], "store");
        assert_eq!(json["message"], "the journal cannot be written");
        assert_eq!(json["call"], "0199a0c1");
        assert_eq!(json["wait_ms"], 1500);
        assert!(chrono::DateTime::parse_from_rfc3339(json["time"].as_str().expect("text")).is_ok());
    }

    #[test]
    fn the_journal_gets_priorities_and_no_time() {
        let form = form(false, true);
        let table = [
            (Level::ERROR, "<3>ERROR "),
            (Level::WARN, "<4> WARN "),
            (Level::INFO, "<6> INFO "),
            (Level::DEBUG, "<7>DEBUG "),
            (Level::TRACE, "<7>TRACE "),
        ];
        for (level, begin) in table {
            let line = form.line(level, "desk", &said());
            assert!(line.starts_with(begin), "{line}");
        }
        let message = "refused:\nplan.toml:3: due is a number".to_owned();
        let line = form.line(Level::ERROR, "desk", &Said { message, fields: Vec::new() });
        assert_eq!(line, "<3>ERROR desk: refused:\n<3>      plan.toml:3: due is a number\n");
        // JSON keeps its time: collectors read it.
        let line = Form { json: AtomicBool::new(true), ..form }.line(Level::INFO, "desk", &said());
        assert!(line.starts_with("<6>{\"time\":"), "{line}");
    }

    #[test]
    fn what_a_start_finds_has_its_priority_on_each_line() {
        let found = "desk.toml:3: found no group\n  due is one\n";
        let due = "<3>desk.toml:3: found no group\n<3>  due is one\n";
        assert_eq!(marked(Level::ERROR, found.trim_end()), due);
        assert_eq!(plain(Level::ERROR, found, std::io::stderr()), found, "no journal");
    }

    #[test]
    fn only_the_stream_that_systemd_made_is_its_journal() {
        let it = fstat(std::io::stderr()).expect("standard error");
        let (device, inode) = (it.st_dev, it.st_ino);
        assert!(is_journal(&format!("{device}:{inode}"), &it));
        let other = format!("{device}:{}", inode.wrapping_add(1));
        for wrong in ["", ":", "1", "a:b", other.as_str()] {
            assert!(!is_journal(wrong, &it), "{wrong}");
        }
    }

    #[test]
    fn a_value_without_an_end_is_cut() {
        let text = cut("窓".repeat(VALUE_MAX));
        assert!(text.len() <= VALUE_MAX + 3 && text.ends_with("窓…"), "{}", text.len());
    }
}
