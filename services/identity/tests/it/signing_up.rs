//! Origin a wish for an account to the account.

use std::time::Duration;

use identity::app;
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, PASSWORD, Told, World, email, home};

both_stores! {
    async fn an_account_is_there_once_its_code_is_entered(database: Database) {
        let world = World::open(&database).await;
        let ticket = world.sign_up(" Ada@EXAMPLE.com ".trim(), PASSWORD).await.unwrap();
        assert_eq!(world.log_in("Ada@example.com", PASSWORD).await.unwrap_err().reason, "CREDENTIALS_INVALID");
        let code = world.code("Ada@example.com").await;
        let account = app::verify_email(&world.means, &ticket, &code, home()).await.unwrap().account_id;
        assert_eq!(world.history(&account).await, ["CustomerRegistered"]);
        assert_eq!(world.log_in("Ada@example.COM", PASSWORD).await.unwrap().account_id, account);
        let profile = app::get_profile(&world.means, &account).await.unwrap().profile.unwrap();
        assert_eq!((profile.email.as_str(), profile.name.as_str()), ("Ada@example.com", "Ada"));
    }

    async fn a_code_is_good_once_for_a_while_and_for_five_tries(database: Database) {
        let world = World::open(&database).await;
        let enter = async |ticket: &str, code: &str| {
            app::verify_email(&world.means, ticket, code, home()).await.map(drop).map_err(|error| error.reason)
        };
        let ticket = world.sign_up(ADA, PASSWORD).await.unwrap();
        let code = world.code(ADA).await;
        let wrong = if code == "00000000" { "00000001" } else { "00000000" };
        assert_eq!(enter("elsewhere", &code).await, Err("CODE_INVALID"));
        for _ in 0..5 {
            assert_eq!(enter(&ticket, wrong).await, Err("CODE_INVALID"));
        }
        assert_eq!(enter(&ticket, &code).await, Err("CODE_INVALID"));

        let ticket = world.sign_up(ADA, PASSWORD).await.unwrap();
        let code = world.sees_told(ADA, 2).await.pop().map(code_of).unwrap();
        world.pass(Duration::from_secs(601));
        assert_eq!(enter(&ticket, &code).await, Err("CODE_INVALID"));

        let ticket = world.sign_up(ADA, PASSWORD).await.unwrap();
        let code = world.sees_told(ADA, 3).await.pop().map(code_of).unwrap();
        assert_eq!(app::request_password_reset(&world.means, &email(ADA), home()).await.map(drop), Ok(()));
        assert_eq!(enter(&ticket, &format!(" {code}\n")).await, Ok(()));
        assert_eq!(enter(&ticket, &code).await, Err("CODE_INVALID"));
    }

    async fn of_all_who_enter_a_code_at_once_one_gets_an_account(database: Database) {
        let world = World::open(&database).await;
        let ticket = world.sign_up(ADA, PASSWORD).await.unwrap();
        let code = world.code(ADA).await;
        let entering = (0..4).map(|_| app::verify_email(&world.means, &ticket, &code, home()));
        let entered = futures::future::join_all(entering).await;
        assert_eq!(entered.iter().filter(|entered| entered.is_ok()).count(), 1, "{entered:?}");
    }

    async fn whether_an_address_has_an_account_is_told_to_its_owner_alone(database: Database) {
        let world = World::open(&database).await;
        let account = world.account(ADA).await;
        let (before, hashed) = (world.sees_told(ADA, 1).await, world.means.passwords.hashed());
        let ticket = world.sign_up(ADA, "another password").await.unwrap();
        assert_eq!((ticket.len(), world.means.passwords.hashed() - hashed), (43, 1));
        let told = world.sees_told(ADA, 2).await;
        assert!(matches!(&told[1], Told::Repeated(_)), "{told:?}");
        let stale = before.into_iter().next().map(code_of).unwrap();
        let entered = app::verify_email(&world.means, &ticket, &stale, home()).await;
        assert_eq!(entered.unwrap_err().reason, "CODE_INVALID");
        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap().account_id, account);
    }

    async fn an_address_has_one_account_however_often_it_is_confirmed(database: Database) {
        let world = World::open(&database).await;
        let first = world.sign_up(ADA, PASSWORD).await.unwrap();
        let one = world.code(ADA).await;
        let second = world.sign_up(ADA, "another password").await.unwrap();
        let other = world.sees_told(ADA, 2).await.pop().map(code_of).unwrap();
        app::verify_email(&world.means, &second, &other, home()).await.unwrap();
        let again = app::verify_email(&world.means, &first, &one, home()).await;
        assert_eq!(again.unwrap_err().reason, "EMAIL_TAKEN");
        world.log_in(ADA, "another password").await.unwrap();
    }

    async fn nobody_is_sent_more_than_a_few_codes(database: Database) {
        let world = World::open(&database).await;
        for _ in 0..5 {
            world.sign_up(ADA, PASSWORD).await.unwrap();
        }
        let refused = world.sign_up(ADA, PASSWORD).await.unwrap_err();
        assert_eq!(refused.reason, "TOO_MANY_ATTEMPTS");
        let again = refused.again.unwrap();
        assert!((Duration::from_secs(1)..=Duration::from_secs(601)).contains(&again), "{again:?}");
        world.sign_up("grace@example.com", PASSWORD).await.unwrap();
        world.pass(again);
        world.sign_up(ADA, PASSWORD).await.unwrap();
    }

    async fn what_was_asked_for_and_never_done_is_forgotten(database: Database) {
        use identity::store::{confirmation, throttle};
        use sea_orm::{EntityTrait, PaginatorTrait};

        let world = World::open(&database).await;
        world.sign_up(ADA, PASSWORD).await.unwrap();
        let count = async || {
            let reader = world.means.store.reader().pool();
            (confirmation::Entity::find().count(reader).await.unwrap(), throttle::Entity::find().count(reader).await.unwrap())
        };
        app::tidy(&world.means.store).await.unwrap();
        assert_eq!(count().await, (1, 3));
        world.pass(Duration::from_secs(601));
        app::tidy(&world.means.store).await.unwrap();
        assert_eq!(count().await, (0, 0));
    }
}

fn code_of(told: Told) -> String {
    match told {
        Told::Verification(said) => said.code,
        other => panic!("no code: {other:?}"),
    }
}
