//! What can be wrong with `madoguchi.toml` and the files it names, in Japanese and English.

use super::oidc_problem::OidcProblem;
use super::people_problem::PeopleProblem;
use super::start::StartProblem;
use super::tickets_problem::TicketsProblem;
use super::tls_problem::TlsProblem;
use super::warning_problem::WarningProblem;
use crate::dialplan::shape::{Row, message, say};
use crate::dialplan::{Message, Severity};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Of certificates and keys.
    Tls(TlsProblem),
    /// Of people's accounts.
    People(PeopleProblem),
    /// Of tickets.
    Tickets(TicketsProblem),
    /// Of who is told of warnings.
    Warning(WarningProblem),
    /// With signing in by an identity provider.
    Oidc(OidcProblem),
    /// What keeps a desk from starting, beside what its files say.
    Start(StartProblem),
    /// A file cannot be read or written.
    File { error: String, written: bool },
    /// A file is not UTF-8.
    NotText,
    /// Not `transport:address:port`.
    BadListen { found: String },
    /// Not an IP address.
    BadAddress { key: String, found: String },
    /// Not an address with a port.
    BadSocket { key: String, found: String },
    /// An entry stands twice.
    Twice { what: String, line: usize },
    /// The list is empty.
    Empty { key: String, example: &'static str },
    /// 0.0.0.0 and nothing to tell others.
    NoAdvertise { key: &'static str },
    /// An address that nobody can be reached by.
    Unreachable { key: String, found: String },
    /// Not `first-last`.
    BadPorts { found: String },
    /// Not a date.
    BadDate { found: String },
    /// Not a time of day.
    BadTime { found: String },
    /// The first port is odd.
    OddPort { first: u16 },
    /// Fewer than four ports.
    FewPorts { count: u32 },
    /// A listener lies inside the RTP ports.
    PortInside { port: u16 },
    /// Fewer RTP ports than calls.
    PortsBelowCalls { pairs: usize, calls: u64 },
    /// Not a host name or address.
    BadHost { found: String },
    /// Not fit for a quoted string in a header.
    BadRealm { found: String },
    /// Not a contact.
    BadContact { found: String },
    /// Many numbers at one contact.
    OneContact { numbers: String },
    /// The shortest lease is longer than the longest.
    LeaseOrder { min: String, max: String },
    /// Pages open to the network without encryption.
    OpenPages { found: String },
    /// The site's store on another machine, without encryption.
    SiteInClear { host: String },
    /// Not a network.
    BadNetwork { found: String, host_bits: bool },
    /// A rule that says nothing.
    EmptyRule,
    /// A rule that names no account.
    RuleForNobody,
    /// Not a collector.
    BadCollector { found: String },
    /// Not levels of the log.
    BadLogLevels { found: String },
    /// A collector, and nothing kept to send.
    HepWithoutMemory,
    /// A credential, and no service manager that hands it over.
    NoCredentials { name: String },
    /// Not the name of a credential.
    BadCredential { found: String },
    /// A secret that others can read.
    Readable { mode: u32, file: String },
    /// A line that is not user, tab, password.
    BadAccountLine,
    /// A line of hashes that are none.
    BadHashes,
    /// Hashes that were made for another realm.
    OtherRealm { user: String, realm: String, due: String },
    /// A user name that cannot be an extension.
    BadUser,
    /// A password that is too short.
    ShortPassword { least: usize },
    /// Passwords that are taken, but could be guessed.
    WeakPasswords { count: usize, due: usize },
    /// A token that could be guessed.
    ShortToken { least: usize },
    /// Not the key of recordings.
    BadRecordingKey,
    /// Nothing can be recorded there.
    RecordingDirectory { directory: String, why: String },
    /// Too little room for recordings.
    RecordingRoom { directory: String, free: u64, least: u64 },
    /// The plan records calls, and there is no place for them.
    RecordsNowhere,
    /// The plan records, and the desk that runs was started without a recorder.
    RecordsUnready,
    /// Not a carrier's server.
    BadServer { found: String },
    /// G.711 is not among the codecs.
    NoG711,
    /// A user, realm or domain that cannot stand in a header.
    BadWordOfTrunk { key: String, found: String },
    /// A profile that registers, and nowhere to register.
    NoServers,
    /// A profile that registers, and no name or password.
    NoLogin { key: &'static str, example: &'static str },
    /// A trunk that must be called from a port that we do not listen on.
    SourcePort { name: String, port: u16 },
    /// Not an origin.
    BadOrigin { found: String },
    /// A trunk that calls are to be placed by, and that only calls us.
    NoWayOut { name: String },
    /// A trunk that the configuration does not have.
    NoTrunk { name: String, number: String, near: Option<String> },
    /// Agents of the plan that have no phone.
    NoPhone { agents: Vec<String> },
}

impl From<Problem> for Message {
    fn from(problem: Problem) -> Self {
        message(problem.row())
    }
}

impl Problem {
    fn row(&self) -> Row {
        use Severity::{Error, Warning};
        match self {
            Self::Tls(problem) => problem.row(),
            Self::People(problem) => problem.row(),
            Self::Warning(problem) => problem.row(),
            Self::Tickets(problem) => problem.row(),
            Self::Oidc(problem) => problem.row(),
            Self::Start(problem) => problem.row(),
            Self::File { error, written: false } => (
                Error,
                "unreadable",
                say!("読めない: {error}", "cannot be read: {error}"),
                say!("実行する利用者が読めるファイル", "a file that the daemon's user can read"),
            ),
            Self::File { error, written: true } => (
                Error,
                "unwritable",
                say!("作れない: {error}", "cannot be made: {error}"),
                say!(
                    "実行する利用者が書けるフォルダー",
                    "a folder that the daemon's user can write to"
                ),
            ),
            Self::NotText => (
                Error,
                "not-text",
                say!("UTF-8 の文字として読めない", "this is not UTF-8 text"),
                say!("UTF-8 で保存する", "save it as UTF-8"),
            ),
            Self::BadListen { found } => (
                Error,
                "bad-listen",
                say!(
                    "listen の \"{found}\" は待ち受けとして読めない",
                    "listen: \"{found}\" is not a listener"
                ),
                say!(
                    "方式:アドレス:ポート（例: \"udp:192.0.2.10:5060\"、\"tcp:[2001:db8::1]:5060\"）",
                    "transport:address:port, such as \"udp:192.0.2.10:5060\" or \"tcp:[2001:db8::1]:5060\""
                ),
            ),
            Self::BadAddress { key, found } => (
                Error,
                "bad-address",
                say!(
                    "{key} の \"{found}\" は IP アドレスではない",
                    "{key}: \"{found}\" is not an IP address"
                ),
                say!("例: \"192.0.2.10\"", "such as \"192.0.2.10\""),
            ),
            Self::BadSocket { key, found } => (
                Error,
                "bad-address",
                say!(
                    "{key} の \"{found}\" はアドレスとポートとして読めない",
                    "{key}: \"{found}\" is not an address and port"
                ),
                say!(
                    "例: \"192.0.2.10:5060\"、\"[2001:db8::1]:5060\"",
                    "such as \"192.0.2.10:5060\" or \"[2001:db8::1]:5060\""
                ),
            ),
            Self::Twice { what, line } => (
                Error,
                "twice",
                say!(
                    "{what} が二度書かれている（先は {line} 行目）",
                    "{what} is written twice (first in line {line})"
                ),
                say!("一度だけ", "once"),
            ),
            Self::Empty { key, example } => (
                Error,
                "empty",
                say!("{key} が空", "{key} is empty"),
                say!("一つ以上（例: {example}）", "one or more, such as {example}"),
            ),
            Self::NoAdvertise { key } => (
                Error,
                "no-advertise",
                say!(
                    "{key} がすべてのアドレスで待ち受けるのに、相手に知らせるアドレスがない",
                    "{key} is every address of the machine, and there is none to tell others"
                ),
                say!(
                    "[sip] に advertise = \"192.0.2.10\" のように、相手から届くアドレス",
                    "advertise = \"192.0.2.10\" in [sip]: the address that others reach us by"
                ),
            ),
            Self::Unreachable { key, found } => (
                Error,
                "bad-address",
                say!("{key} が {found} になっている", "{key} is {found}"),
                say!("特定の機器のアドレス", "the address of one machine"),
            ),
            Self::BadPorts { found } => (
                Error,
                "bad-ports",
                say!(
                    "ports の \"{found}\" はポートの範囲として読めない",
                    "ports: \"{found}\" is not a range of ports"
                ),
                say!(
                    "1024 以上で小さい方から（例: \"20000-29999\"）",
                    "1024 or more, the smaller first, such as \"20000-29999\""
                ),
            ),
            Self::BadDate { found } => (
                Error,
                "bad-date",
                say!("\"{found}\" は日付として読めない", "\"{found}\" is not a date"),
                say!("年-月-日（例: \"2026-04-01\"）", "year-month-day, such as \"2026-04-01\""),
            ),
            Self::BadTime { found } => (
                Error,
                "bad-time",
                say!("\"{found}\" は時刻として読めない", "\"{found}\" is not a time of day"),
                say!("時:分（例: \"03:00\"）", "hours and minutes, such as \"03:00\""),
            ),
            Self::OddPort { first } => (
                Error,
                "odd-port",
                say!("ports が奇数の {first} から始まる", "ports begin with the odd {first}"),
                say!(
                    "偶数から（RTP が偶数、RTCP がその次。RFC 3550 §11）",
                    "an even one: RTP takes the even port, RTCP the next (RFC 3550 §11)"
                ),
            ),
            Self::FewPorts { count } => (
                Error,
                "few-ports",
                say!("ports が {count} 個しかない", "ports are only {count}"),
                say!("4 個以上（通話一つに 4 個使う）", "4 or more: one conversation takes 4"),
            ),
            Self::PortInside { port } => (
                Error,
                "port-inside",
                say!(
                    "ポート {port} が [media] ports の中にある",
                    "the port {port} lies inside [media] ports"
                ),
                say!("ports の外のポート", "a port outside of them"),
            ),
            Self::PortsBelowCalls { pairs, calls } => (
                Warning,
                "ports-below-calls",
                say!(
                    "音声のポートが {pairs} 組で、同時通話の上限 {calls} より少ない",
                    "there are {pairs} pairs of ports for {calls} calls at once"
                ),
                say!(
                    "ポートを増やすか（待つ電話に 1 組、通話に 2 組）、calls を減らす",
                    "more ports (a waiting call takes one pair, a conversation two), or fewer calls"
                ),
            ),
            Self::BadHost { found } => (
                Error,
                "bad-host",
                say!(
                    "\"{found}\" はホスト名でもアドレスでもない",
                    "\"{found}\" is neither a host name nor an address"
                ),
                say!("例: \"desk.example\"", "such as \"desk.example\""),
            ),
            Self::BadRealm { found } => (
                Error,
                "bad-realm",
                say!("realm の \"{found}\" は使えない", "realm: \"{found}\" cannot be used"),
                say!(
                    "1〜128 文字の英数字と記号（\" と \\ は除く。例: \"desk.example\"）",
                    "1 to 128 printable ASCII characters but \" and \\, such as \"desk.example\""
                ),
            ),
            Self::BadContact { found } => (
                Error,
                "bad-contact",
                say!(
                    "contact の \"{found}\" は電話機の宛先として読めない",
                    "contact: \"{found}\" is not a phone's address"
                ),
                say!(
                    "例: \"sip:{{number}}@192.0.2.20:5060\"（アドレスは IP アドレス）",
                    "such as \"sip:{{number}}@192.0.2.20:5060\", the host as an IP address"
                ),
            ),
            Self::OneContact { numbers } => (
                Warning,
                "one-contact",
                say!(
                    "{numbers} のすべてが同じ宛先になる",
                    "all of {numbers} have the same address"
                ),
                say!(
                    "番号ごとに変わる所を {{number}} と書く",
                    "{{number}} where each one's own stands"
                ),
            ),
            Self::LeaseOrder { min, max } => (
                Error,
                "lease-order",
                say!(
                    "min_expires {min} が max_expires {max} より長い",
                    "min_expires {min} is longer than max_expires {max}"
                ),
                say!("max_expires 以下", "max_expires or less"),
            ),
            Self::OpenPages { found } => (
                Warning,
                "open-pages",
                say!(
                    "画面と API が {found} で、暗号化されずにネットワークから届く",
                    "pages and API are open to the network at {found} without encryption"
                ),
                say!(
                    "[http] certificate と key、または 127.0.0.1 で待ち受けて TLS の中継を前に置く",
                    "[http] certificate and key, or 127.0.0.1 with a TLS proxy in front"
                ),
            ),
            Self::SiteInClear { host } => (
                Warning,
                "site-in-clear",
                say!(
                    "発信者の番号が、暗号化されずに {host} へ送られる",
                    "callers' numbers go to {host} without encryption"
                ),
                say!(
                    "tls = \"verified\"（サーバ証明書の認証局は ca_file）",
                    "tls = \"verified\", with the server's authority in ca_file"
                ),
            ),
            Self::BadNetwork { found, host_bits } => {
                let due = if *host_bits {
                    say!(
                        "ネットワークの先頭のアドレス（例: \"192.0.2.0/24\"）",
                        "the network's first address, such as \"192.0.2.0/24\""
                    )
                } else {
                    say!(
                        "アドレスかネットワーク（例: \"192.0.2.7\"、\"192.0.2.0/24\"）",
                        "an address or a network, such as \"192.0.2.7\" or \"192.0.2.0/24\""
                    )
                };
                (
                    Error,
                    "bad-network",
                    say!(
                        "networks の \"{found}\" はネットワークとして読めない",
                        "networks: \"{found}\" is not a network"
                    ),
                    due,
                )
            }
            Self::EmptyRule => (
                Warning,
                "empty-rule",
                say!("この規則は何も制限しない", "this rule limits nothing"),
                say!(
                    "networks、transports、max_contacts のどれか",
                    "networks, transports or max_contacts"
                ),
            ),
            Self::RuleForNobody => (
                Warning,
                "rule-for-nobody",
                say!("この規則に当てはまるアカウントがない", "no account is named by this rule"),
                say!(
                    "アカウントのファイルにある内線、その範囲、または \"*\"",
                    "an extension of the accounts file, a range of them, or \"*\""
                ),
            ),
            Self::BadCollector { found } => (
                Error,
                "bad-collector",
                say!(
                    "hep の \"{found}\" は収集先として読めない",
                    "hep: \"{found}\" is not a collector"
                ),
                say!(
                    "方式:アドレス:ポート（例: \"udp:192.0.2.30:9060\"、\"tcp:192.0.2.30:9060\"）",
                    "transport:address:port, such as \"udp:192.0.2.30:9060\" or \"tcp:192.0.2.30:9060\""
                ),
            ),
            Self::BadLogLevels { found } => (
                Error,
                "bad-log-levels",
                say!(
                    "levels の \"{found}\" はログの水準として読めない",
                    "levels: \"{found}\" is no level of the log"
                ),
                say!(
                    "水準、または 部屋=水準 をコンマで並べる（例: \"info,net=debug\"。水準は error、warn、info、debug、trace）",
                    "a level, or room=level, separated by commas, such as \"info,net=debug\"; levels are error, warn, info, debug and trace"
                ),
            ),
            Self::HepWithoutMemory => (
                Error,
                "hep-without-memory",
                say!(
                    "memory_mib が 0 なので、hep に送るものがない",
                    "memory_mib is 0, so there is nothing to send to hep"
                ),
                say!("memory_mib を 1 以上にする", "memory_mib of 1 or more"),
            ),
            Self::NoCredentials { name } => (
                Error,
                "no-credentials",
                say!(
                    "資格情報 {name} を渡す service manager がない（環境変数 CREDENTIALS_DIRECTORY がない）",
                    "nobody hands over the credential {name}: CREDENTIALS_DIRECTORY is not in the environment"
                ),
                say!(
                    "ユニットの LoadCredential={name}:… の下で動かす。手で調べるなら CREDENTIALS_DIRECTORY=その元のあるフォルダー madoguchi check …",
                    "a unit with LoadCredential={name}:…; to check by hand: CREDENTIALS_DIRECTORY=FOLDER madoguchi check …, FOLDER being where their sources lie"
                ),
            ),
            Self::BadCredential { found } => (
                Error,
                "bad-credential",
                say!("\"{found}\" は資格情報の名前ではない", "\"{found}\" names no credential"),
                say!(
                    "$CREDENTIALS_DIRECTORY/名前。名前は英数字と - _ .（例: \"$CREDENTIALS_DIRECTORY/http-token\"）",
                    "$CREDENTIALS_DIRECTORY/NAME, the name of letters, digits, - _ . as in \"$CREDENTIALS_DIRECTORY/http-token\""
                ),
            ),
            Self::Readable { mode, file } => (
                Error,
                "readable-secret",
                say!("ほかの利用者が読める（{mode:04o}）", "others can read it (mode {mode:04o})"),
                say!("chmod 600 {file}", "chmod 600 {file}"),
            ),
            Self::BadAccountLine => (
                Error,
                "bad-account",
                say!(
                    "内線とパスワードの行として読めない",
                    "this line is not an extension and a password"
                ),
                say!("内線、タブ一つ、パスワード", "the extension, one tab, the password"),
            ),
            Self::BadHashes => (
                Error,
                "bad-account",
                say!(
                    "タブのある行が、ハッシュの行として読めない",
                    "this line has tabs and is not one of hashes"
                ),
                say!(
                    "内線、realm、MD5（16 進 32 桁）、SHA-256（16 進 64 桁）をタブで。作るには madoguchi accounts hash",
                    "extension, realm, MD5 (32 hexadecimal digits), SHA-256 (64), with tabs between; madoguchi accounts hash makes them"
                ),
            ),
            Self::OtherRealm { user, realm, due } => (
                Error,
                "other-realm",
                say!(
                    "内線 {user} のハッシュは realm {realm} のもの",
                    "the hashes of extension {user} are for the realm {realm}"
                ),
                say!(
                    "[sip] realm = \"{due}\" のもの。パスワードは戻せないので、その内線に新しいパスワードの行を書く",
                    "those for [sip] realm = \"{due}\"; a password cannot be had back from them: write a line with a new one"
                ),
            ),
            Self::BadUser => (
                Error,
                "bad-account",
                say!("内線として使えない名前", "this name cannot be an extension"),
                say!("1〜32 文字の英数字と . _ -", "1 to 32 of letters, digits, . _ -"),
            ),
            Self::ShortPassword { least } => (
                Error,
                "short-password",
                say!(
                    "パスワードが短すぎるか、使えない文字がある",
                    "the password is too short or holds control characters"
                ),
                say!(
                    "{least}〜128 文字。作り方の例: openssl rand -hex 12",
                    "{least} to 128 characters, made for example by: openssl rand -hex 12"
                ),
            ),
            Self::WeakPasswords { count, due } => (
                Warning,
                "weak-passwords",
                say!(
                    "{due} 文字より短いパスワードのアカウントが {count} 件ある",
                    "{count} accounts have a password of fewer than {due} characters"
                ),
                say!(
                    "{due} 文字以上。作り方の例: openssl rand -hex 12",
                    "{due} or more, made for example by: openssl rand -hex 12"
                ),
            ),
            Self::ShortToken { least } => (
                Error,
                "short-token",
                say!(
                    "トークンが短すぎるか、使えない文字がある",
                    "the token is too short or holds other than printable ASCII"
                ),
                say!(
                    "{least}〜256 文字の英数字。ファイルを消せば、次の起動で作られる",
                    "{least} to 256 letters and digits; without the file one is made at the next start"
                ),
            ),
            Self::BadRecordingKey => (
                Error,
                "bad-recording-key",
                say!("録音の鍵として読めない", "the file holds no key for recordings"),
                say!(
                    "16 進 64 桁。openssl rand -hex 32 で作る",
                    "64 hexadecimal digits; openssl rand -hex 32 makes them"
                ),
            ),
            Self::RecordingDirectory { directory, why } => (
                Warning,
                "recording-directory",
                say!(
                    "録音の置き場 {directory} を使えない: {why}",
                    "recordings cannot lie in {directory}: {why}"
                ),
                say!(
                    "デーモンの利用者が書き込めるディレクトリにする",
                    "a directory that the daemon's user may write to"
                ),
            ),
            Self::RecordingRoom { directory, free, least } => (
                Warning,
                "recording-room",
                say!(
                    "{directory} の空きは {free} MiB で、least_free_mib = {least} に足りない。録音は始まらない",
                    "{directory} has {free} MiB free, less than least_free_mib = {least}: nothing will be recorded"
                ),
                say!(
                    "空きを作るか、least_free_mib を下げる",
                    "more room, or a lower least_free_mib"
                ),
            ),
            Self::RecordsNowhere => (
                Error,
                "records-nowhere",
                say!(
                    "プランは通話を録音するが、設定に [recording] がない",
                    "the plan records calls, and the configuration has no [recording]"
                ),
                say!(
                    "[recording] directory = \"recordings\"",
                    "[recording] directory = \"recordings\""
                ),
            ),
            Self::RecordsUnready => (
                Error,
                "records-unready",
                say!(
                    "プランは通話を録音するが、動いている窓口は [recording] なしで起動した",
                    "the plan records calls, and the desk that runs was started without [recording]"
                ),
                say!(
                    "再起動すると録音できる（systemctl restart madoguchi、通話を切らずに: madoguchi drain --within 15）",
                    "a restart brings the recorder: systemctl restart madoguchi, or without a call cut off madoguchi drain --within 15"
                ),
            ),
            Self::BadServer { found } => (
                Error,
                "bad-server",
                say!(
                    "servers の \"{found}\" は事業者のサーバーとして読めない（8 個まで）",
                    "servers: \"{found}\" is not a carrier's server (8 at most)"
                ),
                say!(
                    "例: \"carrier.example\"、\"192.0.2.1:5060\"、\"tcp:192.0.2.1\"",
                    "such as \"carrier.example\", \"192.0.2.1:5060\" or \"tcp:192.0.2.1\""
                ),
            ),
            Self::NoG711 => (
                Error,
                "no-g711",
                say!("codecs に G.711 がない", "codecs names no G.711"),
                say!("\"pcmu\" か \"pcma\"", "\"pcmu\" or \"pcma\""),
            ),
            Self::BadWordOfTrunk { key, found } => (
                Error,
                "bad-word",
                say!("{key} の \"{found}\" は使えない", "{key}: \"{found}\" cannot be used"),
                say!(
                    "1〜128 文字の英数字と記号（空白と \" \\ < > @ は除く）",
                    "1 to 128 printable ASCII characters but blanks and \" \\ < > @"
                ),
            ),
            Self::NoServers => (
                Error,
                "no-servers",
                say!(
                    "登録をする profile なのに、登録先の servers がない",
                    "this profile registers, and servers does not say where"
                ),
                say!(
                    "servers = [\"192.0.2.1:5060\"]、または register = \"none\"",
                    "servers = [\"192.0.2.1:5060\"], or register = \"none\""
                ),
            ),
            Self::NoLogin { key, example } => (
                Error,
                "no-login",
                say!(
                    "登録をする profile なのに {key} がない",
                    "this profile registers, and there is no {key}"
                ),
                say!("{example}", "{example}"),
            ),
            Self::SourcePort { name, port } => (
                Error,
                "source-port",
                say!(
                    "外線 {name} は UDP のポート {port} から送る決まりだが、そこで待ち受けていない",
                    "the trunk {name} must be called from the UDP port {port}, and there is no listener on it"
                ),
                say!(
                    "[sip] listen に \"udp:…:{port}\"、または source_port = 0",
                    "\"udp:…:{port}\" in [sip] listen, or source_port = 0"
                ),
            ),
            Self::BadOrigin { found } => (
                Error,
                "bad-origin",
                say!(
                    "origins の \"{found}\" はページの出所として読めない",
                    "origins: \"{found}\" is not a page's origin"
                ),
                say!(
                    "例: \"https://panel.example\"（パスと終わりの / は書かない）",
                    "such as \"https://panel.example\", without a path or a final slash"
                ),
            ),
            Self::NoWayOut { name } => (
                Error,
                "no-way-out",
                say!(
                    "計画が発信に使う外線 {name} に servers がない",
                    "the plan places calls by the trunk {name}, which has no servers"
                ),
                say!("servers = [\"192.0.2.1:5060\"]", "servers = [\"192.0.2.1:5060\"]"),
            ),
            Self::NoTrunk { name, number, near } => {
                let due = match near {
                    Some(near) => say!("{near} のことですか", "did you mean {near}?"),
                    None => {
                        say!("[[trunks]] の name にある名前", "the name of one of the [[trunks]]")
                    }
                };
                (
                    Error,
                    "no-trunk",
                    say!(
                        "計画の着信番号 {number} の外線 {name} がない",
                        "there is no trunk {name}, which the plan names at the desk number {number}"
                    ),
                    due,
                )
            }
            Self::NoPhone { agents } => {
                let (count, first) = (agents.len(), agents.first().map_or("", String::as_str));
                (
                    Warning,
                    "no-phone",
                    say!(
                        "計画のオペレータ {count} 人（{first} など）に、アカウントも固定の電話機もない",
                        "{count} agents of the plan ({first} among them) have neither an account nor a fixed phone"
                    ),
                    say!(
                        "[accounts] のファイルか [[fixed_phones]] に加える",
                        "a line in the accounts file, or [[fixed_phones]]"
                    ),
                )
            }
        }
    }
}
