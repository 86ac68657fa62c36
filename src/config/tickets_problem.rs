//! What can be wrong with `[tickets]`, in both languages. An address may hold a secret, so it is never shown
//! whole.

use crate::dialplan::Severity;
use crate::dialplan::shape::{Row, say};

/// What is wrong, with what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TicketsProblem {
    /// Not an address of the desk's pages.
    BadLink { found: String },
    /// No target, or too many.
    Targets { found: usize, most: usize },
    /// The ledger under another name, or another under the ledger's.
    LedgerName,
    /// Not a subject.
    Subject { error: String },
    /// Not an outcome of a call.
    NoSuchOutcome { found: String },
    /// Not a value of a call.
    NoSuchValue { found: String },
    /// Two values in one field.
    FieldTwice { field: String },
    /// No field for the call's id.
    NoCallField,
    /// Not an address that can be asked.
    BadUrl,
    /// An address without TLS.
    PlainUrl { host: String },
    /// An address of this machine or of a private network.
    PrivateUrl { host: String },
    /// A host that is not among those allowed.
    HostNotAllowed { host: String, hosts: String },
    /// The file of a secret is not there.
    NoSecret,
    /// The folder is not there.
    NoFolder,
    /// The directory of people cannot be read, or is none.
    NoDirectory { why: String },
}

impl TicketsProblem {
    pub(super) fn row(&self) -> Row {
        use Severity::Error;
        match self {
            Self::BadLink { found } => (
                Error,
                "tickets-link",
                say!("link の \"{found}\" は URL ではない", "link: \"{found}\" is not a URL"),
                say!("例: \"https://desk.example\"", "such as \"https://desk.example\""),
            ),
            Self::Targets { found, most } => (
                Error,
                "ticket-targets",
                say!("[[tickets.targets]] が {found} 個", "there are {found} [[tickets.targets]]"),
                say!(
                    "1〜{most} 個。外のチケットシステムに送らないなら、targets を書かない（台帳だけになる）",
                    "1 to {most}; to feed no system outside, leave targets out (the ledger is left)"
                ),
            ),
            Self::LedgerName => (
                Error,
                "ticket-ledger",
                say!(
                    "name = \"ledger\" と kind = \"ledger\" は、いつも一緒",
                    "name = \"ledger\" and kind = \"ledger\" always go together"
                ),
                say!("どちらかを直す", "mend one of the two"),
            ),
            Self::Subject { error } => (
                Error,
                "ticket-subject",
                say!("subject として読めない（{error}）", "this is no subject: {error}"),
                say!(
                    "例: \"電話 {{caller}} {{outcome}}\"",
                    "such as \"Call from {{caller}}: {{outcome}}\""
                ),
            ),
            Self::NoSuchOutcome { found } => (
                Error,
                "ticket-outcome",
                say!("結果 \"{found}\" はない", "there is no outcome \"{found}\""),
                say!(
                    "answered、abandoned、message_taken など（docs/TICKETS.md）",
                    "answered, abandoned, message_taken and so on (docs/TICKETS.md)"
                ),
            ),
            Self::NoSuchValue { found } => (
                Error,
                "ticket-value",
                say!("呼の値 \"{found}\" はない", "there is no value \"{found}\" of a call"),
                say!(
                    "call、caller、arrived_at、wait_s など（docs/TICKETS.md）",
                    "call, caller, arrived_at, wait_s and so on (docs/TICKETS.md)"
                ),
            ),
            Self::FieldTwice { field } => (
                Error,
                "ticket-field-twice",
                say!("項目 {field} に値が二つ", "two values for the field {field}"),
                say!("項目ごとに一つ", "one for each field"),
            ),
            Self::NoCallField => (
                Error,
                "ticket-no-call-field",
                say!(
                    "fields に call がない: どの呼のチケットか分からず、二重に作られてしまう",
                    "fields has no call: nothing would tell whose ticket it is, and there would be two of one call"
                ),
                say!(
                    "呼 ID を入れる項目を作り、fields = {{ call = … }} と書く",
                    "make a field for the call's id, and write fields = {{ call = … }}"
                ),
            ),
            Self::BadUrl => (
                Error,
                "ticket-url",
                say!(
                    "url はチケットシステムの URL として読めない",
                    "url is not a URL of a ticket system"
                ),
                say!(
                    "利用者名とパスワードのない https:// の URL（例: \"https://redmine.example/\"）",
                    "an https:// URL without user and password, such as \"https://redmine.example/\""
                ),
            ),
            Self::PlainUrl { host } => (
                Error,
                "ticket-plain-url",
                say!(
                    "{host} へは暗号化されずに送られる",
                    "what goes to {host} would not be encrypted"
                ),
                say!(
                    "https://。この機器か内部のネットワークの中だけなら private = true",
                    "https://; on this machine or inside a private network, private = true"
                ),
            ),
            Self::PrivateUrl { host } => (
                Error,
                "ticket-private-url",
                say!(
                    "{host} は、この機器か内部のネットワークのアドレス",
                    "{host} is on this machine or in a private network"
                ),
                say!("それでよいなら private = true", "private = true when that is meant"),
            ),
            Self::HostNotAllowed { host, hosts } => (
                Error,
                "ticket-host",
                say!("{host} は hosts（{hosts}）にない", "{host} is not among hosts ({hosts})"),
                say!("hosts にあるホスト", "a host of hosts"),
            ),
            Self::NoSecret => (
                Error,
                "no-secret",
                say!("秘密のファイルがない", "the file of the secret is not there"),
                say!(
                    "チケットシステムの鍵（webhook なら相手と同じ秘密）を 1 行で入れ、chmod 600 にする",
                    "one line with the ticket system's key (of a webhook: the secret that the other side has), with chmod 600"
                ),
            ),
            // It may be a disk elsewhere, and be there again later.
            Self::NoFolder => (
                Severity::Warning,
                "ticket-folder",
                say!("フォルダーがない", "the folder is not there"),
                say!(
                    "作って、このデーモンが書けるようにする",
                    "make it, and let the daemon write there"
                ),
            ),
            // Nobody's name is shown for want of it; callers come first.
            Self::NoDirectory { why } => (
                Severity::Warning,
                "ticket-directory",
                say!("directory が使えない（{why}）", "directory cannot be used: {why}"),
                say!(
                    "見出しに number（番号）のある CSV を置き、デーモンが読めるようにする。なければ誰の名前も出ない",
                    "a CSV with the column `number` there, readable by the daemon; without it nobody's name is shown"
                ),
            ),
        }
    }
}
