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
/// context of the contract and for the edge, named by its SPIFFE id, one that makes the streams, one for people, and one for each reader that
/// the policy names. The server takes the user from the client's certificate where its `tls` block says `verify_and_map`.
///
/// # Errors
/// A trust domain that is none.
pub fn broker_users(policy: &Policy, trust_domain: &str) -> Result<String, tradewind_mesh::Error> {
    let contexts = policy.contexts();
    let of = |name: &str, permissions| Ok(user(&SpiffeId::new(trust_domain, name)?, permissions));
    let services =
        contexts.iter().map(|context| of(context, BrokerPermissions::of_service(context, policy.reads_of(context))));
    let others = [
        of(BROKER_INIT, BrokerPermissions::of_maker(BROKER_INIT, contexts, EDGES)),
        of(OPERATOR, BrokerPermissions::of_observer(OPERATOR)),
    ];
    let edges = EDGES.map(|edge| of(edge, BrokerPermissions::of_edge(edge)));
    let readers = policy.readers().map(|reader| {
        let id = SpiffeId::reader(trust_domain, reader.name(), reader.contexts())?;
        Ok(user(&id, BrokerPermissions::of_reader(reader.name(), reader.contexts())))
    });
    let users =
        services.chain(edges).chain(others).chain(readers).collect::<Result<Vec<_>, tradewind_mesh::Error>>()?;
    Ok(format!("{:#}\n", json!({ "authorization": { "users": users } })))
}

/// The stream of every context of the contract, the consumers of whoever reacts to it, the bucket of the edge, and what the readers have
/// that the policy names.
pub fn broker_streams(policy: &Policy, retention: Retention) -> Streams {
    let contexts = policy.contexts();
    let streams = EDGES.into_iter().fold(Streams::new(retention), Streams::with_board);
    let streams = policy.readers().fold(streams, |all, reader| all.for_reader(reader.name(), reader.contexts()));
    contexts.iter().fold(streams, |all, context| all.of(context, policy.reads_of(context)))
}

fn user(id: &SpiffeId, BrokerPermissions { publish, subscribe }: BrokerPermissions) -> Value {
    json!({
        "user": id.to_string(),
        "permissions": { "publish": { "allow": publish }, "subscribe": { "allow": subscribe } },
    })
}
