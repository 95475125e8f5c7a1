//! What is asked: the same of each front, but that the gateway wants to know who changes a product.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::UnixTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tradewind_tokens::Signer;

use super::catalog::{LARGE, SMALL};
use super::fronts::Kind;
use super::{ISSUED_BY, ISSUER};

/// How long the token is good for.
const GOOD_FOR: u64 = 4 * 60 * 60;
/// Characters of a description that makes a request of 2 KB.
const DESCRIPTION: usize = 1_850;

/// One kind of request.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    Small,
    Large,
    Write,
    List,
}

impl Asked {
    pub(super) const ALL: [Self; 4] = [Self::Small, Self::Large, Self::Write, Self::List];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Small => "GET",
            Self::Large => "GET of 1 KB",
            Self::Write => "POST of 2 KB",
            Self::List => "list of 100",
        }
    }
}

/// All that is asked.
pub(super) struct Requests {
    signer: Signer,
    token: String,
}

impl Requests {
    /// With a token that is signed by [`ISSUER`]'s key.
    pub(super) fn new(credentials: &Path) -> Result<Self> {
        let signer = Signer::from_pem(&fs::read_to_string(credentials.join(format!("{ISSUER}.key")))?)?;
        let now = UnixTime::now().as_secs();
        let claims = json!({
            "iss": ISSUED_BY, "sub": "0190163d-8694-739b-aea5-966c26f8ad91", "aud": "tradewind",
            "iat": now, "exp": now + GOOD_FOR, "roles": ["staff"],
        });
        let token = signer.sign("at+jwt", claims.as_object().unwrap_or(&serde_json::Map::new()))?;
        Ok(Self { signer, token })
    }

    /// Answers everybody with the keys that the token is verified by, and tells where.
    pub(super) async fn publish_keys(&self) -> Result<SocketAddr> {
        let keys = Bytes::from(json!({ "keys": [self.signer.public()] }).to_string());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let keys = keys.clone();
                let answer = service_fn(move |_| {
                    std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(Full::new(keys.clone()))))
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(tcp), answer));
            }
        });
        Ok(address)
    }

    /// A request as a front takes it.
    pub(super) fn of(&self, front: Kind, asked: Asked) -> Result<Request<Full<Bytes>>> {
        let (method, path, body) = match asked {
            Asked::Small => (Method::GET, format!("/v1/products/{SMALL}"), None),
            Asked::Large => (Method::GET, format!("/v1/products/{LARGE}"), None),
            Asked::List => (Method::GET, "/v1/products?pageSize=100".to_owned(), None),
            Asked::Write => (Method::POST, "/v1/products?requestId=one".to_owned(), Some(product())),
        };
        let mut request =
            Request::builder().method(method).uri(format!("http://{HOST_NAME}{path}")).header(HOST, HOST_NAME);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
            if !matches!(front, Kind::GrpcGateway) {
                request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
            }
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        Ok(request.body(Full::new(body))?)
    }
}

const HOST_NAME: &str = "shop.example";

/// A product with much to say of itself, in lines.
fn product() -> Value {
    let line = "A first flush, from where the road ends; \"brew it short\", says who grows it.\n";
    let description: String = line.chars().cycle().take(DESCRIPTION).collect();
    json!({
        "productId": "tea-1", "sku": "TEA-1", "name": "Tea", "description": description,
        "price": { "currency": "GBP", "minor": "1234" },
    })
}
