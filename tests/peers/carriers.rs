//! A carrier for each profile, played by SIPp with the scenarios of tests/scenarios/carriers: it takes our
//! registration, brings calls to the Contact that registered and is called by an agent. What we write to it
//! is read as it came.

use crate::support::desk::{Desk, Setup, password};
use crate::support::ear::Ear;
use crate::support::line::md5;
use crate::support::message::Message;
use crate::support::ports::Block;
use crate::support::process::Dir;
use crate::support::sipp::{Job, Sipp};
use crate::support::softphone::{self, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, s};
use std::net::SocketAddr;

/// A number outside, and a caller's.
const OUTSIDE: &str = "0398765432";

/// The carrier's place and what it knows of us.
struct Carrier {
    _ports: Block,
    dir: Dir,
    port: u16,
}

impl Carrier {
    fn new() -> Self {
        let ports = Block::take();
        let port = ports.port();
        Self { _ports: ports, dir: Dir::new("carrier"), port }
    }

    /// What the desk is told of it. The trunk is `line`; `{password}` is its password's file.
    fn trunk(&self, profile: &str, more: &str) -> String {
        use std::os::unix::fs::PermissionsExt;
        let file = self.dir.write("password", "secret-of-the-carrier\n");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let more = more.replace("{password}", &file.display().to_string());
        format!(
            "[[trunks]]\nname = \"line\"\nprofile = \"{profile}\"\nsources = [\"127.0.0.1:{port}\"]\n\
             servers = [\"127.0.0.1:{port}\"]\ndomain = \"carrier.example\"\noptions_every = \"0s\"\n{more}\n",
            port = self.port,
        )
    }

    /// Plays a scenario towards the desk.
    fn play(&self, scenario: &'static str, desk: SocketAddr) -> Job {
        Job::new(scenario, desk, self.port)
            .set("REALM", "carrier.example")
            .set("PASSWORD", "secret-of-the-carrier")
            .set("MORE", "")
    }

    /// Takes the desk's registration; the REGISTER that was granted and the Contact in it.
    #[track_caller]
    fn registered(&self, registrar: Sipp) -> (Message, String) {
        let contact = registrar.wait(1, "contact", s(10));
        let done = registrar.done();
        assert_eq!(done.count("registered"), 1, "{:?}", done.calls);
        let granted = done.received().pop().expect("a REGISTER");
        (granted, contact)
    }
}

/// The agent 6001, who picks up when told to.
pub fn agent(desk: &Desk, voice: &Sound) -> Softphone {
    let setup = softphone::Setup {
        user: "6001",
        password: &password("6001"),
        desk: Some(desk.sip),
        voice,
        answers: false,
        codecs: "PCMU",
        expires_s: 600,
    };
    let phone = Softphone::start(&desk.ports, &setup);
    desk.agent_is("6001", "idle");
    phone
}

/// Both hear each other, while the carrier's side of the call is up and its media are at `ear`.
#[track_caller]
fn both_hear(agent: &Softphone, hers: &Sound, ear: &Ear, his: &Sound, carrier: &Sipp) {
    eventually("the other side hears the agent", s(10), || {
        let heard = ear.heard();
        heard.ms() > 2000 && hers.holds(&heard.part(heard.ms() as usize - 900, 700)).is_some()
    });
    let refreshed = carrier.wait(1, "refreshed", s(10));
    assert!(refreshed.ends_with(";refresher=uac"), "{refreshed}");
    agent.tell("hangup", "");
    carrier.wait(1, "released", s(5));
    let heard = poll(s(5), || agent.heard().last().cloned().filter(|heard| heard.ms() > 1200));
    let heard = heard.expect("a recording of what the agent heard");
    let found = (600..heard.ms() as usize - 600).step_by(300);
    let found = found.filter(|at| his.holds(&heard.part(*at, 600)).is_some()).count();
    assert!(found > 0, "the agent hears the other side");
}

