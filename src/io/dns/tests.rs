//! Against a server of the test's own on loopback, which answers, fails, or says nothing.

use super::*;
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::Record;
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::net::UdpSocket;

/// What the server says of a name and type.
#[derive(Clone)]
enum Said {
    Records(Vec<(RData, u32)>),
    ServFail,
    Silence,
}

type Zone = Arc<Mutex<BTreeMap<(String, RecordType), Said>>>;

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> (RData, u32) {
    (RData::SRV(SRV::new(priority, weight, port, name(target))), 300)
}

fn naptr(order: u16, preference: u16, service: &str, to: &str) -> (RData, u32) {
    let (flags, service) = (Box::from(&b"s"[..]), service.as_bytes().into());
    let pointer = NAPTR::new(order, preference, flags, service, Box::default(), name(to));
    (RData::NAPTR(pointer), 600)
}

fn a(last: u8) -> (RData, u32) {
    (RData::A(A(Ipv4Addr::new(192, 0, 2, last))), 60)
}

/// Starts it; what it knows may be changed while it runs.
async fn serve(known: &[(&str, RecordType, Said)]) -> (Dns, Zone) {
    let (address, zone) = serve_at("127.0.0.1:0".parse().unwrap(), known).await;
    (Dns::new(&[address]).unwrap(), zone)
}

async fn serve_at(at: SocketAddr, known: &[(&str, RecordType, Said)]) -> (SocketAddr, Zone) {
    let zone: Zone = Arc::default();
    for (name, kind, said) in known {
        zone.lock().unwrap().insert(((*name).to_owned(), *kind), said.clone());
    }
    let socket = UdpSocket::bind(at).await.unwrap();
    let address = socket.local_addr().unwrap();
    let shared = Arc::clone(&zone);
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
            let Some(query) = question.queries.first().cloned() else { continue };
            let key = (query.name().to_ascii(), query.query_type());
            let said = shared.lock().unwrap().get(&key).cloned();
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            assert_eq!(answer.metadata.message_type, MessageType::Response);
            answer.metadata.recursion_available = true;
            answer.add_query(query.clone());
            match said {
                Some(Said::Silence) => continue,
                Some(Said::ServFail) => answer.metadata.response_code = ResponseCode::ServFail,
                Some(Said::Records(records)) => {
                    for (data, ttl) in records {
                        answer.add_answer(Record::from_rdata(query.name().clone(), ttl, data));
                    }
                }
                None => answer.metadata.response_code = ResponseCode::NXDomain,
            }
            let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
        }
    });
    (address, zone)
}

/// `transport address priority weight`, in order.
async fn find(dns: &Dns, server: &str) -> Option<(Vec<String>, u64)> {
    let answer = dns.find(&Server::parse(server).unwrap()).await.ok()?;
    let mut found = answer.found;
    found.sort_by_key(|found| (found.priority, found.weight, found.address));
    let line = |found: &Found| {
        let Found { transport, address, priority, weight } = found;
        format!("{} {address} {priority} {weight}", transport.as_str())
    };
    Some((found.iter().map(line).collect(), answer.ttl.as_secs()))
}

#[tokio::test]
async fn rfc3263_a_domain_leads_by_naptr_and_srv_to_addresses() {
    use RecordType as T;
    use Said::Records;
    let (dns, _) = serve(&[
        (
            "carrier.example.",
            T::NAPTR,
            Records(vec![
                naptr(20, 10, "SIP+D2U", "_sip._udp.carrier.example."),
                naptr(10, 10, "SIP+D2T", "_sip._tcp.carrier.example."),
                naptr(5, 10, "E2U+email", "mail.example."),
            ]),
        ),
        ("_sip._tcp.carrier.example.", T::SRV, Records(vec![srv(1, 5, 5070, "one.example.")])),
        (
            "_sip._udp.carrier.example.",
            T::SRV,
            Records(vec![srv(1, 0, 5060, "two.example."), srv(0, 0, 5060, ".")]),
        ),
        ("one.example.", T::A, Records(vec![a(1)])),
        ("two.example.", T::A, Records(vec![a(2), a(3)])),
        ("plain.example.", T::A, Records(vec![a(9)])),
        ("_sip._udp.half.example.", T::SRV, Records(vec![srv(3, 7, 5090, "one.example.")])),
    ])
    .await;
    let found = |lines: &[&str], ttl| {
        Some((lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), ttl))
    };
    // The order of NAPTR decides before the priority of SRV; "." is no target; the shortest TTL holds.
    let whole = found(
        &["tcp 192.0.2.1:5070 1 5", "udp 192.0.2.2:5060 65537 0", "udp 192.0.2.3:5060 65537 0"],
        60,
    );
    assert_eq!(find(&dns, "carrier.example").await, whole);
    // A transport that is written asks its own SRV; a port that is written asks none.
    let one = found(&["tcp 192.0.2.1:5070 1 5"], 60);
    assert_eq!(find(&dns, "tcp:carrier.example").await, one);
    assert_eq!(find(&dns, "two.example:5099").await.map(|found| found.0.len()), Some(2));
    // No NAPTR: the SRV that there are; no SRV: the domain itself.
    assert_eq!(find(&dns, "half.example").await, found(&["udp 192.0.2.1:5090 3 7"], 60));
    assert_eq!(find(&dns, "plain.example").await, found(&["udp 192.0.2.9:5060 0 0"], 60));
    assert_eq!(find(&dns, "nowhere.example").await, None);
}

