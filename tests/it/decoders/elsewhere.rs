//! The decoders that no `fuzzed.rs` names.

/// Below the target that leads to them, or what makes one needless; each by its file, and what it is called there.
pub(super) const ELSEWHERE: &[(&str, &[&str])] = &[
    (
        "answers-of-others",
        &[
            "kit/runtime/src/outside.rs Refusal",
            "kit/runtime/src/outside.rs RefusalView",
            "kit/runtime/src/outside/answer.rs read",
        ],
    ),
    ("broker-urls", &["kit/broker/src/connection/address.rs parse"]),
    (
        "card-statements",
        &[
            "services/payment/src/provider/statement.rs KindView",
            "services/payment/src/provider/statement.rs TransactionView",
        ],
    ),
    ("claims", &["kit/tokens/src/json.rs Strict"]),
    ("descriptors", &["cli/src/compat/mod.rs without_comments"]),
    (
        "edge-settings",
        &[
            "kit/edge/src/address.rs Network::read",
            "kit/edge/src/address.rs Proxies::read",
            "services/gateway/src/limits/quota.rs Quota::read",
        ],
    ),
    ("events-alone", &["kit/broker/src/wire/alone.rs decode", "kit/broker/src/wire/alone.rs parse"]),
    ("forwarded", &["kit/edge/src/address.rs read"]),
    ("frames", &["kit/broker/src/wire/frame.rs decode", "kit/broker/src/wire/frame.rs recorded"]),
    ("networks", &["services/notification/src/webhooks/address.rs Network"]),
    ("payment-requests", &["kit/sql/src/place.rs Place"]),
    ("product-requests", &["services/catalog/src/grpc/convert.rs read_price"]),
    (
        "rest",
        &[
            "kit/transcode/src/json.rs read",
            "kit/transcode/src/json.rs read_field",
            "kit/transcode/src/values.rs parse",
            "kit/transcode/src/values.rs parse_message",
        ],
    ),
    ("rest-answers", &["kit/transcode/src/routes.rs Route::answer_of", "kit/transcode/src/wire.rs Tables::value"]),
    (
        "sales",
        &[
            "cli/src/replay/rows/dates.rs parse",
            "cli/src/replay/rows/file.rs unpack",
            "cli/src/replay/rows/numbers.rs parse",
        ],
    ),
    ("sales-requests", &["services/analytics/src/domain/calendar.rs parse_day"]),
    ("settings", &["kit/runtime/src/settings/own.rs Own::read"]),
    ("shared-limits", &["services/gateway/src/limits/shared.rs read"]),
    ("stock-requests", &["services/inventory/src/domain/level.rs parse_level_id"]),
    ("stored-letters", &["services/notification/src/delivery.rs Deliver::call"]),
    ("stored-orders", &["kit/domain/src/record.rs Loaded::follow", "kit/store/src/store/fold.rs apply"]),
    ("stored-payments", &["services/payment/src/app/intents.rs decode"]),
    ("stored-products", &["services/catalog/src/domain/product/snapshot.rs decode"]),
    ("stored-shipments", &["services/shipping/src/app/intents.rs owed"]),
    ("templates", &["kit/transcode/src/template.rs Literal::parse", "kit/transcode/src/template.rs parse_verb"]),
    ("traces", &["kit/telemetry/src/traceparent.rs parse"]),
    (
        "prost reads a message of the contract whole, and nothing is made of its fields",
        &[
            "kit/events/src/reactions/erased.rs message",
            "kit/store/src/tx/request.rs Tx::recall",
            "services/gateway/src/who/keys.rs of_identity",
            "services/gateway/src/who/partners.rs of_identity",
            "services/inventory/src/app/audit_stock.rs add",
            "services/inventory/src/store/open_reservations.rs page",
            "services/ordering/src/store/order_list.rs order",
            "services/shipping/src/store/shipments.rs page",
        ],
    ),
    (
        "this program has written it, or the shop answers it whose operator this is",
        &[
            "cli/src/commands/token.rs Person",
            "cli/src/commands/token.rs kept",
            "cli/src/front.rs Front::follow",
            "cli/src/local/system.rs RunFile",
            "cli/src/local/system.rs running",
            "shop/src/said.rs dynamic_json",
            "cli/supervisor/src/supervised.rs State",
            "kit/runtime/src/telemetry/lines.rs span_fields",
        ],
    ),
];
