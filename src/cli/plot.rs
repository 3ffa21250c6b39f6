//! `broth plot`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::format::thousands;
use broth::plot::chart;
use broth::plot::format::Subject;
use broth::run::folder::RunFolder;
use broth::run::folder::settings as settings_file;
use clap::Args;

use super::drawing::{ThemeArgs, check_out};
use super::{Failure, shown};

const EXAMPLES: &str = "\
Examples:
  broth plot runs/bff_noheads-seed-29
  broth plot runs/bff_noheads-seed-29 --out charts.svg --theme light

Draws the run's metrics.csv over epochs: entropy; complexity, and when the soup
was first alive; ops and steps per interaction; replicators and tokens, if the
run measured them.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PlotArgs {
    /// A run folder
    run: PathBuf,

    /// The file to write, .png or .svg [default: plot.png in the run folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,
}

pub(super) fn plot(args: PlotArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        check_out(out, Subject::Chart)?;
    }
    let folder = RunFolder::look(&args.run)?;
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
    writeln!(anstream::stdout(), "{}", shown(&out))?;
    Ok(ExitCode::SUCCESS)
}
