//! The report as a PDF: pages of A4 with numbers, tables whose headings stand on every page that they go over,
//! and the same charts as the page of HTML. The pieces of each page are laid out first, so that every page
//! can say how many there are; `krilla` writes them.
//!
//! Lengths are points, and floats: they place ink and are no figures.

use super::chart::{Align, Colour, Drawing, Shape, drawings};
use super::html::{about, tamed, warnings};
use super::made::Report;
use super::table::{Cell, Table, tables};
use super::typeface::{Line, Typeface};
use super::words;
use crate::view;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;

const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const SIDE: f32 = 32.0;
const TOP: f32 = 38.0;
/// Where the last line of a page may end.
const BOTTOM: f32 = HEIGHT - 46.0;
const INNER: f32 = WIDTH - 2.0 * SIDE;
/// Between a cell's rule and its words.
const PAD: f32 = 2.2;
/// Tables of more columns are set smaller.
const WIDE: usize = 10;
/// Lines of one cell; a longer one ends with an ellipsis. A row is lower than a page so.
const MOST_LINES: usize = 24;

const BLACK: Colour = [0x11, 0x11, 0x11];
const RULE: Colour = [0x88, 0x88, 0x88];
const HEAD: Colour = [0xe8, 0xec, 0xf0];
const SUM: Colour = [0xf4, 0xf5, 0xf7];
const MISSED: Colour = [0xa0, 0x2c, 0x2c];

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// The file is no font, or none that `krilla` can put into a PDF.
    #[error("not a font of OpenType or TrueType")]
    Font,
    /// The writer refused.
    #[error("the PDF could not be written: {0}")]
    Write(String),
}

/// The file's bytes. `font` is a whole file of a font with Japanese signs, such as a .ttf, or a .ttc whose
/// first font is taken.
///
/// # Errors
///
/// [`PdfError`] when the font cannot be used.
pub fn pdf(report: &Report, font: Vec<u8>) -> Result<Vec<u8>, PdfError> {
    let typeface = Typeface::read(font).ok_or(PdfError::Font)?;
    let title = format!("月次運用報告書（電話） {}", words::month(report.month));
    let mut sheets = Sheets { typeface: &typeface, pages: vec![Vec::new()], y: TOP };
    sheets.paragraph(&title, 17.0, BLACK, 0.0);
    sheets.y += 3.0;
    for line in about(report) {
        sheets.paragraph(&line, 9.0, BLACK, 0.0);
    }
    for warning in warnings(report) {
        sheets.y += 2.0;
        sheets.paragraph(&format!("※ {warning}"), 9.5, MISSED, 0.0);
    }
    let drawings = drawings(report);
    for table in tables(report) {
        let drawing = drawings.iter().find(|drawing| drawing.table == table.id);
        sheets.section(&table, drawing);
    }
    written(report, &title, &sheets.pages, &typeface)
}

/// A piece of a page, by its upper left corner or, of words, the beginning of their base line.
enum Ink {
    Words { x: f32, y: f32, size: f32, line: Line, colour: Colour },
    Block { x: f32, y: f32, width: f32, height: f32, colour: Colour },
}

struct Sheets<'a> {
    typeface: &'a Typeface,
    pages: Vec<Vec<Ink>>,
    /// Where the next piece of the last page begins.
    y: f32,
}

