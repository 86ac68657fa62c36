//! What `init` must know, and what each answer must be. Pure: what a person said goes in, a value or the reason
//! why it is none comes out.

use crate::dialplan::{Lang, Span, WeekdayKey, tame, values};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Most agents that are set up at once: their extensions begin at 2001 and have four digits.
pub(super) const MOST_AGENTS: u16 = 500;
/// The first extension.
const FIRST: u16 = 2001;

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// Where the files are made; absolute.
    pub dir: PathBuf,
    /// Where the history will lie; absolute.
    pub state: PathBuf,
    /// What the desk is called.
    pub name: String,
    /// The number that callers dial.
    pub number: String,
    /// How many agents have a phone.
    pub agents: u16,
    /// When the desk is open.
    pub open: Opening,
    /// Where phones and browsers reach it.
    pub address: IpAddr,
    /// A name for it, if it has one.
    pub host: Option<String>,
    /// From where a carrier or another exchange calls, if known.
    pub carrier: Option<IpAddr>,
    /// UDP and TCP; TLS is one above.
    pub sip_port: u16,
    /// Pages and API.
    pub pages_port: u16,
    /// For sound.
    pub rtp: RangeInclusive<u16>,
}

impl Answers {
    /// The digest realm.
    pub(super) fn realm(&self) -> &str {
        self.host.as_deref().unwrap_or("madoguchi")
    }

    /// The agents' extensions.
    pub(super) fn extensions(&self) -> impl Iterator<Item = String> {
        (FIRST..FIRST.saturating_add(self.agents)).map(|extension| extension.to_string())
    }

    /// The first and the last of them.
    pub(super) fn range(&self) -> (String, String) {
        let last = FIRST.saturating_add(self.agents.saturating_sub(1));
        (FIRST.to_string(), last.to_string())
    }
}

/// The days of the week on which the desk is open, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// As it was said: `mon-fri`.
    pub days: String,
    on: Vec<WeekdayKey>,
    /// In order, without overlap.
    pub spans: Vec<Span>,
}

impl Opening {
    /// Whether it is open on a day, Monday being 0.
    pub(super) fn on(&self, day: usize) -> bool {
        self.on.iter().any(|open| usize::from(open.0) == day)
    }
}

/// Why an answer is none, in the operator's words.
pub(super) type Wrong = [String; 2];

/// In one of the languages.
pub(super) fn told([ja, en]: &Wrong, lang: Lang) -> String {
    lang.pick(ja.clone(), en.clone())
}

fn wrong<T>(found: &str, ja: &str, en: &str) -> Result<T, Wrong> {
    let found = tame(found);
    Err([format!("\"{found}\": {ja}"), format!("\"{found}\": {en}")])
}

pub(super) fn number(text: &str) -> Result<String, Wrong> {
    let taken = ["7000"].contains(&text) || text.parse().is_ok_and(|number| ours(number, text));
    if values::is_number(text) && !values::is_emergency(text) && !taken {
        return Ok(text.to_owned());
    }
    wrong(
        text,
        "着信番号は数字 2〜15 桁（例: 0312345678）。緊急番号、7000、2001〜2500 は使えない",
        "a desk's number has 2 to 15 digits, such as 0312345678; not an emergency number, 7000, or 2001 to 2500",
    )
}

/// What agents' extensions are made of.
fn ours(number: u16, text: &str) -> bool {
    text.len() == 4 && (FIRST..FIRST.saturating_add(MOST_AGENTS)).contains(&number)
}

pub(super) fn agents(text: &str) -> Result<u16, Wrong> {
    match text.parse() {
        Ok(count @ 1..=MOST_AGENTS) => Ok(count),
        Ok(_) | Err(_) => wrong(
            text,
            &format!("人数は 1〜{MOST_AGENTS}"),
            &format!("the number of agents is 1 to {MOST_AGENTS}"),
        ),
    }
}

pub(super) fn opening(text: &str) -> Result<Opening, Wrong> {
    let read = || {
        let (days, spans) = text.trim().split_once([' ', '='])?;
        let on = values::weekdays(days)?;
        let spans: Option<Vec<Span>> =
            spans.split(',').map(|span| values::span(span.trim())).collect();
        let spans = spans?;
        let ordered = spans.iter().all(|span| span.from < span.until)
            && spans.iter().zip(spans.iter().skip(1)).all(|(one, next)| one.until <= next.from);
        (ordered && spans.len() <= 4).then(|| Opening { days: days.to_owned(), on, spans })
    };
    read().map_or_else(
        || {
            wrong(
                text,
                "受付時間は「曜日=時刻-時刻」（例: mon-fri=08:30-18:15、昼休みがあれば mon-fri=08:30-12:00,13:00-18:15）",
                "opening hours are DAYS=FROM-UNTIL, such as mon-fri=08:30-18:15, or mon-fri=08:30-12:00,13:00-18:15",
            )
        },
        Ok,
    )
}

