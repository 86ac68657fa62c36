//! A configured ticket system as `io::deliver` takes it.

use crate::config::{TargetAt, TargetConfig, TargetKind, TicketsConfig};
use crate::feed::{Terms, Value};
use crate::io::deliver::tickets::{
    FolderConfig, ReadBack, RedmineConfig, RtConfig, SystemAt, SystemConfig, WebhookTarget,
    ZammadConfig,
};
use std::collections::BTreeMap;

/// None of the ledger, which is no system elsewhere. `desk` is the plan's name.
pub(crate) fn system(
    target: &TargetConfig,
    all: &TicketsConfig,
    terms: &Terms,
    desk: &str,
) -> Option<SystemConfig> {
    let at = target.at.as_ref().map(|at| system_at(at, all));
    Some(match target.kind {
        TargetKind::Ledger => return None,
        TargetKind::Redmine => SystemConfig::Redmine(RedmineConfig {
            at: at?,
            project: target.place.clone(),
            tracker: target.tracker,
            priority: target.priority,
            // The configuration takes nothing else.
            fields: target
                .fields
                .iter()
                .filter_map(|(value, id)| Some((*value, id.parse().ok()?)))
                .collect::<BTreeMap<Value, u64>>(),
            read: read_back(target),
            zone: terms.zone,
        }),
        TargetKind::Rt => SystemConfig::Rt(RtConfig {
            at: at?,
            queue: target.place.clone(),
            fields: target.fields.clone(),
            read: read_back(target),
            zone: terms.zone,
        }),
        TargetKind::Zammad => SystemConfig::Zammad(ZammadConfig {
            at: at?,
            group: target.place.clone(),
            customer: target.customer.clone(),
            cti: target.cti.clone(),
            fields: target.fields.clone(),
        }),
        TargetKind::Webhook => {
            SystemConfig::Webhook(WebhookTarget { at: at?, desk: desk.to_owned() })
        }
        TargetKind::Folder => {
            SystemConfig::Folder(FolderConfig { path: target.path.clone()?, jsonl: target.jsonl })
        }
    })
}

fn system_at(at: &TargetAt, all: &TicketsConfig) -> SystemAt {
    SystemAt {
        url: at.url.clone(),
        key: at.key.clone(),
        private: at.private,
        authorities: all.authorities.clone(),
    }
}

fn read_back(target: &TargetConfig) -> ReadBack {
    let field = |key| target.read.get(key).cloned();
    ReadBack {
        escalated_at: field("escalated_at"),
        escalation_answered_at: field("escalation_answered_at"),
        escalated_to: field("escalated_to"),
        reported_at: field("reported_at"),
        technical: field("technical"),
        exclusions: field("exclusions"),
    }
}
