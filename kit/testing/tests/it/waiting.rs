use std::time::Duration;

use tradewind_testing::eventually;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_condition_that_comes_true_ends_the_wait() {
    let mut probes = 0;
    eventually(LONG, "the third probe", async || {
        probes += 1;
        probes == 3
    })
    .await;
    let found = eventually(LONG, "a value", async || Some("value")).await;
    let read = eventually(LONG, "a result", async || Ok::<_, std::fmt::Error>(7)).await;
    assert_eq!((probes, found, read), (3, "value", 7));
}

#[tokio::test]
#[should_panic(expected = "in vain for: the impossible")]
async fn a_wait_in_vain_says_for_what() {
    eventually(SHORT, "the impossible", async || false).await;
}

#[tokio::test]
#[should_panic(expected = "in vain for: a file; last seen: NotFound")]
async fn a_wait_in_vain_says_what_it_saw_last() {
    eventually(SHORT, "a file", async || Err::<(), _>(std::io::ErrorKind::NotFound)).await;
}

#[tokio::test]
#[should_panic(expected = "in vain for: an answer")]
async fn a_probe_that_hangs_does_not_outlast_the_deadline() {
    eventually(SHORT, "an answer", async || std::future::pending::<bool>().await).await;
}
