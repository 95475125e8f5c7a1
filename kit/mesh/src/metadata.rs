//! The metadata that says for whom a call is made: a token, and the certificates that it is signed with.

use http::HeaderName;

/// The token.
pub(crate) const USER: HeaderName = HeaderName::from_static("tradewind-user");
/// The certificates, leaf first.
pub(crate) const CHAIN: HeaderName = HeaderName::from_static("tradewind-user-chain");
