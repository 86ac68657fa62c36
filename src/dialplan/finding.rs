//! What is wrong with a file, where, and what is due instead, told like a compiler tells it, in
//! Japanese or English. Knows nothing of what the file is about.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

/// The language of what a person is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    #[default]
    En,
}

impl Lang {
    /// From the value of `LC_ALL`, `LC_MESSAGES` or `LANG`: Japanese for `ja…`, else English.
    #[must_use]
    pub fn from_locale(locale: &str) -> Self {
        if locale.starts_with("ja") { Self::Ja } else { Self::En }
    }

    /// Chooses between the two.
    pub fn pick<T>(self, ja: T, en: T) -> T {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file is used; a person should look.
    Warning,
}

/// One thing said in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Both {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Both {
    /// In one language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        lang.pick(&self.ja, &self.en)
    }
}

/// What was found and what is due, without a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How bad.
    pub severity: Severity,
    /// A short name that stays the same in every language and version, such as `number-twice`.
    pub code: &'static str,
    /// What was found.
    pub found: Both,
    /// What is due instead.
    pub due: Both,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line itself and the marked part of it, in characters; none when the text is secret.
    excerpt: Option<Excerpt>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: String,
    marked: Range<usize>,
}

/// One thing wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as it was named to us.
    pub file: Arc<str>,
    /// Where in it; none when it is about the file as a whole.
    pub place: Option<Place>,
    /// What.
    pub message: Message,
}

impl Finding {
    /// Whether the file is refused because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.message.severity == Severity::Error
    }

    /// As a person reads it: several lines, the last without a line end.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let kind = match self.message.severity {
            Severity::Error => lang.pick("エラー", "error"),
            Severity::Warning => lang.pick("警告", "warning"),
        };
        let mut text =
            format!("{kind}[{}]: {}\n", self.message.code, tame(self.message.found.get(lang)));
        let gutter = self.place.as_ref().map_or(1, |place| place.line.to_string().len());
        let _ = write!(text, "{:gutter$}--> {}", "", tame(&self.file));
        if let Some(place) = &self.place {
            let _ = write!(text, ":{}:{}", place.line, place.column);
            if let Some(excerpt) = &place.excerpt {
                let before = width(excerpt.line.chars().take(excerpt.marked.start));
                let marked = excerpt.line.chars().skip(excerpt.marked.start);
                let marked = width(marked.take(excerpt.marked.len())).max(1);
                let line = tame(&excerpt.line);
                let _ = write!(text, "\n{:gutter$} |\n{} | {line}\n", "", place.line);
                let _ = write!(
                    text,
                    "{:gutter$} | {:before$}{:^>marked$}\n{:gutter$} |",
                    "", "", "", ""
                );
            }
        }
        let due = lang.pick("正しくは", "due");
        let _ = write!(text, "\n{:gutter$} = {due}: {}", "", tame(self.message.due.get(lang)));
        text
    }
}

/// A text being read, so that offsets become places.
#[derive(Clone, Debug)]
pub struct Source<'t> {
    text: &'t str,
    file: Arc<str>,
    line_starts: Vec<usize>,
    secret: bool,
}

impl<'t> Source<'t> {
    /// `file` is how the person named it.
    #[must_use]
    pub fn new(text: &'t str, file: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
        Self {
            text,
            file: file.into(),
            line_starts: std::iter::once(0).chain(starts).collect(),
            secret: false,
        }
    }

    /// The same, but no part of the text is ever shown: it holds passwords.
    #[must_use]
    pub fn secret(text: &'t str, file: &str) -> Self {
        Self { secret: true, ..Self::new(text, file) }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The line that holds the byte at `offset`, from 1.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).max(1)
    }

    /// The place of a range of bytes; of a range over several lines, its part in the first.
    #[must_use]
    pub fn place(&self, span: &Range<usize>) -> Place {
        let number = self.line_of(span.start.min(self.text.len()));
        let start = self.line_starts.get(number.saturating_sub(1)).copied().unwrap_or(0);
        let line = self.text.get(start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let chars_before = |offset: usize| {
            let within = offset.saturating_sub(start);
            line.char_indices().take_while(|(at, _)| *at < within).count()
        };
        let marked = chars_before(span.start)..chars_before(span.end);
        let column = marked.start.saturating_add(1);
        let excerpt = (!self.secret).then(|| Excerpt { line: line.to_owned(), marked });
        Place { line: number, column, excerpt }
    }
}

/// Findings of one file, collected until all of it was looked at.
#[derive(Clone, Debug)]
pub struct Findings<'t> {
    source: Source<'t>,
    list: Vec<(usize, Finding)>,
    left_out: bool,
}

/// Findings that one file can have; what comes after is left out, and that is said.
pub const MOST_FINDINGS: usize = 200;

impl<'t> Findings<'t> {
    /// None yet.
    #[must_use]
    pub fn new(source: Source<'t>) -> Self {
        Self { source, list: Vec::new(), left_out: false }
    }

