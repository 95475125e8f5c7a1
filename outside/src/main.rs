//! The binary: reads the command line and serves until it is told to stop.

use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    outside::serve_until_signalled(outside::Command::parse().options).await
}
