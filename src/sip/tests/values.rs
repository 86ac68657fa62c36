//! URIs, addresses and Via in tables.

use crate::sip::api::Transport;
use crate::sip::{AnyUri, Host, NameAddr, Params, Scheme, Uri, Via, ViaTransport};
use std::net::SocketAddr;

#[test]
fn uris_are_read_and_written_back() {
    // text, user, host, port, headers
    type Row = (
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        Option<u16>,
        Option<&'static str>,
    );
    let table: [Row; 16] = [
        ("sip:desk.example.jp", None, Some("desk.example.jp"), None, None),
        ("sip:201@192.0.2.1:5062", Some("201"), Some("192.0.2.1"), Some(5062), None),
        (
            "sips:a@[2001:db8::1]:5061;transport=tcp",
            Some("a"),
            Some("[2001:db8::1]"),
            Some(5061),
            None,
        ),
        ("sip:[2001:db8::10:5070]", None, Some("[2001:db8::10:5070]"), None, None),
        (
            "sip:user;par=u%40example.net@example.com",
            Some("user;par=u@example.net"),
            Some("example.com"),
            None,
            None,
        ),
        (
            "sip:sips%3Auser%40example.com@example.net",
            Some("sips:user@example.com"),
            Some("example.net"),
            None,
            None,
        ),
        ("sip:null-%00-null@example.com", Some("null-\0-null"), Some("example.com"), None, None),
        ("sip:%E7%AA%93%E5%8F%A3@example.com", Some("窓口"), Some("example.com"), None, None),
        ("sip:%FF@example.com", Some("\u{fffd}"), Some("example.com"), None, None),
        ("sip:*21#@desk", Some("*21#"), Some("desk"), None, None),
        ("sip:a:secret@b", Some("a"), Some("b"), None, None),
        (
            "sip:a@b?Replaces=1%40c%3Bto-tag%3D2&x=",
            Some("a"),
            Some("b"),
            None,
            Some("Replaces=1%40c%3Bto-tag%3D2&x="),
        ),
        ("sip:a@b;lr;x=y?h=v", Some("a"), Some("b"), None, Some("h=v")),
        ("tel:+81-3-1234-5678", Some("+81312345678"), None, None, None),
        ("tel:0312345678;phone-context=example.jp", Some("0312345678"), None, None, None),
        (
            "sip:+81312345678@gw_1.example.jp.;user=phone",
            Some("+81312345678"),
            Some("gw_1.example.jp."),
            None,
            None,
        ),
    ];
    for (text, user, host, port, headers) in table {
        let uri = Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(uri.to_string(), text);
        assert_eq!(uri.user().as_deref(), user, "{text}");
        assert_eq!(uri.host().map(Host::to_string).as_deref(), host, "{text}");
        assert_eq!((uri.port(), uri.headers()), (port, headers), "{text}");
        assert!(uri.equivalent(&uri), "{text}");
    }
    let refer = Uri::parse("sip:a@b;method=INVITE?Replaces=1%40c%3Bto-tag%3D2").expect("a URI");
    assert_eq!(refer.header("replaces").as_deref(), Some("1@c;to-tag=2"));
    assert_eq!(refer.into_target().to_string(), "sip:a@b");
    assert_eq!(Uri::parse("SIP:a@b").map(|uri| uri.scheme()), Ok(Scheme::Sip));
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip",
        "sip:",
        "sip:@h",
        "sip:a@",
        "sip: a@b",
        "sip:a @b",
        "sip:a@b c",
        "sip:a@b:",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:+1",
        "sip:a@b@c",
        "sip:a@b;;x",
        "sip:a@b;x=\"y\"",
        "sip:a%4@b",
        "sip:a%zz@b",
        "sip:a\0@b",
        "sip:a@b\r\nX: y",
        "sip:2001:db8::10",
        "sip:[2001:db8::1",
        "sip:[192.0.2.1]",
        "sip:a@[::1]x",
        "sip:a@[::1]x:5060",
        "sip:1.2.3",
        "sip:1.2.3.256",
        "sip:a@-..b",
        "sip:a@b?",
        "sip:a@b?<x>=1",
        "sip:a@b;x=<y>",
        "sip:\u{3042}@b",
        "sip:a@\u{3042}",
        "<sip:a@b>",
        "tel:",
        "tel:+",
        "tel:abc xyz",
        "tel:12;x=\"",
        "1x:y",
        "a b:c",
        "x:",
        "x:a b",
        ":x",
    ] {
        assert!(AnyUri::parse(text).is_err(), "{text:?}");
    }
    for (text, scheme) in [
        ("soap.beep://192.0.2.103:3002", "soap.beep"),
        ("isbn:2983792873", "isbn"),
        ("mailto:a@b", "mailto"),
    ] {
        assert!(
            matches!(AnyUri::parse(text), Ok(AnyUri::Other(other)) if other.scheme() == scheme && other.as_str() == text)
        );
        assert!(Uri::parse(text).is_err());
    }
}

