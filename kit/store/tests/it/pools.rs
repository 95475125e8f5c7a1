//! What operators are told of the connections to a database.

use std::sync::OnceLock;

use opentelemetry::global;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use tradewind_store::Tx;
use tradewind_testing::account::{Account, Command};
use tradewind_testing::{Database, Stopped, block_on};

/// The sums that are told now, by name and labels, over all stores of this process.
fn sums() -> Vec<(String, i64)> {
    static METERS: OnceLock<(SdkMeterProvider, InMemoryMetricExporter)> = OnceLock::new();
    let (meters, exporter) = METERS.get_or_init(|| {
        let exporter = InMemoryMetricExporter::default();
        let meters = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
        global::set_meter_provider(meters.clone());
        (meters, exporter)
    });
    exporter.reset();
    meters.force_flush().unwrap();
    let Some(exported) = exporter.get_finished_metrics().unwrap().pop() else { return Vec::new() };
    let mut sums = Vec::new();
    for metric in exported.scope_metrics().flat_map(|scope| scope.metrics()) {
        if let AggregatedMetrics::I64(MetricData::Sum(data)) = metric.data() {
            for point in data.data_points() {
                let labels: Vec<_> = point.attributes().map(|label| label.value.to_string()).collect();
                sums.push((format!("{} {}", metric.name(), labels.join(" ")), point.value()));
            }
        }
    }
    sums
}

/// Only PostgreSQL has sessions for what must not wait.
#[test]
fn connections_of_postgresql_are_told_of_as_its_pool_counts_them() {
    block_on(async {
        // What is opened before there is somebody to tell is not told of.
        sums();
        let database = Database::postgres();
        let bank = Stopped::open(&database).await;
        bank.store.transact(async |tx: &mut Tx| tx.execute::<Account>("a", Command::Deposit(1)).await).await.unwrap();
        let told = |name: &str| sums().into_iter().find_map(|(told, number)| (told == name).then_some(number));
        assert_eq!(told("db.client.connection.max vital"), Some(2));
        assert_eq!(told("db.client.connection.max reads"), Some(3));
        assert!(told("db.client.connection.count vital used").is_some_and(|used| used <= 2));
        assert!(told("db.client.connection.count vital idle").is_some_and(|idle| idle <= 2));
        assert!(told("db.client.connection.count transactions used").is_some());
    });
}
