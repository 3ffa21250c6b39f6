//! `broth figures`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::plot::figures;
use broth::run::folder::RunFolder;
use broth::sweep::Table;
use clap::Args;
use serde_json::json;

use super::drawing::ThemeArgs;
use super::output::{self, write_json};
use super::{Failure, program, shown};

const EXAMPLES: &str = "\
Examples:
  broth figures sweeps/paper
      all figures for which the sweep has numbers, in sweeps/paper/figures
  broth figures joined.csv --out pictures --theme light

Each figure is drawn as PNG and as SVG, with its numbers as CSV: the share of runs above
entropy 1 and alive by epoch (Kaplan-Meier), by condition and by mutation rate (Wilson;
Kaplan-Meier if runs were lost); the epoch of the first replicator by language or
condition, if replicators were counted; and the entropy of all runs by epoch.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct FiguresArgs {
    /// The folder of a sweep, also of one that is still going on, or its table as CSV
    table: PathBuf,

    /// The folder for figures; existing figures are replaced [default: figures, beside the
    /// table]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,

    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,

    /// Write what was drawn as JSON to standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn figures(args: FiguresArgs) -> Result<ExitCode, Failure> {
    let path = table_at(&args.table)?;
    let beside = path.parent().unwrap_or(Path::new("")).join("figures");
    let out = args.out.unwrap_or(beside);
    let table = Table::read_csv(&path)?;
    let drawn = figures::draw(&table, &out, args.look.theme())?;
    if args.json {
        let written: Vec<&PathBuf> = drawn.iter().flat_map(|figure| &figure.paths).collect();
        write_json(&json!({
            "table": path.display().to_string(),
            "runs": table.len(),
            "written": output::written(&written)?,
        }))?;
    } else if !args.quiet {
        let mut out = anstream::stdout().lock();
        for figure in drawn {
            let [png, svg, csv] = figure.paths.map(|path| shown(&path));
            writeln!(out, "{png}  {svg}  {csv}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The table of the sweep at `path`.
fn table_at(path: &Path) -> Result<PathBuf, Error> {
    if RunFolder::look(path).is_ok() {
        let plot = program::command(&format!("plot {}", program::path(path)));
        return Err(Error::file(
            path,
            format!("is the folder of a run, and figures are of a sweep; draw the run by `{plot}`"),
        ));
    }
    if !path.is_dir() {
        return Ok(path.into());
    }
    let table = path.join("results.csv");
    if table.exists() {
        return Ok(table);
    }
    Err(Error::file(
        path,
        "holds no results.csv; give the folder of a sweep of which some runs are done, or its \
         table as CSV",
    ))
}
