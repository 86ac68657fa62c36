//! TLS as others speak it: OpenSSL's own client, certificates that are replaced, hands that are never
//! shaken.

use crate::support::desk::{Desk, Setup};
use crate::support::message::Message;
use crate::support::{eventually, poll, s};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A desk with TLS, ws and wss.
pub fn secure() -> Desk {
    Desk::with(&Setup { secure: true, ..Setup::default() })
}

/// `openssl s_client` on the desk's TLS listener.
pub struct Client {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    asked: u32,
}

impl Client {
    /// Connects, and believes the test's authority alone.
    pub fn connect(desk: &Desk, more: &[&str]) -> Self {
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "openssl", "s_client", "-quiet", "-connect"])
            .arg(desk.secure[0].to_string())
            .args(["-verify_return_error", "-CAfile"])
            .arg(desk.dir().file("tls/ca.pem"))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (mut out, into) = (child.stdout.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = out.read(&mut chunk) {
                into.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        Self { child, said, asked: 0 }
    }

    /// Sends an OPTIONS and waits for its answer.
    pub fn ask(&mut self) -> Option<Message> {
        self.asked += 1;
        self.said.lock().unwrap().clear();
        let text = options("TLS", self.asked);
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).ok()?;
        poll(s(5), || Message::read(&self.said.lock().unwrap()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An OPTIONS by this transport.
pub fn options(transport: &str, n: u32) -> String {
    format!(
        "OPTIONS sip:desk@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:5999;branch=z9hG4bK{n};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag={n}\r\nTo: <sip:desk@127.0.0.1>\r\n\
         Call-ID: options{n}@127.0.0.1\r\nCSeq: {n} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// What `openssl s_client` prints about a new connection.
fn seen(desk: &Desk, more: &[&str]) -> String {
    let out = Command::new("timeout")
        .args(["10", "openssl", "s_client", "-connect", &desk.secure[0].to_string(), "-CAfile"])
        .arg(desk.dir().file("tls/ca.pem"))
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

/// The serial number of the certificate that a new connection is shown.
fn serial(desk: &Desk) -> String {
    let pem = seen(desk, &[]);
    let mut child = Command::new("openssl")
        .args(["x509", "-noout", "-serial"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&out.stdout).trim().replace("serial=", "")
}

#[test]
fn openssl_speaks_sip_in_tls_1_2_and_1_3_and_in_nothing_older() {
    let desk = secure();
    for version in ["-tls1_2", "-tls1_3"] {
        let answer = Client::connect(&desk, &[version]).ask().expect(version);
        assert_eq!(answer.status(), Some(200), "{version}");
        assert!(answer.must("Via").starts_with("SIP/2.0/TLS 127.0.0.1:5999"), "{answer}");
    }
    let named = seen(&desk, &["-tls1_3", "-verify_hostname", "desk.example"]);
    assert!(named.contains("Verify return code: 0 (ok)"), "{named}");
    for old in ["-tls1", "-tls1_1"] {
        let refused = seen(&desk, &[old, "-cipher", "ALL:@SECLEVEL=0"]);
        assert!(!refused.contains("Cipher is ECDHE"), "{refused}");
    }
}

#[test]
fn a_new_certificate_is_taken_and_a_broken_one_refused_while_connections_stand() {
    let mut desk = secure();
    let mut standing = Client::connect(&desk, &[]);
    assert!(standing.ask().is_some());
    let first = serial(&desk);
    let second = desk.authority.sign();
    second.write(desk.dir(), "tls/desk");
    desk.process().signal("HUP");
    eventually("the new certificate is shown", s(5), || serial(&desk) == second.serial);
    assert_ne!(first, second.serial);
    assert!(standing.ask().is_some(), "the connection from before goes on");

    // The new certificate with the old key, a file that is cut, and one that is over.
    let third = desk.authority.sign();
    desk.dir().write("tls/desk.pem", &third.certificate);
    let refused = "the new certificate is refused and the old one stays in force";
    let told = |desk: &mut Desk, times: usize, why: &str| {
        desk.process().signal("HUP");
        eventually("the log says so", s(5), || {
            let printed = desk.process().printed();
            printed.matches(refused).count() == times && printed.contains(why)
        });
    };
    told(&mut desk, 1, "are not a pair");
    desk.dir().write("tls/desk.pem", &third.certificate[..100]);
    told(&mut desk, 2, "this is not PEM");
    std::fs::remove_file(desk.dir().file("tls/desk.pem")).unwrap();
    told(&mut desk, 3, "cannot be read");
    assert_eq!(serial(&desk), second.serial);
    assert!(standing.ask().is_some(), "the connection from before goes on");
    assert!(!desk.process().printed().contains("PRIVATE KEY"));
}

/// How long the peer leaves a connection open.
fn open_for(mut stream: TcpStream) -> Duration {
    let since = Instant::now();
    stream.set_read_timeout(Some(s(30))).unwrap();
    let mut chunk = [0; 4096];
    while let Ok(1..) = stream.read(&mut chunk) {}
    since.elapsed()
}

#[test]
fn half_a_handshake_is_closed_in_time() {
    let desk = secure();
    let [tls, ws, wss] = desk.secure;
    let connect = |to: SocketAddr, said: &[u8]| {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(said).unwrap();
        stream
    };
    // A record's head of a ClientHello that never comes; an HTTP request without an end.
    let hello = b"\x16\x03\x01\x02\x00\x01\x00";
    let table = [
        ("TLS, nothing", connect(tls, b"")),
        ("TLS, half a hello", connect(tls, hello)),
        ("wss, half a hello", connect(wss, hello)),
        ("ws, half a request", connect(ws, b"GET / HTTP/1.1\r\nHost: x\r\n")),
    ];
    let waiting = table.map(|(case, stream)| (case, std::thread::spawn(|| open_for(stream))));
    for (case, open) in waiting {
        let open = open.join().unwrap();
        assert!((s(8)..s(16)).contains(&open), "{case}: {open:?}");
    }
    // What is no TLS at all is closed at once.
    let open = open_for(connect(tls, options("TLS", 1).as_bytes()));
    assert!(open < s(2), "{open:?}");
}

/// What the system says of every socket of the desk's SIP, those that phones connected to included.
#[test]
fn signalling_is_marked_on_every_socket_by_every_transport() {
    for (sip, mark) in [("", "tos:0x60"), ("dscp = 40\n", "tos:0xa0"), ("dscp = 0\n", "tos:0")] {
        let desk = Desk::with(&Setup { secure: true, sip, ..Setup::default() });
        let mut client = Client::connect(&desk, &[]);
        client.ask().expect("an answer by TLS");
        let _tcp = TcpStream::connect(desk.sip).unwrap();
        let sockets = || {
            let said = Command::new("ss").args(["-tuanH", "--tos"]).output().expect("iproute2");
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            let at = |line: &str, place: SocketAddr| {
                line.split_whitespace().nth(4) == Some(place.to_string().as_str())
            };
            let ours = [desk.sip, desk.secure[0], desk.secure[1], desk.secure[2]];
            // What the kernel keeps of connections that are over is nobody's socket.
            let open = said.lines().filter(|line| !line.contains("TIME-WAIT"));
            let lines = open.filter(|line| ours.iter().any(|place| at(line, *place)));
            lines.map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        // UDP, four that listen, and the two connections.
        eventually("seven sockets", s(5), || sockets().len() >= 7);
        for line in sockets() {
            assert!(line.split_whitespace().any(|word| word == mark), "{mark}: {line}");
        }
    }
}

#[test]
fn a_reload_with_a_bad_directory_changes_no_certificate() {
    let mut desk = Desk::with(&Setup {
        secure: true,
        more: "[tickets]\ndirectory = \"people.csv\"\n",
        ..Setup::default()
    });
    // It has started without the file: callers come first.
    eventually("the warning is told", s(5), || desk.process().printed().contains("people.csv"));
    let first = serial(&desk);
    desk.authority.sign().write(desk.dir(), "tls/desk");
    desk.dir().write("people.csv", "telephone,name\n2001,someone\n");
    let (code, told) = {
        let out = desk.command(&["reload"]).output().unwrap();
        (
            out.status.code(),
            String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned(),
        )
    };
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("people.csv") && told.contains("number"), "{told}");
    assert_eq!(serial(&desk), first, "all of it or nothing");
    // The command looks first, and orders nothing then; ordered all the same, it is refused whole.
    assert_eq!(desk.metric("madoguchi_config_reload_failures_total"), 0.0);
    assert_eq!(desk.api("POST", "/api/v1/reload", "").status, 422);
    assert_eq!(serial(&desk), first, "all of it or nothing");
    assert_eq!(desk.metric("madoguchi_config_reload_failures_total"), 1.0);

    desk.dir().write("people.csv", "number,name\n2001,someone\n");
    let out = desk.command(&["reload"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    assert_ne!(serial(&desk), first);
}
