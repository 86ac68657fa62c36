//! The torture messages of RFC 4475 and RFC 5118 against the parser: the verdict of each (the `parse`
//! column of `torture/due.tsv`), and what must have been understood of those that are taken.

use bytes::Bytes;
use madoguchi::sip::{
    AnyUri, Contacts, Framed, Framer, HeaderName, Message, Method, Request, Response, ViaTransport,
    Writer, parse,
};
use std::net::SocketAddr;
use std::path::PathBuf;

struct Row {
    file: String,
    verdict: String,
    udp: String,
    tcp: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture")
}

fn rows() -> Vec<Row> {
    let table = std::fs::read_to_string(folder().join("due.tsv")).expect("tests/torture/due.tsv");
    let read = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, _section, verdict, udp, tcp, why] = columns[..] else {
            panic!("six columns: {line}")
        };
        assert!(!why.is_empty(), "{line}");
        let own = str::to_owned;
        Row { file: own(file), verdict: own(verdict), udp: own(udp), tcp: own(tcp) }
    };
    table.lines().skip(1).map(read).collect()
}

fn message(file: &str) -> Bytes {
    let path = folder().join(format!("{file}.dat"));
    Bytes::from(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn source() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 200], 5060))
}

fn verdict(bytes: &Bytes) -> String {
    match parse(bytes) {
        Ok(Message::Request(_)) => "request".to_owned(),
        Ok(Message::Response(_)) => "response".to_owned(),
        Err(rejected) => match rejected.response("torture", source()) {
            Some(answer) => String::from_utf8_lossy(&answer[8..11]).into_owned(),
            None => "drop".to_owned(),
        },
    }
}

#[test]
fn every_message_has_its_row_and_every_row_its_message() {
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .expect("tests/torture")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".dat").map(str::to_owned))
        .collect();
    let mut rows: Vec<String> = rows().into_iter().map(|row| row.file).collect();
    files.sort_unstable();
    rows.sort_unstable();
    assert_eq!(files, rows);
    assert_eq!(files.len(), 49 + 12);
}

