//! Accounts: found, made, changed and erased.

use contracts::tradewind::identity::v1::{Account, Profile};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait,
};
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros, timestamp};
use tradewind_store::Tx;

use super::account::{ActiveModel, Column, Entity, Model};
use super::private::{Private, digest, opened};
use super::{Hidden, familiar, sessions};
use crate::domain::{Email, Roles};

/// What changes of an account.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    /// The hash.
    pub(crate) password: Option<String>,
    pub(crate) roles: Option<Roles>,
    pub(crate) locked: Option<bool>,
}

/// The account with this address.
pub(crate) async fn by_email(private: &impl Private, email: &Email) -> Result<Option<Model>, Error> {
    let is = is_at(private.connection(), email.as_str()).await?;
    let found = Entity::find().filter(is).one(private.connection()).await.map_err(db)?;
    match found {
        Some(row) => open(private, row).await,
        None => Ok(None),
    }
}

/// Whether an account has this address, sealed or as it was written before.
async fn is_at(connection: &impl ConnectionTrait, email: &str) -> Result<Expr, Error> {
    Ok(Column::Email.is_in([digest(connection, email).await?, email.to_owned()]))
}

/// The account with this id.
pub(crate) async fn by_id(private: &impl Private, account_id: &str) -> Result<Option<Model>, Error> {
    match Entity::find_by_id(account_id).one(private.connection()).await.map_err(db)? {
        Some(row) => open(private, row).await,
        None => Ok(None),
    }
}

/// A row with what it says of its owner; none where that was erased while it was read.
async fn open(private: &impl Private, row: Model) -> Result<Option<Model>, Error> {
    let Model { mail, email, name, .. } = row.clone();
    let [email, name] = opened(private, [mail.unwrap_or(email).0, name.0]).await?;
    let is_there = !email.is_empty();
    Ok(is_there.then_some(Model { email: Hidden(email), name: Hidden(name), mail: None, ..row }))
}

/// The account with this id, as it stays until the transaction is over: nobody changes it, erases it or signs in to it meanwhile.
pub(crate) async fn hold(tx: &Tx, account_id: &str) -> Result<Option<Model>, Error> {
    let held = Entity::update_many()
        .col_expr(Column::Locked, Expr::col(Column::Locked))
        .filter(Column::AccountId.eq(account_id));
    if held.exec(tx.conn()).await.map_err(db)?.rows_affected == 0 {
        return Ok(None);
    }
    by_id(tx, account_id).await
}

/// Adds an account; tells whether its address was free.
pub(crate) async fn insert(tx: &mut Tx, row: Model) -> Result<bool, Error> {
    let mut row = row;
    let (id, plain) = (row.account_id.clone(), row.email.0.clone());
    // One that lies sealed has another text in the index than one of before.
    if Entity::find().filter(is_at(tx.conn(), &plain).await?).one(tx.conn()).await.map_err(db)?.is_some() {
        return Ok(false);
    }
    if tx.seals() {
        row.email = Hidden(digest(tx.conn(), &plain).await?);
        row.mail = Some(Hidden(tx.seal_text(&id, &plain).await?));
        row.name = Hidden(tx.seal_text(&id, &row.name.0).await?);
    }
    let any_conflict = OnConflict::new().do_nothing().to_owned();
    let insert = Entity::insert(row.into_active_model()).on_conflict(any_conflict);
    Ok(insert.exec_without_returning(tx.conn()).await.map_err(db)? == 1)
}

/// Changes an account and returns it as it is then. A password that is set is there to stay.
pub(crate) async fn change(tx: &mut Tx, account_id: &str, change: Change) -> Result<Model, Error> {
    let mut changed = ActiveModel {
        account_id: Unchanged(account_id.to_owned()),
        updated: Set(micros(tx.now())),
        ..Default::default()
    };
    if let Some(plain) = of_before(tx, account_id).await? {
        changed.email = Set(Hidden(digest(tx.conn(), &plain.email.0).await?));
        changed.mail = Set(Some(Hidden(tx.seal_text(account_id, &plain.email.0).await?)));
        changed.name = Set(Hidden(tx.seal_text(account_id, &plain.name.0).await?));
    }
    if let Some(name) = change.name {
        changed.name = Set(Hidden(tx.seal_text(account_id, &name).await?));
    }
    if let Some(password) = change.password {
        (changed.password, changed.password_until) = (Set(Hidden(password)), Set(None));
    }
    if let Some(roles) = change.roles {
        changed.roles = Set(roles.text());
    }
    if let Some(locked) = change.locked {
        changed.locked = Set(locked);
    }
    let row = changed.update(tx.conn()).await.map_err(db)?;
    open(tx, row).await?.ok_or_else(|| Error::internal("an account that is held is erased"))
}

