//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, text, text_null};
use tradewind_sql::columns::{create_clustered, key, number, number_null};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateAccounts), Box::new(CreatePartnerKeys), Box::new(SealPersons)]
}

struct CreateAccounts;

impl MigrationName for CreateAccounts {
    fn name(&self) -> &str {
        "identity_0001_create_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateAccounts {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for table in
            [account(schema), session(schema), confirmation(schema), familiar(schema), throttle(schema), signing_key()]
        {
            create_clustered(schema, table).await?;
        }
        let mut unique = Index::create();
        schema.create_index(unique.unique().name("account_by_email").table("account").col("email").take()).await?;
        let mut unique = Index::create();
        schema.create_index(unique.unique().name("session_by_family").table("session").col("family").take()).await?;
        for (name, table, column) in [
            ("session_by_account", "session", "account_id"),
            ("session_by_expiry", "session", "expires"),
            ("confirmation_by_expiry", "confirmation", "expires"),
            ("throttle_by_end", "throttle", "until"),
        ] {
            schema.create_index(Index::create().name(name).table(table).col(column).take()).await?;
        }
        Ok(())
    }
}

struct SealPersons;

impl MigrationName for SealPersons {
    fn name(&self) -> &str {
        "identity_0003_seal_persons"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SealPersons {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [("account", "mail"), ("confirmation", "mail"), ("confirmation", "message_id")] {
            schema.alter_table(Table::alter().table(table).add_column(text_null(column)).take()).await?;
        }
        let mut by_email = Index::create();
        schema.create_index(by_email.name("confirmation_by_email").table("confirmation").col("email").take()).await?;
        let mut address_key = Table::create();
        address_key.table("address_key").col(number("id").primary_key()).col(text("key"));
        create_clustered(schema, address_key).await?;
        let key = crate::secrets::token().map_err(|error| DbErr::Custom(error.to_string()))?;
        let mut first = Query::insert();
        first.into_table("address_key").columns(["id", "key"]).values_panic([1.into(), key.into()]);
        schema.get_connection().execute(&first).await.map(drop)
    }
}

struct CreatePartnerKeys;

impl MigrationName for CreatePartnerKeys {
    fn name(&self) -> &str {
        "identity_0002_create_partner_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreatePartnerKeys {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        create_clustered(schema, partner_key(schema)).await?;
        let mut unique = Index::create();
        let unique = unique.unique().name("partner_key_by_digest").table("partner_key").col("digest");
        schema.create_index(unique.take()).await?;
        for (name, table, column) in [
            ("partner_key_by_partner", "partner_key", "partner_id"),
            ("confirmation_by_account", "confirmation", "account_id"),
        ] {
            schema.create_index(Index::create().name(name).table(table).col(column).take()).await?;
        }
        Ok(())
    }
}

fn partner_key(schema: &SchemaManager) -> TableCreateStatement {
    let mut partner_key = Table::create();
    partner_key
        .table("partner_key")
        .col(key(schema, "key_id").primary_key())
        .col(key(schema, "digest"))
        .col(key(schema, "partner_id"))
        .col(text("name"))
        .col(text("scopes"))
        .col(number("created"))
        .col(number_null("used"))
        .col(number_null("expires"));
    partner_key
}

fn account(schema: &SchemaManager) -> TableCreateStatement {
    let mut account = Table::create();
    account
        .table("account")
        .col(key(schema, "account_id").primary_key())
        .col(key(schema, "email"))
        .col(text("name"))
        .col(text("password"))
        .col(number_null("password_until"))
        .col(text("roles"))
        .col(boolean("locked"))
        .col(number("created"))
        .col(number("updated"));
    account
}

fn session(schema: &SchemaManager) -> TableCreateStatement {
    let mut session = Table::create();
    session
        .table("session")
        .col(key(schema, "session_id").primary_key())
        .col(key(schema, "account_id"))
        .col(key(schema, "family"))
        .col(text("token"))
        .col(text_null("previous"))
        .col(text_null("salt"))
        .col(number_null("exchanged"))
        .col(text("device"))
        .col(text("address"))
        .col(number("created"))
        .col(number("used"))
        .col(number("expires"));
    session
}

fn confirmation(schema: &SchemaManager) -> TableCreateStatement {
    let mut confirmation = Table::create();
    confirmation
        .table("confirmation")
        .col(key(schema, "ticket").primary_key())
        .col(text("purpose"))
        .col(text_null("code"))
        .col(text("email"))
        .col(text("name"))
        .col(text_null("password"))
        .col(text_null("account_id"))
        .col(number("tries"))
        .col(number("expires"));
    confirmation
}

fn familiar(schema: &SchemaManager) -> TableCreateStatement {
    let mut familiar = Table::create();
    familiar
        .table("familiar")
        .col(key(schema, "account_id"))
        .col(key(schema, "network"))
        .col(number("seen"))
        .primary_key(Index::create().col("account_id").col("network"));
    familiar
}

fn throttle(schema: &SchemaManager) -> TableCreateStatement {
    let mut throttle = Table::create();
    throttle.table("throttle").col(key(schema, "name").primary_key()).col(number("until"));
    throttle
}

fn signing_key() -> TableCreateStatement {
    let mut signing_key = Table::create();
    signing_key
        .table("signing_key")
        .col(number("generation").primary_key())
        .col(text("pair"))
        .col(number("signs_from"))
        .col(number("signs_until"));
    signing_key
}
