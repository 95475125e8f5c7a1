//! Who a call is for, as signed text: tokens (JWT, RFC 7519) of people who have signed in, made and checked, and the short ones that
//! go with calls inside.
//!
//! Pure: opens no connection, fetches no keys, reads no clock. Who may do what, and what a customer is, do not belong here.
//!
#![doc = include_str!("../README.md")]

mod algorithm;
mod claims;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod internal;
mod json;
mod jwks;
mod key;
mod provider;
mod recent;
mod refusal;
mod rsa;
mod signed;
mod signer;
#[cfg(test)]
mod tests;
mod verifier;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use internal::{Checker, Minted, Minter, User};
pub use jwks::{Jwks, JwksError};
pub use recent::Recent;
pub use refusal::Refusal;
pub use signer::{Signer, SignerError};
pub use verifier::{Issuer, Refused, Verifier};
