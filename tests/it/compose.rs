//! Compose's file as Compose reads it: every program starts with exactly the command, settings and files it gives, and an order settles.
//!
//! Only what needs containers is mapped: names and ports to free ports of the loopback address, volumes to folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use supervisor::services;
use tempfile::TempDir;
use tradewind_testing::{Nats, Postgres, block_on, eventually, free_port, scratch};

use crate::programs::{Environment, Program, binary, project, run, tool};
use system_tests::PATIENCE;

struct Compose {
    services: BTreeMap<String, Value>,
    secrets: Value,
    /// Host and port as containers know them → port of the loopback address.
    ports: BTreeMap<(String, u64), u16>,
    volumes: TempDir,
}

impl Compose {
    /// Reads the file with the variables of `.env.example`.
    fn read() -> Self {
        let mut model: Value = serde_json::from_str(&compose(&example()).unwrap()).unwrap();
        let services: BTreeMap<String, Value> = serde_json::from_value(model["services"].take()).unwrap();
        let secrets = model["secrets"].take();
        let published = services.iter().flat_map(|(name, service)| {
            list(&service["ports"]).map(|port| (name.clone(), port["target"].as_u64().unwrap()))
        });
        let inside: BTreeSet<_> = published.chain([("nats".to_owned(), 8222)]).collect();
        let mut free = BTreeSet::new();
        while free.len() < inside.len() {
            free.insert(free_port());
        }
        Self { services, secrets, ports: inside.into_iter().zip(free).collect(), volumes: scratch() }
    }

    /// The containers that run a program of the project, and which.
    fn programs(&self) -> BTreeMap<&str, &str> {
        self.services
            .iter()
            .filter_map(|(name, service)| Some((name.as_str(), service["build"]["args"]["SERVICE"].as_str()?)))
            .collect()
    }

    /// The containers that run a service.
    fn shop(&self) -> Vec<&str> {
        let services = services::names();
        self.programs().into_iter().filter(|(_, program)| services.contains(program)).map(|(name, _)| name).collect()
    }

    /// Where a container has a volume, and the folder that is it here.
    fn mounts(&self, name: &str) -> Vec<(String, PathBuf)> {
        list(&self.services[name]["volumes"])
            .filter(|mount| mount["type"] == "volume")
            .map(|mount| {
                let folder = self.volumes.path().join(mount["source"].as_str().unwrap());
                std::fs::create_dir_all(&folder).unwrap();
                (mount["target"].as_str().unwrap().to_owned(), folder)
            })
            .collect()
    }

    /// What a text that a container is given has to say here.
    fn here(&self, name: &str, text: &Value) -> String {
        let text = text.as_str().unwrap();
        let file = self.mounts(name).into_iter().find_map(|(target, folder)| {
            let below = text.strip_prefix(&target).filter(|below| below.is_empty() || below.starts_with('/'))?;
            Some(format!("{}{below}", folder.display()))
        });
        self.ports.iter().fold(file.unwrap_or_else(|| text.to_owned()), |text, ((host, inside), port)| {
            let text = text.replace(&format!("{host}:{inside}"), &format!("127.0.0.1:{port}"));
            if host == name { text.replace(&format!("0.0.0.0:{inside}"), &format!("127.0.0.1:{port}")) } else { text }
        })
    }

    fn environment(&self, name: &str) -> Environment {
        let variables = self.services[name]["environment"].as_object().into_iter().flatten();
        variables.map(|(key, value)| (key.clone(), self.here(name, value))).collect()
    }

    fn command(&self, name: &str) -> Vec<String> {
        let program = binary(self.programs()[name]).display().to_string();
        let arguments = list(&self.services[name]["command"]).map(|argument| self.here(name, argument));
        [program].into_iter().chain(arguments).collect()
    }

    /// Runs a container to its end, with more arguments.
    fn complete(&self, name: &str, more: &[&str]) -> Result<String, String> {
        let command = self.command(name);
        run(Command::new(&command[0]).args(&command[1..]).args(more).env_clear().envs(self.environment(name)))
    }

    fn start(&self, name: &str) -> Program {
        let command = self.command(name);
        Program::start(&command.iter().map(String::as_str).collect::<Vec<_>>(), &self.environment(name))
    }

    /// Runs the check of a container's health.
    fn health(&self, name: &str) -> Result<String, String> {
        let test: Vec<_> = list(&self.services[name]["healthcheck"]["test"]).filter_map(Value::as_str).collect();
        assert_eq!(test[..2], ["CMD", "/app"], "{name} asks itself");
        let mut command = Command::new(binary(self.programs()[name]));
        run(command.args(&test[2..]).env_clear().envs(self.environment(name)))
    }

    /// The text of a file of the project that a container has.
    fn file(&self, name: &str, target: &str) -> String {
        let mut binds = list(&self.services[name]["volumes"]).filter(|mount| mount["type"] == "bind");
        let bind = binds.find(|mount| mount["target"] == target).unwrap_or_else(|| panic!("{name} has {target}"));
        std::fs::read_to_string(bind["source"].as_str().unwrap()).unwrap()
    }

