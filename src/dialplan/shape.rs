//! What can be wrong with any file of settings, whatever it is about: its form, its keys, the small forms
//! of its values. Each problem with what was found and what is due, in Japanese and English.

use super::finding::{Both, Message, Severity};
use std::time::Duration;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not TOML.
    Syntax { message: String },
    /// Signs of the Japanese input method where TOML has its own: ”, ＝, a wide blank.
    FullWidth { found: String, due: String },
    /// Longer than we read.
    TooLong { bytes: usize, most: usize },
    /// A key that means nothing here.
    UnknownKey { key: String, known: Vec<String>, near: Option<String> },
    /// A key that must be there.
    MissingKey { key: String, example: &'static str },
    /// Text where a number is due, and the like.
    WrongKind { key: String, found: Kind, due: Vec<Kind> },
    /// Not a duration.
    BadDuration { key: String, found: String },
    /// Too little or too much.
    OutOfRange { key: String, found: String, least: String, most: String },
    /// Not one of a closed list of words.
    BadWord { key: String, found: String, known: Vec<String>, near: Option<String> },
    /// Empty, too long, or with characters that have no place in it.
    BadText { key: String, found: String, rule: TextRule },
    /// More entries than we hold.
    TooMany { key: String, most: usize },
    /// Not a number that can be dialled.
    BadNumber { found: String, rule: NumberRule },
    /// 110, 118, 119 and the like belong to no desk.
    Emergency { found: String },
    /// Not a range of numbers.
    BadRange { found: String },
    /// A range that would become too many.
    RangeTooLong { found: String, most: usize },
}

/// Kinds of TOML values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `"…"`.
    Text,
    /// `12`.
    Integer,
    /// `1.2`.
    Float,
    /// `true`.
    Flag,
    /// A TOML date or time.
    Date,
    /// `[…]`.
    List,
    /// `{…}` or `[name]`.
    Table,
}

impl Kind {
    pub(super) fn both(self) -> [&'static str; 2] {
        match self {
            Self::Text => ["文字列 \"…\"", "a text \"…\""],
            Self::Integer => ["整数", "a whole number"],
            Self::Float => ["小数", "a fraction"],
            Self::Flag => ["true か false", "true or false"],
            Self::Date => ["日付", "a date"],
            Self::List => ["一覧 […]", "a list […]"],
            Self::Table => ["表 {…}", "a table {…}"],
        }
    }
}

/// What a text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextRule {
    /// For people: 1 to 64 characters.
    Name,
    /// `a`–`z`, `0`–`9`, `-`, `_`: 1 to 64, because files and other tables use it.
    Id,
    /// An address of the file system.
    Path,
}

/// What a number must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberRule {
    /// 2 to 15 digits.
    Digits,
    /// `*` or `#` and digits.
    Code,
}

/// What the TOML reader says, in Japanese; itself when it is new to us.
fn syntax_ja(message: &str) -> String {
    let (first, _) = message.split_once(',').unwrap_or((message, ""));
    let known = match first {
        "duplicate key" => "同じ項目か表が二度書かれている",
        "string values must be quoted" => "文字列が \"…\" で囲まれていない",
        "invalid basic string" => "文字列の終わりの \" がない",
        "key with no value" | "missing value" | "missing value for key" => "項目に「= 値」がない",
        "invalid unquoted key" => "項目の名前に使えない文字がある",
        "unquoted keys cannot be empty" => "「=」の前に項目の名前がない",
        "unclosed table" | "unclosed array table" => "表の名前の終わりの ] がない",
        "unclosed array" => "一覧の終わりの ] がない",
        "unclosed inline table" => "表の終わりの } がない",
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            "間のコンマがない"
        }
        "extra comma in array" | "extra comma in inline table" => "コンマが余分にある",
        "unexpected leading zero" => "数が 0 で始まっている",
        "unexpected key or value" | "unexpected content" => "行の終わりに余分なものがある",
        "invalid value" => "値として読めない",
        "recursion limit" | "cannot recurse further; max recursion depth met" => "入れ子が深すぎる",
        _ => return message.to_owned(),
    };
    known.to_owned()
}

