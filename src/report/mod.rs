//! The monthly operations report (月次運用報告書), telephone part, with the sheet of 別紙4.
//!
//! Pure: views of the history and, where there are any, the month's ticket figures go in; a typed [`Report`],
//! its tables, and the bytes of the files come out. Nothing is counted here that `view` and `tickets` do not
//! count, and no figure is a float. What is printed for people is Japanese, as the contract's sheet is; JSON
//! has English names. How it is read and where files go is the business of `cli`.

mod asked;
mod chart;
mod compare;
mod contract;
mod csv;
mod html;
mod made;
mod next;
mod operating;
mod pdf;
mod sheet;
mod table;
mod typeface;
mod words;
mod working;

#[cfg(test)]
mod tests;

pub use compare::{Change, Column, Compared};
pub use csv::csv;
pub use html::html;
pub use made::{About, ExcludedRow, Log, Names, Report, Row, TrunkFull, Whole};
pub use next::{Expected, NextMonth, Spread};
pub use pdf::{PdfError, pdf};
pub use sheet::{Basis, Revision, Sheet, SheetLine, SheetValue, SheetVerdict};
pub use table::{Cell, Table, tables};
pub use working::Working;