#[test]
fn uris_are_equal_as_rfc_3261_19_1_4_says() {
    let table = [
        // §19.1.4's own examples.
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            true,
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            true,
        ),
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false),
        ("sip:a@b", "sips:a@b", false),
        ("sip:a@b", "sip:b", false),
        ("sip:a:x@b", "sip:a@b", false),
        ("sip:a@[2001:db8:0::1]", "sip:a@[2001:DB8::1]", true),
        ("tel:+81-3-1234-5678", "tel:+81312345678", true),
        ("tel:5678;phone-context=a.jp", "tel:5678", false),
        // A parameter's name may be escaped, and a careless sender may repeat one.
        ("tel:5678;phone%2Dcontext=a.jp", "tel:5678;phone-context=A.jp", true),
        ("tel:5678;a%939=1", "tel:5678;a%939=1", true),
        ("sip:a@b;%74ransport=tcp", "sip:a@b", false),
        ("sip:a@b;x=1;x=2", "sip:a@b;x=1;x=2", true),
    ];
    for (one, two, want) in table {
        let (a, b) = (Uri::parse(one).expect(one), Uri::parse(two).expect(two));
        assert_eq!(a.equivalent(&b), want, "{one} {two}");
        assert_eq!(b.equivalent(&a), want, "{two} {one}");
    }
}

#[test]
fn a_uri_is_built_without_breaking() {
    let host = || Host::parse("desk").expect("a host");
    assert_eq!(
        Uri::sip(Some("a b@c;d\r\n窓"), host(), None).to_string(),
        "sip:a%20b%40c;d%0D%0A%E7%AA%93@desk"
    );
    assert_eq!(Uri::sip(Some(""), host(), Some(5080)).to_string(), "sip:desk:5080");
    let at = Uri::at(Some("201"), SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 5060)));
    assert_eq!(at.to_string(), "sip:201@[2001:db8::1]:5060");
    assert_eq!(at.socket_addr().map(|address| address.port()), Some(5060));
    let table = [
        ("sip:a@192.0.2.1", Some(Transport::Udp), 5060),
        ("sip:a@192.0.2.1;transport=TCP", Some(Transport::Tcp), 5060),
        ("sip:a@192.0.2.1;transport=tls", Some(Transport::Tls), 5061),
        ("sip:a@192.0.2.1:5070;transport=tls", Some(Transport::Tls), 5070),
        ("sips:a@192.0.2.1", Some(Transport::Tls), 5061),
        ("sips:a@192.0.2.1;transport=tcp", Some(Transport::Tls), 5061),
        ("sips:a@192.0.2.1;transport=udp", None, 5060),
        ("sips:a@192.0.2.1;transport=ws", Some(Transport::Wss), 443),
        ("sip:a@192.0.2.1;transport=ws", Some(Transport::Ws), 80),
        ("sip:a@192.0.2.1;transport=sctp", None, 5060),
    ];
    for (text, transport, port) in table {
        let uri = Uri::parse(text).expect(text);
        assert_eq!(uri.transport(), transport, "{text}");
        assert_eq!(uri.socket_addr().map(|address| address.port()), Some(port), "{text}");
    }
    let evil = at.with_param("transport", Some("tcp>\r\nX: y;lr"));
    assert_eq!(evil.params().as_str(), ";transport=tcpX:ylr");
    assert!(
        Host::parse("DESK").expect("a host").same(&host())
            && host().is("Desk")
            && !host().is("desk2")
    );
    assert!(Host::parse("[::1]").expect("a host").is("::1"));
}

