//! What may be shown of a message. Numbers and names become pseudonyms that stay the same within one
//! page, so that who is who can be followed; passwords, digests and media keys are never shown.
//!
//! Built the other way round from a filter: what is known to tell of nobody is shown, what is known to
//! hold addresses is taken apart, and all else is hidden. A header nobody thought of leaks nothing.

use super::seen::{Seen, long_name};
use super::uri::{self, Address, address, cut, entries, parts, unescape};
use std::collections::BTreeMap;

/// Pseudonyms of one page; further people all look the same.
const MAX_PSEUDONYMS: usize = 4096;
/// Stands for what is not shown.
const HIDDEN: &str = "***";
/// A number of so many digits is looked for also where no number is due.
const TELLING_DIGITS: usize = 7;

/// What is shown of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reveal {
    /// Pseudonyms.
    #[default]
    Nothing,
    /// Numbers and names as they are. Credentials stay hidden.
    Numbers,
}

/// Rewrites messages, with the pseudonyms of one page.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    reveal: Reveal,
    numbers: BTreeMap<String, usize>,
    names: BTreeMap<String, usize>,
}

/// Header values that tell of nobody (RFC 3261, 3262, 3264, 3265, 3312, 3323, 3326, 3329, 4028, 5626).
const PLAIN: [&str; 42] = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Allow",
    "Allow-Events",
    "CSeq",
    "Call-ID",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "Date",
    "Event",
    "Expires",
    "Flow-Timer",
    "MIME-Version",
    "Max-Forwards",
    "Min-Expires",
    "Min-SE",
    "P-Access-Network-Info",
    "P-Early-Media",
    "Priority",
    "Privacy",
    "Proxy-Require",
    "RAck",
    "RSeq",
    "Recv-Info",
    "Refer-Sub",
    "Request-Disposition",
    "Require",
    "Retry-After",
    "SIP-ETag",
    "SIP-If-Match",
    "Server",
    "Session-Expires",
    "Subscription-State",
    "Supported",
    "Timestamp",
    "Unsupported",
    "User-Agent",
    "Via",
];

/// Header values made of addresses.
const ADDRESSES: [&str; 22] = [
    "From",
    "To",
    "Contact",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "P-Called-Party-ID",
    "P-Associated-URI",
    "P-Charging-Vector-URI",
    "Diversion",
    "History-Info",
    "Remote-Party-ID",
    "Referred-By",
    "Refer-To",
    "Reply-To",
    "Route",
    "Record-Route",
    "Path",
    "Service-Route",
    "Alert-Info",
    "Call-Info",
    "Error-Info",
    "Target-Dialog-URI",
];

/// Users that are nobody's.
const NOBODY: [&str; 5] = ["anonymous", "unavailable", "desk", "restricted", "unknown"];

/// Address parameters whose values tell of nobody.
const PLAIN_PARAMS: [&str; 24] = [
    "tag",
    "expires",
    "q",
    "transport",
    "lr",
    "ob",
    "ttl",
    "method",
    "user",
    "rport",
    "received",
    "maddr",
    "reg-id",
    "+sip.instance",
    "reason",
    "counter",
    "privacy",
    "screen",
    "limit",
    "index",
    "cause",
    "party",
    "alias",
    "keep",
];

/// Attributes of a session description that tell of nobody and open nothing.
const PLAIN_SDP: [&str; 21] = [
    "rtpmap",
    "fmtp",
    "ptime",
    "maxptime",
    "sendrecv",
    "sendonly",
    "recvonly",
    "inactive",
    "rtcp",
    "rtcp-mux",
    "rtcp-fb",
    "candidate",
    "ice-ufrag",
    "ice-lite",
    "end-of-candidates",
    "setup",
    "fingerprint",
    "mid",
    "group",
    "silenceSupp",
    "ice-options",
];

impl Redactor {
    /// With no pseudonym given yet.
    #[must_use]
    pub fn new(reveal: Reveal) -> Self {
        Self { reveal, ..Self::default() }
    }

    /// A message as it may be shown, still a message: its Content-Length is that of the body shown.
    #[must_use]
    pub fn message(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(seen) = Seen::read(bytes) else {
            return format!("({} bytes that are no SIP message)", bytes.len()).into_bytes();
        };
        self.seen(&seen)
    }

