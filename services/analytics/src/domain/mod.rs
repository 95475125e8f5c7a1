//! What has to follow what, and how long that takes; and how sales are told apart, and what they foretell. Pure.
//!
//! No I/O, no clock, no database rows, no gRPC.

mod age;
mod calendar;
mod done;
mod fact;
mod forecast;
mod step;
mod times;

pub use age::Age;
pub use calendar::{Span, day_of, day_text, month_text, months_and_days, parse_day};
pub use done::Done;
pub use fact::{Fact, Line, Moved, Placed, Reached};
pub use forecast::{Forecast, Outlook, Taken, forecast};
pub use step::{STEPS, Step, Turn, answered_by, asked_by, owner_of, part_in, turns_of};
pub use times::{Doubling, EXACT, doublings, last_class, middle, within};
