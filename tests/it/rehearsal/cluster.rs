//! A rendered chart on one machine.
//!
//! Only what needs a cluster is mapped: Services' names and pods' ports to ports of the loopback address, mounted paths to folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tradewind_runtime::BROKER_INIT;
use tradewind_testing::{Kubernetes, Postgres, eventually, free_port, nats_server, scratch};

use crate::process;
use crate::programs::{Environment, Program, binary, project, run, tool};
use system_tests::PATIENCE;

/// The objects that the chart is rendered to, and where they are on this machine.
pub(crate) struct Cluster {
    objects: Vec<Value>,
    pub(crate) api: Kubernetes,
    files: TempDir,
    /// An address in the cluster → where that is on this machine, once everything has its port.
    addresses: BTreeMap<String, String>,
    /// Component and port of its container → port of the loopback address.
    ports: BTreeMap<(String, u64), u16>,
}

/// A container of a pod, and what it belongs to.
pub(crate) struct Container<'a> {
    owner: &'a str,
    component: &'a str,
    pub(crate) pod: &'a Value,
    pub(crate) content: &'a Value,
}

impl Cluster {
    pub(crate) fn render(values: &str) -> Self {
        let objects = run(Command::new(project("scripts/chart")).args(["--render", values])).unwrap();
        let mut cluster = Self {
            objects: serde_json::from_str(&objects).unwrap(),
            api: Kubernetes::start(),
            files: scratch(),
            addresses: BTreeMap::new(),
            ports: BTreeMap::new(),
        };
        let ports: BTreeSet<(String, u64)> = cluster
            .containers()
            .flat_map(|container| {
                let ports = list(&container.content["ports"]).filter_map(|port| port["containerPort"].as_u64());
                ports.map(|port| (container.component.to_owned(), port)).collect::<Vec<_>>()
            })
            .collect();
        cluster.ports = ports.into_iter().map(|port| (port, free_port())).collect();
        cluster
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// Every container of every pod.
    fn containers(&self) -> impl Iterator<Item = Container<'_>> {
        self.objects.iter().flat_map(|object| {
            let pod = if object["kind"] == "Pod" { object } else { &object["spec"]["template"] };
            list(&pod["spec"]["containers"]).map(|content| Container {
                owner: object["metadata"]["name"].as_str().unwrap(),
                component: text(&pod["metadata"]["labels"]["app.kubernetes.io/component"]),
                pod: &pod["spec"],
                content,
            })
        })
    }

