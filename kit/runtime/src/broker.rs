//! What the contracts say of the broker: who may use it and for what, and which streams it holds.

use serde_json::{Value, json};
use tradewind_broker::{BrokerPermissions, Retention, Streams};
use tradewind_mesh::{Policy, SpiffeId};

/// Who looks at streams and consumers.
const OPERATOR: &str = "operator";

/// Who makes streams and consumers, as its certificate calls it.
pub const BROKER_INIT: &str = "broker-init";

/// The services at the edge, whose replicas tell each other something. They are no contexts: the contracts name them as callers.
const EDGES: [&str; 1] = ["gateway"];

/// Returns the `authorization` block of nats-server's configuration, as JSON, which the server reads too: one user for each
/// context of the contract and for the edge, named by its SPIFFE id, one that makes the streams, and one for people. The server takes the user
/// from the client's certificate where its `tls` block says `verify_and_map`.
///
/// # Errors
/// A trust domain that is none.
pub fn broker_users(policy: &Policy, trust_domain: &str) -> Result<String, tradewind_mesh::Error> {
    let contexts = policy.contexts();
    let services = contexts
        .iter()
        .map(|context| user(trust_domain, context, BrokerPermissions::of_service(context, policy.sources_of(context))));
    let others = [
        user(trust_domain, BROKER_INIT, BrokerPermissions::of_maker(BROKER_INIT, contexts, EDGES)),
        user(trust_domain, OPERATOR, BrokerPermissions::of_observer(OPERATOR)),
    ];
    let edges = EDGES.map(|edge| user(trust_domain, edge, BrokerPermissions::of_edge(edge)));
    let users = services.chain(edges).chain(others).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{:#}\n", json!({ "authorization": { "users": users } })))
}

/// The stream of every context of the contract, the consumers of whoever reacts to it, and the bucket of the edge.
pub fn broker_streams(policy: &Policy, retention: Retention) -> Streams {
    let contexts = policy.contexts();
    let streams = EDGES.into_iter().fold(Streams::new(retention), Streams::with_board);
    contexts.iter().fold(streams, |all, context| all.of(context, policy.sources_of(context)))
}

fn user(trust_domain: &str, name: &str, permissions: BrokerPermissions) -> Result<Value, tradewind_mesh::Error> {
    let BrokerPermissions { publish, subscribe } = permissions;
    Ok(json!({
        "user": SpiffeId::new(trust_domain, name)?.to_string(),
        "permissions": { "publish": { "allow": publish }, "subscribe": { "allow": subscribe } },
    }))
}
