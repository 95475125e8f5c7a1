//! Tests over the whole shop: what the contracts promise, how the crates may depend on each other,
//! and how an order fares when every service is real. The tests are in `it/`.
