//! The console with a certificate of its own: browsers are answered over TLS, forms are taken from there alone, and when it ends is told.

use axum::http::StatusCode;
use axum::http::header::{COOKIE, SET_COOKIE};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use tokio_util::sync::CancellationToken;
use tradewind_console::acceptor;
use tradewind_edge::Files;

use crate::people::People;
use crate::stand::{Stand, mark_in};

fn metrics() -> (InMemoryMetricExporter, SdkMeterProvider) {
    let told = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(told.clone()).build();
    opentelemetry::global::set_meter_provider(meters.clone());
    (told, meters)
}

/// What was told last of a gauge.
fn gauge(told: &InMemoryMetricExporter, name: &str) -> Vec<i64> {
    let all = told.get_finished_metrics().unwrap().pop().unwrap();
    let of_name = all.scope_metrics().flat_map(|scope| scope.metrics()).filter(|metric| metric.name() == name);
    let points = of_name.flat_map(|metric| match metric.data() {
        AggregatedMetrics::I64(MetricData::Gauge(gauge)) => gauge.data_points().map(|point| point.value()).collect(),
        _ => Vec::new(),
    });
    points.collect()
}

#[tokio::test]
async fn a_form_comes_from_an_encrypted_page_and_from_no_other() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let (mut params, key) = (CertificateParams::new(["localhost".to_owned()]).unwrap(), KeyPair::generate().unwrap());
    params.not_after = date_time_ymd(3_000, 1, 2);
    let cert = params.self_signed(&key).unwrap();
    let files = Files { certificate: folder.path().join("web.pem"), key: folder.path().join("web.key") };
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    let stop = CancellationToken::new();
    let (told, meters) = metrics();
    let tls = acceptor(&files).unwrap();
    meters.force_flush().unwrap();
    assert_eq!(gauge(&told, "tradewind_console_certificate_not_after_timestamp"), [params.not_after.unix_timestamp()]);
    let stand = Stand::for_staff(&People::default(), "");
    let (address, serving) = stand.serve(Some(tls), &stop).await;
    let trusted = Certificate::from_pem(cert.pem().as_bytes()).unwrap();
    let client = tradewind_runtime::direct().tls_built_in_root_certs(false).add_root_certificate(trusted);
    let client: Client = client.resolve("localhost", address).redirect(Policy::none()).build().unwrap();
    let origin = format!("https://localhost:{}", address.port());
    let page = client.get(format!("{origin}/console/sign-in")).send().await.unwrap();
    assert!(!page.headers().contains_key("strict-transport-security"), "others answer at this machine's name too");
    let asking = client.get(format!("{origin}/console/sign-in")).header("host", "console.shop.example");
    assert_eq!(asking.send().await.unwrap().headers()["strict-transport-security"], "max-age=31536000");
    let cookie = page.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mark = mark_in(&page.text().await.unwrap());
    let plain = origin.replace("https", "http");
    for (from, status) in [(&plain, StatusCode::FORBIDDEN), (&origin, StatusCode::SEE_OTHER)] {
        let asking = client.post(format!("{origin}/console/sign-in")).header(COOKIE, &cookie).header("origin", from);
        let asking = asking.header("content-type", "application/x-www-form-urlencoded");
        let body = format!("mark={mark}&email=staff%40example.org&password=right+horse");
        assert_eq!(asking.body(body).send().await.unwrap().status(), status, "{from}");
    }
    assert!(client.get(format!("{plain}/console")).send().await.is_err(), "nobody is answered without TLS");
    stop.cancel();
    serving.await.unwrap().unwrap();
}
