//! Secrets of a Kubernetes namespace, as a pod's service account may make and read them. Nothing else of the API is known here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Certificate, Client, Response, StatusCode};
use serde_json::{Value, json};

/// Where the API server is, and as whom it is called.
#[derive(clap::Args)]
pub(crate) struct Cluster {
    /// Kubernetes' API server.
    #[arg(long, default_value = "https://kubernetes.default.svc", value_name = "URL")]
    api: String,
    /// Folder of the pod's service account: its token, its namespace and the API server's authority.
    #[arg(long, default_value = "/var/run/secrets/kubernetes.io/serviceaccount", value_name = "FOLDER")]
    account: PathBuf,
}

/// What a Secret holds, by key.
pub(crate) type Entries = BTreeMap<String, String>;

/// The Secrets of the pod's namespace.
pub(crate) struct Secrets {
    http: Client,
    url: String,
    token: String,
}

impl Secrets {
    /// Reads the service account; calls nobody yet.
    ///
    /// # Errors
    /// When a file of it is missing: this is no pod, or one without a token.
    pub(crate) fn of(cluster: &Cluster) -> Result<Self> {
        let read = |name: &str| {
            let path = cluster.account.join(name);
            std::fs::read_to_string(&path).with_context(|| format!("no service account here: {}", path.display()))
        };
        let authority = Certificate::from_pem(read("ca.crt")?.as_bytes()).context("the API server's authority")?;
        let http =
            tradewind_runtime::direct().tls_built_in_root_certs(false).add_root_certificate(authority).build()?;
        let url =
            format!("{}/api/v1/namespaces/{}/secrets", cluster.api.trim_end_matches('/'), read("namespace")?.trim());
        Ok(Self { http, url, token: read("token")?.trim().to_owned() })
    }

    /// What the Secret holds, if there is one.
    ///
    /// # Errors
    /// When the API server is away or refuses.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Entries>> {
        let request = self.http.get(format!("{}/{name}", self.url)).bearer_auth(&self.token);
        let answer = request.send().await.with_context(|| format!("cannot read Secret {name}"))?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let secret: Value = accepted(answer, "read", name).await?.json().await?;
        let data = secret["data"].as_object().into_iter().flatten();
        let decoded = data.map(|(key, value)| {
            let bytes = BASE64_STANDARD.decode(value.as_str().unwrap_or_default())?;
            Ok((key.clone(), String::from_utf8(bytes)?))
        });
        decoded.collect::<Result<_>>().with_context(|| format!("Secret {name} holds no text")).map(Some)
    }

    /// Makes the Secret; tells whether it did, or there was one already.
    ///
    /// # Errors
    /// When the API server is away or refuses.
    pub(crate) async fn create(&self, name: &str, kind: &str, entries: &Entries) -> Result<bool> {
        let request = self.http.post(&self.url).bearer_auth(&self.token).json(&secret(name, kind, entries));
        let answer = request.send().await.with_context(|| format!("cannot make Secret {name}"))?;
        if answer.status() == StatusCode::CONFLICT {
            return Ok(false);
        }
        accepted(answer, "make", name).await.map(|_| true)
    }

    /// Replaces what the Secret holds.
    ///
    /// # Errors
    /// When the API server is away or refuses.
    pub(crate) async fn replace(&self, name: &str, kind: &str, entries: &Entries) -> Result<()> {
        let url = format!("{}/{name}", self.url);
        let request = self.http.put(url).bearer_auth(&self.token).json(&secret(name, kind, entries));
        let answer = request.send().await.with_context(|| format!("cannot replace Secret {name}"))?;
        accepted(answer, "replace", name).await.map(drop)
    }
}

fn secret(name: &str, kind: &str, entries: &Entries) -> Value {
    let labels = json!({ "app.kubernetes.io/part-of": "tradewind", "app.kubernetes.io/managed-by": "tradewind" });
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "labels": labels },
        "type": kind,
        "stringData": entries,
    })
}

async fn accepted(answer: Response, action: &str, name: &str) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let reason: Value = answer.json().await.unwrap_or_default();
    bail!("cannot {action} Secret {name}: {status}: {}", reason["message"].as_str().unwrap_or_default())
}
