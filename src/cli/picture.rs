//! `broth picture`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::language::Language;
use broth::plot::format::Subject;
use broth::plot::picture::{Layout, Picture, View};
use broth::plot::theme::Theme;
use broth::run::folder::settings::{self as settings_file, parse_grid};
use broth::run::folder::{RunFolder, list_checkpoints};
use broth::soup::checkpoint::Checkpoint;
use clap::{Args, ValueEnum};

use super::checkpoint::{self, CheckpointArgs};
use super::drawing::{ThemeArgs, check_out};
use super::{Failure, number, parse_language, shown};

const EXAMPLES: &str = "\
Examples:
  broth picture runs/bff_noheads-seed-29
      the soup of the run's newest checkpoint, at the size of a screen
  broth picture runs/bff_noheads-seed-29 --epoch 1025 --layout columns
  broth picture cubff/0000000512.dat --lang forthtrivial --out soup.png
  broth picture world.dat --lang bff_noheads --layout grid --grid 240x135

Without --layout, each program is a block in the colour of its family: those that have more
bytes in common, place by place, than chance would have it. Some are shown byte by byte.
With --layout, each byte is a pixel in the colour of its kind. If a soup is too large for a
picture (4096 x 4096 pixels), an evenly spaced sample is shown.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PictureArgs {
    /// A run folder, or a checkpoint of broth or of cubff
    from: PathBuf,

    /// The checkpoint with this many epochs done [default: the newest]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    epoch: Option<u64>,

    /// The language of a checkpoint; a run folder and a sidecar record it
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// Show every byte as a pixel, with the programs arranged like this [default: an overview at
    /// the size of a screen]
    #[arg(long)]
    layout: Option<LayoutName>,

    /// The grid of a checkpoint, columns x rows; a run folder and a sidecar record it
    #[arg(long, value_name = "WxH", value_parser = parse_grid)]
    grid: Option<(usize, usize)>,

    #[command(flatten)]
    loading: CheckpointArgs,

    /// The PNG to write [default: soup-EPOCHS.png, in the run folder or beside the
    /// checkpoint; with --layout soup-EPOCHS-LAYOUT.png]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum LayoutName {
    /// Each program is a tile of 8 x 8 bytes, in rows
    Tiles,
    /// Each program is a column of 64 bytes, side by side in bands
    Columns,
    /// Tiles at the programs' places on the grid
    Grid,
}

pub(super) fn picture(args: PictureArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        check_out(out, Subject::Picture)?;
    }
    let (mut view, checkpoint, folder) = match args.from.is_dir() {
        true => of_run(&args)?,
        false => of_checkpoint(&args)?,
    };
    let grid = match view.layout {
        Layout::Grid(width, height) => Some((width, height)),
        _ => args.grid,
    };
    view.layout = match (args.layout, grid) {
        (Some(LayoutName::Tiles), _) | (None, None) => Layout::Tiles,
        (Some(LayoutName::Columns), _) => Layout::Columns,
        (Some(LayoutName::Grid) | None, Some((width, height))) => Layout::Grid(width, height),
        (Some(LayoutName::Grid), None) => {
            return Err(Error::Usage(format!(
                "--layout grid: {} has no grid of more than one row; give --grid WxH, \
                 columns x rows",
                args.from.display()
            ))
            .into());
        }
    };
    let suffix = match args.layout {
        Some(LayoutName::Tiles) => "-tiles",
        Some(LayoutName::Columns) => "-columns",
        Some(LayoutName::Grid) => "-grid",
        None => "",
    };
    let epochs_done = checkpoint.epochs_done;
    let name = format!("soup-{epochs_done:010}{suffix}.png");
    let out = args.out.unwrap_or(folder.join(name));
    check_out(&out, Subject::Picture)?;
    view.theme = args.look.theme();
    let picture = match args.layout {
        Some(_) => Picture::of_soup(&view, &checkpoint.programs, epochs_done)?,
        None => Picture::overview(&view, &checkpoint.programs, epochs_done)?,
    };
    picture.write(&out)?;
    writeln!(anstream::stdout(), "{}", shown(&out))?;
    Ok(ExitCode::SUCCESS)
}

/// How to look at what, and where its picture goes.
type Looked = (View, Checkpoint, PathBuf);

fn of_run(args: &PictureArgs) -> Result<Looked, Error> {
    let folder = RunFolder::look(&args.from)?;
    if args.lang.is_some() || args.grid.is_some() {
        return Err(Error::Usage(format!(
            "--lang and --grid are for checkpoints; the run in {} knows its own: \
             leave them out",
            args.from.display()
        )));
    }
    let (settings, plan) = settings_file::read(&folder)?;
    let checkpoints = plan.checkpoint_dir.unwrap_or(folder.checkpoints());
    let found = list_checkpoints(&checkpoints)?;
    let wanted = match args.epoch {
        Some(epoch) => found.iter().find(|(epochs_done, _)| *epochs_done == epoch),
        None => found.first(),
    };
    let Some((_, path)) = wanted else {
        return Err(Error::file(&checkpoints, no_checkpoint(args.epoch, &found)));
    };
    let checkpoint = Checkpoint::read_of(settings.language.program_len, path)?;
    if checkpoint.num_programs() != settings.num_programs {
        return Err(Error::file(
            path,
            format!(
                "is of another soup: it holds {} programs, the run has {}",
                checkpoint.num_programs(),
                settings.num_programs
            ),
        ));
    }
    let view = View::of(&settings, View::FULL);
    Ok((view, checkpoint, args.from.clone()))
}

fn no_checkpoint(epoch: Option<u64>, found: &[(u64, PathBuf)]) -> String {
    let Some(epoch) = epoch.filter(|_| !found.is_empty()) else {
        return "holds no checkpoint yet; wait for the run's first".into();
    };
    const LISTED: usize = 20;
    let mut epochs: Vec<_> = found.iter().map(|(epochs, _)| epochs.to_string()).collect();
    let more = epochs.len().saturating_sub(LISTED);
    epochs.truncate(LISTED);
    let and_more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "has no checkpoint for --epoch {epoch}; those that it has: {}{and_more}",
        epochs.join(", ")
    )
}

fn of_checkpoint(args: &PictureArgs) -> Result<Looked, Failure> {
    if let Some(epoch) = args.epoch {
        return Err(Error::Usage(format!(
            "--epoch {epoch} chooses a checkpoint of a run folder, and {} is a file; \
             leave it out",
            args.from.display()
        ))
        .into());
    }
    let given = checkpoint::given(args.lang, None);
    let used = ["lang", "seed", "grid"];
    let loaded = args.loading.load_to_see(&args.from, &given, &used, false)?;
    let language = loaded.settings.language;
    let view = if let Some(sidecar) = &loaded.sidecar {
        let mut view = View::of(&loaded.settings, View::FULL);
        if let (Layout::Grid(width, height), Some(given)) = (view.layout, args.grid)
            && (width, height) != given
        {
            if !args.loading.overrides() {
                return Err(Error::Usage(format!(
                    "--grid: the sidecar {} says {width}x{height}; leave --grid out, or give \
                     --override-settings",
                    sidecar.display()
                ))
                .into());
            }
            view.layout = Layout::Grid(given.0, given.1);
        }
        view
    } else {
        View {
            language,
            layout: Layout::Tiles,
            title: language.to_string(),
            max_size: View::FULL,
            theme: Theme::default(),
            is_of_families: true,
        }
    };
    let folder = args.from.parent().unwrap_or(Path::new("")).to_path_buf();
    Ok((view, loaded.checkpoint, folder))
}
