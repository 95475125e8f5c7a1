//! Other passwords.

use std::sync::Arc;
use std::time::Duration;

use identity::app;
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, PASSWORD, Told, Ways, World, email, home, secret};

const NEW: &str = "another password";

both_stores! {
    async fn who_has_forgotten_a_password_sets_another_by_a_code(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let signed_in = world.log_in(ADA, PASSWORD).await.unwrap();
        world.pass(Duration::from_secs(1));
        let asked = app::request_password_reset(&world.means, &email(ADA), home()).await.unwrap();
        let Told::Reset(said) = world.sees_told(ADA, 2).await.pop().unwrap() else { panic!("no reset") };
        let reset = async |ticket: &str, password: &str| {
            let password = secret(password);
            let done = app::reset_password(&world.means, ticket, &said.code, &password, home()).await;
            done.map(drop).map_err(|error| error.reason)
        };
        assert_eq!(reset("elsewhere", NEW).await, Err("CODE_INVALID"));
        for _ in 0..6 {
            assert_eq!(reset(&asked.reset_id, "short").await, Err("PASSWORD_TOO_SHORT"));
        }
        assert_eq!(reset(&asked.reset_id, "password").await, Err("PASSWORD_TOO_COMMON"));
        world.pass(Duration::from_secs(1));
        assert_eq!(reset(&asked.reset_id, NEW).await, Ok(()));
        assert_eq!(reset(&asked.reset_id, "a third password").await, Err("CODE_INVALID"));

        assert_eq!(world.refresh(&signed_in.refresh_token).await, Err("REFRESH_TOKEN_INVALID"));
        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap_err().reason, "CREDENTIALS_INVALID");
        world.log_in(ADA, NEW).await.unwrap();
        let told = world.sees_told(ADA, 3).await;
        assert!(matches!(&told[2], Told::Changed(_)), "{told:?}");
    }

    async fn nobody_is_told_that_an_address_has_no_account(database: Database) {
        let world = World::open(&database).await;
        let asked = app::request_password_reset(&world.means, &email(ADA), home()).await.unwrap();
        assert_eq!(asked.reset_id.len(), 43);
        for code in ["00000000", ""] {
            let reset = app::reset_password(&world.means, &asked.reset_id, code, &secret(NEW), home()).await;
            assert_eq!(reset.unwrap_err().reason, "CODE_INVALID");
        }
        assert!(world.events().await.is_empty());
    }

    async fn a_code_for_one_thing_is_of_no_use_for_another(database: Database) {
        let world = World::open(&database).await;
        let ticket = world.sign_up(ADA, PASSWORD).await.unwrap();
        let code = world.code(ADA).await;
        let reset = app::reset_password(&world.means, &ticket, &code, &secret(NEW), home()).await;
        assert_eq!(reset.unwrap_err().reason, "CODE_INVALID");
        app::verify_email(&world.means, &ticket, &code, home()).await.unwrap();
    }

    async fn who_knows_a_password_changes_it_and_stays(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let (here, there) = (world.log_in(ADA, PASSWORD).await.unwrap(), world.log_in(ADA, PASSWORD).await.unwrap());
        let change = async |current: &str, new: &str| {
            let (current, new) = (secret(current), secret(new));
            let session = Some(here.session_id.as_str());
            let changed = app::change_password(&world.means, &id, session, (&current, &new), home()).await;
            changed.map(drop).map_err(|error| error.reason)
        };
        assert_eq!(change("wrong horse battery", NEW).await, Err("PASSWORD_WRONG"));
        assert_eq!(change(PASSWORD, ADA).await, Err("PASSWORD_IS_EMAIL"));
        assert_eq!(change(PASSWORD, NEW).await, Ok(()));
        world.refresh(&here.refresh_token).await.unwrap();
        assert_eq!(world.refresh(&there.refresh_token).await, Err("REFRESH_TOKEN_INVALID"));
        for _ in 0..9 {
            assert_eq!(change(PASSWORD, NEW).await, Err("PASSWORD_WRONG"));
        }
        assert_eq!(change(NEW, PASSWORD).await, Err("TOO_MANY_ATTEMPTS"));
    }

    async fn a_password_that_is_reset_meanwhile_is_not_overwritten_nor_proves_anything(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let other = world.replica(&database, Ways::default()).await;
        let code = async || {
            world.pass(Duration::from_secs(1));
            let asked = app::request_password_reset(&world.means, &email(ADA), home()).await.unwrap();
            (asked.reset_id, world.code(ADA).await)
        };
        let reset = async |(ticket, code): (String, String), password: &str| {
            app::reset_password(&other.means, &ticket, &code, &secret(password), home()).await.unwrap();
        };

        let asked = code().await;
        let paused = world.pause().await;
        let means = Arc::clone(&world.means);
        let changing = tokio::spawn({
            let id = id.clone();
            async move {
                let passwords = (&secret(PASSWORD), &secret("the password of a thief"));
                app::change_password(&means, &id, None, passwords, home()).await.map(drop)
            }
        });
        world.sees_waiting(1).await;
        reset(asked, NEW).await;
        drop(paused);
        assert_eq!(changing.await.unwrap().unwrap_err().reason, "PASSWORD_WRONG");

        let asked = code().await;
        let paused = world.pause().await;
        let means = Arc::clone(&world.means);
        let erasing = tokio::spawn({
            let id = id.clone();
            async move { app::erase_account(&means, &id, app::Asked::ByOwner(&secret(NEW), home())).await.map(drop) }
        });
        world.sees_waiting(1).await;
        reset(asked, PASSWORD).await;
        drop(paused);
        assert_eq!(erasing.await.unwrap().unwrap_err().reason, "PASSWORD_WRONG");
        world.log_in(ADA, PASSWORD).await.unwrap();
    }

    async fn a_password_that_is_set_outlives_every_code_that_was_sent_before(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let mut codes = Vec::new();
        for _ in 0..3 {
            world.pass(Duration::from_secs(1));
            let asked = app::request_password_reset(&world.means, &email(ADA), home()).await.unwrap();
            codes.push((asked.reset_id, world.code(ADA).await));
        }
        let reset = async |(ticket, code): &(String, String), password: &str| {
            let done = app::reset_password(&world.means, ticket, code, &secret(password), home()).await;
            done.map(drop).map_err(|error| error.reason)
        };
        assert_eq!(reset(&codes[0], NEW).await, Ok(()));
        assert_eq!(reset(&codes[1], PASSWORD).await, Err("CODE_INVALID"));

        world.pass(Duration::from_secs(1));
        let asked = app::request_password_reset(&world.means, &email(ADA), home()).await.unwrap();
        let late = (asked.reset_id, world.code(ADA).await);
        let passwords = (&secret(NEW), &secret(PASSWORD));
        app::change_password(&world.means, &id, None, passwords, home()).await.unwrap();
        assert_eq!(reset(&late, NEW).await, Err("CODE_INVALID"));
        world.log_in(ADA, PASSWORD).await.unwrap();
    }
}
