//! SIPp with a scenario of tests/scenarios, its placeholders filled in, bounded in time.
//!
//! The scenarios log lines `CALL WORD [VALUE]`, which [`Sipp::log`] reads.

use super::message::Message;
use super::process::{Dir, Process};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What SIPp is to do.
#[derive(Clone, Debug)]
pub struct Job {
    scenario: &'static str,
    to: SocketAddr,
    port: u16,
    calls: u32,
    rate: u32,
    transport: &'static str,
    fields: Option<String>,
    set: BTreeMap<&'static str, String>,
    within: Option<Duration>,
}

impl Job {
    /// `scenario` is a file in tests/scenarios without `.xml`; one call, UDP, every placeholder
    /// at a value that suits most tests.
    pub fn new(scenario: &'static str, to: SocketAddr, port: u16) -> Self {
        let set = [
            ("TO", ""),
            ("FROM", "03123456"),
            ("NAME", "Hanako"),
            ("PATIENCE", "20000"),
            ("STAY", "20000"),
            ("RING", "200"),
            ("TALK", "20000"),
            ("MEDIA", "9"),
            ("CODECS", "0 101"),
            ("STATUS", "486 Busy Here"),
            ("EXPIRES", "600"),
        ];
        let set = set.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Self {
            scenario,
            to,
            port,
            calls: 1,
            rate: 1,
            transport: "u1",
            set,
            within: None,
            fields: None,
        }
    }

    /// A line of fields for each call, in turn, as `[field0]` and so on.
    pub fn fields(mut self, lines: String) -> Self {
        self.fields = Some(lines);
        self
    }

    /// Fills in `@NAME@`.
    pub fn set(mut self, name: &'static str, value: impl ToString) -> Self {
        self.set.insert(name, value.to_string());
        self
    }

    /// Another scenario for the same place.
    pub fn scenario(mut self, scenario: &'static str) -> Self {
        self.scenario = scenario;
        self
    }

    /// This many calls, this many a second.
    pub fn calls(mut self, calls: u32, rate: u32) -> Self {
        (self.calls, self.rate) = (calls, rate);
        self
    }

    /// Over TCP.
    pub fn tcp(mut self) -> Self {
        self.transport = "t1";
        self
    }

    /// The whole run's bound; unless told, 10 s behind the longest that a call of it waits or talks by itself (30 s where
    /// nothing is said of that).
    pub fn within(mut self, bound: Duration) -> Self {
        self.within = Some(bound);
        self
    }

    fn bound(&self) -> Duration {
        let ms = |name: &&str| self.set.get(name)?.parse().ok();
        let longest: Option<u64> = ["PATIENCE", "STAY", "TALK"].iter().filter_map(ms).max();
        let by_itself = Duration::from_millis(longest.unwrap_or(20_000));
        self.within.unwrap_or(Duration::from_secs(10) + by_itself)
    }

    /// Starts it.
    #[track_caller]
    pub fn start(&self) -> Sipp {
        Sipp::start(self)
    }
}

/// One call as the scenario logged it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallLog(pub Vec<(String, String)>);

impl CallLog {
    /// The value logged with the first such word.
    pub fn value(&self, word: &str) -> Option<&str> {
        self.0.iter().find(|(w, _)| w == word).map(|(_, v)| v.as_str())
    }

    /// Whether the word was logged.
    pub fn has(&self, word: &str) -> bool {
        self.value(word).is_some()
    }
}

/// A running SIPp.
pub struct Sipp {
    process: Process,
    dir: Dir,
    within: Duration,
}

/// The folder of the scenarios and plans.
pub fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

