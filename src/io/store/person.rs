//! Finding a person in the history, by number or name, so that what is hers or his can be erased.
//!
//! Looked for are the texts that the hash chain hides (docs/HISTORY.md): no other text of an entry tells who a person
//! is. What is found is named by call and incident, never by the text.

use super::links::{self, LinksError};
use crate::base::CallId;
use crate::event::chain;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// Entries that are looked at at once.
const BLOCK: i64 = 1_000;
/// Digits of a number that is looked for.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=32;
/// Digits that may be dialled before a number outside, as many as a plan's prefix has at most. Which one it is stands
/// in the plan of that day only: any will do, since no number that goes out begins like what is left behind them.
const PREFIX_DIGITS: usize = 3;
/// Dialled so that the number is hidden, or shown.
const SHOWN: [&str; 2] = ["184", "186"];
/// Characters of a name that is looked for.
const CHARACTERS: std::ops::RangeInclusive<usize> = 2..=64;

/// What a person is looked for by. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Needle(By);

#[derive(Clone, PartialEq, Eq)]
enum By {
    /// A number.
    Number {
        /// The forms that it may have, digits only.
        forms: Vec<String>,
        /// Whether it is long enough for a number outside: an extension is dialled as it is.
        long: bool,
    },
    /// A name without its spaces.
    Name(String),
}

impl fmt::Debug for Needle {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self.0 {
            By::Number { .. } => "a number",
            By::Name(_) => "a name",
        })
    }
}

/// Why nobody can be looked for by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNeedle {
    /// Too short it would be found in other people's numbers.
    #[error("found a number that has not {least} to {most} digits, or something else in it than digits, hyphens, brackets, spaces and one + in front",
        least = DIGITS.start(), most = DIGITS.end())]
    Number,
    /// Too short it would be found in other words.
    #[error("found a name that has not {least} to {most} characters", least = CHARACTERS.start(), most = CHARACTERS.end())]
    Name,
}

/// One digit, also a wide one, as Japanese texts have them.
fn digit(sign: char) -> Option<char> {
    let wide = u32::from(sign).checked_sub(0xff10).filter(|it| *it < 10);
    wide.and_then(|it| char::from_digit(it, 10)).or_else(|| sign.is_ascii_digit().then_some(sign))
}

/// What may follow a digit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The next digit, of the same number.
    Digit(char),
    /// A dash of any script: it is in the middle of a number and never between two.
    Dash,
    /// In the middle of a number, or between two: both are read.
    Either,
    /// The number is over.
    End,
}

impl Sign {
    fn of(sign: char) -> Self {
        if let Some(digit) = digit(sign) {
            return Self::Digit(digit);
        }
        match sign {
            // Hyphens and dashes, minus, and the long vowel mark, which a Japanese keyboard has in their place; wide and
            // half-wide ones.
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff0d}' | '\u{ff70}' => {
                Self::Dash
            }
            ' ' | '\u{3000}' | '(' | ')' | '（' | '）' | '・' | '･' | '.' | '．' => {
                Self::Either
            }
            _ => Self::End,
        }
    }
}

/// The digits of a text in pieces, and with each whether it may go on with the number before it.
fn pieces(text: &str) -> Vec<(bool, String)> {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    let mut before = Sign::End;
    for sign in text.chars().map(Sign::of) {
        match (sign, before, pieces.last_mut()) {
            (Sign::Digit(digit), Sign::Digit(_) | Sign::Dash, Some((_, piece))) => {
                piece.push(digit);
                before = sign;
            }
            (Sign::Digit(digit), ..) => {
                pieces.push((before == Sign::Either, digit.to_string()));
                before = sign;
            }
            // What ends a number is not mended by what follows it.
            (Sign::Dash, Sign::Digit(_), _) | (Sign::Either, Sign::Digit(_) | Sign::Dash, _) => {
                before = sign;
            }
            (Sign::Dash | Sign::Either, ..) => {}
            (Sign::End, ..) => before = sign,
        }
    }
    pieces
}

/// Whether one of these numbers, digits only, stands in a text as a whole one.
fn stands(forms: &[String], text: &str) -> bool {
    let pieces = pieces(text);
    let most = forms.iter().map(String::len).max().unwrap_or(0);
    (0..pieces.len()).any(|first| {
        let mut run = String::new();
        for (place, (goes_on, piece)) in pieces.iter().skip(first).enumerate() {
            if (place > 0 && !goes_on) || run.len() + piece.len() > most {
                return false;
            }
            run.push_str(piece);
            if forms.contains(&run) {
                return true;
            }
        }
        false
    })
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase).collect()
}

