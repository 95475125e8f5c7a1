//! What this context does: keep what documents say, list them, make them.

mod get_document;
mod list_documents;
pub(crate) mod sales;

pub(crate) use get_document::{get_document, no_document};
pub(crate) use list_documents::{list_documents, no_order};
pub use sales::documents;
pub(crate) use sales::owner;
