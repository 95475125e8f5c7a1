//! The table `journal`.

use sea_orm::entity::prelude::*;

/// An event that a consumer handled.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "journal")]
pub(super) struct Model {
    /// Later ones have higher numbers.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// The consumer.
    #[sea_orm(column_type = "Text")]
    pub consumer: String,
    /// The event's full protobuf name.
    #[sea_orm(column_name = "type", column_type = "Text")]
    pub type_name: String,
    /// The log partition.
    pub partition: i64,
    /// Its place there.
    pub position: i64,
    /// The stream.
    #[sea_orm(column_type = "Text")]
    pub stream: String,
    /// Its place there.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
