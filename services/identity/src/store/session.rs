//! Where accounts are signed in. Of tokens there is only what proves them.

use sea_orm::entity::prelude::*;

use super::Hidden;

/// One row of `session`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// The session.
    #[sea_orm(primary_key, auto_increment = false)]
    pub session_id: String,
    /// Whose it is.
    pub account_id: String,
    /// SHA-256 of the part that all its refresh tokens share.
    pub family: String,
    /// SHA-256 of the token to be shown next.
    pub token: String,
    /// SHA-256 of the token before.
    pub previous: Option<String>,
    /// What the token before and its successor have between them.
    pub salt: Option<Hidden>,
    /// When that was exchanged.
    pub exchanged: Option<i64>,
    /// What whoever signed in called it, sealed.
    pub device: String,
    /// From where, sealed.
    pub address: Hidden,
    /// When it began.
    pub created: i64,
    /// When it was last given an access token.
    pub used: i64,
    /// When it ends unless it is given another before, or when it has ended.
    pub expires: i64,
}

impl ActiveModelBehavior for ActiveModel {}