    pub(crate) fn container(&self, name: &str) -> Container<'_> {
        self.containers().find(|container| container.content["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Each address that a Service gives its pods, and the first pod of a headless one by its own name.
    fn served(&self) -> impl Iterator<Item = (String, String)> {
        self.of_kind("Service").flat_map(move |service| {
            let name = text(&service["metadata"]["name"]);
            let component = text(&service["spec"]["selector"]["app.kubernetes.io/component"]);
            let ports = list(&service["spec"]["ports"]).map(move |port| {
                let target = text(&port["targetPort"]);
                let container = self.containers().find(|container| container.component == component).unwrap();
                let inside = list(&container.content["ports"]).find(|port| port["name"] == target).unwrap();
                (
                    port["port"].as_u64().unwrap(),
                    self.ports[&(component.to_owned(), inside["containerPort"].as_u64().unwrap())],
                )
            });
            ports.flat_map(move |(port, here)| {
                let host = format!("{name}.sales.svc.cluster.local:{port}");
                [format!("{name}-0.{host}"), host].map(|address| (address, format!("127.0.0.1:{here}")))
            })
        })
    }

    /// What a text that a container is given has to say here.
    fn here(&self, container: &Container<'_>, text: &str) -> String {
        let mut text = text.to_owned();
        // A pod's own name goes first, as its Service's is a part of it.
        let mut addresses: Vec<_> = self.addresses.iter().collect();
        addresses.sort_by_key(|(address, _)| std::cmp::Reverse(address.len()));
        for (address, here) in addresses {
            text = text.replace(address.as_str(), here);
        }
        for ((component, port), here) in &self.ports {
            if component == container.component {
                text = text.replace(&format!("[::]:{port}"), &format!("127.0.0.1:{here}"));
            }
        }
        // A path here may contain one that is mapped.
        let mounts: Vec<_> =
            list(&container.content["volumeMounts"]).map(|mount| self::text(&mount["mountPath"])).collect();
        for (index, path) in mounts.iter().enumerate() {
            text = text.replace(path, &format!("\0{index}\0"));
        }
        for (index, path) in mounts.iter().enumerate() {
            text = text.replace(&format!("\0{index}\0"), &self.path(container, path).display().to_string());
        }
        text
    }

    fn path(&self, container: &Container<'_>, path: &str) -> PathBuf {
        self.files.path().join(container.owner).join(path.trim_start_matches('/'))
    }

    /// Writes the files that a container has, and returns its command and environment.
    fn prepare(&self, container: &Container<'_>) -> (Vec<String>, Environment) {
        self.prepare_files(container);
        let arguments = ["command", "args"].into_iter().flat_map(|field| list(&container.content[field]));
        let arguments: Vec<_> = arguments.map(|argument| self.here(container, text(argument))).collect();
        let program = match text(&container.content["image"]).rsplit('/').next().unwrap().split(':').next().unwrap() {
            "nats" => nats_server().display().to_string(),
            "tradewind-cli" => binary("tradewind").display().to_string(),
            image => binary(image.strip_prefix("tradewind-").unwrap()).display().to_string(),
        };
        let command = arguments.into_iter().filter(|argument| argument != "nats-server");
        ([program].into_iter().chain(command).collect(), self.environment(container))
    }

    /// The files of a volume.
    fn volume(&self, volume: &Value) -> Vec<(String, String)> {
        let sources = list(&volume["projected"]["sources"]).map(|source| &source["secret"]);
        let named = |source: &Value| {
            text(if source["name"].is_null() { &source["secretName"] } else { &source["name"] }).to_owned()
        };
        let secrets = sources.chain([&volume["secret"]]).filter(|source| source.is_object()).flat_map(|source| {
            let name = named(source);
            let secret = self.api.secrets().remove(&name).unwrap_or_else(|| panic!("nobody made Secret {name}"));
            let items: Vec<_> = list(&source["items"]).collect();
            let chosen =
                items.iter().map(|item| (text(&item["path"]).to_owned(), secret[text(&item["key"])].clone())).collect();
            if items.is_empty() { secret.into_iter().collect::<Vec<_>>() } else { chosen }
        });
        let configured = volume["configMap"]["name"].as_str().map(|name| self.data(name)).into_iter().flatten();
        secrets.chain(configured).collect()
    }

    fn data(&self, config_map: &str) -> Environment {
        let object = self.of_kind("ConfigMap").find(|object| object["metadata"]["name"] == config_map).unwrap();
        serde_json::from_value(object["data"].clone()).unwrap()
    }

    pub(crate) fn environment(&self, container: &Container<'_>) -> Environment {
        let shared =
            list(&container.content["envFrom"]).flat_map(|from| self.data(text(&from["configMapRef"]["name"])));
        let own = list(&container.content["env"]).map(|variable| {
            let value = match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
                Some(field) => {
                    assert_eq!(field, "metadata.name");
                    format!("{}-0", container.owner)
                }
                None => text(&variable["value"]).to_owned(),
            };
            (text(&variable["name"]).to_owned(), value)
        });
        shared.chain(own).map(|(name, value)| (name, self.here(container, &value))).collect()
    }

    /// Runs a container to its end.
    pub(crate) fn complete(&self, container: &Container<'_>, more: &[&str]) -> Result<String, String> {
        let (command, environment) = self.prepare(container);
        run(Command::new(&command[0]).args(&command[1..]).args(more).env_clear().envs(environment))
    }

    /// Runs the operator's command line where `helm test` does.
    pub(crate) fn operate(&self, arguments: &[&str]) -> Result<String, String> {
        let (command, environment) = self.prepare(&self.container("order"));
        run(Command::new(&command[0]).args(arguments).env_clear().envs(environment))
    }

    pub(crate) fn start(&self, name: &str) -> Program {
        let (command, environment) = self.prepare(&self.container(name));
        Program::start(&command.iter().map(String::as_str).collect::<Vec<_>>(), &environment)
    }

    /// Runs the job that goes before an installation and an upgrade.
    pub(crate) fn init(&self) {
        let account = self.api.account().to_str().unwrap();
        for name in ["certificates", "passwords"] {
            let more = ["--api", self.api.url(), "--account", account];
            self.complete(&self.container(name), &more).unwrap();
        }
    }

    /// A database server with the certificate, the roles and the databases that its pod has.
    pub(crate) fn databases(&mut self) -> Postgres {
        let container = self.container("postgres");
        self.prepare_files(&container);
        let pki = self.path(&container, "/etc/tradewind/tls");
        for (key, file) in [("tls.crt", "postgres.pem"), ("tls.key", "postgres.key")] {
            std::fs::copy(pki.join(key), pki.join(file)).unwrap();
            std::fs::set_permissions(pki.join(file), Permissions::from_mode(0o600)).unwrap();
        }
        let script = self.path(&container, "/etc/tradewind/postgres/databases.sh");
        let cluster = Postgres::start_secured(&pki);
        let port: u16 = cluster.database().url().rsplit([':', '/']).nth(1).unwrap().parse().unwrap();
        let server = [("PGHOST", "127.0.0.1".to_owned()), ("PGPORT", port.to_string())];
        let psql = ["--username=tradewind", "--dbname=postgres", "--command=CREATE ROLE postgres SUPERUSER LOGIN"];
        run(Command::new(tool("postgres").join("psql")).args(psql).envs(server.clone())).unwrap();
        let path = format!("{}:/usr/bin:/bin", tool("postgres").display());
        run(Command::new("/bin/sh").arg(script).env_clear().env("PATH", path).envs(server)).unwrap();
        self.ports.insert(("postgres".to_owned(), 5432), port);
        self.addresses = self.served().collect();
        cluster
    }

    fn prepare_files(&self, container: &Container<'_>) {
        for mount in list(&container.content["volumeMounts"]) {
            let folder = self.path(container, text(&mount["mountPath"]));
            std::fs::create_dir_all(&folder).unwrap();
            let volume = list(&container.pod["volumes"]).find(|volume| volume["name"] == mount["name"]);
            for (file, content) in volume.map(|volume| self.volume(volume)).unwrap_or_default() {
                let file = folder.join(file);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, self.here(container, &content)).unwrap();
            }
        }
    }

