//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::analytics::v1::{
    ForecastStockRequest, GetFunnelRequest, GetStepTimesRequest, ListSalesRequest, ListStuckFlowsRequest,
};
use prost::Message;

use super::{convert, sales_convert};
use crate::domain::{day_text, parse_day};
use crate::store::Place;
use crate::store::sales::{SalePlace, StockPlace};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] =
    &[("flow-requests", flow_requests), ("sales-requests", sales_requests), ("clickhouse-answers", clickhouse_answers)];

/// 2026-11-28.
const TODAY: i64 = 20_785;

/// The bytes of a request; what they say as text may be a place as well.
fn flow_requests(bytes: &[u8]) {
    _ = ListStuckFlowsRequest::decode(bytes).map(|request| convert::asked(&request));
    if let Some(place) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Place>().ok()) {
        assert_eq!(place.to_string().parse(), Ok(place), "a place is read as it is written");
    }
}

/// What ClickHouse answers.
fn clickhouse_answers(bytes: &[u8]) {
    crate::clickhouse::fuzzed::answers(bytes);
}

/// The bytes of a request; what they say as text may be a place or a day as well.
fn sales_requests(bytes: &[u8]) {
    _ = ListSalesRequest::decode(bytes).map(|request| sales_convert::sales(&request, TODAY));
    _ = ForecastStockRequest::decode(bytes).map(|request| sales_convert::forecast(&request));
    if let Ok(GetFunnelRequest { from_day, to_day, after }) = GetFunnelRequest::decode(bytes) {
        _ = sales_convert::days(&from_day, &to_day, after, TODAY);
    }
    if let Ok(GetStepTimesRequest { from_day, to_day, after }) = GetStepTimesRequest::decode(bytes) {
        _ = sales_convert::days(&from_day, &to_day, after, TODAY);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(place) = text.parse::<SalePlace>() {
        assert_eq!(place.to_string().parse(), Ok(place), "a place is read as it is written");
    }
    if let Ok(place) = text.parse::<StockPlace>() {
        assert_eq!(place.to_string().parse(), Ok(place), "a place is read as it is written");
    }
    if let Some(day) = parse_day(text) {
        assert_eq!(day_text(day), text, "a day is read as it is written");
    }
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
