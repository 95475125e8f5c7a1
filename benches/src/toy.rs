//! Two services as small as they can be: a bank that appends deposits, and an audit that writes a row for each.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use futures::future::BoxFuture;
use prost::{Message, Name};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait as _, DbErr};
use sea_orm_migration::prelude::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tradewind_domain::{Aggregate, DomainError, Error, ErrorKind};
use tradewind_events::{LogSource, Reaction, Received};
use tradewind_store::{Clock, LogPage, Store, StoreOptions, Tx, Upsert};

/// The context that appends.
pub(crate) const BANK: &str = "bank";
/// The context that reads, and its consumer.
pub(crate) const AUDIT: &str = "audit";
/// What one deposit carries besides its number: as much as an order's event does.
pub(crate) const MEMO: &str =
    "0190163d-8694-739b-aea5-966c26f8ad91 what a payment or a reservation might say about itself, more or less";

/// Money came in.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Deposited {
    /// Which transaction it belongs to.
    #[prost(uint64, tag = "1")]
    pub(crate) batch: u64,
    /// As large as a real event's content.
    #[prost(string, tag = "2")]
    pub(crate) memo: String,
}

impl Name for Deposited {
    const NAME: &'static str = "Deposited";
    const PACKAGE: &'static str = "tradewind.bank.v1";
}

tradewind_domain::events! {
    /// What can happen to an account.
    pub(crate) enum AccountEvent { Deposited(Deposited) }
}

/// Counts what came in.
#[derive(Clone, Default)]
pub(crate) struct Account {
    deposits: u64,
}

/// So many deposits at once, all of one batch.
pub(crate) struct Deposit {
    pub(crate) batch: u64,
    pub(crate) times: usize,
}

/// An account takes whatever it is given.
#[derive(Debug, thiserror::Error)]
#[error("never")]
pub(crate) enum Never {}

impl DomainError for Never {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    fn reason(&self) -> &'static str {
        "NEVER"
    }
}

impl Aggregate for Account {
    const NAME: &'static str = "account";
    type Command = Deposit;
    type Event = AccountEvent;
    type Error = Never;

    fn decide(&self, deposit: Deposit) -> Result<Vec<AccountEvent>, Never> {
        Ok(deposits(deposit))
    }

    fn evolve(&mut self, _: &AccountEvent) {
        self.deposits += 1;
    }
}

/// What a deposit leads to, whatever was there before.
pub(crate) fn deposits(Deposit { batch, times }: Deposit) -> Vec<AccountEvent> {
    vec![Deposited { batch, memo: MEMO.to_owned() }.into(); times]
}

/// Opens a service's store.
pub(crate) async fn open(url: &str, context: &'static str) -> Result<Store, Error> {
    let migrations: Vec<Box<dyn MigrationTrait>> = vec![Box::new(CreateEffect)];
    let options = StoreOptions { url: url.to_owned(), context, migrations, clock: Clock::system(), partitions: None };
    Store::open(options).await
}

/// What the audit writes about a deposit.
static EFFECT: LazyLock<Upsert<effect::Entity>> =
    LazyLock::new(|| Upsert::new(OnConflict::new().do_nothing().to_owned()));

/// What a deposit leads to.
#[expect(unreachable_pub, reason = "what sea-orm derives is public")]
mod effect {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "effect")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

struct CreateEffect;

impl MigrationName for CreateEffect {
    fn name(&self) -> &str {
        "bench_0001_create_effect"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateEffect {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table =
            "CREATE TABLE effect (stream TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (stream, version))";
        manager.get_connection().execute_unprepared(table).await.map(drop)
    }
}

/// A deposit that the audit is about to commit.
pub(crate) struct Handled {
    pub(crate) partition: u16,
    pub(crate) position: u64,
    pub(crate) batch: u64,
}

/// What was handled and not yet looked at.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<(Mutex<Vec<Handled>>, Notify)>);

impl Journal {
    /// Waits until there is something, and takes it.
    pub(crate) async fn take(&self) -> Vec<Handled> {
        loop {
            let handled = std::mem::take(&mut *self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
            if !handled.is_empty() {
                return handled;
            }
            self.0.1.notified().await;
        }
    }
}

/// Writes a row for each deposit.
pub(crate) struct NoteDeposit(pub(crate) Journal);

impl Reaction<Deposited> for NoteDeposit {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        let version = i64::try_from(event.version).map_err(Error::internal)?;
        tx.put(&EFFECT, effect::Model { stream: event.stream.to_string(), version });
        let handled = Handled { partition: event.partition, position: event.position, batch: event.data.batch };
        self.0.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(handled);
        self.0.0.1.notify_one();
        Ok(())
    }
}

/// Reads the bank's log where the bank runs.
pub(crate) struct Owner {
    pub(crate) store: Store,
    pub(crate) runtime: Handle,
}

impl LogSource for Owner {
    fn read_log(&self, _: &str, partition: u16, after: u64, limit: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let store = self.store.clone();
        let page =
            async move { store.read_log(partition, after, usize::try_from(limit).map_err(Error::internal)?).await };
        let page = self.runtime.spawn(page);
        Box::pin(async { page.await.map_err(Error::internal)? })
    }
}
