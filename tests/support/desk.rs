//! The daemon under test: started on ports of its own, asked over its API, killed at the end.

use super::http::{self, Answer};
use super::ports::Block;
use super::process::{Dir, Process};
use super::sipp::{Job, scenarios};
use super::sound::Sound;
use super::tls::Authority;
use super::{poll, s};
use serde_json::Value;
use std::cell::Cell;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::Command;

/// The prompts of the test plans: short, each unlike any other, by name and seed. They replace the
/// built-in ones so that a test need not listen to whole sentences.
const PROMPTS: &[(&str, u64)] = &[
    ("welcome", 1),
    ("menu-wrong", 2),
    ("busy", 3),
    ("music", 4),
    ("comfort", 5),
    ("queue-full", 6),
    ("waited-too-long", 7),
    ("after-hours", 8),
    ("information", 9),
    ("code-done", 10),
    ("code-refused", 11),
    ("position-1", 12),
    ("position-2", 13),
    ("holiday", 14),
    ("year-end", 15),
    ("recorded", 16),
    ("slot-empty", 900),
    ("adhoc-closed", 910),
    ("disaster", 911),
    ("closing", 912),
    ("parked-at-701", 901),
    ("parked-at-702", 902),
    ("parked-at-703", 903),
    ("supervised", 56),
    ("survey-question", 920),
    ("survey-again", 921),
    ("survey-wrong", 922),
    ("survey-thanks", 923),
    ("desk-calls", 930),
];

/// Ports from which the test trunk calls.
const TRUNK_PORTS: usize = 16;

/// The passwords of the test accounts.
pub fn password(user: &str) -> String {
    format!("secret-of-{user}-0123456789")
}

/// How the daemon is started; the default suits most tests.
pub struct Setup<'a> {
    /// File in tests/scenarios.
    pub plan: &'a str,
    /// Prompts of the test plans, or with `false` the built-in ones.
    pub test_prompts: bool,
    /// One more UDP listener, for a carrier that insists on a port.
    pub udp: Option<SocketAddr>,
    /// What its RTP ports are bound to.
    pub media: &'a str,
    /// More of its `[media]`.
    pub sound: &'a str,
    /// More of its `[sip]`.
    pub sip: &'a str,
    /// More of its `[http]`.
    pub http: &'a str,
    /// More of its `[store]`.
    pub store: &'a str,
    /// More of madoguchi.toml; `@201@` is the port of the fixed phone 201, `@HTTP@` where it speaks HTTP.
    pub more: &'a str,
    /// Also TLS, ws and wss, with a certificate of an authority of the test's own.
    pub secure: bool,
    /// Accounts besides 6001 to 6010: this many, from 100000 on.
    pub accounts: u32,
    /// More lines of its trunk.
    pub trunk: &'a str,
    /// Another program holds every other RTP port, the first too.
    pub ports_held: bool,
    /// Put before the daemon's own arguments: another program that starts it.
    pub under: &'a [&'a str],
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            plan: "desk.toml",
            test_prompts: true,
            udp: None,
            media: "127.0.0.1",
            sound: "",
            sip: "",
            http: "",
            store: "",
            more: "",
            secure: false,
            accounts: 0,
            trunk: "",
            ports_held: false,
            under: &[],
        }
    }
}

/// A running daemon.
pub struct Desk {
    process: Process,
    argv: Vec<String>,
    dir: Dir,
    /// Ports of this test.
    pub ports: Block,
    /// Where it speaks SIP.
    pub sip: SocketAddr,
    /// Where it speaks SIP over TLS, WebSocket, and WebSocket in TLS, when set up so.
    pub secure: [SocketAddr; 3],
    /// Who signed its certificate.
    pub authority: Authority,
    /// Where it speaks HTTP.
    pub http: SocketAddr,
    trunk: Vec<u16>,
    trunk_used: Cell<usize>,
    fixed: Vec<u16>,
    _held: Vec<UdpSocket>,
}

impl Desk {
    /// Starts it with the given plan and the test prompts.
    #[track_caller]
    pub fn start(plan: &str) -> Self {
        Self::with(&Setup { plan, ..Setup::default() })
    }

