//! Tests of the message layer as a whole: hostile bytes, values in tables, and what goes round.

mod hostile;
mod round;
mod values;

use super::{Message, Request, Response, parse};
use bytes::Bytes;

fn request(text: &str) -> Request {
    match parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?} for {text}"),
    }
}

fn response(bytes: &Bytes) -> Response {
    match parse(bytes) {
        Ok(Message::Response(response)) => response,
        other => panic!("{other:?} for {}", String::from_utf8_lossy(bytes)),
    }
}

/// A well-formed request with `more` header lines (each with its line end) and `body`.
fn options(more: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:desk.example.jp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa;rport\r\n\
         From: \"A\" <sip:201@desk.example.jp>;tag=f\r\nTo: <sip:desk.example.jp>\r\nCall-ID: c@192.0.2.1\r\n\
         CSeq: 7 OPTIONS\r\nMax-Forwards: 70\r\n{more}\r\n{body}"
    )
}
