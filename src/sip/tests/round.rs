//! What is written reads back as it was meant.

use super::{request, response};
use crate::sip::{
    AnyUri, Contacts, HeaderName, Host, Message, Method, NameAddr, Uri, Via, Writer, api, parse,
};
use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr};

const INVITE: &str = "INVITE sip:0312345678@desk.example.jp;user=phone SIP/2.0\r\n\
    Record-Route: <sip:p1.example.jp;lr>, <sip:p2.example.jp;lr>\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa;rport, SIP/2.0/TCP proxy.example.jp;branch=z9hG4bKb\r\n\
    v: SIP/2.0/UDP phone\r\n\
    f: \"山田, 太郎\" <sip:201@desk.example.jp>;tag=f1\r\n\
    t: sip:0312345678@desk.example.jp\r\ni: abc@192.0.2.1\r\nCSeq: 0102 INVITE\r\nMax-Forwards: 070\r\n\
    m: \"a,b\" <sip:201@192.0.2.1:5062;ob>;expires=60, sip:202@192.0.2.1\r\nk: 100rel , timer,,replaces\r\n\
    Allow: INVITE, ACK\r\nSession-Expires: 300;refresher=uac\r\nc: application/sdp\r\nl: 5\r\n\r\nv=0\r\ntrailing";

#[test]
fn a_request_is_read_in_full() {
    let read = request(INVITE);
    let head = &read.head;
    assert_eq!(read.method, Method::Invite);
    assert_eq!(read.uri.user().as_deref(), Some("0312345678"));
    assert_eq!(head.headers.all(&HeaderName::Via).count(), 3);
    assert_eq!(head.via.branch(), Some("z9hG4bKa"));
    assert_eq!((head.from.display.as_deref(), head.from.tag()), (Some("山田, 太郎"), Some("f1")));
    assert_eq!((head.to.tag(), &*head.call_id), (None, "abc@192.0.2.1"));
    assert_eq!((head.cseq.number, head.max_forwards), (102, Some(70)));
    let Contacts::List(contacts) = &head.contacts else { panic!("addresses were due") };
    assert_eq!(contacts.len(), 2);
    assert_eq!(
        head.contact().map(ToString::to_string).as_deref(),
        Some("\"a,b\" <sip:201@192.0.2.1:5062;ob>;expires=60")
    );
    assert!(
        head.headers.names(&HeaderName::Supported, "TIMER")
            && !head.headers.names(&HeaderName::Supported, "path")
    );
    assert_eq!(
        head.headers.tokens(&HeaderName::Supported).collect::<Vec<_>>(),
        ["100rel", "timer", "replaces"]
    );
    assert_eq!(head.headers.number(&HeaderName::SessionExpires), Some(300));
    assert_eq!(head.headers.number(&HeaderName::MinSe), None);
    assert_eq!(head.addresses(&HeaderName::RecordRoute).map(|list| list.len()), Ok(2));
    assert_eq!((&read.body[..], read.sdp().as_deref()), (&b"v=0\r\n"[..], Some(&b"v=0\r\n"[..])));
}

#[test]
fn an_answer_carries_what_it_must() {
    let mut read = request(INVITE);
    read.stamp(SocketAddr::from(([192, 0, 2, 1], 40_000)));
    let mut writer = Writer::answer(&read, 200, Some("ours"));
    writer.contact(Uri::at(None, SocketAddr::from(([192, 0, 2, 9], 5060))));
    let bytes = writer.sdp(Some(b"v=0\r\n"));
    let want = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa;rport=40000;received=192.0.2.1\r\n\
        Via: SIP/2.0/TCP proxy.example.jp;branch=z9hG4bKb\r\nVia: SIP/2.0/UDP phone\r\n\
        Record-Route: <sip:p1.example.jp;lr>\r\nRecord-Route: <sip:p2.example.jp;lr>\r\n\
        From: \"山田, 太郎\" <sip:201@desk.example.jp>;tag=f1\r\nTo: sip:0312345678@desk.example.jp;tag=ours\r\n\
        Call-ID: abc@192.0.2.1\r\nCSeq: 0102 INVITE\r\nContact: <sip:192.0.2.9:5060>\r\n\
        Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    assert_eq!(String::from_utf8_lossy(&bytes), want);
    let trying = response(&Writer::answer(&read, 100, Some("ours")).finish());
    assert_eq!(
        (trying.head.to.tag(), trying.head.headers.has(&HeaderName::RecordRoute)),
        (None, false)
    );
    let busy = response(&Writer::answer(&read, 486, Some("ours")).finish());
    assert_eq!(
        (busy.head.to.tag(), busy.head.headers.has(&HeaderName::RecordRoute)),
        (Some("ours"), false)
    );
    assert_eq!(&*busy.reason, "Busy Here");
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}(\\.[a-z]{2,5}){0,2}"
            .prop_map(|name| Host::parse(&name).expect("a host")),
        any::<[u8; 4]>().prop_map(|octets| IpAddr::from(octets).into()),
        any::<[u8; 16]>().prop_map(|octets| IpAddr::from(octets).into()),
    ]
}

