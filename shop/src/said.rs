//! How what services say is put for people and for programs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use contracts::tradewind::money::v1::Money;
use prost::{Message, Name};
use prost_reflect::{DescriptorError, DescriptorPool, DynamicMessage};
use tradewind_domain::printable;

/// A message in proto3's JSON form.
///
/// # Errors
/// When the message is not part of the contracts.
pub fn json<M: Message + Name>(message: &M) -> Result<serde_json::Value> {
    dynamic_json(&M::full_name(), &message.encode_to_vec())
}

/// An encoded message of the given full name in proto3's JSON form.
///
/// # Errors
/// When the contracts have no such message, or the bytes are not one.
pub fn dynamic_json(full_name: &str, bytes: &[u8]) -> Result<serde_json::Value> {
    static POOL: LazyLock<Result<DescriptorPool, DescriptorError>> =
        LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTOR));
    let pool = POOL.as_ref()?;
    let descriptor = pool.get_message_by_name(full_name).with_context(|| format!("unknown message {full_name}"))?;
    Ok(serde_json::to_value(DynamicMessage::decode(descriptor, bytes)?)?)
}

/// An amount for people: `GBP 12.34`.
#[must_use]
pub fn money(amount: Option<&Money>) -> String {
    amount.map_or_else(
        || "-".to_owned(),
        |Money { currency, minor }| {
            tradewind_domain::Money::new(currency, *minor)
                .map_or_else(|_| format!("{currency} {minor} (minor units)"), |money| money.to_string())
        },
    )
}

/// A value of an enum for people, without what every name of the enum begins with: `STOCK_CONFIRMED`. One that only a later build has a
/// name for is its number.
#[must_use]
pub fn word<E: TryFrom<i32>>(value: i32, name: fn(&E) -> &'static str, prefix: &str) -> Cow<'static, str> {
    let known = E::try_from(value).map(|value| name(&value).trim_start_matches(prefix).into());
    known.unwrap_or_else(|_| value.to_string().into())
}

/// A time for people: `2026-11-21T12:00:00Z`.
#[must_use]
pub fn moment(time: Option<&prost_types::Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// What every service that is asked answers, in their order, and what is wrong with those that don't.
pub async fn of_each<'a, T, F>(
    asked: impl IntoIterator<Item = (&'a str, F)>,
) -> (Vec<(&'a str, T)>, BTreeMap<&'a str, String>)
where
    F: Future<Output = Result<T>>,
{
    let asked: Vec<_> = asked.into_iter().map(|(service, answer)| async move { (service, answer.await) }).collect();
    let (mut answers, mut away) = (Vec::new(), BTreeMap::new());
    for (service, answer) in futures::future::join_all(asked).await {
        match answer {
            Ok(answer) => answers.push((service, answer)),
            Err(error) => drop(away.insert(service, explain(&error))),
        }
    }
    (answers, away)
}

/// An error for people: what a service refused and why, a line for each violation and each thing that is missing, or the chain of causes. Printable, its own
/// line ends apart.
#[must_use]
pub fn explain(error: &anyhow::Error) -> String {
    let Some(status) = error.chain().find_map(|cause| cause.downcast_ref::<tonic::Status>()) else {
        return printable(&format!("{error:#}")).into_owned();
    };
    let mut lines = vec![format!("{}: {}", tradewind_mesh::code_name(status.code()), status.message())];
    if let Some(reason) = tradewind_mesh::reason(status) {
        lines[0].push_str(&format!(" [{reason}]"));
    }
    let violations = tradewind_mesh::violations(status);
    lines.extend(violations.iter().map(|violation| format!("  {}: {}", violation.field, violation.description)));
    let missing = tradewind_mesh::missing(status);
    lines.extend(missing.iter().map(|missing| format!("  {} {}: {}", missing.kind, missing.name, missing.description)));
    lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use contracts::tradewind::ordering::v1::OrderStatus;

    use super::*;

    #[test]
    fn a_value_that_only_a_later_build_knows_is_shown_as_its_number() {
        let shown = |status: i32| word(status, OrderStatus::as_str_name, "ORDER_STATUS_");
        assert_eq!(shown(OrderStatus::StockConfirmed.into()), "STOCK_CONFIRMED");
        assert_eq!(shown(9_999), "9999");
    }
}
