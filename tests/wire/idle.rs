//! Thousands of connections on which nothing comes: others find their way in all the same.

use crate::secure::{Client, secure};
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::{ms, s};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Begins a connection from this address and does not wait for it.
fn knock(from: IpAddr, to: SocketAddr) -> Option<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).ok()?;
    socket.bind(&SocketAddr::new(from, 0).into()).ok()?;
    socket.connect_timeout(&to.into(), s(2)).ok()?;
    Some(socket)
}

#[test]
fn thousands_of_silent_connections_keep_nobody_out() {
    let mut desk = secure();
    let rss = desk.process().rss_kib();
    // More than a listener holds, from forty addresses, half of them on TLS where hands are never shaken.
    let mut held = Vec::new();
    for n in 0..5_200_u32 {
        let from = Ipv4Addr::new(127, 0, 1, 1 + (n % 40) as u8);
        let to = if n % 2 == 0 { desk.secure[0] } else { desk.sip };
        held.extend(knock(from.into(), to));
        if n % 400 == 399 {
            let answer = Client::connect(&desk, &[]).ask();
            assert!(answer.is_some(), "a phone finds its way in beside {n} silent connections");
        }
    }
    assert!(held.len() > 5_000, "{}", held.len());
    // One address may have 256 of them.
    let one = IpAddr::from([127, 0, 2, 1]);
    let mut greedy: Vec<Socket> = (0..300).filter_map(|_| knock(one, desk.sip)).collect();
    std::thread::sleep(ms(300));
    let open = |socket: &mut Socket| {
        socket.set_nonblocking(true).unwrap();
        let mut byte = [std::mem::MaybeUninit::uninit()];
        matches!(socket.recv(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let left = greedy.iter_mut().map(open).filter(|open| *open).count();
    assert_eq!(left, 256);
    // Calls are made and ended as ever.
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, _) =
        line.connect("0312340090", &sdp(desk.ports.port(), &[0, 101], "sendrecv"), s(3));
    line.bye(&mut call);
    assert_eq!(desk.outcome("0311112222"), "abandoned");
    let grown = desk.process().rss_kib().saturating_sub(rss);
    assert!(grown < 128 * 1024, "{grown} KiB for the silent");
    drop((held, greedy));
}
