//! What a document says, and what it is called. How it looks, and where its facts come from, must not be here.

mod document;
mod number;

pub use document::{Document, Item, amount};
pub use number::{Kind, Number};