#[test]
fn addresses_are_read_and_written() {
    // text, display, uri, tag, written
    let table = [
        ("sip:a@b;tag=x", None, "sip:a@b", Some("x"), "<sip:a@b>;tag=x"),
        ("<sip:a@b;tag=x>", None, "sip:a@b;tag=x", None, "<sip:a@b;tag=x>"),
        (
            "caller<sip:c@d>;tag=323",
            Some("caller"),
            "sip:c@d",
            Some("323"),
            "\"caller\" <sip:c@d>;tag=323",
        ),
        (
            "\"Sales <EU>\" <sip:s@d>",
            Some("Sales <EU>"),
            "sip:s@d",
            None,
            "\"Sales <EU>\" <sip:s@d>",
        ),
        (
            "\"J \\\\\\\"\"   <sip:j@e> ; tag = 9",
            Some("J \\\""),
            "sip:j@e",
            Some("9"),
            "\"J \\\\\\\"\" <sip:j@e>;tag=9",
        ),
        ("山田 太郎 <sip:a@b>", Some("山田 太郎"), "sip:a@b", None, "\"山田 太郎\" <sip:a@b>"),
        ("\"\" <sip:a@b>", None, "sip:a@b", None, "<sip:a@b>"),
        (
            "<sip:a@b?Route=%3Csip:c%3E>;q=0.5",
            None,
            "sip:a@b?Route=%3Csip:c%3E",
            None,
            "<sip:a@b?Route=%3Csip:c%3E>;q=0.5",
        ),
        ("tel:0312345678;tag=a", None, "tel:0312345678", Some("a"), "<tel:0312345678>;tag=a"),
        (
            "<http://www.example.com>;tag=3",
            None,
            "http://www.example.com",
            Some("3"),
            "<http://www.example.com>;tag=3",
        ),
        ("<sip:a@b>;tag=", None, "sip:a@b", None, "<sip:a@b>;tag="),
        (
            "<sip:a@b>;+sip.instance=\"<urn:uuid:0>\"",
            None,
            "sip:a@b",
            None,
            "<sip:a@b>;+sip.instance=\"<urn:uuid:0>\"",
        ),
    ];
    for (text, display, uri, tag, written) in table {
        let read = NameAddr::parse(text.as_bytes(), "From")
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (read.display.as_deref(), read.uri.to_string().as_str(), read.tag()),
            (display, uri, tag),
            "{text}"
        );
        assert_eq!(read.to_string(), written);
        assert_eq!(NameAddr::parse(written.as_bytes(), "From"), Ok(read), "{written}");
    }
    for text in [
        "",
        "<>",
        "<sip:a@b",
        "sip:a@b>",
        "\"A <sip:a@b>",
        "\"A\" sip:a@b",
        "\"A\"B <sip:a@b>",
        "Bell, A <sip:a@b>",
        "< sip:a@b >",
        "sip:a@b?x=y",
        "sip:a,b@c",
        "<sip:a@b>x",
        "<sip:a@b> ;;",
        "<sip:a@b>;tag=\"",
        "<sip:a@b>;=x",
        "a@b",
        "A: <sip:a@b>",
        "<sip:a@b>, <sip:c@d>",
    ] {
        assert!(NameAddr::parse(text.as_bytes(), "From").is_err(), "{text}");
    }
    // Broken bytes are kept where they only show, refused where they decide.
    let shown = NameAddr::parse(b"\"\x8e\x52\" <sip:a@b>;tag=x", "From").expect("an address");
    assert_eq!(shown.display.as_deref(), Some("\u{fffd}R"));
    assert!(NameAddr::parse(b"<sip:a@b>;tag=\xff", "From").is_err());
    assert!(NameAddr::parse(b"<sip:\xff@b>", "From").is_err());
    let evil = NameAddr::new(Uri::parse("sip:a@b").expect("a URI"))
        .with_display("a\"\r\nX: y\\")
        .with_tag("t;x>\r\n");
    assert_eq!(evil.to_string(), "\"a\\\"  X: y\\\\\" <sip:a@b>;tag=tx");
}

