//! Entries as they are written: with their place in the hash chain.
//!
//! An entry is sealed once, before the first try to write it, so that every further try writes the same
//! hash and salt. Entries of versions that knew no chain are given theirs when the store is opened.

use super::Kind;
use crate::base::{Rng, Wall};
use crate::event::chain::{self, Hash, SALT_BYTES, Unsealable};
use crate::event::{self, Entry, Written};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};
use std::fmt::Write as _;
use std::sync::Arc;

/// Entries of an older version that are sealed in one transaction.
const BLOCK: i64 = 4_096;

/// Of these, how many in one statement.
const ROWS: usize = 64;

/// An entry's row.
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
    pub(super) call: Option<String>,
    pub(super) v: i64,
    pub(super) body: String,
    pub(super) hash: Vec<u8>,
    pub(super) salt: Option<Vec<u8>>,
}

/// What makes an entry's row of its text.
struct Sealed {
    form: Vec<u8>,
    call: Option<String>,
    salt: Option<Vec<u8>>,
    /// By how many bytes the text grows when it is erased.
    growth: isize,
}

/// Seals entries in their order.
pub(super) struct Sealer {
    before: Hash,
    salts: Rng,
}

impl Sealer {
    /// Goes on behind the entry of this hash.
    pub(super) fn after(before: Hash) -> std::io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(std::io::Error::other)?;
        Ok(Self { before, salts: Rng::from_key(key) })
    }

    /// The row of the next entry.
    ///
    /// # Panics
    ///
    /// When an event has a shape that JSON cannot hold, or a name that stands beside it: ours to prevent.
    pub(super) fn seal(&mut self, entry: &Entry) -> Row {
        let Ok(body) = serde_json::to_string(&entry.fact) else {
            panic!("an event is an object of plain values")
        };
        let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
        let v = i64::from(event::VERSION);
        // The text is made once, and the form that is hashed is made of it.
        let written = Written::of(&body);
        let salt = written.as_ref().filter(|it| it.is_private()).map(|_| self.salt());
        let form = written.as_ref().and_then(|it| it.form(seq, entry.at, v, salt.as_deref()));
        let Sealed { form, call, salt, growth } = match (form, &written) {
            (Some(form), Some(written)) => {
                let call = written.call().map(str::to_owned);
                Sealed { form, call, salt, growth: written.growth() }
            }
            _ => self.seal_values(entry, seq, v),
        };
        self.before = self.before.then(&form);
        let body = padded(body, growth);
        Row { seq, at_ms: entry.at.0, call, v, body, hash: self.before.0.to_vec(), salt }
    }

    /// The same by way of the values, which is how it is defined.
    fn seal_values(&mut self, entry: &Entry, seq: i64, v: i64) -> Sealed {
        let Ok(Value::Object(fields)) = serde_json::to_value(&entry.fact) else {
            panic!("an event is an object of plain values")
        };
        let salt = self.salt_for(&fields);
        let form = chain::seal(seq, entry.at, v, &fields, salt.as_deref());
        let Ok(form) = form else { panic!("an event uses no name of its line") };
        Sealed { form, call: call_of(&fields), salt, growth: chain::growth(&fields) }
    }

    /// As it was done before the form was made of the text: what the measurement compares with.
    #[cfg(test)]
    pub(super) fn seal_twice(&mut self, entry: &Entry) -> Row {
        let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
        let v = i64::from(event::VERSION);
        let body = serde_json::to_string(&entry.fact).unwrap_or_default();
        let Sealed { form, call, salt, .. } = self.seal_values(entry, seq, v);
        self.before = self.before.then(&form);
        Row { seq, at_ms: entry.at.0, call, v, body, hash: self.before.0.to_vec(), salt }
    }

    fn salt(&mut self) -> Vec<u8> {
        let bits = [self.salts.bits(), self.salts.bits()];
        bits.iter().flat_map(|bits| bits.to_le_bytes()).take(SALT_BYTES).collect()
    }

    /// A salt for a body that needs one.
    fn salt_for(&mut self, body: &Map<String, Value>) -> Option<Vec<u8>> {
        chain::is_private(body).then(|| self.salt())
    }
}

/// A body with so many spaces behind it that it needs no more room once its texts are erased and its salt is
/// gone. A row that kept its length is overwritten where it lies; one that grew would move its page's other
/// rows, and copies of those would stay in the page's unused part.
pub(super) fn padded(mut body: String, growth: isize) -> String {
    let due = body.len().saturating_add_signed(growth).saturating_sub(SALT_BYTES);
    body.push_str(&" ".repeat(due.saturating_sub(body.len())));
    body
}

/// An erased body as long as the stored one and its salt were together; longer when that had no room for it.
pub(super) fn fitted(mut erased: String, stored: usize) -> String {
    let due = stored.saturating_add(SALT_BYTES);
    erased.push_str(&" ".repeat(due.saturating_sub(erased.len())));
    erased
}

