//! Domains are pure: no transport, storage, broker or async runtime, and no request, which is parsed before.

use std::fs;
use std::path::{Path, PathBuf};

const FORBIDDEN: [&str; 5] = ["tonic", "sea_orm", "async_nats", "tokio", "axum"];
/// What knows the fields of a request.
const OF_REQUESTS: [&str; 3] = ["Violations", "FieldViolation", "with_violation"];

pub(crate) fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("cannot read {}: {error}", dir.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !character.is_alphanumeric() && character != '_')
}

/// A message of a contract that somebody sends: a domain takes values.
fn is_request(word: &str) -> bool {
    word.len() > "Request".len() && word.ends_with("Request")
}

/// Lines of code below `dir` that name a forbidden word or a request. Comments may.
fn impurities(dir: &Path, forbidden: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(dir) {
        for (number, line) in fs::read_to_string(&source).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words(code).any(|word| forbidden.contains(&word) || is_request(word)) {
                found.push(format!("{}:{}: {}", source.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn no_domain_knows_transport_storage_broker_runtime_or_requests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let services = fs::read_dir(root.join("services")).unwrap().map(|entry| entry.unwrap().path().join("src/domain"));
    let domains: Vec<_> = services.filter(|domain| domain.exists()).collect();
    assert!(domains.len() >= 5, "only found {domains:?}");
    let forbidden = [&FORBIDDEN[..], &OF_REQUESTS].concat();
    let kit = impurities(&root.join("kit/domain/src"), &FORBIDDEN);
    let impurities: Vec<_> = domains.iter().flat_map(|domain| impurities(domain, &forbidden)).chain(kit).collect();
    assert!(impurities.is_empty(), "{impurities:#?}");
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    assert!(
        !impurities(&root.join("kit/runtime/src"), &FORBIDDEN).is_empty(),
        "kit/runtime uses tonic, yet the scan found nothing"
    );
    let requests = impurities(&root.join("services/inventory/src/grpc"), &OF_REQUESTS);
    assert!(requests.iter().any(|line| line.contains("Violations")), "{requests:?}");
    assert!(requests.iter().any(|line| line.contains("ReceiveStockRequest")), "{requests:?}");
}
