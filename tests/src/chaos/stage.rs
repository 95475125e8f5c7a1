//! What a cell is played upon: a shop, what it stands on, and what is done to both while orders flow.

use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement};
use serde_json::json;
use supervisor::services;
use tradewind_fault::Point;
use tradewind_store::LOG_WENT_BACK;
use tradewind_testing::{Postgres, eventually};

use super::dice::Dice;
use super::fault::{Fault, Instruction, Kill, Mangling};
use super::matrix::cells;
use super::orders::{WAVE, WAVES};
use super::staff::Staff;
use super::{PATIENCE, broker, calls};
use crate::shop::Shop;

/// One service that was killed in so many is killed again, or another is.
const TWICE: u64 = 3;
/// How long nobody can write, a database stands still, or calls misbehave: longer than anybody waits for a lock.
const STANDSTILL: Duration = Duration::from_secs(6);
/// One transaction in four that appends is overtaken by more ids than a sequencer looks back, and some of those for long.
const STALL: &str = "CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (NEW.id + {seed}) % 4 = 0 THEN
            PERFORM nextval(pg_get_serial_sequence('outbox', 'id')) FROM generate_series(1, 300);
            PERFORM pg_sleep((NEW.id + {seed}) % 7 * 0.1);
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER stalled AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION stall()";

/// A shop and what it stands on. Its databases are kept beside the logs when a cell fails.
pub(super) struct Stage<'a> {
    pub(super) shop: Shop,
    pub(super) server: Option<Postgres>,
    pub(super) folder: &'a Path,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_databases();
        }
    }
}

