//! The keys that access tokens are signed with.

use sea_orm::entity::prelude::*;

use super::Hidden;

/// One row of `signing_key`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub generation: i64,
    /// The pair, as PKCS #8 in PEM, sealed where there is a key for that.
    pub pair: Hidden,
    /// From when on it signs.
    pub signs_from: i64,
    /// Until when it signs.
    pub signs_until: i64,
}

impl ActiveModelBehavior for ActiveModel {}
