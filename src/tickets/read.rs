//! A file of tickets: one a line, under the headings that docs/TICKETS.md lists.

use super::problem::{Fault, Problems, words};
use super::sheet::{Column, Line, Name, Sheet};
use super::ticket::{EscalatedTo, Escalation, Exclusion, Nature, Ticket};
use crate::base::{Wall, stamp};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

/// Most tickets of one file: more than a year of the busiest desk.
pub const MOST_TICKETS: usize = 200_000;

/// Most escalations of one ticket.
pub const MOST_ESCALATIONS: usize = 16;

/// Longest id, characters.
const LONGEST_ID: usize = 64;

/// Headings; all must be there, so that a misspelt one cannot pass for a column that is empty.
const NAMES: [Name; 9] = [
    Name { en: "id", ja: "受付番号" },
    Name { en: "received_at", ja: "受付日時" },
    Name { en: "completed_at", ja: "完了日時" },
    Name { en: "escalated_to", ja: "エスカレーション先" },
    Name { en: "escalated_at", ja: "エスカレーション日時" },
    Name { en: "escalation_answered_at", ja: "エスカレーション回答日時" },
    Name { en: "progress_reported_at", ja: "経過報告日時" },
    Name { en: "technical", ja: "技術支援" },
    Name { en: "exclusions", ja: "除外理由" },
];

const ESCALATED_TO: [(Name, EscalatedTo); 2] = [
    (Name { en: "system_builder", ja: "システム構築業者" }, EscalatedTo::SystemBuilder),
    (Name { en: "other", ja: "その他" }, EscalatedTo::Other),
];

const TECHNICAL: [(Name, Nature); 2] = [
    (Name { en: "yes", ja: "はい" }, Nature::Technical),
    (Name { en: "no", ja: "いいえ" }, Nature::Ordinary),
];

const EXCLUSIONS: [(Name, Exclusion); 3] = [
    (Name { en: "virus_investigation", ja: "ウイルス調査" }, Exclusion::VirusInvestigation),
    (Name { en: "vendor_investigation", ja: "ベンダー調査" }, Exclusion::VendorInvestigation),
    (Name { en: "caller_asked_for_time", ja: "時間指定" }, Exclusion::CallerAskedForTime),
];

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFile {
    /// Its tickets in its order.
    pub tickets: Vec<Ticket>,
    /// Columns that were not looked at.
    pub passed_over: Vec<String>,
}

/// Reads a file; moments without an offset are in `zone`.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn tickets(text: &str, zone: Tz) -> Result<TicketFile, Problems> {
    let mut problems = Problems::default();
    let Some(sheet) = Sheet::read(text, NAMES, MOST_TICKETS, &mut problems) else {
        return Err(problems);
    };
    let (mut tickets, mut lines) = (Vec::new(), BTreeMap::new());
    for line in &sheet.lines {
        let mut reader = Reader { line, zone, problems: &mut problems };
        let id = reader.id(&sheet.known[0], &mut lines);
        let ticket = reader.ticket(&sheet.known);
        if let (Some(id), Some(ticket)) = (id, ticket) {
            tickets.push(Ticket { id, ..ticket });
        }
    }
    let passed_over = sheet.others.into_iter().map(|column| column.name).collect();
    if problems.is_empty() { Ok(TicketFile { tickets, passed_over }) } else { Err(problems) }
}

/// One line being read. Everything that is wrong with it is told, so nothing ends before the last cell was
/// looked at.
pub(super) struct Reader<'a> {
    pub line: &'a Line,
    pub zone: Tz,
    pub problems: &'a mut Problems,
}

/// A moment with its cell's own words.
type Told<'a> = (Wall, &'a str);

impl<'a> Reader<'a> {
    /// An id that no earlier line has.
    pub(super) fn id(
        &mut self,
        column: &Column,
        lines: &mut BTreeMap<String, usize>,
    ) -> Option<String> {
        let id = self.line.cell(column);
        let fault = if id.is_empty() {
            Fault::Blank
        } else if id.chars().count() > LONGEST_ID || id.chars().any(char::is_control) {
            Fault::NotAnId(id.to_owned())
        } else if let Some(line) = lines.get(id).copied() {
            Fault::IdTwice { id: id.to_owned(), line }
        } else {
            lines.insert(id.to_owned(), self.line.number);
            return Some(id.to_owned());
        };
        self.wrong(column, fault)
    }

