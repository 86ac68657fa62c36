//! One OPTIONS to each server of the trunks (RFC 3261 §11): whether anybody is there. Any status says so.

use crate::config::Config;
use crate::doctor::{Answer, TrunkAsked};
use crate::sip::api::Transport;
use crate::sip::trunk::Server;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::{Duration, Instant};

/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(4);
/// When the request is said again by UDP (timer E would say it more often: RFC 3261 §17.1.2.2).
const AGAIN: Duration = Duration::from_millis(500);
/// The longest answer that is looked at.
const MOST_BYTES: usize = 4_096;

/// Asks all of them, one after the other.
pub(super) fn asked(config: &Config) -> Vec<TrunkAsked> {
    let servers = config.trunks.iter().flat_map(|trunk| {
        let servers = trunk.upstream.iter().flat_map(|upstream| upstream.servers.iter());
        servers.map(move |server| (trunk, server))
    });
    servers
        .map(|(trunk, server)| TrunkAsked {
            name: trunk.name.to_string(),
            server: server.to_string(),
            answer: ask(server, server.transport.or(trunk.transport)),
        })
        .collect()
}

fn ask(server: &Server, by: Option<Transport>) -> Answer {
    let name = server.host.to_string();
    let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    let asked = || -> io::Result<Option<u16>> {
        let mut found = (name.as_str(), server.port.unwrap_or(5060)).to_socket_addrs()?;
        let to = found.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        match by {
            Some(Transport::Tcp) => by_tcp(to),
            _ => by_udp(to),
        }
    };
    if by == Some(Transport::Tls) {
        return Answer::ByTls;
    }
    match asked() {
        Ok(Some(status)) => Answer::Status(status),
        Ok(None) => Answer::Silent,
        Err(error) => Answer::Failed(error.to_string()),
    }
}

fn request(by: &str, here: SocketAddr, to: SocketAddr) -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let id = format!("{:032x}", u128::from_be_bytes(random));
    Ok(format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/{by} {here};branch=z9hG4bK{id};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:madoguchi@{here}>;tag={id}\r\nTo: <sip:{to}>\r\nCall-ID: {id}\r\nCSeq: 1 OPTIONS\r\n\
         Contact: <sip:madoguchi@{here}>\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn by_udp(to: SocketAddr) -> io::Result<Option<u16>> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    // Only this peer's answers are heard.
    socket.connect(to)?;
    let request = request("UDP", socket.local_addr()?, to)?;
    let until = Instant::now() + WAIT;
    let mut again = Instant::now();
    let mut bytes = [0; MOST_BYTES];
    socket.set_read_timeout(Some(AGAIN))?;
    while Instant::now() < until {
        // Not again for a 100 Trying, which comes before the answer.
        if Instant::now() >= again {
            socket.send(request.as_bytes())?;
            again = Instant::now() + AGAIN;
        }
        match socket.recv(&mut bytes) {
            Ok(count) => {
                if let Some(status) = status(bytes.get(..count).unwrap_or_default()) {
                    return Ok(Some(status));
                }
            }
            Err(error) if is_late(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn by_tcp(to: SocketAddr) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect_timeout(&to, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    let request = request("TCP", stream.local_addr()?, to)?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = [0; MOST_BYTES];
    match stream.read(&mut bytes) {
        Ok(count) => Ok(status(bytes.get(..count).unwrap_or_default())),
        Err(error) if is_late(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The status of a final response.
fn status(bytes: &[u8]) -> Option<u16> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let status = line.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()?;
    (200..700).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_is_told_from_one_that_does_not() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let at = server.local_addr().expect("an address");
        let there = std::thread::spawn(move || {
            let mut bytes = [0; MOST_BYTES];
            let (count, from) = server.recv_from(&mut bytes).expect("a request");
            let said = String::from_utf8_lossy(&bytes[..count]).into_owned();
            server.send_to(b"SIP/2.0 100 Trying\r\n\r\n", from).expect("sent");
            server.send_to(b"SIP/2.0 403 Forbidden\r\n\r\n", from).expect("sent");
            said
        });
        assert_eq!(by_udp(at).expect("asked"), Some(403));
        let said = there.join().expect("it answered");
        assert!(said.starts_with("OPTIONS sip:127.0.0.1:") && said.ends_with("\r\n\r\n"), "{said}");
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
        let at = server.local_addr().expect("an address");
        let there = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().expect("a connection");
            let mut bytes = [0; MOST_BYTES];
            let count = stream.read(&mut bytes).expect("a request");
            stream.write_all(b"SIP/2.0 200 OK\r\n\r\n").expect("sent");
            String::from_utf8_lossy(&bytes[..count]).into_owned()
        });
        assert_eq!(by_tcp(at).expect("asked"), Some(200));
        assert!(there.join().expect("it answered").contains("Via: SIP/2.0/TCP "));
        assert!(by_tcp(at).is_err(), "nobody is there any more");
        for (bytes, want) in [
            (&b"SIP/2.0 200 OK\r\n"[..], Some(200)),
            (b"SIP/2.0 100 Trying\r\n", None),
            (b"SIP/2.0 999 x\r\n", None),
            (b"OPTIONS sip:x SIP/2.0\r\n", None),
            (b"\xff\xfe", None),
            (b"", None),
        ] {
            assert_eq!(status(bytes), want, "{bytes:?}");
        }
    }
}