    /// Starts it and waits until it is healthy.
    #[track_caller]
    pub fn with(setup: &Setup) -> Self {
        let ports = Block::take();
        let dir = Dir::new("desk");
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (sip, http) = (local(ports.port()), local(ports.port()));
        let trunk: Vec<u16> = (0..TRUNK_PORTS).map(|_| ports.port()).collect();
        let fixed: Vec<u16> = (0..6).map(|_| ports.port()).collect();
        let secure = [0; 3].map(|_| local(if setup.secure { ports.port() } else { 0 }));
        let authority = Authority::new();
        let listens = if setup.secure {
            authority.sign().write(&dir, "tls/desk");
            authority.write(&dir.file("tls/ca.pem"));
            let [tls, ws, wss] = secure;
            format!(", \"tls:{tls}\", \"ws:{ws}\", \"wss:{wss}\"")
        } else {
            String::new()
        };
        let listens = setup.udp.map(|at| format!(", \"udp:{at}\"")).unwrap_or_default() + &listens;
        let (first, last) = ports.media();
        let held = (first..last).step_by(4).filter(|_| setup.ports_held);
        let held = held.map(|port| UdpSocket::bind(("127.0.0.1", port)).unwrap()).collect();
        let plan = std::fs::read_to_string(scenarios().join(setup.plan)).unwrap();
        let plan = dir.write("plan.toml", &plan.replace("@UNTIL_JUST_NOW@", &until_just_now()));
        let sources: Vec<String> = trunk.iter().map(|p| format!("\"127.0.0.1:{p}\"")).collect();
        if setup.test_prompts {
            std::fs::create_dir_all(dir.file("prompts")).unwrap();
            for (name, _) in PROMPTS {
                prompt(name).write(&dir.file(&format!("prompts/{name}.wav")));
            }
        }
        let mut text = format!(
            "[sip]\nlisten = [\"udp:{sip}\", \"tcp:{sip}\"{listens}]\nrealm = \"desk.example\"\nhosts = [\"desk.example\"]\n{more_sip}\
             [media]\naddress = \"{media}\"\nports = \"{first}-{last}\"\n{prompts}{more_sound}\
             [store]\nfile = \"store/madoguchi.db\"\n{more_store}[http]\nlisten = \"{http}\"\ntoken_file = \"secrets/http-token\"\n{more_http}\
             [plan]\nfile = \"{plan}\"\n[accounts]\nfile = \"secrets/accounts.tsv\"\n\
             [[trunks]]\nname = \"carrier\"\nsources = [{sources}]\n{more_trunk}\n",
            more_trunk = setup.trunk,
            prompts = if setup.test_prompts { "prompts = \"prompts\"\n" } else { "" },
            plan = plan.display(),
            more_sip = setup.sip,
            more_sound = setup.sound,
            more_http = setup.http,
            more_store = setup.store,
            media = setup.media,
            sources = sources.join(", "),
        );
        for (n, port) in fixed.iter().enumerate() {
            let number = 201 + n;
            text += &format!(
                "[[fixed_phones]]\nnumbers = \"{number}\"\ncontact = \"sip:{{number}}@127.0.0.1:{port}\"\n"
            );
        }
        if setup.secure {
            text += "[sip.tls]\ncertificate = \"tls/desk.pem\"\nkey = \"tls/desk.key\"\n";
        }
        let more = setup.more.replace("@HTTP@", &http.to_string());
        text += &more.replace("@201@", &fixed[0].to_string());
        let config = dir.write("madoguchi.toml", &text);
        std::fs::create_dir_all(dir.file("store")).unwrap();
        let mut accounts = String::new();
        for user in (6001..=6010).chain(100_000..100_000 + setup.accounts) {
            accounts += &format!("{user}\t{}\n", password(&user.to_string()));
        }
        let secret = dir.write("secrets/accounts.tsv", &accounts);
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let mut argv: Vec<String> = setup
            .under
            .iter()
            .map(|w| w.replace("@DIR@", &dir.path().display().to_string()))
            .collect();
        argv.extend([binary(), "serve".into(), "--config".into(), config.display().to_string()]);
        let process = Process::start("madoguchi", &argv, dir.path(), dir.file("daemon.log"));
        let mut desk = Self {
            process,
            argv,
            dir,
            ports,
            sip,
            secure,
            authority,
            http,
            trunk,
            trunk_used: Cell::new(0),
            fixed,
            _held: held,
        };
        desk.wait_healthy();
        desk
    }

