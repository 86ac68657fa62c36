//! What pages ask of the feeding.

use super::{Context, Fed};
use crate::base::{CallId, Private, TargetId};
use crate::feed::{PaperRow, Sheet, Value, addition_for, paper_csv, paper_html, ticket_for};
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
            let due = fed.hub.read(|views, _, _| views.first_ticket_step(&target, call));
            // Of a call that is due nothing: as its ticket would be opened now.
            let due = due.unwrap_or_else(|| {
                let last = entries.last();
                let (seq, at) = last.map_or_else(Default::default, |last| (last.seq, last.at));
                Due::as_new(call, seq, at)
            });
            let other = match due.kind {
                StepKind::LaterCall { call } => (fed.ladder)(call).await.ok(),
                _ => None,
            };
            let (key, subject, text, known) = if due.kind == StepKind::Open {
                let (it, _) = ticket_for(&due, &entries, &it.config.subject, &terms)?;
                (it.key, it.subject, it.text, it.values)
            } else {
                let it = addition_for(&due, &entries, other.as_deref(), &terms)?;
                (it.key, Private::default(), it.text.unwrap_or_default(), it.values)
            };
            let in_field = |(value, field): (&Value, &String)| {
                Some((field.clone(), known.get(value)?.clone()))
            };
            let fields: BTreeMap<_, _> = it.config.fields.iter().filter_map(in_field).collect();
            let values = known.iter().map(|(value, it)| (value.name(), it.clone())).collect();
            Some(Handover { key, subject, text, values, fields })
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
