//! An aggregate to test with, and a store to keep it in.

use prost::{Message, Name};
use sea_orm::Statement;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tradewind_domain::{Aggregate, DomainError, Error, ErrorKind};
use tradewind_store::{Clock, Committed, Store, StoreOptions, Tx};

use crate::Database;

#[derive(Clone, PartialEq, Message)]
pub struct Deposited {
    #[prost(uint64, tag = "1")]
    pub amount: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Withdrawn {
    #[prost(uint64, tag = "1")]
    pub amount: u64,
}

impl Name for Deposited {
    const NAME: &'static str = "Deposited";
    const PACKAGE: &'static str = "tradewind.bank.v1";
}

impl Name for Withdrawn {
    const NAME: &'static str = "Withdrawn";
    const PACKAGE: &'static str = "tradewind.bank.v1";
}

tradewind_domain::events! {
    /// What can happen to an account.
    pub enum AccountEvent { Deposited(Deposited), Withdrawn(Withdrawn) }
}

/// The sum of what was paid in and out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub balance: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum Command {
    Deposit(u64),
    Withdraw(u64),
    /// Pays in twice, in two events.
    DepositTwice(u64),
    /// Pays in what is missing to a balance.
    RaiseTo(u64),
}

#[derive(Debug)]
pub struct Overdrawn;

impl std::fmt::Display for Overdrawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is not enough in the account")
    }
}

impl std::error::Error for Overdrawn {}

impl DomainError for Overdrawn {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Rejected
    }

    fn reason(&self) -> &'static str {
        "OVERDRAWN"
    }
}

impl Aggregate for Account {
    const NAME: &'static str = "account";
    type Command = Command;
    type Event = AccountEvent;
    type Error = Overdrawn;

    fn decide(&self, command: Command) -> Result<Vec<AccountEvent>, Overdrawn> {
        match command {
            Command::Deposit(amount) => Ok(vec![Deposited { amount }.into()]),
            Command::DepositTwice(amount) => Ok(vec![Deposited { amount }.into(), Deposited { amount }.into()]),
            Command::Withdraw(amount) if amount > self.balance => Err(Overdrawn),
            Command::Withdraw(amount) => Ok(vec![Withdrawn { amount }.into()]),
            Command::RaiseTo(balance) if balance <= self.balance => Ok(vec![]),
            Command::RaiseTo(balance) => Ok(vec![Deposited { amount: balance - self.balance }.into()]),
        }
    }

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Deposited(Deposited { amount }) => self.balance += amount,
            AccountEvent::Withdrawn(Withdrawn { amount }) => self.balance -= amount,
        }
    }
}

/// A store, and the sequencer that PostgreSQL needs; it ends with the store.
pub struct Bank {
    pub store: Store,
    stop: CancellationToken,
    sequencer: Option<JoinHandle<()>>,
}

impl Bank {
    pub async fn open(database: &Database) -> Self {
        Self::with(options(database, "bank")).await
    }

    /// Its log has one order, on either database.
    pub async fn of_one_partition(database: &Database) -> Self {
        Self::with(StoreOptions { partitions: Some(1), ..options(database, "bank") }).await
    }

    async fn with(options: StoreOptions) -> Self {
        let mut bank = Self::of(options).await;
        let (store, stop) = (bank.store.clone(), bank.stop.clone());
        bank.sequencer = Some(tokio::spawn(async move { store.sequence(stop).await.expect("sequencing") }));
        bank
    }

    pub async fn without_sequencer(database: &Database) -> Self {
        Self::of(options(database, "bank")).await
    }

    async fn of(options: StoreOptions) -> Self {
        let store = Store::open(options).await.expect("an open store");
        Self { store, stop: CancellationToken::new(), sequencer: None }
    }

    /// Runs one command in a transaction of its own, again where that is asked for.
    pub async fn execute(&self, id: &str, command: Command) -> Result<Committed, Error> {
        let done = self.store.transact(async |tx: &mut Tx| tx.execute::<Account>(id, command).await).await;
        done.map(|(_, committed)| committed)
    }

    pub async fn balance(&self, id: &str) -> u64 {
        self.store.load::<Account>(id).await.expect("a loaded account").state.balance
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn options(database: &Database, context: &'static str) -> StoreOptions {
    StoreOptions { url: database.url(), context, migrations: Vec::new(), clock: Clock::system(), partitions: None }
}

/// A statement as it stands, for a store's database.
pub fn query(store: &Store, text: &str) -> Statement {
    Statement::from_string(store.backend(), text)
}
