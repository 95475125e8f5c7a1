//! Orders by who placed them, where they are, and any filter that the list takes.

use axum::extract::Query;
use contracts::tradewind::ordering::v1::{ListOrdersRequest, Order, OrderStatus};
use maud::{Markup, html};
use serde::Deserialize;
use shop::{money, word};

use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::words::{next, order, time};

const PAGE: i32 = 50;
const STATUSES: [OrderStatus; 8] = [
    OrderStatus::Pending,
    OrderStatus::StockConfirmed,
    OrderStatus::Paid,
    OrderStatus::Confirmed,
    OrderStatus::Shipped,
    OrderStatus::Delivered,
    OrderStatus::Cancelling,
    OrderStatus::Cancelled,
];

#[derive(Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    customer_id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    page_token: String,
}

pub(crate) async fn orders(look: Look, Query(asked): Query<Asked>) -> Result<View, Fault> {
    let status = STATUSES.into_iter().find(|status| name(*status) == asked.status).unwrap_or_default();
    let request = ListOrdersRequest {
        page_size: PAGE,
        page_token: asked.page_token.clone(),
        customer_id: asked.customer_id.trim().to_owned(),
        status: status.into(),
        filter: asked.filter.trim().to_owned(),
        ..ListOrdersRequest::default()
    };
    let pairs = [("customer_id", asked.customer_id.as_str()), ("status", &asked.status), ("filter", &asked.filter)];
    let (still, live) = match look.shop().ordering()?.list_orders(request).await {
        Ok(found) => {
            let found = found.into_inner();
            (
                asking(&asked),
                html! { (table(&found.orders)) (next("orders", "/console/orders", &pairs, ("page_token", &found.next_page_token))) },
            )
        }
        // What is wrong with a filter is said beside it.
        Err(refused) if refused.code() == tonic::Code::InvalidArgument => {
            (asking(&asked), Fault::from(refused).markup())
        }
        Err(error) => return Err(error.into()),
    };
    Ok(View { title: "Orders".to_owned(), still, live })
}

fn name(status: OrderStatus) -> String {
    word(status.into(), OrderStatus::as_str_name, "ORDER_STATUS_").to_lowercase()
}

fn asking(asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action="/console/orders" {
            label { "Customer " input name="customer_id" value=(asked.customer_id); }
            label {
                "Status "
                select name="status" {
                    option value="" { "any" }
                    @for status in STATUSES.map(name) {
                        option value=(status) selected[status == asked.status] { (status) }
                    }
                }
            }
            label { "Filter " input name="filter" value=(asked.filter) size="40" placeholder="as in total > 100 AND country = \"GB\""; }
            button { "Show" }
        }
    }
}

fn table(orders: &[Order]) -> Markup {
    html! {
        @if orders.is_empty() { p.fine { "There are none." } } @else {
            div.wide tabindex="0" role="region" aria-label="The orders" {
                table {
                    thead { tr { th scope="col" { "Order" } th scope="col" { "Status" } th scope="col" { "Customer" } th.number scope="col" { "Lines" } th.number scope="col" { "Total" } th scope="col" { "Placed" } th scope="col" { "Changed" } } }
                    tbody {
                        @for one in orders {
                            tr {
                                td { (order(&one.order_id)) }
                                td { (word(one.status, OrderStatus::as_str_name, "ORDER_STATUS_").to_lowercase()) }
                                td { bdi { (one.customer_id) } }
                                td.number { (one.lines.len()) }
                                td.number { (money(one.total.as_ref())) }
                                td { (time(one.create_time.as_ref())) }
                                td { (time(one.update_time.as_ref())) }
                            }
                        }
                    }
                }
            }
        }
    }
}
