//! `broth figures`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::plot::figures;
use broth::sweep::Table;
use clap::Args;

use super::drawing::ThemeArgs;
use super::{Failure, shown};

const EXAMPLES: &str = "\
Examples:
  broth figures sweeps/paper
      all figures for which the sweep has numbers, in sweeps/paper/figures
  broth figures joined.csv --out pictures --theme light

Draws, each as PNG and SVG, with its numbers as CSV: the share of runs above entropy 1 and alive by epoch
(Kaplan-Meier), by condition and by mutation rate (Wilson; Kaplan-Meier if runs were lost);
the epoch of the first replicator by language or condition, if replicators were counted;
and the entropy of all runs by epoch.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct FiguresArgs {
    /// The folder of a sweep, or its table as CSV
    table: PathBuf,

    /// The folder for figures; existing figures are replaced [default: figures, beside the
    /// table]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,
}

pub(super) fn figures(args: FiguresArgs) -> Result<ExitCode, Failure> {
    let table = match args.table.is_dir() {
        true => args.table.join("results.csv"),
        false => args.table,
    };
    let out = match (args.out, table.parent()) {
        (Some(out), _) => out,
        (None, folder) => folder
            .map(PathBuf::from)
            .unwrap_or_default()
            .join("figures"),
    };
    for written in figures::draw(&Table::read_csv(&table)?, &out, args.look.theme())? {
        let [png, svg, csv] = written.paths.map(|path| shown(&path));
        writeln!(anstream::stdout(), "{png}  {svg}  {csv}")?;
    }
    Ok(ExitCode::SUCCESS)
}