    /// As [`Redactor::message`], of one already taken apart.
    #[must_use]
    pub fn seen(&mut self, seen: &Seen) -> Vec<u8> {
        // Addresses first: whom they name is then known wherever else the name stands.
        let start = self.start(seen);
        let headers = seen.headers.iter();
        let values: Vec<String> =
            headers.map(|(name, value)| self.value(long_name(name), value)).collect();
        let kind = seen.header("Content-Type").unwrap_or_default();
        let body = if seen.body.is_empty() { String::new() } else { self.body(kind, &seen.body) };
        let mut text = format!("{start}\r\n");
        for ((name, _), value) in seen.headers.iter().zip(values) {
            let value = if long_name(name).eq_ignore_ascii_case("Content-Length") {
                body.len().to_string()
            } else if self.reveal == Reveal::Nothing {
                self.without_known(value)
            } else {
                value
            };
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&body);
        text.into_bytes()
    }

    /// A message's first line as it may be shown.
    #[must_use]
    pub fn start(&mut self, seen: &Seen) -> String {
        if seen.status().is_some() {
            let (line, words) = seen.start.split_at_checked(11).unwrap_or((&seen.start, ""));
            // The phrase is the peer's own; a plain one tells of nobody.
            let plain = words.bytes().all(|b| b.is_ascii_alphabetic() || b" -/'()".contains(&b));
            let shown = plain || self.reveal == Reveal::Numbers;
            return if shown { seen.start.clone() } else { format!("{line} {HIDDEN}") };
        }
        let mut words = seen.start.split(' ');
        let (method, rest) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        let (version, uri) = rest.split_last().unwrap_or((&"", &[]));
        format!("{method} {} {version}", self.uri(&uri.join(" ")))
    }

    /// The user part of an address as it may be shown.
    #[must_use]
    pub fn user(&mut self, user: &str) -> String {
        if self.reveal == Reveal::Numbers || user.is_empty() {
            return user.to_owned();
        }
        if NOBODY.iter().any(|known| user.eq_ignore_ascii_case(known)) {
            return user.to_owned();
        }
        // One number in its two forms is one person.
        let digits: String = user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
        let (sign, key) = match digits.strip_prefix("+81") {
            Some(national) => ("+", format!("0{national}")),
            None => ("", digits),
        };
        format!("{sign}n{}", pseudonym(&mut self.numbers, key))
    }

    fn name(&mut self, name: &str) -> String {
        let bare = name.trim().trim_matches('"');
        if self.reveal == Reveal::Numbers || bare.is_empty() {
            return name.to_owned();
        }
        if NOBODY.iter().any(|known| bare.eq_ignore_ascii_case(known)) {
            return name.to_owned();
        }
        format!("\"name{}\"", pseudonym(&mut self.names, bare.to_owned()))
    }

