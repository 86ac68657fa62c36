//! systemd's watchdog, as systemd itself would hear it: a stuck engine must not go on to say that it lives.

use crate::support::desk::{Desk, Setup};
use crate::support::http;
use crate::support::process::Dir;
use crate::support::{eventually, s};
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Stops one thread, as a deadlock would, until its standard input ends (ptrace(2): PTRACE_SEIZE, PTRACE_INTERRUPT,
/// PTRACE_DETACH).
const HOLD: &str = r#"
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
thread = int(sys.argv[1])
def ptrace(request):
    if libc.ptrace(request, thread, None, None) == -1:
        sys.exit("ptrace: " + os.strerror(ctypes.get_errno()) + "; this test must be allowed to trace its own processes")
ptrace(0x4206)
ptrace(0x4207)
os.waitpid(thread, 0x40000000)
print("held", flush=True)
sys.stdin.read()
ptrace(17)
"#;

struct Held(Child);

impl Held {
    #[track_caller]
    fn thread(process: u32, name: &str) -> Self {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let is_it = |task: &std::fs::DirEntry| {
            let comm = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            comm.trim() == name
        };
        let task = tasks.flatten().find(is_it).unwrap_or_else(|| panic!("no thread {name}"));
        let thread = task.file_name().into_string().unwrap();
        let mut child = Command::new("python3")
            .args(["-c", HOLD, &thread])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said.trim(), "held");
        Self(child)
    }

    fn release(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

/// What systemd hears within so long.
fn hears(socket: &UnixDatagram, within: Duration) -> Vec<String> {
    let (until, mut heard) = (Instant::now() + within, Vec::new());
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|it| !it.is_zero()) {
        socket.set_read_timeout(Some(left)).unwrap();
        let mut bytes = [0; 512];
        if let Ok(length) = socket.recv(&mut bytes) {
            heard.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        }
    }
    heard
}

#[test]
fn a_stuck_engine_is_given_up_by_systemd_and_healthz_says_so() {
    let dir = Dir::new("notify");
    let file = dir.file("socket");
    let socket = UnixDatagram::bind(&file).unwrap();
    let notify = format!("NOTIFY_SOCKET={}", file.display());
    let mut desk = Desk::with(&Setup {
        under: &["env", &notify, "WATCHDOG_USEC=4000000"],
        ..Setup::default()
    });
    let alive = |heard: &[String]| heard.iter().any(|it| it.contains("WATCHDOG=1"));
    let heard = hears(&socket, s(2));
    assert!(heard.iter().any(|it| it.contains("READY=1")) && alive(&heard), "{heard:?}");
    let probe = |desk: &Desk, path: &str| {
        let answer = http::request(desk.http, "GET", path, None, "").unwrap();
        (answer.status, answer.json())
    };
    assert_eq!(probe(&desk, "/healthz/live").0, 200);

    let held = Held::thread(desk.process().pid(), "engine");
    // For five seconds nobody can know that it is not just busy.
    hears(&socket, s(6));
    let heard = hears(&socket, s(3));
    assert!(!alive(&heard), "{heard:?}");
    for path in ["/healthz/live", "/healthz/ready", "/healthz"] {
        let (status, page) = probe(&desk, path);
        assert_eq!((status, page["reasons"][0]["reason"].as_str()), (503, Some("engine-stalled")));
    }
    assert!(desk.log().contains("ERROR desk: a thread without which no caller is served is stuck"));

    held.release();
    eventually("it lives", s(5), || probe(&desk, "/healthz/live").0 == 200);
    assert!(alive(&hears(&socket, s(3))));
    assert!(desk.log().contains("the stuck thread goes on"), "{}", desk.log());
}
