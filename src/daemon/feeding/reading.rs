//! What a ticket system tells of its tickets, into the history: so the monthly sheet's figures come from the
//! tool of record.

use super::{Feeder, Target};
use crate::event::FeedEvent;
use crate::io::deliver::tickets::{Changed, Unable};
use std::sync::Arc;
use tokio::time::sleep;

/// Pages that are read one after the other, when there is more than one of news.
const PAGES_MOST: usize = 1_000;

impl Feeder {
    /// Asks a target again and again what changed.
    pub(super) async fn read_back(self, target: Arc<Target>) {
        let Some(every) = target.config.read_every else { return };
        let name = &target.config.name;
        let mut cursor = self.hub.read(|views, _, _| views.ticket_cursor(name).to_owned());
        let mut fails = false;
        loop {
            for _ in 0..PAGES_MOST {
                match self.look(&target, &cursor).await {
                    None => return, // It does not tell.
                    Some(Ok(changed)) => {
                        fails = false;
                        let more = changed.more && changed.cursor != cursor;
                        self.note(&target, &changed, &cursor).await;
                        cursor = changed.cursor;
                        if !more {
                            break;
                        }
                    }
                    Some(Err(error)) => {
                        target.failed(&error);
                        if !std::mem::replace(&mut fails, true) {
                            tracing::warn!(target_name = %name, "a ticket system does not tell what changed, and is asked again: {error} / チケットの変化を読めず、やり直します");
                        }
                        break;
                    }
                }
            }
            sleep(every).await;
        }
    }

    async fn look(&self, target: &Target, cursor: &String) -> Option<Result<Changed, Unable>> {
        let asked = target.sink.as_ref()?.changed(cursor)?;
        Some(asked.await)
    }

    /// Only what stands otherwise than it is known.
    async fn note(&self, target: &Target, changed: &Changed, before: &String) {
        let name = &target.config.name;
        let mut news = false;
        for seen in &changed.tickets {
            let known = self.hub.read(|views, _, _| {
                views.ticket_state(name, &seen.ticket).is_some_and(|state| *state == seen.state)
            });
            if !known {
                let (ticket, state) = (seen.ticket.clone(), Box::new(seen.state.clone()));
                self.write(name, seen.call, FeedEvent::TicketSeen { ticket, state }).await;
                news = true;
            }
        }
        for left in &changed.problems {
            let (ticket, language) = (&left.ticket, self.terms.language);
            let said = left.misread.said(language);
            tracing::warn!(target_name = %name, %ticket, "a ticket is not read until this is mended there: {said} / チケットを読めません");
        }
        if news && changed.cursor != *before {
            let cursor = changed.cursor.clone();
            self.write(name, None, FeedEvent::TicketsRead { cursor }).await;
        }
    }
}
