//! What follows a refresh token.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use identity::app;
use identity::domain::Role;
use time::OffsetDateTime;
use tradewind_testing::{Database, both_stores};

use crate::keys::claims;
use crate::world::{ADA, DAY, PASSWORD, World};

const INVALID: &str = "REFRESH_TOKEN_INVALID";

both_stores! {
    async fn sixty_four_who_show_a_token_at_once_get_one_successor(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        let (means, token) = (&world.means, given.refresh_token.as_str());
        let asking = (0..64).map(|_| {
            let (means, token) = (std::sync::Arc::clone(means), token.to_owned());
            tokio::spawn(async move { app::refresh(&means, &token).await })
        });
        let answers = join_all(asking.collect::<Vec<_>>()).await;
        let successors: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.unwrap().unwrap().tokens.unwrap().refresh_token)
            .collect();
        assert_eq!(successors.iter().collect::<BTreeSet<_>>().len(), 1);
        assert_ne!(successors[0], token);
        world.refresh(&successors[0]).await.unwrap();
    }

    async fn a_successor_is_given_again_for_ten_seconds_and_then_the_session_ends(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        let next = world.refresh(&given.refresh_token).await.unwrap();
        world.pass(Duration::from_secs(10));
        let again = world.refresh(&given.refresh_token).await.unwrap();
        assert_eq!((&again.refresh_token, &again.session_id), (&next.refresh_token, &next.session_id));
        world.pass(Duration::from_secs(1));
        assert_eq!(world.refresh(&given.refresh_token).await, Err(INVALID));
        assert_eq!(world.refresh(&next.refresh_token).await, Err(INVALID));
    }

    async fn a_token_that_was_stolen_ends_the_session_of_both(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let other = world.log_in(ADA, PASSWORD).await.unwrap();
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        let thief = world.refresh(&given.refresh_token).await.unwrap();
        let thief = world.refresh(&thief.refresh_token).await.unwrap();
        assert_eq!(world.refresh(&given.refresh_token).await, Err(INVALID));
        assert_eq!(world.refresh(&thief.refresh_token).await, Err(INVALID));
        let left = app::list_sessions(&world.means, &id).await.unwrap().sessions;
        assert_eq!(left.iter().map(|session| &session.session_id).collect::<Vec<_>>(), [&other.session_id]);
        world.refresh(&other.refresh_token).await.unwrap();
    }

    async fn what_is_no_token_changes_nothing(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        let (_, own) = given.refresh_token.split_once('.').unwrap();
        for token in ["", ".", "a.b", own, &format!("{own}.{own}"), &"x".repeat(512)] {
            assert_eq!(world.refresh(token).await, Err(INVALID), "{token}");
            app::log_out(&world.means, token).await.unwrap();
        }
        world.refresh(&given.refresh_token).await.unwrap();
    }

    async fn a_session_that_has_ended_is_refused_at_once(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let log_in = async || world.log_in(ADA, PASSWORD).await.unwrap();

        let left = log_in().await;
        app::log_out(&world.means, &left.refresh_token).await.unwrap();
        assert_eq!(world.refresh(&left.refresh_token).await, Err(INVALID));

        let ended = log_in().await;
        app::end_session(&world.means, &id, &ended.session_id).await.unwrap();
        assert_eq!(world.refresh(&ended.refresh_token).await, Err(INVALID));
        let again = app::end_session(&world.means, &id, &ended.session_id).await;
        assert_eq!(again.unwrap_err().reason, "SESSION_NOT_FOUND");

        let locked = log_in().await;
        app::lock_account(&world.means, &id, None).await.unwrap();
        assert_eq!(world.refresh(&locked.refresh_token).await, Err(INVALID));
        app::unlock_account(&world.means, &id, None).await.unwrap();
        assert_eq!(world.refresh(&locked.refresh_token).await, Err(INVALID));

        let erased = log_in().await;
        app::erase_account(&world.means, &id, app::Asked::ByOthers(None)).await.unwrap();
        assert_eq!(world.refresh(&erased.refresh_token).await, Err(INVALID));
    }

    async fn whoever_verifies_tokens_hears_which_sessions_are_over(database: Database) {
        let world = World::open(&database).await;
        let (id, grace) = (world.account(ADA).await, world.account("grace@example.com").await);
        let told = async |since| app::ended_sessions(&world.means, since).await.unwrap();
        assert_eq!(told(None).await.session_ids, Vec::<String>::new());
        let log_in = async || world.log_in(ADA, PASSWORD).await.unwrap();
        let (left, ended, stays) = (log_in().await, log_in().await, world.log_in("grace@example.com", PASSWORD).await);
        app::log_out(&world.means, &left.refresh_token).await.unwrap();
        let first = told(None).await;
        assert_eq!(first.session_ids, [left.session_id.as_str()]);
        let since = OffsetDateTime::from_unix_timestamp(first.until.unwrap().seconds).unwrap();

        world.pass(Duration::from_secs(2));
        app::end_session(&world.means, &id, &ended.session_id).await.unwrap();
        world.pass(Duration::from_secs(2));
        let locked = log_in().await;
        app::lock_account(&world.means, &id, None).await.unwrap();
        let since_then = [left.session_id.as_str(), &ended.session_id, &locked.session_id];
        assert_eq!(told(Some(since)).await.session_ids, since_then, "in that moment, more may have ended than were told");
        let later = since + Duration::from_secs(1);
        assert_eq!(told(Some(later)).await.session_ids, since_then[1..]);

        world.pass(Duration::from_secs(2));
        app::erase_account(&world.means, &grace, app::Asked::ByOthers(None)).await.unwrap();
        let all = [left.session_id, ended.session_id, locked.session_id, stays.unwrap().session_id];
        assert_eq!(told(None).await.session_ids, all);
        app::tidy(&world.means.store).await.unwrap();
        assert_eq!(told(None).await.session_ids, all, "tokens of theirs may still be shown");
        world.pass(Duration::from_secs(2 * 3_600));
        app::tidy(&world.means.store).await.unwrap();
        assert_eq!(told(Some(since)).await.session_ids, Vec::<String>::new(), "and then it is forgotten");
    }

    async fn somebody_elses_session_cannot_be_ended(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let grace = world.account("grace@example.com").await;
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        let ended = app::end_session(&world.means, &grace, &given.session_id).await;
        assert_eq!(ended.unwrap_err().reason, "SESSION_NOT_FOUND");
        world.refresh(&given.refresh_token).await.unwrap();
    }

    async fn a_session_ends_when_it_is_not_used_or_is_too_old(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let idle = world.log_in(ADA, PASSWORD).await.unwrap();
        world.pass(14 * DAY);
        assert_eq!(world.refresh(&idle.refresh_token).await, Err(INVALID));

        let mut used = world.log_in(ADA, PASSWORD).await.unwrap();
        for _ in 0..8 {
            world.pass(10 * DAY);
            used = world.refresh(&used.refresh_token).await.unwrap();
        }
        world.pass(10 * DAY);
        assert_eq!(world.refresh(&used.refresh_token).await, Err(INVALID));
    }

    async fn another_role_is_in_the_next_token(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        assert_eq!(claims(&given.access_token)["roles"], serde_json::json!([]));
        app::grant_role(&world.means, &id, Role::Staff, None).await.unwrap();
        let given = world.refresh(&given.refresh_token).await.unwrap();
        assert_eq!(claims(&given.access_token)["roles"], serde_json::json!(["staff"]));
        app::revoke_role(&world.means, &id, Role::Staff, None).await.unwrap();
        let given = world.refresh(&given.refresh_token).await.unwrap();
        assert_eq!(claims(&given.access_token)["roles"], serde_json::json!([]));
        assert_eq!(world.history(&id).await, ["CustomerRegistered", "RoleGranted", "RoleRevoked"]);
    }
}
