//! The statements that write, and what is bound to them.

use super::sealing::Row;
use crate::base::Number;
use crate::sip::api::{Binding, BindingChange, SubscriptionChange};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, SqliteConnection};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows in one statement; more go in several of one transaction.
const ROWS: usize = 64;

/// Statements kept prepared: one for each count of rows, twice, and the few others.
pub(super) const STATEMENTS: usize = 2 * ROWS + 16;

/// The texts of the statements for 1 to [`ROWS`] rows.
pub(super) struct Statements {
    insert: Vec<Arc<str>>,
    insert_missing: Vec<Arc<str>>,
}

impl Statements {
    pub(super) fn new() -> Self {
        let text = |end: &str| -> Vec<Arc<str>> {
            (1..=ROWS).map(|rows| insert(rows, end).into()).collect()
        };
        Self { insert: text(""), insert_missing: text(" ON CONFLICT (seq) DO NOTHING") }
    }

    /// Writes `entries`, `bindings` and `subscriptions` as one transaction. `again` is for a repeated try, whose
    /// first may have been written although it was reported failed.
    pub(super) async fn write(
        &self,
        connection: &mut SqliteConnection,
        entries: &[Row],
        bindings: &[&BindingChange],
        subscriptions: &[&SubscriptionChange],
        again: bool,
    ) -> Result<(), sqlx::Error> {
        let texts = if again { &self.insert_missing } else { &self.insert };
        // A single statement is a transaction by itself, and a way to the database less.
        let alone = bindings.is_empty() && subscriptions.is_empty() && entries.len() <= ROWS;
        if !alone {
            sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        }
        for rows in entries.chunks(ROWS) {
            let Some(text) = texts.get(rows.len() - 1) else { continue };
            let arguments = bind(rows)?;
            sqlx::query_with(AssertSqlSafe(Arc::clone(text)), arguments)
                .execute(&mut *connection)
                .await?;
        }
        for change in last_of_each(bindings).into_values() {
            match change {
                BindingChange::Put(binding) => put(connection, binding).await?,
                BindingChange::Remove { account, contact } => {
                    sqlx::query("DELETE FROM binding WHERE account = ?1 AND contact = ?2")
                        .bind(account.as_str())
                        .bind(contact.as_str())
                        .execute(&mut *connection)
                        .await?;
                }
            }
        }
        super::subscriptions::write(connection, subscriptions).await?;
        if !alone {
            sqlx::query("COMMIT").execute(&mut *connection).await?;
        }
        Ok(())
    }
}

fn insert(rows: usize, end: &str) -> String {
    let mut text = "INSERT INTO entry (seq, at_ms, call, v, body, hash, salt) VALUES ".to_owned();
    // Nameless parameters: the driver asks for the name of each, and SQLite seeks a name from the
    // first parameter on, which made a quarter of the whole cost of an entry.
    let row = "(?,?,?,?,?,?,?)";
    for n in 0..rows {
        text.push_str(if n == 0 { "" } else { "," });
        text.push_str(row);
    }
    text.push_str(end);
    text
}

fn bind(rows: &[Row]) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(rows.len() * 7, 0);
    for row in rows {
        let add = arguments
            .add(row.seq)
            .and_then(|()| arguments.add(row.at_ms))
            .and_then(|()| arguments.add(row.call.as_deref()))
            .and_then(|()| arguments.add(row.v))
            .and_then(|()| arguments.add(row.body.as_str()))
            .and_then(|()| arguments.add(row.hash.as_slice()))
            .and_then(|()| arguments.add(row.salt.as_deref()));
        add.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

async fn put(connection: &mut SqliteConnection, binding: &Binding) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO binding \
         (account, contact, transport, listener, remote, call_id, cseq, expires_at_ms, instance, \
         reg_id, path) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (account, contact) DO UPDATE SET transport = ?3, listener = ?4, remote = ?5, \
         call_id = ?6, cseq = ?7, expires_at_ms = ?8, instance = ?9, reg_id = ?10, path = ?11",
    )
    .bind(binding.account.as_str())
    .bind(binding.contact.as_str())
    .bind(binding.flow.transport.as_str())
    .bind(i64::from(binding.flow.listener))
    .bind(binding.flow.remote.to_string())
    .bind(binding.call_id.as_str())
    .bind(i64::from(binding.cseq))
    .bind(binding.expires_at.0)
    .bind(binding.outbound.as_ref().map(|outbound| outbound.instance.as_str()))
    .bind(binding.outbound.as_ref().map(|outbound| i64::from(outbound.reg_id)))
    .bind(binding.path.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

/// Of several changes of one registration only the last is written.
fn last_of_each<'a>(
    bindings: &[&'a BindingChange],
) -> BTreeMap<(&'a Number, &'a str), &'a BindingChange> {
    let key = |change: &'a BindingChange| match change {
        BindingChange::Put(binding) => (&binding.account, binding.contact.as_str()),
        BindingChange::Remove { account, contact } => (account, contact.as_str()),
    };
    bindings.iter().map(|change| (key(change), *change)).collect()
}
