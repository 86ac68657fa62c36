//! One step handed to one target: looked for, then opened or added.

use crate::base::CallId;
use crate::event::{Entry, Unfed};
use crate::feed::{Template, Terms, Tried, addition_for, ticket_for};
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

impl Handed {
    /// As the lane is told of it.
    pub(in crate::daemon) fn tried(&self) -> Tried {
        match self {
            Self::Opened { .. } => Tried::Opened,
            Self::Added => Tried::Added,
        }
    }
}

/// Why it did not go well.
#[derive(Debug)]
pub(in crate::daemon) struct NotHanded {
    /// What the target said.
    pub(in crate::daemon) error: Unable,
    /// Whether one ticket was asked about, which our user may not see or change although its key may be good.
    of_ticket: bool,
}

impl From<Unable> for NotHanded {
    fn from(error: Unable) -> Self {
        Self { error, of_ticket: false }
    }
}

impl NotHanded {
    fn of_ticket(error: Unable) -> Self {
        Self { error, of_ticket: true }
    }

    /// As the lane is told of it.
    pub(in crate::daemon) fn tried(&self) -> Tried {
        match (&self.error, self.error.unfed()) {
            (Unable::Misconfigured { .. }, _) => Tried::Unfit,
            (_, Unfed::Refused { status: status @ 403 }) if self.of_ticket => {
                Tried::Withheld { status }
            }
            (_, why) => Tried::Failed { why, retry_after: self.error.retry_after() },
        }
    }
}

const NO_CALL: Unable = Unable::Garbled { what: "the call's entries in the history" };

/// Hands one step over.
///
/// # Errors
///
/// [`NotHanded`]; the target may have it all the same.
pub(in crate::daemon) async fn hand(
    sink: &dyn TicketSink,
    due: &Due,
    subject: &Template,
    terms: &Terms,
    ladder: &LadderFn,
) -> Result<Handed, NotHanded> {
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
            let of_ticket = NotHanded::of_ticket;
            if it.text.is_none() || !sink.holds(&ticket, &it.key).await.map_err(of_ticket)? {
                sink.append(&ticket, &it).await.map_err(of_ticket)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Private, Wall};
    use crate::event::{
        CallEvent, Caller, CallerNumber, EndCause, Fact, Means, NoteEvent, Origin, Party,
    };
    use crate::feed::{Addition, NewTicket};
    use crate::io::deliver::Failed;
    use crate::io::deliver::tickets::Asked;
    use std::sync::Arc;

    /// A system that says 403 to all that is asked.
    struct Forbids;

    fn forbidden<T: Send + 'static>() -> Asked<'static, T> {
        let failed = || Failed::Refused { status: 403, is_redirect: false, retry_after: None };
        Box::pin(async move { Err(Unable::Failed(failed())) })
    }

    impl TicketSink for Forbids {
        fn probe(&self) -> Asked<'_, ()> {
            forbidden()
        }
        fn find(&self, _: CallId) -> Asked<'_, Vec<String>> {
            forbidden()
        }
        fn create<'a>(&'a self, _: &'a NewTicket) -> Asked<'a, String> {
            forbidden()
        }
        fn holds<'a>(&'a self, _: &'a str, _: &'a str) -> Asked<'a, bool> {
            forbidden()
        }
        fn append<'a>(&'a self, _: &'a str, _: &'a Addition) -> Asked<'a, ()> {
            forbidden()
        }
    }

    #[tokio::test]
    async fn what_is_forbidden_of_one_ticket_is_told_apart_from_what_is_forbidden_of_the_key() {
        let call = CallId(uuid::Uuid::from_u128(1));
        let number = CallerNumber::Known(Private::new("0312345678".to_owned()));
        let caller = Caller { number, name: None, diverted_from: None };
        let arrived = CallEvent::Arrived {
            number: "0300000000".into(),
            caller,
            origin: Origin::Trunk("carrier".into()),
            counted: true,
        };
        let ended = CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp };
        let note = NoteEvent::Noted {
            agent: "2001".into(),
            text: Private::new("一".to_owned()),
            by: Means::Api,
        };
        let facts = [
            Fact::Call { call, t_ms: 0, event: arrived },
            Fact::Call { call, t_ms: 9_000, event: ended },
            Fact::Note { call, event: note },
        ];
        let entries: Vec<Entry> =
            (1..).zip(facts).map(|(seq, fact)| Entry { seq, at: Wall(0), fact }).collect();
        let ladder: LadderFn = Arc::new(move |_| {
            let entries = entries.clone();
            Box::pin(async move { Ok(entries) })
        });
        let terms = Terms {
            policy: crate::view::Policy::default(),
            zone: chrono_tz::Asia::Tokyo,
            language: crate::base::Language::Ja,
            link: None,
        };
        let subject = Template::read("{caller}").expect("a subject");
        let of_key = Tried::Failed { why: Unfed::Refused { status: 403 }, retry_after: None };
        for (kind, ticket, due) in [
            (StepKind::Open, None, of_key),
            (StepKind::Note, None, of_key),
            (StepKind::Note, Some("7".to_owned()), Tried::Withheld { status: 403 }),
        ] {
            let step = Due { kind, ticket, ..Due::as_new(call, 3, Wall(0)) };
            let failed = hand(&Forbids, &step, &subject, &terms, &ladder).await.expect_err("403");
            assert_eq!(failed.tried(), due, "{kind:?}");
        }
    }
}
