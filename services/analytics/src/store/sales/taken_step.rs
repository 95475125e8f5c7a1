//! Sums of steps.

use sea_orm::entity::prelude::*;

/// One row of `taken_step`: how many orders of a span have taken a step in a class of times, or were cancelled after it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "taken_step")]
pub struct Model {
    /// Whether the span is a day or a month.
    #[sea_orm(primary_key, auto_increment = false)]
    pub span: i64,
    /// The first day of it; they were placed in it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub start: i64,
    /// The step, by the contract's number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub step: i64,
    /// Why they were cancelled after it, by the contract's number; -1 of those that have taken it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub reason: i64,
    /// The class of the time that they took for it; 0 of the cancelled.
    #[sea_orm(primary_key, auto_increment = false)]
    pub class: i64,
    /// How many.
    pub orders: i64,
}

impl ActiveModelBehavior for ActiveModel {}
