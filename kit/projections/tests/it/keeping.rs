//! Which slot is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_projections::{Slot, resting, standings};
use tradewind_testing::{Database, block_on, eventually};

use super::balances::{BALANCES, Bank, PATIENCE, balances};

#[test]
fn only_what_is_read_is_kept_and_only_while_nobody_has_paused_it() {
    block_on(async {
        let database = Database::sqlite();
        let bank = Bank::open(&database).await;
        bank.trade(3, 3).await;
        let process = bank.start([balances(1)]);
        let kept: Vec<_> = process.kept.iter().flatten().map(|reactions| reactions.consumer()).collect();
        assert_eq!(kept, ["bank.balances", "bank.balances-2"]);
        let (pauses, paused) = watch::channel(Some(BTreeSet::new()));
        let (rests, mut rest) = watch::channel(None);
        let stop = CancellationToken::new();
        let served = process.served.clone();
        tokio::spawn(resting(Arc::from([balances(1)]), paused, served, rests, stop.clone()));
        let mut until = async |wanted: &[&str]| {
            let wanted: BTreeSet<_> = wanted.iter().map(ToString::to_string).collect();
            tokio::time::timeout(PATIENCE, rest.wait_for(|rest| rest.as_ref() == Some(&wanted)))
                .await
                .unwrap()
                .unwrap();
        };
        until(&["bank.balances-2"]).await;
        eventually(PATIENCE, "it is known", async || standings(&bank.store).await.unwrap().len() == 1).await;
        bank.ask(BALANCES).await;
        bank.read_from(BALANCES, Slot::Second).await;
        until(&["bank.balances"]).await;
        pauses.send_replace(Some(["bank.balances-2".to_owned()].into()));
        until(&["bank.balances", "bank.balances-2"]).await;
        pauses.send_replace(Some(BTreeSet::new()));
        until(&["bank.balances"]).await;
        // It was paused before another slot was read.
        pauses.send_replace(Some(["bank.balances".to_owned()].into()));
        until(&["bank.balances", "bank.balances-2"]).await;
        stop.cancel();
        process.stop().await;
    });
}
