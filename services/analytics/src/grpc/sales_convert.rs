//! Fields of requests about sales to what is asked, or everything that is wrong with them.

use contracts::tradewind::analytics::v1::{ForecastStockRequest, ListSalesRequest, SalesKind, SalesSpan};
use tradewind_domain::request::{SKU_RULE, Violations, is_sku, page_size, page_token};
use tradewind_domain::{Country, Error};

use crate::app::{AskedDays, AskedForecast, AskedSales};
use crate::domain::{Span, parse_day};
use crate::store::sales::WantedSales;

const DAY_RULE: &str = "must be a day as 2026-11-28, of 1970 or later";
const KEY_RULE: &str =
    "must be what sums are told apart by: a product of up to 64 characters, a country as GB, a cohort as 2026-11";
/// The days that are told of where no first one is named.
const USUAL: i64 = 30;
/// The most days of sums, which are paged.
const LONGEST_LIST: i64 = 3_660;
/// The most days of what is summed up when it is asked for.
const LONGEST: i64 = 366;
/// The days that a forecast looks at: where nothing is said, and those that there may be.
const USUAL_LOOK: i32 = 28;
const LOOK: std::ops::RangeInclusive<i32> = 7..=365;

/// Which sums are asked for, `today` being the day that it is.
pub(crate) fn sales(request: &ListSalesRequest, today: i64) -> Result<AskedSales, Error> {
    let mut violations = Violations::default();
    let days = period(&request.from_day, &request.to_day, LONGEST_LIST, today, &mut violations);
    let span = match SalesSpan::try_from(request.span) {
        Ok(SalesSpan::Unspecified | SalesSpan::Day) => Some(Span::Day),
        Ok(SalesSpan::Week) => Some(Span::Week),
        Ok(SalesSpan::Month) => Some(Span::Month),
        Err(_) => None,
    };
    violations.check(span.is_some(), "span", "UNKNOWN_SPAN", "is not a span of sums");
    let kind = match SalesKind::try_from(request.kind) {
        Ok(SalesKind::Unspecified) => Some(SalesKind::All),
        kind => kind.ok(),
    };
    violations.check(kind.is_some(), "kind", "UNKNOWN_KIND", "is not what sales are told apart by");
    let key = &request.key;
    let is_key = key.is_empty() || kind.is_none_or(|kind| is_key(kind, key));
    violations.check(is_key, "key", "INVALID_KEY", KEY_RULE);
    let size = violations.catch(page_size(request.page_size));
    let place = violations.catch(page_token(&request.page_token)).flatten();
    let whole = days.zip(span).zip(kind).zip(size);
    let ((((from, to), span), kind), size) = violations.finish_with(whole)?;
    let wanted = WantedSales {
        kind: i32::from(kind).into(),
        span,
        from: span.start(from),
        to: span.end(to),
        key: (!key.is_empty()).then(|| key.clone()),
    };
    Ok(AskedSales { wanted, place, size, after: request.after.clone() })
}

/// Of the orders of which days, `today` being the day that it is.
pub(crate) fn days(from_day: &str, to_day: &str, after: Vec<String>, today: i64) -> Result<AskedDays, Error> {
    let mut violations = Violations::default();
    let days = period(from_day, to_day, LONGEST, today, &mut violations);
    Ok(AskedDays { days: violations.finish_with(days)?, after })
}

/// Which forecasts are asked for.
pub(crate) fn forecast(request: &ForecastStockRequest) -> Result<AskedForecast, Error> {
    let mut violations = Violations::default();
    let sku = &request.sku;
    violations.check(sku.is_empty() || is_sku(sku), "sku", "INVALID_SKU", SKU_RULE);
    let days = if request.days == 0 { USUAL_LOOK } else { request.days };
    violations.check(LOOK.contains(&days), "days", "INVALID_DAYS", "must be from 7 to 365");
    let size = violations.catch(page_size(request.page_size));
    let place = violations.catch(page_token(&request.page_token)).flatten();
    let size = violations.finish_with(size)?;
    let sku = (!sku.is_empty()).then(|| sku.clone());
    Ok(AskedForecast { sku, days: days.into(), place, size, after: request.after.clone() })
}