impl Needle {
    /// A telephone number; `03-1234-5678`, `0312345678` and `+81 3 1234 5678` are the same one.
    ///
    /// # Errors
    ///
    /// [`BadNeedle::Number`].
    pub fn number(text: &str) -> Result<Self, BadNeedle> {
        let text = text.trim();
        let bare = text.strip_prefix(['+', '＋']).unwrap_or(text);
        let plain = bare.chars().all(|sign| Sign::of(sign) != Sign::End);
        let digits: String = bare.chars().filter_map(digit).collect();
        if !plain || !DIGITS.contains(&digits.len()) {
            return Err(BadNeedle::Number);
        }
        // Japan's own country code: in the country the same number begins with 0.
        let long = digits.len() >= 10;
        let home = match (digits.strip_prefix("81"), digits.strip_prefix('0')) {
            (Some(rest), _) if long => Some(rest.strip_prefix('0').unwrap_or(rest)),
            (_, Some(rest)) if long => Some(rest),
            _ => None,
        };
        let forms = match home {
            Some(rest) => vec![format!("0{rest}"), format!("81{rest}"), format!("810{rest}")],
            None => vec![digits],
        };
        Ok(Self(By::Number { forms, long }))
    }

    /// A person's name; spaces in it do not count, nor do capitals.
    ///
    /// # Errors
    ///
    /// [`BadNeedle::Name`].
    pub fn name(text: &str) -> Result<Self, BadNeedle> {
        let name = without_spaces(text);
        if !CHARACTERS.contains(&name.chars().count()) {
            return Err(BadNeedle::Name);
        }
        Ok(Self(By::Name(name)))
    }

    /// Whether it stands in a text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        match &self.0 {
            // The whole number: a longer one that has these digits in it is somebody else's.
            By::Number { forms, .. } => stands(forms, text),
            By::Name(name) => without_spaces(text).contains(name.as_str()),
        }
    }

    /// Whether it is the number in a text that is what somebody dialled: also behind a prefix for numbers outside, and
    /// behind 184 or 186, in either order (`Plan::outward`).
    fn was_dialled(&self, text: &str) -> bool {
        let By::Number { forms, long: true } = &self.0 else { return self.is_in(text) };
        let Some(dialled) = text.chars().map(digit).collect::<Option<String>>() else {
            return self.is_in(text);
        };
        let before = |before: &str| {
            let shown = |hide: &&str| before.strip_prefix(*hide).or(before.strip_suffix(*hide));
            let prefix = SHOWN.iter().find_map(shown).unwrap_or(before);
            prefix.len() <= PREFIX_DIGITS
        };
        forms.iter().any(|form| dialled.strip_suffix(form.as_str()).is_some_and(before))
    }
}

/// Entries whose text is what somebody dialled: of what, and which kind.
const DIALLED: [(&str, &str); 4] = [
    ("placed", "dialled"),
    ("call", "sent_away"),
    ("call", "consult_called"),
    ("call", "third_called"),
];

/// Calls, and incidents that are no call's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct These {
    /// The calls.
    pub calls: BTreeSet<CallId>,
    /// The entries that opened the incidents.
    pub incidents: BTreeSet<u64>,
}

impl These {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.incidents.is_empty()
    }
}

/// Where a person was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In these.
    pub these: These,
    /// Entries with texts that were looked at.
    pub searched: u64,
    /// Texts in which it stood, by what the entry tells of (`call`, `note`, `feed`, `placed`, `incident`).
    pub texts: BTreeMap<String, u64>,
}

/// Looks through all texts of the history that tell of persons. Blocks: not for a runtime.
///
/// # Errors
///
/// [`LinksError`].
pub fn find(path: &Path, needles: &[Needle]) -> Result<Found, LinksError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let (mut connection, ..) = links::connect(path).await?;
        let (mut found, mut after) = (Found::default(), i64::MIN);
        loop {
            let rows = sqlx::query(
                "SELECT seq, call, body FROM entry WHERE seq > ?1 AND salt IS NOT NULL ORDER BY seq LIMIT ?2",
            )
            .bind(after)
            .bind(BLOCK)
            .fetch_all(&mut connection)
            .await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get(0)?;
            for row in &rows {
                let (seq, call, body): (i64, Option<String>, String) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                found.searched = found.searched.saturating_add(1);
                look(&mut found, needles, (seq, call.as_deref(), &body))
                    .map_err(|why| sqlx::Error::Decode(format!("entry {seq}: {why}").into()))?;
            }
        }
        sqlx::Connection::close(connection).await?;
        Ok(found)
    })
}

