//! The cluster as its administrator sees it, by kubectl and helm.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::project::project;

/// The programs, which find the cluster by `KUBECONFIG`.
#[derive(Clone)]
pub(super) struct Kube {
    kubectl: PathBuf,
    helm: PathBuf,
}

/// A pod as it stands.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) component: String,
    pub(super) address: String,
    pub(super) ready: bool,
    /// How often its container was started again.
    pub(super) restarts: u64,
    /// Told to end.
    pub(super) ending: bool,
    pub(super) image: String,
}

impl Kube {
    /// The programs that `KUBECTL` and `HELM` name.
    pub(super) fn new() -> Self {
        let program = |name: &str| {
            let path = std::env::var_os(name);
            PathBuf::from(path.unwrap_or_else(|| panic!("{name} is not set: `make cluster-test` runs this")))
        };
        Self::by(program("KUBECTL"), program("HELM"))
    }

    pub(super) const fn by(kubectl: PathBuf, helm: PathBuf) -> Self {
        Self { kubectl, helm }
    }

    /// What kubectl prints.
    pub(super) async fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).await.unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")))
    }

    pub(super) async fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        output(Command::new(&self.kubectl).args(arguments), "").await
    }

    /// What helm prints.
    pub(super) async fn helm(&self, arguments: &[&str]) -> Result<String, String> {
        output(Command::new(&self.helm).args(arguments), "").await
    }

    pub(super) async fn apply(&self, object: &Value) {
        let applied = output(Command::new(&self.kubectl).args(["apply", "--filename", "-"]), &object.to_string()).await;
        applied.unwrap_or_else(|error| panic!("{object} is not taken: {error}"));
    }

    /// Asks whether objects would be taken as they are: of a field that nobody knows, helm lets the API server say nothing. Returns how
    /// many they are.
    pub(super) async fn would_take(&self, namespace: &str, objects: &str) -> usize {
        let arguments = ["--namespace", namespace, "apply", "--dry-run=server", "--validate=strict", "--output=name"];
        let arguments = [&arguments[..], &["--filename", "-"]].concat();
        let taken = output(Command::new(&self.kubectl).args(arguments), objects).await;
        taken.unwrap_or_else(|error| panic!("the API server refuses: {error}")).lines().count()
    }

    /// Objects, or one of them.
    pub(super) async fn get(&self, namespace: &str, what: &str) -> Value {
        let arguments = ["--namespace", namespace, "get", "--output", "json"];
        let arguments: Vec<_> = arguments.into_iter().chain(what.split(' ')).collect();
        serde_json::from_str(&self.kubectl(&arguments).await).unwrap()
    }

    /// The pods of a namespace that have not run to their end.
    pub(super) async fn pods(&self, namespace: &str) -> Vec<Pod> {
        let pods = self.get(namespace, "pods").await;
        let running = |pod: &&Value| !["Succeeded", "Failed"].map(Value::from).contains(&pod["status"]["phase"]);
        pods["items"].as_array().unwrap().iter().filter(running).map(Pod::new).collect()
    }

    /// Keeps what pods and the cluster said, in a folder for each namespace.
    pub(super) async fn keep_logs(&self, folder: &Path) {
        for namespace in self.kubectl(&["get", "namespaces", "--output", "name"]).await.lines() {
            let namespace = namespace.trim_start_matches("namespace/");
            let folder = folder.join(namespace);
            std::fs::create_dir_all(&folder).expect("a folder for logs");
            let keep = |file: String, said: Result<String, String>| {
                std::fs::write(folder.join(file), said.unwrap_or_else(|error| error)).expect("a file of logs");
            };
            for [what, how] in [["pods", "--output=wide"], ["events", "--sort-by=.lastTimestamp"]] {
                keep(format!("{what}.txt"), self.try_kubectl(&["--namespace", namespace, "get", what, how]).await);
            }
            for pod in self.pods(namespace).await {
                let logs = ["--namespace", namespace, "logs", &pod.name];
                keep(format!("{}.log", pod.name), self.try_kubectl(&logs).await);
                let before = [&logs[..], &["--previous"]].concat();
                keep(format!("{}.before.log", pod.name), self.try_kubectl(&before).await);
            }
        }
    }

    /// Makes a namespace in which no pod may ask for more than a service should.
    pub(super) async fn restricted(&self, namespace: &str) {
        let labels = serde_json::json!({ "pod-security.kubernetes.io/enforce": "restricted" });
        let metadata = serde_json::json!({ "name": namespace, "labels": labels });
        self.apply(&serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })).await;
    }
}

impl Pod {
    fn new(pod: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ready = pod["status"]["conditions"].as_array().into_iter().flatten();
        Self {
            name: text(&pod["metadata"]["name"]),
            uid: text(&pod["metadata"]["uid"]),
            component: text(&pod["metadata"]["labels"]["app.kubernetes.io/component"]),
            address: text(&pod["status"]["podIP"]),
            ready: ready.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True"),
            restarts: pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or_default(),
            ending: !pod["metadata"]["deletionTimestamp"].is_null(),
            image: text(&pod["spec"]["containers"][0]["image"]),
        }
    }
}

/// Runs a command to its end with a text on its standard input.
async fn output(command: &mut Command, input: &str) -> Result<String, String> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.current_dir(project(".")).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    // Who reads nothing may have ended already.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(format!("{said}\n{complained}").trim().to_owned()) }
}
