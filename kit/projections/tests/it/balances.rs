//! A list of balances and a book of deposits, and a bank whose log they are made from.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::future::BoxFuture;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm_migration::prelude::{MigrationName, MigrationTrait, SchemaManager, Table as New};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::{LogSource, Logs, Reactions};
use tradewind_projections::{Projection, Served, Slot, Table, build, create_in, follow, rebuild};
use tradewind_replicas::Seat;
use tradewind_sql::columns::{key, number};
use tradewind_store::{Clock, LogPage, Store, StoreOptions, Tx, Upsert};
use tradewind_testing::account::{Account, Command, Deposited};
use tradewind_testing::{Database, eventually};

/// The tests' queries are over sooner.
const REST: Duration = Duration::from_millis(200);
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const BALANCES: &str = "bank.balances";
pub(crate) const DEPOSITS: &str = "bank.deposits";

pub(crate) mod balance {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "balance")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub balance: i64,
        pub version: i64,
        /// What a later version of the projection says of the same.
        pub doubled: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod deposit {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deposit")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub count: i64,
        pub total: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

static PUT: LazyLock<Table<balance::Entity>> = LazyLock::new(|| Table::replacing([balance::Column::AccountId]));

static ADD: LazyLock<Table<deposit::Entity>> = LazyLock::new(|| {
    Table::new(|| {
        let add = |column| Expr::col((deposit::Entity, column)).add(Expr::col(("excluded", column)));
        let mut more = OnConflict::column(deposit::Column::AccountId);
        for column in [deposit::Column::Count, deposit::Column::Total] {
            more.value(column, add(column));
        }
        Upsert::new(more)
    })
});

struct CreateTables;

impl MigrationName for CreateTables {
    fn name(&self) -> &str {
        "bank_0001_create_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTables {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for slot in [Slot::First, Slot::Second] {
            for (name, numbers) in
                [("balance", &["balance", "version", "doubled"][..]), ("deposit", &["count", "total"])]
            {
                let mut table = New::create();
                table.col(key(schema, "account_id").primary_key());
                for column in numbers {
                    table.col(number(*column));
                }
                if name == "balance" {
                    table.check(Expr::col("version").gte(0));
                }
                create_in(schema, slot, name, table, Vec::new()).await?;
            }
        }
        Ok(())
    }
}

fn signed(number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(Error::internal)
}

/// How each account stands; from version 2 on doubled. At version 13 nobody can say, and at version 14 the database refuses it.
pub(crate) fn balances(version: u32) -> Projection {
    Projection::new(BALANCES, version).table::<balance::Entity>().showing::<Account>(move |writer, id, account| {
        if version == 13 {
            return Err(Error::new(ErrorKind::Rejected, "UNLUCKY", "nobody can say"));
        }
        let balance = signed(account.state.balance)?;
        let doubled = if version > 1 { 2 * balance } else { 0 };
        let of = if version == 14 { -1 } else { signed(account.version)? };
        writer.put(&PUT, balance::Model { account_id: id.to_owned(), balance, version: of, doubled });
        Ok(())
    })
}

/// How often was paid in to each account, and how much: adding it twice would show.
pub(crate) fn deposits(version: u32) -> Projection {
    Projection::new(DEPOSITS, version).table::<deposit::Entity>().on::<Deposited>(
        "add_on_deposited",
        |writer, event| {
            let account_id = event.stream.id().to_owned();
            writer.put(&ADD, deposit::Model { account_id, count: 1, total: signed(event.data.amount)? });
            Ok(())
        },
    )
}

struct NoOthers;

impl LogSource for NoOthers {
    fn read_log(&self, context: &str, _: u16, _: u64, _: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let error = Error::unavailable("NOBODY", format!("there is no {context}"));
        Box::pin(async { Err(error) })
    }
}

/// A store with the tables, and what would be its processes.
pub(crate) struct Bank {
    pub(crate) store: Store,
    stop: CancellationToken,
}

impl Bank {
    pub(crate) async fn open(database: &Database) -> Self {
        let options = StoreOptions {
            url: database.url(),
            context: "bank",
            migrations: vec![Box::new(CreateTables)],
            clock: Clock::system(),
            partitions: None,
        };
        let store = Store::open(options).await.unwrap();
        let stop = CancellationToken::new();
        let (sequencing, end) = (store.clone(), stop.clone());
        tokio::spawn(async move { sequencing.sequence(end).await.unwrap() });
        Self { store, stop }
    }

