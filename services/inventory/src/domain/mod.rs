//! The rules of stock and reservations: pure, over the contract's own messages.
//!
//! No I/O, no clock, no database rows, no gRPC.

mod asked;
mod audit;
mod count;
mod difference;
mod level;
mod movement;
mod planning;
mod reservation;

pub use audit::{Compared, Levels, compare};
pub use count::{is_possible, minus, plus};
pub use difference::{AGREES, AUDIT, Difference, DifferenceCommand, DifferenceError, DifferenceEvent};
pub use level::{Correction, LevelError, LevelEvent, Receipt, To, is_location, level_id, level_stream, parse_level_id};
pub use movement::{Movement, Moving};
pub use planning::{Demand, InvalidDemand, Level, Plan};
pub use reservation::{Command, Reservation, ReservationError, ReservationEvent};
