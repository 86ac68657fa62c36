//! What can be wrong with who is told of warnings, in both languages. An address may hold a secret, so it is
//! never shown whole.

use crate::dialplan::Severity;
use crate::dialplan::shape::{Row, say};

/// What is wrong, with what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WarningProblem {
    /// The section names neither a receiver nor a mail server.
    NoWay,
    /// Not an address of a page of figures.
    BadLink { found: String },
    /// Not an address that can be posted to.
    BadUrl,
    /// An address without TLS.
    PlainUrl { host: String },
    /// An address of this machine or of a private network.
    PrivateUrl { host: String },
    /// A host that is not among those allowed.
    HostNotAllowed { host: String, hosts: String },
    /// The file of a secret is not there.
    NoSecret,
    /// Not `name:port`.
    BadMailServer { found: String },
    /// Not an address of mail.
    BadMailbox { found: String },
    /// Nobody to mail to, or too many.
    People { found: usize, most: usize },
    /// Mail that goes over the network without encryption.
    PlainMail { with_password: bool },
}

impl WarningProblem {
    pub(super) fn row(&self) -> Row {
        use Severity::{Error, Warning};
        match self {
            Self::NoWay => (
                Error,
                "warning-nobody",
                say!("[warning] に知らせる先がない", "[warning] names nobody to be told"),
                say!(
                    "webhook か smtp（docs/WARNING.md）。知らせないなら [warning] ごと消す",
                    "webhook or smtp (docs/WARNING.md); to tell nobody, leave [warning] out"
                ),
            ),
            Self::BadLink { found } => (
                Error,
                "bad-link",
                say!("link の \"{found}\" は URL ではない", "link: \"{found}\" is not a URL"),
                say!("例: \"https://desk.example/\"", "such as \"https://desk.example/\""),
            ),
            Self::BadUrl => (
                Error,
                "bad-webhook",
                say!("webhook は送り先の URL として読めない", "webhook is not a URL to post to"),
                say!(
                    "利用者名とパスワードのない https:// の URL（例: \"https://hooks.example/madoguchi\"）",
                    "an https:// URL without user and password, such as \"https://hooks.example/madoguchi\""
                ),
            ),
            Self::PlainUrl { host } => (
                Error,
                "plain-webhook",
                say!(
                    "webhook の {host} へは暗号化されずに送られる",
                    "what is posted to {host} would not be encrypted"
                ),
                say!(
                    "https://。この機器か内部のネットワークの中だけなら webhook_private = true",
                    "https://; on this machine or inside a private network, webhook_private = true"
                ),
            ),
            Self::PrivateUrl { host } => (
                Error,
                "private-webhook",
                say!(
                    "webhook の {host} は、この機器か内部のネットワークのアドレス",
                    "webhook: {host} is on this machine or in a private network"
                ),
                say!(
                    "それでよいなら webhook_private = true",
                    "webhook_private = true when that is meant"
                ),
            ),
            Self::HostNotAllowed { host, hosts } => (
                Error,
                "webhook-host",
                say!(
                    "webhook の {host} は webhook_hosts（{hosts}）にない",
                    "webhook: {host} is not among webhook_hosts ({hosts})"
                ),
                say!("webhook_hosts にあるホスト", "a host of webhook_hosts"),
            ),
            Self::NoSecret => (
                Error,
                "no-secret",
                say!("秘密のファイルがない", "the file of the secret is not there"),
                say!(
                    "相手と同じ秘密を入れ、chmod 600 にする（webhook なら openssl rand -hex 32 で作る）",
                    "the secret that the other side has, with chmod 600 (of a webhook: openssl rand -hex 32)"
                ),
            ),
            Self::BadMailServer { found } => (
                Error,
                "bad-mail-server",
                say!(
                    "smtp の \"{found}\" はサーバーとして読めない",
                    "smtp: \"{found}\" is not a server"
                ),
                say!(
                    "名前かアドレスとポート（例: \"mail.example:25\"）",
                    "a name or an address with a port, such as \"mail.example:25\""
                ),
            ),
            Self::BadMailbox { found } => (
                Error,
                "bad-mailbox",
                say!(
                    "\"{found}\" はメールアドレスとして読めない",
                    "\"{found}\" is not a mail address"
                ),
                say!("例: \"manager@desk.example\"", "such as \"manager@desk.example\""),
            ),
            Self::People { found, most } => (
                Error,
                "mail-people",
                say!("to が {found} 件", "to holds {found} addresses"),
                say!("1〜{most} 件", "1 to {most}"),
            ),
            Self::PlainMail { with_password: true } => (
                Error,
                "plain-mail-password",
                say!(
                    "メールのパスワードが暗号化されずに送られる",
                    "the mail password would be sent without encryption"
                ),
                say!("smtp_tls = \"starttls\" か \"tls\"", "smtp_tls = \"starttls\" or \"tls\""),
            ),
            Self::PlainMail { with_password: false } => (
                Warning,
                "plain-mail",
                say!(
                    "メールが暗号化されずに送られる",
                    "mail is sent to the server without encryption"
                ),
                say!("smtp_tls = \"starttls\" か \"tls\"", "smtp_tls = \"starttls\" or \"tls\""),
            ),
        }
    }
}
