//! What an image holds and that it suffices: assembled from the binary of this build, without pulling anything.
//!
//! Only root can assemble one here and run a program in it: for anybody else these tests say so and pass.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tradewind_mesh::Policy;
use tradewind_runtime::{VERSION, broker_users};
use tradewind_testing::{Nats, TRUST_DOMAIN, block_on, eventually, free_port, pki, scratch};

use crate::programs::{Environment, Program, binary, project, run, tool};
use system_tests::PATIENCE;

const SERVICE: &str = "catalog";
const USER: u32 = 65532;
/// Of a program for development, which is half as large again as a release's.
const LARGEST: u64 = 60_000_000;

/// The image of [`SERVICE`] and its root file system.
struct Image {
    folder: TempDir,
    root: PathBuf,
}

impl Image {
    /// `None` where this process may not assemble one.
    fn assemble() -> Option<Self> {
        if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
            eprintln!("skipped: only root can assemble an image here");
            return None;
        }
        let mut image = Self { folder: scratch(), root: PathBuf::new() };
        let (stripped, content) = (image.folder.path().join(SERVICE), image.folder.path().join("content"));
        run(Command::new("strip").arg("-o").arg(&stripped).arg(binary(SERVICE))).unwrap();
        run(Command::new(project("deploy/image/rootfs")).args([&stripped, &content])).unwrap();
        let dockerfile = project("deploy/image/Dockerfile").display().to_string();
        let service = format!("SERVICE={SERVICE}");
        let content = content.display().to_string();
        image.buildah(&[
            "build",
            "--target",
            "prebuilt",
            "--file",
            &dockerfile,
            "--build-arg",
            &service,
            "--tag",
            SERVICE,
            &content,
        ]);
        let container = image.buildah(&["from", SERVICE]);
        image.root = image.buildah(&["mount", container.trim()]).trim().into();
        Some(image)
    }

    fn buildah(&self, arguments: &[&str]) -> String {
        let (storage, run_root) = (self.folder.path().join("storage"), self.folder.path().join("run"));
        let mut command = Command::new(tool("buildah"));
        command.args(["--storage-driver", "vfs", "--root"]).arg(storage).arg("--runroot").arg(run_root);
        run(command.args(arguments).env("BUILDAH_ISOLATION", "chroot")).unwrap()
    }

    fn config(&self) -> Value {
        let image: Value = serde_json::from_str(&self.buildah(&["inspect", "--type", "image", SERVICE])).unwrap();
        image["OCIv1"]["config"].clone()
    }

    /// The command that runs the image's program as a container would.
    fn command<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let user = "--userspec=65532:65532";
        [&["/usr/sbin/chroot", user, self.root.to_str().unwrap(), "/app"], arguments].concat()
    }
}

/// The files below a folder, by their path in it, and how large they are together.
fn files(folder: &Path) -> (BTreeSet<String>, u64) {
    let listed = run(Command::new("find").arg(folder).args(["-type", "f", "-printf", "%s /%P\n"])).unwrap();
    let files = listed.lines().map(|line| line.split_once(' ').unwrap());
    (
        files.clone().map(|(_, path)| path.to_owned()).collect(),
        files.map(|(size, _)| size.parse::<u64>().unwrap()).sum(),
    )
}

#[test]
fn an_image_holds_its_program_and_what_that_is_linked_with() {
    let Some(image) = Image::assemble() else { return };
    let (files, size) = files(&image.root);
    let linked = run(Command::new("ldd").arg(binary(SERVICE))).unwrap();
    let linked = linked.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned);
    let own = ["/app", "/etc/group", "/etc/nsswitch.conf", "/etc/passwd"].map(str::to_owned);
    assert_eq!(files, linked.chain(own).collect());
    assert!(size < LARGEST, "{size} bytes");
}

#[test]
fn an_image_says_what_it_is_and_runs_as_nobody_else() {
    let Some(image) = Image::assemble() else { return };
    let config = image.config();
    assert_eq!(config["User"], json!("65532:65532"));
    assert_eq!(config["Entrypoint"], json!(["/app"]));
    let labels = &config["Labels"];
    assert_eq!(labels["org.opencontainers.image.title"], json!("tradewind-catalog"));
    assert_eq!(labels["org.opencontainers.image.version"], json!(VERSION));
    for path in ["app", "etc/passwd", "."] {
        let file = std::fs::metadata(image.root.join(path)).unwrap();
        assert!(file.uid() == 0 && file.mode() & 0o022 == 0, "{path} is not for the program to change");
    }
    assert_eq!(std::fs::metadata(image.root.join("data")).unwrap().uid(), USER);
}

#[test]
fn a_service_becomes_ready_in_its_image() {
    let Some(image) = Image::assemble() else { return };
    let credentials = pki(&[SERVICE, "nats"]);
    let users = broker_users(&Policy::new(&contracts::CONTRACT), TRUST_DOMAIN).unwrap();
    let nats = Nats::start_secured(credentials.path(), &users);
    let data = image.root.join("data");
    for file in ["ca.pem", "catalog.pem", "catalog.key"] {
        std::fs::copy(credentials.path().join(file), data.join(file)).unwrap();
        chown(data.join(file), Some(USER), Some(USER)).unwrap();
    }
    // What a container's runtime adds.
    std::fs::write(image.root.join("etc/hosts"), "127.0.0.1 nats\n").unwrap();
    let environment: Environment = [
        ("GRPC_ADDR", "127.0.0.1:0".to_owned()),
        ("ADMIN_ADDR", format!("0.0.0.0:{}", free_port())),
        ("CA", "/data/ca.pem".to_owned()),
        ("CERT", "/data/catalog.pem".to_owned()),
        ("KEY", "/data/catalog.key".to_owned()),
        ("TRUST_DOMAIN", TRUST_DOMAIN.to_owned()),
        ("DATABASE_URL", "sqlite:///data/catalog.db".to_owned()),
        ("NATS_URL", format!("tls://nats:{}", nats.port())),
    ]
    .map(|(key, value)| (format!("TRADEWIND_{key}"), value))
    .into();
    let program = Program::start(&image.command(&[]), &environment);
    let health = image.command(&["--health"]);
    block_on(eventually(PATIENCE, "the service is ready", async || {
        let told = run(Command::new(health[0]).args(&health[1..]).env_clear().envs(&environment));
        told.map_err(|why| format!("{why}{}", program.log()))
    }));
    drop(program);
    let left = std::fs::read_dir(image.root.join("tmp")).unwrap().count();
    assert_eq!(left, 0, "it needs no temporary files");
}