    /// Waits until it is healthy.
    #[track_caller]
    pub fn wait_healthy(&mut self) {
        let http = self.http;
        let healthy = poll(super::COMES_UP, || {
            if let Some(status) = self.process.ended() {
                panic!("the daemon ended at its start ({status}):\n{}", self.process.printed());
            }
            http::request(http, "GET", "/healthz", None, "").ok().filter(|a| a.status == 200)
        });
        assert!(healthy.is_some(), "never healthy:\n{}", self.process.printed());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// What all its processes have logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.file("daemon.log")).unwrap_or_default()
    }

    /// Starts it again on the same store and waits until it is healthy.
    #[track_caller]
    pub fn again(&mut self) {
        self.launch();
        self.wait_healthy();
    }

    /// Starts it again on the same store and waits for nothing.
    pub fn launch(&mut self) {
        self.process.kill();
        self.process =
            Process::start("madoguchi", &self.argv, self.dir.path(), self.dir.file("daemon.log"));
    }

    /// Ends it in order (SIGTERM); its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.process.signal("TERM");
        self.process.wait(s(10)).and_then(|status| status.code())
    }

    /// A call that an agent answers and that is over, of 03222.
    pub fn answers_one(&self) {
        let agent = self.agent("agent", 201).set("RING", 100).start();
        self.caller("0312340010").set("FROM", "03222").set("STAY", 800).start().done();
        agent.done();
    }

    /// A command of the program's over this desk's files, in English.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).args(["--lang", "en"]).current_dir(self.dir.path());
        command
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Where its files are.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// A port from which the trunk's calls come; each time another.
    #[track_caller]
    pub fn trunk_port(&self) -> u16 {
        let n = self.trunk_used.get();
        self.trunk_used.set(n + 1);
        self.trunk[n]
    }

    /// The port at which the desk finds the fixed phone `201` to `206`.
    #[track_caller]
    pub fn fixed_port(&self, number: u16) -> u16 {
        self.fixed[usize::from(number - 201)]
    }

    /// A SIPp caller of the trunk who dials `to`, on a port of its own.
    pub fn caller(&self, to: &str) -> Job {
        Job::new("caller", self.sip, self.trunk_port()).set("TO", to)
    }

    /// SIPp as the fixed phone `201` to `206`.
    pub fn agent(&self, scenario: &'static str, number: u16) -> Job {
        Job::new(scenario, self.sip, self.fixed_port(number))
    }

    // ---- the API

    /// The calls that the API lists, the newest first.
    #[track_caller]
    pub fn calls(&self) -> Vec<Value> {
        self.get("/api/v1/calls?limit=1000")["calls"].as_array().expect("a list of calls").clone()
    }

    /// This month's figures.
    #[track_caller]
    pub fn month(&self) -> Value {
        self.get("/api/v1/service-level")
    }

    /// The one call of this caller, once it is over.
    #[track_caller]
    pub fn over(&self, caller: &str) -> Value {
        let ended = poll(s(8), || self.call_of(caller).filter(|c| c["state"] == "ended"));
        ended.unwrap_or_else(|| panic!("no ended call of {caller} in {:#?}", self.calls()))
    }

    /// What the call of this caller came to, once it is over.
    #[track_caller]
    pub fn outcome(&self, caller: &str) -> String {
        self.over(caller)["outcome"].as_str().expect("an ended call has an outcome").to_owned()
    }

    /// The one call of this caller now.
    #[track_caller]
    pub fn call_of(&self, caller: &str) -> Option<Value> {
        let calls = self.calls();
        let mut of = calls.iter().filter(|c| c["caller"]["number"]["known"] == caller);
        let found = of.next().cloned();
        assert!(of.next().is_none(), "more than one call of {caller}: {calls:#?}");
        found
    }

    /// The events of this caller's call, in order; those of its sound come when they come, and are left out.
    #[track_caller]
    pub fn ladder(&self, caller: &str) -> Vec<Value> {
        let call = self.call_of(caller).expect("a call of this caller");
        let id = call["call"].as_str().expect("a call has an id").to_owned();
        let ladder = self.get(&format!("/api/v1/calls/{id}"));
        ladder["ladder"]
            .as_array()
            .expect("its entries")
            .iter()
            .filter(|e| e["of"] != "sound")
            .map(|e| e["event"].clone())
            .collect()
    }

    /// Waits until the API shows the agent in this state.
    #[track_caller]
    pub fn agent_is(&self, agent: &str, state: &str) {
        let shown = || {
            let agents = self.get("/api/v1/agents");
            let agents = agents["agents"].as_array().expect("a list of agents").clone();
            agents.into_iter().find(|a| a["agent"] == agent).expect("the agent is in the plan")
        };
        let found = poll(s(5), || (shown()["state"] == state).then_some(()));
        assert!(found.is_some(), "agent {agent} is not {state}: {}", shown());
    }

    /// Everything that is held for calls is given back within `within`: the gauges read zero.
    #[track_caller]
    pub fn at_rest(&self, within: std::time::Duration) {
        let held = || {
            ["madoguchi_calls_waiting", "madoguchi_channels_in_use"]
                .map(|name| (name, self.metric(name)))
        };
        let rest = poll(within, || held().iter().all(|(_, v)| *v == 0.0).then_some(()));
        assert!(rest.is_some(), "still held: {:?}", held());
    }

    /// What opens its API and its pages.
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.dir.file("secrets/http-token"))
            .expect("the daemon made its token")
            .trim()
            .to_owned()
    }

    /// Any request with the token.
    #[track_caller]
    pub fn api(&self, method: &str, path: &str, body: &str) -> Answer {
        http::request(self.http, method, path, Some(&self.token()), body)
            .unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// A GET that must give JSON.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let answer = self.api("GET", path, "");
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.json()
    }

    /// The value of a metric without labels, or the sum over its labels.
    #[track_caller]
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.api("GET", "/metrics", "").body;
        let lines: Vec<&str> = text
            .lines()
            .filter(|l| l.strip_prefix(name).is_some_and(|r| r.starts_with([' ', '{'])))
            .collect();
        assert!(!lines.is_empty(), "no metric {name} in:\n{text}");
        lines.iter().filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

