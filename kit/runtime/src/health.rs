//! What `--health` does: asks the running service of the same settings whether it is ready, where there is neither shell nor HTTP client.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use crate::{
    complain, misconfigured,
    settings::{About, Settings, Sources},
};

/// Time the service has to take the connection, and again for each part of its answer.
const WITHIN: Duration = Duration::from_secs(2);

/// Asks the service that runs with the settings of this process's environment: exit code 0 where it is ready, else 1 and why not.
pub(crate) fn answer(about: &About) -> ExitCode {
    let settings = Sources::of_process().and_then(|sources| Settings::read(about, &sources));
    let address = match settings {
        Ok(settings) => reachable(settings.admin_addr),
        Err(mistake) => return misconfigured(about.name, &mistake),
    };
    let why = match ask(address) {
        Ok(answer) if answer.starts_with("HTTP/1.0 200 ") => return ExitCode::SUCCESS,
        Ok(answer) => answer.lines().last().unwrap_or("no answer").to_owned(),
        Err(error) => format!("{address}: {error}"),
    };
    complain(&format!("{}: not ready: {why}", about.name));
    ExitCode::FAILURE
}

/// A server that listens on every address is asked on the loopback one.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// Returns the whole answer, which in HTTP/1.0 ends with the connection.
fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.write_all(b"GET /health/ready HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_asked_on_loopback() {
        for (listens, asked) in
            [("0.0.0.0:7201", "127.0.0.1:7201"), ("[::]:7201", "[::1]:7201"), ("10.0.0.7:7201", "10.0.0.7:7201")]
        {
            assert_eq!(listens.parse().map(reachable), asked.parse());
        }
    }
}