fn uri() -> impl Strategy<Value = Uri> {
    let user = proptest::option::of("\\PC{1,12}");
    (user, host(), proptest::option::of(1_u16..), proptest::option::of("[a-z]{1,6}")).prop_map(
        |(user, host, port, param)| {
            let uri = Uri::sip(user.as_deref(), host, port);
            match param {
                Some(param) => uri.with_param(&param, Some("x1")),
                None => uri,
            }
        },
    )
}

fn address() -> impl Strategy<Value = NameAddr> {
    (uri(), "\\PC{0,16}", "[A-Za-z0-9]{1,20}").prop_map(|(uri, display, tag)| {
        NameAddr::new(uri).with_display(display.trim()).with_tag(&tag)
    })
}

proptest! {
    #[test]
    fn a_uri_goes_round(user in "\\PC{1,12}", uri in uri()) {
        let read = Uri::parse(&uri.to_string());
        prop_assert_eq!(read.as_ref(), Ok(&uri));
        prop_assert!(uri.equivalent(&uri));
        let uri = Uri::sip(Some(&user), uri.host().expect("a host").clone(), None);
        let read = uri.user();
        prop_assert_eq!(read.as_deref(), Some(user.as_str()));
    }

    #[test]
    fn an_address_goes_round(address in address()) {
        prop_assert_eq!(NameAddr::parse(address.to_string().as_bytes(), "From"), Ok(address));
    }

    #[test]
    fn a_request_goes_round(
        to_uri in uri(), from in address(), to in address(), call_id in "[!-~]{1,30}",
        number in 0_u32..0x8000_0000, body in proptest::collection::vec(any::<u8>(), 0..300),
        subject in "[ -~]{0,20}", port in 1_u16.., branch in "z9hG4bK[a-z0-9]{1,16}",
    ) {
        let via = Via::new(api::Transport::Tcp, SocketAddr::from(([192, 0, 2, 1], port)), &branch, true);
        let mut writer = Writer::request(&Method::Invite, &to_uri);
        writer.via(&via).header(&HeaderName::MaxForwards, 70).from(&from).to(&to).call_id(&call_id);
        writer.cseq(number, &Method::Invite).contact(&to_uri).header(&HeaderName::Subject, &subject);
        let bytes = writer.body("application/octet-stream", &body);
        let Ok(Message::Request(read)) = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
        prop_assert_eq!(read.method, Method::Invite);
        prop_assert_eq!(read.uri, AnyUri::Known(to_uri.clone()));
        prop_assert_eq!(read.head.via, via);
        prop_assert_eq!(read.head.from, from);
        prop_assert_eq!(read.head.to, to);
        prop_assert_eq!(&*read.head.call_id, call_id.as_str());
        prop_assert_eq!(read.head.cseq.number, number);
        prop_assert_eq!(&read.head.contacts, &Contacts::List(vec![NameAddr::new(to_uri)]));
        prop_assert_eq!(read.head.headers.text(&HeaderName::Subject), Some(subject.trim()));
        prop_assert_eq!(&read.body[..], &body[..]);
        // And cut out of a stream in two pieces it is the same message.
        let mut framer = crate::sip::Framer::new();
        let half = bytes.len() / 2;
        framer.push(&bytes[..half]);
        prop_assert!(framer.pop().is_none());
        framer.push(&bytes[half..]);
        prop_assert!(matches!(framer.pop(), Some(crate::sip::Framed::Message(cut)) if cut == bytes));
    }

    #[test]
    fn folding_changes_nothing(at in proptest::collection::vec(0_usize..8, 0..4)) {
        let places = [": \"山", "\" <sip:201", "INVITE\r\nMax", ", SIP/2.0/TCP", ";expires", " , timer", ";refresher", "proxy"];
        let mut text = INVITE.to_owned();
        for place in at {
            let place = places[place];
            // Before or at a space, where LWS may stand.
            if let Some(found) = text.find(place).filter(|_| place.starts_with([' ', ';', ','])) {
                text.insert_str(found, "\r\n \t");
            }
        }
        let (folded, plain) = (request(&text), request(INVITE));
        prop_assert_eq!(folded.head.from, plain.head.from);
        prop_assert_eq!(folded.head.contacts, plain.head.contacts);
        prop_assert_eq!(folded.head.headers.len(), plain.head.headers.len());
        prop_assert_eq!(folded.body, plain.body);
    }
}

#[test]
fn headers_can_be_added_to_a_read_message() {
    let mut read = request(INVITE);
    let before = read.head.headers.len();
    read.head.headers.push(HeaderName::Reason, b"SIP;cause=200".to_vec());
    assert_eq!(read.head.headers.text(&HeaderName::Reason), Some("SIP;cause=200"));
    assert_eq!((read.head.headers.len(), read.head.headers.is_empty()), (before + 1, false));
    assert_eq!(read.head.headers.iter().last().map(|(name, _)| name.as_str()), Some("Reason"));
}