pub(super) fn address(text: &str) -> Result<IpAddr, Wrong> {
    match text.parse::<IpAddr>() {
        Ok(ip) if !ip.is_unspecified() && !ip.is_multicast() => Ok(ip),
        Ok(_) | Err(_) => wrong(
            text,
            "電話機から見えるこの機器のアドレス（例: 192.0.2.10）",
            "an address of this machine that phones reach, such as 192.0.2.10",
        ),
    }
}

pub(super) fn host(text: &str) -> Result<String, Wrong> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(label) && text.parse::<IpAddr>().is_err() {
        return Ok(text.to_owned());
    }
    wrong(text, "名前（例: desk.example）", "a host's name, such as desk.example")
}

pub(super) fn desk_name(text: &str) -> Result<String, Wrong> {
    if crate::people::is_name(text) {
        return Ok(text.to_owned());
    }
    wrong(
        text,
        "名前は 1〜64 文字、前後の空白と制御文字なし",
        "a name has 1 to 64 characters, no control characters, no space at its ends",
    )
}

pub(super) fn port(port: u16) -> Result<u16, Wrong> {
    if (1024..=65_534).contains(&port) {
        return Ok(port);
    }
    wrong(
        &port.to_string(),
        "ポートは 1024〜65534（それより小さいものは特権が要る）",
        "a port is 1024 to 65534: lower ones need privileges",
    )
}

/// Ports for sound that hold none of the others, at least two pairs for each call.
pub(super) fn rtp(text: &str, taken: &[u16]) -> Result<RangeInclusive<u16>, Wrong> {
    let read = || {
        let (first, last) = text.split_once('-')?;
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        let fits = first >= 1024 && first.is_multiple_of(2) && last.checked_sub(first)? >= 3;
        let range = first..=last;
        (fits && !taken.iter().any(|port| range.contains(port))).then_some(range)
    };
    read().map_or_else(
        || {
            wrong(
                text,
                "音声のポートは偶数から 4 個以上、SIP と画面のポートを含まない（例: 20000-29999）",
                "ports for sound begin even, are 4 or more, and hold neither SIP's nor the pages' (20000-29999)",
            )
        },
        Ok,
    )
}

/// By which address others most likely reach this machine: the one that a packet to the outside would leave by.
/// Nothing is sent.
pub(super) fn likely_address() -> IpAddr {
    let away = SocketAddr::from(([192, 0, 2, 1], 9));
    let asked = std::net::UdpSocket::bind(("0.0.0.0", 0)).and_then(|socket| {
        socket.connect(away)?;
        socket.local_addr()
    });
    asked.map_or(IpAddr::from([127, 0, 0, 1]), |here| here.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_or_refused() {
        let opening = |text: &str| opening(text).map(|open| (open.days.clone(), open.spans.len()));
        assert_eq!(opening("mon-fri=08:30-18:15"), Ok(("mon-fri".to_owned(), 1)));
        assert_eq!(opening("mon-fri 08:30-12:00,13:00-18:15"), Ok(("mon-fri".to_owned(), 2)));
        assert_eq!(opening("sat-mon=00:00-24:00"), Ok(("sat-mon".to_owned(), 1)));
        for bad in [
            "",
            "mon-fri",
            "mon-fri=",
            "mo=08:00-09:00",
            "mon=18:15-08:30",
            "mon=08:00-12:00,11:00-13:00",
            "mon=8:00-9:00",
            "mon=08:00-09:00,",
        ] {
            assert!(opening(bad).is_err(), "{bad}");
        }
        for good in ["0312345678", "50", "81312345678"] {
            assert!(number(good).is_ok(), "{good}");
        }
        for bad in ["", "1", "110", "7000", "2001", "2500", "03-1234-5678", "+81312345678", "代表"]
        {
            assert!(number(bad).is_err(), "{bad}");
        }
        assert_eq!((agents("1"), agents("500")), (Ok(1), Ok(500)));
        assert!(agents("0").is_err() && agents("501").is_err() && agents("ten").is_err());
        assert!(address("192.0.2.10").is_ok() && address("2001:db8::1").is_ok());
        assert!(address("0.0.0.0").is_err() && address("desk").is_err());
        assert!(host("desk.example").is_ok() && host("desk").is_ok());
        assert!(host("").is_err() && host("a..b").is_err() && host("192.0.2.1").is_err());
        assert!(host("a\"b").is_err() && host("-a").is_err());
        assert_eq!(rtp("20000-29999", &[5060, 8443]), Ok(20_000..=29_999));
        for bad in ["20001-29999", "20000-20002", "20000", "5000-6000", "80-100", "30000-20000"] {
            assert!(rtp(bad, &[5060, 8443]).is_err(), "{bad}");
        }
        assert!(port(5060).is_ok() && port(443).is_err() && port(65_535).is_err());
        assert!(desk_name("ITサービスデスク").is_ok() && desk_name(" a").is_err());
    }
}