/// The call that the carrier brings: picked up by the agent, heard both ways, refreshed, ended by her.
/// What the carrier received in it.
#[track_caller]
fn brought(desk: &Desk, agent: &Softphone, hers: &Sound, call: Job, ringing: &str) -> Vec<Message> {
    let (ear, his) = (Ear::new(desk.ports.port()), Sound::voice(72, 20));
    let call = call.set("MEDIA", ear.port()).start();
    agent.wait("CALL_INCOMING", s(8));
    if !ringing.is_empty() {
        call.wait(1, ringing, s(5));
    }
    agent.tell("accept", "");
    let port: u16 = call.wait(1, "answered", s(8)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    both_hear(agent, hers, &ear, &his, &call);
    desk.agent_is("6001", "idle");
    call.done().received()
}

/// The call that the agent places: heard both ways, refreshed, ended by her. What the carrier received
/// in it.
#[track_caller]
fn placed(
    desk: &Desk,
    agent: &Softphone,
    hers: &Sound,
    call: Job,
    heard_from: &str,
) -> Vec<Message> {
    let (ear, his) = (Ear::new(desk.ports.port()), Sound::voice(73, 20));
    let call = call.set("MEDIA", ear.port()).start();
    agent.tell("dial", &format!("sip:{OUTSIDE}@{}", desk.sip));
    let port: u16 = call.wait(1, heard_from, s(8)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    agent.wait("CALL_ESTABLISHED", s(8));
    both_hear(agent, hers, &ear, &his, &call);
    desk.agent_is("6001", "idle");
    let placed = desk.get("/api/v1/placed-calls");
    assert_eq!(placed["calls"][0]["trunk"], "line", "{placed}");
    call.done().received()
}

/// The INVITE with which the agent's call to `dialled` comes; the called party is busy.
#[track_caller]
fn invite_for(desk: &Desk, agent: &Softphone, carrier: &Carrier, dialled: &str) -> Message {
    let closed = agent.count("CALL_CLOSED");
    let call = carrier.play("carriers/turns_away", desk.sip).start();
    agent.tell("dial", &format!("sip:{dialled}@{}", desk.sip));
    let came = call.done().received();
    agent.wait_count("CALL_CLOSED", closed + 1, s(5));
    came.into_iter().find(|m| m.method() == Some("INVITE")).expect("an INVITE")
}

#[track_caller]
fn the(messages: &[Message], method: &str) -> Message {
    let found = messages.iter().find(|m| m.method() == Some(method));
    found.unwrap_or_else(|| panic!("no {method} in {messages:#?}")).clone()
}

/// The digest in `message` is the right one for the carrier's password (RFC 2617 §3.2.2, qop=auth).
#[track_caller]
fn proves(message: &Message, header: &str, user: &str) {
    let value = message.must(header);
    let field = |name: &str| {
        let (_, rest) = value.split_once(&format!("{name}=")).expect(name);
        rest.trim_start_matches('"').split(['"', ',']).next().unwrap_or_default()
    };
    let method = message.method().expect("a request");
    let ha1 = md5(&format!("{user}:carrier.example:secret-of-the-carrier"));
    let ha2 = md5(&format!("{method}:{}", field("uri")));
    let (nonce, count, cnonce) = (field("nonce"), field("nc"), field("cnonce"));
    let due = md5(&format!("{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}"));
    assert_eq!(field("username"), user);
    assert_eq!(field("response"), due, "{message}");
}

/// A header that may be missing.
fn said<'a>(message: &'a Message, header: &str) -> Option<&'a str> {
    message.header(header)
}

/// The value without its tag.
fn untagged(value: &str) -> &str {
    value.split(";tag=").next().unwrap_or_default()
}

/// How the calls' callers stand in the history, the newest first.
fn callers(desk: &Desk) -> Vec<String> {
    desk.calls().iter().map(|call| call["caller"]["number"].to_string()).collect()
}