impl Sheets<'_> {
    fn ink(&mut self, ink: Ink) {
        if let Some(page) = self.pages.last_mut() {
            page.push(ink);
        }
    }

    fn block(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), colour: Colour) {
        self.ink(Ink::Block { x, y, width, height, colour });
    }

    /// Goes to a new page unless so much is free on this one.
    fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
    }

    fn lines(&self, text: &str, size: f32, width: f32) -> Vec<Line> {
        let tamed: String = text.chars().map(tamed).collect();
        self.typeface.lines(&tamed, size, width, MOST_LINES)
    }

    fn paragraph(&mut self, text: &str, size: f32, colour: Colour, indent: f32) {
        for line in self.lines(text, size, INNER - indent) {
            self.need(size * 1.4);
            let y = self.y + size;
            self.ink(Ink::Words { x: SIDE + indent, y, size, line, colour });
            self.y += size * 1.4;
        }
    }

    fn section(&mut self, table: &Table, drawing: Option<&Drawing>) {
        let form = Form::of(table);
        let rows: Vec<Placed> = table.rows.iter().map(|row| self.placed(row, &form)).collect();
        let heads: Vec<Cell> = table.heads.iter().map(Cell::text).collect();
        let head = self.placed(&heads, &form);
        // A title stays with its chart, or with the first rows.
        let first: f32 = rows.iter().take(2).map(|row| row.height).sum();
        let chart = drawing.map_or(0.0, |drawing| whole(drawing.height) * scale(drawing) + 6.0);
        let table_begins = head.height + first;
        self.need(30.0 + if drawing.is_some() { chart } else { table_begins });
        self.y += 12.0;
        self.paragraph(&table.title, 12.0, BLACK, 0.0);
        self.block((SIDE, self.y - 2.0), (INNER, 1.0), BLACK);
        self.y += 3.0;
        if let Some(drawing) = drawing {
            self.chart(drawing);
        }
        self.need(table_begins);
        self.row(&head, &form, Kind::Head);
        for (row, at) in rows.iter().zip(1..) {
            if self.y + row.height > BOTTOM {
                self.need(BOTTOM);
                self.row(&head, &form, Kind::Head);
            }
            let sum = table.sum && at == rows.len();
            self.row(row, &form, if sum { Kind::Sum } else { Kind::Plain });
        }
        self.y += 3.0;
        for note in &table.notes {
            self.paragraph(&format!("・{note}"), 7.5, BLACK, 4.0);
        }
    }

    /// Cells in lines under their headings.
    fn placed(&self, row: &[Cell], form: &Form) -> Placed {
        let cells: Vec<(Vec<Line>, bool, bool)> = row
            .iter()
            .zip(&form.columns)
            .map(|(cell, (_, width))| {
                let lines = self.lines(cell.shown(), form.size, width - 2.0 * PAD);
                let right = !matches!(cell, Cell::Text(_));
                (lines, right, cell.shown() == "未達成")
            })
            .collect();
        let most = cells.iter().map(|(lines, ..)| lines.len()).max().unwrap_or(1).max(1);
        let most = i16::try_from(most).unwrap_or(i16::MAX);
        Placed { cells, height: f32::from(most) * form.size * 1.3 + 2.0 * PAD }
    }

    fn row(&mut self, row: &Placed, form: &Form, kind: Kind) {
        let (top, height) = (self.y, row.height);
        match kind {
            Kind::Head => self.block((SIDE, top), (INNER, height), HEAD),
            Kind::Sum => self.block((SIDE, top), (INNER, height), SUM),
            Kind::Plain => {}
        }
        for ((lines, right, missed), (x, width)) in row.cells.iter().zip(&form.columns) {
            let mut y = top + PAD + form.size * 0.95;
            for line in lines {
                let free = width - 2.0 * PAD - line.width;
                let shift = match kind {
                    Kind::Head => free / 2.0,
                    _ if *right => free,
                    _ => 0.0,
                };
                let colour = if *missed { MISSED } else { BLACK };
                let (x, line) = (x + PAD + shift, line.clone());
                self.ink(Ink::Words { x, y, size: form.size, line, colour });
                y += form.size * 1.3;
            }
        }
        for (x, _) in form.columns.iter().skip(1) {
            self.block((*x - 0.2, top), (0.4, height), RULE);
        }
        self.block((SIDE - 0.2, top), (0.4, height), RULE);
        self.block((WIDTH - SIDE - 0.2, top), (0.4, height), RULE);
        if kind != Kind::Plain {
            self.block((SIDE, top - 0.4), (INNER, 0.8), BLACK);
        }
        self.block((SIDE, top + height - 0.2), (INNER, 0.4), RULE);
        self.y += height;
    }

    fn chart(&mut self, drawing: &Drawing) {
        let scale = scale(drawing);
        self.need(whole(drawing.height) * scale + 6.0);
        let (left, top) = (SIDE, self.y);
        for shape in &drawing.shapes {
            match shape {
                Shape::Bar { x, y, width, height, colour, .. } => self.block(
                    (left + whole(*x) * scale, top + whole(*y) * scale),
                    (whole(*width) * scale, whole(*height) * scale),
                    *colour,
                ),
                Shape::Line { x, y, width, colour } => self.block(
                    (left + whole(*x) * scale, top + whole(*y) * scale - 0.3),
                    (whole(*width) * scale, 0.6),
                    *colour,
                ),
                Shape::Words { x, y, align, words } => {
                    let size = 11.0 * scale;
                    let Some(line) = self.lines(words, size, INNER).into_iter().next() else {
                        continue;
                    };
                    let shift = match align {
                        Align::Start => 0.0,
                        Align::Middle => line.width / 2.0,
                        Align::End => line.width,
                    };
                    let (x, y) = (left + whole(*x) * scale - shift, top + whole(*y) * scale);
                    self.ink(Ink::Words { x, y, size, line, colour: BLACK });
                }
            }
        }
        self.y += whole(drawing.height) * scale + 6.0;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Head,
    Plain,
    Sum,
}

