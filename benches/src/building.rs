//! Building a read model anew from the log: the list of orders, and a second one in the same pass, beside a plain copy of the
//! list's rows.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use contracts::tradewind::ordering::v1::{Address, Recipient};
use futures::future::BoxFuture;
use ordering::domain::{Command, Line, Order, Place};
use ordering::store::listed_order;
use prost_types::Timestamp;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, DbErr, EntityTrait as _, IntoActiveModel, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Statement, TransactionTrait as _,
};
use sea_orm_migration::prelude::{Table as New, async_trait};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tradewind_domain::{Error, Money, OrderId};
use tradewind_events::{LogSource, Logs};
use tradewind_projections::{Projection, Slot, Table, build, create_in, follow, read, rebuild, standings};
use tradewind_replicas::Seat;
use tradewind_sql::columns::{key, number};
use tradewind_store::{Clock, LogPage, Store, StoreOptions};
use tradewind_testing::Database;

use crate::load::per_second;
use crate::machine::connect;
use crate::report::{Bound, Figure};

/// Orders that are taken in one transaction while the log is filled.
const AT_ONCE: usize = 64;
/// Rows of a plain copy in one transaction, as many as events of a pass.
const BATCH: u64 = 512;
/// Rows a statement.
const ROWS: usize = 32;
/// Each is built so often, in turn with the other.
const ROUNDS: u32 = 2;
const LOOK: Duration = Duration::from_millis(5);
const BUILT_WITHIN: Duration = Duration::from_secs(900);

/// The list of orders.
pub(crate) const ORDERS: &str = "ordering.orders";
const PROGRESS: &str = "bench.progress";
const COPY: &str = "the copy's";

/// How far each order is, and since when.
#[expect(unreachable_pub, reason = "what sea-orm derives is public")]
mod progress {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "progress")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub order_id: String,
        pub status: i64,
        pub version: i64,
        pub since: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

static PUT: LazyLock<Table<progress::Entity>> = LazyLock::new(|| Table::replacing([progress::Column::OrderId]));

fn progress() -> Projection {
    Projection::new(PROGRESS, 1).table::<progress::Entity>().showing::<Order>(|writer, id, order| {
        let version = i64::try_from(order.version).map_err(Error::internal)?;
        let (status, since) = (i64::from(i32::from(order.state.status())), order.updated.unix_timestamp());
        writer.put(&PUT, progress::Model { order_id: id.to_owned(), status, version, since });
        Ok(())
    })
}

struct CreateProgress;

impl MigrationName for CreateProgress {
    fn name(&self) -> &str {
        "bench_0001_create_progress"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateProgress {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for slot in [Slot::First, Slot::Second] {
            let mut table = New::create();
            table
                .col(key(schema, "order_id").primary_key())
                .col(number("status"))
                .col(number("version"))
                .col(number("since"));
            create_in(schema, slot, "progress", table, Vec::new()).await?;
        }
        Ok(())
    }
}

/// Nobody else's log is read.
pub(crate) struct NoOthers;

impl LogSource for NoOthers {
    fn read_log(&self, context: &str, _: u16, _: u64, _: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let error = Error::unavailable("NOBODY", format!("there is no {context}"));
        Box::pin(async { Err(error) })
    }
}

/// Events a second that a list of so many orders is built with, what a second one adds, and rows a second of a plain copy.
pub(crate) async fn figures(database: &Database, on: &'static str, orders: u32) -> Result<Vec<Figure>> {
    let store = open(database).await?;
    let stop = CancellationToken::new();
    let (sequencing, end) = (store.clone(), stop.clone());
    let _sequencing = spawn(async move { sequencing.sequence(end).await });
    let events = fill(&store, orders).await?;
    // As it stands in a shop that is not of today.
    connect(&database.url()).await?.execute_unprepared("ANALYZE").await?;
    let _building = builder(&store, &stop);

    let (mut one, mut both, mut copy) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        one += built(&store, &[ORDERS]).await?;
        both += built(&store, &[ORDERS, PROGRESS]).await?;
        copy += copied(&store, &database.url(), orders).await?;
    }
    let a_second = |count: u64, took: Duration| -> Result<f64> { Ok(f64::from(ROUNDS) * per_second(count, took)?) };
    let (events_a_second, rows_a_second) = (a_second(events, one)?, a_second(orders.into(), copy)?);
    let figure = |what: &str, value, unit| Figure::new(what, Some(on), value, unit);
    Ok(vec![
        figure("a plain copy of a view's rows", rows_a_second, "rows/s"),
        figure("a view built from the log", events_a_second, "events/s").against(
            rows_a_second,
            COPY,
            Bound::AtLeast(0.5),
        ),
        figure("one view, seconds", (one / ROUNDS).as_secs_f64(), "s"),
        figure("what a second one in the pass adds", (both.saturating_sub(one) / ROUNDS).as_secs_f64(), "s").against(
            (one / ROUNDS).as_secs_f64(),
            "the first's",
            Bound::AtMost(0.4),
        ),
    ])
}

/// The store of orders, as their service has it, with a table more.
pub(crate) async fn open(database: &Database) -> Result<Store> {
    let mut migrations = ordering::migrations();
    migrations.push(Box::new(CreateProgress));
    let options =
        StoreOptions { url: database.url(), context: "ordering", migrations, clock: Clock::system(), partitions: None };
    Ok(Store::open(options).await?)
}

