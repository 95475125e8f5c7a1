//! Runs the ordering service.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradewind_runtime::main(ordering::service())
}
