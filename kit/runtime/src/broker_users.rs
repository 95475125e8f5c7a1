//! Who may use the broker and for what: one user for each context of the contract, named by its SPIFFE id, and one for people.

use serde_json::{Value, json};
use tradewind_events::BrokerPermissions;
use tradewind_mesh::{Policy, SpiffeId};

/// Who looks at streams and consumers.
const OPERATOR: &str = "operator";

/// Returns the `authorization` block of nats-server's configuration, as JSON, which the server reads too. It takes the user from
/// the client's certificate where its `tls` block says `verify_and_map`.
///
/// # Errors
/// A trust domain that is none.
pub fn broker_users(policy: &Policy, trust_domain: &str) -> Result<String, tradewind_mesh::Error> {
    let services = policy
        .contexts()
        .iter()
        .map(|context| user(trust_domain, context, BrokerPermissions::of_service(context, policy.sources_of(context))));
    let operator = user(trust_domain, OPERATOR, BrokerPermissions::of_observer(OPERATOR));
    let users = services.chain([operator]).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{:#}\n", json!({ "authorization": { "users": users } })))
}

fn user(trust_domain: &str, name: &str, permissions: BrokerPermissions) -> Result<Value, tradewind_mesh::Error> {
    let BrokerPermissions { publish, subscribe } = permissions;
    Ok(json!({
        "user": SpiffeId::new(trust_domain, name)?.to_string(),
        "permissions": { "publish": { "allow": publish }, "subscribe": { "allow": subscribe } },
    }))
}
