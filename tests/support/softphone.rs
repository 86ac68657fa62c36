//! baresip as a person's softphone: registered, driven over its control port, its ears recorded.

use super::poll;
use super::ports::Block;
use super::process::{Dir, Process};
use super::sound::Sound;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a softphone is set up.
pub struct Setup<'a> {
    /// Its account.
    pub user: &'a str,
    /// The account's password.
    pub password: &'a str,
    /// The desk; with none it stays unregistered and is called directly.
    pub desk: Option<SocketAddr>,
    /// What it says: a sound of the test's own making.
    pub voice: &'a Sound,
    /// Picks up by itself.
    pub answers: bool,
    /// Codecs by preference, as in `PCMA,PCMU`.
    pub codecs: &'a str,
    /// Seconds of its registrations.
    pub expires_s: u32,
}

/// The way to the desk, where it is not plainly UDP.
#[derive(Clone, Debug, Default)]
pub struct By<'a> {
    /// `tcp` or `tls`; empty: UDP.
    pub transport: &'a str,
    /// With TLS: whom it believes.
    pub trusts: Option<&'a std::path::Path>,
    /// A proxy before the desk, as a URI.
    pub outbound: Option<&'a str>,
    /// It says which phone it is and which of its ways this is (RFC 5626), and keeps the way.
    pub keeps_its_way: bool,
    /// Its encryption of sound: `srtp` (if the other has it), `srtp-mand`, `dtls_srtp`; empty: none.
    pub encryption: &'a str,
    /// Its reports (RTCP) share the port of its sound, where the desk agrees.
    pub shares_port: bool,
}

/// A running baresip.
pub struct Softphone {
    process: Process,
    dir: Dir,
    port: u16,
    control: TcpStream,
    events: Arc<Mutex<Vec<Value>>>,
    /// Commands that it has carried out.
    done: Arc<AtomicUsize>,
}

impl Softphone {
    /// Starts it; with a desk, waits until it is registered.
    #[track_caller]
    pub fn start(ports: &Block, setup: &Setup) -> Self {
        Self::start_by(ports, setup, &By::default())
    }

    /// As [`Self::start`], by another way than UDP to the desk itself.
    #[track_caller]
    pub fn start_by(ports: &Block, setup: &Setup, by: &By) -> Self {
        let phone = Self::unregistered(ports, setup, by);
        if setup.desk.is_some() {
            let found = poll(super::COMES_UP, || (phone.count("REGISTER_OK") > 0).then_some(()));
            assert!(
                found.is_some(),
                "softphone {}: not registered: {:?}",
                setup.user,
                phone.kinds()
            );
        }
        phone
    }

    /// Starts it and does not wait for its registration.
    #[track_caller]
    pub fn start_unregistered(ports: &Block, setup: &Setup) -> Self {
        Self::unregistered(ports, setup, &By::default())
    }

    #[track_caller]
    fn unregistered(ports: &Block, setup: &Setup, by: &By) -> Self {
        let dir = Dir::new(&format!("baresip-{}", setup.user));
        let (port, control_port, rtp) = (ports.port(), ports.port(), ports.port());
        for _ in 0..3 {
            ports.port();
        }
        let voice = dir.file("voice.wav");
        setup.voice.write(&voice);
        let here = dir.path().display();
        let own_ip: IpAddr = match setup.desk {
            Some(SocketAddr::V6(_)) => Ipv6Addr::LOCALHOST.into(),
            Some(SocketAddr::V4(_)) | None => Ipv4Addr::LOCALHOST.into(),
        };
        dir.write(
            "config",
            &format!(
                "poll_method epoll\nsip_listen {own}\nnet_interface {own_ip}\ncall_local_timeout 120\n\
                 call_max_calls 4\naudio_source aufile,{voice}\naudio_level no\nausrc_srate 8000\nauplay_srate 8000\n\
                 ausrc_channels 1\nauplay_channels 1\nrtp_ports {rtp}-{rtp_last}\nrtcp_mux {mux}\n\
                 jitter_buffer_delay 1-5\nmodule_path {modules}\nmodule g711.so\nmodule g722.so\nmodule srtp.so\nmodule dtls_srtp.so\nmodule opus.so\nopus_stereo no\nopus_sprop_stereo no\nmodule aufile.so\nmodule sndfile.so\n\
                 {uuid}module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control_port}\n\
                 snd_path {here}\n{trusts}",
                own = SocketAddr::new(own_ip, port),
                uuid = if by.keeps_its_way { "module_tmp uuid.so\n" } else { "" },
                voice = voice.display(),
                mux = if by.shares_port { "yes" } else { "no" },
                trusts = by.trusts.map_or_else(String::new, |file| {
                    format!("sip_cafile {}\nsip_verify_server yes\n", file.display())
                }),
                rtp_last = rtp + 7,
                modules = modules(),
            ),
        );
        let (domain, registration) = match setup.desk {
            Some(desk) => (desk.to_string(), setup.expires_s),
            None => (format!("127.0.0.1:{port}"), 0),
        };
        // The account is made over the control connection, not read at start: a phone that registers
        // before anybody watches it may have taken its first call unseen.
        dir.write("accounts", "");
        dir.write("contacts", "");
        let argv = ["baresip", "-s", "-f", &dir.path().display().to_string()].map(str::to_owned);
        let mut process = Process::start("baresip", &argv, dir.path(), dir.file("log"));
        let address = SocketAddr::from(([127, 0, 0, 1], control_port));
        // No promise of the desk's: it only has to be there before the call. A busy machine takes its time.
        let control =
            poll(super::COMES_UP, || TcpStream::connect(address).ok()).unwrap_or_else(|| {
                let user = setup.user;
                panic!(
                    "baresip {user} has no control port {control_port}; ended: {:?}",
                    process.ended()
                )
            });
        let events = Arc::new(Mutex::new(Vec::new()));
        let done = Arc::new(AtomicUsize::new(0));
        let (reader, into, answers) = (control.try_clone().unwrap(), events.clone(), done.clone());
        std::thread::spawn(move || follow(reader, &into, &answers));
        let phone = Self { process, dir, port, control, events, done };
        phone.tell(
            "uanew",
            &format!(
                "<sip:{user}@{domain}{transport}>;regint={registration}{outbound}{kept}{sealed};audio_codecs={codecs};answermode={mode};\
                 dtmfmode=rtpevent;auth_user={user};auth_pass={password}",
                user = setup.user,
                password = setup.password,
                codecs = setup.codecs,
                transport = match by.transport {
                    "" => String::new(),
                    other => format!(";transport={other}"),
                },
                sealed = match by.encryption {
                    "" => String::new(),
                    kind => format!(";mediaenc={kind}"),
                },
                kept = if by.keeps_its_way { ";sipnat=outbound" } else { "" },
                outbound = by.outbound.map_or_else(String::new, |uri| format!(";outbound=\"{uri}\"")),
                mode = if setup.answers { "auto" } else { "manual" },
            ),
        );
        // Without a registration nothing else tells that the account can be called.
        let made = poll(super::COMES_UP, || (phone.done.load(Ordering::Relaxed) > 0).then_some(()));
        assert!(made.is_some(), "softphone {}: its account was not made", setup.user);
        // It would offer all that it has instead.
        assert!(
            !phone.trace().contains("audio codec not found"),
            "{}: {}",
            setup.user,
            setup.codecs
        );
        phone
    }

