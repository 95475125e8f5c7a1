//! The key by which addresses are found that lie sealed.

use sea_orm::entity::prelude::*;

use super::Hidden;

/// The one row of `address_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "address_key")]
pub struct Model {
    /// 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// 256 bits by chance, made with the table.
    pub key: Hidden,
}

impl ActiveModelBehavior for ActiveModel {}
