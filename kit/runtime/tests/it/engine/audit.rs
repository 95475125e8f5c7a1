//! The reading service: it notes every deposit of the bank in a table, and refuses one that comes twice or out of order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use sea_orm_migration::prelude::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions, Retention, Streams};
use tradewind_domain::{Error, ErrorKind, LARGEST_EVENT};
use tradewind_events::{LogSource, Reaction, Reactions, Received, StuckReaders};
use tradewind_runtime::Engine;
use tradewind_sql::{UNKNOWN, db};
use tradewind_store::{LogPage, Store, StoreOptions, Tx};
use tradewind_testing::account::{Account, Command, Deposited, options};
use tradewind_testing::{Database, Nats, eventually};
use tradewind_work::{NewIntent, intend};
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

struct CreateTables;

impl MigrationName for CreateTables {
    fn name(&self) -> &str {
        "audit_0001_create_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let seen = "CREATE TABLE seen (stream TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (stream, version))";
        connection.execute_unprepared(seen).await?;
        connection.execute_unprepared("CREATE TABLE note (about TEXT NOT NULL, text TEXT NOT NULL)").await.map(drop)
    }
}

/// Opens a service's store that has the tables `seen` and `note`.
pub(crate) async fn open(database: &Database, context: &'static str) -> Store {
    let migrations: Vec<Box<dyn MigrationTrait>> = vec![Box::new(CreateTables)];
    Store::open(StoreOptions { migrations, ..options(database, context) }).await.unwrap()
}

pub(crate) fn query(store: &Store, text: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(store.backend(), text, values)
}

/// What a query counts.
pub(crate) async fn count(store: &Store, text: &str) -> i64 {
    let row = store.reader().query_one_raw(query(store, text, [])).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

pub(crate) async fn note(tx: &Tx, store: &Store, about: &str, text: &str) -> Result<(), Error> {
    let insert = query(store, "INSERT INTO note (about, text) VALUES ($1, $2)", [about.into(), text.into()]);
    tx.conn().execute_raw(insert).await.map(drop).map_err(db)
}

/// Every note, in alphabetical order.
pub(crate) async fn notes(store: &Store) -> Vec<(String, String)> {
    let all = query(store, "SELECT about, text FROM note ORDER BY about, text", []);
    let rows = store.reader().query_all_raw(all).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "about").unwrap(), row.try_get("", "text").unwrap())).collect()
}

/// Notes a deposit; refuses one of 13, fails at one of 17 as nobody knows why, and makes too much of one of 19.
pub(crate) struct NoteDeposit {
    pub(crate) store: Store,
    /// So often it says that it cannot for the moment.
    pub(crate) unavailable: AtomicUsize,
    /// While it is so, it fails as nobody knows why; and how often it has.
    pub(crate) odd: Arc<(AtomicBool, AtomicUsize)>,
}

impl NoteDeposit {
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone(), unavailable: AtomicUsize::new(0), odd: Arc::default() }
    }
}

impl Reaction<Deposited> for NoteDeposit {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        if self.unavailable.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(Error::unavailable("AWAY", "not now"));
        }
        if self.odd.0.load(Ordering::SeqCst) {
            self.odd.1.fetch_add(1, Ordering::SeqCst);
            return Err(Error::new(ErrorKind::Internal, UNKNOWN, "nobody knows"));
        }
        if event.data.amount == 13 {
            return Err(Error::new(ErrorKind::Rejected, "UNLUCKY", "no"));
        }
        if event.data.amount == 17 {
            return Err(Error::new(ErrorKind::Internal, UNKNOWN, "nobody knows"));
        }
        if event.data.amount == 19 {
            let (kind, payload) = ("too much", vec![0; LARGEST_EVENT + 1]);
            intend(
                tx,
                NewIntent { kind, key: "a".to_owned(), action: String::new(), payload, subject: "a".to_owned() },
            );
            return Ok(());
        }
        let last = "SELECT COALESCE(MAX(version), 0) FROM seen WHERE stream = $1";
        let last = query(&self.store, last, [event.stream.as_str().into()]);
        let row = tx.conn().query_one_raw(last).await.map_err(db)?.unwrap();
        let last: i64 = row.try_get_by_index(0).map_err(db)?;
        let version = i64::try_from(event.version).unwrap();
        if version != last + 1 {
            return Err(Error::new(ErrorKind::Rejected, "OUT_OF_ORDER", format!("{version} after {last}")));
        }
        let insert = "INSERT INTO seen (stream, version) VALUES ($1, $2)";
        let insert = query(&self.store, insert, [event.stream.as_str().into(), version.into()]);
        tx.conn().execute_raw(insert).await.map_err(db)?;
        Ok(())
    }
}

