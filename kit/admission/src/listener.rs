//! The sockets on which connections come in.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};

/// Listens on an address. Where that is 127.0.0.1, it listens on the same port of ::1 as well: `localhost` is either. A machine
/// without IPv6 does without.
#[derive(Debug)]
pub struct Listener {
    first: TcpListener,
    other: Option<TcpListener>,
}

impl Listener {
    /// Listens on `address`.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let first = TcpListener::bind(address).await?;
        let other = match beside(&first, address)? {
            Some(other) => kept(other, TcpListener::bind(other).await),
            None => None,
        };
        Ok(Self { first, other })
    }

    /// The same, with sockets that `listen` makes.
    ///
    /// # Errors
    /// Why the first cannot be made.
    pub fn bind_by(address: SocketAddr, listen: impl Fn(SocketAddr) -> io::Result<TcpListener>) -> io::Result<Self> {
        let first = listen(address)?;
        let other = beside(&first, address)?.and_then(|other| kept(other, listen(other)));
        Ok(Self { first, other })
    }

    /// The address that was asked for, with the port that the system chose where port 0 was.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.first.local_addr()
    }

    /// The next connection. Nothing is lost where nobody waits for it to the end.
    ///
    /// # Errors
    /// Why it has none: that of one connection that is gone again, or one that passes.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.other {
            None => self.first.accept().await,
            Some(other) => tokio::select! {
                accepted = self.first.accept() => accepted,
                accepted = other.accept() => accepted,
            },
        }
    }
}

/// What is listened on beside an address.
fn beside(first: &TcpListener, address: SocketAddr) -> io::Result<Option<SocketAddr>> {
    let port = first.local_addr()?.port();
    Ok((address.ip() == Ipv4Addr::LOCALHOST).then(|| (Ipv6Addr::LOCALHOST, port).into()))
}

fn kept(address: SocketAddr, bound: io::Result<TcpListener>) -> Option<TcpListener> {
    match &bound {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(%address, "somebody else listens there: whoever means this process has to call 127.0.0.1");
        }
        Err(error) => tracing::debug!(%address, %error, "127.0.0.1 is listened on alone"),
        Ok(_) => {}
    }
    bound.ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::IpAddr;

    use super::*;

    async fn connects(listener: &Listener, host: IpAddr) -> bool {
        let address = SocketAddr::from((host, listener.local_addr().unwrap().port()));
        let Ok(client) = TcpStream::connect(address).await else { return false };
        let (_, from) = listener.accept().await.unwrap();
        from == client.local_addr().unwrap()
    }

    #[tokio::test]
    async fn who_listens_on_the_loopback_address_is_reached_by_both_of_its_names() {
        let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        assert!(connects(&listener, Ipv4Addr::LOCALHOST.into()).await);
        assert_eq!(connects(&listener, Ipv6Addr::LOCALHOST.into()).await, has_ipv6);
        assert!(connects(&listener, Ipv4Addr::LOCALHOST.into()).await, "the one does not keep the other waiting");
    }

    #[tokio::test]
    async fn an_address_that_somebody_else_has_beside_it_is_done_without() {
        let Ok(theirs) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, theirs.local_addr().unwrap().port()));
        let Ok(listener) = Listener::bind(address).await else { return };
        assert!(listener.other.is_none() && connects(&listener, Ipv4Addr::LOCALHOST.into()).await);
        drop((theirs, listener));
        assert!(Listener::bind(address).await.is_ok_and(|listener| listener.other.is_some()));
    }

    #[tokio::test]
    async fn any_other_address_is_listened_on_alone() {
        let listener = Listener::bind("0.0.0.0:0".parse().unwrap()).await.unwrap();
        assert!(listener.other.is_none() && listener.local_addr().unwrap().port() > 0);
    }
}
