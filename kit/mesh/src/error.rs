/// Why the mesh could not be set up. Failures of calls are [`tonic::Status`], not this.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Credentials, or what was asked of them.
    #[error(transparent)]
    Workload(#[from] tradewind_workload::Error),
    /// A name or address that was handed in is malformed.
    #[error("{0}")]
    Name(String),
    /// The address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No address is configured for a service.
    #[error("no address is configured for peer `{0}`")]
    UnknownPeer(String),
}