/// A row from before there were seals, where it is to be sealed with its next change.
async fn of_before(tx: &Tx, account_id: &str) -> Result<Option<Model>, Error> {
    if !tx.seals() {
        return Ok(None);
    }
    let plain = Entity::find_by_id(account_id).filter(Column::Mail.is_null()).one(tx.conn()).await;
    plain.map_err(db)
}

/// Gives an account another address, and returns it as it is then; none where that has one already.
pub(crate) async fn move_to(tx: &mut Tx, account_id: &str, email: &str) -> Result<Option<Model>, Error> {
    let (mut kept, mut mail) = (email.to_owned(), None);
    let there = Entity::find().filter(is_at(tx.conn(), email).await?).one(tx.conn()).await.map_err(db)?;
    if there.is_some_and(|there| there.account_id != account_id) {
        return Ok(None);
    }
    if tx.seals() {
        kept = digest(tx.conn(), email).await?;
        mail = Some(Hidden(tx.seal_text(account_id, email).await?));
    }
    let changed = ActiveModel {
        account_id: Unchanged(account_id.to_owned()),
        email: Set(Hidden(kept)),
        mail: Set(mail),
        updated: Set(micros(tx.now())),
        ..Default::default()
    };
    match changed.update(tx.conn()).await {
        Err(error) if tradewind_sql::duplicate(&error).is_some() => Ok(None),
        Err(error) => Err(db(error)),
        Ok(row) => open(tx, row).await,
    }
}

/// Removes everything that names an account or opens it, but codes, and destroys its key.
pub(crate) async fn erase(tx: &mut Tx, account_id: &str) -> Result<(), Error> {
    sessions::end_all(tx.conn(), account_id, None, tx.now()).await?;
    familiar::Entity::delete_many()
        .filter(familiar::Column::AccountId.eq(account_id))
        .exec(tx.conn())
        .await
        .map_err(db)?;
    Entity::delete_by_id(account_id).exec(tx.conn()).await.map_err(db)?;
    tx.erase(account_id).await.map(drop)
}

/// Up to `limit` accounts that follow the id `after`, by id; only those of an address, where one is given.
pub(crate) async fn page(
    private: &impl Private,
    after: &str,
    email: Option<&Email>,
    limit: usize,
) -> Result<Vec<Model>, Error> {
    let connection = private.connection();
    let is = match email {
        Some(email) => Some(is_at(connection, email.as_str()).await?),
        None => None,
    };
    let rows = Entity::find()
        .filter(Column::AccountId.gt(after))
        .apply_if(is, QueryFilter::filter)
        .order_by_asc(Column::AccountId);
    let rows = tradewind_sql::page(connection, rows, [Column::Email, Column::Name, Column::Mail], limit).await?;
    let kept = rows.iter().flat_map(|row| [row.mail.as_ref().unwrap_or(&row.email).0.clone(), row.name.0.clone()]);
    let mut texts = private.texts(kept.collect()).await?.into_iter().map(Option::unwrap_or_default);
    let mut next = || Hidden(texts.next().unwrap_or_default());
    Ok(rows.into_iter().map(|row| Model { email: next(), name: next(), mail: None, ..row }).collect())
}

fn roles(row: &Model) -> Vec<i32> {
    Roles::read(&row.roles).iter().map(|role| role.wire().into()).collect()
}

impl From<Model> for Account {
    fn from(row: Model) -> Self {
        Self {
            roles: roles(&row),
            account_id: row.account_id,
            email: row.email.0,
            name: row.name.0,
            locked: row.locked,
            create_time: Some(timestamp(from_micros(row.created))),
            update_time: Some(timestamp(from_micros(row.updated))),
        }
    }
}

impl From<Model> for Profile {
    fn from(row: Model) -> Self {
        Self {
            roles: roles(&row),
            account_id: row.account_id,
            email: row.email.0,
            name: row.name.0,
            create_time: Some(timestamp(from_micros(row.created))),
        }
    }
}
