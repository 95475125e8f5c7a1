//! A key for a partner's programs. It is 256 bits that nobody can guess, so a plain hash of it is as good as none to whoever reads
//! the database: there is no list of likely keys to try, as there is of passwords, and nothing that a slow hash would slow down but
//! the partner's calls.

use contracts::tradewind::identity::v1::{CreatePartnerKeyResponse, PartnerKeyCreated};
use time::OffsetDateTime;
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{micros, timestamp};
use tradewind_store::Tx;
use uuid::Uuid;

use super::Means;
use super::means::hold_staff;
use crate::domain::partner_key::{Command, MOST, PartnerKey};
use crate::secrets;
use crate::store::{Hidden, partner_key, partner_keys};

/// A well-formed request for a key.
pub struct NewKey {
    /// Whose it is to be.
    pub partner_id: String,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Until when, where it has an end.
    pub expires: Option<OffsetDateTime>,
}

/// Makes a key; `by` is who asks, if it is somebody.
///
/// # Errors
/// `Invalid` with reason `INVALID_EXPIRE_TIME`; `Denied` with reason `ROLE_MISSING`; `Exhausted` with reason `TOO_MANY_KEYS`.
pub async fn create_partner_key(
    means: &Means,
    wanted: NewKey,
    by: Option<&str>,
) -> Result<CreatePartnerKeyResponse, Error> {
    let (key_id, now) = (Uuid::now_v7(), means.store.now());
    if wanted.expires.is_some_and(|expires| expires <= now) {
        return Err(Error::invalid("expire_time", "INVALID_EXPIRE_TIME", "must be in the future"));
    }
    let key = secrets::key(key_id)?;
    let row = partner_key::Model {
        key_id: key_id.to_string(),
        digest: Hidden(secrets::hash(key.expose())),
        partner_id: wanted.partner_id,
        name: wanted.name,
        scopes: wanted.scopes.join(" "),
        created: micros(now),
        used: None,
        expires: wanted.expires.map(micros),
    };
    means.store.transact(async |tx: &mut Tx| create(tx, row.clone(), wanted.expires, by).await).await?;
    Ok(CreatePartnerKeyResponse { partner_key: Some(row.into()), key: key.into_exposed() })
}

async fn create(
    tx: &mut Tx,
    row: partner_key::Model,
    expires: Option<OffsetDateTime>,
    by: Option<&str>,
) -> Result<(), Error> {
    hold_staff(tx, by).await?;
    if partner_keys::are_many(tx.conn(), &row.partner_id, MOST).await? {
        let text = format!("the partner has {MOST} keys; revoke one");
        return Err(Error::new(ErrorKind::Exhausted, "TOO_MANY_KEYS", text).with("limit", MOST.to_string()));
    }
    let (key_id, partner_id) = (row.key_id.clone(), row.partner_id.clone());
    let created = PartnerKeyCreated {
        key_id: key_id.clone(),
        partner_id: partner_id.clone(),
        scopes: partner_keys::scopes(&row),
        expire_time: expires.map(timestamp),
        created_by: by.unwrap_or_default().to_owned(),
    };
    partner_keys::insert(tx.conn(), row).await?;
    tx.create::<PartnerKey>(&key_id, Command::Create(created)).await?;
    tx.after(move || tracing::info!(key_id, partner_id, "a partner has a key"));
    Ok(())
}