/// The daemon's program: that of this build, or the one named by `MADOGUCHI`.
pub fn binary() -> String {
    std::env::var("MADOGUCHI").unwrap_or_else(|_| env!("CARGO_BIN_EXE_madoguchi").to_owned())
}

/// A test prompt: a second and a half, for the music, which loops, two seconds, and for what an agent may
/// cut short four.
#[track_caller]
pub fn prompt(name: &str) -> Sound {
    let (_, seed) =
        PROMPTS.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no test prompt {name}"));
    match name {
        "music" => Sound::voice(*seed, 2),
        "desk-calls" => Sound::voice(*seed, 4),
        _ => Sound::voice(*seed, 2).part(0, 1500),
    }
}

/// A prompt that the project ships.
pub fn shipped_prompt(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("prompts").join(format!("{name}.wav"))
}

/// Service hours that ended two minutes ago by the clock of Tokyo, so that now is after hours on any
/// day at any time of day; shortly after midnight the day is closed as a whole.
fn until_just_now() -> String {
    use std::time::{SystemTime, UNIX_EPOCH};
    let utc_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let minute = (utc_s / 60 + 9 * 60) % (24 * 60);
    match minute.checked_sub(2).filter(|end| *end > 0) {
        Some(end) => format!("00:00-{:02}:{:02}", end / 60, end % 60),
        None => "closed".to_owned(),
    }
}
