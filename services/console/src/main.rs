//! The console as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradewind_runtime::main(console::service())
}
