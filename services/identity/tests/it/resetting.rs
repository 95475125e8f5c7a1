//! Other passwords.

use std::time::Duration;

use identity::app;
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, PASSWORD, Told, World, email, home, secret};

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
            let done = app::reset_password(&world.means, ticket, &said.code, &password).await;
            done.map(drop).map_err(|error| error.reason)
        };
        assert_eq!(reset("elsewhere", NEW).await, Err("CODE_INVALID"));
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
            let reset = app::reset_password(&world.means, &asked.reset_id, code, &secret(NEW)).await;
            assert_eq!(reset.unwrap_err().reason, "CODE_INVALID");
        }
        assert!(world.events().await.is_empty());
    }

    async fn a_code_for_one_thing_is_of_no_use_for_another(database: Database) {
        let world = World::open(&database).await;
        let ticket = world.sign_up(ADA, PASSWORD).await.unwrap();
        let code = world.code(ADA).await;
        let reset = app::reset_password(&world.means, &ticket, &code, &secret(NEW)).await;
        assert_eq!(reset.unwrap_err().reason, "CODE_INVALID");
        app::verify_email(&world.means, &ticket, &code).await.unwrap();
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
}
