//! What payments have moved, and where that is not what the card provider says.

use anyhow::Result;
use axum::extract::Query;
use contracts::tradewind::payment::v1::{
    Account, Balance, Difference, DifferenceKind, DifferenceState, GetBalanceRequest, LedgerEntry,
    ListDifferencesRequest, ListEntriesRequest,
};
use maud::{Markup, html};
use serde::Deserialize;
use shop::{money as amount, word};

use crate::act::Act;
use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::words::{next, order, time};

const PAGE: i32 = 50;

#[derive(Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    order_id: String,
    #[serde(default)]
    page_token: String,
    #[serde(default)]
    differences_token: String,
}

pub(crate) async fn money(look: Look, Query(asked): Query<Asked>) -> Result<View, Fault> {
    let mut ledger = look.shop().ledger()?;
    let balances = ledger.get_balance(GetBalanceRequest {}).await?.into_inner().balances;
    let (state, page_token) = (DifferenceState::Open.into(), asked.differences_token.clone());
    let request = ListDifferencesRequest { state, page_size: PAGE, page_token };
    let open = ledger.list_differences(request).await?.into_inner();
    let request = ListEntriesRequest {
        order_id: asked.order_id.trim().to_owned(),
        page_size: PAGE,
        page_token: asked.page_token.clone(),
        ..ListEntriesRequest::default()
    };
    let entries = ledger.list_entries(request).await?.into_inner();
    let pairs = [("order_id", asked.order_id.as_str())];
    let live = html! {
        (balance(&balances))
        h2 { "Where the provider says otherwise" }
        @if open.differences.is_empty() { p.fine { "Nothing is open." } } @else { (differing(&look, &open.differences)) }
        (next("differences", "/console/money", &pairs, ("differences_token", &open.next_page_token)))
        h2 { "Entries" }
        (listed(&entries.entries))
        (next("entries", "/console/money", &pairs, ("page_token", &entries.next_page_token)))
    };
    let still = html! {
        form.filter method="get" action="/console/money" {
            label { "Entries of order " input name="order_id" value=(asked.order_id) size="38"; }
            button { "Show" }
        }
    };
    Ok(View { title: "Money".to_owned(), still, live })
}

fn account(account: i32) -> String {
    word(account, Account::as_str_name, "ACCOUNT_").to_lowercase().replace('_', " ")
}

fn balance(balances: &[Balance]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Balances" {
            table {
                thead { tr { th scope="col" { "Account" } th.number scope="col" { "Balance; all of a currency add up to nothing" } } }
                tbody {
                    @for Balance { account: of, amount: is } in balances {
                        tr { td { (account(*of)) } td.number { (amount(is.as_ref())) } }
                    }
                }
            }
        }
    }
}

fn differing(look: &Look, differences: &[Difference]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Differences" {
            table {
                thead { tr { th scope="col" { "What" } th scope="col" { "Order" } th.number scope="col" { "Here" } th.number scope="col" { "There" } th scope="col" { "Found" } th scope="col" { "Do" } } }
                tbody {
                    @for one in differences {
                        tr {
                            td { (word(one.kind, DifferenceKind::as_str_name, "DIFFERENCE_KIND_").to_lowercase().replace('_', " ")) }
                            td { @if !one.order_id.is_empty() { (order(&one.order_id)) } }
                            td.number { (amount(one.here.as_ref())) }
                            td.number { (amount(one.there.as_ref())) }
                            td { (time(one.found_time.as_ref())) }
                            td { (Act::Resolve { difference_id: one.difference_id.clone(), note: String::new() }.form(look, "Resolve", &[("note", "Note")])) }
                        }
                    }
                }
            }
        }
    }
}

fn listed(entries: &[LedgerEntry]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Entries" {
            table {
                thead { tr { th scope="col" { "When" } th scope="col" { "Order" } th scope="col" { "From" } th scope="col" { "To" } th.number scope="col" { "Amount" } th scope="col" { "The provider's name for it" } } }
                tbody {
                    @for entry in entries {
                        tr {
                            td { (time(entry.time.as_ref())) }
                            td { (order(&entry.order_id)) }
                            td { (account(entry.credit)) }
                            td { (account(entry.debit)) }
                            td.number { (amount(entry.amount.as_ref())) }
                            td { code { bdi { (entry.reference) } } }
                        }
                    }
                }
            }
        }
    }
}
