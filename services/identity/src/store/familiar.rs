//! Networks from which an account was signed in.

use sea_orm::entity::prelude::*;

/// One row of `familiar`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "familiar")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    /// The network's digest; in rows of releases before, the network.
    #[sea_orm(primary_key, auto_increment = false)]
    pub network: String,
    /// When it last was.
    pub seen: i64,
}

impl ActiveModelBehavior for ActiveModel {}
