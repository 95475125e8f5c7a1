//! What later builds may send: fields, values of enums and types of events that this build does not know. Who reads them goes on.

mod accounts;
mod bytes;
mod orders;

use std::collections::BTreeSet;

use contracts::reactions::REACTIONS;
use contracts::tradewind::consumer::v1::ListParkedStreamsRequest;
use futures::future::join_all;
use sea_orm::{ConnectionTrait, Statement};
use supervisor::services;
use system_tests::PATIENCE;
use system_tests::process::Process;
use system_tests::shop::Shop;
use tradewind_testing::{Database, block_on, eventually};

/// Every reader gets every event of the others as a later build may have written it, and the shop does what it always does.
#[test]
fn whatever_later_builds_add_to_events_every_reaction_goes_on() {
    block_on(Box::pin(async {
        let mut shop = Shop::unstaffed(|_| Database::sqlite()).await;
        let readers = services::readers();
        let others: Vec<_> = services::names().into_iter().filter(|name| !readers.contains(name)).collect();
        shop.start(&others).await;
        let read = readers.iter().map(|name| Process::reading_later_events(&shop, name));
        let processes = join_all(read).await;

        tokio::join!(Box::pin(orders::come_to_each_end(&shop)), Box::pin(accounts::are_told_of(&shop)));
        eventually(PATIENCE, "each reaction has seen its event", async || {
            let unseen = unseen(&shop).await;
            if unseen.is_empty() { Ok(()) } else { Err(unseen) }
        })
        .await;
        shop.prove_books().await;
        // By now every event has been read, however often.
        assert_eq!(parked(&shop).await, 0);
        for process in processes {
            process.stop().await;
        }
        shop.close().await;
    }));
}

/// The events of reactions, by context, of which no journal tells.
async fn unseen(shop: &Shop) -> BTreeSet<(String, String)> {
    let mut unseen: BTreeSet<_> =
        REACTIONS.iter().map(|reaction| (reaction.context.to_owned(), reaction.event.to_owned())).collect();
    for context in services::readers() {
        let database = tradewind_sql::connect(&shop.database_url(context)).await.unwrap();
        let handled = Statement::from_string(database.get_database_backend(), "SELECT DISTINCT type FROM journal");
        for row in database.query_all_raw(handled).await.unwrap() {
            unseen.remove(&(context.to_owned(), row.try_get("", "type").unwrap()));
        }
    }
    unseen
}

async fn parked(shop: &Shop) -> usize {
    let parked = services::names().map(async |service| {
        let all = shop.operator.consumers_of(service).list_parked_streams(ListParkedStreamsRequest::default()).await;
        all.unwrap().into_inner().streams.len()
    });
    join_all(parked).await.into_iter().sum()
}
