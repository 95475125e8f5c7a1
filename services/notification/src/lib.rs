//! The notification context: tells customers what became of their orders and their accounts, and remembers what it told whom. It also
//! tells programs of events, at URLs that staff have registered.
//!
//! This file is the composition root. It publishes no events and nobody waits for it: a message that cannot be sent is
//! given up and never holds an order up. What is sent by which system is no business of the reactions.

mod config;
mod delivery;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod grpc;
mod links;
mod mail;
mod reactions;
mod settled;
pub mod table;
mod texts;
pub mod webhooks;

use contracts::tradewind::notification::v1::notification_service_server::NotificationServiceServer;
use contracts::tradewind::notification::v1::webhook_service_server::WebhookServiceServer;
use tradewind_runtime::{Kit, Parts, Service, outside::Party};

use crate::{config::Config, delivery::Deliver, grpc::Api, grpc::WebhookApi, mail::Smtp, webhooks::Reach};

/// The notification service, ready to be run.
#[must_use]
pub fn service() -> Service {
    Service::new::<Config>("notification", table::migrations, compose)
        .purpose("tells customers what became of their orders and accounts")
        .ports(7106, 7206)
}

fn compose(kit: Kit, config: Config) -> anyhow::Result<Parts> {
    let Config { mail_attempts: attempts, mail_concurrency: concurrency, .. } = config;
    let rules = webhooks::Rules {
        timeout: config.webhook_timeout,
        wait: config.webhook_wait,
        attempts: config.webhook_attempts,
        failing: config.webhook_failing,
        retention: config.webhook_retention,
    };
    let reach = config.webhooks.then_some(Reach { networks: config.webhook_networks, authority: config.webhook_ca });
    let made = webhooks::make(&kit.store, reach, rules)?;
    let reactions = reactions::reactions(&made.offer, &config.document_url);
    // Where nobody is told of anything, what would be offered is passed over.
    let reactions = if config.webhooks { reactions } else { reactions.without(webhooks::offers) };
    let mut parts = Parts::new()
        .grpc(NotificationServiceServer::new(Api::new(kit.store.clone())))
        .grpc(WebhookServiceServer::new(WebhookApi::new(made.webhooks)))
        .reactions(reactions);
    if let Some(sender) = made.sender {
        parts = parts.work(|members, stop| sender.run(members, stop));
    }
    Ok(match config.smtp_url {
        Some(server) => {
            let smtp = Smtp::new(server, config.smtp_timeout, config.mail_from);
            parts.intents(Deliver::new(kit.store, smtp, attempts), concurrency.get())
        }
        None => {
            let sink = Party::new(config.outside_url, config.outside_timeout)?;
            parts.intents(Deliver::new(kit.store, sink, attempts), concurrency.get())
        }
    })
}