    pub(crate) async fn execute(&self, id: &str, command: Command) {
        self.store.transact(async |tx: &mut Tx| tx.execute::<Account>(id, command).await).await.unwrap();
    }

    /// Pays `rounds` times into each of so many accounts, and takes some out again.
    pub(crate) async fn trade(&self, accounts: u32, rounds: u64) {
        for round in 1..=rounds {
            for account in 0..accounts {
                self.execute(&format!("a{account}"), Command::Deposit(10 * round)).await;
                if account % 3 == 0 {
                    self.execute(&format!("a{account}"), Command::Withdraw(round)).await;
                }
            }
        }
    }

    /// Waits until the log has everything.
    pub(crate) async fn sequenced(&self) {
        let nothing = self.store.begin().await.unwrap().commit().await.unwrap();
        self.store.token(&nothing).await.unwrap();
    }

    pub(crate) async fn ask(&self, name: &str) {
        let mut tx = self.store.begin().await.unwrap();
        assert!(rebuild(&mut tx, name).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// Starts what builds these projections.
    pub(crate) fn start(&self, projections: impl IntoIterator<Item = Projection>) -> Process {
        let projections: Arc<[_]> = projections.into_iter().collect();
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let (seat, members) = Seat::new(self.store.clone(), "process".into());
        let (serves, served) = watch::channel(None);
        let logs = Logs::new(self.store.clone(), Arc::new(NoOthers));
        tasks.spawn(seat.keep(stop.clone(), stop.clone()));
        tasks.spawn(follow(self.store.clone(), Arc::clone(&projections), serves, stop.clone()));
        tasks.spawn(build(self.store.clone(), logs, members, Arc::clone(&projections), REST, stop.clone()));
        Process { served, stop, tasks, kept: projections.iter().map(Projection::reactions).collect() }
    }

    /// What a slot says of the accounts.
    pub(crate) async fn balances(&self, slot: Slot) -> Vec<balance::Model> {
        let rows = slot.select(balance::Entity::find()).order_by_asc_id();
        rows.all(self.store.reader()).await.unwrap()
    }

    /// What a slot says was paid in.
    pub(crate) async fn deposits(&self, slot: Slot) -> Vec<deposit::Model> {
        use sea_orm::QueryOrder;
        let rows = slot.select(deposit::Entity::find()).order_by_asc(deposit::Column::AccountId);
        rows.all(self.store.reader()).await.unwrap()
    }

    /// Waits until a projection is read from a slot.
    pub(crate) async fn read_from(&self, name: &str, slot: Slot) {
        eventually(PATIENCE, "what was built is read", async || {
            tradewind_projections::read(&self.store, name).await.unwrap() == slot
        })
        .await;
    }

    /// What the accounts' own streams say, as `version` of the projection would.
    pub(crate) async fn truth(&self, accounts: u32, version: u32) -> Vec<balance::Model> {
        let mut rows = Vec::new();
        for account in 0..accounts {
            let account_id = format!("a{account}");
            let account = self.store.load::<Account>(&account_id).await.unwrap();
            let balance = signed(account.state.balance).unwrap();
            let doubled = if version > 1 { 2 * balance } else { 0 };
            rows.push(balance::Model { account_id, balance, version: signed(account.version).unwrap(), doubled });
        }
        rows.sort_by(|one, other| one.account_id.cmp(&other.account_id));
        rows
    }
}

trait ByAccount {
    fn order_by_asc_id(self) -> Self;
}

impl ByAccount for Select<balance::Entity> {
    fn order_by_asc_id(self) -> Self {
        use sea_orm::QueryOrder;
        self.order_by_asc(balance::Column::AccountId)
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What builds projections; it is killed when dropped.
pub(crate) struct Process {
    pub(crate) served: watch::Receiver<Served>,
    pub(crate) kept: Vec<[Reactions; 2]>,
    stop: CancellationToken,
    tasks: JoinSet<Result<(), Error>>,
}

impl Process {
    /// Ends in order.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
    }

    /// Ends wherever it is.
    pub(crate) async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}
