//! The whole system on one machine: where everything lives, on which ports it listens, and the
//! processes that make it up. Nothing here knows what an order is.

mod layout;
mod process;
mod system;

pub(crate) use layout::{Layout, init_pki, renew};
pub(crate) use process::die_with_parent;
pub(crate) use system::{Notice, System, is_ready, running};
