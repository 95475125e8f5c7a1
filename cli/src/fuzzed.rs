//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

#![allow(clippy::expect_used, reason = "a target without what it reads with would see nothing")]

use std::sync::LazyLock;

use contracts::tables::EVENTS;
use csv::Writer;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::commands::order::{parse_line, parse_money, parse_status};
use crate::commands::{broker, pki};
use crate::compat::{self, Reads};
use crate::local::Postgres;
use crate::replay::rows::{Dialect, Row, of_bytes};
use crate::{body, catalogue};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] =
    &[("sales", sales), ("descriptors", descriptors), ("arguments", arguments), ("events", events)];

static READS: LazyLock<Reads> = LazyLock::new(Reads::known);
/// The contracts of this build.
static CONTRACTS: LazyLock<DescriptorPool> =
    LazyLock::new(|| compat::contracts(contracts::DESCRIPTOR).expect("the contract can be read"));

/// A file of sales. What was read of it is the same when it is written plainly.
fn sales(bytes: &[u8]) {
    let Ok(read) = of_bytes(bytes.to_vec(), Dialect::default()) else { return };
    assert_eq!(read.rows.len() + read.passed_over.values().sum::<usize>(), read.read);
    let _ = read.complaint();
    if read.rows.is_empty() {
        return;
    }
    let again = plainly(&read.rows).and_then(|text| of_bytes(text, Dialect::default()).ok());
    assert!(again.is_some_and(|again| again.rows == read.rows), "written plainly, they are others");
}

fn plainly(rows: &[Row]) -> Option<Vec<u8>> {
    let mut text = Writer::from_writer(Vec::new());
    let header = "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country";
    text.write_record(header.split(' ')).ok()?;
    for Row { invoice, stock_code, description, quantity, at, pence, customer, country } in rows {
        let (quantity, price) = (quantity.to_string(), format!("{}.{:02}", pence / 100, pence % 100));
        let at = format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second());
        text.write_record([invoice, stock_code, description, &quantity, &at, &price, customer, country]).ok()?;
    }
    text.into_inner().ok()
}

/// Descriptors as somebody hands them over, and more contracts beside those there are.
fn descriptors(bytes: &[u8]) {
    if let Ok(others) = compat::contracts(bytes) {
        are_held_beside_ours(&others);
    }
    if compat::is_of_known_syntax(bytes).is_err() {
        return;
    }
    let mut more = CONTRACTS.clone();
    if more.decode_file_descriptor_set(bytes).is_ok() && more.files().len() > CONTRACTS.files().len() {
        are_held_beside_ours(&more);
    }
}

fn are_held_beside_ours(others: &DescriptorPool) {
    let broken = compat::compare(&CONTRACTS, others, &READS);
    let _ = (broken, compat::compare(others, &CONTRACTS, &READS));
    let _ = compat::can_deploy("ordering", others, &CONTRACTS, &READS);
    let _ = (catalogue::asyncapi(others), catalogue::page(others));
}

fn arguments(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = (parse_status(text), parse_line(text), text.parse::<Postgres>());
    let _ = (pki::parse_workload(text), pki::parse_reader(text), broker::parse_reader(text));
    if let Ok(money) = parse_money(text) {
        assert_eq!(parse_money(&format!("{}:{}", money.currency, money.minor)).ok(), Some(money));
    }
}

/// Which event, and its bytes. What is shown of it is an event of that kind, of which all is shown.
fn events(bytes: &[u8]) {
    let Some((which, payload)) = bytes.split_first() else { return };
    let Some(event) = EVENTS.get(usize::from(*which) % EVENTS.len()) else { return };
    let decoded = |bytes: &[u8]| {
        let kind = CONTRACTS.get_message_by_name(event.name)?;
        DynamicMessage::decode(kind, bytes).ok()
    };
    let Some(message) = decoded(payload) else { return };
    let again = message.encode_to_vec();
    assert_eq!(decoded(&again).map(|message| message.encode_to_vec()), Some(again));
    let shown = contracts::shown(event.name, payload);
    assert!(decoded(&shown).is_some() && contracts::shown(event.name, &shown) == shown, "{}", event.name);
    let _ = body::of(event.name, payload).map(|body| (body.text(), body.json()));
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;
