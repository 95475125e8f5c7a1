//! What this service does: one command or query a file.

mod create_item;
mod get_item;

pub use create_item::create_item;
pub use get_item::get_item;
