//! Accounts as they are now. One that is erased has no row.

use sea_orm::entity::prelude::*;

use super::Hidden;

/// One row of `account`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    /// Where mail reaches its owner; no two have the same. Where that lies sealed, its digest.
    pub email: Hidden,
    /// What they are called, sealed.
    pub name: Hidden,
    /// Argon2id, in the PHC string format.
    pub password: Hidden,
    /// Until when a password can be used that was made for one use; absent of any other.
    pub password_until: Option<i64>,
    /// Names of roles, with spaces between.
    pub roles: String,
    /// Nobody can sign in.
    pub locked: bool,
    /// When it was made.
    pub created: i64,
    /// When it last changed.
    pub updated: i64,
    /// The address, sealed.
    pub mail: Option<Hidden>,
}

impl ActiveModelBehavior for ActiveModel {}