/// A row in lines: each cell's, whether it stands at the right, and whether it tells of a miss.
struct Placed {
    cells: Vec<(Vec<Line>, bool, bool)>,
    height: f32,
}

/// How a table is set: the size of its letters, and each column's left edge and width.
struct Form {
    size: f32,
    columns: Vec<(f32, f32)>,
}

impl Form {
    fn of(table: &Table) -> Self {
        let all: f32 = table.widths.iter().copied().map(f32::from).sum();
        let mut x = SIDE;
        let column = |width: &u16| {
            let width = INNER * f32::from(*width) / all.max(1.0);
            let left = x;
            x += width;
            (left, width)
        };
        let columns = table.widths.iter().map(column).collect();
        Self { size: if table.heads.len() > WIDE { 6.2 } else { 8.0 }, columns }
    }
}

fn scale(drawing: &Drawing) -> f32 {
    INNER / whole(drawing.width)
}

/// A length of a drawing; all are below a thousand units.
fn whole(units: i32) -> f32 {
    f32::from(i16::try_from(units).unwrap_or(i16::MAX))
}

fn written(
    report: &Report,
    title: &str,
    pages: &[Vec<Ink>],
    typeface: &Typeface,
) -> Result<Vec<u8>, PdfError> {
    let mut document = krilla::Document::new();
    let mut about = Metadata::new()
        .title(title.to_owned())
        .language("ja".to_owned())
        .creator(format!("madoguchi {}", report.version));
    if let Some(at) = made_at(report) {
        about = about.creation_date(at);
    }
    document.set_metadata(about);
    for (page, number) in pages.iter().zip(1..) {
        let size = PageSettings::from_wh(WIDTH, HEIGHT);
        let size = size.ok_or_else(|| PdfError::Write("no page of A4".to_owned()))?;
        let mut sheet = document.start_page_with(size);
        let mut surface = sheet.surface();
        for ink in page {
            draw(&mut surface, ink, typeface);
        }
        let foot = format!("{number} / {}", pages.len());
        for (text, align) in [(title, 0.0), (&foot, 0.5)] {
            if let Some(line) = typeface.lines(text, 8.0, INNER, 1).into_iter().next() {
                let x = SIDE + (INNER - line.width) * align;
                let (y, size, colour) = (HEIGHT - 24.0, 8.0, BLACK);
                draw(&mut surface, &Ink::Words { x, y, size, line, colour }, typeface);
            }
        }
        surface.finish();
        sheet.finish();
    }
    document.finish().map_err(|error| PdfError::Write(format!("{error:?}")))
}

/// In the desk's zone, as the pages say it.
fn made_at(report: &Report) -> Option<DateTime> {
    use chrono::{Datelike as _, Offset as _, Timelike as _};
    let at = view::local(report.made_at_ms, report.zone)?;
    let small = |number: u32| u8::try_from(number).ok();
    let offset_min = at.offset().fix().local_minus_utc() / 60;
    Some(
        DateTime::new(u16::try_from(at.year()).ok()?)
            .month(small(at.month())?)
            .day(small(at.day())?)
            .hour(small(at.hour())?)
            .minute(small(at.minute())?)
            .second(small(at.second())?)
            .utc_offset_hour(i8::try_from(offset_min / 60).ok()?)
            .utc_offset_minute(u8::try_from(offset_min.rem_euclid(60)).ok()?),
    )
}

fn draw(surface: &mut Surface<'_>, ink: &Ink, typeface: &Typeface) {
    let fill = |[red, green, blue]: Colour| {
        Some(Fill { paint: rgb::Color::new(red, green, blue).into(), ..Fill::default() })
    };
    match ink {
        Ink::Words { x, y, size, line, colour } => {
            surface.set_fill(fill(*colour));
            let (from, font) = (Point::from_xy(*x, *y), typeface.font());
            surface.draw_glyphs(from, &line.glyphs, font, &line.text, *size, false);
        }
        Ink::Block { x, y, width, height, colour } => {
            let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            let Some(path) = path.finish() else { return };
            surface.set_fill(fill(*colour));
            surface.draw_path(&path);
        }
    }
}
