//! What pages ask of the feeding.

use super::{Context, Fed};
use crate::base::{CallId, TargetId};
use crate::feed::{PaperRow, Sheet, Value, paper_csv, paper_html, ticket_for};
use crate::io::http::{BoxFuture, Caller, Handover, TicketDoors};
use crate::view::{Due, OutboxRow, StepKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The feeding, as pages see it.
pub(in crate::daemon) struct Doors {
    pub(in crate::daemon) fed: Arc<Fed>,
    pub(in crate::daemon) context: Arc<Context>,
}

impl TicketDoors for Doors {
    fn again(&self, target: &TargetId, call: Option<CallId>) {
        for it in self.fed.targets().iter().filter(|it| it.config.name == *target) {
            it.lane().again(call, self.fed.clock.now().mono);
        }
    }

    fn preview(&self, target: TargetId, call: CallId) -> BoxFuture<Option<Handover>> {
        let fed = Arc::clone(&self.fed);
        Box::pin(async move {
            let (targets, terms) = (fed.targets(), fed.terms());
            let it = targets.iter().find(|it| it.config.name == target)?;
            let entries = (fed.ladder)(call).await.ok()?;
            let due = fed.hub.read(|views, _, _| views.ticket_step(&target, call));
            let due = due.filter(|due| due.kind == StepKind::Open);
            // Of a call that has its ticket already: as it would be opened now.
            let due = due.unwrap_or_else(|| {
                let last = entries.last();
                let (seq, at) = last.map_or_else(Default::default, |last| (last.seq, last.at));
                Due::as_new(call, seq, at)
            });
            let (ticket, _) = ticket_for(&due, &entries, &it.config.subject, &terms)?;
            let in_field = |(value, field): (&Value, &String)| {
                Some((field.clone(), ticket.values.get(value)?.clone()))
            };
            let fields: BTreeMap<_, _> = it.config.fields.iter().filter_map(in_field).collect();
            let values = ticket.values.iter().map(|(value, it)| (value.name(), it.clone()));
            Some(Handover {
                values: values.collect(),
                key: ticket.key,
                subject: ticket.subject,
                text: ticket.text,
                fields,
            })
        })
    }

    fn sheet(
        &self,
        target: TargetId,
        rows: Vec<OutboxRow>,
        csv: bool,
    ) -> BoxFuture<(&'static str, String)> {
        let fed = Arc::clone(&self.fed);
        Box::pin(async move {
            let (mut lines, terms) = (Vec::new(), fed.terms());
            for row in rows {
                let entries = (fed.ladder)(row.call).await.unwrap_or_default();
                lines.push(PaperRow { sheet: Sheet::of(&entries, &terms, None), row });
            }
            if csv {
                return ("text/csv; charset=utf-8", paper_csv(&lines, &terms));
            }
            let page = paper_html(target.as_str(), fed.clock.now().wall, &lines, &terms);
            ("text/html; charset=utf-8", page)
        })
    }

    fn caller(&self, number: String) -> BoxFuture<Caller> {
        let context = Arc::clone(&self.context);
        Box::pin(async move { context.of(number).await })
    }
}
