//! DTLS-SRTP against OpenSSL, in both roles: with certificates such as baresip (RSA of 2,048 bits), Linphone
//! (RSA of 3,072) and Chromium (ECDSA) show, the keys compared with those that OpenSSL exports.
#![allow(clippy::pedantic)]

use madoguchi::base::Mono;
use madoguchi::dtls::{Failure, Fingerprint, Handshake, Identity, Output, Role, is_dtls};
use madoguchi::srtp::{Keys, MasterKey, Suite};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SUITES: [(Suite, &str); 4] = [
    (Suite::Aes128Gcm, "SRTP_AEAD_AES_128_GCM"),
    (Suite::Aes256Gcm, "SRTP_AEAD_AES_256_GCM"),
    (Suite::Aes128Cm80, "SRTP_AES128_CM_SHA1_80"),
    (Suite::Aes128Cm32, "SRTP_AES128_CM_SHA1_32"),
];
const ALL: [Suite; 4] = [Suite::Aes128Gcm, Suite::Aes256Gcm, Suite::Aes128Cm80, Suite::Aes128Cm32];

/// A certificate of OpenSSL's own making.
struct Peer {
    folder: PathBuf,
    fingerprint: Fingerprint,
}

impl Peer {
    fn new(name: &str, algorithm: &[&str]) -> Self {
        let folder =
            std::env::temp_dir().join(format!("madoguchi-dtls-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=phone", "-newkey"])
            .args(algorithm)
            .arg("-keyout")
            .arg(folder.join("key.pem"))
            .arg("-out")
            .arg(folder.join("cert.pem"))
            .stderr(Stdio::null())
            .status()
            .expect("openssl");
        assert!(made.success());
        let told = Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
            .arg(folder.join("cert.pem"))
            .output()
            .unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let digest = told.trim().split_once('=').unwrap().1;
        Self { folder, fingerprint: format!("sha-256 {digest}").parse().unwrap() }
    }

    fn kinds(test: &str) -> Vec<(&'static str, Self)> {
        let made = |name: &str, algorithm: &[&str]| Self::new(&format!("{test}-{name}"), algorithm);
        vec![
            ("baresip's", made("rsa2048", &["rsa:2048"])),
            ("Linphone's", made("rsa3072", &["rsa:3072"])),
            ("Chromium's", made("ec", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])),
        ]
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// OpenSSL at work; what it prints comes by lines.
struct Openssl {
    child: Child,
    lines: Receiver<String>,
}

impl Openssl {
    fn start(
        command: &str,
        address: &str,
        peer: Option<&Peer>,
        profiles: &str,
        more: &[&str],
    ) -> Self {
        let mut openssl = Command::new("openssl");
        openssl.args([command, "-dtls1_2", "-use_srtp", profiles, "-mtu", "1200"]);
        openssl.args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "88"]);
        openssl.args([if command == "s_client" { "-connect" } else { "-accept" }, address]);
        openssl.args(more);
        if let Some(peer) = peer {
            openssl.arg("-cert").arg(peer.folder.join("cert.pem"));
            openssl.arg("-key").arg(peer.folder.join("key.pem"));
        }
        openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = openssl.spawn().expect("openssl");
        let out = BufReader::new(child.stdout.take().unwrap());
        let (say, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// What it exports, when it comes to that.
    fn exported(&self) -> Option<Vec<u8>> {
        let until = Instant::now() + Duration::from_secs(20);
        while let Ok(line) =
            self.lines.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if let Some(hex) = line.trim().strip_prefix("Keying material: ") {
                let bytes = (0..hex.len() / 2)
                    .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap());
                return Some(bytes.collect());
            }
        }
        None
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The keys as RFC 5764 §4.2 cuts them: client's, server's, client's salt, server's salt.
fn cut(exported: &[u8], suite: Suite) -> (MasterKey, MasterKey) {
    let (key, salt) = (suite.key_bytes(), suite.salt_bytes());
    let (client, rest) = exported.split_at(key);
    let (server, rest) = rest.split_at(key);
    let (client_salt, rest) = rest.split_at(salt);
    let made = |key, salt| MasterKey::new(suite, key, salt).unwrap();
    (made(client, client_salt), made(server, &rest[..salt]))
}

/// Runs our side on `socket` until it has keys or has failed.
fn shake(
    socket: &UdpSocket,
    mut peer: Option<SocketAddr>,
    begin: impl FnOnce(&Identity, Mono, &mut Vec<Output>) -> Handshake,
) -> Result<Keys, Failure> {
    let origin = Instant::now();
    let now = || Mono(u64::try_from(origin.elapsed().as_micros()).unwrap());
    let identity = Identity::new(origin).unwrap();
    let mut out = Vec::new();
    let mut handshake = begin(&identity, now(), &mut out);
    let mut buffer = [0; 2048];
    let mut end = None;
    loop {
        for output in out.drain(..) {
            match output {
                Output::Send(datagram) => drop(socket.send_to(&datagram, peer.unwrap()).unwrap()),
                Output::Keys(keys) => end = Some(Ok(*keys)),
                Output::Failed(failure) => end = Some(Err(failure)),
                Output::Closed => panic!("closed"),
            }
        }
        if let Some(end) = end {
            return end;
        }
        let due = handshake.deadline().unwrap();
        let wait = due.since(now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait)).unwrap();
        // A refusal by the system (nobody listens yet) is as good as silence.
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                assert!(is_dtls(&buffer[..length]));
                peer = peer.or(Some(from));
                handshake.datagram(&buffer[..length], now(), &mut out);
            }
            Err(_) => handshake.tick(now(), &mut out),
        }
    }
}

