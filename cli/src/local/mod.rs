//! The whole system on one machine: where everything lives, on which ports it listens, and the
//! processes that make it up. Nothing here knows what an order is.

mod broker;
mod folder;
mod layout;
mod postgres;
mod system;

pub(crate) use broker::{configure_users, connect, keep_streams, readers, streams, users as broker_users};
pub(crate) use folder::folder;
pub(crate) use layout::{Layout, TRUST_DOMAIN, init_pki, renew};
pub(crate) use postgres::Postgres;
pub(crate) use system::{Notice, System, is_ready, reads_again, running};
