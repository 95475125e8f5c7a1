//! Calls between services, and of those who ask them, that fail or take long because an operator wants it so.

use std::collections::BTreeSet;

use contracts::tables::METHODS;
use contracts::tradewind::mesh::v1::{ClearFaultsRequest, SetFaultRequest};
use futures::future::join_all;
use supervisor::services;
use tradewind_testing::eventually;

use super::PATIENCE;
use super::fault::Misbehaviour;
use crate::people::Person;

/// Where every service serves its log.
const LOG: &str = "tradewind.eventlog.v1.EventLogService";
/// Faults are cleared long before.
const LASTS: prost_types::Duration = prost_types::Duration { seconds: 120, nanos: 0 };

/// Has some calls of every service misbehave from now on.
pub(super) async fn misbehave(operator: &Person, misbehaviour: Misbehaviour) {
    join_all(services::names().map(async |service| {
        for named in own(service).into_iter().chain([LOG]) {
            let request = fault(&format!("{named}/*"), misbehaviour);
            eventually(PATIENCE, "calls misbehave", async || {
                operator.mesh_of(service).set_fault(request.clone()).await
            })
            .await;
        }
    }))
    .await;
}

/// Ends that, and tells how many calls have misbehaved.
pub(super) async fn behave(operator: &Person) -> u64 {
    let injected = join_all(services::names().map(async |service| {
        let mut mesh = operator.mesh_of(service);
        let cleared = mesh.clear_faults(ClearFaultsRequest::default()).await.expect("faults are cleared").into_inner();
        cleared.faults.iter().map(|fault| fault.injected).sum::<u64>()
    }));
    injected.await.into_iter().sum()
}

/// The gRPC services of a context.
fn own(context: &str) -> BTreeSet<&'static str> {
    let services = METHODS.iter().filter_map(|method| method.path.split('/').nth(1));
    services.filter(|service| service.split('.').nth(1) == Some(context)).collect()
}

fn fault(method: &str, Misbehaviour { percent, latency_ms, abort }: Misbehaviour) -> SetFaultRequest {
    let nanos = i32::try_from(latency_ms * 1_000_000).expect("less than two seconds");
    SetFaultRequest {
        method: method.to_owned(),
        percent: Some(percent),
        latency: (latency_ms > 0).then_some(prost_types::Duration { seconds: 0, nanos }),
        abort: abort.to_owned(),
        lasts: Some(LASTS),
        ..SetFaultRequest::default()
    }
}
