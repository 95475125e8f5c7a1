//! What a service says of itself, from which the defaults of its settings follow.

use std::path::PathBuf;

use super::{Setting, parse};

/// Where a system on one machine keeps certificates and data unless told otherwise.
pub(crate) const FOLDER: &str = ".tradewind";

/// What `--help` tells about a service, and what its defaults derive from.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) purpose: &'static str,
    /// It has neither a database nor a gRPC server of its own.
    pub(crate) is_edge: bool,
    /// Whether it is told anything by the broker, or tells it.
    pub(crate) has_broker: bool,
    pub(crate) grpc_port: u16,
    pub(crate) admin_port: u16,
    /// Where certificates and data are that no setting says.
    pub(crate) folder: PathBuf,
    /// The service's own settings.
    pub(crate) settings: Vec<Setting>,
}

/// The settings of what a service at the edge does not have.
const OF_A_CONTEXT: [&str; 6] = ["grpc_addr", "database_url", "partitions", "seal", "rate_limits", "policy_shadow"];

impl About {
    /// Threads that run the service unless told otherwise. Nothing at the edge waits for a disk, and one thread does more in a second of
    /// processor than two that take work from each other.
    pub(super) const fn workers(&self) -> usize {
        if self.is_edge { 1 } else { parse::WORKERS }
    }

    /// Whether the service has this setting, of those that are the same for all.
    pub(super) fn has(&self, key: &str) -> bool {
        !(self.is_edge && OF_A_CONTEXT.contains(&key)) && (self.has_broker || key != "nats_url")
    }
}
