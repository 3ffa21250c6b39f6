//! `broth run`

mod flags;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use broth::format::thousands;
use broth::measure::ALIVE;
use broth::measure::replicators::Replicators;
use broth::plot::picture::frames::SoupPictures;
use broth::run::folder::Place;
use broth::run::folder::settings::{self as settings_file, VERSION};
use broth::run::{Changes, End, LogPoint, Next, Observer, Run, StopRule, Summary, View};
use broth::soup::tokens::TokenMeasures;
use broth::{Error, Settings, Tally};
use toml::{Table, Value};

pub(super) use self::flags::RunArgs;
use super::checkpoint;
use super::engine::{describe_native_code, no_native_code_warning};
use super::interrupt::Interrupt;
use super::paint::{BOLD, RESET};
use super::progress::{Progress, rates};
use super::{Failure, INTERRUPTED, shown, start_threads};

pub(super) fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    let quiet = args.quiet;
    let threads = start_threads(args.threads)?;

    let interrupt = Interrupt::finishing(
        "finishing this epoch, writing a checkpoint; once more to stop without it",
        quiet,
    )?;
    let (run, notes) = match &args.resume {
        Some(path) => {
            let given = args.given.map_err(Error::Usage)?;
            let run = Run::resume(path, &Changes { given }, Some(&SoupPictures))?;
            (run, Vec::new())
        }
        None => create(args)?,
    };
    let settings = run.soup().settings().clone();
    let folder = run.folder().path().to_path_buf();
    let epochs_done = run.soup().epochs_done();
    let mut progress = Progress::new(quiet, &run);
    progress.leaves_room_for(&interrupt);
    for problem in run.skipped() {
        progress.say(&format!("passed over: {problem}"));
    }
    progress.say(&format!(
        "broth {VERSION}: {}, {} programs, seed {}, {threads} thread{}{}, in {}",
        settings.language,
        thousands(settings.num_programs),
        settings.seed,
        if threads == 1 { "" } else { "s" },
        match epochs_done {
            0 => String::new(),
            done => format!(", from epoch {}", thousands(done as usize)),
        },
        folder.display(),
    ));
    for note in &notes {
        progress.say(note);
    }
    if let Some(why) = run.soup().runner().no_native_code() {
        progress.say(&no_native_code_warning(why));
    }
    let now = Arc::new(AtomicU64::new(epochs_done));
    interrupt.last_words({
        let (now, saved_at, folder) = (now.clone(), run.saved_at(), folder.clone());
        move || {
            let now = now.load(Ordering::Relaxed);
            what_is_lost(saved_at.epochs_done(), epochs_done, now, &folder)
        }
    });
    let result = run.go(
        interrupt.flag(),
        &mut Telling {
            now: &now,
            progress: &mut progress,
        },
    );
    progress.finish();
    let summary = match result {
        Ok(summary) => summary,
        Err(error) => {
            let folder = shown(&folder);
            // The error itself counts, even where nobody can read this.
            let _ = writeln!(
                anstream::stderr(),
                "broth: what is in {folder} so far stays good"
            );
            return Err(error.into());
        }
    };
    if !quiet {
        show(&settings, &folder, &summary)?;
    }
    Ok(match summary.end {
        End::Interrupted => ExitCode::from(INTERRUPTED),
        End::Finished | End::Stopped(_) => ExitCode::SUCCESS,
    })
}

/// A new run, and what is to be said of where its settings come from.
fn create(args: RunArgs) -> Result<(Run, Vec<String>), Failure> {
    let mut notes = Vec::new();
    let flags = args.given.map_err(Error::Usage)?;
    let mut given = flags.clone();
    if let Some(path) = &args.settings {
        let file = if path.is_dir() {
            path.join("settings.toml")
        } else {
            path.clone()
        };
        let in_file = settings_file::read_as_flags(&file)?;
        given = settings_file::with_given(&in_file, &flags);
        notes.push(settings_note(&file, &in_file, &flags));
    }
    let load = match given.remove("load") {
        Some(Value::String(path)) if args.load.is_none() => Some(path.into()),
        _ => args.load,
    };
    let (settings, mut plan, start) = match &load {
        Some(path) => {
            let loaded = args.checkpoint.load_to_run(path, &given)?;
            notes.extend(checkpoint::notes(path, &loaded, None));
            (loaded.settings, loaded.plan, Some(loaded.checkpoint))
        }
        None => {
            let (settings, plan) = settings_file::from_flags(&given, Path::new(""))?;
            (settings, plan, None)
        }
    };
    plan.load = load;
    let place = match args.out {
        Some(path) => Place::At(path),
        None => Place::Numbered(
            "runs".into(),
            format!("{}-seed-{}", settings.language, settings.seed),
        ),
    };
    let pictures = Some(&SoupPictures as _);
    let run = Run::create(settings, plan, &place, start, pictures)?;
    Ok((run, notes))
}

