//! What can be wrong with signing in by an identity provider, in both languages.

use crate::dialplan::Severity;
use crate::dialplan::shape::{Row, say};

/// What is wrong, with what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OidcProblem {
    /// Not the address of a provider.
    BadIssuer { found: String },
    /// A provider without TLS.
    PlainIssuer { host: String },
    /// A provider on this machine or in a private network.
    PrivateIssuer { host: String },
    /// Not an address of ours.
    BadAddress { found: String },
    /// Not a text that can stand there.
    BadText { key: &'static str, most: usize },
    /// A claim for roles without a table of them, or the other way round.
    HalfRoles,
    /// Neither the provider nor a people file gives roles.
    NoRoles,
    /// A claim of names that is not looked at.
    NameOfFile,
    /// The file of the secret is not there.
    NoSecret,
}

impl OidcProblem {
    pub(super) fn row(&self) -> Row {
        use Severity::{Error, Warning};
        match self {
            Self::BadIssuer { found } => (
                Error,
                "bad-issuer",
                say!(
                    "issuer の \"{found}\" は認証基盤の URL ではない",
                    "issuer: \"{found}\" is not a provider's URL"
                ),
                say!(
                    "認証基盤が名乗るとおりの https:// の URL（/.well-known/openid-configuration の前まで。? と # なし）",
                    "the https:// URL by which the provider calls itself, up to /.well-known/openid-configuration, without ? and #"
                ),
            ),
            Self::PlainIssuer { host } => (
                Error,
                "plain-issuer",
                say!(
                    "issuer の {host} とは暗号化されずに話すことになる",
                    "what {host} says would not be encrypted"
                ),
                say!(
                    "https://。この機器か内部のネットワークの中だけなら private = true",
                    "https://; on this machine or inside a private network, private = true"
                ),
            ),
            Self::PrivateIssuer { host } => (
                Error,
                "private-issuer",
                say!(
                    "issuer の {host} は、この機器か内部のネットワークのアドレス",
                    "issuer: {host} is on this machine or in a private network"
                ),
                say!("それでよいなら private = true", "private = true when that is meant"),
            ),
            Self::BadAddress { found } => (
                Error,
                "bad-address",
                say!(
                    "address の \"{found}\" は、この窓口の画面の URL として使えない",
                    "address: \"{found}\" cannot be where these pages are"
                ),
                say!(
                    "ブラウザーが開く https:// の URL。パスなし（例: \"https://desk.example\"）",
                    "the https:// URL that browsers open, without a path, such as \"https://desk.example\""
                ),
            ),
            Self::BadText { key, most } => (
                Error,
                "bad-oidc-text",
                say!(
                    "{key} に使えない文字があるか、空か、長すぎる",
                    "{key} is empty, too long, or holds other than printable ASCII"
                ),
                say!(
                    "空白のない英数字と記号、{most} 文字まで",
                    "up to {most} printable characters without spaces"
                ),
            ),
            Self::HalfRoles => (
                Error,
                "half-roles",
                say!(
                    "role_claim と [http.oidc.roles] の片方しかない",
                    "there is only one of role_claim and [http.oidc.roles]"
                ),
                say!(
                    "両方書くか、両方消す（消せば役割は people_file が決める）",
                    "both, or neither: then people_file gives the roles"
                ),
            ),
            Self::NoRoles => (
                Error,
                "no-roles",
                say!(
                    "誰にも役割が付かず、誰もログインできない",
                    "nothing gives anybody a role, and nobody could sign in"
                ),
                say!(
                    "role_claim と [http.oidc.roles]、または [http] people_file",
                    "role_claim and [http.oidc.roles], or [http] people_file"
                ),
            ),
            Self::NameOfFile => (
                Warning,
                "name-of-file",
                say!(
                    "name_claim は使われない。役割を people_file が決める時は氏名もそこから",
                    "name_claim is not looked at: where people_file gives the roles it gives the names"
                ),
                say!("name_claim を消す", "leave name_claim out"),
            ),
            Self::NoSecret => (
                Error,
                "no-secret",
                say!("秘密のファイルがない", "the file of the secret is not there"),
                say!(
                    "認証基盤がこの窓口に渡した client secret を入れ、chmod 600 にする。なければ client_secret_file を消す",
                    "the client secret that the provider gave, with chmod 600; if it gave none, leave client_secret_file out"
                ),
            ),
        }
    }
}
