//! `broth picture`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::language::Language;
use broth::plot::format::Subject;
use broth::plot::picture::{Layout, Picture, View};
use broth::plot::theme::Theme;
use broth::run::folder::settings::parse_grid;
use broth::soup::checkpoint::Checkpoint;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::checkpoint;
use super::drawing::{ThemeArgs, WorkArgs, check_out};
use super::output::{self, write_json};
use super::source::{KnownFrom, SoupArgs};
use super::{Failure, parse_language, shown, start_threads};

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

    #[command(flatten)]
    soup: SoupArgs,

    /// The language of a checkpoint; a run folder and a sidecar record it
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// Show every byte as a pixel, with the programs arranged like this [default: an overview at
    /// the size of a screen]
    #[arg(long)]
    layout: Option<LayoutName>,

    /// A grid to lay the programs out on, columns x rows [default: that of the soup]
    #[arg(long, value_name = "WxH", value_parser = parse_grid)]
    grid: Option<(usize, usize)>,

    /// The PNG to write [default: soup-EPOCHS.png, in the run folder or beside the
    /// checkpoint; with --layout soup-EPOCHS-LAYOUT.png]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,

    #[command(flatten)]
    work: WorkArgs,

    /// Write what was drawn as JSON to standard output
    #[arg(long)]
    json: bool,
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

impl LayoutName {
    fn name(self) -> &'static str {
        match self {
            LayoutName::Tiles => "tiles",
            LayoutName::Columns => "columns",
            LayoutName::Grid => "grid",
        }
    }
}

pub(super) fn picture(args: PictureArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        check_out(out, Subject::Picture)?;
    }
    start_threads(args.work.threads)?;
    let Looked {
        view,
        checkpoint,
        path,
        folder,
    } = look(&args)?;
    let epochs_done = checkpoint.epochs_done;
    let layout = args.layout.map(LayoutName::name);
    let suffix = layout.map_or(String::new(), |name| format!("-{name}"));
    let name = format!("soup-{epochs_done:010}{suffix}.png");
    let out = args.out.unwrap_or(folder.join(name));
    check_out(&out, Subject::Picture)?;
    let picture = if args.layout.is_some() {
        Picture::of_soup(&view, &checkpoint.programs, epochs_done)?
    } else {
        Picture::overview(&view, &checkpoint.programs, epochs_done)?
    };
    picture.write(&out)?;
    if args.json {
        write_json(&json!({
            "checkpoint": path.display().to_string(),
            "lang": view.language.name,
            "epochs_done": epochs_done,
            "programs": checkpoint.num_programs(),
            "layout": layout.unwrap_or("overview"),
            "written": output::written(&[out])?,
        }))?;
    } else if !args.work.quiet {
        writeln!(anstream::stdout(), "{}", shown(&out))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How to look at what, and where its picture goes.
struct Looked {
    view: View,
    checkpoint: Checkpoint,
    /// Where the checkpoint is.
    path: PathBuf,
    folder: PathBuf,
}

fn look(args: &PictureArgs) -> Result<Looked, Failure> {
    let given = checkpoint::given(args.lang, None);
    let used = ["lang", "seed", "grid"];
    let found = args.soup.see(&args.from, &given, &used, args.work.quiet)?;
    let mut view = match &found.known {
        KnownFrom::Run(_) | KnownFrom::Sidecar(_) => View::of(&found.settings, View::FULL),
        KnownFrom::Flags => {
            let language = found.settings.language;
            View {
                language,
                layout: Layout::Tiles,
                title: language.to_string(),
                max_size: View::FULL,
                theme: Theme::default(),
                is_of_families: true,
            }
        }
    };
    if let Some(grid) = args.grid {
        let overrides = args.soup.loading.overrides();
        view.layout = with_grid(view.layout, grid, &found.known, overrides)?;
    }
    view.layout = match (args.layout, view.layout) {
        (None | Some(LayoutName::Grid), grid @ Layout::Grid(..)) => grid,
        (None | Some(LayoutName::Tiles), _) => Layout::Tiles,
        (Some(LayoutName::Columns), _) => Layout::Columns,
        (Some(LayoutName::Grid), _) => {
            return Err(Error::Usage(format!(
                "--layout grid: {} has no grid of more than one row; give --grid WxH, \
                 columns x rows",
                args.from.display()
            ))
            .into());
        }
    };
    view.theme = args.look.theme();
    let folder = match found.known {
        KnownFrom::Run(folder) => folder,
        _ => found.path.parent().unwrap_or(Path::new("")).into(),
    };
    Ok(Looked {
        view,
        checkpoint: found.checkpoint,
        path: found.path,
        folder,
    })
}

/// The grid that is given, unless what is known of the soup contradicts it.
fn with_grid(
    layout: Layout,
    (width, height): (usize, usize),
    known: &KnownFrom,
    overrides: bool,
) -> Result<Layout, Error> {
    match (known, layout) {
        (KnownFrom::Run(run), Layout::Grid(..)) => Err(Error::Usage(format!(
            "--grid: the run in {} has a grid of its own; leave --grid out",
            run.display()
        ))),
        (KnownFrom::Sidecar(sidecar), Layout::Grid(known_width, known_height))
            if (width, height) != (known_width, known_height) && !overrides =>
        {
            Err(Error::Usage(format!(
                "--grid: the sidecar {} says {known_width}x{known_height}; leave --grid out, or \
                 give --override-settings",
                sidecar.display()
            )))
        }
        _ => Ok(Layout::Grid(width, height)),
    }
}