#[test]
fn the_ngn_registers_us_without_a_password_and_brings_calls_by_our_random_contact() {
    let carrier = Carrier::new();
    // Its own address for us, so that port 5060 is free there.
    let [high, low] = carrier.port.to_be_bytes();
    let ours = SocketAddr::from(([127, 60, high, low], 5060));
    let registrar = carrier.play("carriers/registers", ours).start();
    let more = carrier.trunk("ngn-direct", "user = \"0312345678\"");
    let desk = Desk::with(&Setup {
        plan: "carriers.toml",
        udp: Some(ours),
        sip: "prack = \"supported\"\n",
        more: &more,
        ..Setup::default()
    });
    let (register, contact) = carrier.registered(registrar);
    assert_eq!(register.start, "REGISTER sip:carrier.example SIP/2.0");
    assert_eq!(untagged(register.must("From")), "<sip:0312345678@carrier.example>");
    assert_eq!(register.must("To"), "<sip:0312345678@carrier.example>");
    assert_eq!(register.must("Expires"), "3600");
    assert!(said(&register, "Authorization").is_none(), "{register}");
    let via = register.must("Via");
    assert!(via.starts_with(&format!("SIP/2.0/UDP {ours};branch=z9hG4bK")), "{via}");
    assert!(!via.contains("rport"), "{via}");
    let user = contact.strip_prefix("sip:").and_then(|c| c.strip_suffix(&format!("@{ours}")));
    assert!(user.is_some_and(|user| user.len() >= 16 && user != "0312345678"), "{contact}");

    // A call with a number: From says something else than the network asserts.
    let hers = Sound::voice(71, 30);
    let agent = agent(&desk, &hers);
    let calls = |who: &str, more: &str| {
        let call = carrier.play("carriers/ngn_calls", ours).set("CONTACT", &contact);
        call.set("WHO", who).set("MORE", more)
    };
    let call = calls(
        "<sip:anonymous@anonymous.invalid>",
        "P-Asserted-Identity: <sip:+81398765432@carrier.example>,<tel:+81398765432>\r\n",
    );
    let came = brought(&desk, &agent, &hers, call, "acknowledged");
    let bye = the(&came, "BYE");
    assert!(bye.start.starts_with(&format!("BYE sip:127.0.0.1:{} ", carrier.port)), "{bye}");
    let routes: Vec<&str> = bye
        .headers
        .iter()
        .filter(|(name, _)| name == "Route")
        .map(|(_, value)| value.as_str())
        .collect();
    let route = format!("<sip:127.0.0.1:{};lr>", carrier.port);
    assert_eq!(routes, [route.as_str(), "<sip:core.carrier.example;lr>"]);
    assert!(!bye.must("Via").contains("rport"), "{bye}");
    assert_eq!(callers(&desk), ["{\"known\":\"0398765432\"}"]);
    let shown = format!("From: <sip:0398765432@{}>", desk.sip.ip());
    assert!(agent.trace().contains(&shown), "the number alone, without a name that is none");

    // Callers without a number, each for a reason of its own; an asserted number that is private stays
    // with us.
    let table = [
        (
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
            "P-Asserted-Identity: <sip:0398760001@carrier.example>\r\nPrivacy: id\r\n",
            "\"withheld\"",
        ),
        ("\"Coin line/payphone\" <sip:anonymous@anonymous.invalid>", "", "\"payphone\""),
        (
            "\"Interaction with other service\" <sip:anonymous@anonymous.invalid>",
            "",
            "\"unavailable\"",
        ),
        ("\"Unavailable\" <sip:anonymous@anonymous.invalid>", "", "\"unavailable\""),
    ];
    for (n, (who, more, due)) in table.into_iter().enumerate() {
        let call = calls(who, more).start();
        agent.wait_count("CALL_INCOMING", n + 2, s(8));
        call.wait(1, "acknowledged", s(5));
        agent.tell("accept", "");
        call.wait(1, "refreshed", s(8));
        agent.tell("hangup", "");
        call.done();
        assert_eq!(callers(&desk)[0], due, "{who}");
        desk.agent_is("6001", "idle");
    }
    assert!(!agent.trace().contains("0398760001"), "a private number at the agent's phone");

    // Outwards: our number in From alone, 184 and 186 before the number, a session of 300 s.
    let call = carrier.play("carriers/ngn_called", ours).set("RING", 1500);
    let came = placed(&desk, &agent, &hers, call, "early");
    let invite = the(&came, "INVITE");
    assert_eq!(invite.start, format!("INVITE sip:{OUTSIDE}@carrier.example;user=phone SIP/2.0"));
    assert_eq!(untagged(invite.must("From")), "<sip:0312345678@carrier.example>");
    assert_eq!(invite.must("To"), format!("<sip:{OUTSIDE}@carrier.example;user=phone>"));
    assert_eq!(invite.uri("Contact").as_deref(), Some(contact.as_str()));
    assert_eq!(invite.must("Session-Expires"), "300");
    assert_eq!(invite.must("Min-SE"), "300");
    assert_eq!(invite.must("Supported"), "100rel, timer, replaces, norefersub");
    assert!(!invite.must("Via").contains("rport"), "{invite}");
    for header in ["P-Asserted-Identity", "P-Preferred-Identity", "Privacy", "Route"] {
        assert!(said(&invite, header).is_none(), "{header}: {invite}");
    }
    assert_eq!(the(&came, "PRACK").must("RAck"), "1 1 INVITE");
    for method in ["PRACK", "ACK", "BYE"] {
        let request = the(&came, method);
        let start = format!("{method} sip:127.0.0.1:{} SIP/2.0", carrier.port);
        assert_eq!(request.start, start);
        assert_eq!(request.must("Route"), route, "{request}");
    }
    for prefix in ["184", "186"] {
        let invite = invite_for(&desk, &agent, &carrier, &format!("{prefix}{OUTSIDE}"));
        let uri = format!("sip:{prefix}{OUTSIDE}@carrier.example;user=phone");
        assert_eq!(invite.start, format!("INVITE {uri} SIP/2.0"));
        assert_eq!(invite.must("To"), format!("<{uri}>"));
        assert_eq!(untagged(invite.must("From")), "<sip:0312345678@carrier.example>");
        assert!(said(&invite, "Privacy").is_none(), "{invite}");
    }
    desk.at_rest(s(5));
}

