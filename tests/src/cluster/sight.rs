//! A pod as the node's kernel sees it: its processes, what they may, and what they reach.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpStream;
use tokio::process::Command;

use super::kube::Pod;

/// How long a connection may take that is let through.
const REACHED: Duration = Duration::from_secs(2);
/// Where a pod's token of the Kubernetes API is mounted.
const TOKEN: &str = "/run/secrets/kubernetes.io";

/// One process of a pod.
pub(super) struct Process {
    pid: i32,
    /// Its program's name, as the kernel has it.
    pub(super) name: String,
    began: u64,
}

impl Pod {
    /// Its processes but the one that holds its namespaces, the oldest first.
    pub(super) fn processes(&self) -> Vec<Process> {
        let of = |file: &str, pid: i32| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let pids =
            std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut processes: Vec<_> = pids
            .filter(|pid| of("cgroup", *pid).contains(&self.uid))
            .map(|pid| Process { pid, name: of("comm", pid).trim().to_owned(), began: began(&of("stat", pid)) })
            .filter(|process| process.name != "pause")
            .collect();
        // A probe's command comes and goes, and may have the lower number.
        processes.sort_by_key(|process| process.began);
        processes
    }

    /// Kills its container as a crash would.
    pub(super) fn crash(&self) {
        let first = self.processes().into_iter().next().unwrap_or_else(|| panic!("{} has no process", self.name));
        kill(Pid::from_raw(first.pid), Signal::SIGKILL).unwrap();
    }

    /// Which of these addresses it can connect to.
    pub(super) async fn reaches(&self, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let Some(process) = self.processes().into_iter().next() else { panic!("{} has no process", self.name) };
        let output = Command::new("nsenter")
            .args(["--target", &process.pid.to_string(), "--net", "--"])
            .arg(std::env::current_exe().unwrap())
            .arg("reach")
            .args(addresses.iter().map(ToString::to_string))
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        said.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Process {
    /// What it may that no process of a pod should.
    pub(super) fn excesses(&self) -> Vec<String> {
        let read =
            |file: &str| std::fs::read_to_string(Path::new("/proc").join(self.pid.to_string()).join(file)).unwrap();
        let status = read("status");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut excesses = Vec::new();
        let mut unless = |right: bool, what: &str| {
            if !right {
                excesses.push(format!("{} {what}", self.name));
            }
        };
        unless(!field("Uid").split(' ').any(|uid| uid == "0"), "runs as root");
        unless(!field("Gid").split(' ').any(|gid| gid == "0"), "runs in root's group");
        unless(field("CapEff").trim_start_matches('0').is_empty(), "has capabilities");
        unless(field("CapBnd").trim_start_matches('0').is_empty(), "may get capabilities");
        unless(field("NoNewPrivs") == "1", "may gain privileges");
        unless(field("Seccomp") == "2", "may make any system call");
        // Of each mount the fifth field is where it is, the sixth how.
        let mounts = read("mountinfo");
        let mut places = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        unless(
            places.clone().any(|mount| mount[4] == "/" && mount[5].split(',').any(|how| how == "ro")),
            "writes its root",
        );
        unless(!places.any(|mount| mount[4].contains(TOKEN)), "holds a token of the Kubernetes API");
        excesses
    }
}

/// When a process began, of what `/proc/<pid>/stat` says: the twentieth field behind the program's name.
fn began(stat: &str) -> u64 {
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    behind.split_whitespace().nth(19).and_then(|field| field.parse().ok()).unwrap_or(u64::MAX)
}

/// Which of these addresses let this process connect, tried all at once.
pub async fn reach(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let tried = addresses.into_iter().map(async |address| {
        let connected = tokio::time::timeout(REACHED, TcpStream::connect(address)).await;
        connected.is_ok_and(|connected| connected.is_ok()).then_some(address)
    });
    join_all(tried).await.into_iter().flatten().collect()
}