    /// One header's value.
    fn value(&mut self, name: &str, value: &str) -> String {
        let is = |list: &[&str]| list.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["Authorization", "Proxy-Authorization"]) {
            return self.credentials(value);
        }
        if is(&["WWW-Authenticate", "Proxy-Authenticate"]) {
            return value.to_owned(); // the question; only the answer is secret
        }
        if is(&PLAIN) {
            return without_passwords(value);
        }
        if is(&ADDRESSES) {
            let shown: Vec<String> =
                entries(value).into_iter().map(|entry| self.address(entry)).collect();
            return shown.join(", ");
        }
        if is(&["Reason"]) {
            // RFC 3326: the text is the peer's own.
            let told = cut(value, ';');
            let shown = told.into_iter().filter(|part| {
                self.reveal == Reveal::Numbers || !part.trim_start().starts_with("text")
            });
            return without_passwords(&shown.collect::<Vec<_>>().join(";"));
        }
        match self.reveal {
            Reveal::Numbers if !is_secret(name) => without_passwords(value),
            Reveal::Numbers | Reveal::Nothing => HIDDEN.to_owned(),
        }
    }

    fn address(&mut self, entry: &str) -> String {
        if entry.trim() == "*" {
            return "*".to_owned();
        }
        let Address { name, uri, angle, params } = address(entry);
        let (name, uri, params) = (self.name(name), self.uri(uri), self.params(params));
        if !angle {
            return format!("{uri}{params}");
        }
        let gap = if name.is_empty() { "" } else { " " };
        format!("{name}{gap}<{uri}>{params}")
    }

    fn uri(&mut self, text: &str) -> String {
        let hidden = self.reveal == Reveal::Nothing;
        let Some(found) = parts(text) else {
            return if hidden && !text.is_empty() {
                HIDDEN.to_owned()
            } else {
                without_passwords(text)
            };
        };
        let scheme = found.scheme;
        let mut shown = if scheme.eq_ignore_ascii_case("tel") {
            format!("{scheme}:{}", self.user(found.host))
        } else if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            // Parameters of the user, such as phone-context, tell of the number.
            let user = found.user.split(';').next().unwrap_or_default();
            let user = if hidden { self.user(&unescape(user)) } else { found.user.to_owned() };
            let password = if found.has_password { ":***" } else { "" };
            let host =
                if is_number(found.host) { self.user(found.host) } else { found.host.to_owned() };
            let at = if user.is_empty() && password.is_empty() { "" } else { "@" };
            format!("{scheme}:{user}{password}{at}{host}")
        } else if hidden {
            return format!("{scheme}:{HIDDEN}");
        } else {
            return without_passwords(text);
        };
        if !found.params.is_empty() {
            shown.push_str(&self.params(&format!(";{}", found.params)));
        }
        if !found.headers.is_empty() {
            let secret = hidden || found.headers.to_ascii_lowercase().contains("authorization");
            shown.push('?');
            shown.push_str(if secret { HIDDEN } else { found.headers });
        }
        shown
    }

    /// Parameters behind an address or inside of it, from the first semicolon on.
    fn params(&self, params: &str) -> String {
        if self.reveal == Reveal::Numbers {
            return without_passwords(params);
        }
        let shown = cut(params, ';').into_iter().skip(1).map(|param| {
            let (name, value) = param.split_once('=').map_or((param, None), |(n, v)| (n, Some(v)));
            let plain = PLAIN_PARAMS.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
            match value {
                Some(_) if !plain => format!(";{}={HIDDEN}", name.trim()),
                Some(_) | None if plain => format!(";{param}"),
                Some(_) | None => format!(";{HIDDEN}"),
            }
        });
        shown.collect()
    }

    /// An answer to a challenge: who answers which challenge, never the answer.
    fn credentials(&mut self, value: &str) -> String {
        let Some((scheme, fields)) = value.trim().split_once([' ', '\t']) else {
            return HIDDEN.to_owned();
        };
        if !scheme.eq_ignore_ascii_case("Digest") {
            return HIDDEN.to_owned();
        }
        let shown = entries(fields).into_iter().map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let (name, value) = (name.trim(), value.trim());
            let is = |list: &[&str]| list.iter().any(|known| name.eq_ignore_ascii_case(known));
            if is(&["realm", "nonce", "algorithm", "qop", "nc", "opaque"]) {
                format!("{name}={value}")
            } else if is(&["username"]) {
                format!("{name}=\"{}\"", self.user(value.trim_matches('"')))
            } else if is(&["uri"]) {
                format!("{name}=\"{}\"", self.uri(value.trim_matches('"')))
            } else if is(&["response", "cnonce"]) {
                format!("{name}=\"{HIDDEN}\"")
            } else {
                HIDDEN.to_owned()
            }
        });
        format!("{scheme} {}", shown.collect::<Vec<_>>().join(", "))
    }

    fn body(&mut self, kind: &str, body: &[u8]) -> String {
        let bare = kind.split(';').next().unwrap_or_default().trim();
        if bare.to_ascii_lowercase().starts_with("message/sipfrag")
            && let Some(fragment) = Seen::read(body)
            && fragment.body.is_empty()
        {
            return String::from_utf8_lossy(&self.seen(&fragment)).into_owned();
        }
        let text = String::from_utf8_lossy(body);
        if self.reveal == Reveal::Numbers {
            let lines = text.split_inclusive('\n').map(without_keys);
            return lines.collect();
        }
        if bare.eq_ignore_ascii_case("application/sdp") {
            return text.split_inclusive('\n').map(|line| self.sdp_line(line)).collect();
        }
        format!("({} bytes hidden)\r\n", body.len())
    }

    /// A line of a session description (RFC 8866 §5).
    fn sdp_line(&mut self, line: &str) -> String {
        let bare = line.trim_end_matches(['\r', '\n']);
        let end = line.get(bare.len()..).unwrap_or_default();
        let (kind, value) = bare.split_once('=').unwrap_or((bare, ""));
        match kind {
            "o" => {
                let (user, rest) = value.split_once(' ').unwrap_or((value, ""));
                let plain =
                    user == "-" || user.len() > 15 && user.bytes().all(|b| b.is_ascii_digit());
                let user = if plain { user.to_owned() } else { self.user(user) };
                format!("o={user} {rest}{end}")
            }
            "s" if matches!(value, "-" | "" | " ") => line.to_owned(),
            "v" | "c" | "t" | "m" | "b" | "r" | "z" => line.to_owned(),
            "a" => {
                let (name, found) = value
                    .split_once(':')
                    .map_or((value, None), |(name, found)| (name, Some(found)));
                if PLAIN_SDP.contains(&name) {
                    line.to_owned()
                } else {
                    let mark = if found.is_some() { ":***" } else { "" };
                    format!("a={name}{mark}{end}")
                }
            }
            _ => format!("{}={HIDDEN}{end}", kind.chars().take(1).collect::<String>()),
        }
    }

    /// A value without the numbers that the page knows already.
    fn without_known(&self, mut value: String) -> String {
        for (number, index) in &self.numbers {
            let telling = number.len() >= TELLING_DIGITS && is_number(number);
            if telling && value.contains(number.as_str()) {
                value = value.replace(number.as_str(), &format!("n{index}"));
            }
        }
        value
    }
}

