//! A release of the chart: installed, changed, looked at and called.

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::future::join_all;
use serde_json::Value;
use supervisor::services;
use tokio::task::spawn_blocking;
use tradewind_mesh::{Channels, Identity, IdentityFiles, Policy};
use tradewind_testing::{eventually, scratch};

use super::PATIENCE;
use super::kube::{Kube, Pod};
use super::load::Custom;
use super::visitor::Visitor;
use crate::outside_world::Outside;
use crate::project::run;

const CHART: &str = "helm/tradewind";
/// For helm itself, beyond our patience.
pub(super) const TIMEOUT: &str = "4m";
/// What every release here is told: the node's kernel may have no IPv6, and orders wait for what was killed.
pub(super) const ALWAYS: [&str; 2] = ["listenAddress=0.0.0.0", "services.ordering.settings.ORDER_DEADLINE=1h"];

/// A release and what was ordered of it.
pub(super) struct Release {
    pub(super) kube: Kube,
    pub(super) name: &'static str,
    pub(super) namespace: &'static str,
    /// Files, of which a later one wins.
    pub(super) values: &'static [&'static str],
    /// Where what it calls outside is, unless it has its own.
    outside: Option<&'static str>,
    /// Everybody who ever ordered there; who calls it has a certificate of this installation.
    custom: Option<Custom>,
}

impl Release {
    pub(super) const fn new(
        kube: Kube,
        name: &'static str,
        namespace: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self { kube, name, namespace, values, outside: None, custom: None }
    }

    /// The same, told to call others outside than its own.
    pub(super) fn calling(self, outside: &'static str) -> Self {
        Self { outside: Some(outside), ..self }
    }

    /// What the objects of a component are called.
    pub(super) fn object(&self, component: &str) -> String {
        format!("{}-tradewind-{component}", self.name)
    }

    /// Its files of values, as they stand behind `--values` on a command line.
    pub(super) fn file(&self) -> String {
        self.values.join(" --values ")
    }

    /// Installs it, or changes it to what its file of values says and these settings, and returns when every pod is ready.
    pub(super) async fn upgrade(&self, settings: &[&str]) {
        let wanted = self.try_upgrade(&["--wait", "--timeout", TIMEOUT], settings).await;
        wanted.unwrap_or_else(|error| panic!("helm upgrade --install {}: {error}", self.name));
        self.settled().await;
    }

    /// The same with other options, whatever comes of it.
    pub(super) async fn try_upgrade(&self, options: &[&str], settings: &[&str]) -> Result<String, String> {
        self.kube.restricted(self.namespace).await;
        let mut arguments = vec!["upgrade", "--install", self.name, CHART, "--namespace", self.namespace];
        arguments.extend(self.values.iter().flat_map(|file| ["--values", file]));
        arguments.extend(options);
        arguments.extend(ALWAYS.iter().chain(settings).flat_map(|setting| ["--set", setting]));
        self.kube.helm(&arguments).await
    }

    /// Installs it if it is not there.
    pub(super) async fn installed(&mut self) {
        let release = self.kube.helm(&["status", self.name, "--namespace", self.namespace]).await;
        if release.is_err() {
            self.upgrade(&[]).await;
        }
        if self.custom.is_none() {
            self.custom = Some(Custom::begin(self.visitor().await).await);
        }
    }

    /// Goes back to the revision before.
    pub(super) async fn roll_back(&self) {
        let arguments = ["rollback", self.name, "--namespace", self.namespace, "--wait", "--timeout", TIMEOUT];
        self.kube.helm(&arguments).await.unwrap_or_else(|error| panic!("helm rollback {}: {error}", self.name));
        self.settled().await;
    }

    /// Takes it away; its volumes and Secrets stay.
    pub(super) async fn uninstall(&self) {
        let arguments = ["uninstall", self.name, "--namespace", self.namespace, "--wait", "--timeout", TIMEOUT];
        self.kube.helm(&arguments).await.unwrap_or_else(|error| panic!("helm uninstall {}: {error}", self.name));
    }

    /// Takes it away with all that belongs to it, and forgets who ordered.
    pub(super) async fn wipe(&mut self) {
        self.custom = None;
        // Not there is as good.
        let _ = self.kube.helm(&["uninstall", self.name, "--namespace", self.namespace]).await;
        let delete = ["delete", "namespace", self.namespace, "--ignore-not-found", "--timeout=3m"];
        self.kube.kubectl(&delete).await;
    }

    /// Runs `helm test`; returns what its pod said.
    pub(super) async fn test(&self) -> String {
        let said = self.kube.helm(&["test", self.name, "--namespace", self.namespace, "--logs"]).await;
        let said = said.unwrap_or_else(|error| panic!("helm test {}: {error}", self.name));
        said.lines().last().unwrap_or_default().to_owned()
    }

