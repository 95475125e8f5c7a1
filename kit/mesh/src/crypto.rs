//! Who does the cryptography of TLS, and of issuing what TLS shows.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The one cryptography provider, explicit so that nothing depends on a process-wide default.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
