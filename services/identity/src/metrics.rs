//! What is counted of people who come in. Metrics watch; nothing decides by them.

use std::sync::LazyLock;

use opentelemetry::{KeyValue, global, metrics::Counter};

static SIGN_INS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_identity_sign_ins")
        .with_description("Those who signed in, by whether they were let in, were wrong, or had tried too often")
        .build()
});
static STOLEN: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_identity_tokens_stolen")
        .with_description("Sessions that were ended because a refresh token was shown that had been exchanged")
        .build()
});
static KEYS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_identity_partner_keys_shown")
        .with_description("Keys of partners that a gateway has asked for, by whether they were known")
        .build()
});
static HASHES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_identity_password_hashes")
        .with_description("Passwords that were hashed, and those that were turned away because too many waited")
        .build()
});

/// Makes what is counted visible before there is any.
pub(crate) fn begin() {
    for result in ["let_in", "wrong", "too_many"] {
        SIGN_INS.add(0, &[KeyValue::new("result", result)]);
    }
    for result in ["hashed", "refused"] {
        HASHES.add(0, &[KeyValue::new("result", result)]);
    }
    for result in ["known", "unknown"] {
        KEYS.add(0, &[KeyValue::new("result", result)]);
    }
    STOLEN.add(0, &[]);
}

/// Somebody signed in, or did not: `let_in`, `wrong`, `too_many`.
pub(crate) fn signed_in(result: &'static str) {
    SIGN_INS.add(1, &[KeyValue::new("result", result)]);
}

/// A session was ended because one of its tokens was stolen.
pub(crate) fn stolen() {
    STOLEN.add(1, &[]);
}

/// A key of a partner was asked for: `known`, `unknown`.
pub(crate) fn key_shown(result: &'static str) {
    KEYS.add(1, &[KeyValue::new("result", result)]);
}

/// A password was `hashed`, or `refused`.
pub(crate) fn hashed(result: &'static str) {
    HASHES.add(1, &[KeyValue::new("result", result)]);
}