impl Sipp {
    #[track_caller]
    fn start(job: &Job) -> Self {
        let dir = Dir::new(&format!("sipp-{}", job.scenario.replace('/', "-")));
        let source = scenarios().join(format!("{}.xml", job.scenario));
        let mut text = std::fs::read_to_string(&source)
            .unwrap_or_else(|e| panic!("{}: {e}", source.display()));
        for (name, value) in &job.set {
            text = text.replace(&format!("@{name}@"), value);
        }
        if let Some((_, rest)) = text.split_once("\"@") {
            panic!("{}: placeholder not filled in: @{}", job.scenario, &rest[..rest.len().min(20)]);
        }
        let xml = dir.write("scenario.xml", &text);
        let path = |name: &str| dir.file(name).display().to_string();
        let mut argv: Vec<String> =
            ["sipp", "-sf", &xml.display().to_string(), "-i", "127.0.0.1", "-nostdin", "-aa"]
                .map(str::to_owned)
                .to_vec();
        argv.extend(["-p".into(), job.port.to_string(), "-t".into(), job.transport.to_owned()]);
        argv.extend(["-m".into(), job.calls.to_string(), "-r".into(), job.rate.to_string()]);
        argv.extend(["-l".into(), (job.calls + 1).to_string(), "-timer_resol".into(), "5".into()]);
        argv.extend([
            "-timeout".into(),
            format!("{}s", job.bound().as_secs().max(1)),
            "-timeout_error".into(),
        ]);
        argv.extend(["-trace_logs".into(), "-log_file".into(), path("calls.log")]);
        argv.extend(["-trace_msg".into(), "-message_file".into(), path("messages.log")]);
        argv.extend(["-trace_err".into(), "-error_file".into(), path("errors.log")]);
        if let Some(lines) = &job.fields {
            let file = dir.write("fields.csv", &format!("SEQUENTIAL\n{lines}"));
            argv.extend(["-inf".into(), file.display().to_string()]);
        }
        argv.push(job.to.to_string());
        let process = Process::start("sipp", &argv, dir.path(), dir.file("screen.log"));
        Self { process, dir, within: job.bound() }
    }

    /// Waits until all calls are over, and demands that every one went as the scenario says.
    #[track_caller]
    pub fn done(mut self) -> Done {
        let status = self.process.wait(self.within + Duration::from_secs(3));
        let ok = status.is_some_and(|s| s.success());
        if !ok {
            eprintln!("---- SIPp's errors\n{}", self.errors());
        }
        assert!(ok, "SIPp: {status:?}; its calls: {:#?}", self.calls());
        Done { calls: self.calls(), messages: self.messages() }
    }

    /// Ends it now.
    pub fn stop(mut self) -> Done {
        self.process.kill();
        Done { calls: self.calls(), messages: self.messages() }
    }

    /// The calls as logged so far, by call number.
    pub fn calls(&self) -> BTreeMap<u32, CallLog> {
        let mut calls: BTreeMap<u32, CallLog> = BTreeMap::new();
        let text = std::fs::read(self.dir.file("calls.log")).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(Ok(call)), Some(word)) = (words.next().map(str::parse), words.next()) else {
                continue;
            };
            calls
                .entry(call)
                .or_default()
                .0
                .push((word.to_owned(), words.next().unwrap_or_default().trim().to_owned()));
        }
        calls
    }

    /// Waits for a word of call `call` and gives its value.
    #[track_caller]
    pub fn wait(&self, call: u32, word: &str, within: Duration) -> String {
        super::poll(within, || {
            self.calls().get(&call).and_then(|c| c.value(word).map(str::to_owned))
        })
        .unwrap_or_else(|| {
            panic!("SIPp: call {call} has no {word} within {within:?}: {:?}", self.calls())
        })
    }

    /// All messages sent and received, as text.
    pub fn messages(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.dir.file("messages.log")).unwrap_or_default())
            .into_owned()
    }

    /// The messages that it received so far, in order.
    pub fn received(&self) -> Vec<Message> {
        received(&self.messages())
    }

    fn errors(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.dir.file("errors.log")).unwrap_or_default())
            .into_owned()
    }
}

/// What a finished SIPp leaves.
pub struct Done {
    /// By call number, from 1.
    pub calls: BTreeMap<u32, CallLog>,
    /// All messages as text.
    pub messages: String,
}

/// The messages that came, out of SIPp's log of messages.
fn received(log: &str) -> Vec<Message> {
    let parts = log.split("-----------------------------------------------");
    let came = parts.filter(|part| part.contains("message received"));
    came.filter_map(|part| {
        let (_, message) = part.split_once(":\n\n")?;
        Message::read(message.as_bytes())
    })
    .collect()
}

impl Done {
    /// The messages that it received, in order.
    pub fn received(&self) -> Vec<Message> {
        received(&self.messages)
    }

    /// How many calls logged this word.
    pub fn count(&self, word: &str) -> usize {
        self.calls.values().filter(|c| c.has(word)).count()
    }
}
