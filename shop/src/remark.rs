//! What is shown of an event where it stands in a timeline.

/// The facts of an event that explain a decision.
#[must_use]
pub fn remark(facts: &serde_json::Value) -> String {
    let text = |key: &str| facts.get(key).and_then(serde_json::Value::as_str);
    let mut remarks = Vec::new();
    if let Some(reason) = text("reason") {
        remarks.push(reason.trim_start_matches("CANCELLATION_REASON_").to_owned());
    }
    for line in facts.get("shortLines").and_then(serde_json::Value::as_array).into_iter().flatten() {
        let units = |key: &str| line.get(key).and_then(serde_json::Value::as_str).unwrap_or("0").to_owned();
        let sku = line.get("sku").and_then(serde_json::Value::as_str).unwrap_or_default();
        remarks.push(format!("{sku} {}/{}", units("available"), units("requested")));
    }
    if let Some(tracking) = text("tracking") {
        remarks.push(tracking.to_owned());
    }
    remarks.join("  ")
}
