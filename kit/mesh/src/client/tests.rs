//! The whole client on a network that is made up, under a clock that stands still until everybody waits: what happens when
//! endpoints fall silent, fail or come back, again and again from other seeds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod lookups;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contracts::CONTRACT;
use futures::future::{BoxFuture, join_all};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tonic::Code;
use tonic::body::Body;
use tower::ServiceExt;

use super::Channel;
use super::behalf::Behalf;
use super::connect::{Dial, Line};
use super::peer::Peer;
use crate::Policy;
use crate::observe::code_of;

const SECOND: Duration = Duration::from_secs(1);
const SAFE: &str = "/tradewind.catalog.v1.CatalogService/GetProduct";
/// What the contract gives a call of it.
const TIMEOUT: Duration = Duration::from_secs(5);
const CALLERS: usize = 8;

/// What an endpoint does with whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Answers(Duration),
    Fails,
    /// Takes whatever comes, and says nothing.
    Silent,
    Refuses,
}

/// One made-up endpoint.
struct Host {
    mood: watch::Sender<Mood>,
    asked: AtomicUsize,
}

/// The network: endpoints by address.
#[derive(Clone)]
struct Net {
    hosts: Arc<BTreeMap<SocketAddr, Host>>,
    generation: Arc<watch::Sender<u64>>,
}

impl Net {
    fn of(count: u16) -> Self {
        let host = |port| {
            let mood = watch::Sender::new(Mood::Answers(Duration::from_millis(5)));
            (SocketAddr::from(([10, 0, 0, 1], port)), Host { mood, asked: AtomicUsize::new(0) })
        };
        Self { hosts: Arc::new((1..=count).map(host).collect()), generation: Arc::new(watch::Sender::new(1)) }
    }

    fn host(&self, number: u16) -> &Host {
        &self.hosts[&SocketAddr::from(([10, 0, 0, 1], number))]
    }

    fn channel(&self) -> Channel {
        let addresses: Vec<_> = self.hosts.keys().map(ToString::to_string).collect();
        let net = self.clone();
        let peer = Peer::new("catalog", &addresses.join(","), move |_| Ok(Arc::new(net.clone()))).unwrap();
        Channel::new(Arc::new(peer), "catalog:1".parse().unwrap(), Policy::new(&CONTRACT), Behalf::default())
    }

    fn asked(&self) -> usize {
        self.hosts.values().map(|host| host.asked.load(Ordering::Relaxed)).sum()
    }
}

impl Host {
    fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Dial for Net {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, Result<Line, String>> {
        Box::pin(async move {
            sleep(Duration::from_millis(1)).await;
            let mood = *self.hosts[&address].mood.borrow();
            match mood {
                Mood::Refuses => return Err("refused".to_owned()),
                Mood::Silent => sleep(SECOND * 1_000).await,
                _ => {}
            }
            let (ours, wire) = duplex(1 << 16);
            let (far, theirs) = duplex(1 << 16);
            tokio::spawn(carry(wire, far, self.hosts[&address].mood.subscribe()));
            tokio::spawn(serve(theirs, self.clone(), address));
            Ok(Line { io: Box::new(ours), expires: None })
        })
    }

    fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }
}

/// Carries bytes both ways, unless the endpoint is silent; ends when it refuses.
async fn carry(near: DuplexStream, far: DuplexStream, mood: watch::Receiver<Mood>) {
    let ((near_read, near_write), (far_read, far_write)) = (split(near), split(far));
    let one_way = |mut from: tokio::io::ReadHalf<_>, mut to: tokio::io::WriteHalf<_>| {
        let mut mood = mood.clone();
        async move {
            let mut buffer = [0; 4096];
            loop {
                let read = from.read(&mut buffer).await.unwrap_or(0);
                let _ = mood.wait_for(|mood| *mood != Mood::Silent).await;
                if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        }
    };
    let mut refusing = mood.clone();
    tokio::select! {
        () = one_way(near_read, far_write) => {}
        () = one_way(far_read, near_write) => {}
        _ = refusing.wait_for(|mood| *mood == Mood::Refuses) => {}
    }
}

async fn serve(io: DuplexStream, net: Net, address: SocketAddr) {
    let mut connection = h2::server::handshake(io).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let net = net.clone();
        tokio::spawn(async move {
            let host = &net.hosts[&address];
            host.asked.fetch_add(1, Ordering::Relaxed);
            let mood = *host.mood.borrow();
            let status = |code: Code| {
                HeaderMap::from_iter([("grpc-status".parse().unwrap(), i32::from(code).to_string().parse().unwrap())])
            };
            let mut response = Response::new(());
            if let Mood::Answers(time) = mood {
                sleep(time).await;
                // Whoever asked may have gone.
                let Ok(mut stream) = respond.send_response(response, false) else { return };
                let _ = stream.send_data(Bytes::from_static(&[0; 5]), false);
                let _ = stream.send_trailers(status(Code::Ok));
            } else {
                *response.headers_mut() = status(Code::Unavailable);
                let _ = respond.send_response(response, true);
            }
        });
    }
}

/// Makes one call, and tells how it ended and how long it took.
async fn call(channel: &Channel, path: &str) -> (Code, Duration) {
    let body = Body::new(Full::new(Bytes::from_static(&[0; 5])));
    let request = Request::post(format!("http://any{path}")).body(body).unwrap();
    let began = Instant::now();
    let code = match channel.clone().oneshot(request).await {
        Ok(response) => match code_of(response.headers()) {
            Some(code) => code,
            None => {
                let body = response.into_body().collect().await.unwrap();
                body.trailers().and_then(code_of).unwrap_or(Code::Unknown)
            }
        },
        Err(status) => status.code(),
    };
    (code, began.elapsed())
}

