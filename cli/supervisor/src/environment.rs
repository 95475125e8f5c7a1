//! What a service in a process of its own is told by its environment.

use std::collections::BTreeMap;
use std::path::Path;

use crate::services;

/// Who may be told by webhooks besides what is public: whoever tries them here.
const THIS_MACHINE: &str = "127.0.0.0/8, ::1/128";

/// The environment of the services of one shop, by which each finds the others and what it stands on.
#[derive(Clone, Debug)]
pub struct Environment<'a> {
    /// The folder with `ca.pem`, and `NAME.pem` with `NAME.key` of each.
    pub pki: &'a Path,
    /// What the certificates belong to.
    pub trust_domain: &'a str,
    /// `host:port` of every service, by name.
    pub peers: &'a BTreeMap<String, String>,
    /// The broker.
    pub nats_url: String,
    /// The world around the shop.
    pub outside_url: String,
}

impl Environment<'_> {
    /// The variables of one service, with its database and where it tells how it is.
    #[must_use]
    pub fn of(&self, service: &str, database_url: String, admin_addr: String) -> BTreeMap<String, String> {
        let file = |name: &str| self.pki.join(name).display().to_string();
        let peers: Vec<String> = self.peers.iter().map(|(name, address)| format!("{name}={address}")).collect();
        let calls_outside = services::callers_of_the_outside().contains(&service);
        let sends_webhooks = services::named(service).is_some_and(|service| service.takes("WEBHOOK_NETWORKS"));
        [
            ("GRPC_ADDR", self.peers.get(service).cloned().unwrap_or_default()),
            ("ADMIN_ADDR", admin_addr),
            ("CA", file("ca.pem")),
            ("CERT", file(&format!("{service}.pem"))),
            ("KEY", file(&format!("{service}.key"))),
            ("TRUST_DOMAIN", self.trust_domain.to_owned()),
            ("DATABASE_URL", database_url),
            ("NATS_URL", self.nats_url.clone()),
            ("PEERS", peers.join(",")),
            ("LOG_FORMAT", "json".to_owned()),
        ]
        .into_iter()
        .chain(calls_outside.then(|| ("OUTSIDE_URL", self.outside_url.clone())))
        .chain(sends_webhooks.then(|| ("WEBHOOK_NETWORKS", THIS_MACHINE.to_owned())))
        .map(|(key, value)| (format!("TRADEWIND_{key}"), value))
        .collect()
    }
}