fn pseudonym(known: &mut BTreeMap<String, usize>, key: String) -> String {
    let next = known.len().saturating_add(1);
    match known.get(&key) {
        Some(index) => index.to_string(),
        None if next > MAX_PSEUDONYMS => "x".to_owned(),
        None => {
            known.insert(key, next);
            next.to_string()
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b"-*#".contains(&b))
}

/// Headers of others' making that by their name hold a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "cookie", "token", "password", "secret", "credential", "identity-key", "api-key"]
        .iter()
        .any(|word| name.contains(word))
}

/// Text with the passwords of the URIs in it hidden, and what a URI says of an Authorization header.
fn without_passwords(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find("authorization") {
        let before = text.get(..at).unwrap_or_default();
        return format!("{}{HIDDEN}", without_passwords(before));
    }
    if !(lower.contains("sip:") || lower.contains("sips:")) || !text.contains('@') {
        return text.to_owned();
    }
    let ends = |c: char| matches!(c, '<' | '>' | '"' | ',' | ' ' | '\t');
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(ends) {
        let word = piece.trim_end_matches(ends);
        let end = piece.get(word.len()..).unwrap_or_default();
        match uri::parts(word).filter(|parts| parts.has_password) {
            Some(parts) => {
                let at = word.rfind(parts.host).unwrap_or(word.len());
                let place = word.get(at..).unwrap_or_default();
                shown.push_str(&format!("{}:{}:{HIDDEN}@{place}", parts.scheme, parts.user));
            }
            None => shown.push_str(word),
        }
        shown.push_str(end);
    }
    shown
}

/// A line of any body without what opens a conversation or an account.
fn without_keys(line: &str) -> String {
    let bare = line.trim_end_matches(['\r', '\n']);
    let end = line.get(bare.len()..).unwrap_or_default();
    let lower = bare.trim_start().to_ascii_lowercase();
    for secret in
        ["a=crypto", "k=", "a=ice-pwd", "a=key-mgmt", "authorization", "proxy-authorization"]
    {
        if lower.starts_with(secret) {
            let kept = bare.get(..secret.len().min(bare.len())).unwrap_or_default();
            return format!("{kept}:{HIDDEN}{end}");
        }
    }
    format!("{}{end}", without_passwords(bare))
}
