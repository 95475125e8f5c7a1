//! Runs `tradewind`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradewind::run()
}
