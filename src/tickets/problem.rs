//! What is wrong with a file, told by line and column with what was found and what is due, in both languages.

use super::sheet::{Name, QuoteFault};
use crate::dialplan::{Lang, tame};

/// Problems that are told of one file; further ones are counted.
pub const MOST_LISTED: usize = 50;

/// Characters of a cell that are told.
const MOST_TOLD: usize = 40;

/// All that is wrong with a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    listed: Vec<Problem>,
    more: usize,
}

/// One thing wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In the file, from 1.
    pub line: usize,
    /// The column as the file calls it; none when it is about the line as a whole.
    pub column: Option<String>,
    /// What.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no line at all.
    Empty,
    /// A quote that no reader of such files could make sense of.
    Quote(QuoteFault),
    /// A line is longer or shorter than the heading.
    CellCount {
        /// Cells of the line.
        found: usize,
        /// Cells of the heading.
        due: usize,
    },
    /// More lines than are taken.
    TooManyLines {
        /// So many are.
        most: usize,
    },
    /// A survey has no column for answers.
    NoQuestion,
    /// A column that must be there is not.
    ColumnMissing {
        /// Its other name.
        ja: &'static str,
    },
    /// Two columns have the name.
    ColumnTwice,
    /// Nothing is in a cell that must say something.
    Blank,
    /// An id that is too long or has characters that cannot be shown.
    NotAnId(String),
    /// An earlier line has the same id.
    IdTwice {
        /// The id.
        id: String,
        /// That line.
        line: usize,
    },
    /// Not a moment.
    NotAStamp(String),
    /// Not a year.
    NotAYear(String),
    /// None of the words that the column knows.
    NotAWord {
        /// What it is.
        found: String,
        /// What it may be.
        due: Vec<(&'static str, &'static str)>,
    },
    /// A moment before the one that it cannot be before.
    Before {
        /// The moment as written.
        found: String,
        /// The other column.
        other: String,
        /// What it says.
        than: String,
    },
    /// A cell with a list that is shorter or longer than the list of another column.
    ListLength {
        /// Items of the cell.
        found: usize,
        /// Items of the other.
        due: usize,
        /// The other column.
        other: String,
    },
    /// More than are taken.
    TooMany {
        /// So many are.
        most: usize,
    },
}

impl Problems {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The first ones, in the order in which they were found.
    #[must_use]
    pub fn listed(&self) -> &[Problem] {
        &self.listed
    }

    /// Each on a line of its own, and how many are not told.
    #[must_use]
    pub fn told(&self, file: &str, lang: Lang) -> String {
        let mut text = String::new();
        for problem in &self.listed {
            text.push_str(&problem.told(file, lang));
            text.push('\n');
        }
        let count = self.listed.len() + self.more;
        if self.more > 0 {
            text.push_str(&lang.pick(
                format!("ほか {} 件は省略\n", self.more),
                format!("{} more are not listed\n", self.more),
            ));
        }
        text.push_str(&lang.pick(
            format!("エラー {count} 件。何も集計していない\n"),
            format!("errors: {count}; nothing was counted\n"),
        ));
        text
    }

    pub(super) fn at(&mut self, line: usize, column: &str, fault: Fault) {
        self.add(Problem { line, column: Some(column.to_owned()), fault });
    }

    pub(super) fn whole_line(&mut self, line: usize, fault: Fault) {
        self.add(Problem { line, column: None, fault });
    }

    fn add(&mut self, problem: Problem) {
        if self.listed.len() < MOST_LISTED {
            self.listed.push(problem);
        } else {
            self.more += 1;
        }
    }
}

impl Problem {
    /// As a person reads it.
    #[must_use]
    pub fn told(&self, file: &str, lang: Lang) -> String {
        let column =
            self.column.as_deref().map_or(String::new(), |name| format!(" {}:", brief(name)));
        let (found, due) = self.fault.told(lang);
        let due = lang.pick(format!("正しくは: {due}"), format!("due: {due}"));
        format!("{}:{}:{column} {found}. {due}", tame(file), self.line)
    }
}

