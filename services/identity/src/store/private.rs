//! What names a person in the rows of this context: sealed under the account's key, or a code's, and found by a digest.
//!
//! A digest is HMAC-SHA-256 under a key of the database's own: there are few enough addresses to try them all on a plain hash.

use ring::hmac;
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait};
use tradewind_domain::Error;
use tradewind_sql::{Reads, Transaction, db};
use tradewind_store::{Store, Tx};

use super::address_key;
use crate::secrets;

/// What begins a digest; no address and no network does.
const DIGEST: char = '#';

/// Where rows are read, and what of them is sealed is opened.
pub(crate) trait Private: Sync {
    type Connection: ConnectionTrait;

    fn connection(&self) -> &Self::Connection;

    /// Opens texts as [`Store::open_texts`] does.
    fn texts(&self, kept: Vec<String>) -> impl Future<Output = Result<Vec<Option<String>>, Error>> + Send;
}

/// Reads what a command has to know before it begins.
pub(crate) struct Before<'a>(pub(crate) &'a Store);

/// Reads for those who only look.
pub(crate) struct Look<'a>(pub(crate) &'a Store);

impl Private for Tx {
    type Connection = Transaction;

    fn connection(&self) -> &Transaction {
        self.conn()
    }

    async fn texts(&self, kept: Vec<String>) -> Result<Vec<Option<String>>, Error> {
        self.open_texts(kept).await
    }
}

impl Private for Before<'_> {
    type Connection = DatabaseConnection;

    fn connection(&self) -> &DatabaseConnection {
        self.0.command_reader()
    }

    async fn texts(&self, kept: Vec<String>) -> Result<Vec<Option<String>>, Error> {
        self.0.open_texts(kept).await
    }
}

impl Private for Look<'_> {
    type Connection = Reads;

    fn connection(&self) -> &Reads {
        self.0.reader()
    }

    async fn texts(&self, kept: Vec<String>) -> Result<Vec<Option<String>>, Error> {
        self.0.open_texts(kept).await
    }
}

/// Texts as they were written; empty ones where whose they are is erased.
pub(crate) async fn opened<const N: usize>(private: &impl Private, kept: [String; N]) -> Result<[String; N], Error> {
    let texts: Vec<_> = private.texts(kept.into()).await?.into_iter().map(Option::unwrap_or_default).collect();
    texts.try_into().map_err(|_| Error::internal("as many texts as were kept"))
}

/// What a text is found by.
pub(crate) async fn digest(connection: &impl ConnectionTrait, text: &str) -> Result<String, Error> {
    let key = address_key::Entity::find_by_id(1).one(connection).await.map_err(db)?;
    let key = key.ok_or_else(|| Error::internal("the key by which addresses are found is missing"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.key.0.as_bytes());
    Ok(format!("{DIGEST}{}", secrets::base64(hmac::sign(&key, text.as_bytes()).as_ref())))
}
