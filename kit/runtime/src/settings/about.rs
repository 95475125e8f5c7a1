//! What a service says of itself, from which the defaults of its settings follow.

use std::path::PathBuf;

use super::Setting;

/// Where a system on one machine keeps certificates and data unless told otherwise.
pub(crate) const FOLDER: &str = ".tradewind";

/// What `--help` tells about a service, and what its defaults derive from.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) grpc_port: u16,
    pub(crate) admin_port: u16,
    /// Where certificates and data are that no setting says.
    pub(crate) folder: PathBuf,
    /// The service's own settings.
    pub(crate) settings: Vec<Setting>,
}