#[test]
fn vias_are_read_stamped_and_written() {
    let table = [
        (
            "SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa;rport",
            ViaTransport::Udp,
            "192.0.2.1",
            Some(5062),
            Some("z9hG4bKa"),
        ),
        (
            "SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8",
            ViaTransport::Tcp,
            "spindle.example.com",
            None,
            Some("z9hG4bK9ikj8"),
        ),
        (
            "SIP/2.0/TLS [2001:db8::9:1] : 6050;branch=z9hG4bKb",
            ViaTransport::Tls,
            "[2001:db8::9:1]",
            Some(6050),
            Some("z9hG4bKb"),
        ),
        (
            "SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bK",
            ViaTransport::Other("UNKNOWN".into()),
            "t4.example.com",
            None,
            None,
        ),
        ("SIP/2.0/UDP host;branch=390skdjuw", ViaTransport::Udp, "host", None, None),
        ("SIP/2.0/udp host", ViaTransport::Udp, "host", None, None),
    ];
    for (text, transport, host, port, modern) in table {
        let via = Via::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (&via.transport, via.host.to_string().as_str(), via.port),
            (&transport, host, port),
            "{text}"
        );
        assert_eq!(via.modern_branch(), modern, "{text}");
        assert_eq!(Via::parse(via.to_string().as_bytes()), Ok(via), "{text}");
    }
    for text in [
        "",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/7.0/UDP h",
        "HTTP/2.0/UDP h",
        "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP h i",
        "SIP/2.0/UDP h:x",
        "SIP/2.0/U<P h",
    ] {
        assert!(Via::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(Via::parse(b"SIP/2.0/UDP h;branch=\xff").is_err());
    let from = SocketAddr::from(([192, 0, 2, 7], 4000));
    let from6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], 4000));
    let stamps = [
        ("SIP/2.0/UDP 192.0.2.7;branch=b", from, "SIP/2.0/UDP 192.0.2.7;branch=b"),
        ("SIP/2.0/UDP 10.0.0.1;branch=b", from, "SIP/2.0/UDP 10.0.0.1;branch=b;received=192.0.2.7"),
        ("SIP/2.0/UDP host;branch=b", from, "SIP/2.0/UDP host;branch=b;received=192.0.2.7"),
        (
            "SIP/2.0/UDP 192.0.2.7;rport;branch=b",
            from,
            "SIP/2.0/UDP 192.0.2.7;branch=b;rport=4000;received=192.0.2.7",
        ),
        ("SIP/2.0/UDP 192.0.2.7;received=203.0.113.9", from, "SIP/2.0/UDP 192.0.2.7"),
        (
            "SIP/2.0/UDP host;received=203.0.113.9;rport=1",
            from6,
            "SIP/2.0/UDP host;rport=4000;received=2001:db8::7",
        ),
    ];
    for (text, source, want) in stamps {
        let mut via = Via::parse(text.as_bytes()).expect(text);
        via.stamp(source);
        assert_eq!(via.to_string(), want);
    }
    let brackets = Via::parse(b"SIP/2.0/UDP h;received=[2001:db8::9:255]").expect("a Via");
    assert_eq!(
        brackets.received().map(|address| address.to_string()).as_deref(),
        Some("2001:db8::9:255")
    );
    assert_eq!(Params::EMPTY.as_str(), "");
}

#[test]
fn a_user_part_that_no_line_can_show_names_nobody() {
    let table = [
        ("sip:alice@example.com", Some("alice")),
        ("sip:%E4%BD%90@example.com", Some("佐")),
        ("sip:null-%00-null@example.com", None),
        ("sip:2%0d%0aEvil:x@example.com", None),
        ("sip:2%7f@example.com", None),
        ("sip:example.com", None),
        ("tel:+81-3-1234-5678", Some("+81312345678")),
    ];
    for (text, want) in table {
        let uri = Uri::parse(text).expect(text);
        assert_eq!(uri.named().as_deref(), want, "{text}");
    }
}