#[test]
fn each_message_gets_the_verdict_that_is_due() {
    let wrong: Vec<String> = rows()
        .iter()
        .map(|row| (row, verdict(&message(&row.file))))
        .filter(|(row, got)| row.verdict != *got)
        .map(|(row, got)| format!("{}: {} is due, got {got}", row.file, row.verdict))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_columns_agree() {
    for row in rows() {
        let refused = row.verdict.parse::<u16>().is_ok();
        let first = row.udp.split('|').next().unwrap_or_default();
        match row.verdict.as_str() {
            "response" | "drop" => {
                assert_eq!((row.udp.as_str(), row.tcp.as_str()), ("none", "none"), "{}", row.file);
            }
            status if refused => assert_eq!(status, first, "{}", row.file),
            _ => assert!(
                row.udp.split('|').all(|status| status.parse::<u16>().is_ok()),
                "{}",
                row.file
            ),
        }
    }
}

#[test]
fn a_stream_is_closed_where_the_table_says_and_only_there() {
    for row in rows() {
        let mut framer = Framer::new();
        framer.push(&message(&row.file));
        let mut closed = false;
        while let Some(framed) = framer.pop() {
            closed |= matches!(framed, Framed::Broken(_));
        }
        assert_eq!(closed, row.tcp.ends_with("+close"), "{}", row.file);
    }
}

#[test]
fn whatever_is_taken_can_be_answered() {
    for row in rows().iter().filter(|row| row.verdict == "request") {
        let mut asked = request(&row.file);
        asked.stamp(source());
        let answer = Writer::answer(&asked, 404, Some("ours")).finish();
        let Ok(Message::Response(read)) = parse(&answer) else {
            panic!("{}: {answer:?}", row.file)
        };
        assert_eq!(read.head.via, asked.head.via, "{}", row.file);
        assert_eq!(read.head.cseq, asked.head.cseq, "{}", row.file);
        assert_eq!(read.head.call_id, asked.head.call_id, "{}", row.file);
        assert_eq!(read.head.from, asked.head.from, "{}", row.file);
        assert_eq!(read.head.to.uri, asked.head.to.uri, "{}", row.file);
        assert!(read.head.to.tag().is_some(), "{}", row.file);
        let vias = |headers: &madoguchi::sip::Headers| headers.all(&HeaderName::Via).count();
        assert_eq!(vias(&read.head.headers), vias(&asked.head.headers), "{}", row.file);
    }
}

fn request(file: &str) -> Request {
    match parse(&message(file)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{file}: {other:?}"),
    }
}

fn response(file: &str) -> Response {
    match parse(&message(file)) {
        Ok(Message::Response(response)) => response,
        other => panic!("{file}: {other:?}"),
    }
}

fn user(uri: &AnyUri) -> String {
    uri.user().unwrap_or_default().into_owned()
}

fn contacts(request: &Request) -> Vec<String> {
    match &request.head.contacts {
        Contacts::Star => vec!["*".to_owned()],
        Contacts::List(list) => list.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn wsinv_is_understood_in_full() {
    let read = request("wsinv");
    let head = &read.head;
    assert_eq!((head.max_forwards, head.cseq.number), (Some(68), 9));
    assert_eq!((head.to.tag(), head.from.tag()), (Some("1918181833n"), Some("98asjd8")));
    assert_eq!(head.from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!((head.via.branch(), head.via.modern_branch()), (Some("390skdjuw"), None));
    let vias: Vec<_> = head.headers.all(&HeaderName::Via).map(madoguchi::sip::Via::parse).collect();
    assert_eq!(vias.len(), 3);
    let second = vias[1].as_ref().expect("a Via");
    assert_eq!((&second.transport, second.branch()), (&ViaTransport::Tcp, Some("z9hG4bK9ikj8")));
    assert_eq!(vias[2].as_ref().map(|via| via.branch()), Ok(Some("z9hG4bK30239")));
    let contact = head.contact().expect("a contact");
    assert_eq!(contact.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!(
        (contact.params.value("newparam"), contact.params.value("q")),
        (Some("newvalue"), Some("0.33"))
    );
    assert_eq!(head.headers.get(&HeaderName::Subject), Some(&b""[..]));
    let odd = HeaderName::parse(b"unknownheaderwithunusualvalue").expect("a name");
    assert_eq!(head.headers.text(&odd), Some(";;,,;;,;"));
    let new = HeaderName::parse(b"NewFangledHeader").expect("a name");
    assert_eq!(head.headers.text(&new), Some("newfangled value continued newfangled value"));
    assert_eq!(read.sdp().map(|sdp| sdp.len()), Some(150));
}

#[test]
fn escapes_names_and_users_are_kept_apart() {
    let read = request("intmeth");
    assert_eq!(read.method.as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(user(&read.uri), "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    assert_eq!(read.head.to.display.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    assert_eq!(read.head.from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(&*read.head.call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");

    let read = request("esc01");
    assert_eq!(user(&read.uri), "sips:user@example.com");
    assert_eq!(
        (user(&read.head.to.uri), user(&read.head.from.uri)),
        ("user".into(), "I have spaces".into())
    );
    assert_eq!(read.head.contact().map(|contact| user(&contact.uri)).as_deref(), Some("caller"));

    let read = request("escnull");
    assert_eq!(user(&read.head.to.uri), "null-\0-null");
    assert_eq!(contacts(&read), ["<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>"]);
    let Contacts::List(list) = &read.head.contacts else { panic!("addresses") };
    let [one, two] = &list[..] else { panic!("two") };
    assert!(!one.known().expect("sip").equivalent(two.known().expect("sip")));

    let read = request("esc02");
    assert_eq!(read.method, Method::Other("RE%47IST%45R".into()));
    assert_eq!(
        contacts(&read),
        ["<sip:alias1@host1.example.com>", "<sip:alias3@host3.example.com>"]
    );
    assert_eq!(read.head.to.display.as_deref(), Some("%Z%45"));

    assert_eq!(user(&request("semiuri").uri), "user;par=u@example.net");
    let longreq = request("longreq");
    assert_eq!(longreq.head.headers.all(&HeaderName::Via).count(), 34);
    assert_eq!(longreq.head.to.known().and_then(madoguchi::sip::Uri::port), Some(6000));
    let transports = request("transports");
    let kinds = transports.head.headers.all(&HeaderName::Via).map(madoguchi::sip::Via::parse);
    let kinds: Vec<_> =
        kinds.map(|via| via.expect("a Via").transport.as_str().to_owned()).collect();
    assert_eq!(kinds, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    assert_eq!(request("lwsdisp").head.from.display.as_deref(), Some("caller"));
    assert_eq!(response("noreason").reason.as_ref(), "");
    assert!(response("unreason").reason.ends_with("простое"));
}

#[test]
fn bodies_end_where_they_are_said_to() {
    assert_eq!(request("dblreq").body.len(), 0);
    let binary = request("mpart01");
    assert_eq!((binary.body.len(), binary.sdp()), (553, None));
    let mut framer = Framer::new();
    framer.push(&message("dblreq"));
    let cut = |framer: &mut Framer| match framer.pop() {
        Some(Framed::Message(bytes)) => {
            parse(&bytes).map(|message| message.head().cseq.method.clone()).ok()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (cut(&mut framer), cut(&mut framer)),
        (Some(Method::Register), Some(Method::Invite))
    );
    let mut framer = Framer::new();
    framer.push(&message("clerr"));
    assert!(framer.pop().is_none() && framer.is_waiting());
}

#[test]
fn contacts_keep_their_own_parameters() {
    assert_eq!(contacts(&request("cparam01")), ["<sip:+19725552222@gw1.example.net>;unknownparam"]);
    assert_eq!(contacts(&request("cparam02")), ["<sip:+19725552222@gw1.example.net;unknownparam>"]);
    let escaped = request("regescrt");
    let target = escaped.head.contact().and_then(|contact| contact.known()).expect("sip").clone();
    assert_eq!(target.header("Route").as_deref(), Some("<sip:sip.example.com>"));
    assert_eq!(target.into_target().to_string(), "sip:user@example.com");
    assert!(request("badbranch").head.via.modern_branch().is_none());
    assert!(request("inv2543").head.via.branch().is_none());
    let options: Vec<_> =
        request("bext01").head.headers.tokens(&HeaderName::Require).map(str::to_owned).collect();
    assert_eq!(options, ["nothingSupportsThis", "nothingSupportsThisEither"]);
    for (file, scheme) in [("unkscm", "nobodyKnowsThisScheme"), ("novelsc", "soap.beep")] {
        assert!(
            matches!(request(file).uri, AnyUri::Other(other) if other.scheme() == scheme),
            "{file}"
        );
    }
}

#[test]
fn ipv6_is_read_with_and_without_its_brackets() {
    let target = |file: &str| match request(file).uri {
        AnyUri::Known(uri) => (uri.host().map(ToString::to_string).unwrap_or_default(), uri.port()),
        AnyUri::Other(other) => panic!("{other:?}"),
    };
    assert_eq!(target("port-ambiguous"), ("[2001:db8::10:5070]".to_owned(), None));
    assert_eq!(target("port-unambiguous"), ("[2001:db8::10]".to_owned(), Some(5070)));
    assert_eq!(target("ipv6-bug-abnf-3-colons"), target("ipv6-correct-abnf-2-colons"));
    for file in ["via-received-param-no-delim", "via-received-param-with-delim"] {
        let received = request(file).head.via.received().map(|address| address.to_string());
        assert_eq!(received.as_deref(), Some("2001:db8::9:255"), "{file}");
    }
    let mapped = request("ipv4-mapped-ipv6");
    assert_eq!(mapped.sdp().map(|sdp| sdp.len()), Some(mapped.body.len()));
    assert!(mapped.body.ends_with(b"H263-1998/90000\r\n"));
}
