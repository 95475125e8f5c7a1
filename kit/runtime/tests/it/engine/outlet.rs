//! Events published for whoever is outside.

use async_nats::jetstream::{self, stream::Config};
use tradewind_broker::wire;
use tradewind_testing::{block_on, eventually};

use super::audit::{PATIENCE, Pair};

async fn holds(jetstream: &jetstream::Context, messages: u64) -> u64 {
    eventually(PATIENCE, &format!("there are {messages} messages for readers outside"), async || {
        let stream = jetstream.get_stream(wire::public_stream("bank")).await.map_err(|error| error.to_string())?;
        let state = &stream.cached_info().state;
        if state.messages == messages { Ok(state.bytes) } else { Err(format!("{}", state.messages)) }
    })
    .await
}

#[test]
fn an_event_that_the_broker_refuses_stops_no_other() {
    block_on(async {
        let pair = Pair::new().await;
        let jetstream = jetstream::new(async_nats::connect(pair.nats.url()).await.unwrap());
        let config = Config {
            name: wire::public_stream("bank"),
            subjects: vec![wire::public_subjects("bank")],
            ..Config::default()
        };
        jetstream.create_stream(config.clone()).await.unwrap();
        let bank = pair.start_bank().await;
        pair.deposit(&["a"], 1).await;
        let bytes = holds(&jetstream, 1).await;

        let max_message_size = i32::try_from(bytes).unwrap() + 20;
        jetstream.update_stream(Config { max_message_size, ..config }).await.unwrap();
        let long = "a-name-that-is-much-longer".repeat(4);
        pair.deposit(&["a", "b", "c", "d", "e", "f", &long], 1).await;
        pair.deposit(&["a", "b", "c", "d", "e", "f"], 3).await;
        holds(&jetstream, 25).await;
        bank.stop().await;
    });
}
