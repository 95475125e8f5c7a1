//! What was sold, and for how long stock lasts.

use anyhow::Result;
use axum::extract::Query;
use contracts::tradewind::analytics::v1::{
    ForecastStockRequest, ListSalesRequest, Sales, SalesKind, SalesSpan, StockForecast, StockOutlook,
};
use maud::{Markup, html};
use serde::Deserialize;
use shop::{money as amount, word};
use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::plot::{Bar, bars};
use crate::words::{count, next};

const PAGE: i32 = 100;
const SPANS: [(&str, SalesSpan); 3] = [("day", SalesSpan::Day), ("week", SalesSpan::Week), ("month", SalesSpan::Month)];
const KINDS: [(&str, SalesKind); 4] = [
    ("all", SalesKind::All),
    ("product", SalesKind::Product),
    ("country", SalesKind::Country),
    ("cohort", SalesKind::Cohort),
];

#[derive(Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    span: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    page_token: String,
    #[serde(default)]
    stock_token: String,
}

pub(crate) async fn sales(look: Look, Query(asked): Query<Asked>) -> Result<View, Fault> {
    let of = |name: &str| SPANS.into_iter().find(|(each, _)| *each == name).map_or(SalesSpan::Day, |(_, span)| span);
    let kind = KINDS.into_iter().find(|(each, _)| *each == asked.by).map_or(SalesKind::All, |(_, kind)| kind);
    let request = ListSalesRequest {
        from_day: asked.from.clone(),
        to_day: asked.to.clone(),
        span: of(&asked.span).into(),
        kind: kind.into(),
        key: asked.key.trim().to_owned(),
        page_size: PAGE,
        page_token: asked.page_token.clone(),
        after: Vec::new(),
    };
    let pairs = [
        ("from", asked.from.as_str()),
        ("to", &asked.to),
        ("span", &asked.span),
        ("by", &asked.by),
        ("key", &asked.key),
    ];
    let mut client = look.shop().sales()?;
    let live = match client.list_sales(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            let page_token = asked.stock_token.clone();
            let request = ForecastStockRequest { page_size: PAGE, page_token, ..ForecastStockRequest::default() };
            let stock = client.forecast_stock(request).await?.into_inner();
            html! {
                p.soft { "From " (answer.from_day) " to " (answer.to_day) "." }
                @if kind == SalesKind::All || !asked.key.is_empty() { (drawn(&answer.sales)) }
                (table(&answer.sales))
                (next("sales", "/console/sales", &pairs, ("page_token", &answer.next_page_token)))
                h2 { "How long stock lasts" }
                (forecast(&stock.forecasts))
                (next("forecasts", "/console/sales", &pairs, ("stock_token", &stock.next_page_token)))
            }
        }
        Err(refused) if refused.code() == tonic::Code::InvalidArgument => Fault::from(refused).markup(),
        Err(error) => return Err(error.into()),
    };
    Ok(View { title: "Sales".to_owned(), still: asking(&asked), live })
}

fn asking(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/console/sales" {
            label { "From " input type="date" name="from" value=(asked.from); }
            label { "To " input type="date" name="to" value=(asked.to); }
            label { "By " select name="span" { @for (name, _) in SPANS { option selected[name == asked.span] { (name) } } } }
            label { "Of " select name="by" { @for (name, _) in KINDS { option selected[name == asked.by] { (name) } } } }
            label { "Only " input name="key" value=(asked.key) placeholder="a product, country or cohort"; }
            button { "Show" }
        }
    }
}

/// A drawing for each currency.
fn drawn(sales: &[Sales]) -> Markup {
    let mut by_currency: BTreeMap<&str, Vec<Bar>> = BTreeMap::new();
    for one in sales {
        let Some(of) = &one.amount else { continue };
        let cancelled = one.cancelled_amount.as_ref().map_or(0, |amount| amount.minor);
        by_currency.entry(&of.currency).or_default().push(Bar {
            label: one.start_day.clone(),
            value: of.minor,
            part: cancelled,
            said: format!("{}: {}, {} orders", one.start_day, amount(Some(of)), one.orders),
        });
    }
    html! { @for (currency, all) in by_currency { (bars(&format!("Sales in {currency}, darker what was cancelled afterwards"), &all)) } }
}

fn table(sales: &[Sales]) -> Markup {
    html! {
        @if sales.is_empty() { p.fine { "Nothing was sold." } } @else {
            div.wide tabindex="0" role="region" aria-label="Sales" {
                table {
                    thead { tr { th scope="col" { "From" } th scope="col" { "Of" } th.number scope="col" { "Orders" } th.number scope="col" { "Units" } th.number scope="col" { "Amount" } th.number scope="col" { "Cancelled afterwards" } } }
                    tbody {
                        @for one in sales {
                            tr {
                                td { (one.start_day) }
                                td { bdi { (one.key) } }
                                td.number { (count(one.orders)) }
                                td.number { (count(one.units)) }
                                td.number { (amount(one.amount.as_ref())) }
                                td.number { (amount(one.cancelled_amount.as_ref())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn forecast(stock: &[StockForecast]) -> Markup {
    html! {
        @if stock.is_empty() { p.soft { "There is none." } } @else {
            div.wide tabindex="0" role="region" aria-label="How long stock lasts" {
                table {
                    thead { tr { th scope="col" { "Product" } th scope="col" { "Place" } th.number scope="col" { "Available" } th.number scope="col" { "Taken a day" } th scope="col" { "Lasts" } } }
                    tbody {
                        @for one in stock {
                            tr {
                                td { bdi { (one.sku) } }
                                td { bdi { (one.location) } }
                                td.number { (count(one.available)) }
                                td.number { (format!("{:.1}", one.mean)) }
                                td.bad[one.outlook() == StockOutlook::Out] {
                                    @match one.outlook() {
                                        StockOutlook::RunsOut => { (one.days_left) " days, until " (one.stock_out_day) }
                                        _ => (word(one.outlook, StockOutlook::as_str_name, "STOCK_OUTLOOK_").to_lowercase()),
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
