//! WebSocket as others speak it: a client of another house, a browser's address bar, and frames that no
//! browser would send.

use crate::secure::{options, secure};
use crate::support::message::Message;
use crate::support::s;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

/// What `wsdump` (python3-websocket) gets for one message.
fn exchange(url: &str, more: &[&str], text: &str) -> String {
    let out = Command::new("timeout")
        .args(["10", "wsdump", "--raw", "--eof-wait", "1", "-s", "sip", "-t", text])
        .args(more)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

fn curl(arguments: &[&str]) -> String {
    let out = Command::new("curl").args(["-s", "-i", "-m", "5"]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn a_websocket_client_of_another_house_speaks_sip_plain_and_in_tls() {
    let desk = secure();
    let [_, ws, wss] = desk.secure;
    for (url, via) in [(format!("ws://{ws}/"), "WS"), (format!("wss://{wss}/sip"), "WSS")] {
        let said = exchange(&url, &["-n"], &options(via, 7));
        assert!(said.contains("SIP/2.0 200 OK"), "{url}: {said}");
        assert!(said.contains(&format!("Via: SIP/2.0/{via} 127.0.0.1:5999")), "{url}: {said}");
    }
}

#[test]
fn a_browsers_address_bar_gets_a_page_that_says_what_is_spoken_here() {
    let desk = secure();
    let [_, ws, wss] = desk.secure;
    let page = curl(&[&format!("http://{ws}/")]);
    assert!(page.starts_with("HTTP/1.1 426"), "{page}");
    assert!(page.contains("SIP over WebSocket is spoken here"), "{page}");
    let page = curl(&["-k", &format!("https://{wss}/"), "-d", "x=1"]);
    assert!(page.starts_with("HTTP/1.1 405"), "{page}");
}

/// Shakes hands as a browser does, and gives the stream.
fn shaken(to: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(s(5))).unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {to}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: sip\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    stream
}

/// A masked frame with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0xfe];
    frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend([9, 8, 7, 6]);
    frame.extend(payload.iter().enumerate().map(|(n, byte)| byte ^ [9, 8, 7, 6][n % 4]));
    frame
}

/// The next frame: first byte and payload; None at the end of the stream.
fn next(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let mut length = usize::from(head[1]);
    if length == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).ok()?;
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).ok()?;
    Some((head[0], payload))
}

#[test]
fn pings_are_answered_and_who_breaks_the_rules_is_closed() {
    let desk = secure();
    let ws = desk.secure[1];
    let mut stream = shaken(ws);
    stream.write_all(&frame(0x89, b"there?")).unwrap();
    assert_eq!(next(&mut stream), Some((0x8a, b"there?".to_vec())));
    // Two messages in pieces that cut frames and fragments anywhere; each is answered by one frame.
    let first = options("WS", 1);
    let (one, two) = first.split_at(50);
    let mut bytes = frame(0x01, one.as_bytes());
    bytes.extend(frame(0x80, two.as_bytes()));
    bytes.extend(frame(0x82, options("WS", 2).as_bytes()));
    for piece in bytes.chunks(37) {
        stream.write_all(piece).unwrap();
    }
    for n in [1, 2] {
        let (kind, answer) = next(&mut stream).expect("an answer");
        let answer = Message::read(&answer).expect("SIP");
        assert_eq!((kind, answer.status(), answer.cseq()), (0x81, Some(200), n));
    }
    stream.write_all(&frame(0x81, b"\r\n\r\n")).unwrap();
    assert_eq!(next(&mut stream), Some((0x81, b"\r\n".to_vec())), "CRLF both ways");
    stream.write_all(&frame(0x88, &1000_u16.to_be_bytes())).unwrap();
    assert_eq!(next(&mut stream), Some((0x88, vec![3, 0xe8])), "a close in order");
    assert_eq!(next(&mut stream), None);

    let long = [&[0x81, 0xff][..], &70_000_u64.to_be_bytes(), &[0; 4]].concat();
    let table: [(&str, Vec<u8>); 4] = [
        ("not masked", vec![0x81, 2, b'h', b'i']),
        ("too long", long),
        ("a reserved bit", frame(0xf1, b"x")),
        ("a ping in pieces", frame(0x09, b"x")),
    ];
    for (case, bytes) in table {
        let mut stream = shaken(ws);
        stream.write_all(&bytes).unwrap();
        assert_eq!(next(&mut stream).map(|(kind, _)| kind), Some(0x88), "{case}");
        assert_eq!(next(&mut stream), None, "{case}");
    }
}
