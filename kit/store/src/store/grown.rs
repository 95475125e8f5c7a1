//! Which streams have grown, for whoever watches some that other processes append to.

use sea_orm::{DbBackend, Statement, Value};
use tradewind_domain::Error;
use tradewind_sql::{chunks, db, padded, signed, statement};

use super::Store;
use crate::StreamName;

impl Store {
    /// Those of these streams that have more events than the number beside them.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn grown(&self, known: &[(StreamName, u64)]) -> Result<Vec<StreamName>, Error> {
        let mut grown = Vec::new();
        for known in chunks(known, 2) {
            for row in self.read(following(self.backend(), known)).await? {
                grown.push(StreamName::from(row.try_get::<String>("", "stream").map_err(db)?));
            }
        }
        Ok(grown)
    }
}

/// Asks for the events that follow these versions.
fn following(backend: DbBackend, known: &[(StreamName, u64)]) -> Statement {
    let next: Vec<_> = known.iter().map(|(stream, version)| (stream.as_str(), signed(version + 1))).collect();
    let next = padded(&next, next.last().copied().unwrap_or_default());
    let places: Vec<_> = (1..=next.len()).map(|row| format!("(${}, ${})", 2 * row - 1, 2 * row)).collect();
    let query = format!("SELECT stream FROM event WHERE (stream, version) IN (VALUES {})", places.join(", "));
    let values = next.into_iter().flat_map(|(stream, version)| -> [Value; 2] { [stream.into(), version.into()] });
    statement(backend, query, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::read_whole;

    #[test]
    fn what_follows_is_found_by_its_key() {
        let known: Vec<_> = (0..300).map(|id| (StreamName::from(format!("order-{id}")), 1)).collect();
        let statements = |backend| vec![following(backend, &known), following(backend, &known[..1])];
        assert_eq!(read_whole(statements), Vec::<String>::new());
    }
}