/// Under which call an entry is filed.
pub(super) fn call_of(body: &Map<String, Value>) -> Option<String> {
    body.get("call").and_then(Value::as_str).map(str::to_owned)
}

/// Why entries of an older version could not be sealed.
#[derive(Debug)]
pub(super) enum BackfillError {
    Database(sqlx::Error),
    Random(std::io::Error),
    Entry { seq: i64, why: Unsealable },
}

impl From<sqlx::Error> for BackfillError {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(source)
    }
}

/// Where the sealing of older entries stands.
pub(super) struct Backfill {
    sealer: Sealer,
    seq: i64,
    update: Arc<str>,
}

impl Backfill {
    /// None when the last entry is sealed: they are sealed in order, so all before it are.
    pub(super) async fn due(
        connection: &mut SqliteConnection,
        kind: Kind,
    ) -> Result<Option<Self>, BackfillError> {
        let bare: Option<bool> =
            sqlx::query_scalar("SELECT hash IS NULL FROM entry ORDER BY seq DESC LIMIT 1")
                .fetch_optional(&mut *connection)
                .await?;
        if bare != Some(true) {
            return Ok(None);
        }
        let sealed: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, hash FROM entry WHERE hash IS NOT NULL ORDER BY seq DESC LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await?;
        let (seq, hash) = sealed.unzip();
        let before = hash.map_or_else(|| Hash::first(kind.name()), |hash| or_first(hash, kind));
        let sealer = Sealer::after(before).map_err(BackfillError::Random)?;
        Ok(Some(Self { sealer, seq: seq.unwrap_or(i64::MIN), update: update(ROWS).into() }))
    }

    /// Seals the rest.
    pub(super) async fn run(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), BackfillError> {
        tracing::info!("entries of an older version are given their place in the hash chain");
        let mut sum = 0_u64;
        loop {
            let done = self.step(connection, BLOCK).await?;
            if done == 0 {
                tracing::info!(entries = sum, "the hash chain is whole");
                return Ok(());
            }
            let before = sum;
            sum = sum.saturating_add(done);
            if before / 1_000_000 != sum / 1_000_000 {
                tracing::info!(entries = sum, "still at it");
            }
        }
    }

    /// Seals the next ones in one transaction; a process that dies in it has done the blocks before.
    pub(super) async fn step(
        &mut self,
        connection: &mut SqliteConnection,
        most: i64,
    ) -> Result<u64, BackfillError> {
        let rows = sqlx::query(
            "SELECT seq, at_ms, v, body FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .bind(self.seq)
        .bind(most)
        .fetch_all(&mut *connection)
        .await?;
        let mut sealed: Vec<(i64, Vec<u8>, Option<Vec<u8>>)> = Vec::with_capacity(rows.len());
        for row in &rows {
            let (seq, v): (i64, i64) = (row.try_get(0)?, row.try_get(2)?);
            let (at, text): (i64, String) = (row.try_get(1)?, row.try_get(3)?);
            let wrong = |why| BackfillError::Entry { seq, why };
            let body = chain::body(&text).map_err(wrong)?;
            let salt = self.sealer.salt_for(&body);
            let form = chain::seal(seq, Wall(at), v, &body, salt.as_deref()).map_err(wrong)?;
            self.sealer.before = self.sealer.before.then(&form);
            sealed.push((seq, self.sealer.before.0.to_vec(), salt));
        }
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        for rows in sealed.chunks(ROWS) {
            let whole = rows.len() == ROWS;
            let text = if whole { Arc::clone(&self.update) } else { update(rows.len()).into() };
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (seq, hash, salt) in rows {
                query = query.bind(*seq).bind(hash.as_slice()).bind(salt.as_deref());
            }
            query.execute(&mut *connection).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        self.seq = sealed.last().map_or(self.seq, |(seq, ..)| *seq);
        Ok(u64::try_from(sealed.len()).unwrap_or(0))
    }
}

/// The hash that the next entry follows.
pub(super) async fn last_hash(
    connection: &mut SqliteConnection,
    kind: Kind,
) -> Result<Hash, sqlx::Error> {
    let last: Option<Option<Vec<u8>>> =
        sqlx::query_scalar("SELECT hash FROM entry ORDER BY seq DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
    Ok(last.flatten().map_or_else(|| Hash::first(kind.name()), |hash| or_first(hash, kind)))
}

/// A hash of another length is damage, which `verify` tells: calls come first, and the chain begins anew.
fn or_first(hash: Vec<u8>, kind: Kind) -> Hash {
    hash.try_into().map_or_else(|_| Hash::first(kind.name()), Hash)
}

fn update(rows: usize) -> String {
    let mut values = String::new();
    for n in 0..rows {
        let _ = write!(values, "{}(?,?,?)", if n == 0 { "" } else { "," }); // a String takes all
    }
    format!(
        "UPDATE entry SET hash = new.column2, salt = new.column3 FROM (VALUES {values}) AS new \
         WHERE entry.seq = new.column1"
    )
}
