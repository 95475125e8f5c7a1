//! Accounts: found, made, changed and erased.

use contracts::tradewind::identity::v1::{Account, Profile};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QueryTrait,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros, timestamp};

use super::account::{ActiveModel, Column, Entity, Model};
use super::{Hidden, confirmation, familiar, sessions};
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
pub(crate) async fn by_email(connection: &impl ConnectionTrait, email: &Email) -> Result<Option<Model>, Error> {
    Entity::find().filter(Column::Email.eq(email.as_str())).one(connection).await.map_err(db)
}

/// The account with this id.
pub(crate) async fn by_id(connection: &impl ConnectionTrait, account_id: &str) -> Result<Option<Model>, Error> {
    Entity::find_by_id(account_id).one(connection).await.map_err(db)
}

/// The account with this id, as it stays until the transaction is over: nobody changes it, erases it or signs in to it meanwhile.
pub(crate) async fn hold(connection: &impl ConnectionTrait, account_id: &str) -> Result<Option<Model>, Error> {
    let held = Entity::update_many()
        .col_expr(Column::Locked, Expr::col(Column::Locked))
        .filter(Column::AccountId.eq(account_id));
    if held.exec(connection).await.map_err(db)?.rows_affected == 0 {
        return Ok(None);
    }
    by_id(connection, account_id).await
}

/// Adds an account; tells whether its address was free.
pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<bool, Error> {
    let any_conflict = OnConflict::new().do_nothing().to_owned();
    let insert = Entity::insert(row.into_active_model()).on_conflict(any_conflict);
    Ok(insert.exec_without_returning(connection).await.map_err(db)? == 1)
}

/// Changes an account and returns it as it is then. A password that is set is there to stay.
pub(crate) async fn change(
    connection: &impl ConnectionTrait,
    account_id: &str,
    change: Change,
    now: OffsetDateTime,
) -> Result<Model, Error> {
    let mut changed =
        ActiveModel { account_id: Unchanged(account_id.to_owned()), updated: Set(micros(now)), ..Default::default() };
    if let Some(name) = change.name {
        changed.name = Set(Hidden(name));
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
    changed.update(connection).await.map_err(db)
}

/// Gives an account another address, and returns it as it is then; none where that has one already.
pub(crate) async fn move_to(
    connection: &impl ConnectionTrait,
    account_id: &str,
    email: &str,
    now: OffsetDateTime,
) -> Result<Option<Model>, Error> {
    let changed = ActiveModel {
        account_id: Unchanged(account_id.to_owned()),
        email: Set(email.into()),
        updated: Set(micros(now)),
        ..Default::default()
    };
    match changed.update(connection).await {
        Err(error) if tradewind_sql::duplicate(&error).is_some() => Ok(None),
        changed => changed.map(Some).map_err(db),
    }
}

/// Removes everything that names an account or opens it.
pub(crate) async fn erase(
    connection: &impl ConnectionTrait,
    account_id: &str,
    email: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sessions::end_all(connection, account_id, None, now).await?;
    familiar::Entity::delete_many()
        .filter(familiar::Column::AccountId.eq(account_id))
        .exec(connection)
        .await
        .map_err(db)?;
    let of_account = confirmation::Column::Email.eq(email).or(confirmation::Column::AccountId.eq(account_id));
    let codes = confirmation::Entity::delete_many().filter(of_account);
    codes.exec(connection).await.map_err(db)?;
    Entity::delete_by_id(account_id).exec(connection).await.map(drop).map_err(db)
}

/// Up to `limit` accounts that follow the id `after`, by id; only those of an address, where one is given.
pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    after: &str,
    email: Option<&Email>,
    limit: usize,
) -> Result<Vec<Model>, Error> {
    let rows = Entity::find()
        .filter(Column::AccountId.gt(after))
        .apply_if(email, |rows, email| rows.filter(Column::Email.eq(email.as_str())))
        .order_by_asc(Column::AccountId);
    tradewind_sql::page(connection, rows, [Column::Email, Column::Name], limit).await
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
