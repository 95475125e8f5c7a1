//! Sums of sales.

use sea_orm::entity::prelude::*;

/// One row of `sold`: what was sold of one kind and key, in one span and currency. A row may say 0.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sold")]
pub struct Model {
    /// What sums are told apart by, by the contract's number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: i64,
    /// For how long a sum is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub span: i64,
    /// Its first day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub start: i64,
    /// The product, country or cohort.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The currency.
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: String,
    /// Orders that were confirmed.
    pub orders: i64,
    /// Units in them.
    pub units: i64,
    /// What they were sold for, in minor units.
    pub amount: i64,
    /// Those that were cancelled afterwards.
    pub cancelled_orders: i64,
    /// Units in those.
    pub cancelled_units: i64,
    /// What those had been sold for.
    pub cancelled_amount: i64,
}

impl ActiveModelBehavior for ActiveModel {}
