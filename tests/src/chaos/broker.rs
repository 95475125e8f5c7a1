//! What an administrator of the broker may do to its streams.

use async_nats::jetstream::stream::Stream;
use async_nats::{ConnectOptions, jetstream};
use futures::future::join_all;
use supervisor::services;
use tradewind_mesh::{Identity, IdentityFiles};
use tradewind_testing::eventually;

use super::PATIENCE;
use super::dice::Dice;
use crate::shop::Shop;

/// So many of the last messages of a stream are deleted in any case, of the others one in so many.
const LAST: u64 = 2;
const ONE_IN: u64 = 2;

/// Every service's stream, as an administrator sees it.
async fn streams(shop: &Shop) -> Vec<Stream> {
    let identity = Identity::load(IdentityFiles::in_dir(shop.pki().path(), "nats")).unwrap();
    let options = ConnectOptions::new().tls_client_config(identity.client_config());
    let client =
        eventually(PATIENCE, "the broker is there", async || options.clone().connect(shop.nats.url()).await).await;
    let jetstream = jetstream::new(client);
    let named = services::names().into_iter().map(|name| format!("TW_{}", name.to_uppercase()));
    let opened =
        named.map(|name| {
            let jetstream = &jetstream;
            async move {
                eventually(PATIENCE, "the stream is there", async || jetstream.get_stream(name.as_str()).await).await
            }
        });
    join_all(opened).await
}

/// How many messages there are.
pub(super) async fn messages(shop: &Shop) -> u64 {
    streams(shop).await.iter().map(|stream| stream.cached_info().state.messages).sum()
}

/// Deletes single messages from every stream, the last ones among them.
pub(super) async fn delete_messages(shop: &Shop, dice: &mut Dice) {
    for stream in streams(shop).await {
        let state = stream.cached_info().state.clone();
        for number in state.first_sequence..=state.last_sequence {
            if number + LAST > state.last_sequence || dice.once_in(ONE_IN) {
                // One that is gone already cannot be deleted.
                let _ = stream.delete_message(number).await;
            }
        }
    }
}
