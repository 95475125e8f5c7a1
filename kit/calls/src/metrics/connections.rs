//! Connections: their handshakes (A118), and how long they last on the side that opens them (A94).

use std::sync::{Arc, LazyLock};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, UpDownCounter};

use super::{TARGET, meter, text};

const RESULT: &str = "grpc.tls.handshake.result";
/// What our certificates can be refused for is more than gRPC has words for.
const REASON: &str = "reason";
const DISCONNECT_ERROR: &str = "grpc.disconnect_error";

static HANDSHAKES: LazyLock<[Counter<u64>; 2]> = LazyLock::new(|| {
    ["grpc.server.tls.handshakes", "grpc.client.tls.handshakes"].map(|name| {
        meter().u64_counter(name).with_unit("{handshake}").with_description("Handshakes, by what came of them").build()
    })
});

/// A handshake has ended: with a connection, or with gRPC's word and ours for why not. `target` is whom it was with, on the side
/// that asked for it.
pub fn handshaken(target: Option<&Arc<str>>, failed: Option<(&'static str, &'static str)>) {
    let [server, client] = &*HANDSHAKES;
    let (result, reason) = failed.unwrap_or(("SUCCESS", ""));
    let result = [KeyValue::new(RESULT, result), KeyValue::new(REASON, reason)];
    match target {
        None => server.add(1, &result),
        Some(target) => client.add(1, &[result.as_slice(), &[text(TARGET, target)]].concat()),
    }
}

struct Subchannel {
    succeeded: Counter<u64>,
    failed: Counter<u64>,
    lost: Counter<u64>,
    open: UpDownCounter<i64>,
}

static SUBCHANNEL: LazyLock<Subchannel> = LazyLock::new(|| {
    let counter = |name, unit, what| meter().u64_counter(name).with_unit(unit).with_description(what).build();
    Subchannel {
        succeeded: counter(
            "grpc.subchannel.connection_attempts_succeeded",
            "{attempt}",
            "Connections that were opened",
        ),
        failed: counter(
            "grpc.subchannel.connection_attempts_failed",
            "{attempt}",
            "Connections that could not be opened",
        ),
        lost: counter("grpc.subchannel.disconnections", "{disconnection}", "Connections that are no more"),
        open: meter()
            .i64_up_down_counter("grpc.subchannel.open_connections")
            .with_unit("{connection}")
            .with_description("Connections that are open")
            .build(),
    }
});

/// A connection to `target` was opened.
pub fn connected(target: &Arc<str>) {
    let target = [text(TARGET, target)];
    SUBCHANNEL.succeeded.add(1, &target);
    SUBCHANNEL.open.add(1, &target);
}

/// A connection to `target` could not be opened.
pub fn unconnected(target: &Arc<str>) {
    SUBCHANNEL.failed.add(1, &[text(TARGET, target)]);
}

/// A connection to `target` is no more; `why` is one of A94's words.
pub fn disconnected(target: &Arc<str>, why: &'static str) {
    let target = text(TARGET, target);
    SUBCHANNEL.open.add(-1, std::slice::from_ref(&target));
    SUBCHANNEL.lost.add(1, &[target, KeyValue::new(DISCONNECT_ERROR, why)]);
}
