//! TLS outside: HTTP/1.1 and HTTP/2 by what the client offers, and a certificate that is replaced while it is served.

use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Version};
use tradewind_edge::Files;
use tradewind_testing::{eventually, scratch};

use crate::shop::DEADLINE;
use crate::stand::{Opening, Stand};

/// Puts a new certificate there, and gives what trusts it.
pub(crate) fn issue(folder: &Path) -> Certificate {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("edge.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("edge.key"), signing_key.serialize_pem()).unwrap();
    Certificate::from_pem(cert.pem().as_bytes()).unwrap()
}

async fn asked(stand: &Stand, trusts: &Certificate, http1: bool) -> reqwest::Result<Version> {
    let client = tradewind_runtime::direct().tls_built_in_root_certs(false).add_root_certificate(trusts.clone());
    let client = client.resolve("localhost", stand.address);
    let client = if http1 { client.http1_only() } else { client };
    let url = format!("https://localhost:{}/nothing", stand.address.port());
    client.build()?.get(url).send().await.map(|answer| answer.version())
}

#[tokio::test]
async fn both_versions_are_served_and_a_new_certificate_is_shown_once_it_is_good() {
    let folder = scratch();
    let first = issue(folder.path());
    let files = Files { certificate: folder.path().join("edge.pem"), key: folder.path().join("edge.key") };
    let stand = Stand::open(Opening { files: Some(files), ..Opening::default() });
    assert_eq!(asked(&stand, &first, false).await.unwrap(), Version::HTTP_2);
    assert_eq!(asked(&stand, &first, true).await.unwrap(), Version::HTTP_11);

    let second = issue(folder.path());
    eventually(DEADLINE, "the new certificate is shown", async || asked(&stand, &second, false).await).await;
    assert!(asked(&stand, &first, false).await.is_err(), "the old one is not any more");

    std::fs::write(folder.path().join("edge.key"), "half a").unwrap();
    let third = issue(scratch().path());
    assert!(asked(&stand, &third, false).await.is_err());
    assert_eq!(asked(&stand, &second, false).await.unwrap(), Version::HTTP_2, "the last good one stays");
}
