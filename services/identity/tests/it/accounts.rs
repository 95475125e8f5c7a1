//! Accounts as their owners and the shop's staff see them.

use contracts::tradewind::identity::v1::Role as WireRole;
use identity::app;
use identity::domain::Role;
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, PASSWORD, World, email, home, secret};

both_stores! {
    async fn an_account_that_is_erased_leaves_its_address_and_nothing_else(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        world.log_in(ADA, PASSWORD).await.unwrap();
        let wrong = secret("wrong horse battery");
        let refused = app::erase_account(&world.means, &id, app::Asked::ByOwner(&wrong, home())).await;
        assert_eq!(refused.unwrap_err().reason, "PASSWORD_WRONG");
        app::erase_account(&world.means, &id, app::Asked::ByOwner(&secret(PASSWORD), home())).await.unwrap();

        assert_eq!(app::get_account(&world.means, &id).await.unwrap_err().reason, "ACCOUNT_NOT_FOUND");
        assert_eq!(app::list_sessions(&world.means, &id).await.unwrap_err().reason, "ACCOUNT_NOT_FOUND");
        assert_eq!(app::lock_account(&world.means, &id, None).await.unwrap_err().reason, "ACCOUNT_NOT_FOUND");
        let again = app::erase_account(&world.means, &id, app::Asked::ByOthers(None)).await;
        assert_eq!(again.unwrap_err().reason, "ACCOUNT_NOT_FOUND");
        assert_eq!(world.history(&id).await, ["CustomerRegistered", "CustomerErased"]);
        assert_ne!(world.account(ADA).await, id);
    }

    async fn a_profile_says_what_it_was_told(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        for name in ["Ada Lovelace", "Ada Lovelace", ""] {
            let profile = app::update_profile(&world.means, &id, name).await.unwrap().profile.unwrap();
            assert_eq!((profile.name.as_str(), profile.email.as_str()), (name, ADA));
        }
        assert_eq!(world.history(&id).await, ["CustomerRegistered", "CustomerUpdated", "CustomerUpdated"]);
    }

    async fn staff_finds_accounts_by_page_and_by_address(database: Database) {
        let world = World::open(&database).await;
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(world.account(&format!("somebody-{number}@example.com")).await);
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        for expected in [2, 2, 1] {
            let page = app::list_accounts(&world.means, &after, None, 2).await.unwrap();
            assert_eq!(page.accounts.len(), expected);
            seen.extend(page.accounts.into_iter().map(|account| account.account_id));
            after = page.next_page_token;
        }
        assert_eq!((seen, after.as_str()), (ids.clone(), ""));
        let found = app::list_accounts(&world.means, "", Some(&email("somebody-3@example.com")), 2).await.unwrap();
        assert_eq!(found.accounts.into_iter().map(|account| account.account_id).collect::<Vec<_>>(), [ids.remove(3)]);
    }

    async fn roles_and_locks_change_once(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        for _ in 0..2 {
            let granted = app::grant_role(&world.means, &id, Role::Staff, None).await.unwrap().account.unwrap();
            assert_eq!(granted.roles, [i32::from(WireRole::Staff)]);
            assert!(app::lock_account(&world.means, &id, None).await.unwrap().account.unwrap().locked);
        }
        for _ in 0..2 {
            assert!(!app::unlock_account(&world.means, &id, None).await.unwrap().account.unwrap().locked);
            let revoked = app::revoke_role(&world.means, &id, Role::Staff, None).await.unwrap().account.unwrap();
            assert!(revoked.roles.is_empty());
        }
        let history = ["CustomerRegistered", "RoleGranted", "AccountLocked", "AccountUnlocked", "RoleRevoked"];
        assert_eq!(world.history(&id).await, history);
    }

    async fn an_operator_makes_the_first_account_of_the_staff(database: Database) {
        let world = World::open(&database).await;
        let made = world.staff(Some(PASSWORD)).await;
        let account = made.account.unwrap();
        assert_eq!((account.roles.as_slice(), made.one_time_password.as_str()), (&[i32::from(WireRole::Staff)][..], ""));
        assert_eq!(world.log_in("staff@example.com", PASSWORD).await.unwrap().account_id, account.account_id);
        let again = app::create_staff_account(&world.means, &email("staff@example.com"), "", None).await;
        assert_eq!(again.unwrap_err().reason, "EMAIL_TAKEN");
        assert_eq!(world.history(&account.account_id).await, ["CustomerRegistered", "RoleGranted"]);
    }
}
