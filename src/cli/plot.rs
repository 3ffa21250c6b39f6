//! `broth plot`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::format::thousands;
use broth::plot::chart;
use broth::plot::format::Subject;
use broth::plot::series::Series;
use broth::run::folder::RunFolder;
use broth::run::folder::settings as settings_file;
use clap::Args;
use serde_json::json;

use super::drawing::{ThemeArgs, check_out};
use super::output::{self, write_json};
use super::source::run_of;
use super::{Failure, shown};

const EXAMPLES: &str = "\
Examples:
  broth plot runs/bff_noheads-seed-29
  broth plot runs/bff_noheads-seed-29 --out charts.svg --theme light

Draws the run's metrics.csv over epochs: entropy; complexity, and when the soup
was first alive; ops and steps per interaction; replicators and tokens, if the
run measured them. A run that is still going on is drawn up to its last log point.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PlotArgs {
    /// A run folder, or a file in it
    run: PathBuf,

    /// The file to write, .png or .svg [default: plot.png in the run folder]
    #[arg(long, value_name = "FILE")]
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

pub(super) fn plot(args: PlotArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        check_out(out, Subject::Chart)?;
    }
    let folder = RunFolder::look(&run_of(&args.run)?.folder)?;
    let (settings, _) = settings_file::read(&folder)?;
    let out = args.out.unwrap_or(folder.path().join("plot.png"));
    check_out(&out, Subject::Chart)?;
    let title = format!(
        "{}, seed {}, {} programs",
        settings.language,
        settings.seed,
        thousands(settings.num_programs)
    );
    chart::write(&folder.metrics(), &title, &out, args.look.theme())?;
    if args.json {
        let series = Series::read(&folder.metrics(), &["high_order_entropy"])?;
        let epochs = series.epochs();
        write_json(&json!({
            "lang": settings.language.name,
            "seed": settings.seed,
            "num": settings.num_programs,
            "from_epoch": epochs.start,
            "to_epoch": epochs.end,
            "alive_at": series.alive_at,
            "written": output::written(&[out])?,
        }))?;
    } else if !args.quiet {
        writeln!(anstream::stdout(), "{}", shown(&out))?;
    }
    Ok(ExitCode::SUCCESS)
}
