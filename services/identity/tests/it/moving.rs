//! Other addresses.

use std::time::Duration;

use identity::app;
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, PASSWORD, Told, World, email, home, secret};

const NEW: &str = "lovelace@example.org";

/// Asks for another address; what goes along with the code.
async fn ask(world: &World, id: &str, new: &str, password: &str) -> Result<String, &'static str> {
    world.pass(Duration::from_secs(1));
    let asked = app::request_email_change(&world.means, id, &email(new), &secret(password), home()).await;
    asked.map(|asked| asked.change_id).map_err(|error| error.reason)
}

async fn change(
    world: &World,
    id: &str,
    session: Option<&str>,
    ticket: &str,
    code: &str,
) -> Result<String, &'static str> {
    let changed = app::change_email(&world.means, id, session, (ticket, code)).await;
    changed.map(|changed| changed.profile.unwrap().email).map_err(|error| error.reason)
}

both_stores! {
    async fn an_account_has_the_address_that_its_owner_shows_to_be_theirs(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let (here, there) = (world.log_in(ADA, PASSWORD).await.unwrap(), world.log_in(ADA, PASSWORD).await.unwrap());
        assert_eq!(ask(&world, &id, NEW, "wrong horse battery").await, Err("PASSWORD_WRONG"));
        let reset = app::request_password_reset(&world.means, &email(ADA), home()).await.unwrap();
        let reset_code = world.code(ADA).await;
        let ticket = ask(&world, &id, NEW, PASSWORD).await.unwrap();
        let code = world.code(NEW).await;
        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap().account_id, id, "nothing has changed yet");

        let session = Some(here.session_id.as_str());
        assert_eq!(change(&world, &id, session, &ticket, "1234").await, Err("CODE_INVALID"));
        assert_eq!(change(&world, &id, session, "elsewhere", &code).await, Err("CODE_INVALID"));
        assert_eq!(change(&world, &id, session, &ticket, &code).await.as_deref(), Ok(NEW));
        assert_eq!(change(&world, &id, session, &ticket, &code).await, Err("CODE_INVALID"), "it is good once");

        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap_err().reason, "CREDENTIALS_INVALID");
        assert_eq!(world.log_in(NEW, PASSWORD).await.unwrap().account_id, id);
        assert!(world.refresh(&here.refresh_token).await.is_ok());
        assert_eq!(world.refresh(&there.refresh_token).await, Err("REFRESH_TOKEN_INVALID"));
        let new = secret("another password");
        let late = app::reset_password(&world.means, &reset.reset_id, &reset_code, &new, home()).await;
        assert_eq!(late.unwrap_err().reason, "CODE_INVALID", "who reads the old address sets no password");
        let told = world.sees_told(ADA, 3).await;
        assert!(matches!(&told[2], Told::EmailChanged(_)), "{told:?}");
        assert_ne!(world.account(ADA).await, id, "the old address is free");
    }

    async fn whether_an_address_has_an_account_is_told_to_nobody_who_wants_it(database: Database) {
        let world = World::open(&database).await;
        let (ada, grace) = (world.account(ADA).await, world.account(NEW).await);
        let ticket = ask(&world, &ada, NEW, PASSWORD).await.unwrap();
        assert_eq!(ticket.len(), 43);
        assert_eq!(world.sees_told(NEW, 1).await.len(), 1, "there is no code but that of the sign-up");
        assert_eq!(change(&world, &ada, None, &ticket, "12345678").await, Err("CODE_INVALID"));
        assert_eq!(world.log_in(NEW, PASSWORD).await.unwrap().account_id, grace);
    }

    async fn an_address_that_is_taken_meanwhile_stays_taken(database: Database) {
        let world = World::open(&database).await;
        let ada = world.account(ADA).await;
        let ticket = ask(&world, &ada, NEW, PASSWORD).await.unwrap();
        let code = world.code(NEW).await;
        let grace = world.account(NEW).await;
        assert_eq!(change(&world, &ada, None, &ticket, &code).await, Err("EMAIL_TAKEN"));
        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap().account_id, ada);
        assert_eq!(world.log_in(NEW, PASSWORD).await.unwrap().account_id, grace);
    }

    async fn a_code_moves_the_account_it_is_for_and_no_other(database: Database) {
        let world = World::open(&database).await;
        let (ada, grace) = (world.account(ADA).await, world.account("grace@example.com").await);
        let ticket = ask(&world, &ada, NEW, PASSWORD).await.unwrap();
        let code = world.code(NEW).await;
        assert_eq!(change(&world, &grace, None, &ticket, &code).await, Err("CODE_INVALID"));
        app::lock_account(&world.means, &ada, None).await.unwrap();
        assert_eq!(change(&world, &ada, None, &ticket, &code).await, Err("CODE_INVALID"), "it is locked");
        app::unlock_account(&world.means, &ada, None).await.unwrap();
        app::erase_account(&world.means, &ada, app::Asked::ByOthers(None)).await.unwrap();
        assert_eq!(change(&world, &ada, None, &ticket, &code).await, Err("CODE_INVALID"), "it is gone");
    }
}
