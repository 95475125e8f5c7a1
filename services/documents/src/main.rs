//! The documents service as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradewind_runtime::main(documents::service())
}