/// What callers see while they call one after the other, until they are told to stop.
#[derive(Default)]
struct Seen {
    calls: usize,
    failed: usize,
    longest: Duration,
}

/// Calls all the time, from everywhere.
async fn calling(channel: &Channel, path: &str, until: Instant) -> Seen {
    calling_every(10..30, channel, path, until).await
}

/// Calls from everywhere, with pauses of so many milliseconds.
async fn calling_every(pauses: Range<u64>, channel: &Channel, path: &str, until: Instant) -> Seen {
    let seen = Mutex::new(Seen::default());
    join_all((0..CALLERS).map(|_| async {
        while Instant::now() < until {
            let (code, took) = call(channel, path).await;
            {
                let mut seen = seen.lock().unwrap();
                seen.calls += 1;
                seen.failed += usize::from(code != Code::Ok);
                seen.longest = seen.longest.max(took);
            }
            sleep(Duration::from_millis(fastrand::u64(pauses.clone()))).await;
        }
    }))
    .await;
    seen.into_inner().unwrap()
}

/// Runs a scenario from one seed after the other.
fn simulate<F: Future<Output = ()>>(scenario: impl Fn() -> F) {
    for seed in 0..2 {
        fastrand::seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(scenario());
    }
}

#[test]
fn one_silent_endpoint_of_three_costs_no_call_and_is_asked_again_when_it_is_back() {
    simulate(|| async {
        let net = Net::of(3);
        let channel = net.channel();
        let begin = Instant::now();
        let seen = calling(&channel, SAFE, begin + SECOND);
        assert_eq!(seen.await.failed, 0);
        net.host(1).is(Mood::Silent);
        let (before, asked) = (net.asked(), net.host(1).asked());
        let seen = calling(&channel, SAFE, begin + SECOND * 30).await;
        assert!(seen.failed * 1_000 <= seen.calls, "{} of {}", seen.failed, seen.calls);
        assert!(seen.longest <= TIMEOUT, "{:?}", seen.longest);
        assert!(net.asked() - before <= seen.calls * 11 / 10, "{} for {}", net.asked() - before, seen.calls);
        net.host(1).is(Mood::Answers(Duration::from_millis(5)));
        calling(&channel, SAFE, begin + SECOND * 50).await;
        assert!(net.host(1).asked() > asked + 500, "it has its share again");
    });
}

#[test]
fn who_is_twenty_times_slower_is_hardly_asked() {
    simulate(|| async {
        let net = Net::of(3);
        let channel = net.channel();
        net.host(3).is(Mood::Answers(Duration::from_millis(100)));
        let seen = calling(&channel, SAFE, Instant::now() + SECOND * 30).await;
        assert_eq!(seen.failed, 0);
        let asked = net.host(3).asked();
        assert!(asked * 10 < seen.calls, "{asked} of {} calls went where it is slow", seen.calls);
    });
}

#[test]
fn who_fails_fast_is_left_alone_but_for_a_probe_now_and_then() {
    simulate(|| async {
        let net = Net::of(3);
        let channel = net.channel();
        let begin = Instant::now();
        calling(&channel, SAFE, begin + SECOND).await;
        net.host(2).is(Mood::Fails);
        let asked = net.host(2).asked();
        let seen = calling(&channel, SAFE, begin + SECOND * 31).await;
        assert_eq!(seen.failed, 0);
        let asked = net.host(2).asked() - asked;
        assert!(asked <= 50, "asked {asked} times in 30 seconds");
    });
}

#[test]
fn when_everybody_is_away_calls_fail_at_once_and_all_is_well_soon_after() {
    simulate(|| async {
        let net = Net::of(3);
        let channel = net.channel();
        let begin = Instant::now();
        let healthy = calling(&channel, SAFE, begin + SECOND * 5).await.calls;
        for mood in [Mood::Refuses, Mood::Fails] {
            let (begin, before) = (Instant::now(), net.asked());
            (1..=3).for_each(|number| net.host(number).is(mood));
            let seen = calling(&channel, SAFE, begin + SECOND * 20).await;
            assert!(seen.longest < SECOND, "{mood:?}: {:?}", seen.longest);
            assert!(
                net.asked() - before <= seen.calls * 11 / 10,
                "{mood:?}: {} for {}",
                net.asked() - before,
                seen.calls
            );
            (1..=3).for_each(|number| net.host(number).is(Mood::Answers(Duration::from_millis(5))));
            sleep(SECOND * 2).await;
            let seen = calling(&channel, SAFE, Instant::now() + SECOND * 5).await;
            assert_eq!(seen.failed, 0, "{mood:?}");
            assert!(seen.calls * 10 >= healthy * 9, "{mood:?}: {} of {healthy}", seen.calls);
        }
    });
}

#[test]
fn a_deadline_holds_however_silent_everybody_is() {
    simulate(|| async {
        let net = Net::of(2);
        let channel = net.channel();
        calling(&channel, SAFE, Instant::now() + SECOND).await;
        (1..=2).for_each(|number| net.host(number).is(Mood::Silent));
        let ended = join_all((0..100).map(|_| call(&channel, SAFE))).await;
        for (code, took) in ended {
            assert_eq!(code, Code::DeadlineExceeded);
            assert!(took <= TIMEOUT, "{took:?}");
        }
    });
}
