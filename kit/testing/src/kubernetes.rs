//! The little of a Kubernetes cluster that a job which makes Secrets needs: an API server that keeps them, and a service account.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path as Name, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::{pki, scratch};

/// An API server without TLS that keeps the Secrets of the namespace `sales`, and a pod's service account there.
pub struct Kubernetes {
    secrets: Secrets,
    url: String,
    account: TempDir,
    _runtime: Runtime,
}

/// By name, as they were sent.
type Secrets = Arc<Mutex<BTreeMap<String, Value>>>;

const TOKEN: &str = "let me in";

impl Kubernetes {
    /// Starts the API server, which has no Secret yet.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let account = scratch();
        let write = |file: &str, text: &str| std::fs::write(account.path().join(file), text).expect("a new folder");
        let authority = std::fs::read_to_string(pki(&[]).path().join("ca.pem")).expect("an authority");
        for (file, text) in [("ca.crt", authority.as_str()), ("token", TOKEN), ("namespace", "sales")] {
            write(file, text);
        }
        let secrets = Secrets::default();
        let routes = Router::new()
            .route("/api/v1/namespaces/sales/secrets", post(create))
            .route("/api/v1/namespaces/sales/secrets/{name}", get(read).put(replace))
            .with_state(Arc::clone(&secrets));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        runtime.spawn(async { axum::serve(listener, routes).await });
        Self { secrets, url, account, _runtime: runtime }
    }

    /// Where the API server is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of the service account: `token`, `namespace` and `ca.crt`.
    #[must_use]
    pub fn account(&self) -> &Path {
        self.account.path()
    }

    /// What every Secret holds.
    #[must_use]
    pub fn secrets(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = |secret: &Value| serde_json::from_value(secret["stringData"].clone()).unwrap_or_default();
        secrets.iter().map(|(name, secret)| (name.clone(), texts(secret))).collect()
    }

    /// Deletes a Secret.
    ///
    /// # Panics
    /// When there is none of that name.
    #[track_caller]
    pub fn delete(&self, name: &str) {
        let deleted = self.secrets.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        assert!(deleted.is_some(), "there is no Secret {name}");
    }
}

async fn read(State(secrets): State<Secrets>, Name(name): Name<String>, headers: HeaderMap) -> Response {
    if let Some(refusal) = refusal(&headers) {
        return refusal;
    }
    match secrets.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
        Some(secret) => Json(stored(secret)).into_response(),
        None => status(StatusCode::NOT_FOUND, "there is none"),
    }
}

async fn create(State(secrets): State<Secrets>, headers: HeaderMap, Json(secret): Json<Value>) -> Response {
    let name = secret["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    match refusal(&headers) {
        Some(refusal) => refusal,
        None if secrets.contains_key(&name) => status(StatusCode::CONFLICT, "there is one"),
        None => {
            secrets.insert(name, secret);
            status(StatusCode::CREATED, "made")
        }
    }
}

async fn replace(
    State(secrets): State<Secrets>,
    Name(name): Name<String>,
    headers: HeaderMap,
    Json(secret): Json<Value>,
) -> Response {
    refusal(&headers).unwrap_or_else(|| {
        secrets.lock().unwrap_or_else(PoisonError::into_inner).insert(name, secret);
        status(StatusCode::OK, "replaced")
    })
}

fn refusal(headers: &HeaderMap) -> Option<Response> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    (token != Some(TOKEN)).then(|| status(StatusCode::FORBIDDEN, "who are you?"))
}

fn status(code: StatusCode, message: &str) -> Response {
    (code, Json(json!({ "message": message }))).into_response()
}

/// A Secret as it is answered: text that was sent comes back in base 64.
fn stored(secret: &Value) -> Value {
    let texts = secret["stringData"].as_object().into_iter().flatten();
    let data: serde_json::Map<_, _> = texts
        .map(|(key, text)| (key.clone(), BASE64_STANDARD.encode(text.as_str().unwrap_or_default()).into()))
        .collect();
    json!({ "metadata": secret["metadata"], "type": secret["type"], "data": data })
}