    /// Asks what the kubelet asks of a container.
    pub(crate) async fn probe(&self, name: &str, probe: &str, program: &Program) {
        let get = &self.container(name).content[probe]["httpGet"];
        let url = self.url(name, text(&get["port"]), text(&get["path"]));
        eventually(PATIENCE, &format!("the {probe} of {name} passes"), async || {
            let answer = process::get(&url).await.and_then(reqwest::Response::error_for_status);
            answer.map(drop).map_err(|why| format!("{why}\n{}", program.log()))
        })
        .await;
    }

    /// Waits until events of a service have reached the broker: orders are settled without, because readers ask the owner.
    pub(crate) async fn publishes(&self, name: &str, program: &Program) {
        let url = self.url(name, "admin", "/metrics");
        eventually(PATIENCE, &format!("the broker takes events of {name}"), async || {
            let metrics = process::get(&url).await.map_err(|why| why.to_string())?.text().await.unwrap_or_default();
            let published = metrics.lines().find_map(|line| line.strip_prefix("tradewind_relay_published_total"));
            let published = published.and_then(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok());
            published.filter(|count| *count > 0.0).map(drop).ok_or_else(|| program.log())
        })
        .await;
    }

    /// Where a port of a container is here, by its name.
    fn url(&self, name: &str, port: &str, path: &str) -> String {
        let container = self.container(name);
        let port = list(&container.content["ports"]).find(|candidate| candidate["name"] == port).unwrap();
        let port = self.ports[&(container.component.to_owned(), port["containerPort"].as_u64().unwrap())];
        format!("http://127.0.0.1:{port}{path}")
    }

    pub(crate) fn services(&self) -> Vec<&str> {
        self.of_kind("Deployment")
            .map(|object| text(&object["metadata"]["labels"]["app.kubernetes.io/component"]))
            .filter(|component| *component != BROKER_INIT)
            .collect()
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