/// Reads another service's log from its database, as long as it is neither away nor broken.
#[derive(Clone)]
pub(crate) struct Direct {
    store: Arc<std::sync::Mutex<Store>>,
    pub(crate) away: Arc<AtomicBool>,
    pub(crate) broken: Arc<AtomicBool>,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Direct {
    pub(crate) fn to(store: &Store) -> Self {
        let store = Arc::new(std::sync::Mutex::new(store.clone()));
        Self { store, away: Arc::default(), broken: Arc::default(), asked: Arc::default() }
    }

    /// From now on another database is the owner's.
    pub(crate) fn replace(&self, store: &Store) {
        *self.store.lock().unwrap() = store.clone();
        self.asked.store(0, Ordering::SeqCst);
    }
}

impl LogSource for Direct {
    fn read_log(&self, context: &str, partition: u16, after: u64, limit: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let store = self.store.lock().unwrap().clone();
        assert_eq!(context, store.context());
        Box::pin(async move {
            if self.away.load(Ordering::SeqCst) {
                return Err(Error::unavailable("OWNER_AWAY", "the owner is away"));
            }
            if self.broken.load(Ordering::SeqCst) {
                return Err(Error::new(ErrorKind::Internal, "LOG_UNREADABLE", "the page makes no sense"));
            }
            let page = store.read_log(partition, after, usize::try_from(limit).unwrap()).await;
            self.asked.fetch_add(1, Ordering::SeqCst);
            page
        })
    }

    fn report(
        &self,
        context: &str,
        incarnation: Uuid,
        partition: u16,
        witness: (u64, Uuid),
    ) -> BoxFuture<'_, Result<(), Error>> {
        let store = self.store.lock().unwrap().clone();
        assert_eq!(context, store.context());
        Box::pin(async move { store.hear(incarnation, partition, witness, "a reader").await })
    }
}

/// What the broker holds for them.
pub(crate) fn streams() -> Streams {
    Streams::new(Retention::default()).of("bank", []).of("audit", [("audit", "bank"), ("audit-second", "bank")])
}

pub(crate) async fn connect(nats: &Nats) -> Broker {
    Broker::connect(BrokerOptions { url: nats.url(), tls: None, name: "test".to_owned() }).await.unwrap()
}

/// An engine at work.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
    pub(crate) stuck: StuckReaders,
}

impl Running {
    pub(crate) fn start(engine: Engine) -> Self {
        let (stop, stuck) = (CancellationToken::new(), engine.stuck());
        Self { task: tokio::spawn(engine.run(stop.clone())), stop, stuck }
    }

    /// Drains it.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Ends it as a crash would, as far as that can be had within a process.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// The bank that is read, the audit that reads it, and the broker between them.
pub(crate) struct Pair {
    pub(crate) bank: Store,
    pub(crate) audit: Store,
    pub(crate) nats: Nats,
    pub(crate) owner: Direct,
    databases: [Database; 2],
}

impl Pair {
    /// Both services on SQLite, neither running.
    pub(crate) async fn new() -> Self {
        Self::between(Database::sqlite(), Database::sqlite()).await
    }

    /// The bank and the audit on given databases.
    pub(crate) async fn between(bank: Database, audit: Database) -> Self {
        let databases = [bank, audit];
        let (bank, audit) = (open(&databases[0], "bank").await, open(&databases[1], "audit").await);
        let owner = Direct::to(&bank);
        Self { bank, audit, nats: Nats::start().keeping(streams(), None), owner, databases }
    }

    /// The bank's database, for another process of it.
    pub(crate) fn bank_database(&self) -> &Database {
        let [bank, _] = &self.databases;
        bank
    }

    /// The audit's database, for another process of it.
    pub(crate) fn audit_database(&self) -> &Database {
        let [_, audit] = &self.databases;
        audit
    }

    /// Starts publishing the bank's log.
    pub(crate) async fn start_bank(&self) -> Running {
        let nobody = Arc::new(self.owner.clone());
        Running::start(Engine::new(self.bank.clone(), connect(&self.nats).await, nobody))
    }

    /// Starts noting deposits.
    pub(crate) async fn start_audit(&self) -> Running {
        self.start_audit_with(NoteDeposit::new(&self.audit)).await
    }

    pub(crate) async fn start_audit_with(&self, reaction: NoteDeposit) -> Running {
        let engine = Engine::new(self.audit.clone(), connect(&self.nats).await, Arc::new(self.owner.clone()));
        Running::start(engine.reactions(Reactions::new("audit").on("note_on_deposited", reaction)))
    }

    /// Commits deposits of 1, `each` into every one of `accounts`.
    pub(crate) async fn deposit(&self, accounts: &[&str], each: usize) {
        for _ in 0..each {
            for id in accounts {
                deposit(&self.bank, id, 1).await;
            }
        }
    }

    /// Waits until exactly `deposits` have been noted.
    pub(crate) async fn noted(&self, deposits: i64) {
        eventually(PATIENCE, &format!("{deposits} deposits are noted"), async || {
            let seen = count(&self.audit, "SELECT COUNT(*) FROM seen").await;
            let parked = count(&self.audit, "SELECT COUNT(*) FROM parked").await;
            assert!(seen <= deposits, "{seen} of {deposits}");
            if seen == deposits { Ok(()) } else { Err(format!("{seen}, {parked} parked")) }
        })
        .await;
    }
}

pub(crate) async fn deposit(bank: &Store, id: &str, amount: u64) {
    let attempt = || async {
        let mut tx = bank.begin().await?;
        tx.execute::<Account>(id, Command::Deposit(amount)).await?;
        tx.commit().await
    };
    bank.retry(attempt).await.unwrap();
}