impl Stage<'_> {
    /// Does to the shop what the cell is about, once orders flow.
    pub(super) async fn strike(&mut self, fault: &Fault, staff: &Staff, dice: &mut Dice) {
        match fault {
            Fault::Kill { service, point, among } => self.kill(staff, dice, service, *point, among).await,
            Fault::Broker { wave, wiped } => {
                after_wave(*wave, dice).await;
                tokio::task::block_in_place(|| self.shop.nats.stop());
                tokio::time::sleep(Duration::from_millis(dice.within(0..1_500))).await;
                tokio::task::block_in_place(|| {
                    if *wiped {
                        self.shop.nats.wipe();
                    }
                    self.shop.nats.start_again();
                });
            }
            Fault::Deleted => {
                let readers = services::readers();
                for wave in 0..=WAVES {
                    let reader = dice.choose(&readers);
                    staff.member(reader).kill();
                    broker::delete_messages(&self.shop, dice).await;
                    after_wave(usize::from(wave > 0), dice).await;
                }
            }
            Fault::Locked { service } => {
                after_wave(1, dice).await;
                self.lock(service).await;
            }
            Fault::Paused => {
                after_wave(1, dice).await;
                let paused = self.server().pause();
                tokio::time::sleep(STANDSTILL).await;
                drop(paused);
            }
            Fault::Crashed => {
                after_wave(1, dice).await;
                tokio::task::block_in_place(|| self.server().stop());
                tokio::time::sleep(Duration::from_millis(dice.within(0..1_500))).await;
                tokio::task::block_in_place(|| self.server().start_again());
            }
            Fault::WentBack { service, read_by_others } => {
                after_wave(1, dice).await;
                tokio::task::block_in_place(|| self.server().keep_copy());
                if *read_by_others {
                    self.grows(service, "log", async || ()).await;
                } else {
                    after_wave(1, dice).await;
                }
                tokio::task::block_in_place(|| self.server().go_back());
                if *read_by_others {
                    self.put_right(service, staff).await;
                }
            }
            Fault::Stalled => self.stall(dice.roll()).await,
            Fault::Messages(mangling) => {
                let seeds: Vec<_> = services::names().iter().map(|_| dice.roll()).collect();
                for (service, seed) in services::names().iter().zip(seeds) {
                    staff.member(service).tell(&Instruction::Mangle(Mangling { seed, ..*mangling })).await;
                }
            }
            Fault::Silence { service } => {
                after_wave(1, dice).await;
                let mangling = Mangling { lost: 100, ..Mangling::default() };
                staff.member(service).tell(&Instruction::Mangle(mangling)).await;
            }
            Fault::Calls(misbehaviour) => {
                calls::misbehave(&self.shop.operator, *misbehaviour).await;
                tokio::time::sleep(STANDSTILL).await;
                let misbehaved = calls::behave(&self.shop.operator).await;
                assert!(misbehaved > 0, "no call misbehaved");
            }
        }
    }

    /// Has a service kill itself, and perhaps one more thing happen then.
    async fn kill(&self, staff: &Staff, dice: &mut Dice, service: &str, point: Point, among: &[&str]) {
        let first = kill_at(dice, point, among);
        let again = dice.once_in(TWICE).then(|| {
            let boundaries: Vec<_> = cells().into_iter().map(|cell| cell.fault).collect();
            let kills: Vec<_> = boundaries.iter().filter(|fault| matches!(fault, Fault::Kill { .. })).collect();
            (*dice.choose(&kills)).clone()
        });
        if point == Point::IntentCalling {
            let slow = json!({ "latency_ms": 150 });
            self.shop.outside.misbehave(&json!({ "card": slow, "carrier": slow, "mail": slow })).await;
        }
        staff.member(service).tell(&Instruction::Kill(first)).await;
        if let Some(Fault::Kill { service: next, point, among }) = again {
            let second = kill_at(dice, point, among);
            staff.member(service).died(1, WAVE * u32::try_from(WAVES).unwrap()).await;
            staff.member(next).tell(&Instruction::Kill(second)).await;
        }
    }

    /// Keeps everybody else from writing the database of a service.
    async fn lock(&self, service: &str) {
        let database = tradewind_sql::connect(&self.shop.database_url(service)).await.unwrap();
        let run = async |sql| database.execute_raw(Statement::from_string(database.get_database_backend(), sql)).await;
        eventually(PATIENCE, "the database is locked", async || run("BEGIN IMMEDIATE").await).await;
        tokio::time::sleep(STANDSTILL).await;
        run("ROLLBACK").await.unwrap();
    }

    fn server(&mut self) -> &mut Postgres {
        self.server.as_mut().expect("a server of its own")
    }

    /// Waits until a table of a service's database has more rows than it has now, once `meanwhile` is done.
    async fn grows(&self, service: &str, table: &str, meanwhile: impl AsyncFnOnce()) {
        let database = tradewind_sql::connect(&self.shop.database_url(service)).await.unwrap();
        let count = format!("SELECT COUNT(*) AS rows FROM {table}");
        let count = Statement::from_string(database.get_database_backend(), count);
        let rows = async || -> Result<i64, DbErr> {
            database.query_one_raw(count.clone()).await?.map_or(Ok(0), |row| row.try_get("", "rows"))
        };
        let before = eventually(PATIENCE, &format!("{table} of {service} can be read"), rows).await;
        meanwhile().await;
        eventually(PATIENCE, &format!("{table} of {service} grows"), async || match rows().await {
            Ok(now) if now > before => Ok(()),
            other => Err(format!("{other:?} after {before}")),
        })
        .await;
    }

    /// Sees a service stop because its database lost commits, and puts the better copy in place: what was there before.
    async fn put_right(&mut self, service: &str, staff: &Staff) {
        staff.member(service).stops_for(LOG_WENT_BACK).await;
        tokio::task::block_in_place(|| self.server().stop());
        // What it remembers of the worse copy goes with it.
        kill_all(staff, &[service]).await;
        tokio::task::block_in_place(|| self.server().come_forward());
        staff.member(service).ready().await;
        // Those who read its log may have stopped before it.
        kill_all(staff, &services::names()).await;
    }

    /// Has some events wait before their COMMIT, from now on, while ids go on as if much else were appended.
    async fn stall(&self, seed: u64) {
        for service in services::names() {
            let database = tradewind_sql::connect(&self.shop.database_url(service)).await.unwrap();
            eventually(PATIENCE, "some commits stand still", async || {
                database.execute_unprepared(&STALL.replace("{seed}", &(seed % 1_000).to_string())).await
            })
            .await;
        }
    }

    /// Lets a reader handle again what it has handled, and returns when it has: this must be found.
    pub(super) async fn forge(&self, staff: &Staff) {
        let database = tradewind_sql::connect(&self.shop.database_url("notification")).await.unwrap();
        let forget = "DELETE FROM cursor WHERE consumer = 'notification'";
        self.grows("notification", "journal", async || {
            eventually(PATIENCE, "the cursors are gone", async || database.execute_unprepared(forget).await).await;
            kill_all(staff, &["notification"]).await;
            staff.ready().await;
        })
        .await;
    }

    /// Copies the databases that are files beside the logs.
    fn keep_databases(&self) {
        for name in services::names() {
            let url = self.shop.database_url(name);
            let Some(file) = tradewind_sql::sqlite_file(&url) else { continue };
            let file = file.display();
            for suffix in ["", "-wal"] {
                // Where there is none, there is none to look at.
                let _ = std::fs::copy(format!("{file}{suffix}"), self.folder.join(format!("{name}.sqlite{suffix}")));
            }
        }
    }
}

/// Waits until so many waves of orders have begun, and a little longer.
async fn after_wave(wave: usize, dice: &mut Dice) {
    let since = WAVE * u32::try_from(wave).unwrap();
    tokio::time::sleep(since + Duration::from_millis(dice.within(0..600))).await;
}

fn kill_at(dice: &mut Dice, point: Point, among: &[&str]) -> Kill {
    let hits = match point {
        Point::TimerFired => 1,
        Point::RequestUncommitted | Point::RequestCommitted | Point::Reacted => 2,
        _ => 4,
    };
    let after_ms = match point {
        Point::PublishSent => dice.within(0..5),
        Point::IntentCalling => dice.within(20..200),
        _ => 0,
    };
    let hit = u32::try_from(dice.within(1..hits + 1)).unwrap();
    let among = among.iter().map(|name| (*name).to_owned()).collect();
    Kill { point: point.name().to_owned(), among, hit, after_ms }
}

/// Kills services, and returns when each has been.
async fn kill_all(staff: &Staff, services: &[&str]) {
    for member in services.iter().map(|service| staff.member(service)) {
        let deaths = member.deaths();
        member.kill();
        member.died(deaths + 1, PATIENCE).await;
    }
}
