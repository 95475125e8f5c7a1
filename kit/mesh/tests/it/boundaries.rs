//! What a connection that breaks at any byte of an answer does to a call: repeated and applied once, or sent once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tradewind_mesh::{Identity, IdentityFiles, reason};

use crate::echo::{NAMED, ONCE, ask};
use crate::made::serve;
use crate::world::{channel, credentials};

const NEVER: usize = usize::MAX;

/// A proxy that cuts the next connection which carries an answer, after so many of its bytes.
#[derive(Clone)]
struct Scissors {
    address: SocketAddr,
    /// Bytes of answers before the cut.
    left: Arc<AtomicUsize>,
    /// Bytes of answers so far.
    passed: Arc<AtomicUsize>,
}

impl Scissors {
    async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = Self { address, left: Arc::new(AtomicUsize::new(NEVER)), passed: Arc::default() };
        let own = this.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(own.clone().carry(client, server));
            }
        });
        this
    }

    async fn carry(self, mut client: TcpStream, server: SocketAddr) {
        let mut server = TcpStream::connect(server).await.unwrap();
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
        let asking = tokio::io::copy(&mut from_client, &mut to_server);
        let answering = async {
            let mut bytes = [0; 4096];
            loop {
                let read = from_server.read(&mut bytes).await.unwrap_or(0);
                let left = self.left.load(Ordering::SeqCst);
                let passes = read.min(left);
                // Cut once, and not again for whoever comes next.
                let is_cut = passes < read;
                if left != NEVER {
                    self.left.store(if is_cut { NEVER } else { left - passes }, Ordering::SeqCst);
                }
                self.passed.fetch_add(passes, Ordering::SeqCst);
                if read == 0 || to_client.write_all(&bytes[..passes]).await.is_err() || is_cut {
                    return;
                }
            }
        };
        tokio::select! {
            _ = asking => {}
            () = answering => {}
        }
    }
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_repeated_with_a_key_and_never_without() {
    let credentials = credentials();
    let (called, applied) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<BTreeSet<String>>>::default());
    let (counted, done) = (called.clone(), applied.clone());
    let stop = CancellationToken::new();
    let server = serve(credentials.path(), None, stop.clone(), move |text| {
        counted.fetch_add(1, Ordering::SeqCst);
        done.lock().unwrap().insert(text.clone());
        async move { Ok(text) }
    })
    .await;
    let scissors = Scissors::before(server).await;
    let caller = |who: &str| {
        let identity = Identity::load(IdentityFiles::in_dir(credentials.path(), who)).unwrap();
        channel(identity, "echo", scissors.address)
    };

    let (mut cut, mut whole) = (0, 1);
    while cut < whole {
        for (who, path) in [("gateway", NAMED), ("operator", ONCE)] {
            // Whoever is new has a budget of his own.
            let channel = caller(who);
            ask(&channel, path, "first").await.unwrap();
            let before = scissors.passed.load(Ordering::SeqCst);
            ask(&channel, path, "second").await.unwrap();
            whole = scissors.passed.load(Ordering::SeqCst) - before;

            called.store(0, Ordering::SeqCst);
            applied.lock().unwrap().clear();
            scissors.left.store(cut, Ordering::SeqCst);
            let answer = ask(&channel, path, "third").await;
            scissors.left.store(NEVER, Ordering::SeqCst);
            let called = called.load(Ordering::SeqCst);
            assert_eq!(applied.lock().unwrap().len(), 1, "byte {cut} of {whole}, {path}");
            match (path, answer) {
                (NAMED, answer) => assert_eq!(answer.unwrap(), "third", "byte {cut} of {whole}: {called} calls"),
                (_, Ok(answer)) => assert_eq!((answer.as_str(), called), ("third", 1)),
                (_, Err(lost)) => {
                    assert_eq!((lost.code(), called), (Code::Unavailable, 1), "byte {cut} of {whole}: {lost:?}");
                    assert_eq!(reason(&lost).as_deref(), Some("CONNECTION_LOST"));
                }
            }
        }
        cut += 1;
    }
    assert!(cut > 50, "an answer has more than {cut} bytes");
    stop.cancel();
}
