//! Calls by TLS whose certificate is replaced, and whose connection breaks.

use crate::support::capture::captured;
use crate::support::desk::{Desk, Setup as DeskSetup, password};
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::softphone::{By, Setup, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use crate::talk::is_of;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// An agent's baresip that is registered by TLS.
fn agent(desk: &Desk, voice: &Sound, by: &By) -> Softphone {
    let authority = desk.dir().file("tls/ca.pem");
    let setup = Setup {
        user: "6001",
        password: &password("6001"),
        desk: Some(desk.secure[0]),
        voice,
        answers: true,
        codecs: "PCMU",
        expires_s: 600,
    };
    let by = By { transport: "tls", trusts: Some(&authority), ..by.clone() };
    let phone = Softphone::start_by(&desk.ports, &setup, &by);
    desk.agent_is("6001", "idle");
    phone
}

#[test]
fn a_certificate_that_is_replaced_in_a_call_by_tls_disturbs_nobody() {
    let mut desk = Desk::with(&DeskSetup { secure: true, ..DeskSetup::default() });
    let (his, hers) = (Sound::voice(141, 30), Sound::voice(142, 30));
    let softphone = agent(&desk, &hers, &By::default());
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 4500).start();
    let port: u16 = caller.wait(1, "answered", s(8)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    desk.authority.sign().write(desk.dir(), "tls/desk");
    desk.process().signal("HUP");
    eventually("the new certificate is in force", s(4), || {
        desk.process().printed().contains("was read again and is in force")
    });
    let caller = caller.done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    softphone.wait("CALL_CLOSED", s(5));
    is_of(&ear.heard(), 2500, &hers);
    let heard = poll(s(3), || softphone.heard().last().cloned().filter(|h| h.ms() > 3500))
        .expect("a recording");
    is_of(&heard, 2500, &his);
    let call = desk.over("031234561");
    assert_eq!(
        (call["outcome"].as_str(), call["agent"].as_str()),
        (Some("answered"), Some("6001"))
    );
    captured(&desk, call["call"].as_str().unwrap(), &["TLS", "UDP"]);
    desk.at_rest(s(5));
}

/// Carries connections on, until it is told to break them.
struct Relay {
    at: SocketAddr,
    carried: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn to(desk: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let carried = Arc::new(Mutex::new(Vec::new()));
        let into = carried.clone();
        std::thread::spawn(move || {
            for phone in listener.incoming().flatten() {
                let Ok(desk) = TcpStream::connect(desk) else { continue };
                for (mut from, mut into) in [
                    (phone.try_clone().unwrap(), desk.try_clone().unwrap()),
                    (desk.try_clone().unwrap(), phone.try_clone().unwrap()),
                ] {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut into);
                        let _ = into.shutdown(std::net::Shutdown::Both);
                    });
                }
                into.lock().unwrap().extend([phone, desk]);
            }
        });
        Self { at, carried }
    }

    /// Breaks every connection; new ones are carried as before.
    fn cut(&self) {
        for stream in self.carried.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

#[test]
fn a_call_by_tls_outlives_its_connection_and_is_ended_by_the_next() {
    let desk = Desk::with(&DeskSetup { secure: true, ..DeskSetup::default() });
    let relay = Relay::to(desk.secure[0]);
    let hers = Sound::voice(143, 150);
    let relayed = format!("sip:{};transport=tls", relay.at);
    let by = By { outbound: Some(&relayed), keeps_its_way: true, ..By::default() };
    let softphone = agent(&desk, &hers, &by);
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, _) = line.connect("0312340020", &sdp(ear.port(), &[0, 101], "sendrecv"), s(8));
    softphone.wait("CALL_ESTABLISHED", s(8));
    let registered = softphone.count("REGISTER_OK");
    relay.cut();
    // She is unreachable for as long as her phone is away, and the two go on talking.
    // libre waits 30 to 60 s before it makes a new way (RFC 5626 §4.5).
    eventually("her phone is back", s(75), || softphone.count("REGISTER_OK") > registered);
    ear.forget();
    rest(1500);
    is_of(&ear.heard(), 200, &hers);
    line.bye(&mut call);
    softphone.wait("CALL_CLOSED", s(3));
    let call = desk.over("0311112222");
    assert_eq!(call["outcome"].as_str(), Some("answered"));
    desk.at_rest(s(5));
}
