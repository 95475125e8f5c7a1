//! The whole shop as whoever looks after it sees it: clients of every service, and what services say together of one order. Programs show
//! it, each in its way; nothing here prints.

mod clients;
pub mod explain;
pub mod methods;
mod remark;
mod said;
pub mod steps;
mod survey;
mod why;

pub use clients::Clients;
pub use remark::remark;
pub use said::{dynamic_json, explain as explain_error, json, moment, money, of_each, word};
pub use survey::{Orders, Rates, Seen, Survey, fails};
pub use why::{Reason, reasons};
