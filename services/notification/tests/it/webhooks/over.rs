//! When an endpoint is left alone, or told nothing more, and how it begins anew.

use contracts::tradewind::notification::v1::{DeliveryState, UpdateWebhookEndpointRequest};
use tradewind_testing::{Database, block_on, eventually};
use uuid::Uuid;

use super::hook::PLACED;
use super::receiver::{Answer, Receiver};
use crate::surroundings::{DEADLINE, Surroundings};

#[test]
fn what_waits_is_told_at_once_when_it_goes_elsewhere() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        // Nothing is asked for a second time for hours, and nobody is left out meanwhile.
        let operator = surroundings.start(surroundings.hooked().with("webhook_wait", "1h")).await;
        let busy = "HTTP/1.1 503 Busy\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n";
        let (before, after) =
            (Receiver::answers(move |_, _| Answer::Bytes(busy.to_owned())).await, Receiver::takes().await);
        let (id, _) = operator.hook(&before.url, &[PLACED]).await;
        surroundings.placed().await;
        eventually(DEADLINE, "it was told once", async || {
            let told = operator.deliveries(&id).await;
            if told.iter().any(|told| told.attempts == 1) { Ok(()) } else { Err(told) }
        })
        .await;
        let change = UpdateWebhookEndpointRequest {
            request_id: Uuid::now_v7().to_string(),
            endpoint_id: id.clone(),
            url: after.url.clone(),
            ..UpdateWebhookEndpointRequest::default()
        };
        operator.webhooks().update_webhook_endpoint(change).await.unwrap();
        let [told] = operator.settles(&id, DeliveryState::Delivered, 1).await.try_into().unwrap();
        assert_eq!((told.attempts, after.seen().len(), before.seen().len()), (1, 1, 1));
        assert_eq!(operator.endpoint(&id).await.failing_since_time, None);
        operator.stop().await;
    });
}

#[test]
fn who_is_to_be_told_nothing_fails_at_nothing() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let settings = surroundings.hooked().with("webhook_attempts", "2").with("webhook_failing", "1h");
        let operator = surroundings.start(settings).await;
        let receiver = Receiver::answers(|_, _| Answer::Status(500)).await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        surroundings.placed().await;
        operator.settles(&id, DeliveryState::Failed, 1).await;
        let endpoint = operator.endpoint(&id).await;
        assert!(endpoint.enabled && endpoint.failing_since_time.is_none(), "{endpoint:?}");
        operator.stop().await;
    });
}

#[test]
fn who_is_gone_is_told_nothing_more_until_somebody_wants_it() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let receiver = Receiver::answers(|_, before| Answer::Status(if before == 0 { 410 } else { 200 })).await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        surroundings.placed().await;
        let [given_up] = operator.settles(&id, DeliveryState::Failed, 1).await.try_into().unwrap();
        assert_eq!((given_up.attempts, given_up.last_status), (1, 410));
        let endpoint = operator.endpoint(&id).await;
        assert!(!endpoint.enabled && endpoint.disabled_reason == "GONE", "{endpoint:?}");
        let enable = UpdateWebhookEndpointRequest {
            request_id: Uuid::now_v7().to_string(),
            endpoint_id: id.clone(),
            enabled: Some(true),
            ..UpdateWebhookEndpointRequest::default()
        };
        let endpoint =
            operator.webhooks().update_webhook_endpoint(enable).await.unwrap().into_inner().endpoint.unwrap();
        assert!(endpoint.enabled && endpoint.disabled_reason.is_empty(), "{endpoint:?}");
        surroundings.placed().await;
        operator.settles(&id, DeliveryState::Delivered, 1).await;
        assert_eq!(receiver.seen().len(), 2);
        operator.stop().await;
    });
}

#[test]
fn who_takes_nothing_for_too_long_is_told_nothing_more() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked().with("webhook_failing", "1ms")).await;
        let receiver = Receiver::answers(|_, _| Answer::Status(503)).await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        surroundings.placed().await;
        let endpoint = eventually(DEADLINE, "it is disabled", async || {
            let endpoint = operator.endpoint(&id).await;
            if endpoint.enabled { Err(endpoint) } else { Ok(endpoint) }
        })
        .await;
        assert!(endpoint.disabled_reason == "FAILING" && endpoint.failing_since_time.is_some(), "{endpoint:?}");
        let [waiting] = operator.settles(&id, DeliveryState::Waiting, 1).await.try_into().unwrap();
        assert!(waiting.last_status == 503 && waiting.due_time.is_some(), "{waiting:?}");
        operator.stop().await;
    });
}

#[test]
fn who_asks_for_a_rest_has_it() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let busy = "HTTP/1.1 429 Busy\r\nretry-after: 600\r\ncontent-length: 0\r\n\r\n";
        let receiver = Receiver::answers(move |_, _| Answer::Bytes(busy.to_owned())).await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        surroundings.placed().await;
        let waiting = eventually(DEADLINE, "it was told once", async || {
            let [waiting] = operator.deliveries(&id).await.try_into().map_err(|_| "nothing yet")?;
            if waiting.attempts == 1 { Ok(waiting) } else { Err("not told yet") }
        })
        .await;
        let wait = waiting.due_time.unwrap().seconds - waiting.create_time.unwrap().seconds;
        assert!((599..=1200).contains(&wait), "{wait}");
        surroundings.placed().await;
        operator.settles(&id, DeliveryState::Waiting, 2).await;
        // Another endpoint at the same receiver has a rest of its own, and so shows that there was time for a second request.
        let other = operator.hook(&receiver.url, &[PLACED]).await.0;
        surroundings.placed().await;
        eventually(DEADLINE, "the other was told", async || {
            let told = operator.deliveries(&other).await;
            if told.iter().any(|told| told.attempts == 1) { Ok(()) } else { Err(told) }
        })
        .await;
        assert_eq!(receiver.seen().len(), 2);
        operator.stop().await;
    });
}