    /// A broker with the configuration of its container.
    fn broker(&mut self) -> Nats {
        let mut text = self.file("nats", "/etc/nats/nats.conf");
        for (target, folder) in self.mounts("nats") {
            text = text.replace(&format!("\"{target}"), &format!("\"{}", folder.display()));
        }
        // What is included is an object; in the place of the line it goes without its braces.
        let users = self.here("nats", &"/etc/nats/identities/pki/broker-users.json".into());
        let users = std::fs::read_to_string(users).unwrap();
        let users = users.trim().strip_prefix('{').and_then(|users| users.strip_suffix('}')).unwrap();
        text = text.replace("include \"identities/pki/broker-users.json\"", users);
        text = text.replace("8222", &self.ports[&("nats".to_owned(), 8222)].to_string());
        let nats = Nats::start_with(&text);
        self.ports.insert(("nats".to_owned(), 4222), nats.port());
        nats
    }

    /// A cluster with the roles and databases that a container makes.
    fn databases(&mut self) -> Postgres {
        let cluster = Postgres::start();
        let port: u16 = cluster.database().url().rsplit([':', '/']).nth(1).unwrap().parse().unwrap();
        self.ports.insert(("postgres".to_owned(), 5432), port);
        self.query("tradewind", "postgres", "CREATE ROLE postgres SUPERUSER LOGIN").unwrap();

        let folder = self.volumes.path().join("passwords");
        std::fs::create_dir(&folder).unwrap();
        for secret in list(&self.services["databases"]["secrets"]) {
            let password =
                &example()[self.secrets[secret["source"].as_str().unwrap()]["environment"].as_str().unwrap()];
            let name = secret["target"].as_str().unwrap().strip_prefix("/etc/tradewind/passwords/").unwrap();
            std::fs::write(folder.join(name), password).unwrap();
        }
        let script = self.file("databases", "/etc/tradewind/databases.sh");
        let script = script.replace("/etc/tradewind/passwords", folder.to_str().unwrap());
        let path = format!("{}:/usr/bin:/bin", tool("postgres").display());
        let mut shell = Command::new("/bin/sh");
        run(shell.args(["-c", &script]).env_clear().env("PATH", path).env("PGPORT", port.to_string())).unwrap();
        cluster
    }

