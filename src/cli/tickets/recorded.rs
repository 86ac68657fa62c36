//! Tickets as the history has them: of the desk's own ledger, or as a ticket system told of them.

use super::super::Reply;
use super::super::history::Whose;
use crate::base::TargetId;
use crate::dialplan::{Lang, tame};
use crate::event::{TicketEscalatedTo, TicketExclusion};
use crate::tickets::{EscalatedTo, Escalation, Exclusion, Nature, Ticket};
use crate::view::{TicketRow, Views};
use std::path::Path;

/// All tickets of a target.
///
/// # Errors
///
/// A reply with exit code 2: the history cannot be read, or knows no such target.
pub(in crate::cli) fn tickets_of(
    config: &Path,
    target: &str,
    lang: Lang,
) -> Result<Vec<Ticket>, Reply> {
    let views = Whose::of(config).open(lang)?.read(lang)?;
    of_views(&views, target, lang)
}

/// The same of views that were read already.
///
/// # Errors
///
/// A reply with exit code 2: the history knows no such target.
pub(in crate::cli) fn of_views(
    views: &Views,
    target: &str,
    lang: Lang,
) -> Result<Vec<Ticket>, Reply> {
    let target = known(views, target, lang)?;
    Ok(views.ticket_states(&target).iter().map(ticket).collect())
}

/// A target that the history knows.
pub(super) fn known(views: &Views, target: &str, lang: Lang) -> Result<TargetId, Reply> {
    let found = TargetId::from(target);
    if views.feed_rules(&found).is_some() {
        return Ok(found);
    }
    let names: Vec<_> = views.fed_targets().map(TargetId::as_str).collect();
    let (target, names) = (tame(target), names.join(", "));
    Err(Reply::wrong(&lang.pick(
        format!("履歴に {target} という渡し先はない。あるのは: {names}（窓口を一度動かすと、設定の渡し先が履歴に入る）"),
        format!("the history knows no target {target}; it knows: {names} (those of the configuration are in it once the desk ran)"),
    )))
}

fn ticket(row: &TicketRow) -> Ticket {
    let state = &row.state;
    let escalations = state.escalations.iter().map(|it| Escalation {
        to: match it.to {
            TicketEscalatedTo::SystemBuilder => EscalatedTo::SystemBuilder,
            TicketEscalatedTo::Other => EscalatedTo::Other,
        },
        at: it.at,
        answered_at: it.answered_at,
    });
    let exclusions = state.exclusions.iter().map(|it| match it {
        TicketExclusion::VirusInvestigation => Exclusion::VirusInvestigation,
        TicketExclusion::VendorInvestigation => Exclusion::VendorInvestigation,
        TicketExclusion::CallerAskedForTime => Exclusion::CallerAskedForTime,
    });
    Ticket {
        id: row.ticket.clone(),
        received_at: state.received_at,
        completed_at: state.completed_at,
        escalations: escalations.collect(),
        reported_at: state.reported_at,
        nature: if state.technical { Nature::Technical } else { Nature::Ordinary },
        exclusions: exclusions.collect(),
    }
}