/// The plain sign for one of the Japanese input method's.
pub(crate) fn half_width(c: char) -> Option<char> {
    match c {
        '\u{3000}' => Some(' '),
        '“' | '”' | '＂' => Some('"'),
        '‘' | '’' => Some('\''),
        '、' => Some(','),
        '「' => Some('['),
        '」' => Some(']'),
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0),
        _ => None,
    }
}

/// A duration as it is written in a file.
#[must_use]
pub fn show(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => "0s".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

/// Severity, code, and `found` and `due`, each in Japanese and English.
pub(crate) type Row = (Severity, &'static str, [String; 2], [String; 2]);

/// One text in both languages, Japanese first.
macro_rules! say {
    ($ja:literal, $en:literal) => {
        [format!($ja), format!($en)]
    };
}
pub(crate) use say;

/// A row as a message.
pub(crate) fn message((severity, code, found, due): Row) -> Message {
    let both = |[ja, en]: [String; 2]| Both { ja, en };
    Message { severity, code, found: both(found), due: both(due) }
}

impl From<Shape> for Message {
    fn from(problem: Shape) -> Self {
        message(problem.row())
    }
}

impl Shape {
    fn row(&self) -> Row {
        use Severity::Error;
        match self {
            Self::Syntax { message } => (
                Error,
                "syntax",
                [
                    format!("TOML として読めない: {}", syntax_ja(message)),
                    format!("this is not TOML: {message}"),
                ],
                say!(
                    "項目 = 値、文字列は \"…\"、表は [名前]",
                    "key = value, texts in \"…\", tables as [name]"
                ),
            ),
            Self::FullWidth { found, due } => (
                Error,
                "full-width",
                say!("全角の「{found}」がある", "there is a full-width \"{found}\""),
                say!(
                    "半角の「{due}」（日本語は \"…\" の中と # の後だけ）",
                    "the plain \"{due}\": Japanese only inside \"…\" and after #"
                ),
            ),
            Self::TooLong { bytes, most } => (
                Error,
                "too-long",
                say!("ファイルが {bytes} バイトある", "the file has {bytes} bytes"),
                say!("{most} バイトまで", "at most {most} bytes"),
            ),
            Self::UnknownKey { key, known, near } => {
                let list = known.join(", ");
                let due = match near {
                    Some(near) => say!(
                        "{near} のことですか（ここで使えるのは {list}）",
                        "did you mean {near}? (known here: {list})"
                    ),
                    None if known.is_empty() => {
                        say!("ここに書けるものはない", "nothing may stand here")
                    }
                    None => say!("ここで使えるのは {list}", "known here: {list}"),
                };
                (Error, "unknown-key", say!("{key} という項目はない", "there is no key {key}"), due)
            }
            Self::MissingKey { key, example } => (
                Error,
                "missing-key",
                say!("{key} が書かれていない", "{key} is missing"),
                say!("例: {example}", "for example: {example}"),
            ),
            Self::WrongKind { key, found, due } => {
                let [found_ja, found_en] = found.both();
                let ja = due.iter().map(|kind| kind.both()[0]).collect::<Vec<_>>().join("か");
                let en = due.iter().map(|kind| kind.both()[1]).collect::<Vec<_>>().join(" or ");
                (
                    Error,
                    "wrong-kind",
                    say!("{key} が{found_ja}になっている", "{key} is {found_en}"),
                    [ja, en],
                )
            }
            Self::BadDuration { key, found } => (
                Error,
                "bad-duration",
                say!(
                    "{key} の \"{found}\" は時間の長さとして読めない",
                    "{key}: \"{found}\" is not a duration"
                ),
                say!(
                    "整数と単位 ms, s, m, h（例: \"20s\"、\"500ms\"、\"2m\"）",
                    "a whole number and ms, s, m or h, such as \"20s\", \"500ms\", \"2m\""
                ),
            ),
            Self::OutOfRange { key, found, least, most } => (
                Error,
                "out-of-range",
                say!("{key} が {found} になっている", "{key} is {found}"),
                say!("{least} から {most} まで", "{least} to {most}"),
            ),
            Self::BadWord { key, found, known, near } => {
                let list = known.join(", ");
                let due = match near {
                    Some(near) if list.is_empty() => {
                        say!("{near} のことですか", "did you mean {near}?")
                    }
                    Some(near) => say!(
                        "{near} のことですか（使えるのは {list}）",
                        "did you mean {near}? (one of {list})"
                    ),
                    None if list.is_empty() => say!("例: Asia/Tokyo", "such as Asia/Tokyo"),
                    None => say!("{list} のどれか", "one of {list}"),
                };
                (
                    Error,
                    "bad-word",
                    say!("{key} が \"{found}\" になっている", "{key} is \"{found}\""),
                    due,
                )
            }
            Self::BadText { key, found, rule } => {
                let due = match rule {
                    TextRule::Name => say!(
                        "1〜64 文字、改行などの制御文字なし",
                        "1 to 64 characters, no control characters"
                    ),
                    TextRule::Id => {
                        say!("1〜64 文字の a-z, 0-9, -, _", "1 to 64 of a-z, 0-9, -, _")
                    }
                    TextRule::Path => say!("空でないファイル名", "a file name, not empty"),
                };
                (
                    Error,
                    "bad-text",
                    say!("{key} の \"{found}\" は使えない", "{key}: \"{found}\" cannot be used"),
                    due,
                )
            }
            Self::TooMany { key, most } => (
                Error,
                "too-many",
                say!("{key} が {most} を超えている", "{key}: more than {most}"),
                say!("{most} まで", "at most {most}"),
            ),
            Self::BadNumber { found, rule } => {
                let due = match rule {
                    NumberRule::Digits => say!(
                        "数字 2〜15 桁（ハイフンなし。例: \"0312345678\"）",
                        "2 to 15 digits without hyphens, such as \"0312345678\""
                    ),
                    NumberRule::Code => say!(
                        "* か # で始まり、数字・*・# が続く 2〜8 文字（例: \"*11\"）",
                        "* or #, then digits, * or #, 2 to 8 in all, such as \"*11\""
                    ),
                };
                (
                    Error,
                    "bad-number",
                    say!(
                        "\"{found}\" は番号として使えない",
                        "\"{found}\" is not a number of a plan"
                    ),
                    due,
                )
            }
            Self::Emergency { found } => (
                Error,
                "emergency-number",
                say!(
                    "{found} は緊急通報・公共の番号",
                    "{found} is an emergency or public service number"
                ),
                say!(
                    "内線や着信番号には別の番号を使う",
                    "another number for a desk or an extension"
                ),
            ),
            Self::BadRange { found } => (
                Error,
                "bad-range",
                say!(
                    "\"{found}\" は番号の範囲として読めない",
                    "\"{found}\" is not a range of numbers"
                ),
                say!(
                    "同じ桁数の、小さい番号-大きい番号（例: \"2001-2010\"）",
                    "smaller-larger with as many digits, such as \"2001-2010\""
                ),
            ),
            Self::RangeTooLong { found, most } => (
                Error,
                "range-too-long",
                say!("\"{found}\" は {most} 件を超える", "\"{found}\" is more than {most} numbers"),
                say!("全部で {most} 件まで", "at most {most} in all"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_as_they_are_written() {
        let table = [
            (0, "0s"),
            (500, "500ms"),
            (1000, "1s"),
            (90_000, "90s"),
            (120_000, "2m"),
            (3_600_000, "1h"),
            (1_500, "1500ms"),
        ];
        for (ms, want) in table {
            assert_eq!(show(Duration::from_millis(ms)), want);
        }
    }
}
