//! A list that goes on says so, and leads on; one that has ended does neither. Each is followed to its end.

use std::collections::BTreeMap;

use contracts::tradewind::analytics::v1::sales_service_server::{SalesService, SalesServiceServer};
use contracts::tradewind::analytics::v1::{self as analytics, Sales, StockForecast};
use contracts::tradewind::consumer::v1::consumer_service_server::ConsumerServiceServer;
use contracts::tradewind::payment::v1::ledger_service_server::{LedgerService, LedgerServiceServer};
use contracts::tradewind::payment::v1::{self as payment, Difference, LedgerEntry};
use tonic::service::Routes;
use tonic::{Request, Response};

use crate::planned::{Answer, Quarantine, page, serve, unasked};
use crate::stand::{Stand, get, text};

/// More than a page of anything has, and not as many as two.
const MANY: usize = 130;

struct Ledger;

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn list_entries(
        &self,
        request: Request<payment::ListEntriesRequest>,
    ) -> Answer<payment::ListEntriesResponse> {
        let payment::ListEntriesRequest { page_size, page_token, .. } = request.into_inner();
        let entry = |number| LedgerEntry { reference: format!("entry {number}"), ..LedgerEntry::default() };
        let (entries, next_page_token) = page((0..MANY).map(entry).collect(), page_size, &page_token);
        Ok(Response::new(payment::ListEntriesResponse { entries, next_page_token }))
    }

    async fn get_balance(&self, _: Request<payment::GetBalanceRequest>) -> Answer<payment::GetBalanceResponse> {
        Ok(Response::new(payment::GetBalanceResponse::default()))
    }

    async fn reconcile(&self, _: Request<payment::ReconcileRequest>) -> Answer<payment::ReconcileResponse> {
        unasked()
    }

    async fn list_differences(
        &self,
        request: Request<payment::ListDifferencesRequest>,
    ) -> Answer<payment::ListDifferencesResponse> {
        let payment::ListDifferencesRequest { page_size, page_token, .. } = request.into_inner();
        let one = |number| Difference { difference_id: format!("difference {number}"), ..Difference::default() };
        let (differences, next_page_token) = page((0..MANY).map(one).collect(), page_size, &page_token);
        Ok(Response::new(payment::ListDifferencesResponse { differences, next_page_token }))
    }

    async fn resolve_difference(
        &self,
        _: Request<payment::ResolveDifferenceRequest>,
    ) -> Answer<payment::ResolveDifferenceResponse> {
        unasked()
    }
}

struct Sold;

#[tonic::async_trait]
impl SalesService for Sold {
    async fn list_sales(&self, request: Request<analytics::ListSalesRequest>) -> Answer<analytics::ListSalesResponse> {
        let analytics::ListSalesRequest { page_size, page_token, .. } = request.into_inner();
        let one = |number| Sales { key: format!("sale {number}"), ..Sales::default() };
        let (sales, next_page_token) = page((0..MANY).map(one).collect(), page_size, &page_token);
        Ok(Response::new(analytics::ListSalesResponse { sales, next_page_token, ..Default::default() }))
    }

    async fn get_funnel(&self, _: Request<analytics::GetFunnelRequest>) -> Answer<analytics::GetFunnelResponse> {
        unasked()
    }

    async fn get_step_times(
        &self,
        _: Request<analytics::GetStepTimesRequest>,
    ) -> Answer<analytics::GetStepTimesResponse> {
        unasked()
    }

    async fn forecast_stock(
        &self,
        request: Request<analytics::ForecastStockRequest>,
    ) -> Answer<analytics::ForecastStockResponse> {
        let analytics::ForecastStockRequest { page_size, page_token, .. } = request.into_inner();
        let one = |number| StockForecast { sku: format!("forecast {number}"), ..StockForecast::default() };
        let (forecasts, next_page_token) = page((0..MANY).map(one).collect(), page_size, &page_token);
        Ok(Response::new(analytics::ForecastStockResponse { forecasts, next_page_token }))
    }
}

/// Where a page says that there is more of that.
fn leads(page: &str, what: &str) -> Option<String> {
    let after = page.split(&format!("There are more {what}. <a rel=\"next\" href=\"")).nth(1)?;
    Some(after.split('"').next().unwrap().replace("&amp;", "&"))
}

#[tokio::test]
async fn a_list_that_goes_on_says_so_and_leads_to_its_end() {
    let pki = tradewind_testing::pki(&["operator", "analytics", "payment"]);
    let parked = Quarantine::default();
    (0..130).for_each(|number| parked.park(&format!("stream {number}"), 1));
    let of_payment =
        Routes::new(LedgerServiceServer::new(Ledger)).add_service(ConsumerServiceServer::new(parked.clone()));
    let of_analytics = Routes::new(SalesServiceServer::new(Sold)).add_service(ConsumerServiceServer::new(parked));
    let peers = BTreeMap::from([
        ("analytics".to_owned(), serve(&pki, "analytics", of_analytics).await.to_string()),
        ("payment".to_owned(), serve(&pki, "payment", of_payment).await.to_string()),
    ]);
    let stand = Stand::of_services(pki, peers);
    let cookie = stand.enter().await;
    let table = [
        ("/console/money", "entries", "entry"),
        ("/console/money", "differences", "difference"),
        ("/console/sales", "sales", "sale"),
        ("/console/sales", "forecasts", "forecast"),
        ("/console/quarantine", "acts at payment", "act"),
        ("/console/quarantine?service=payment", "acts at payment", "act"),
        ("/console/quarantine?service=payment", "streams", "stream"),
    ];
    for (path, what, one) in table {
        let (mut seen, mut next, mut pages) = (vec![false; MANY], Some(path.to_owned()), 0);
        while let Some(path) = next {
            let page = text(stand.ask(get(&path, &cookie)).await).await;
            let shows = |number: &usize| {
                page.contains(&format!("{one} {number}<")) || page.contains(&format!("{one} {number}\""))
            };
            (0..MANY).filter(shows).for_each(|number| seen[number] = true);
            next = leads(&page, what);
            pages += 1;
        }
        assert!(pages > 1 && seen.iter().all(|seen| *seen), "{path}: {what} on {pages} pages: {seen:?}");
    }
}
