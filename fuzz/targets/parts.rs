//! Whole messages, their bodies, and how a stream is cut into them.

use crate::sdp::{Codec, Direction, Local, Sealing};
use crate::sip::gate::MAX_MESSAGE;
use crate::sip::{
    AnyUri, Framed, Framer, HeaderName, Headers, Message, Method, NameAddr, ParseError, Uri, Via,
    Writer, parse,
};
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

fn source() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 9], 5061))
}

/// One datagram. What is read is answered by a message that says what the request said; what is
/// refused is answered by one that nobody can have written lines into.
pub fn message(data: &[u8]) {
    match parse(&Bytes::copy_from_slice(data)) {
        Ok(Message::Request(mut request)) => {
            request.stamp(source());
            for name in [HeaderName::RecordRoute, HeaderName::Route, HeaderName::PAssertedIdentity]
            {
                let _ = request.head.addresses(&name);
            }
            let _ = (request.sdp(), request.head.contact(), request.head.from.uri.user());
            let bytes = Writer::answer(&request, 200, Some("ours")).finish();
            let answer = match parse(&bytes) {
                Ok(Message::Response(answer)) => answer,
                Ok(Message::Request(_)) => panic!("our answer is a request"),
                // A request at the bound of headers: the answer repeats its Vias line by line and adds
                // headers of its own. The sender has room for what it asked for.
                Err(refused) if matches!(refused.error, ParseError::TooManyHeaders { .. }) => {
                    return;
                }
                Err(refused) => panic!(
                    "our answer is none: {}\n{}",
                    refused.error,
                    String::from_utf8_lossy(&bytes)
                ),
            };
            let (asked, told) = (&request.head, &answer.head);
            assert_eq!((&told.call_id, &told.cseq), (&asked.call_id, &asked.cseq));
            assert_eq!(told.from.tag(), asked.from.tag());
            assert_eq!(told.to.tag(), asked.to.tag().or(Some("ours")));
            assert_eq!(told.via.branch(), asked.via.branch());
            let vias = |headers: &Headers| headers.all(&HeaderName::Via).count();
            assert_eq!(vias(&told.headers), vias(&asked.headers));
        }
        Ok(Message::Response(response)) => {
            assert!((100..700).contains(&response.status));
            let _ = (response.sdp(), response.head.contact());
        }
        Err(rejected) => {
            let Some(answer) = rejected.response("Madoguchi", source()) else { return };
            let text = String::from_utf8_lossy(&answer);
            let status = rejected.error.status();
            assert!(text.starts_with(&format!("SIP/2.0 {status} ")), "{text}");
            let end = text.find("\r\n\r\n").expect("a head has an end");
            assert_eq!(end + 4, text.len(), "{text}");
            let due =
                ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: ", "Server: ", "Content-Length: "];
            for line in text[..end].split("\r\n").skip(1) {
                assert!(due.iter().any(|name| line.starts_with(name)), "{line:?} in {text}");
                assert!(!line.contains(['\r', '\n', '\0']), "{line:?} in {text}");
            }
        }
    }
}

/// An SDP: what we answer to it and what we agree to is SDP that we read ourselves.
pub fn sdp(data: &[u8]) {
    let Ok(session) = crate::sdp::parse(data) else { return };
    for media in &session.media {
        let _ =
            (session.connection_of(media), session.direction_of(media), media.event(Codec::Pcmu));
        for pt in media.payload_types() {
            let _ = media.codec(pt);
        }
    }
    let local = Local {
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 20_000,
        session_id: 1,
        version: 1,
        codecs: vec![Codec::Pcmu, Codec::Pcma],
        direction: Direction::SendRecv,
        ptime_ms: 20,
        sealing: Sealing::Off,
        keys: None,
        fingerprint: None,
        mux: data.len().is_multiple_of(2),
        before: None,
    };
    if let Ok((answer, agreed)) = local.answer(&session) {
        let read = crate::sdp::parse(&answer).unwrap_or_else(|error| {
            panic!("{error} in our own\n{}", String::from_utf8_lossy(&answer))
        });
        assert_eq!(read.media.len(), session.media.len(), "RFC 3264 §6: a line for a line");
        assert!(agreed.ptime_ms >= 10 && agreed.ptime_ms <= 60 && agreed.ptime_ms % 10 == 0);
        assert!(agreed.send_pt < 128 && agreed.recv_pt < 128);
        // The same once more, in the midst of the call.
        let later = Local { before: Some(agreed), ..local.clone() };
        assert!(crate::sdp::parse(&later.offer()).is_ok(), "our own offer is read");
        let _ = (later.answer(&session), later.agreed(&session));
    }
    let _ = local.agreed(&session);
}

/// A body: the first line is its Content-Type, the rest the body. What is found lies within it.
pub fn multipart(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (kind, body) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let mut headers = Headers::default();
    headers.push(HeaderName::ContentType, kind.trim_ascii());
    let body = Bytes::copy_from_slice(body);
    let _ = crate::sip::body::content_type(&headers);
    if let Some(found) = crate::sip::body::sdp(&headers, &body) {
        assert!(!found.is_empty() && found.len() <= body.len());
        let within = found.as_ptr() as usize - body.as_ptr() as usize;
        assert_eq!(body.get(within..within + found.len()), Some(&found[..]));
    }
    // The same body in a message, between heads that are fine.
    let uri = Uri::parse("sip:desk@192.0.2.1").expect("a URI");
    let address = || NameAddr::new(uri.clone()).with_tag("t");
    let mut writer = Writer::request(&Method::Invite, AnyUri::from(uri.clone()));
    writer.via(&Via::parse(b"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKm").expect("a Via"));
    writer.from(&address()).to(&address()).call_id("m@192.0.2.9").cseq(1, &Method::Invite);
    if !kind.iter().any(|byte| byte.is_ascii_control()) {
        let kind = String::from_utf8_lossy(kind);
        if let Ok(Message::Request(request)) = parse(&writer.body(&kind, &body)) {
            assert!(body.is_empty() || request.body == body);
            let _ = request.sdp();
        }
    }
}

/// A stream. The first byte says into pieces of what size it falls: where it is cut changes nothing.
pub fn framing(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else { return };
    let whole = cut(stream, usize::MAX);
    assert_eq!(whole, cut(stream, usize::from(*size).max(1)));
    assert_eq!(whole, cut(stream, 1));
    for message in whole.iter().filter_map(|piece| piece.as_ref().ok()) {
        assert!(message.len() <= MAX_MESSAGE);
        // The parser and the framer agree on where a message ends.
        if let Err(rejected) = parse(message) {
            let error = rejected.error.to_string();
            assert!(!error.contains("the datagram holds"), "{error}");
        }
    }
}

/// The messages of a stream in order; `Err(())` where it broke.
fn cut(stream: &[u8], size: usize) -> Vec<Result<Bytes, ()>> {
    let mut framer = Framer::new();
    let mut out = Vec::new();
    for piece in stream.chunks(size) {
        framer.push(piece);
        while let Some(framed) = framer.pop() {
            match framed {
                Framed::Message(bytes) => out.push(Ok(bytes)),
                Framed::Ping => out.push(Ok(Bytes::from_static(b"ping"))),
                Framed::Broken(rejected) => {
                    let _ = rejected.response("Madoguchi", source());
                    out.push(Err(()));
                    framer.push(b"\r\n\r\n");
                    assert!(framer.pop().is_none(), "nothing follows what is broken");
                    return out;
                }
            }
        }
    }
    out
}