    /// Its SIP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A command such as `dial`, `accept`, `hangup`, `hold`, `resume`, `sndcode`.
    #[track_caller]
    pub fn tell(&self, command: &str, params: &str) {
        let text = json!({"command": command, "params": params, "token": "t"}).to_string();
        (&self.control).write_all(format!("{}:{text},", text.len()).as_bytes()).unwrap();
    }

    /// What it has reported so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it has reported this.
    pub fn count(&self, kind: &str) -> usize {
        self.events().iter().filter(|e| e["type"] == kind).count()
    }

    /// Waits until it has reported this at least once.
    #[track_caller]
    pub fn wait(&self, kind: &str, within: Duration) -> Value {
        self.wait_count(kind, 1, within)
    }

    /// Waits until it has reported this `times` times, and gives the last.
    #[track_caller]
    pub fn wait_count(&self, kind: &str, times: usize, within: Duration) -> Value {
        let found =
            poll(within, || self.events().into_iter().filter(|e| e["type"] == kind).nth(times - 1));
        found.unwrap_or_else(|| {
            panic!(
                "softphone: no {kind} ({times} times) within {within:?}; came: {:#?}",
                self.kinds()
            )
        })
    }

    fn kinds(&self) -> Vec<String> {
        self.events().iter().map(|e| format!("{} {}", e["type"], e["param"])).collect()
    }

    /// What it heard in its calls so far, one sound each, in order. Complete once the call is over:
    /// the files are written in pieces.
    pub fn heard(&self) -> Vec<Sound> {
        let mut files: Vec<_> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|f| f.unwrap().path())
            .filter(|p| p.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        files.iter().map(|f| Sound::wav(f)).collect()
    }

    /// Every SIP message it saw, as baresip traces them.
    pub fn trace(&self) -> String {
        self.process.printed()
    }

    /// It vanishes without a word.
    pub fn vanish(&mut self) {
        self.process.kill();
    }
}

/// Where Debian keeps baresip's modules on this kind of machine.
fn modules() -> String {
    ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"]
        .iter()
        .find(|p| std::path::Path::new(p).is_dir())
        .expect("baresip's modules are installed (Debian: baresip-core)")
        .to_string()
}

/// Reads netstrings (`length:text,`) until the phone is gone.
fn follow(mut from: TcpStream, into: &Mutex<Vec<Value>>, done: &AtomicUsize) {
    let mut buffer: Vec<u8> = Vec::new();
    let mut piece = [0u8; 4096];
    loop {
        match from.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(n) => buffer.extend_from_slice(&piece[..n]),
        }
        while let Some(colon) = buffer.iter().position(|b| *b == b':') {
            let Some(length) =
                std::str::from_utf8(&buffer[..colon]).ok().and_then(|t| t.parse::<usize>().ok())
            else {
                return;
            };
            if buffer.len() < colon + length + 2 {
                break;
            }
            match serde_json::from_slice::<Value>(&buffer[colon + 1..=colon + length]) {
                Ok(value) if value["event"] == true => {
                    into.lock().unwrap_or_else(PoisonError::into_inner).push(value);
                }
                Ok(value) if value["response"] == true => {
                    done.fetch_add(1, Ordering::Relaxed);
                }
                _ => {}
            }
            buffer.drain(..colon + length + 2);
        }
    }
}
