//! Against receivers of one answer each, on loopback.

use super::*;
use crate::base::Private;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn addresses_that_are_not_for_everybody_are_known() {
    let public = [
        "1.1.1.1",
        "8.8.8.8",
        "203.0.114.1",
        "2606:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::808:808",
    ];
    let private = [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
        "::127.0.0.1",
        "2001::1",
    ];
    for (list, due) in [(&public[..], true), (&private[..], false)] {
        for text in list {
            assert_eq!(is_public(text.parse::<IpAddr>().expect(text)), due, "{text}");
        }
    }
}

/// The same value as `printf '1790780400.{}' | openssl dgst -sha256 -hmac secret` gives.
#[test]
fn the_signature_is_hmac_sha256_over_time_and_body() {
    assert_eq!(
        signature("secret", 1_790_780_400, b"{}"),
        "v1=87c4f14673aa1a0a65d68af0fdd2464d486df30ee1b4da23027a93ef2688df8d"
    );
}

/// What is asked of a receiver that gives this answer, and what came of it.
fn asked(answer: &'static [u8], private: bool) -> (String, Result<(), Failed>) {
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut got = Vec::new();
            while !got.ends_with(b"{\"a\":1}") {
                let mut more = [0; 1024];
                let n = stream.read(&mut more).await.expect("bytes");
                got.extend_from_slice(&more[..n]);
            }
            let _ = stream.write_all(answer).await; // it may have heard enough
            String::from_utf8(got).expect("text")
        });
        let config = WebhookConfig {
            url: format!("http://127.0.0.1:{port}/hook?x=1").parse().expect("a URL"),
            secret: Private::new("0123456789abcdef".to_owned()),
            private,
            authorities: Vec::new(),
        };
        let webhook = Webhook::new(config).expect("a way");
        let result = webhook.post("warning-1-2", 1_790_780_400, "{\"a\":1}".to_owned()).await;
        if !private {
            receiver.abort();
            return (String::new(), result);
        }
        (receiver.await.expect("a request"), result)
    })
}

#[test]
fn a_post_is_signed_and_named_and_2xx_is_a_yes() {
    let (request, result) = asked(b"HTTP/1.1 204 No Content\r\n\r\n", true);
    assert!(result.is_ok(), "{result:?}");
    assert!(request.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{request}");
    let request = request.to_ascii_lowercase();
    let due = signature("0123456789abcdef", 1_790_780_400, b"{\"a\":1}");
    for header in [
        "content-type: application/json".to_owned(),
        "idempotency-key: warning-1-2".to_owned(),
        "madoguchi-timestamp: 1790780400".to_owned(),
        format!("madoguchi-signature: {due}"),
        "content-length: 7".to_owned(),
    ] {
        assert!(request.contains(&format!("\r\n{header}\r\n")), "{header}: {request}");
    }
}

#[test]
fn redirects_are_not_followed_and_an_answer_is_read_to_its_bound() {
    let (_, result) = asked(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", true);
    assert!(
        matches!(result, Err(Failed::Refused { status: 302, is_redirect: true, .. })),
        "{result:?}"
    );
    let (_, result) = asked(b"HTTP/1.1 503 No\r\nRetry-After: 7\r\n\r\n", true);
    let error = result.expect_err("refused");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.untold(), Untold::Refused { status: 503 });
    let (_, result) = asked(b"garbage\r\n\r\n", true);
    assert!(matches!(result, Err(Failed::CutOff { .. })), "{result:?}");
    let (_, result) = asked(b"", true);
    assert!(matches!(result, Err(Failed::CutOff { .. })), "{result:?}");
    let endless: &'static [u8] = Vec::leak(
        [
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(2_000),
        ]
        .concat(),
    );
    let (_, result) = asked(endless, true);
    assert!(matches!(result, Err(Failed::CutOff { .. })), "{result:?}");
}

#[test]
fn an_address_of_this_machine_is_not_connected_to_unless_configured() {
    let (_, result) = asked(b"HTTP/1.1 200 OK\r\n\r\n", false);
    let error = result.expect_err("refused").to_string();
    assert!(error.contains("127.0.0.1") && error.contains("webhook_private"), "{error}");
}

#[test]
fn a_certificate_that_nobody_we_know_has_signed_is_refused() {
    let certified =
        |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("one");
    let (own, other) = (certified("localhost"), certified("localhost"));
    let named_otherwise = certified("elsewhere.example");
    let table = [
        ("known", &own, &own, true),
        ("another's", &own, &other, false),
        ("of another name", &named_otherwise, &named_otherwise, false),
    ];
    for (case, shown, believed, due) in table {
        let key = tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(
            shown.signing_key.serialize_der(),
        );
        let server = tokio_rustls::rustls::ServerConfig::builder_with_provider(
            std::sync::Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()),
        )
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![shown.cert.der().clone()], key.expect("a key"))
        .expect("a pair");
        let result = runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(server));
            tokio::spawn(async move {
                let (stream, _) = listener.accept().await.expect("a connection");
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                let _ = stream.flush().await;
                let _ = stream.read(&mut [0; 16]).await; // until the other goes
            });
            let config = WebhookConfig {
                url: format!("https://localhost:{port}/").parse().expect("a URL"),
                secret: Private::new("0123456789abcdef".to_owned()),
                private: true,
                authorities: vec![believed.cert.der().clone()],
            };
            Webhook::new(config).expect("a way").post("x", 1, String::new()).await
        });
        assert_eq!(result.is_ok(), due, "{case}: {result:?}");
    }
}
