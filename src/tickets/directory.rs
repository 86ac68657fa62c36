//! The imported directory: who has which number, for agents' panels.

use std::collections::BTreeMap;

/// People of one directory; more are refused.
pub const PEOPLE_MOST: usize = 100_000;
/// Characters of a cell that are taken.
const CELL: usize = 200;

/// Somebody who may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// As the directory has it.
    pub name: String,
    /// Where he or she works.
    pub department: String,
    /// Anything else.
    pub note: String,
}

/// Who has which number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory(BTreeMap<String, Person>);

/// Why a text is no directory.
#[derive(Debug, thiserror::Error)]
pub enum NoDirectory {
    /// No column of numbers.
    #[error("due is a column `number` (番号) / number（番号）の列がない")]
    NoNumbers,
    /// More than [`PEOPLE_MOST`].
    #[error("more than {PEOPLE_MOST} people / {PEOPLE_MOST} 人を超える")]
    TooMany,
    /// Not CSV.
    #[error("{0}")]
    Csv(#[from] csv::Error),
}

impl Directory {
    /// Reads a table with `number` (番号), `name` (氏名), `department` (所属), `note` (備考) in any order. A
    /// number counts by its digits alone; a line without one is passed over; of two lines with the same number
    /// the last one holds.
    ///
    /// # Errors
    ///
    /// [`NoDirectory`].
    pub fn read(text: &str) -> Result<Self, NoDirectory> {
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let heads = reader.headers()?.clone();
        let column = |names: [&str; 2]| heads.iter().position(|head| names.contains(&head.trim()));
        let number = column(["number", "番号"]).ok_or(NoDirectory::NoNumbers)?;
        let [name, department, note] =
            [["name", "氏名"], ["department", "所属"], ["note", "備考"]].map(column);
        let mut people = BTreeMap::new();
        for record in reader.records() {
            let record = record?;
            let cell = |column: Option<usize>| {
                let text = column.and_then(|column| record.get(column)).unwrap_or_default().trim();
                text.chars().filter(|c| !c.is_control()).take(CELL).collect::<String>()
            };
            let digits = digits(&cell(Some(number)));
            if digits.is_empty() {
                continue;
            }
            let person =
                Person { name: cell(name), department: cell(department), note: cell(note) };
            people.insert(digits, person);
            if people.len() > PEOPLE_MOST {
                return Err(NoDirectory::TooMany);
            }
        }
        Ok(Self(people))
    }

    /// Who has a number.
    #[must_use]
    pub fn find(&self, number: &str) -> Option<&Person> {
        self.0.get(&digits(number))
    }

    /// How many people.
    #[must_use]
    pub fn people(&self) -> usize {
        self.0.len()
    }
}

/// A number as it is compared.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_by_the_number_however_it_is_written() {
        let text = "\u{feff}氏名,番号,所属,室\r\n架空 花子,03-0000-1234,会計課,5F\r\n,,,\r\n架空 太郎,2001,総務課\r\n";
        let directory = Directory::read(text).expect("a directory");
        assert_eq!(directory.people(), 2);
        let found = directory.find("0300001234").expect("there");
        assert_eq!((found.name.as_str(), found.department.as_str()), ("架空 花子", "会計課"));
        assert_eq!(directory.find("2001").map(|it| it.note.as_str()), Some(""));
        assert_eq!(directory.find("非通知"), None);
        assert!(matches!(Directory::read("氏名\nx\n"), Err(NoDirectory::NoNumbers)));
    }
}
