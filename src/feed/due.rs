//! What is due by the fold, made into what a target is handed.

use super::words::{addition, new_ticket, replaced};
use super::{Addition, NewTicket, Sheet, Template, Terms};
use crate::event::{Entry, Fact};
use crate::view::Due;

/// The ticket of a call from its entries in order, and the last entry that is in it; none when they do not begin
/// with its arrival.
#[must_use]
pub fn ticket_for(
    due: &Due,
    entries: &[Entry],
    subject: &Template,
    terms: &Terms,
) -> Option<(NewTicket, u64)> {
    let sheet = Sheet::of(entries, terms, due.wrap_up_ms)?;
    // Notes from then on are added by themselves.
    let early = |entry: &&Entry| entry.seq < due.seq && matches!(entry.fact, Fact::Note { .. });
    let notes: Vec<Entry> = entries.iter().filter(early).cloned().collect();
    let mut ticket = new_ticket(&sheet, (due.seq, due.at), subject, &notes, terms);
    if let Some(edited) = &due.edited {
        ticket.text = replaced(&edited.text, &ticket.key);
        if let Some(subject) = &edited.subject {
            ticket.subject = subject.clone();
        }
    }
    Some((ticket, sheet.through))
}

/// What is added to a ticket. `other` are the entries of the later call that it is about, if it is about one.
#[must_use]
pub fn addition_for(
    due: &Due,
    entries: &[Entry],
    other: Option<&[Entry]>,
    terms: &Terms,
) -> Option<Addition> {
    let of = Sheet::of(other.unwrap_or(entries), terms, due.wrap_up_ms)?;
    let entry = entries.iter().find(|entry| entry.seq == due.seq);
    let mut it = addition(due.call, &of, (due.seq, due.at, due.kind), entry, terms);
    if let (Some(edited), Some(_)) = (&due.edited, &it.text) {
        it.text = Some(replaced(&edited.text, &it.key));
    }
    Some(it)
}
