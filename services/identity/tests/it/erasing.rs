//! Whoever is erased is in no byte of the database.

use std::time::Duration;

use identity::app;
use tradewind_store::Sealing;
use tradewind_testing::{Database, both_stores, columns_with, traces, unsealed};

use crate::world::{ADA, PASSWORD, Told, Ways, World, email, home, secret};

const NEW: &str = "lovelace@example.org";
const DEVICE: &str = "laptop";

fn sealing(begins: bool) -> Ways {
    Ways { sealing: Some(Sealing { show: contracts::shown, begins }), ..Ways::default() }
}

/// Where it is found who somebody is.
async fn found(database: &Database) -> Vec<String> {
    let mut found = Vec::new();
    for text in [ADA, NEW, DEVICE, &home().address.to_string()] {
        found.extend(traces(database, text).await.into_iter().map(|place| format!("{text} in {place}")));
    }
    found
}

async fn move_to_new(world: &World, id: &str) {
    world.pass(Duration::from_secs(1));
    let asked = app::request_email_change(&world.means, id, &email(NEW), &secret(PASSWORD), home()).await.unwrap();
    let code = world.code(NEW).await;
    app::change_email(&world.means, id, None, (&asked.change_id, &code)).await.unwrap();
}

both_stores! {
    async fn whoever_has_an_account_lies_sealed_and_is_forgotten_with_it(database: Database) {
        let world = World::with(&database, sealing(false)).await;
        let id = world.account(ADA).await;
        world.log_in(ADA, PASSWORD).await.unwrap();
        move_to_new(&world, &id).await;
        world.log_in(NEW, PASSWORD).await.unwrap();
        world.pass(Duration::from_secs(1));
        app::request_password_reset(&world.means, &email(NEW), home()).await.unwrap();
        world.code(NEW).await;
        let sessions = app::list_sessions(&world.means, &id).await.unwrap().sessions;
        assert!(sessions.iter().any(|session| session.device == DEVICE), "{sessions:?}");
        let listed = app::list_accounts(&world.means, "", Some(&email(NEW)), 10).await.unwrap().accounts;
        assert_eq!((listed.len(), listed[0].email.as_str(), listed[0].name.as_str()), (1, NEW, "Ada"));
        assert_eq!(found(&database).await, Vec::<String>::new(), "it is sealed");

        app::erase_account(&world.means, &id, app::Asked::ByOthers(None)).await.unwrap();
        assert_eq!(found(&database).await, Vec::<String>::new());
        let after = World::with(&database, sealing(false)).await;
        assert!(after.sees_told(NEW, 0).await.is_empty() && after.sees_told(ADA, 0).await.is_empty());
        assert_ne!(after.account(NEW).await, id, "the address is free");
    }

    async fn who_does_not_enter_a_code_is_forgotten_when_it_is_over(database: Database) {
        let world = World::with(&database, sealing(false)).await;
        world.sign_up(ADA, PASSWORD).await.unwrap();
        assert!(matches!(world.sees_told(ADA, 1).await[..], [Told::Verification(_)]));
        world.pass(Duration::from_secs(601));
        app::tidy(&world.means.store).await.unwrap();
        let after = World::with(&database, sealing(false)).await;
        assert!(after.sees_told(ADA, 0).await.is_empty());
        assert_eq!(found(&database).await, Vec::<String>::new());
    }

    async fn an_account_of_before_is_used_as_it_lies_and_sealed_when_it_changes(database: Database) {
        drop(World::open(&database).await);
        unsealed(&database).await;
        let before = World::open(&database).await;
        let id = before.account(ADA).await;
        assert!(columns_with(&database, ADA).await.contains(&"account.email".to_owned()));
        let world = before.replica(&database, sealing(true)).await;
        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap().account_id, id);
        let taken = world.staff(None).await.account.unwrap();
        assert_ne!(taken.account_id, id);
        world.sign_up(ADA, PASSWORD).await.unwrap();
        assert!(world.sees_told(ADA, 2).await.iter().any(|told| matches!(told, Told::Repeated(_))), "it is taken");
        app::update_profile(&world.means, &id, "Countess").await.unwrap();
        assert!(!columns_with(&database, ADA).await.iter().any(|place| place.starts_with("account.")), "it is sealed");
        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap().account_id, id);
        move_to_new(&world, &id).await;
        let profile = app::get_profile(&world.means, &id).await.unwrap().profile.unwrap();
        assert_eq!((profile.email.as_str(), profile.name.as_str()), (NEW, "Countess"));
        assert!(!columns_with(&database, NEW).await.contains(&"account.email".to_owned()));
        app::erase_account(&world.means, &id, app::Asked::ByOthers(None)).await.unwrap();
        assert_eq!(columns_with(&database, NEW).await, Vec::<String>::new());
    }
}