/// The first and the last day that are meant.
fn period(from: &str, to: &str, most: i64, today: i64, violations: &mut Violations) -> Option<(i64, i64)> {
    let mut day = |text: &str, field: &str| {
        let day = parse_day(text);
        violations.check(text.is_empty() || day.is_some(), field, "INVALID_DAY", DAY_RULE);
        day
    };
    let (named_from, named_to) = (day(from, "from_day"), day(to, "to_day"));
    let to_day = if to.is_empty() { today } else { named_to? };
    let from_day = if from.is_empty() { to_day - USUAL + 1 } else { named_from? };
    violations.check(from_day <= to_day, "from_day", "PERIOD_BACKWARDS", "must not be after to_day");
    let text = format!("must be at most {most} days before to_day, which is one of them");
    violations.check(to_day - from_day < most, "from_day", "PERIOD_TOO_LONG", &text);
    Some((from_day, to_day))
}

fn is_key(kind: SalesKind, key: &str) -> bool {
    match kind {
        SalesKind::Unspecified | SalesKind::All => false,
        SalesKind::Product => key.chars().count() <= 64,
        SalesKind::Country => Country::parse(key).is_some(),
        SalesKind::Cohort => parse_day(&format!("{key}-01")).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28.
    const TODAY: i64 = 20_785;

    #[test]
    fn the_last_thirty_days_are_asked_for_unless_others_are_named() {
        let AskedSales { wanted, place, size, .. } = sales(&ListSalesRequest::default(), TODAY).unwrap();
        let all = WantedSales { kind: 1, span: Span::Day, from: TODAY - 29, to: TODAY, key: None };
        assert_eq!((wanted, place, size), (all, None, 100));
        assert_eq!(days("2026-11-27", "", Vec::new(), TODAY).unwrap().days, (TODAY - 1, TODAY));
        let month =
            ListSalesRequest { span: SalesSpan::Month.into(), to_day: "2026-11-10".into(), ..Default::default() };
        let wanted = sales(&month, TODAY).unwrap().wanted;
        assert_eq!([wanted.from, wanted.to].map(crate::domain::day_text), ["2026-10-01", "2026-11-30"]);
        assert_eq!(forecast(&ForecastStockRequest::default()).unwrap().days, 28);
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let request = ListSalesRequest {
            from_day: "yesterday".to_owned(),
            to_day: "2026-11-31".to_owned(),
            span: 9,
            kind: 9,
            page_size: -1,
            page_token: "x".to_owned(),
            ..Default::default()
        };
        let fields: Vec<_> =
            sales(&request, TODAY).unwrap_err().violations.into_iter().map(|wrong| wrong.field).collect();
        assert_eq!(fields, ["from_day", "to_day", "span", "kind", "page_size", "page_token"]);
        let wrong = ForecastStockRequest {
            sku: "a b".into(),
            days: 6,
            page_size: -1,
            page_token: "x".into(),
            ..Default::default()
        };
        let fields: Vec<_> = forecast(&wrong).unwrap_err().violations.into_iter().map(|wrong| wrong.field).collect();
        assert_eq!(fields, ["sku", "days", "page_size", "page_token"]);
        let reason = |from: &str, to: &str| days(from, to, Vec::new(), TODAY).map_err(|error| error.reason);
        assert_eq!(reason("2026-11-02", "2026-11-01"), Err("PERIOD_BACKWARDS"));
        assert_eq!(reason("2025-11-27", "2026-11-28"), Err("PERIOD_TOO_LONG"));
        assert!(reason("2025-11-28", "2026-11-28").is_ok());
    }

    #[test]
    fn a_key_is_one_of_its_kind() {
        let with = |kind: SalesKind, key: &str| {
            let request = ListSalesRequest { kind: kind.into(), key: key.to_owned(), ..Default::default() };
            sales(&request, TODAY).map(|asked| asked.wanted.key).map_err(|error| error.reason)
        };
        for (kind, key) in [(SalesKind::Product, "tea"), (SalesKind::Country, "GB"), (SalesKind::Cohort, "2026-11")] {
            assert_eq!(with(kind, key), Ok(Some(key.to_owned())));
            assert_eq!(with(kind, ""), Ok(None));
        }
        let long = "x".repeat(65);
        for (kind, key) in [
            (SalesKind::All, "tea"),
            (SalesKind::Product, long.as_str()),
            (SalesKind::Country, "UK"),
            (SalesKind::Cohort, "2026-13"),
        ] {
            assert_eq!(with(kind, key), Err("INVALID_KEY"), "{key}");
        }
    }
}