/// Shows a run, and tells how many epochs are done.
struct Telling<'a> {
    now: &'a AtomicU64,
    progress: &'a mut Progress,
}

impl Observer for Telling<'_> {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.now.store(soup.epochs_done, Ordering::Relaxed);
        self.progress.epoch(soup, tally)
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        self.progress.logged(point)
    }
}

/// What a run loses that ends at once: `saved_at` is how many epochs are done at its newest
/// checkpoint, `begun` at the soup that it began with, `now` at that of this moment.
fn what_is_lost(saved_at: Option<u64>, begun: u64, now: u64, folder: &Path) -> String {
    let saved = saved_at.unwrap_or(begun);
    let since = match saved_at {
        Some(epochs) => format!("the newest checkpoint is that after epoch {epochs}"),
        None => "there is no checkpoint yet".into(),
    };
    let lost = match now.saturating_sub(saved) {
        0 => "no epoch is lost".into(),
        1 => format!("1 epoch is lost, number {now}"),
        many => format!("{many} epochs are lost, {} to {now}", saved + 1),
    };
    let folder = folder.display();
    format!("stopped: {lost}, since {since}; go on with  broth run --resume {folder}")
}

/// That settings come from a file, and which flags win over it.
fn settings_note(file: &Path, in_file: &Table, flags: &Table) -> String {
    let winning: Vec<String> = flags
        .iter()
        .filter_map(|(flag, value)| {
            let there = in_file.get(flag).filter(|there| *there != value)?;
            Some(format!("{flag} {value} (not {there})"))
        })
        .collect();
    let file = file.display();
    if winning.is_empty() {
        format!("settings are those of {file}")
    } else {
        format!(
            "settings are those of {file}, except as flags say: {}",
            winning.join(", ")
        )
    }
}

fn show(settings: &Settings, folder: &Path, summary: &Summary) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    let what = match summary.end {
        End::Finished => "finished",
        End::Stopped(StopRule::HighOrderEntropyAbove(_)) => "stopped, entropy is high enough",
        End::Stopped(StopRule::BitsPerByteBelow(_)) => "stopped, it compresses well enough",
        End::Stopped(StopRule::ReplicatorsAtLeast(_)) => "stopped, there are replicators enough",
        End::Interrupted => "interrupted",
    };
    writeln!(
        out,
        "{BOLD}{}, seed {}{RESET}: {what} after {} epochs",
        settings.language,
        settings.seed,
        thousands(summary.epochs_done as usize)
    )?;
    if summary.epochs_here > 0 {
        writeln!(
            out,
            "speed       {} epochs in {}  {}",
            thousands(summary.epochs_here as usize),
            duration(summary.elapsed),
            rates(
                summary.epochs_here as f64 / seconds,
                summary.tally.interactions as f64 / seconds
            )
        )?;
    }
    if let Some(cache) = &summary.native {
        let [made, share] = describe_native_code(cache, &summary.tally);
        writeln!(out, "native      {made}")?;
        writeln!(out, "            {share}")?;
    }
    let entropy = match summary.high_order_entropy {
        Some(entropy) => format!("; high-order entropy at the last log point {entropy:.3}"),
        None => String::new(),
    };
    match summary.alive_at {
        Some(epoch) => writeln!(out, "alive       at epoch {epoch}{entropy}")?,
        None => writeln!(out, "alive       not yet (entropy above {ALIVE}){entropy}")?,
    }
    if let Some(Replicators { cubff, knierim }) = summary.replicators {
        let first = match summary.replicators_at {
            Some(epoch) => format!("first at epoch {epoch}"),
            None => "not yet (score of 48 or more)".into(),
        };
        writeln!(
            out,
            "replicators {first}; at the last log point {} score 48 or more, {} at least 5",
            thousands(knierim as usize),
            thousands(cubff as usize)
        )?;
    }
    if let Some(TokenMeasures {
        distinct,
        commonest_share,
        ..
    }) = summary.tokens
    {
        writeln!(
            out,
            "tokens      {} distinct at the last log point, the commonest is {:.2} % of all",
            thousands(distinct as usize),
            100.0 * commonest_share
        )?;
    }
    let (folder, checkpoint) = (shown(folder), shown(&summary.checkpoint));
    writeln!(out, "folder      {folder}")?;
    writeln!(out, "checkpoint  {checkpoint}")?;
    if let Some(picture) = &summary.picture {
        writeln!(out, "picture     {}", shown(picture))?;
    }
    if let End::Stopped(rule) = summary.end {
        writeln!(
            out,
            "go on with  broth run --resume {folder} --{} none",
            rule.setting()
        )?;
    }
    if summary.end == End::Interrupted {
        writeln!(out, "go on with  broth run --resume {folder}")?;
    }
    Ok(())
}

pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", time.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
