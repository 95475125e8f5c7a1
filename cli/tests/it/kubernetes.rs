//! The program as the chart's job runs it: it makes Secrets that are missing, and leaves alone what is there.

use std::process::Output;

use tradewind_testing::Kubernetes;

use crate::program::{Folder, complained, printed};

fn run(cluster: &Kubernetes, arguments: &[&str]) -> Output {
    let mut command = Folder::new().tradewind(arguments);
    command.args(["--api", cluster.url(), "--account"]).arg(cluster.account()).output().unwrap()
}

fn pki_init(cluster: &Kubernetes, workloads: &[&str]) -> Output {
    let mut arguments = vec!["pki", "init", "--kubernetes=shop", "--trust-domain=shop.test"];
    arguments.extend(workloads.iter().flat_map(|workload| ["--workload", workload]));
    run(cluster, &arguments)
}

#[test]
fn certificates_are_made_once() {
    let cluster = Kubernetes::start();
    let hosts = "nats=nats.sales.svc,*.nats.sales.svc";
    let first = pki_init(&cluster, &["catalog", hosts]);
    assert_eq!(printed(&first), "Secrets shop-…: made 3, kept 0\n", "{}", complained(&first));
    let made = cluster.secrets();
    assert_eq!(made.keys().collect::<Vec<_>>(), ["shop-ca", "shop-catalog-tls", "shop-nats-tls"]);
    assert_eq!(made["shop-nats-tls"].keys().collect::<Vec<_>>(), ["ca.crt", "tls.crt", "tls.key"]);

    assert_eq!(printed(&pki_init(&cluster, &["catalog", hosts])), "Secrets shop-…: made 0, kept 3\n");
    assert_eq!(cluster.secrets(), made);

    cluster.delete("shop-catalog-tls");
    assert_eq!(printed(&pki_init(&cluster, &["catalog", hosts, "payment"])), "Secrets shop-…: made 2, kept 2\n");
    let again = cluster.secrets();
    assert_eq!((&again["shop-ca"], &again["shop-nats-tls"]), (&made["shop-ca"], &made["shop-nats-tls"]));
    assert_eq!(again["shop-catalog-tls"]["ca.crt"], made["shop-ca"]["tls.crt"]);
}

#[test]
fn an_authority_that_was_lost_is_never_replaced() {
    let cluster = Kubernetes::start();
    pki_init(&cluster, &["catalog"]);
    let authority = cluster.secrets().remove("shop-ca").unwrap();
    cluster.delete("shop-ca");
    let before = cluster.secrets();
    for workloads in [&["catalog"][..], &["catalog", "payment"]] {
        let output = pki_init(&cluster, workloads);
        assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
        assert!(complained(&output).contains("Secret shop-ca is missing"), "{}", complained(&output));
        assert_eq!(cluster.secrets(), before);
    }
    assert_eq!(authority["tls.crt"], before["shop-catalog-tls"]["ca.crt"]);
    cluster.delete("shop-catalog-tls");
    assert_eq!(printed(&pki_init(&cluster, &["catalog"])), "Secrets shop-…: made 2, kept 0\n", "nothing is left of it");
}

#[test]
fn passwords_are_made_once() {
    let cluster = Kubernetes::start();
    let init = |services: &[&str]| {
        let mut arguments =
            vec!["database", "init", "--prefix=shop", "--server=pg:5432", "--parameters=sslmode=require"];
        arguments.extend(services.iter().flat_map(|service| ["--service", service]));
        printed(&run(&cluster, &arguments))
    };
    assert_eq!(init(&["catalog"]), "made 1 passwords, kept 0\n");
    let made = cluster.secrets();
    let catalog = &made["shop-catalog-database"];
    let url = format!("postgres://catalog:{}@pg:5432/catalog?sslmode=require", catalog["password"]);
    assert_eq!((catalog["username"].as_str(), &catalog["url"]), ("catalog", &url));

    assert_eq!(init(&["catalog", "payment"]), "made 1 passwords, kept 1\n");
    let again = cluster.secrets();
    assert_eq!(&again["shop-catalog-database"], catalog);
    assert_ne!(again["shop-payment-database"]["password"], catalog["password"]);
}

#[test]
fn what_the_api_server_refuses_is_told() {
    let cluster = Kubernetes::start();
    let token = cluster.account().join("token");
    std::fs::write(&token, "somebody else").unwrap();
    let told = complained(&pki_init(&cluster, &["catalog"]));
    assert_eq!(told, "tradewind: cannot read Secret shop-ca: 403 Forbidden: who are you?\n");
    std::fs::remove_file(&token).unwrap();
    let told = complained(&pki_init(&cluster, &["catalog"]));
    assert!(told.starts_with("tradewind: no service account here: ") && told.contains("/token: "), "{told}");
    assert!(cluster.secrets().is_empty());
}
