//! Who speaks: each method with each kind of credentials that are none, and accounts that say they are another.

use crate::stranger::Stranger;
use crate::support::desk::{Desk, password};
use crate::support::line::{Line, credentials};
use crate::support::message::sdp;
use crate::support::{eventually, rest, s};

/// With what it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    Nothing,
    /// The right password, answered in another realm.
    OtherRealm,
    /// Another user's, and right.
    Anothers,
}

/// Method, and the status due for each of the three; none: not answered.
const DUE: &[(&str, [Option<u16>; 3])] = &[
    ("INVITE", [Some(401), Some(401), Some(403)]),
    ("REGISTER", [Some(401), Some(401), Some(403)]),
    ("SUBSCRIBE", [Some(401), Some(401), Some(403)]),
    // Tells what we are able to do, and nothing else.
    ("OPTIONS", [Some(200); 3]),
    // Of a call that there is not.
    ("ACK", [None; 3]),
    ("BYE", [Some(481); 3]),
    ("CANCEL", [Some(481); 3]),
    ("INFO", [Some(481); 3]),
    ("UPDATE", [Some(481); 3]),
    ("PRACK", [Some(481); 3]),
    ("NOTIFY", [Some(481); 3]),
    // Nobody is passed on outside a call.
    ("REFER", [Some(603); 3]),
    ("MESSAGE", [Some(405); 3]),
    ("PUBLISH", [Some(405); 3]),
    ("DANCE", [Some(501); 3]),
];

#[test]
fn no_method_does_anything_for_who_has_not_the_right_credentials_of_its_own_name() {
    let desk = Desk::start("desk.toml");
    let mut phone = Line::new(desk.fixed_port(201), "201", desk.sip);
    let mut stranger = Stranger::at("127.0.0.1:0", desk.sip);
    let offer = sdp(9, &[0], "sendrecv");
    for (method, due) in DUE {
        for (with, due) in [With::Nothing, With::OtherRealm, With::Anothers].into_iter().zip(due) {
            let (to, body) = match *method {
                "REGISTER" => ("", ""),
                "INVITE" => ("201", offer.as_str()),
                _ => ("201", ""),
            };
            let (challenge, uri) = (stranger.challenge("6001"), stranger.uri(to));
            let proof = match with {
                With::Nothing => String::new(),
                With::OtherRealm => {
                    let right = credentials(&challenge, "6001", method, &uri, &password("6001"));
                    right.replace("realm=\"desk.example\"", "realm=\"other.example\"")
                }
                With::Anothers => credentials(&challenge, "6002", method, &uri, &password("6002")),
            };
            let extra = format!("{proof}Event: dialog\r\nRefer-To: <sip:202@{}>\r\n", desk.sip);
            let said = stranger.request(method, to, "6001", &extra, body);
            let within = if due.is_none() { s(1) } else { s(3) };
            let answer = stranger.ask(&said, within);
            let status = answer.as_ref().and_then(|answer| answer.status());
            assert_eq!(status, *due, "{method} with {with:?}: {answer:?}");
        }
    }
    assert!(!phone.rings(s(1)), "no phone rings for it");
    assert!(desk.calls().is_empty(), "{:?}", desk.calls());
    for gauge in
        ["madoguchi_engine_legs", "madoguchi_sip_registrations", "madoguchi_sip_subscriptions"]
    {
        assert_eq!(desk.metric(gauge), 0.0, "{gauge}");
    }
    eventually("no transaction stays", s(5), || desk.metric("madoguchi_sip_transactions") == 0.0);
    // The right ones are let in.
    let mut own = Line::new(desk.ports.port(), "6001", desk.sip);
    own.register(&password("6001"), 60);
    eventually("it is registered", s(3), || desk.metric("madoguchi_sip_registrations") == 1.0);
}

#[test]
fn an_account_speaks_for_itself_alone_whatever_its_headers_say() {
    let desk = Desk::start("desk.toml");
    let mut stranger = Stranger::at("127.0.0.1:0", desk.sip);
    let at = |user: &str| format!("<sip:{user}@{}>", desk.sip);
    // A registration of 6001's for another, in each of its places.
    for (case, from, to) in [("To", "6001", "6002"), ("From and To", "6002", "6002")] {
        let challenge = stranger.challenge("6001");
        let uri = stranger.uri("");
        let proof = credentials(&challenge, "6001", "REGISTER", &uri, &password("6001"));
        let said = stranger.written("REGISTER", "", &at(from), &at(to), &proof, "");
        let answer = stranger.ask(&said, s(3)).expect(case);
        assert_eq!(answer.status(), Some(403), "{case}: {answer}");
    }
    assert_eq!(desk.metric("madoguchi_sip_registrations"), 0.0);
    // Its own, with another's number in the Contact: it is 6001's phone all the same.
    let challenge = stranger.challenge("6001");
    let proof = credentials(&challenge, "6001", "REGISTER", &stranger.uri(""), &password("6001"));
    let contact = format!("{proof}Contact: <sip:6002@{}>\r\nExpires: 60\r\n", stranger.here());
    let said = stranger.request("REGISTER", "", "6001", &contact, "");
    assert_eq!(stranger.ask(&said, s(3)).and_then(|m| m.status()), Some(200));
    let mut colleague = Line::new(desk.fixed_port(202), "202", desk.sip);
    let call = colleague.invite("6002", &sdp(9, &[0], "sendrecv"));
    let refused = colleague.expect("an answer", s(3), |m| {
        m.header("Call-ID") == Some(&call.id) && m.status().is_some_and(|status| status >= 200)
    });
    assert!((400..500).contains(&refused.status().unwrap()), "6002 has no phone: {refused}");
    // Its call says in every way that it is somebody else: the called phone sees 6001 and nobody else.
    let mut phone = Line::new(desk.fixed_port(201), "201", desk.sip);
    let challenge = stranger.challenge("6001");
    let proof = credentials(&challenge, "6001", "INVITE", &stranger.uri("201"), &password("6001"));
    let claims = format!(
        "{proof}P-Asserted-Identity: \"Chief\" <sip:0355556666@desk.example>\r\n\
         P-Preferred-Identity: <sip:0355556666@desk.example>\r\n\
         Remote-Party-ID: <sip:0355556666@desk.example>;party=calling;screen=yes\r\n\
         Diversion: <sip:0355556666@desk.example>\r\nHistory-Info: <sip:0355556666@desk.example>;index=1\r\n\
         Contact: <sip:6002@{}>\r\n",
        stranger.here()
    );
    let said = stranger.request("INVITE", "201", "6001", &claims, &sdp(9, &[0], "sendrecv"));
    stranger.send(&said.text);
    let rung = phone.ring(s(3));
    let invite = rung.invite.clone().expect("an INVITE");
    assert!(invite.must("From").contains("sip:6001@"), "{invite}");
    let text = invite.to_string();
    for claimed in ["0355556666", "6002", "Chief"] {
        assert!(!text.contains(claimed), "{claimed}: {text}");
    }
    phone.answer(&rung, 486, "");
    rest(200);
}