#[test]
fn a_home_gateway_knows_us_as_its_extension_and_we_keep_its_session_by_reinvite() {
    let carrier = Carrier::new();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], carrier.port + 1));
    let registrar = carrier.play("carriers/registers_digest", nowhere).set("USER", "3").start();
    let more = carrier.trunk("home-gateway", "user = \"3\"\npassword_file = \"{password}\"");
    let desk = Desk::with(&Setup {
        plan: "carriers.toml",
        sip: "min_session_expires = \"4s\"\n",
        more: &more,
        ..Setup::default()
    });
    let (register, contact) = carrier.registered(registrar);
    assert_eq!(untagged(register.must("From")), "<sip:3@carrier.example>");
    proves(&register, "Authorization", "3");
    assert!(register.must("Via").contains(";rport"), "{register}");
    assert_eq!(contact, format!("sip:3@{}", desk.sip));

    // What such a gateway asserts is nobody's word.
    let hers = Sound::voice(74, 30);
    let agent = agent(&desk, &hers);
    let call = carrier.play("carriers/gateway_calls", desk.sip).set("CONTACT", &contact);
    let call = call
        .set("WHO", "<sip:0398765432@carrier.example>")
        .set("MORE", "P-Asserted-Identity: <sip:0398760002@carrier.example>\r\n");
    let came = brought(&desk, &agent, &hers, call, "");
    assert_eq!(callers(&desk), ["{\"known\":\"0398765432\"}"]);
    let answers = came.iter().filter(|m| m.status().is_some_and(|status| status > 100));
    for message in answers.chain([&the(&came, "INVITE")]) {
        assert_eq!(message.uri("Contact").as_deref(), Some(contact.as_str()), "{message}");
    }

    let call = carrier.play("carriers/gateway_called", desk.sip).set("USER", "3");
    let came = placed(&desk, &agent, &hers, call, "answered");
    let invites: Vec<&Message> = came.iter().filter(|m| m.method() == Some("INVITE")).collect();
    assert_eq!(invites.len(), 4, "call and refresh, each challenged: {invites:#?}");
    for invite in &invites[..2] {
        let start = format!("INVITE sip:{OUTSIDE}@carrier.example;user=phone SIP/2.0");
        assert_eq!(invite.start, start);
        assert_eq!(untagged(invite.must("From")), "<sip:3@carrier.example>");
        assert_eq!(invite.must("Supported"), "timer, replaces, norefersub");
        for header in ["P-Asserted-Identity", "P-Preferred-Identity", "Privacy"] {
            assert!(said(invite, header).is_none(), "{header}: {invite}");
        }
    }
    proves(invites[1], "Proxy-Authorization", "3");
    proves(invites[3], "Authorization", "3");
    let acks: Vec<&Message> = came.iter().filter(|m| m.method() == Some("ACK")).collect();
    assert_eq!(acks[1].header("Proxy-Authorization"), invites[1].header("Proxy-Authorization"));
    assert_eq!(acks[3].header("Authorization"), invites[3].header("Authorization"));
    assert_eq!(invites[1].must("Session-Expires"), "1800");
    for invite in invites {
        assert_eq!(invite.uri("Contact").as_deref(), Some(contact.as_str()), "{invite}");
    }
    for prefix in ["184", "186"] {
        let invite = invite_for(&desk, &agent, &carrier, &format!("{prefix}{OUTSIDE}"));
        assert_eq!(
            invite.must("To"),
            format!("<sip:{prefix}{OUTSIDE}@carrier.example;user=phone>")
        );
        assert_eq!(untagged(invite.must("From")), "<sip:3@carrier.example>");
        assert!(said(&invite, "Privacy").is_none(), "{invite}");
    }
    desk.at_rest(s(5));
}