    /// All but the id.
    fn ticket(&mut self, known: &[Column; 9]) -> Option<Ticket> {
        let [_, received, completed, to, escalated, answered, reported, technical, exclusions] =
            known;
        let received_at = self.moment(received);
        let received_told = received_at.flatten().map(|at| (at, received));
        if received_at == Some(None) {
            self.wrong::<()>(received, Fault::Blank);
        }
        let completed_at = self.moment(completed);
        let reported_at = self.moment(reported);
        for (column, at) in [(completed, completed_at), (reported, reported_at)] {
            self.not_before(column, at.flatten(), received_told);
        }
        let completed_told = completed_at.flatten().map(|at| (at, completed));
        let escalations =
            self.escalations([to, escalated, answered], received_told, completed_told);
        let nature = match self.line.cell(technical) {
            "" => Some(Nature::Ordinary),
            word => self.word(technical, word, &TECHNICAL),
        };
        let exclusions = self.exclusions(exclusions);
        Some(Ticket {
            id: String::new(),
            received_at: received_at??.0,
            completed_at: completed_at?.map(|(at, _)| at),
            escalations: escalations?,
            reported_at: reported_at?.map(|(at, _)| at),
            nature: nature?,
            exclusions: exclusions?,
        })
    }

    fn escalations(
        &mut self,
        [to, escalated, answered]: [&Column; 3],
        received: Option<(Told<'a>, &Column)>,
        completed: Option<(Told<'a>, &Column)>,
    ) -> Option<Vec<Escalation>> {
        let line = self.line;
        let lists = [to, escalated, answered].map(|column| list(line.cell(column)));
        if lists.iter().all(Vec::is_empty) {
            return Some(Vec::new());
        }
        let [tos, ats, answers] = lists;
        if ats.len() > MOST_ESCALATIONS {
            return self.wrong(escalated, Fault::TooMany { most: MOST_ESCALATIONS });
        }
        let due = ats.len();
        for (column, found) in [(to, tos.len()), (answered, answers.len())] {
            // No answer at all may be an empty cell.
            if found != due && !(column == answered && found == 0) {
                self.wrong::<()>(
                    column,
                    Fault::ListLength { found, due, other: escalated.name.clone() },
                );
            }
        }
        if tos.len() != due || ![0, due].contains(&answers.len()) {
            return None;
        }
        let answers = answers.into_iter().chain(std::iter::repeat(""));
        let all: Vec<Option<Escalation>> = tos
            .into_iter()
            .zip(ats)
            .zip(answers)
            .map(|((to_word, at_text), answer_text)| {
                let to = self.word(to, to_word, &ESCALATED_TO);
                let at = self.stamp(escalated, at_text);
                if at == Some(None) {
                    self.wrong::<()>(escalated, Fault::Blank);
                }
                let told = at.flatten();
                self.not_before(escalated, told, received);
                if let (Some((at, text)), Some(((done, _), column))) = (told, completed)
                    && done < at
                {
                    let (found, other) = (line.cell(column).to_owned(), escalated.name.clone());
                    self.wrong::<()>(column, Fault::Before { found, other, than: text.to_owned() });
                }
                let answer = self.stamp(answered, answer_text);
                self.not_before(answered, answer.flatten(), told.map(|told| (told, escalated)));
                Some(Escalation { to: to?, at: told?.0, answered_at: answer?.map(|(at, _)| at) })
            })
            .collect();
        all.into_iter().collect()
    }

    fn exclusions(&mut self, column: &Column) -> Option<BTreeSet<Exclusion>> {
        let all: Vec<_> = list(self.line.cell(column))
            .into_iter()
            .map(|word| self.word(column, word, &EXCLUSIONS))
            .collect();
        all.into_iter().collect()
    }

    /// One of the words of a column.
    pub(super) fn word<T: Copy>(
        &mut self,
        column: &Column,
        word: &str,
        table: &[(Name, T)],
    ) -> Option<T> {
        let known = table.iter().find(|(name, _)| name.is(word)).map(|(_, value)| *value);
        known.or_else(|| {
            self.wrong(column, Fault::NotAWord { found: word.to_owned(), due: words(table) })
        })
    }

    /// The moment of a cell: `Some(None)` when it is empty, none when it is wrong.
    fn moment(&mut self, column: &Column) -> Option<Option<Told<'a>>> {
        let line = self.line;
        self.stamp(column, line.cell(column))
    }

    fn stamp<'t>(&mut self, column: &Column, text: &'t str) -> Option<Option<Told<'t>>> {
        match (text, stamp(text, self.zone)) {
            ("", _) => Some(None),
            (_, Some(at)) => Some(Some((at, text))),
            (_, None) => self.wrong(column, Fault::NotAStamp(text.to_owned())),
        }
    }

    fn not_before(
        &mut self,
        column: &Column,
        at: Option<Told<'_>>,
        earlier: Option<(Told<'_>, &Column)>,
    ) {
        if let (Some((at, found)), Some(((limit, than), other))) = (at, earlier)
            && at < limit
        {
            let (found, other, than) = (found.to_owned(), other.name.clone(), than.to_owned());
            self.wrong::<()>(column, Fault::Before { found, other, than });
        }
    }

    pub(super) fn wrong<T>(&mut self, column: &Column, fault: Fault) -> Option<T> {
        self.problems.at(self.line.number, &column.name, fault);
        None
    }
}

/// The items of a cell with semicolons between; of an empty cell none.
fn list(cell: &str) -> Vec<&str> {
    if cell.is_empty() { Vec::new() } else { cell.split([';', '；']).map(str::trim).collect() }
}
