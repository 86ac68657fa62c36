//! What can be wrong with the people file and the pages' certificate, in both languages. A line of the file is
//! never shown.

use crate::dialplan::Severity;
use crate::dialplan::shape::{Row, say};
use crate::people::HashProblem;

/// What is wrong, with what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PeopleProblem {
    /// The file is not there yet.
    Nobody { file: String },
    /// Not a user name.
    BadUser,
    /// Not what a password is judged by.
    BadHash(HashProblem),
    /// Has neither a password nor another way in.
    NoPassword { user: String },
    /// A user, a name or an extension stands twice, or there are too many.
    Twice { user: String, most: usize },
    /// An agent without a line.
    NoExtension { user: String },
    /// A certificate without its key, or the other way round.
    HalfCertificate,
    /// Passwords would go over the network in clear.
    PlainLogins { found: String },
}

impl PeopleProblem {
    pub(super) fn row(&self) -> Row {
        use Severity::{Error, Warning};
        match self {
            Self::Nobody { file } => (
                Warning,
                "no-people",
                say!(
                    "{file} がまだなく、誰も利用者名でログインできない",
                    "{file} is not there yet: nobody can sign in by name"
                ),
                say!(
                    "madoguchi people add 利用者名 --name 氏名 --role admin",
                    "madoguchi people add USER --name NAME --role admin"
                ),
            ),
            Self::BadUser => (
                Error,
                "bad-person",
                say!("利用者名として使えない", "this cannot be a user name"),
                say!("1〜32 文字の英数字と . _ -", "1 to 32 of letters, digits, . _ -"),
            ),
            Self::BadHash(why) => (
                Error,
                "bad-person",
                match why {
                    HashProblem::Form => say!(
                        "password が argon2id の PHC 形式ではない",
                        "password is not argon2id in the PHC form"
                    ),
                    HashProblem::TooDear => say!(
                        "password の検査に時間とメモリーがかかりすぎる",
                        "one look at this password would take too much time and memory"
                    ),
                },
                say!("madoguchi people password 利用者名", "madoguchi people password USER"),
            ),
            Self::NoPassword { user } => (
                Warning,
                "no-password",
                say!(
                    "{user} にはパスワードがなく、[http.oidc] の認証基盤からしかログインできない",
                    "{user} has no password and can sign in by the provider of [http.oidc] only"
                ),
                say!("madoguchi people password {user}", "madoguchi people password {user}"),
            ),
            Self::Twice { user, most } => (
                Error,
                "person-twice",
                say!(
                    "{user} の利用者名・氏名・内線のどれかが別の人と同じか、{most} 人を超えている",
                    "{user}: the user, name or extension is another person's, or there are more than {most}"
                ),
                say!("どれも一人に一つ", "each of them once"),
            ),
            Self::NoExtension { user } => (
                Error,
                "no-extension",
                say!("オペレータ {user} に内線がない", "{user} is an agent without an extension"),
                say!("extension = \"2001\"", "extension = \"2001\""),
            ),
            Self::HalfCertificate => (
                Error,
                "half-certificate",
                say!(
                    "[http] の certificate と key の片方しかない",
                    "[http] has only one of certificate and key"
                ),
                say!("両方書くか、両方消す", "both, or neither"),
            ),
            Self::PlainLogins { found } => (
                Warning,
                "plain-logins",
                say!(
                    "{found} では、利用者のパスワードが暗号化されずにネットワークを通る",
                    "at {found} people's passwords go over the network in clear"
                ),
                say!("[http] certificate と key", "[http] certificate and key"),
            ),
        }
    }
}
