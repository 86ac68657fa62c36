//! A walk through what changed at a system, page by page from the newest backwards until what was told before:
//! what changes meanwhile moves to the front and is found by the next walk, so that no page boundary, no
//! second that many tickets share, and no other clock than the system's own matters.

use super::Cursor;

/// Tickets of one page.
pub(super) const PAGE: usize = 100;
/// Behind the newest that was told so much is told again, seconds: what was being written while it was looked
/// for, and a clock of the system's that was put back a little.
const OVERLAP_S: i64 = 60;

/// Where a walk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Walk {
    /// The newest that the walk before told, seconds since 1970.
    until_s: Option<i64>,
    /// The newest that this walk tells, once it has begun.
    newest_s: Option<i64>,
    /// The page that is asked for next, from 0.
    page: u32,
    /// What the system said that there are in all.
    total: u64,
}

/// A page as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    /// When each of its tickets changed last, seconds since 1970, the newest first.
    pub(super) changed_s: &'a [i64],
    /// What the system says that there are in all.
    pub(super) total: u64,
}

/// What follows from a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// So many of its tickets, from its beginning, are to be told.
    pub(super) keep: usize,
    /// Where the next look goes on.
    pub(super) cursor: Cursor,
    /// Whether the walk is not over.
    pub(super) more: bool,
}

impl Walk {
    /// Goes on where a cursor says; from the beginning when it is none of ours.
    pub(super) fn at(cursor: &str) -> Self {
        Self::read(cursor).unwrap_or_default()
    }

    fn read(cursor: &str) -> Option<Self> {
        let mut words = cursor.split(' ');
        let until = words.next()?;
        let until_s = if until == "-" { None } else { Some(until.parse().ok()?) };
        let Some(newest) = words.next() else {
            return Some(Self { until_s, ..Self::default() });
        };
        let (page, total) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { until_s, newest_s: Some(newest.parse().ok()?), page, total })
    }

    fn cursor(self) -> Cursor {
        let until = self.until_s.map_or_else(|| "-".to_owned(), |it| it.to_string());
        match self.newest_s {
            Some(newest) => format!("{until} {newest} {} {}", self.page, self.total),
            None => until,
        }
    }

    /// The page to be asked for, from 0.
    pub(super) const fn page(self) -> u32 {
        self.page
    }

    /// What changed before this was told, seconds since 1970.
    pub(super) fn floor_s(self) -> Option<i64> {
        self.until_s.map(|until| until.saturating_sub(OVERLAP_S))
    }

    /// The page has come.
    pub(super) fn on(self, page: Page<'_>) -> Next {
        let floor = self.floor_s();
        let is_new = |at: &&i64| floor.is_none_or(|floor| **at >= floor);
        let keep = page.changed_s.iter().take_while(is_new).count();
        let newest_s = self.newest_s.max(page.changed_s.iter().max().copied());
        let is_over = page.changed_s.len() < PAGE || keep < page.changed_s.len();
        // Tickets that went away moved the others forward, over the boundary behind which we looked.
        let has_shrunk = self.page > 0 && page.total < self.total;
        let next = if has_shrunk {
            Self { page: 0, newest_s: None, ..self }
        } else if is_over {
            Self { until_s: newest_s.or(self.until_s), ..Self::default() }
        } else {
            Self { newest_s, page: self.page.saturating_add(1), total: page.total, ..self }
        };
        Next { keep, cursor: next.cursor(), more: has_shrunk || !is_over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that a walk tells of a list of stamps, newest first, and where it ends.
    fn walked(all: &[i64], cursor: &str) -> (Vec<i64>, String) {
        let (mut told, mut cursor) = (Vec::new(), cursor.to_owned());
        for _ in 0..100 {
            let walk = Walk::at(&cursor);
            let from = walk.page() as usize * PAGE;
            let page = &all[from.min(all.len())..(from + PAGE).min(all.len())];
            let next = walk.on(Page { changed_s: page, total: all.len() as u64 });
            told.extend_from_slice(&page[..next.keep]);
            cursor = next.cursor;
            if !next.more {
                return (told, cursor);
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn a_walk_tells_all_and_the_next_one_only_what_is_new() {
        let all: Vec<i64> = (1_000..1_250).rev().collect();
        let (told, cursor) = walked(&all, "");
        assert_eq!((told.len(), cursor.as_str()), (250, "1249"));
        let (again, cursor) = walked(&all, &cursor);
        assert_eq!((again, cursor.as_str()), ((1_189..1_250).rev().collect(), "1249"));
        let newer: Vec<i64> = (1_000..1_500).rev().collect();
        let (told, cursor) = walked(&newer, &cursor);
        assert_eq!((told, cursor.as_str()), ((1_189..1_500).rev().collect(), "1499"));
    }

    #[test]
    fn a_second_that_hundreds_of_tickets_share_hides_none() {
        let all = [vec![2_000; 350], vec![1_000; 20]].concat();
        assert_eq!(walked(&all, "1500").0.len(), 350);
        assert_eq!(walked(&all, "2000").0.len(), 350, "told again, and never skipped");
    }

    #[test]
    fn a_walk_begins_anew_when_tickets_went_away_meanwhile() {
        let walk = Walk::at("10 500 2 300");
        let stamps = vec![400; PAGE];
        let next = walk.on(Page { changed_s: &stamps, total: 299 });
        assert_eq!(next, Next { keep: PAGE, cursor: "10".to_owned(), more: true });
        let grown = walk.on(Page { changed_s: &stamps, total: 301 });
        assert_eq!(grown.cursor, "10 500 3 301");
    }

    #[test]
    fn a_cursor_of_nobodys_begins_at_the_beginning() {
        for cursor in ["", "x", "1 2", "1 2 3", "1 2 x 4", "- - 1 1", "\u{0}"] {
            assert_eq!(Walk::at(cursor), Walk::default(), "{cursor:?}");
        }
        for cursor in ["-", "5", "5 9 1 200", "- 9 1 200"] {
            assert_eq!(Walk::at(cursor).cursor(), cursor);
        }
        let empty = Walk::at("").on(Page { changed_s: &[], total: 0 });
        assert_eq!((empty.cursor.as_str(), empty.more), ("-", false));
    }
}
