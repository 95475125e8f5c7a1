//! Every decoder and parser under libFuzzer, in one program: `TARGET` says which. What each reads and has to hold is in the `fuzzed.rs`
//! of the crate that it is of.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

type Target = (&'static str, fn(&[u8]));

const TARGETS: &[&[Target]] = &[
    analytics::fuzzed::TARGETS,
    catalog::fuzzed::TARGETS,
    gateway::fuzzed::TARGETS,
    identity::fuzzed::TARGETS,
    inventory::fuzzed::TARGETS,
    notification::fuzzed::TARGETS,
    ordering::fuzzed::TARGETS,
    payment::fuzzed::TARGETS,
    shipping::fuzzed::TARGETS,
    tradewind::fuzzed::TARGETS,
    tradewind_console::fuzzed::TARGETS,
    documents::fuzzed::TARGETS,
    tradewind_admission::fuzzed::TARGETS,
    tradewind_broker::fuzzed::TARGETS,
    tradewind_calls::fuzzed::TARGETS,
    tradewind_domain::fuzzed::TARGETS,
    tradewind_events::fuzzed::TARGETS,
    tradewind_filter::fuzzed::TARGETS,
    tradewind_mesh::fuzzed::TARGETS,
    tradewind_runtime::fuzzed::TARGETS,
    tradewind_sql::fuzzed::TARGETS,
    tradewind_store::fuzzed::TARGETS,
    tradewind_tokens::fuzzed::TARGETS,
    tradewind_transcode::fuzzed::TARGETS,
    tradewind_workload::fuzzed::TARGETS,
];

static READ: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    let found = TARGETS.iter().copied().flatten().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no target {name:?}")).1
});

fuzz_target!(|bytes: &[u8]| READ(bytes));
