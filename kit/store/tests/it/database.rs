//! Opening: what is fixed at birth, whose database it is, the service's own tables.

use std::sync::LazyLock;

use sea_orm::sea_query::{Expr, Func, OnConflict, Table};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, Value};
use sea_orm_migration::prelude::async_trait;
use sea_orm_migration::schema::text;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use tradewind_domain::ErrorKind;
use tradewind_sql::{Id, Listed, Script, columns, db, page};
use tradewind_store::{Store, StoreOptions, Upsert, VERSION_CONFLICT};
use tradewind_testing::{
    Database,
    account::{Account, Bank, Command, options, query},
};
use uuid::Uuid;

struct CreateNote;

impl MigrationName for CreateNote {
    fn name(&self) -> &str {
        "bank_0001_create_note"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateNote {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let create = "CREATE TABLE note (id BIGINT NOT NULL PRIMARY KEY)";
        manager.get_connection().execute_unprepared(create).await.map(drop)
    }
}

/// Adds a column of its own name.
struct AddColumn(&'static str);

impl MigrationName for AddColumn {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddColumn {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = format!("ALTER TABLE note ADD COLUMN {} TEXT", self.0);
        manager.get_connection().execute_unprepared(&add).await.map(drop)
    }
}

#[expect(unreachable_pub, reason = "what sea-orm derives is public")]
mod parked_car {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "parked_car")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: String,
        pub car: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

struct CreateParkedCar;

impl MigrationName for CreateParkedCar {
    fn name(&self) -> &str {
        "bank_0001_create_parked_car"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateParkedCar {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table.table(parked_car::Entity).col(columns::key(schema, "place").primary_key()).col(text("car"));
        columns::create_clustered(schema, table).await
    }
}

fn with_cars(database: &Database) -> StoreOptions {
    StoreOptions { migrations: vec![Box::new(CreateParkedCar)], ..options(database, "bank") }
}

fn with_notes(database: &Database) -> StoreOptions {
    StoreOptions { migrations: vec![Box::new(CreateNote)], ..options(database, "bank") }
}

tradewind_testing::both_stores! {
    async fn reopening_keeps_the_log_and_its_identity(database: Database) {
        let first = Bank::open(&database).await;
        first.execute("a", Command::Deposit(1)).await.unwrap();
        let again = Bank::open(&database).await;
        assert_eq!(again.store.incarnation(), first.store.incarnation());
        assert_eq!(again.store.partitions(), first.store.partitions());
        assert_eq!(again.balance("a").await, 1);
    }

    async fn the_number_of_partitions_is_fixed_at_birth(database: Database) {
        let born = Store::open(StoreOptions { partitions: Some(3), ..options(&database, "bank") }).await.unwrap();
        assert_eq!(born.partitions(), 3);
        assert_eq!(Store::open(options(&database, "bank")).await.unwrap().partitions(), 3);
    }

    async fn a_number_of_partitions_that_no_log_has_is_invalid(database: Database) {
        for partitions in [0, 17] {
            let refused = Store::open(StoreOptions { partitions: Some(partitions), ..options(&database, "bank") }).await;
            assert_eq!(refused.err().unwrap().reason, "PARTITIONS_INVALID");
        }
        assert_eq!(Bank::open(&database).await.balance("a").await, 0);
    }

    async fn another_contexts_database_is_refused_untouched(database: Database) {
        Store::open(options(&database, "bank")).await.unwrap();
        let refused = Store::open(StoreOptions { migrations: vec![Box::new(CreateNote)], ..options(&database, "shop") });
        let error = refused.await.err().unwrap();
        assert_eq!((error.kind, error.reason), (ErrorKind::Rejected, "WRONG_DATABASE"));
        let bank = Store::open(options(&database, "bank")).await.unwrap();
        assert!(bank.reader().query_all_raw(query(&bank, "SELECT id FROM note")).await.is_err());
    }

    async fn a_build_before_passes_over_what_a_later_one_has_added(database: Database) {
        let with = |names: &[&'static str]| {
            let migrations = names.iter().map(|name| Box::new(AddColumn(name)) as Box<dyn MigrationTrait>);
            let own = std::iter::once(Box::new(CreateNote) as Box<dyn MigrationTrait>).chain(migrations).collect();
            StoreOptions { migrations: own, ..options(&database, "bank") }
        };
        let this = Store::open(with(&[])).await.unwrap();
        let later = Store::open(with(&["bank_0002_add_author", "bank_0003_add_place"])).await.unwrap();
        // Rolled back, side by side with the later one, and forward again.
        let back = Store::open(with(&[])).await.unwrap();
        // All of them stay open: an SQLite file that the last one leaves is looked at before it is taken again.
        let stores = [this, back, later];
        for (id, store) in stores.iter().enumerate() {
            let tx = store.begin().await.unwrap();
            tx.conn().execute_unprepared(&format!("INSERT INTO note (id) VALUES ({id})")).await.unwrap();
            tx.commit().await.unwrap();
        }
        Store::open(with(&["bank_0002_add_author", "bank_0003_add_place"])).await.unwrap();

        let error = Store::open(with(&["bank_0003_add_place"])).await.err().unwrap();
        assert_eq!((error.kind, error.reason), (ErrorKind::Rejected, "MIGRATION_UNKNOWN"));
        assert!(error.to_string().contains("bank_0002_add_author"), "{error}");
        drop(stores);
    }

    async fn replicas_may_be_born_together(database: Database) {
        let together = (0..4).map(|_| Store::open(with_notes(&database)));
        let stores = if database.is_postgres() {
            futures::future::try_join_all(together).await.unwrap()
        } else {
            vec![Store::open(with_notes(&database)).await.unwrap()]
        };
        assert!(stores.iter().all(|store| store.incarnation() == stores[0].incarnation()));
    }

    async fn rows_that_are_put_are_written_with_the_commit_in_their_order(database: Database) {
        static PUT: LazyLock<Upsert<parked_car::Entity>> = LazyLock::new(|| {
            let column = |table| Expr::col((table, parked_car::Column::Car));
            let both = Func::cust("CONCAT").arg(column("parked_car")).arg(", ").arg(column("excluded"));
            Upsert::new(OnConflict::column(parked_car::Column::Place).value(parked_car::Column::Car, both).to_owned())
        });
        let store = Store::open(with_cars(&database)).await.unwrap();
        let put = async |cars: &[(&str, &str)]| {
            let mut tx = store.begin().await.unwrap();
            for (place, car) in cars {
                tx.put(&PUT, parked_car::Model { place: (*place).to_owned(), car: (*car).to_owned() });
            }
            tx
        };
        let cars = async || -> Vec<(String, String)> {
            let cars = parked_car::Entity::find().order_by_asc(parked_car::Column::Place).all(store.reader()).await.unwrap();
            cars.into_iter().map(|car| (car.place, car.car)).collect()
        };
        let is = |place: &str, car: &str| (place.to_owned(), car.to_owned());
        drop(put(&[("a", "none")]).await);
        put(&[("a", "one"), ("b", "two"), ("a", "three")]).await.commit().await.unwrap();
        assert_eq!(cars().await, [is("a", "one, three"), is("b", "two")]);

        let mut tx = put(&[("a", "four"), ("c", "five")]).await;
        ["a", "c", "nowhere"].iter().for_each(|place| tx.remove::<parked_car::Entity>(place));
        tx.put(&PUT, parked_car::Model { place: "a".to_owned(), car: "six".to_owned() });
        tx.commit().await.unwrap();
        assert_eq!(cars().await, [is("a", "six"), is("b", "two")]);
    }

    async fn a_row_that_must_be_new_fails_the_commit_for_good_where_one_is_there(database: Database) {
        static ONLY_NEW: LazyLock<Upsert<parked_car::Entity>> = LazyLock::new(Upsert::only_new);
        let store = Store::open(with_cars(&database)).await.unwrap();
        let park = async |car: &str| {
            let mut tx = store.begin().await?;
            tx.execute::<Account>(car, Command::Deposit(1)).await?;
            tx.put(&ONLY_NEW, parked_car::Model { place: "a".to_owned(), car: car.to_owned() });
            tx.commit().await
        };
        store.retry(|| park("first")).await.unwrap();
        let error = store.retry(|| park("second")).await.unwrap_err();
        assert_eq!((error.kind, error.reason), (ErrorKind::AlreadyExists, "DUPLICATE"));
        let there = parked_car::Entity::find().one(store.reader()).await.unwrap().unwrap();
        assert_eq!((there.car.as_str(), store.load::<Account>("second").await.unwrap().version), ("first", 0));
    }

    async fn a_page_ends_where_its_bytes_do(database: Database) {
        static PUT: LazyLock<Upsert<parked_car::Entity>> =
            LazyLock::new(|| Upsert::new(OnConflict::column(parked_car::Column::Place).do_nothing().to_owned()));
        let store = Store::open(with_cars(&database)).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for (place, bytes) in [("a", 1), ("b", 1_300_000), ("c", 600_000), ("d", 600_000), ("e", 3_000_000), ("f", 1)] {
            tx.put(&PUT, parked_car::Model { place: place.to_owned(), car: "x".repeat(bytes) });
        }
        tx.commit().await.unwrap();
        let after = async |place: &str, limit| -> String {
            let rows = parked_car::Entity::find().filter(parked_car::Column::Place.gt(place));
            let rows = rows.order_by_asc(parked_car::Column::Place);
            let page = page(store.reader(), rows, [parked_car::Column::Car], limit).await.unwrap();
            page.into_iter().map(|car| car.place).collect()
        };
        // One more than fits, by which whoever asks finds out that something follows.
        assert_eq!(after("", 10).await, "abcd");
        assert_eq!(after("d", 10).await, "ef");
        assert_eq!(after("", 2).await, "ab");
        assert_eq!(after("f", 10).await, "");
    }

    async fn what_is_created_must_not_exist(database: Database) {
        let bank = Bank::open(&database).await;
        let create = async || {
            let mut tx = bank.store.begin().await?;
            tx.create::<Account>("a", Command::Deposit(1)).await?;
            tx.commit().await
        };
        create().await.unwrap();
        assert_eq!(create().await.unwrap_err().reason, VERSION_CONFLICT);
        assert_eq!(bank.balance("a").await, 1);
    }

    async fn a_services_own_rows_commit_with_its_events(database: Database) {
        let store = Store::open(with_notes(&database)).await.unwrap();
        let write = async |commit: bool| {
            let mut tx = store.begin().await?;
            tx.conn().execute_unprepared("INSERT INTO note VALUES (1)").await.map_err(db)?;
            tx.execute::<Account>("a", Command::Deposit(1)).await?;
            if commit { tx.commit().await.map(drop) } else { Ok(()) }
        };
        write(false).await.unwrap();
        write(true).await.unwrap();
        let error = write(true).await.unwrap_err();
        assert_eq!((error.kind, error.reason), (ErrorKind::AlreadyExists, "DUPLICATE"));
        assert_eq!(store.load::<Account>("a").await.unwrap().version, 1);
    }

    async fn rows_of_every_kind_are_written_as_they_are(database: Database) {
        type Row = (Option<bool>, Option<i64>, Option<String>, Option<Vec<u8>>, Option<Uuid>);
        let store = Store::open(options(&database, "bank")).await.unwrap();
        let some = |text: &str| Some(text.to_owned());
        let rows: [Row; 5] = [
            (Some(true), Some(i64::MIN), some(""), Some(Vec::new()), Some(Uuid::nil())),
            (None, None, None, None, None),
            (Some(false), Some(i64::MAX), some("NULL"), Some((0..=255).collect()), Some(Uuid::max())),
            (None, None, some(r#"\ " \" {a,b} 'c' ,, ä "#), Some(b"\\x\"".to_vec()), None),
            (None, None, some("\"\n\t\\\\"), None, None),
        ];
        let values = |(a, b, c, d, e): Row| [Value::from(a), b.into(), c.into(), d.into(), e.into()];
        let tx = store.begin().await.unwrap();
        let types = if tx.backend() == DbBackend::Sqlite { ["BLOB", "BLOB"] } else { ["BYTEA", "UUID"] };
        let create = format!("CREATE TABLE odd (a BOOLEAN, b BIGINT, c TEXT, d {}, e {})", types[0], types[1]);
        tx.conn().execute_unprepared(&create).await.unwrap();
        let mut script = Script::new(tx.backend());
        script.list(&Listed { before: "INSERT INTO odd ", ..Listed::default() }, rows.iter().cloned().map(values));
        script.run(tx.conn()).await.unwrap();
        let found = tx.conn().query_all_raw(query(&store, "SELECT a, b, c, d, e FROM odd")).await.unwrap();
        let found = found.iter().map(|row| -> Row {
            (row.try_get("", "a").unwrap(), row.try_get("", "b").unwrap(), row.try_get("", "c").unwrap(),
             row.try_get("", "d").unwrap(), row.try_get::<Option<Id>>("", "e").unwrap().map(|Id(id)| id))
        });
        assert_eq!(found.collect::<Vec<_>>(), rows);
    }

    async fn it_answers_when_asked(database: Database) {
        Store::open(options(&database, "bank")).await.unwrap().ping().await.unwrap();
    }
}

#[test]
fn on_postgresql_what_only_reads_before_its_commit_needs_not_begin() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let store = Store::open(with_notes(&database)).await.unwrap();
        // The first one begins, to see whether its connection lives.
        store.begin().await.unwrap().commit().await.unwrap();
        let tx = store.begin().await.unwrap();
        let when = async || {
            let found = tx.read(query(&store, "SELECT CAST(NOW() AS TEXT) AS began")).await.unwrap();
            found[0].try_get::<String>("", "began").unwrap()
        };
        assert_ne!(when().await, when().await);
        tx.conn().execute_unprepared("INSERT INTO note VALUES (1)").await.unwrap();
        assert_eq!(when().await, when().await);
        drop(tx);
        let rows = store.reader().query_all_raw(query(&store, "SELECT id FROM note")).await.unwrap();
        assert!(rows.is_empty(), "what has begun is rolled back");
    });
}

#[test]
fn a_reader_cannot_write() {
    tradewind_testing::block_on(async {
        let database = Database::sqlite();
        let store = Store::open(with_notes(&database)).await.unwrap();
        assert!(store.reader().execute_unprepared("INSERT INTO note VALUES (1)").await.is_err());
    });
}

#[test]
fn an_unknown_database_is_invalid() {
    tradewind_testing::block_on(async {
        let options = StoreOptions { url: "mysql://localhost/x".to_owned(), ..options(&Database::sqlite(), "bank") };
        assert_eq!(Store::open(options).await.err().unwrap().reason, "DATABASE_URL_INVALID");
    });
}