    /// Runs a statement on a database under a role.
    fn query(&self, role: &str, database: &str, statement: &str) -> Result<String, String> {
        let port = self.ports[&("postgres".to_owned(), 5432)];
        let mut psql = Command::new(tool("postgres").join("psql"));
        psql.args([
            "--no-psqlrc",
            "--host=127.0.0.1",
            "--username",
            role,
            "--dbname",
            database,
            "--command",
            statement,
        ]);
        run(psql.arg(format!("--port={port}")))
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The file as Compose reads it with these variables, or what Compose has against it.
fn compose(variables: &Environment) -> Result<String, String> {
    let mut command = Command::new(tool("compose"));
    command.args(["--format", "json", "compose.yaml"]).current_dir(project("deploy"));
    run(command.env_clear().envs(variables))
}

fn example() -> Environment {
    let text = std::fs::read_to_string(project("deploy/.env.example")).unwrap();
    let variables = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    variables.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_authoritys_key_is_in_no_container_but_that_which_issues() {
    let compose = Compose::read();
    compose.complete("identities", &[]).unwrap();
    for name in compose.services.keys().filter(|name| *name != "identities") {
        for (target, folder) in compose.mounts(name) {
            let keys = std::process::Command::new("find").arg(&folder).args(["-name", "ca.key"]).output().unwrap();
            assert!(keys.stdout.is_empty(), "{name} has it below {target}");
        }
    }
    let published = compose.mounts("catalog").into_iter().find(|(target, _)| target == "/data").unwrap().1.join("pki");
    for file in ["ca.pem", "catalog.pem", "catalog.key"] {
        assert!(published.join(file).exists(), "{file} is published");
    }
}

#[test]
fn what_compose_starts_becomes_ready_and_settles_an_order() {
    let mut compose = Compose::read();
    compose.complete("identities", &[]).unwrap();
    let _cluster = compose.databases();
    let _nats = compose.broker();
    let shop = compose.shop();
    assert!(compose.health("catalog").unwrap_err().starts_with("catalog: not ready: "), "nothing runs yet");
    let edges = services::edges().map(|edge| edge.name());
    let started = shop.iter().chain(&["broker-init", "outside"]).chain(&edges);
    let running: Vec<_> = started.map(|name| (*name, compose.start(name))).collect();
    block_on(async {
        for (name, program) in running.iter().filter(|(name, _)| shop.contains(name) || edges.contains(name)) {
            eventually(PATIENCE, &format!("{name} is ready"), async || {
                compose.health(name).map_err(|why| format!("{why}{}", program.log()))
            })
            .await;
        }
    });

    let tradewind = |arguments: &str| compose.complete("cli", &arguments.split(' ').collect::<Vec<_>>());
    tradewind("product create tea --price GBP:450").unwrap();
    tradewind("stock receive TEA 3").unwrap();
    block_on(async {
        let told = eventually(PATIENCE, "an order is confirmed", async || tradewind("order place tea=2 --watch")).await;
        assert!(told.contains("CONFIRMED"), "{told}");
        let door = compose.ports[&("gateway".to_owned(), 8080)];
        let told = crate::process::get(&format!("http://127.0.0.1:{door}/v1/products/tea")).await.unwrap();
        assert_eq!(told.status().as_u16(), 200, "the front door is open");
        let console = compose.ports[&("console".to_owned(), 8085)];
        let told = crate::process::get(&format!("http://127.0.0.1:{console}/console/sign-in")).await.unwrap();
        assert_eq!(told.status().as_u16(), 200, "staff may sign in");
    });

    for role in &shop {
        for database in &shop {
            assert_eq!(
                compose.query(role, database, "SELECT 1").is_ok(),
                role == database,
                "{role} at the database of {database}"
            );
        }
    }
}

#[test]
fn every_service_is_there_and_gets_only_settings_it_has() {
    let compose = Compose::read();
    assert_eq!(compose.shop().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(services::names()));
    for name in compose.shop().into_iter().chain(services::edges().map(|edge| edge.name())) {
        let help = run(Command::new(binary(name)).arg("--help")).unwrap();
        for variable in compose.environment(name).keys() {
            assert!(help.contains(&format!(" {variable} ")), "{name} has no setting {variable}");
        }
    }
}

#[test]
fn every_service_listens_where_it_does_everywhere_and_is_found_there() {
    let compose = Compose::read();
    for service in services::all() {
        let (name, grpc, admin) = (service.name(), service.grpc_port(), service.admin_port());
        let variables = &compose.services[name]["environment"];
        assert_eq!(variables["TRADEWIND_GRPC_ADDR"], format!("0.0.0.0:{grpc}"));
        assert_eq!(variables["TRADEWIND_ADMIN_ADDR"], format!("0.0.0.0:{admin}"));
        for caller in compose.services.values() {
            let Some(peers) = caller["environment"]["TRADEWIND_PEERS"].as_str() else { continue };
            assert!(peers.split(',').any(|peer| peer == format!("{name}={name}:{grpc}")), "{name} is not in {peers}");
        }
    }
    for edge in services::edges() {
        let variables = &compose.services[edge.name()]["environment"];
        assert_eq!(variables["TRADEWIND_HTTP_ADDR"], format!("0.0.0.0:{}", edge.grpc_port()));
        assert_eq!(variables["TRADEWIND_ADMIN_ADDR"], format!("0.0.0.0:{}", edge.admin_port()));
    }
}

#[test]
fn programs_run_with_no_more_rights_than_they_need() {
    let compose = Compose::read();
    for name in compose.programs().into_keys() {
        let service = &compose.services[name];
        assert_eq!(service["read_only"], json!(true), "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
    }
}

#[test]
fn a_program_may_write_into_the_volumes_that_it_has_for_writing() {
    let compose = Compose::read();
    let dockerfile = std::fs::read_to_string(project("deploy/image/Dockerfile")).unwrap();
    for name in compose.programs().into_keys() {
        let service = &compose.services[name];
        assert_eq!(service["user"], Value::Null, "{name} runs as the image's user");
        for mount in list(&service["volumes"]).filter(|mount| mount["type"] == "volume" && mount["read_only"] != true) {
            // A new volume is whose the image's folder is, and root's where there is none.
            let end = format!(" {}", mount["target"].as_str().unwrap());
            let owned = |line: &&str| {
                line.starts_with("COPY ") && line.contains("--chown=65532:65532 ") && line.ends_with(&end)
            };
            assert_eq!(dockerfile.lines().filter(owned).count(), 2, "both images have a folder{end} for {name}");
        }
    }
}

#[test]
fn nothing_of_the_shop_waits_for_what_is_only_looked_at() {
    let compose = Compose::read();
    let profile = |name: &str| compose.services[name]["profiles"][0].as_str().unwrap();
    for (name, service) in &compose.services {
        for first in service["depends_on"].as_object().into_iter().flatten().map(|(first, _)| first) {
            assert_eq!(profile(first), profile(name), "{name} waits for {first}");
        }
    }
}

#[test]
fn prometheus_asks_every_service() {
    let compose = Compose::read();
    let text = std::fs::read_to_string(project("deploy/prometheus.yml")).unwrap();
    for name in compose.shop().into_iter().chain(services::edges().map(|edge| edge.name())) {
        let address = compose.services[name]["environment"]["TRADEWIND_ADMIN_ADDR"].as_str().unwrap();
        let target = address.replace("0.0.0.0", name);
        assert!(text.contains(&target), "{target} is not a target");
    }
}

#[test]
fn a_password_that_is_not_set_is_asked_for() {
    for variable in example().keys().filter(|variable| variable.ends_with("_PASSWORD")) {
        let mut variables = example();
        variables.remove(variable);
        let why = compose(&variables).unwrap_err();
        assert!(why.contains(&format!("{variable} is missing a value: is not set, see .env.example")), "{why}");
    }
}