/// Fills the log with orders that were delivered, as their service would have written them; how many events.
async fn fill(store: &Store, orders: u32) -> Result<u64> {
    let ids: Vec<_> = (0..orders).map(|_| OrderId::generate().to_string()).collect();
    for (index, some) in ids.chunks(AT_ONCE).enumerate() {
        let mut tx = store.begin().await?;
        for step in 0..6 {
            for id in some {
                tx.execute::<Order>(id, command(step, id, index)?).await?;
            }
        }
        tx.commit().await?;
    }
    let nothing = store.begin().await?.commit().await?;
    // It is told once the log has everything.
    store.token(&nothing).await?;
    Ok(store.heads().await?.positions.iter().sum())
}

/// What happens to an order as its `step`, from 0: it is placed, and delivered at last.
pub(crate) fn command(step: usize, id: &str, customer: usize) -> Result<Command> {
    let tracking = || "TW000000011".to_owned();
    Ok(match step {
        0 => Command::Place(Box::new(place(id, customer)?)),
        1 => Command::ConfirmStock,
        2 => Command::RecordPayment,
        3 => Command::ConfirmShipment { tracking: tracking() },
        4 => Command::Ship { tracking: tracking() },
        _ => Command::Deliver,
    })
}

fn place(id: &str, customer: usize) -> Result<Place> {
    let line = |product: &str, quantity, minor| {
        let (product_id, sku) = (product.to_owned(), product.to_uppercase());
        Ok::<_, anyhow::Error>(Line {
            product_id,
            sku,
            name: String::new(),
            quantity,
            unit_price: Money::new("EUR", minor)?,
        })
    };
    let address = Address {
        line1: "Lange Straße 12".to_owned(),
        city: "Bremen".to_owned(),
        postal_code: "28195".to_owned(),
        country: "DE".to_owned(),
    };
    Ok(Place {
        order_id: id.to_owned(),
        customer_id: format!("customer-{customer}"),
        recipient: Recipient {
            name: "A. Customer".to_owned(),
            email: "customer@example.org".to_owned(),
            address: Some(address),
        },
        lines: vec![line("green-tea", 2, 450)?, line("blue-mug", 1, 700)?],
        expected_total: None,
        payment_token: "tok_ok".to_owned().into(),
        deadline: Timestamp { seconds: 4_000_000_000, nanos: 0 },
        ..Place::default()
    })
}

type Task = AbortOnDropHandle<Result<(), Error>>;

fn spawn(task: impl Future<Output = Result<(), Error>> + Send + 'static) -> Task {
    AbortOnDropHandle::new(tokio::spawn(task))
}

/// What builds both, as a service has it.
fn builder(store: &Store, stop: &CancellationToken) -> [Task; 3] {
    let projections: Arc<[_]> = [ordering::order_list(), progress()].into();
    let (seat, members) = Seat::new(store.clone(), "bench".into());
    let (serves, _) = watch::channel(None);
    let logs = Logs::new(store.clone(), Arc::new(NoOthers));
    [
        spawn(seat.keep(stop.clone(), stop.clone())),
        spawn(follow(store.clone(), Arc::clone(&projections), serves, stop.clone())),
        spawn(build(store.clone(), logs, members, projections, Duration::ZERO, stop.clone())),
    ]
}

/// Has these built, and waits until all are read; how long it took.
async fn built(store: &Store, names: &[&str]) -> Result<Duration> {
    tokio::time::timeout(BUILT_WITHIN, async {
        let mut before = Vec::new();
        while standings(store).await?.len() < 2 {
            sleep(LOOK).await;
        }
        for name in names {
            before.push(read(store, name).await?);
        }
        let started = Instant::now();
        let mut tx = store.begin().await?;
        for name in names {
            ensure!(rebuild(&mut tx, name).await?, "there is no {name}");
        }
        tx.commit().await?;
        for (name, before) in names.iter().zip(before) {
            while read(store, name).await? == before {
                sleep(LOOK).await;
            }
        }
        Ok(started.elapsed())
    })
    .await
    .context("it is not built")?
}

/// Copies the rows of the list into the slot that is not read, page by page; how long it took.
async fn copied(store: &Store, url: &str, orders: u32) -> Result<Duration> {
    let from = read(store, ORDERS).await?;
    let to = from.other().table("order_list");
    let database = connect(url).await?;
    tradewind_sql::empty(&database, to.clone()).await?;
    let (started, mut last, mut copied) = (Instant::now(), String::new(), 0);
    loop {
        let rows = from.select(listed_order::Entity::find().order_by_asc(listed_order::Column::OrderId));
        let rows = rows.filter(listed_order::Column::OrderId.gt(last)).limit(BATCH).all(&database).await?;
        let Some(end) = rows.last() else { break };
        last = end.order_id.clone();
        copied += rows.len();
        let transaction = database.begin().await?;
        for some in rows.chunks(ROWS) {
            transaction.execute_raw(insert(database.get_database_backend(), &to, some)).await?;
        }
        tradewind_sql::commit(&database, transaction).await?;
    }
    let took = started.elapsed();
    database.close().await?;
    ensure!(copied == usize::try_from(orders)?, "{copied} rows were copied");
    Ok(took)
}

fn insert(backend: DbBackend, table: &str, rows: &[listed_order::Model]) -> Statement {
    let rows = rows.iter().cloned().map(IntoActiveModel::into_active_model);
    backend.build(listed_order::Entity::insert_many(rows).into_query().into_table(table.to_owned()))
}
