use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use tradewind_testing::{Database, Postgres, block_on, both_stores};

async fn connect(database: &Database) -> DatabaseConnection {
    let mode = if database.is_postgres() { "" } else { "?mode=rwc" };
    tradewind_sql::connect(&format!("{}{mode}", database.url())).await.unwrap()
}

both_stores! {
    async fn a_database_is_empty_and_writable(database: Database) {
        let connection = connect(&database).await;
        connection.execute_unprepared("CREATE TABLE first (id INT)").await.unwrap();
    }

    async fn databases_share_nothing(database: Database) {
        let other = if database.is_postgres() { Database::postgres() } else { Database::sqlite() };
        for database in [&database, &other] {
            let connection = connect(database).await;
            connection.execute_unprepared("CREATE TABLE first (id INT)").await.unwrap();
        }
    }
}

#[test]
fn a_cluster_recovers_what_was_committed() {
    let mut postgres = Postgres::start_with(&["fsync=off"]);
    let database = postgres.database();
    block_on(async {
        let statement = "CREATE TABLE kept AS SELECT 1 AS id";
        connect(&database).await.execute_unprepared(statement).await.unwrap();
    });
    postgres.stop();
    postgres.start_again();
    block_on(async {
        let statement = "DELETE FROM kept WHERE id = 1";
        let deleted = connect(&database).await.execute_unprepared(statement).await.unwrap();
        assert_eq!(deleted.rows_affected(), 1);
    });
}
