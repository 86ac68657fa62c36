//! The table of subscriptions: written with the entries it goes with, read at the start.

use super::OpenError;
use crate::base::{Number, Wall};
use crate::sip::api::{Flow, KeptDialog, KeptSubscription, SubscriptionChange, Transport};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes changes in their order; of several of one subscription only the last.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    changes: &[&SubscriptionChange],
) -> Result<(), sqlx::Error> {
    let key = |change: &&SubscriptionChange| match change {
        SubscriptionChange::Put(kept) => kept.tag.clone(),
        SubscriptionChange::Remove { tag } => tag.clone(),
    };
    let last: BTreeMap<String, _> = changes.iter().map(|change| (key(change), *change)).collect();
    for change in last.into_values() {
        match change {
            SubscriptionChange::Put(kept) => put(connection, kept).await?,
            SubscriptionChange::Remove { tag } => {
                sqlx::query("DELETE FROM subscription WHERE tag = ?1")
                    .bind(tag.as_str())
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}

async fn put(
    connection: &mut SqliteConnection,
    kept: &KeptSubscription,
) -> Result<(), sqlx::Error> {
    let dialog = &kept.dialog;
    sqlx::query(
        "INSERT OR REPLACE INTO subscription (tag, watcher, package, event_id, what, entity, \
         call_id, local, remote, remote_tag, remote_seq, target, routes, transport, listener, peer, \
         promised, expires_at_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )
    .bind(kept.tag.as_str())
    .bind(kept.watcher.as_str())
    .bind(kept.package.as_str())
    .bind(kept.event_id.as_deref())
    .bind(kept.what.as_str())
    .bind(kept.entity.as_str())
    .bind(dialog.call_id.as_str())
    .bind(dialog.local.as_slice())
    .bind(dialog.remote.as_slice())
    .bind(dialog.remote_tag.as_str())
    .bind(i64::from(dialog.remote_seq))
    .bind(dialog.target.as_str())
    .bind(dialog.routes.join("\n"))
    .bind(dialog.flow.transport.as_str())
    .bind(i64::from(dialog.flow.listener))
    .bind(dialog.flow.remote.to_string())
    .bind(i64::from(kept.promised))
    .bind(kept.expires_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// All of them, lapsed ones too. A row that cannot be read is left out: its phone subscribes anew.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<Vec<KeptSubscription>, OpenError> {
    let rows = sqlx::query(
        "SELECT tag, watcher, package, event_id, what, entity, call_id, local, remote, remote_tag, \
         remote_seq, target, routes, transport, listener, peer, promised, expires_at_ms \
         FROM subscription ORDER BY watcher, tag",
    )
    .fetch_all(connection)
    .await
    .map_err(|source| OpenError::Database {
        path: path.to_owned(),
        doing: "reading the subscriptions",
        source,
    })?;
    Ok(rows.iter().filter_map(one).collect())
}

fn one(row: &SqliteRow) -> Option<KeptSubscription> {
    let number = |at: usize| u32::try_from(row.get::<i64, _>(at)).ok();
    let text = |at: usize| row.get::<String, _>(at);
    Some(KeptSubscription {
        tag: text(0),
        watcher: Number::from(text(1)),
        package: text(2),
        event_id: row.get(3),
        what: Number::from(text(4)),
        entity: text(5),
        dialog: KeptDialog {
            call_id: text(6),
            local: row.get(7),
            remote: row.get(8),
            remote_tag: text(9),
            remote_seq: number(10)?,
            target: text(11),
            routes: text(12).lines().map(ToOwned::to_owned).collect(),
            flow: Flow {
                transport: Transport::named(&text(13))?,
                listener: u16::try_from(row.get::<i64, _>(14)).ok()?,
                remote: text(15).parse().ok()?,
                connection: 0, // Connections do not outlive the process that had them.
            },
        },
        promised: number(16)?,
        expires_at: Wall(row.get(17)),
    })
}