#[test]
fn a_peer_known_by_its_address_says_who_calls_and_is_told_who_we_are() {
    let carrier = Carrier::new();
    let more = carrier.trunk("generic-ip", "user = \"0312345678\"\nnumbers = \"international\"");
    let desk = Desk::with(&Setup {
        plan: "carriers.toml",
        sip: "min_session_expires = \"4s\"\n",
        more: &more,
        ..Setup::default()
    });
    let hers = Sound::voice(75, 30);
    let agent = agent(&desk, &hers);
    let call = carrier.play("carriers/generic_calls", desk.sip);
    let call = call.set("WHO", "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    let call = call.set(
        "MORE",
        "P-Asserted-Identity: <sip:+81398765432@peer.example>\r\n\
         Diversion: <sip:+81312340001@peer.example>;reason=unconditional\r\n",
    );
    brought(&desk, &agent, &hers, call, "");
    assert_eq!(callers(&desk), ["{\"known\":\"0398765432\"}"]);
    assert_eq!(desk.calls()[0]["caller"]["diverted_from"], "0312340001", "{}", desk.calls()[0]);

    let call = carrier.play("carriers/generic_called", desk.sip);
    let came = placed(&desk, &agent, &hers, call, "answered");
    let invite = the(&came, "INVITE");
    assert_eq!(invite.start, "INVITE sip:+81398765432@carrier.example;user=phone SIP/2.0");
    assert_eq!(untagged(invite.must("From")), "<sip:0312345678@carrier.example>");
    assert_eq!(invite.must("P-Asserted-Identity"), "<sip:0312345678@carrier.example>");
    for header in ["P-Preferred-Identity", "Privacy"] {
        assert!(said(&invite, header).is_none(), "{header}: {invite}");
    }
    let contact = format!("sip:0312345678@{}", desk.sip);
    for method in ["INVITE", "UPDATE"] {
        let request = the(&came, method);
        assert_eq!(request.uri("Contact").as_deref(), Some(contact.as_str()), "{request}");
    }
    withheld_by_privacy(&desk, &agent, &carrier, "P-Asserted-Identity");
    desk.at_rest(s(5));
}

/// 184: From is anonymous, `Privacy: id` stands beside it, and the carrier alone is told who calls. 186:
/// the number is shown against any standing order.
#[track_caller]
fn withheld_by_privacy(desk: &Desk, agent: &Softphone, carrier: &Carrier, identity: &str) {
    let own = "0312345678";
    let invite = invite_for(desk, agent, carrier, &format!("184{OUTSIDE}"));
    assert_eq!(untagged(invite.must("From")), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    assert_eq!(invite.must("Privacy"), "id");
    assert_eq!(invite.must(identity), format!("<sip:{own}@carrier.example>"));
    assert!(!invite.start.contains("184"), "{invite}");
    let invite = invite_for(desk, agent, carrier, &format!("186{OUTSIDE}"));
    assert_eq!(untagged(invite.must("From")), format!("<sip:{own}@carrier.example>"));
    assert_eq!(invite.must("Privacy"), "none");
    assert_eq!(invite.must(identity), format!("<sip:{own}@carrier.example>"));
    assert!(!invite.start.contains("186"), "{invite}");
}

#[test]
fn a_digest_trunk_is_told_which_number_of_ours_we_prefer() {
    let carrier = Carrier::new();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], carrier.port + 1));
    let registrar = carrier.play("carriers/registers_digest", nowhere);
    let registrar = registrar.set("USER", "line-17").start();
    let more = carrier.trunk(
        "digest-trunk",
        "user = \"0312345678\"\nauth_user = \"line-17\"\npassword_file = \"{password}\"",
    );
    let desk = Desk::with(&Setup {
        plan: "carriers.toml",
        sip: "min_session_expires = \"4s\"\n",
        more: &more,
        ..Setup::default()
    });
    let (register, contact) = carrier.registered(registrar);
    proves(&register, "Authorization", "line-17");
    assert_eq!(contact, format!("sip:0312345678@{}", desk.sip));
    let hers = Sound::voice(76, 30);
    let agent = agent(&desk, &hers);
    let call = carrier.play("carriers/gateway_called", desk.sip).set("USER", "line-17");
    let came = placed(&desk, &agent, &hers, call, "answered");
    let authorized = came.iter().find(|m| m.header("Proxy-Authorization").is_some());
    let invite = authorized.expect("an INVITE with a digest");
    proves(invite, "Proxy-Authorization", "line-17");
    assert_eq!(invite.must("P-Preferred-Identity"), "<sip:0312345678@carrier.example>");
    assert_eq!(untagged(invite.must("From")), "<sip:0312345678@carrier.example>");
    for header in ["P-Asserted-Identity", "Privacy"] {
        assert!(said(invite, header).is_none(), "{header}: {invite}");
    }
    withheld_by_privacy(&desk, &agent, &carrier, "P-Preferred-Identity");
    desk.at_rest(s(5));
}