    /// The text that they are about.
    #[must_use]
    pub fn source(&self) -> &Source<'t> {
        &self.source
    }

    /// Adds one at a range of bytes.
    pub fn at(&mut self, span: &Range<usize>, message: impl Into<Message>) {
        let place = Some(self.source.place(span));
        self.push(span.start, place, message.into());
    }

    /// Adds one about the file as a whole.
    pub fn whole(&mut self, message: impl Into<Message>) {
        self.push(0, None, message.into());
    }

    fn push(&mut self, order: usize, place: Option<Place>, message: Message) {
        if self.list.len() >= MOST_FINDINGS {
            self.left_out = true;
            // An error must never be lost behind warnings: it is what refuses the file.
            if message.severity == Severity::Warning
                || self.list.iter().any(|(_, finding)| finding.is_error())
            {
                return;
            }
            self.list.pop();
        }
        let finding = Finding { file: self.source.file.clone(), place, message };
        if !self.list.iter().any(|(_, known)| *known == finding) {
            self.list.push((order, finding));
        }
    }

    /// Whether one of them refuses the file.
    #[must_use]
    pub fn refuse(&self) -> bool {
        self.list.iter().any(|(_, finding)| finding.is_error())
    }

    /// All of them in the order of the text.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|(order, _)| *order);
        let mut list: Vec<_> = self.list.into_iter().map(|(_, finding)| finding).collect();
        if self.left_out {
            list.push(Finding {
                file: self.source.file.clone(),
                place: None,
                message: Message {
                    severity: Severity::Warning,
                    code: "more",
                    found: Both {
                        ja: format!("指摘が {MOST_FINDINGS} 件を超えた"),
                        en: format!("there are more than {MOST_FINDINGS} findings"),
                    },
                    due: Both {
                        ja: "上から直して、もう一度調べる".to_owned(),
                        en: "mend these and check again".to_owned(),
                    },
                },
            });
        }
        list
    }
}

/// The known word that `found` was probably meant to be.
#[must_use]
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // A mistyped name is short; anything longer would only cost time.
    if found.chars().count() > 64 {
        return None;
    }
    let most = (found.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|word| word.chars().count() <= 64)
        .map(|word| (distance(found, word), word))
        .filter(|(far, word)| *far <= most && *far < word.chars().count().max(1))
        .min()
        .map(|(_, word)| word.to_owned())
}

/// Letters to change, add, drop or swap with their neighbour (optimal string alignment).
fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) =
        (one.to_lowercase().chars().collect(), two.to_lowercase().chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let mut least = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && one[i - 1] == *b && two[j - 1] == *a {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[two.len()]
}

/// A person's text as it may go to a terminal: control characters (also those that turn the
/// direction of writing) become dots, a tab a blank.
#[must_use]
pub fn tame(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '·',
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => '·',
            c => c,
        })
        .collect()
}

/// Columns on a terminal: East Asian wide characters take two (UAX #11, the blocks in use here).
fn width(text: impl Iterator<Item = char>) -> usize {
    text.map(|c| match c {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    })
    .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(severity: Severity) -> Message {
        Message {
            severity,
            code: "test",
            found: Both { ja: "見つけた".into(), en: "found this".into() },
            due: Both { ja: "こう書く".into(), en: "write that".into() },
        }
    }

    #[test]
    fn marks_stand_under_wide_characters() {
        let text = "a = 1\nname = \"窓口\" # x\n";
        let mut findings = Findings::new(Source::new(text, "p.toml"));
        let at = text.find("# x").unwrap();
        findings.at(&(at..at + 3), message(Severity::Error));
        let shown = findings.into_sorted()[0].render(Lang::En);
        assert_eq!(
            shown,
            "error[test]: found this\n --> p.toml:2:13\n  |\n2 | name = \"窓口\" # x\n  |               ^^^\n  |\n  = due: write that"
        );
    }

    #[test]
    fn a_secret_text_is_never_shown() {
        let text = "2001\thunter2\n";
        let mut findings = Findings::new(Source::secret(text, "accounts.tsv"));
        findings.at(&(5..12), message(Severity::Error));
        let list = findings.into_sorted();
        assert!(!format!("{list:?} {}", list[0].render(Lang::Ja)).contains("hunter2"));
        assert!(list[0].render(Lang::Ja).contains("accounts.tsv:1:6"));
    }

    #[test]
    fn places_hold_at_every_edge_of_a_text() {
        for text in ["", "\n", "a", "a\r\nb", "窓\n口", "x\n\n"] {
            let source = Source::new(text, "f");
            for start in 0..=text.len() + 2 {
                for end in start..=text.len() + 2 {
                    let place = source.place(&(start..end));
                    assert!(place.line >= 1 && place.column >= 1, "{text:?} {start} {end}");
                }
            }
        }
    }

    #[test]
    fn errors_outlive_any_number_of_warnings() {
        let text = "x\n".repeat(MOST_FINDINGS * 2);
        let mut findings = Findings::new(Source::new(&text, "f"));
        for line in 0..MOST_FINDINGS + 50 {
            findings.at(&(line * 2..line * 2 + 1), message(Severity::Warning));
        }
        findings.at(&(1..2), message(Severity::Error));
        assert!(findings.refuse());
        let list = findings.into_sorted();
        assert_eq!(list.len(), MOST_FINDINGS + 1);
        assert_eq!(list.last().map(|last| last.message.code), Some("more"));
    }

    #[test]
    fn suggestions_are_near_or_none() {
        let table = [
            ("grou", Some("group")),
            ("gruop", Some("group")),
            ("Group", Some("group")),
            ("desk", None),
            ("", None),
        ];
        for (found, want) in table {
            assert_eq!(nearest(found, ["group", "menu", "announce"]).as_deref(), want, "{found}");
        }
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(tame("a\u{1b}[31m\u{202e}\tb"), "a·[31m· b");
    }
}
