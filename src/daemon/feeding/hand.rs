//! One step handed to one target: looked for, then opened or added.

use crate::base::CallId;
use crate::event::Entry;
use crate::feed::{Template, Terms, addition_for, ticket_for};
use crate::io::deliver::tickets::{TicketSink, Unable};
use crate::io::http::LadderFn;
use crate::view::{Due, StepKind};

/// What a try came to that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon) enum Handed {
    /// The target has a ticket of the call.
    Opened {
        /// Its name there.
        ticket: String,
        /// The last entry that is in it.
        through: u64,
        /// It was there already.
        found: bool,
    },
    /// The ticket has the addition.
    Added,
}

const NO_CALL: Unable = Unable::Garbled { what: "the call's entries in the history" };

/// Hands one step over.
///
/// # Errors
///
/// [`Unable`]; the target may have it all the same.
pub(in crate::daemon) async fn hand(
    sink: &dyn TicketSink,
    due: &Due,
    subject: &Template,
    terms: &Terms,
    ladder: &LadderFn,
) -> Result<Handed, Unable> {
    let entries = entries(due.call, ladder).await?;
    match due.kind {
        StepKind::Open => {
            let found = sink.find(due.call).await?;
            if found.len() > 1 {
                // Of a system that created one behind a broken connection, late.
                tracing::error!(call = %due.call, tickets = ?found, "the ticket system has several tickets of one call; the first is used / 一つの呼にチケットが複数あります");
            }
            if let Some(ticket) = found.into_iter().next() {
                // How much of the call is in it nobody knows.
                return Ok(Handed::Opened { ticket, through: due.seq, found: true });
            }
            let (ticket, through) = ticket_for(due, &entries, subject, terms).ok_or(NO_CALL)?;
            let ticket = sink.create(&ticket).await?;
            Ok(Handed::Opened { ticket, through, found: false })
        }
        StepKind::Ended
        | StepKind::Note
        | StepKind::WrapUp { .. }
        | StepKind::CalledBack
        | StepKind::LaterCall { .. } => {
            let ticket = match &due.ticket {
                Some(ticket) => ticket.clone(),
                None => {
                    let found = sink.find(due.call).await?.into_iter().next();
                    found.ok_or_else(|| Unable::NoTicket { ticket: due.call.to_string() })?
                }
            };
            let other = match due.kind {
                StepKind::LaterCall { call } => Some(self::entries(call, ladder).await?),
                _ => None,
            };
            let it = addition_for(due, &entries, other.as_deref(), terms).ok_or(NO_CALL)?;
            if it.text.is_none() || !sink.holds(&ticket, &it.key).await? {
                sink.append(&ticket, &it).await?;
            }
            Ok(Handed::Added)
        }
    }
}

async fn entries(call: CallId, ladder: &LadderFn) -> Result<Vec<Entry>, Unable> {
    ladder(call).await.map_err(|error| {
        tracing::warn!(%call, error, "the history cannot be read for a ticket");
        NO_CALL
    })
}
