//! What can be wrong with certificates and keys, and with who is asked for one, in both languages.

use crate::dialplan::Severity;
use crate::dialplan::shape::{Row, say};

/// What is wrong, with what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TlsProblem {
    /// A listener of TLS without a certificate.
    NoCertificate { transport: &'static str },
    /// A PEM file without what is looked for in it.
    NoPem { what: Pem },
    /// A PEM file that is broken.
    BadPem { error: String },
    /// What TLS itself says against certificate and key.
    BadCertificate { error: String },
    /// The key is another certificate's.
    OtherKey { key: String },
    /// A certificate whose time is over, or has not come.
    NotValid { since_days: i64, over: bool },
    /// A certificate whose time is over soon.
    Expires { days: i64 },
    /// A certificate that names none of what phones may be set up with.
    NotNamed { names: String },
    /// Names for a certificate, and no transport that has one.
    NamesWithoutTls,
    /// A trunk that must show a certificate, and none is asked for.
    NoClientCa { name: String },
    /// Those to whom we connect by TLS cannot be judged.
    NoPeerCa,
    /// Those to whom we connect by TLS are not judged.
    Unverified,
}

/// What a PEM file is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pem {
    /// One or more certificates.
    Certificate,
    /// A private key.
    Key,
}

impl TlsProblem {
    pub(super) fn row(&self) -> Row {
        use Severity::{Error, Warning};
        match self {
            Self::NoCertificate { transport } => (
                Error,
                "no-certificate",
                say!(
                    "{transport} で待ち受けるのに、証明書がない",
                    "there is a {transport} listener and no certificate"
                ),
                say!("[sip.tls] に certificate と key", "certificate and key in [sip.tls]"),
            ),
            Self::NoPem { what: Pem::Certificate } => (
                Error,
                "no-pem",
                say!("証明書が一つもない", "there is no certificate in it"),
                say!(
                    "PEM 形式（-----BEGIN CERTIFICATE----- で始まる）の証明書",
                    "certificates in PEM: -----BEGIN CERTIFICATE-----"
                ),
            ),
            Self::NoPem { what: Pem::Key } => (
                Error,
                "no-pem",
                say!("秘密鍵がない", "there is no private key in it"),
                say!(
                    "暗号化されていない PEM 形式の秘密鍵（openssl pkey -in 元の鍵 -out このファイル）",
                    "a private key in PEM, not encrypted (openssl pkey -in OLD -out THIS)"
                ),
            ),
            Self::BadPem { error } => (
                Error,
                "bad-pem",
                say!("PEM として読めない: {error}", "this is not PEM: {error}"),
                say!("認証局から受け取ったままのファイル", "the file as the authority issued it"),
            ),
            Self::BadCertificate { error } => (
                Error,
                "bad-certificate",
                say!("TLS に使えない: {error}", "TLS cannot use it: {error}"),
                say!(
                    "X.509 の証明書と RSA（2048 ビット以上）か ECDSA か Ed25519 の鍵",
                    "an X.509 certificate, and a key of RSA (2048 bits or more), ECDSA or Ed25519"
                ),
            ),
            Self::OtherKey { key } => (
                Error,
                "other-key",
                say!(
                    "証明書と鍵（{key}）が組になっていない",
                    "certificate and key ({key}) are not a pair"
                ),
                say!(
                    "この証明書を申請した時の鍵。最初の証明書がサーバー自身のものであること",
                    "the key that this certificate was asked for with; the first certificate is the server's own"
                ),
            ),
            Self::NotValid { since_days, over: true } => (
                Warning,
                "certificate-over",
                say!(
                    "証明書の期限が {since_days} 日前に切れた",
                    "the certificate's time has been over for {since_days} days"
                ),
                say!(
                    "新しい証明書に替え、systemctl reload madoguchi",
                    "a new certificate, then: systemctl reload madoguchi"
                ),
            ),
            Self::NotValid { since_days, over: false } => (
                Warning,
                "certificate-early",
                say!(
                    "証明書は {since_days} 日後からしか使えない",
                    "the certificate's time begins in {since_days} days"
                ),
                say!("機器の時計か証明書を直す", "see to the machine's clock or the certificate"),
            ),
            Self::Expires { days } => (
                Warning,
                "certificate-soon-over",
                say!(
                    "証明書の期限があと {days} 日で切れる",
                    "the certificate's time is over in {days} days"
                ),
                say!(
                    "新しい証明書に替え、systemctl reload madoguchi",
                    "a new certificate, then: systemctl reload madoguchi"
                ),
            ),
            Self::NotNamed { names } => (
                Warning,
                "certificate-name",
                say!(
                    "証明書が {names} のどれも名乗っていない",
                    "the certificate names none of {names}"
                ),
                say!(
                    "電話機に設定するサーバー名を subjectAltName に持つ証明書",
                    "a certificate whose subjectAltName has the server name that phones are set up with"
                ),
            ),
            Self::NamesWithoutTls => (
                Error,
                "names-without-tls",
                say!(
                    "tls_names があるのに transport が \"tls\" ではない",
                    "there are tls_names and transport is not \"tls\""
                ),
                say!("transport = \"tls\"", "transport = \"tls\""),
            ),
            Self::NoClientCa { name } => (
                Error,
                "no-client-ca",
                say!(
                    "外線 {name} に tls_names があるのに、証明書を調べる client_ca がない",
                    "the trunk {name} has tls_names, and there is no client_ca to judge its certificate by"
                ),
                say!(
                    "[sip.tls] に client_ca（外線の証明書の認証局）",
                    "client_ca in [sip.tls]: the authority of the trunk's certificate"
                ),
            ),
            Self::NoPeerCa => (
                Warning,
                "no-peer-ca",
                say!(
                    "TLS で接続しに行く相手があるのに、peer_ca がない: 接続は必ず失敗する",
                    "there are peers that we connect to by TLS and no peer_ca: each connection will fail"
                ),
                say!(
                    "[sip.tls] に peer_ca（相手の証明書の認証局）か、verify_peers = false",
                    "peer_ca in [sip.tls]: the authority of their certificates; or verify_peers = false"
                ),
            ),
            Self::Unverified => (
                Warning,
                "unverified-peers",
                say!(
                    "verify_peers = false: TLS で接続する相手が本物かどうか調べない",
                    "verify_peers = false: nobody sees whether those we connect to are who they should be"
                ),
                say!("peer_ca を書き、verify_peers を消す", "peer_ca, and no verify_peers"),
            ),
        }
    }
}
