//! What this service does: one command or query a file.

mod create_product;
mod get_product;
mod list_products;
mod reprice_product;
mod retire_product;

pub use create_product::create_product;
pub use get_product::get_product;
pub use list_products::list_products;
pub use reprice_product::reprice_product;
pub use retire_product::retire_product;
