//! The rules of accounts: what an address and a password may be, how often one may guess, what follows a refresh token, and which
//! key signs. Pure.
//!
//! No I/O, no clock, no randomness, no database rows, no gRPC, no cryptography.

mod account;
mod common;
mod email;
pub mod limits;
mod network;
pub mod partner_key;
mod password;
mod role;
mod rotation;
pub mod schedule;

pub use account::{Account, AccountError, AccountEvent, Command, Teller};
pub use email::Email;
pub use network::Network;
pub use password::{LONGEST, PasswordError, SHORTEST, check as check_password, check_length};
pub use role::{Role, Roles};
pub use rotation::{GRACE, Presented, Rotation, judge};
