//! STUN on the SIP port, as phones ask it to keep their way open (RFC 5626 §4.4.2).

use crate::answers;
use crate::support::desk::Desk;
use crate::support::line::Line;
use crate::support::s;
use std::net::UdpSocket;

#[test]
fn a_stun_request_on_the_sip_port_is_answered_and_sip_goes_on() {
    let desk = Desk::start("desk.toml");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(s(2))).unwrap();
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend(b"twelve bytes");
    socket.send_to(&request, desk.sip).unwrap();
    let mut answer = [0; 200];
    let (length, _) = socket.recv_from(&mut answer).expect("an answer");
    let answer = &answer[..length];
    assert_eq!((&answer[..2], &answer[8..20]), (&[1, 1][..], &b"twelve bytes"[..]));
    let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
    assert_eq!(port, socket.local_addr().unwrap().port());
    let ip: Vec<u8> = answer[28..32].iter().zip(&request[4..8]).map(|(a, b)| a ^ b).collect();
    assert_eq!(ip, [127, 0, 0, 1]);
    // A broken one is nothing, and no flood of them is in anybody's way.
    for _ in 0..3_000 {
        socket.send_to(&request[..19], desk.sip).unwrap();
    }
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    answers(&mut line, "STUN");
}