fn serve(
    openssl: impl FnOnce(&str) -> Openssl,
    expected: &Fingerprint,
) -> (Result<Keys, Failure>, Openssl) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let openssl = openssl(&socket.local_addr().unwrap().to_string());
    let keys = shake(&socket, None, |identity, now, out| {
        Handshake::begin(identity, Role::Server, vec![expected.clone()], &ALL, now, out)
    });
    (keys, openssl)
}

#[test]
fn openssl_calls_with_the_certificates_that_phones_show_and_exports_our_keys() {
    for (whose, peer) in Peer::kinds("called") {
        for (suite, profile) in SUITES {
            let (keys, openssl) = serve(
                |address| Openssl::start("s_client", address, Some(&peer), profile, &[]),
                &peer.fingerprint,
            );
            let keys = keys.unwrap_or_else(|failure| panic!("{whose}, {profile}: {failure}"));
            let exported = openssl.exported().expect("exported");
            let (client, server) = cut(&exported, suite);
            assert_eq!((keys.theirs, keys.ours), (client, server), "{whose}, {profile}");
        }
    }
}

#[test]
fn we_call_openssl_and_it_exports_our_keys() {
    for (at, (whose, peer)) in Peer::kinds("calling").into_iter().enumerate() {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (suite, profile) = SUITES[at];
        let address = free.to_string();
        let openssl =
            Openssl::start("s_server", &address, Some(&peer), profile, &["-Verify", "1", "-4"]);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let keys = shake(&socket, Some(free), |identity, now, out| {
            let expected = vec![peer.fingerprint.clone()];
            Handshake::begin(identity, Role::Client, expected, &ALL, now, out)
        });
        let keys = keys.unwrap_or_else(|failure| panic!("{whose}: {failure}"));
        let (client, server) = cut(&openssl.exported().expect("exported"), suite);
        assert_eq!((keys.ours, keys.theirs), (client, server), "{whose}");
    }
}

#[test]
fn another_certificate_than_the_sdps_none_or_no_srtp_gets_no_keys() {
    let peer = Peer::new("wrong", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let other = Fingerprint::of(b"another's");
    let (keys, _openssl) =
        serve(|address| Openssl::start("s_client", address, Some(&peer), SUITES[0].1, &[]), &other);
    assert_eq!(keys, Err(Failure::Fingerprint));
    let (keys, _openssl) = serve(
        |address| Openssl::start("s_client", address, None, SUITES[0].1, &[]),
        &peer.fingerprint,
    );
    assert_eq!(keys, Err(Failure::Refused), "without a certificate");

    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = free.to_string();
    let _openssl =
        Openssl::start("s_server", &address, Some(&peer), SUITES[0].1, &["-Verify", "1", "-4"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let keys = shake(&socket, Some(free), |identity, now, out| {
        Handshake::begin(identity, Role::Client, vec![other], &ALL, now, out)
    });
    assert_eq!(keys, Err(Failure::Fingerprint), "as the calling side");
}
