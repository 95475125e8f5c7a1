//! HTTP clients. Every one in the workspace is built here, so that none asks the environment where to go.

/// Begins a client that goes straight to the address it is given.
///
/// A proxy that the environment names (`HTTP_PROXY`, `ALL_PROXY`, …) knows nothing of the loopback address, of a pod or of a
/// service's own network, and would be told what is sent there. Where a party outside is only reached through a company's
/// proxy, the setting with the party's URL names a relay there.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn direct() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::*;

    const ASKED: &str = "TRADEWIND_TEST_OF_PROXIES";

    /// Runs itself again with a proxy in the environment, which nothing listens at: changing one's own is not safe.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test is about the environment")]
    fn no_proxy_of_the_environment_is_asked() {
        if std::env::var_os(ASKED).is_some() {
            return ask();
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        again
            .args(["--exact", "http::tests::no_proxy_of_the_environment_is_asked"])
            .env(ASKED, "1")
            .env("NO_PROXY", "");
        for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            again.env(proxy, "http://127.0.0.1:1");
        }
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    #[tokio::main(flavor = "current_thread")]
    async fn ask() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(|| async { "here" });
        tokio::spawn(std::future::IntoFuture::into_future(axum::serve(listener, router)));
        assert_eq!(direct().build().unwrap().get(url).send().await.unwrap().text().await.unwrap(), "here");
    }
}
