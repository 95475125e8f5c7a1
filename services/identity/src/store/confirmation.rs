//! Codes that were sent and wait to be entered, each with what it is good for.

use sea_orm::entity::prelude::*;

use super::Hidden;

/// One row of `confirmation`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmation")]
pub struct Model {
    /// SHA-256 of what whoever asked was given.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket: String,
    /// What it is good for.
    pub purpose: String,
    /// SHA-256 of that and the code together; absent where no code was sent, because nobody is to be told so.
    pub code: Option<Hidden>,
    /// Whose address it proves; where that lies sealed, its digest.
    pub email: Hidden,
    /// What they are called, sealed.
    pub name: Hidden,
    /// The hash of the password that an account is to have.
    pub password: Option<Hidden>,
    /// The account whose password is to be set, or whose address.
    pub account_id: Option<String>,
    /// How often a code was tried.
    pub tries: i64,
    /// Until when.
    pub expires: i64,
    /// The address, sealed.
    pub mail: Option<Hidden>,
    /// Names the message that was sent, and the key that seals; absent in rows of releases before.
    pub message_id: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
