//! The last erasure here, and whether the broker has been rid of what was erased.

use sea_orm::{QueryResult, Value};
use time::{Duration, OffsetDateTime};
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, statement};

use super::Store;
use super::keys::BELIEVED;

/// Under which key the database keeps when something was last erased.
pub(crate) const ERASED: &str = "erased";
/// Under which key it keeps of which erasure the broker has been rid.
const PURGED: &str = "purged";

/// An erasure of which the broker is not rid yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// When it was.
    pub time: OffsetDateTime,
    /// After so long nobody who has read a key before publishes anything more that it opens.
    pub settles: Duration,
    mark: String,
}

impl Store {
    /// The last erasure, unless the broker is rid of it.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn unpurged(&self) -> Result<Option<Erasure>, Error> {
        let query = "SELECT key, value FROM meta WHERE key IN ($1, $2)";
        let rows = self.read(statement(self.backend(), query, [ERASED.into(), PURGED.into()])).await?;
        let text = |row: &QueryResult, column: &str| row.try_get::<String>("", column).map_err(db);
        let (mut erased, mut purged) = (None, None);
        for row in &rows {
            let place = if text(row, "key")? == ERASED { &mut erased } else { &mut purged };
            *place = Some(text(row, "value")?);
        }
        let Some(mark) = erased.filter(|erased| purged.as_ref() != Some(erased)) else { return Ok(None) };
        let time = from_micros(mark.parse().map_err(Error::internal)?);
        let settles = Duration::try_from(BELIEVED * 2).unwrap_or_default();
        Ok(Some(Erasure { time, settles, mark }))
    }

    /// Notes that the broker is rid of what was erased.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn purged(&self, erasure: &Erasure) -> Result<(), Error> {
        let keep =
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        let values: [Value; 2] = [PURGED.into(), erasure.mark.as_str().into()];
        self.write(statement(self.backend(), keep, values)).await.map(drop)
    }
}
