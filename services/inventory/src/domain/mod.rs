//! The rules of stock and reservations: pure, over the contract's own messages.
//!
//! No I/O, no clock, no database rows, no gRPC.

mod asked;
mod level;
mod planning;
mod reservation;

pub use level::{LevelError, LevelEvent, Receipt, is_location, level_id, parse_level_id};
pub use planning::{Demand, InvalidDemand, Level, Plan};
pub use reservation::{Command, Reservation, ReservationError, ReservationEvent};
