//! The crash matrix: every service is killed at every boundary while orders flow, the broker, the databases and the messages
//! suffer what they may suffer, and after each run the books and the journals of all readers are proved.
//!
//! A cell is one service at one boundary, or one fault of what the services stand on. Everything random in it follows from its
//! seed. Nothing here knows how a service does what it does.

mod broker;
mod calls;
mod cell;
pub(crate) mod dice;
mod fault;
mod journal;
mod matrix;
pub(crate) mod orders;
pub(crate) mod proof;
pub(crate) mod replicas;
mod report;
mod soak;
mod staff;
mod stage;
mod upgrade;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use cell::text_of;
pub use cell::{Verdict, run};
pub use matrix::{Cell, cells, of_seed, seed};
pub use report::Report;
pub use soak::soak;
pub use staff::serve;
pub use upgrade::upgrade;

/// How long anything in a cell may take; far longer than it does, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a run is to be made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the logs and databases of what fails are kept.
    pub folder: PathBuf,
    /// Lets one reader of each cell handle events twice, to see that this is found.
    pub forge: bool,
}
