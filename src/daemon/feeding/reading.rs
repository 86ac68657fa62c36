//! What a ticket system tells of its tickets, into the history: so the monthly sheet's figures come from the
//! tool of record.

use super::{Feeder, Target};
use crate::base::hex;
use crate::config::TargetConfig;
use crate::event::FeedEvent;
use crate::io::deliver::tickets::{Changed, Unable};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::time::sleep;

/// Pages that are read one after the other, when there is more than one of news.
const PAGES_MOST: usize = 1_000;

impl Feeder {
    /// Asks a target again and again what changed.
    pub(super) async fn read_back(self, target: Arc<Target>) {
        let Some(every) = target.config.read_every else { return };
        let name = &target.config.name;
        let way = way_of(&target.config);
        let written = self.hub.read(|views, _, _| views.ticket_cursor(name).to_owned());
        let mut place = Place::found(&written, &way);
        let mut fails = false;
        loop {
            for _ in 0..PAGES_MOST {
                match self.look(&target, &place.cursor).await {
                    None => return, // It does not tell.
                    Some(Ok(changed)) => {
                        fails = false;
                        let more = changed.more && changed.cursor != place.cursor;
                        let news = self.note(&target, &changed).await;
                        let is_another = changed.cursor != place.cursor;
                        place.cursor = changed.cursor;
                        // Nothing new is no entry. But what was walked from the beginning is not walked again at each start.
                        if is_another && (news || (!place.is_written && !more)) {
                            let cursor = format!("{way} {}", place.cursor);
                            self.write(name, None, FeedEvent::TicketsRead { cursor }).await;
                            place.is_written = true;
                        }
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

    /// Only what stands otherwise than it is known; whether anything did.
    async fn note(&self, target: &Target, changed: &Changed) -> bool {
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
        news
    }
}

/// Where reading is.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Where the next look goes on; empty is at the beginning.
    cursor: String,
    /// Whether the history has a cursor by the way in force.
    is_written: bool,
}

impl Place {
    /// Goes on behind what the history says, when that was read by the same way.
    fn found(written: &str, way: &str) -> Self {
        let own = written.strip_prefix(way).and_then(|rest| rest.strip_prefix(' '));
        Self { cursor: own.unwrap_or_default().to_owned(), is_written: own.is_some() }
    }
}

/// A mark of what is read, how, and where. With another field, tracker or system every ticket is read once more: a
/// walk behind the old cursor would not come by those that nobody touches any more.
fn way_of(config: &TargetConfig) -> String {
    let url = config.at.as_ref().map(|at| at.url.to_string());
    let said = (config.kind.name(), url, &config.place, config.tracker, &config.read);
    hex(&Sha256::digest(format!("{said:?}"))).chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn another_way_of_reading_begins_anew_and_the_same_goes_on() {
        let found = |written| Place::found(written, "0123456789abcdef");
        let anew = Place { cursor: String::new(), is_written: false };
        assert_eq!(found(""), anew);
        assert_eq!(found("1795649783"), anew, "of a desk that wrote no way");
        assert_eq!(found("fedcba9876543210 1795649783"), anew);
        assert_eq!(found("0123456789abcdef1795649783"), anew);
        let on = |cursor: &str| Place { cursor: cursor.to_owned(), is_written: true };
        assert_eq!(found("0123456789abcdef 1795649783"), on("1795649783"));
        assert_eq!(found("0123456789abcdef - 1795649783 2 300"), on("- 1795649783 2 300"));
    }
}
