//! One address for the replicas of a service, as a load balancer that looks at nothing has it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// A listener that passes connections on. It ends when dropped.
pub struct Proxy {
    replicas: Arc<Mutex<Vec<SocketAddr>>>,
    _accepting: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Passes each connection to the next replica that takes it; where none does, the connection is closed.
    pub async fn open(address: SocketAddr, replicas: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind(address).await.expect("the address of a service is free");
        let (replicas, turn) = (Arc::new(Mutex::new(replicas)), AtomicUsize::new(0));
        let current = Arc::clone(&replicas);
        let accepting = async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut replicas = current.lock().unwrap().clone();
                let first = turn.fetch_add(1, Ordering::Relaxed) % replicas.len();
                replicas.rotate_left(first);
                tokio::spawn(pass(client, replicas));
            }
        };
        Self { replicas, _accepting: AbortOnDropHandle::new(tokio::spawn(accepting)) }
    }

    /// Passes new connections to these replicas only; those that are open stay where they are.
    pub fn pass_to(&self, replicas: Vec<SocketAddr>) {
        *self.replicas.lock().unwrap() = replicas;
    }
}

async fn pass(mut client: TcpStream, replicas: Vec<SocketAddr>) {
    for replica in replicas {
        if let Ok(mut server) = TcpStream::connect(replica).await {
            // However it ends: both sides see it.
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
