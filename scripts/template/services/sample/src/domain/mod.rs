//! The rules of items. Pure.
//!
//! No I/O, no clock, no database rows, no gRPC.

mod item;
mod new_item;

pub use item::{Command, Item, ItemError, ItemEvent};
pub use new_item::{NewItem, is_item_id, is_name};
