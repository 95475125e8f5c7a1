//! Guesses are few, and nobody is kept out by those of others.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use identity::app::{self, LogIn, Origin};
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, PASSWORD, Ways, World, at, email, home, secret};

const MANY: &str = "TOO_MANY_ATTEMPTS";
const WRONG: &str = "CREDENTIALS_INVALID";

/// Guesses that many times at once, the first time from the first place and so on, and returns the reasons.
async fn guess(world: &World, address: &'static str, places: Vec<Origin>) -> Vec<&'static str> {
    let guessing = places.into_iter().enumerate().map(|(number, from)| {
        let means = Arc::clone(&world.means);
        let wanted = LogIn {
            email: email(address),
            password: secret(&format!("guess number {number}")),
            device: String::new(),
            new_password: None,
            from,
        };
        tokio::spawn(async move { identity::app::log_in(&means, wanted).await.err().map(|error| error.reason) })
    });
    let guessed = join_all(guessing.collect::<Vec<_>>()).await;
    guessed.into_iter().map(|guessed| guessed.unwrap().unwrap()).collect()
}

fn count(reasons: &[&str], of: &str) -> usize {
    reasons.iter().filter(|reason| **reason == of).count()
}

/// Different networks.
fn everywhere(count: u16) -> Vec<Origin> {
    (0..count)
        .map(|number| {
            let [high, low] = number.to_be_bytes();
            at([10, high, low, 1])
        })
        .collect()
}

both_stores! {
    async fn a_thousand_guesses_at_once_from_one_network_never_pass_the_limit(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let hashed = world.means.passwords.hashed();
        let reasons = guess(&world, ADA, vec![at([198, 51, 100, 1]); 1_000]).await;
        assert_eq!(count(&reasons, WRONG), 10, "{reasons:?}");
        assert_eq!(world.means.passwords.hashed() - hashed, 10);
        // Not even the right one is let in from there, nor from a neighbour of theirs.
        let there = world.log_in_from(at([198, 51, 100, 200]), ADA, PASSWORD).await;
        assert_eq!(there.unwrap_err().reason, MANY);
        world.log_in(ADA, PASSWORD).await.unwrap();
        world.pass(Duration::from_secs(60));
        let reasons = guess(&world, ADA, vec![at([198, 51, 100, 1]); 3]).await;
        assert_eq!((count(&reasons, WRONG), count(&reasons, MANY)), (1, 2), "{reasons:?}");
    }

    async fn guesses_from_everywhere_pass_no_limit_and_lock_nobody_out_from_home(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        world.log_in(ADA, PASSWORD).await.unwrap();
        let hashed = world.means.passwords.hashed();
        let reasons = guess(&world, ADA, everywhere(1_000)).await;
        assert_eq!(count(&reasons, WRONG), 100, "{reasons:?}");
        assert_eq!(world.means.passwords.hashed() - hashed, 100);
        // Elsewhere its owner has to wait, too; at home they do not.
        let elsewhere = world.log_in_from(at([203, 0, 113, 9]), ADA, PASSWORD).await;
        assert_eq!(elsewhere.unwrap_err().reason, MANY);
        world.log_in(ADA, PASSWORD).await.unwrap();
    }

    async fn who_does_not_exist_is_guessed_as_often(database: Database) {
        let world = World::open(&database).await;
        let reasons = guess(&world, "nobody@example.com", vec![home(); 40]).await;
        assert_eq!((count(&reasons, WRONG), count(&reasons, MANY)), (10, 30), "{reasons:?}");
    }

    async fn one_network_cannot_guess_at_everybody(database: Database) {
        let world = World::open(&database).await;
        let mut wrong = 0;
        for number in 0..30 {
            let address: &'static str = Box::leak(format!("somebody-{number}@example.com").into_boxed_str());
            wrong += count(&guess(&world, address, vec![home(); 10]).await, WRONG);
        }
        assert_eq!(wrong, 200);
    }

    async fn who_knows_the_password_is_not_counted(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        for _ in 0..25 {
            world.log_in(ADA, PASSWORD).await.unwrap();
        }
        for _ in 0..10 {
            assert_eq!(world.log_in(ADA, "wrong horse battery").await.unwrap_err().reason, WRONG);
        }
        assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap_err().reason, MANY);
    }

    async fn a_stranger_keeps_nobody_from_a_code(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let ask = async |from: Origin, address: &str| {
            let asked = app::request_password_reset(&world.means, &email(address), from).await;
            asked.map(drop).map_err(|error| error.reason)
        };
        let spellings = [ADA, "ADA@example.com", "ada+1@example.com", "ada+2@example.com", "Ada@example.com"];
        for spelling in spellings {
            assert_eq!(ask(at([198, 51, 100, 1]), spelling).await, Ok(()));
        }
        for spelling in spellings {
            assert_eq!(ask(at([198, 51, 100, 2]), spelling).await, Err(MANY));
        }
        let mut sent = 0;
        for from in everywhere(30) {
            sent += usize::from(ask(from, ADA).await.is_ok());
        }
        // Five, and a sign-up, were sent before.
        assert_eq!(sent, 14);
        assert_eq!(ask(at([203, 0, 113, 9]), ADA).await, Err(MANY));
        // Their owner is at home where they confirmed their address.
        assert_eq!(ask(home(), ADA).await, Ok(()));
    }

    async fn what_is_not_looked_at_is_not_counted(database: Database) {
        let world = World::with(&database, Ways { waiting: 0, ..Ways::default() }).await;
        let paused = world.pause().await;
        for _ in 0..30 {
            assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap_err().reason, "TOO_MANY_SIGN_INS");
        }
        drop(paused);
        for reason in [[WRONG; 10].as_slice(), &[MANY]].concat() {
            assert_eq!(world.log_in(ADA, PASSWORD).await.unwrap_err().reason, reason);
        }
    }
}
