//! Keys of partners that have not been revoked.

use sea_orm::entity::prelude::*;

use super::Hidden;

/// One row of `partner_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner_key")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: String,
    /// SHA-256 of it; no two have the same.
    pub digest: Hidden,
    /// Whose it is.
    pub partner_id: String,
    /// What it is for.
    pub name: String,
    /// What it may be used for, with spaces between.
    pub scopes: String,
    /// When it was made.
    pub created: i64,
    /// When it was last used, give or take.
    pub used: Option<i64>,
    /// Until when it is good.
    pub expires: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