fn look(
    found: &mut Found,
    needles: &[Needle],
    (seq, call, body): (i64, Option<&str>, &str),
) -> Result<(), chain::Unsealable> {
    let body = chain::body(body)?;
    let of = body.get("of").and_then(serde_json::Value::as_str).unwrap_or_default();
    let kind = body.get("event").and_then(|event| event.get("kind")?.as_str()).unwrap_or_default();
    let dialled = DIALLED.contains(&(of, kind));
    let is_it = |needle: &Needle, text: &str| {
        if dialled { needle.was_dialled(text) } else { needle.is_in(text) }
    };
    let stands = |text: &str| needles.iter().any(|needle| is_it(needle, text));
    let count = chain::texts(&body).filter(|(_, text)| stands(text)).count();
    if count == 0 {
        return Ok(());
    }
    let texts = found.texts.entry(of.to_owned()).or_default();
    *texts = texts.saturating_add(u64::try_from(count).unwrap_or(0));
    match call.map(str::parse) {
        Some(Ok(call)) => {
            found.these.calls.insert(CallId(call));
        }
        Some(Err(_)) => {}
        None => {
            // One that was written later names the entry that opened it.
            let opened = body.get("event").and_then(|event| event.get("incident")?.as_u64());
            found.these.incidents.insert(opened.unwrap_or(u64::try_from(seq).unwrap_or(0)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_was_written_and_no_other_number_is() {
        let needle = Needle::number("03-9876-5432").unwrap();
        for text in [
            "0398765432",
            "+81398765432",
            "81 3 9876 5432",
            "折返し先は０３－９８７６－５４３２です",
            "(03)9876-5432 内線 12",
            "03 9876 5432 または 090-1111-2222",
            "0398765432 0311112222",
            "03ー9876ー5432",
            "03ｰ9876ｰ5432 まで",
            "03‐9876‑5432 か 090‒1111–2222",
            "03—9876―5432",
            "03−9876－5432",
            "03・9876・5432",
            "０３．９８７６．５４３２",
            "0398765432・0311112222",
            "03-9876-5432・090-1111-2222",
            "090-1111-2222/03-9876-5432",
            "03.9876.5432.",
            "2. 0398765432",
            "佐藤(0398765432)(代)",
            "内線(12)0398765432",
            "(03)9876-5432(0311112222)",
            "090 1111 2222 03 9876 5432",
        ] {
            assert!(needle.is_in(text), "{text}");
        }
        for text in [
            "039876543",
            "10398765432",
            "03987654321",
            "",
            "総合窓口",
            "0398765433",
            "103ー9876ー5432",
            "03・9876・54321",
            "00398765432",
            "1840398765432",
        ] {
            assert!(!needle.is_in(text), "{text}");
        }
        let short = Needle::number("6001").unwrap();
        assert!(
            short.is_in("内線6001から") && !short.is_in("0390060011"),
            "an extension is no part of a number"
        );
        let wide = Needle::number("０３ー９８７６ー５４３２").unwrap();
        assert!(wide.is_in("0398765432"), "as it was typed in Japanese");
        for text in ["123", "0312345678 か 090", "", "+", "abc12345"] {
            assert_eq!(Needle::number(text), Err(BadNeedle::Number), "{text}");
        }
        assert_eq!(format!("{needle:?}"), "a number", "it is never printed");
    }

    #[test]
    fn a_call_that_was_placed_with_prefix_or_186_is_found() {
        let dialled = |kind: &str, number: &str| {
            format!(r#"{{"of":"placed","event":{{"kind":"{kind}","number":"{number}"}}}}"#)
        };
        let stands = |needle: &str, body: &str| {
            let needles = [Needle::number(needle).expect("a number")];
            let (call, mut found) = (CallId(uuid::Uuid::nil()).to_string(), Found::default());
            look(&mut found, &needles, (1, Some(&call), body)).expect("a body");
            !found.these.is_empty()
        };
        for number in [
            "0398765432",
            "00398765432",
            "1840398765432",
            "1860398765432",
            "01840398765432",
            "18400398765432",
            // The plan of that day had another prefix.
            "90398765432",
            "1860398765432",
            "18690398765432",
            "9990398765432",
        ] {
            assert!(stands("03-9876-5432", &dialled("dialled", number)), "{number}");
        }
        for number in ["18403987654321", "00000398765432", "185600398765432", "18618403", "110"] {
            assert!(!stands("03-9876-5432", &dialled("dialled", number)), "{number}");
        }
        // A short number behind a prefix is another one: an extension is dialled as it is.
        assert!(stands("6001", &dialled("dialled", "6001")));
        assert!(!stands("6001", &dialled("dialled", "06001")));
        // What somebody wrote is no number that was dialled.
        let note = r#"{"of":"note","event":{"kind":"noted","text":"1840398765432"}}"#;
        assert!(!stands("03-9876-5432", note));
    }

    #[test]
    fn a_name_is_found_with_and_without_the_space_in_it() {
        let needle = Needle::name("架空 花子").unwrap();
        for text in ["架空花子", "架空　花子様より", "KAKUU / 架空 花子"] {
            assert!(needle.is_in(text), "{text}");
        }
        assert!(!needle.is_in("架空 太郎"));
        assert!(Needle::name("Hanako K").unwrap().is_in("HANAKO K."));
        assert_eq!(Needle::name(" 花 "), Err(BadNeedle::Name));
    }
}