impl Fault {
    /// What was found, and what is due.
    fn told(&self, lang: Lang) -> (String, String) {
        let both = |ja: [&str; 2], en: [&str; 2]| {
            let [found, due] = lang.pick(ja, en);
            (found.to_owned(), due.to_owned())
        };
        match self {
            Self::Empty => both(
                ["行がない", "列の名前の行と、その下の行"],
                ["there is no line", "a line of column names, and lines below it"],
            ),
            Self::Quote(fault) => fault.told(lang),
            Self::CellCount { found, due } => lang.pick(
                (format!("値が {found} 個"), format!("列の名前と同じ {due} 個")),
                (format!("{found} cells"), format!("{due}, as many as there are column names")),
            ),
            Self::TooManyLines { most } => lang.pick(
                (format!("{most} 件より多い"), "期間ごとに分けたファイル".to_owned()),
                (format!("more than {most} lines"), "a file of a shorter time".to_owned()),
            ),
            Self::NoQuestion => both(
                ["質問の列がない", "回答者と、質問ごとの列"],
                ["there is no question", "a column for each question beside the respondent"],
            ),
            Self::ColumnMissing { ja } => lang.pick(
                ("この列がない".to_owned(), format!("この名前か「{ja}」の列（値は空でもよい）")),
                (
                    "there is no such column".to_owned(),
                    format!("a column of this name or {ja}, which may be empty"),
                ),
            ),
            Self::ColumnTwice => {
                both(["この列が二つある", "一つ"], ["there are two such columns", "one"])
            }
            Self::Blank => both(["空", "値"], ["empty", "something"]),
            Self::NotAnId(found) => lang.pick(
                (quoted(found), "表示できる 64 文字以内".to_owned()),
                (quoted(found), "at most 64 characters that can be shown".to_owned()),
            ),
            Self::IdTwice { id, line } => lang.pick(
                (format!("{} は {line} 行目にもある", quoted(id)), "一件に一行".to_owned()),
                (format!("{} is on line {line} too", quoted(id)), "one line each".to_owned()),
            ),
            Self::NotAStamp(found) => lang.pick(
                (
                    format!("{} は日時ではない", quoted(found)),
                    "2026-10-05 09:30 のような日時（2000〜2099 年）".to_owned(),
                ),
                (
                    format!("{} is not a time", quoted(found)),
                    "a time such as 2026-10-05 09:30, of 2000 to 2099".to_owned(),
                ),
            ),
            Self::NotAYear(found) => lang.pick(
                (format!("{} は年ではない", quoted(found)), "2026 のような年".to_owned()),
                (format!("{} is not a year", quoted(found)), "a year such as 2026".to_owned()),
            ),
            Self::NotAWord { found, due } => {
                let words = due.iter().map(|(en, ja)| lang.pick(*ja, *en));
                let words = words.collect::<Vec<_>>().join(lang.pick("、", ", "));
                lang.pick(
                    (format!("{} は決まった語ではない", quoted(found)), words.clone()),
                    (format!("{} is not a word known here", quoted(found)), words),
                )
            }
            Self::Before { found, other, than } => {
                let (found, other, than) = (quoted(found), brief(other), brief(than));
                lang.pick(
                    (format!("{found} は {other} より前"), format!("{than} かその後")),
                    (format!("{found} is before {other}"), format!("{than} or later")),
                )
            }
            Self::ListLength { found, due, other } => {
                let other = brief(other);
                lang.pick(
                    (format!("{found} 個"), format!("{other} と同じ {due} 個（; で区切る）")),
                    (format!("{found} items"), format!("{due}, as in {other}, with ; between")),
                )
            }
            Self::TooMany { most } => lang.pick(
                (format!("{most} 個より多い"), format!("{most} 個まで")),
                (format!("more than {most}"), format!("{most} at most")),
            ),
        }
    }
}

impl QuoteFault {
    fn told(self, lang: Lang) -> (String, String) {
        let found = match self {
            Self::Inside => lang.pick("値の途中に \" がある", "a \" inside a cell"),
            Self::GoesOn => {
                lang.pick("\" で閉じた後に値が続く", "a cell goes on behind its closing \"")
            }
            Self::Open => lang.pick("\" が閉じていない", "a \" that is never closed"),
        };
        let due = lang.pick(
            "値の全体を \" で囲み、中の \" は \"\" と書く（RFC 4180）",
            "quotes around the whole cell, and \"\" for one inside it (RFC 4180)",
        );
        (found.to_owned(), due.to_owned())
    }
}

/// A word in both languages, for [`Fault::NotAWord`].
pub(super) fn words<T>(table: &[(Name, T)]) -> Vec<(&'static str, &'static str)> {
    table.iter().map(|(name, _)| (name.en, name.ja)).collect()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", brief(text))
}

fn brief(text: &str) -> String {
    let text = tame(text);
    if text.chars().count() <= MOST_TOLD {
        return text;
    }
    text.chars().take(MOST_TOLD).chain(['…']).collect()
}
