//! Who is let in, and what it takes to find out.

use std::sync::Arc;

use futures::future::join_all;
use identity::app::{self, LogIn};
use identity::store::{account, session};
use sea_orm::EntityTrait;
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, DAY, PASSWORD, Ways, World, email, home, secret};

both_stores! {
    async fn whatever_does_not_fit_has_one_answer_and_takes_one_hash(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let locked = world.account("locked@example.com").await;
        app::lock_account(&world.means, &locked, None).await.unwrap();
        let erased = world.account("erased@example.com").await;
        app::erase_account(&world.means, &erased, app::Asked::ByOthers(None)).await.unwrap();
        world.sign_up("unverified@example.com", PASSWORD).await.unwrap();
        let staff = world.staff(None).await;
        world.pass(DAY);

        let mut answers = Vec::new();
        for (address, password) in [
            (ADA, "wrong horse battery"),
            ("unknown@example.com", PASSWORD),
            ("locked@example.com", PASSWORD),
            ("locked@example.com", "wrong horse battery"),
            ("erased@example.com", PASSWORD),
            ("unverified@example.com", PASSWORD),
            ("staff@example.com", &staff.one_time_password),
        ] {
            let before = world.means.passwords.hashed();
            let refused = world.log_in(address, password).await.unwrap_err();
            assert_eq!(world.means.passwords.hashed() - before, 1, "{address}");
            answers.push(refused);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(answers[0].reason, "CREDENTIALS_INVALID");
        let before = world.means.passwords.hashed();
        world.log_in(ADA, PASSWORD).await.unwrap();
        assert_eq!(world.means.passwords.hashed() - before, 1);
    }

    async fn a_password_is_hashed_anew_once_it_costs_more(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let kept = async || {
            let row = account::Entity::find_by_id(id.as_str()).one(world.means.store.reader().pool()).await.unwrap();
            row.unwrap().password.0
        };
        assert!(kept().await.contains("m=64,"));
        let dearer = world.replica(&database, Ways { memory: 128, ..Ways::default() }).await;
        dearer.log_in(ADA, PASSWORD).await.unwrap();
        let dear = kept().await;
        assert!(dear.contains("m=128,"), "{dear}");
        world.log_in(ADA, PASSWORD).await.unwrap();
        assert_eq!(kept().await, dear);
    }

    async fn a_password_for_one_use_opens_the_door_to_another(database: Database) {
        let world = World::open(&database).await;
        let staff = world.staff(None).await;
        let once = staff.one_time_password;
        let log_in = async |password: &str, new: Option<&str>| {
            let wanted = LogIn {
                email: email("staff@example.com"),
                password: secret(password),
                device: String::new(),
                new_password: new.map(secret),
                from: home(),
            };
            app::log_in(&world.means, wanted).await.map(|given| given.tokens.unwrap()).map_err(|error| error.reason)
        };
        assert_eq!(log_in(&once, None).await, Err("NEW_PASSWORD_REQUIRED"));
        assert_eq!(log_in(&once, Some(&once)).await, Err("NEW_PASSWORD_REQUIRED"));
        assert_eq!(log_in(&once, Some("short")).await, Err("PASSWORD_TOO_SHORT"));
        let given = log_in(&once, Some(PASSWORD)).await.unwrap();
        assert_eq!(given.account_id, staff.account.unwrap().account_id);
        assert_eq!(log_in(&once, Some("yet another one")).await, Err("CREDENTIALS_INVALID"));
        world.pass(2 * DAY);
        log_in(PASSWORD, None).await.unwrap();
    }

    async fn an_account_is_signed_in_at_so_many_places_and_no_more(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let first = world.log_in(ADA, PASSWORD).await.unwrap();
        world.pass(std::time::Duration::from_secs(1));
        let mut second = world.log_in(ADA, PASSWORD).await.unwrap();
        for _ in 0..31 {
            world.pass(std::time::Duration::from_secs(1));
            world.log_in(ADA, PASSWORD).await.unwrap();
            second = world.refresh(&second.refresh_token).await.unwrap();
        }
        let sessions = app::list_sessions(&world.means, &id).await.unwrap().sessions;
        assert_eq!(sessions.len(), 32);
        assert!(sessions.iter().any(|session| session.session_id == second.session_id));
        assert_eq!(world.refresh(&first.refresh_token).await, Err("REFRESH_TOKEN_INVALID"));
        let newest = &sessions[0];
        assert_eq!((newest.device.as_str(), newest.address.as_str()), ("laptop", "192.0.2.7"));
    }

    async fn who_is_locked_or_has_another_password_while_theirs_is_looked_at_is_not_let_in(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let other = world.replica(&database, Ways::default()).await;
        for meanwhile in ["locked", "changed", "erased"] {
            let paused = world.pause().await;
            let means = Arc::clone(&world.means);
            let entering = tokio::spawn(async move {
                let (email, password) = (email(ADA), secret(PASSWORD));
                let wanted = LogIn { email, password, device: String::new(), new_password: None, from: home() };
                app::log_in(&means, wanted).await.map(drop)
            });
            world.sees_waiting(1).await;
            match meanwhile {
                "locked" => drop(app::lock_account(&other.means, &id, None).await.unwrap()),
                "changed" => {
                    let (old, new) = (secret(PASSWORD), secret("another password"));
                    app::change_password(&other.means, &id, None, (&old, &new), home()).await.unwrap();
                }
                _ => drop(app::erase_account(&other.means, &id, app::Asked::ByOthers(None)).await.unwrap()),
            }
            drop(paused);
            assert_eq!(entering.await.unwrap().unwrap_err().reason, "CREDENTIALS_INVALID", "{meanwhile}");
            if meanwhile == "locked" {
                app::unlock_account(&other.means, &id, None).await.unwrap();
            }
            if meanwhile == "changed" {
                let (old, new) = (secret("another password"), secret(PASSWORD));
                app::change_password(&other.means, &id, None, (&old, &new), home()).await.unwrap();
            }
        }
        let left = session::Entity::find().all(world.means.store.reader().pool()).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }

    async fn a_password_for_one_use_is_used_once_however_many_use_it_at_once(database: Database) {
        let world = World::open(&database).await;
        let once = world.staff(None).await.one_time_password;
        let entering = (0..8).map(|number| {
            let wanted = LogIn {
                email: email("staff@example.com"),
                password: secret(&once),
                device: String::new(),
                new_password: Some(secret(&format!("{PASSWORD} {number}"))),
                from: home(),
            };
            let means = Arc::clone(&world.means);
            tokio::spawn(async move { app::log_in(&means, wanted).await.is_ok() })
        });
        let entered = join_all(entering.collect::<Vec<_>>()).await;
        assert_eq!(entered.into_iter().filter(|entered| *entered.as_ref().unwrap()).count(), 1);
    }
}
