//! Who asked for an event is kept with it, and told to nobody who reads the log.

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use tradewind_domain::request::RequestKey;
use tradewind_domain::{Caller, Origin};
use tradewind_store::{Metadata, StreamName, Tx};
use tradewind_testing::account::{Account, Bank, Command};
use tradewind_testing::{Database, both_stores, eventually};

use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

both_stores! {
    async fn an_event_has_who_asked_for_it(database: Database) {
        let bank = Bank::open(&database).await;
        let deposit = async |tx: &mut Tx| {
            let executed = tx.execute::<Account>("a", Command::DepositTwice(5)).await?;
            Ok(executed.state.balance)
        };
        // Nobody asks, somebody does for themselves, and for another under an id.
        bank.store.transact(deposit).await.unwrap();
        let call = |caller: Caller| Context::current().with_value(caller);
        bank.store.transact(deposit).with_context(call(Caller::new("operator"))).await.unwrap();
        let gateway = Caller::new("gateway");
        gateway.is_for("ada of hull");
        let request = RequestKey::new("user/ada of hull", "/bank/Deposit", "r-1", &1_u64, &1_u64).unwrap();
        let asked = bank.store.once(request.as_ref(), deposit).with_context(call(gateway));
        asked.await.unwrap();
        let mut tx = bank.store.begin().await.unwrap();
        tx.set_cause(Metadata { causation: "an event".to_owned(), ..Metadata::default() });
        tx.execute::<Account>("a", Command::Deposit(1)).await.unwrap();
        tx.commit().await.unwrap();

        let stream = StreamName::of::<Account>("a");
        eventually(PATIENCE, "all are in the log", async || {
            bank.store.audit(&stream, 0, 10).await.unwrap().iter().all(|(event, _)| event.position > 0)
        })
        .await;
        let audited = bank.store.audit(&stream, 0, 10).await.unwrap();
        let (nobody, operator) = (Origin::default(), Origin { workload: "operator".to_owned(), ..Origin::default() });
        let ada = Origin {
            workload: "gateway".to_owned(),
            user: "ada of hull".to_owned(),
            request_id: "r-1".to_owned(),
        };
        let origins: Vec<_> = audited.iter().map(|(_, origin)| origin).collect();
        assert_eq!(origins, [&nobody, &nobody, &operator, &operator, &ada, &ada, &nobody]);
        assert_eq!(audited[6].0.metadata.causation, "an event");
        let page = bank.store.audit(&stream, 4, 2).await.unwrap();
        assert_eq!(page.iter().map(|(event, _)| event.version).collect::<Vec<_>>(), [5, 6]);
        // It is the same event that others read, who are not told.
        let read: Vec<_> = bank.store.history(&stream).await.unwrap().into_iter().map(|event| event.id).collect();
        assert_eq!(audited.iter().map(|(event, _)| event.id).collect::<Vec<_>>(), read);
        assert_eq!(bank.store.audit(&StreamName::of::<Account>("b"), 0, 10).await.unwrap(), []);
    }
}
