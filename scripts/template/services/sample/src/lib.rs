//! The sample context: its items.
//!
//! This file is the composition root. What others do with an item is none of this context's business.

pub mod app;
pub mod domain;
mod grpc;
pub mod store;

#[cfg(any(test, feature = "fuzzed"))]
pub use grpc::fuzzed;

use contracts::tradewind::sample::v1::sample_service_server::SampleServiceServer;
use tradewind_runtime::{Kit, NoSettings, Parts, Service};

use crate::grpc::Api;

/// The service: its tables and its calls.
#[must_use]
pub fn service() -> Service {
    Service::new("sample", store::migrations, compose).purpose("keeps the items of sample").ports(7199, 7299)
}

#[expect(clippy::unnecessary_wraps, reason = "the runtime lets a composition fail")]
fn compose(kit: Kit, _: NoSettings) -> anyhow::Result<Parts> {
    Ok(Parts::new().grpc(SampleServiceServer::new(Api::new(kit.store))))
}
