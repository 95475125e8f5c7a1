//! Explores every interleaving of the saga of two orders, then plants bugs and looks whether they are found.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use saga_model::{Mutant, Report, Setting, check};

/// Explores every interleaving of the saga of two orders over one stock, with the services' own rules; then plants one
/// bug after the other, each of which has to be found. Ends with 1 where a property is broken or a bug is not found.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Options {
    /// Units in stock; each order needs one
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=2))]
    units: i64,
    /// How many messages of each order are handled again, as if a reader had lost its cursor
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    heard_again: usize,
    /// Let the outside take other money than it is asked for, and book parcels without a number
    #[arg(long)]
    mistakes: bool,
    /// Plant this bug only, and do nothing else
    #[arg(long, value_name = "BUG")]
    mutant: Option<Mutant>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let Options { units, heard_again, mistakes, mutant, json } = Options::parse();
    let run = |mutant: Option<Mutant>| {
        let mistakes = mistakes || mutant.is_some_and(Mutant::needs_mistakes);
        let overtaken = mutant.is_some_and(Mutant::needs_overtaking);
        check(Setting { units, heard_again, mistakes, overtaken, mutant })
    };
    let reports = match mutant {
        Some(mutant) => vec![run(Some(mutant))?],
        None => {
            let out_of_order = Setting { units, heard_again: 0, mistakes: false, overtaken: true, mutant: None };
            let planted = Mutant::value_variants().iter().map(|mutant| run(Some(*mutant)));
            [run(None), check(out_of_order)].into_iter().chain(planted).collect::<Result<_, _>>()?
        }
    };
    let as_expected = reports.iter().all(is_as_expected);
    if json {
        serde_json::to_writer_pretty(stdout(), &reports)?;
        writeln!(stdout())?;
    } else {
        reports.iter().try_for_each(|report| writeln!(stdout(), "{report}\n"))?;
        let planted = reports.iter().filter(|report| report.setting.mutant.is_some());
        let found = planted.clone().filter(|report| is_as_expected(report)).count();
        writeln!(stdout(), "model: {found} of {} planted bugs found", planted.count())?;
    }
    Ok(if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nothing is broken, unless a bug is planted.
fn is_as_expected(report: &Report) -> bool {
    report.broken().next().is_some() == report.setting.mutant.is_some()
}