    /// Returns when there are as many pods as there should be, each of the newest kind, ready and none about to end.
    pub(super) async fn settled(&self) {
        eventually(PATIENCE, &format!("every pod of {} is ready", self.name), async || {
            let workloads = self.kube.get(self.namespace, "deployments,statefulsets").await;
            let workloads = workloads["items"].as_array().unwrap().iter();
            let waiting =
                workloads.filter(|workload| !is_settled(workload)).map(|workload| &workload["metadata"]["name"]);
            let mut waiting: Vec<_> = waiting.map(ToString::to_string).collect();
            let pods = self.pods().await;
            waiting.extend(pods.into_iter().filter(|pod| !pod.ready || pod.ending).map(|pod| pod.name));
            if waiting.is_empty() { Ok(()) } else { Err(waiting.join(", ")) }
        })
        .await;
    }

    /// Returns when all is settled after something happened to a pod that the cluster may not have noticed yet.
    pub(super) async fn recovered(&self, pod: &Pod) {
        eventually(PATIENCE, &format!("somebody noticed what happened to {}", pod.name), async || {
            let now = self.pods().await.into_iter().find(|now| now.uid == pod.uid);
            let noticed = now.is_none_or(|now| now.restarts > pod.restarts || now.ending);
            if noticed { Ok(()) } else { Err("it stands as before") }
        })
        .await;
        self.settled().await;
    }

    /// Its pods, in the order of their names.
    pub(super) async fn pods(&self) -> Vec<Pod> {
        self.kube.pods(self.namespace).await
    }

    pub(super) async fn pods_of(&self, component: &str) -> Vec<Pod> {
        self.pods().await.into_iter().filter(|pod| pod.component == component).collect()
    }

    /// What each pod of a service proves itself with now.
    pub(super) async fn served(&self, service: &str) -> Vec<String> {
        let asked = self.pods_of(service).await.into_iter().map(|pod| {
            spawn_blocking(move || {
                let shown =
                    format!("openssl s_client -connect {}:7100 </dev/null 2>/dev/null | openssl x509", pod.address);
                run(Command::new("bash").args(["-c", &shown])).unwrap_or_else(|error| panic!("{}: {error}", pod.name))
            })
        });
        join_all(asked).await.into_iter().map(Result::unwrap).collect()
    }

    /// Somebody with the certificate that the operator has now.
    pub(super) async fn visitor(&self) -> Visitor {
        let secret = self.kube.get(self.namespace, &format!("secret {}", self.object("operator-tls"))).await;
        let pki = scratch();
        for (key, file) in [("ca.crt", "ca.pem"), ("tls.crt", "operator.pem"), ("tls.key", "operator.key")] {
            std::fs::write(pki.path().join(file), decoded(&secret["data"][key])).unwrap();
        }
        let services = self.kube.get(self.namespace, "services").await;
        let addresses: BTreeMap<&str, &str> = services["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|service| Some((service["metadata"]["name"].as_str()?, service["spec"]["clusterIP"].as_str()?)))
            .collect();
        let address = |component: &str, port: u16| format!("{}:{port}", addresses[&*self.object(component)]);
        let peers = services::names().map(|service| (service.to_owned(), address(service, 7100)));
        let identity = Identity::load(IdentityFiles::in_dir(pki.path(), "operator")).unwrap();
        let policy = Policy::new(&contracts::CONTRACT);
        let outside = match self.outside {
            Some(address) => address.to_owned(),
            // Its Service has no address of its own, and only names within the cluster.
            None => format!("{}:7300", self.pods_of("outside").await.remove(0).address),
        };
        Visitor::new(Channels::new(identity, policy, peers.into()), Outside::at(format!("http://{outside}")), pki)
    }

    /// Does something to it while customers order and callers call, and proves the books; returns what it returned, and what
    /// happened to them.
    pub(super) async fn in_use<T>(&mut self, act: impl AsyncFnOnce(&Self) -> T) -> (T, String) {
        self.installed().await;
        let mut custom = self.custom.take().expect("what is installed has customers");
        // What fails is a panic, after which nobody knows what was ordered: the next row begins with the orders of before.
        let done = Box::pin(custom.during(act(self))).await;
        Box::pin(custom.prove()).await;
        self.custom = Some(custom);
        done
    }

    /// Those who order from now on come with the certificates and addresses of now.
    pub(super) async fn come_again(&mut self) {
        let visitor = self.visitor().await;
        if let Some(custom) = &mut self.custom {
            custom.visitor = visitor;
        }
    }

    /// The ids of all orders ever.
    pub(super) fn orders(&self) -> Vec<String> {
        self.custom.as_ref().map(Custom::orders).unwrap_or_default()
    }
}

fn is_settled(workload: &Value) -> bool {
    let (status, wanted) = (&workload["status"], &workload["spec"]["replicas"]);
    let none = Value::from(0);
    let count = |field: &str| status.get(field).unwrap_or(&none);
    status["observedGeneration"] == workload["metadata"]["generation"]
        && ["replicas", "readyReplicas", "updatedReplicas"].iter().all(|field| count(field) == wanted)
}

/// A value of a Secret.
pub(super) fn decoded(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().expect("a value of a Secret")).unwrap()
}
