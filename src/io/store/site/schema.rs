//! The tables of the site's store, and whose history is which.

use super::{Address, SiteError};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr};

const TEXTS: [(&str, &str); 3] = [
    ("history", include_str!("../../../../migrations/postgres/0001_history.sql")),
    ("figures", include_str!("../../../../migrations/postgres/0002_figures.sql")),
    ("outside", include_str!("../../../../migrations/postgres/0003_outside.sql")),
];

/// The schema's version.
pub(super) const KNOWN: i64 = 3;

/// Makes the tables, or brings them up to date.
pub(super) async fn prepare(
    connection: &mut PgConnection,
    address: &Address,
) -> Result<(), SiteError> {
    // Asked first: who may write the tables need not be allowed to make a schema.
    let there: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM information_schema.schemata WHERE schema_name = 'madoguchi')",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(SiteError::of(address, "looking for the schema"))?;
    if !there {
        sqlx::query("CREATE SCHEMA IF NOT EXISTS madoguchi")
            .execute(&mut *connection)
            .await
            .map_err(SiteError::of(address, "making the schema madoguchi"))?;
    }
    let migration = |(number, (name, text)): (i64, (&'static str, &'static str))| {
        Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    let migrations = (1..).zip(TEXTS).map(migration).collect();
    Migrator::with_migrations(migrations).run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => SiteError::Newer { found, known: KNOWN },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            SiteError::of(address, "making the tables")(error)
        }
        other => SiteError::Refused { doing: "making the tables", why: other.to_string() },
    })
}

/// For who only reads: nothing is made.
pub(super) async fn check(
    connection: &mut PgConnection,
    address: &Address,
) -> Result<(), SiteError> {
    let failed = SiteError::of(address, "looking at the tables");
    let made: bool =
        sqlx::query_scalar("SELECT to_regclass('madoguchi._sqlx_migrations') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .map_err(&failed)?;
    let found: Option<i64> = if made {
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(&mut *connection)
            .await
            .map_err(&failed)?
    } else {
        None
    };
    match found.unwrap_or(0) {
        found if found > KNOWN => Err(SiteError::Newer { found, known: KNOWN }),
        found if found < KNOWN => Err(SiteError::Older { found, due: KNOWN }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_known_version_is_that_of_the_last_text() {
        assert_eq!(i64::try_from(super::TEXTS.len()), Ok(super::KNOWN));
    }
}
