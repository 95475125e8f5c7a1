//! What happens while an account changes elsewhere: whoever comes meanwhile waits, and goes by what it is then. On PostgreSQL, which
//! lets others read and wait; with SQLite one writes at a time.

use std::time::Duration;

use futures::future::{join, join_all};
use identity::app::{self, NewKey};
use identity::domain::Role;
use identity::store::account::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, Statement,
    TransactionTrait,
};
use tradewind_testing::{Database, block_on, eventually};

use crate::world::{ADA, PASSWORD, World};

const DEADLINE: Duration = Duration::from_secs(20);
const GRACE: &str = "grace@example.com";

/// A change of an account that has not been committed.
struct Changing {
    by: DatabaseTransaction,
    /// Sees who waits.
    watch: DatabaseConnection,
}

/// Changes an account, and has not done so yet.
async fn change(database: &Database, account_id: &str, column: Column, to: Expr) -> Changing {
    let [by, watch] = [tradewind_sql::connect(&database.url()).await, tradewind_sql::connect(&database.url()).await];
    let (by, watch) = (by.unwrap().begin().await.unwrap(), watch.unwrap());
    let this = Entity::update_many().col_expr(column, to).filter(Column::AccountId.eq(account_id));
    assert_eq!(this.exec(&by).await.unwrap().rows_affected, 1);
    Changing { by, watch }
}

/// Waits until so many wait for it, and then does it.
async fn commit(Changing { by, watch }: Changing, waiting: i64) {
    let look = "SELECT COUNT(*) AS waiting FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(DEADLINE, "others wait", async || {
        let look = Statement::from_string(watch.get_database_backend(), look);
        let seen: i64 = watch.query_one_raw(look).await.unwrap().unwrap().try_get("", "waiting").unwrap();
        if seen == waiting { Ok(()) } else { Err(seen) }
    })
    .await;
    by.commit().await.unwrap();
}

fn key() -> NewKey {
    let scopes = vec!["ordering.read".to_owned()];
    NewKey { partner_id: "acme".to_owned(), name: "warehouse".to_owned(), scopes, expires: None }
}

#[test]
fn of_two_who_lock_each_other_one_is_locked() {
    block_on(async {
        let database = Database::postgres();
        let world = World::open(&database).await;
        let ids = [world.account(ADA).await, world.account(GRACE).await];
        for id in &ids {
            app::grant_role(&world.means, id, Role::Staff, None).await.unwrap();
        }
        let changing = change(&database, &ids[0], Column::Updated, Expr::value(1_i64)).await;
        let locked = [(&ids[1], &ids[0]), (&ids[0], &ids[1])].map(|(whom, by)| {
            let means = world.means.clone();
            async move { app::lock_account(&means, whom, Some(by)).await.map(drop).map_err(|error| error.reason) }
        });
        let (mut locked, ()) = join(join_all(locked), commit(changing, 2)).await;
        locked.sort_unstable();
        assert_eq!(locked, [Ok(()), Err("ROLE_MISSING")]);
    });
}

#[test]
fn who_loses_a_role_while_they_use_it_has_lost_it() {
    block_on(async {
        let database = Database::postgres();
        let world = World::open(&database).await;
        let (ada, grace) = (world.account(ADA).await, world.account(GRACE).await);
        app::grant_role(&world.means, &ada, Role::Staff, None).await.unwrap();
        let changing = change(&database, &ada, Column::Roles, Expr::value("")).await;
        let by = Some(ada.as_str());
        let used = async {
            let made = async { app::create_partner_key(&world.means, key(), by).await.map(drop) };
            let granted = async { app::grant_role(&world.means, &grace, Role::Staff, by).await.map(drop) };
            join(made, granted).await
        };
        let ((made, granted), ()) = join(used, commit(changing, 2)).await;
        assert_eq!(made.unwrap_err().reason, "ROLE_MISSING");
        assert_eq!(granted.unwrap_err().reason, "ROLE_MISSING");
    });
}

#[test]
fn who_is_locked_while_they_sign_in_is_not_signed_in() {
    block_on(async {
        let database = Database::postgres();
        let world = World::open(&database).await;
        let ada = world.account(ADA).await;
        let changing = change(&database, &ada, Column::Locked, Expr::value(true)).await;
        let (signed_in, ()) = join(world.log_in(ADA, PASSWORD), commit(changing, 1)).await;
        assert_eq!(signed_in.unwrap_err().reason, "CREDENTIALS_INVALID");
        assert!(app::list_sessions(&world.means, &ada).await.unwrap().sessions.is_empty());
    });
}
