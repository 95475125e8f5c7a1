//! What parties outside call things: one name, one thing.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{Listed, Script, db, statement};

use super::{Part, Tx};

const CLAIM: &str = "INSERT INTO reference (kind, name, key) VALUES ($1, $2, $3) \
     ON CONFLICT (kind, name) DO UPDATE SET key = reference.key RETURNING key";

/// Names that are claimed with the commit, by kind and name.
#[derive(Default)]
struct Claims(BTreeMap<(String, String), String>);

impl Tx {
    /// Keeps that `name` of this kind, e.g. a charge's id, belongs to `key`, e.g. the order's id; `false`, and nothing changes,
    /// when it belongs to another. A transaction that [hopes](Self::hope) finds that out at its commit.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn claim_reference(&mut self, kind: &str, name: &str, key: &str) -> Result<bool, Error> {
        if self.hopes {
            let claimed = self.part::<Claims>().0.entry((kind.to_owned(), name.to_owned()));
            return Ok(claimed.or_insert_with(|| key.to_owned()) == key);
        }
        let values: [Value; 3] = [kind.into(), name.into(), key.into()];
        let row = self.conn().query_one_raw(statement(self.backend(), CLAIM, values)).await.map_err(db)?;
        let owner: Option<String> = row.map(|row| row.try_get("", "key")).transpose().map_err(db)?;
        Ok(owner.as_deref() == Some(key))
    }
}

impl Part for Claims {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn write(&mut self, script: &mut Script, _: OffsetDateTime) {
        let claim = Listed {
            before: "INSERT INTO reference (kind, name, key) ",
            after: " ON CONFLICT (kind, name) DO UPDATE SET key = excluded.key WHERE reference.key = excluded.key",
            each: true,
            ..Listed::default()
        };
        let claims = std::mem::take(&mut self.0).into_iter();
        script.list(&claim, claims.map(|((kind, name), key)| [kind, name, key].map(Value::from)));
    }
}
