//! Sessions: begun, found by their tokens, exchanged and ended.

use contracts::tradewind::identity::v1::Session;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros, timestamp};
use tradewind_store::Tx;

use super::Hidden;
use super::private::Private;
use super::session::{ActiveModel, Column, Entity, Model};

/// The most that an account has; one more ends the one that was used least recently.
const MOST: usize = 32;

/// A session that begins.
pub(crate) struct New<'a> {
    pub(crate) session_id: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) family: String,
    pub(crate) token: String,
    pub(crate) device: &'a str,
    pub(crate) address: String,
    pub(crate) expires: OffsetDateTime,
}

/// Begins a session. The account's others that are over, or are too many, end.
pub(crate) async fn begin(tx: &mut Tx, new: New<'_>) -> Result<(), Error> {
    let now = tx.now();
    let others = of_account(tx.conn(), new.account_id, now).await?;
    let mut by_use: Vec<_> = others.into_iter().map(|other| (other.used, other.session_id)).collect();
    by_use.sort_unstable_by(|one, other| other.cmp(one));
    for (_, too_many) in by_use.into_iter().skip(MOST - 1) {
        end(tx.conn(), new.account_id, &too_many, now).await?;
    }
    let device = tx.seal_text(new.account_id, new.device).await?;
    let address = Hidden(tx.seal_text(new.account_id, &new.address).await?);
    let row = Model {
        session_id: new.session_id.to_owned(),
        account_id: new.account_id.to_owned(),
        family: new.family,
        token: new.token,
        previous: None,
        salt: None,
        exchanged: None,
        device,
        address,
        created: micros(now),
        used: micros(now),
        expires: micros(new.expires),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(tx.conn()).await.map(drop).map_err(db)
}

/// The same sessions with what they say of their owner.
pub(crate) async fn opened(private: &impl Private, rows: Vec<Model>) -> Result<Vec<Model>, Error> {
    let kept = rows.iter().flat_map(|row| [row.device.clone(), row.address.0.clone()]).collect();
    let mut texts = private.texts(kept).await?.into_iter().map(Option::unwrap_or_default);
    let mut next = || texts.next().unwrap_or_default();
    Ok(rows.into_iter().map(|row| Model { device: next(), address: Hidden(next()), ..row }).collect())
}

/// The session whose refresh tokens share this part, unless it is over.
pub(crate) async fn by_family(
    connection: &impl ConnectionTrait,
    family: &str,
    now: OffsetDateTime,
) -> Result<Option<Model>, Error> {
    let alive = Entity::find().filter(Column::Family.eq(family)).filter(Column::Expires.gt(micros(now)));
    alive.one(connection).await.map_err(db)
}

/// Exchanges a session's token for its successor; `false` when somebody else has done so.
pub(crate) async fn exchange(
    connection: &impl ConnectionTrait,
    session: &Model,
    successor: String,
    salt: String,
    now: OffsetDateTime,
    expires: OffsetDateTime,
) -> Result<bool, Error> {
    let exchanged = ActiveModel {
        token: Set(successor),
        previous: Set(Some(session.token.clone())),
        salt: Set(Some(Hidden(salt))),
        exchanged: Set(Some(micros(now))),
        used: Set(micros(now)),
        expires: Set(micros(expires)),
        ..ActiveModel::default()
    };
    let this = Entity::update_many()
        .set(exchanged)
        .filter(Column::SessionId.eq(session.session_id.as_str()))
        .filter(Column::Token.eq(session.token.as_str()));
    Ok(this.exec(connection).await.map_err(db)?.rows_affected == 1)
}

/// The sessions of an account that are not over, newest first.
pub(crate) async fn of_account(
    connection: &impl ConnectionTrait,
    account_id: &str,
    now: OffsetDateTime,
) -> Result<Vec<Model>, Error> {
    let alive = Entity::find().filter(Column::AccountId.eq(account_id)).filter(Column::Expires.gt(micros(now)));
    // A few may be begun at the same time.
    alive.order_by_desc(Column::SessionId).limit(4 * MOST as u64).all(connection).await.map_err(db)
}

/// Ends a session of an account; `false` when there is none.
pub(crate) async fn end(
    connection: &impl ConnectionTrait,
    account_id: &str,
    session_id: &str,
    now: OffsetDateTime,
) -> Result<bool, Error> {
    let this = ended(account_id, now).filter(Column::SessionId.eq(session_id));
    Ok(this.exec(connection).await.map_err(db)?.rows_affected > 0)
}

/// Ends all sessions of an account but one; how many there were.
pub(crate) async fn end_all(
    connection: &impl ConnectionTrait,
    account_id: &str,
    but: Option<&str>,
    now: OffsetDateTime,
) -> Result<u64, Error> {
    let all = ended(account_id, now).filter(Column::SessionId.ne(but.unwrap_or_default()));
    Ok(all.exec(connection).await.map_err(db)?.rows_affected)
}

/// Ends sessions of an account that are not over. Of each its id is left for as long as an access token of it may be shown; whose
/// it was, what it was called and where is gone, and so is what proves its tokens.
fn ended(account_id: &str, now: OffsetDateTime) -> UpdateMany<Entity> {
    let gone = ActiveModel {
        account_id: Set(String::new()),
        token: Set(String::new()),
        previous: Set(None),
        salt: Set(None),
        exchanged: Set(None),
        device: Set(String::new()),
        address: Set(Hidden(String::new())),
        expires: Set(micros(now)),
        ..ActiveModel::default()
    };
    let these = Entity::update_many().set(gone).filter(Column::AccountId.eq(account_id));
    these.filter(Column::Expires.gt(micros(now)))
}

/// Some of those that are over since then, those of that moment too, those first that ended first, each with its end.
pub(crate) async fn over(
    connection: &impl ConnectionTrait,
    since: OffsetDateTime,
    now: OffsetDateTime,
    most: u64,
) -> Result<Vec<(String, OffsetDateTime)>, Error> {
    let over = Entity::find().filter(Column::Expires.gte(micros(since))).filter(Column::Expires.lte(micros(now)));
    let over = over.order_by_asc(Column::Expires).limit(most).all(connection).await.map_err(db)?;
    Ok(over.into_iter().map(|row| (row.session_id, from_micros(row.expires))).collect())
}

/// Forgets those that were over then.
pub(crate) async fn forget_over(connection: &impl ConnectionTrait, then: OffsetDateTime) -> Result<(), Error> {
    let over = Entity::delete_many().filter(Column::Expires.lte(micros(then)));
    over.exec(connection).await.map(drop).map_err(db)
}

impl From<Model> for Session {
    fn from(row: Model) -> Self {
        let time = |micros| Some(timestamp(from_micros(micros)));
        Self {
            session_id: row.session_id,
            device: row.device,
            address: row.address.0,
            create_time: time(row.created),
            use_time: time(row.used),
            expire_time: time(row.expires),
            current: false,
        }
    }
}