#[tokio::test]
async fn a_failing_a_silent_and_a_changing_server_are_borne() {
    use RecordType as T;
    use Said::{Records, ServFail, Silence};
    let (dns, zone) = serve(&[
        ("fails.example.", T::A, ServFail),
        ("fails.example.", T::AAAA, ServFail),
        ("silent.example.", T::A, Silence),
        ("silent.example.", T::AAAA, Silence),
        ("moves.example.", T::A, Records(vec![a(1)])),
    ])
    .await;
    assert_eq!(find(&dns, "fails.example:5060").await, None);
    let began = Instant::now();
    assert_eq!(find(&dns, "silent.example:5060").await, None);
    assert!(began.elapsed() < WHOLE + Duration::from_secs(2), "{:?}", began.elapsed());
    let first = find(&dns, "moves.example:5060").await;
    zone.lock().unwrap().insert(("moves.example.".to_owned(), T::A), Records(vec![a(2)]));
    let second = find(&dns, "moves.example:5060").await;
    assert!(first.is_some() && second.is_some() && first != second, "no answer is kept here");
}

#[tokio::test]
async fn a_service_that_fails_does_not_hide_the_others() {
    use RecordType as T;
    let (dns, _) = serve(&[
        ("half.example.", T::NAPTR, Said::Records(vec![])),
        ("_sip._udp.half.example.", T::SRV, Said::Records(vec![srv(1, 1, 5060, "one.half.")])),
        ("_sip._tcp.half.example.", T::SRV, Said::ServFail),
        ("one.half.", T::A, Said::Records(vec![a(1)])),
        ("_sip._udp.none.example.", T::SRV, Said::ServFail),
        ("none.example.", T::A, Said::Records(vec![a(9)])),
    ])
    .await;
    let whole = find(&dns, "half.example").await.map(|(found, _)| found);
    assert_eq!(whole, Some(vec!["udp 192.0.2.1:5060 1 1".to_owned()]));
    // Whether there are services cannot be told: the domain itself is no answer (RFC 3263 section 4.2).
    assert_eq!(find(&dns, "none.example").await, None);
}

/// The site puts other DNS servers into the machine's configuration; the old ones are switched off.
#[tokio::test]
async fn a_resolver_follows_the_systems_configuration() {
    let known = |last| [("moved.example.", RecordType::A, Said::Records(vec![a(last)]))];
    let (first, zone) = serve_at("127.0.0.1:0".parse().unwrap(), &known(1)).await;
    let (_, _) =
        serve_at(SocketAddr::new("127.0.0.2".parse().unwrap(), first.port()), &known(2)).await;
    let file = std::env::temp_dir().join(format!("madoguchi-resolv-{}", std::process::id()));
    let put = |text: &str, at_s: u64| {
        std::fs::write(&file, text).unwrap();
        let at = std::time::UNIX_EPOCH + Duration::from_secs(at_s);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(at).unwrap();
    };
    put("nameserver 127.0.0.1\n", 1_000);
    let dns = Dns::following(&file, first.port());
    let of = async || find(&dns, "moved.example:5060").await.map(|(found, _)| found);
    let (old, new) =
        (vec!["udp 192.0.2.1:5060 0 0".to_owned()], vec!["udp 192.0.2.2:5060 0 0".to_owned()]);
    assert_eq!(of().await, Some(old));
    put("nameserver 127.0.0.2\n", 2_000);
    assert_eq!(of().await, Some(new.clone()), "the desk need not be started anew");
    // What cannot be read changes nothing.
    put("", 3_000);
    assert_eq!(of().await, Some(new.clone()));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(of().await, Some(new.clone()));
    // Written again within the clock's step of a file: a failing look-up has it read again.
    put("nameserver 127.0.0.1\n", 4_000);
    zone.lock().unwrap().insert(("moved.example.".to_owned(), RecordType::A), Said::ServFail);
    assert_eq!(of().await, None);
    put("nameserver 127.0.0.2\n", 4_000);
    assert_eq!(of().await, Some(new));
    std::fs::remove_file(&file).unwrap();
}

/// A machine that comes up before its network writes the configuration later.
#[tokio::test]
async fn a_configuration_that_comes_later_is_read_then() {
    let known = [("late.example.", RecordType::A, Said::Records(vec![a(1)]))];
    let (server, _) = serve_at("127.0.0.1:0".parse().unwrap(), &known).await;
    let file = std::env::temp_dir().join(format!("madoguchi-resolv-late-{}", std::process::id()));
    let _ = std::fs::remove_file(&file);
    let dns = Dns::following(&file, server.port());
    assert_eq!(find(&dns, "late.example:5060").await, None);
    std::fs::write(&file, "nameserver 127.0.0.1\n").unwrap();
    assert!(find(&dns, "late.example:5060").await.is_some());
    std::fs::remove_file(&file).unwrap();
}
