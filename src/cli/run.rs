//! `broth run`

pub(super) mod flags;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broth::engine::Engine;
use broth::format::thousands;
use broth::measure::ALIVE;
use broth::measure::replicators::Replicators;
use broth::plot::picture::frames::SoupPictures;
use broth::run::folder::settings::{self as settings_file, VERSION};
use broth::run::folder::{Place, RunFolder};
use broth::run::{Changes, End, LogPoint, Next, Observer, Run, StopRule, Summary, View};
use broth::soup::tokens::TokenMeasures;
use broth::{Error, Settings, Tally};
use serde_json::{Value, json};
use toml::Table;

pub(super) use self::flags::RunArgs;
use super::checkpoint;
use super::engine::{describe_native_code, no_native_code_warning};
use super::interrupt::Interrupt;
use super::number::plural;
use super::output::{real, write_json};
use super::paint::{BOLD, RESET};
use super::progress::{Progress, duration, rates, thousandths};
use super::{Failure, INTERRUPTED, message, printable, program, shown, source, start_threads};

pub(super) fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    let (quiet, json) = (args.quiet, args.json);
    #[cfg(feature = "view")]
    let page = args.page.clone();
    let threads = start_threads(args.threads)?;

    let interrupt = Interrupt::finishing(
        "finishing this epoch, writing a checkpoint; once more to stop without it",
        quiet,
    )?;
    let (run, notes) = match &args.resume {
        Some(path) => {
            let given = args.given.map_err(Error::Usage)?;
            let folder = resumable(path)?;
            check_counts(&folder, &given)?;
            let run = Run::resume(&folder, &Changes { given }, Some(&SoupPictures))?;
            (run, Vec::new())
        }
        None => create(args)?,
    };
    let settings = run.soup().settings().clone();
    let (engine, wants_picture) = (run.plan().engine, run.plan().picture);
    let folder = run.folder().path().to_path_buf();
    let epochs_done = run.soup().epochs_done();
    let mut progress = Progress::new(quiet, &run);
    progress.leaves_room_for(&interrupt);
    for problem in run.skipped() {
        progress.say(&format!("skipped: {}", message::of(problem)));
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
    let mut also: Box<dyn Observer> = Box::new(());
    #[cfg(feature = "view")]
    if let Some((watcher, said)) = page.watch(&run)? {
        progress.say(&said);
        also = Box::new(watcher);
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
            also: &mut *also,
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
                "broth: what {folder} holds so far is valid"
            );
            return Err(error.into());
        }
    };
    if json {
        write_json(&to_json(&settings, &folder, &summary))?;
    } else if !quiet {
        show(&settings, &folder, engine, &summary)?;
        if wants_picture && summary.picture.is_none() {
            show_undrawn(&folder)?;
        }
    }
    Ok(match summary.end {
        End::Interrupted => ExitCode::from(INTERRUPTED),
        End::Finished | End::Stopped(_) => ExitCode::SUCCESS,
    })
}

/// The folder of the run at `path`, which continues from its newest checkpoint only.
fn resumable(path: &Path) -> Result<PathBuf, Error> {
    let run = source::run_of(path)?;
    if run.epochs_done.is_some() {
        let [run, checkpoint] = [&run.folder, path].map(program::path);
        return Err(Error::Usage(format!(
            "--resume {}: this is a checkpoint, and a run continues from its newest one; resume it \
             by `{}`, or start a new run from this checkpoint by `{}`",
            path.display(),
            program::command(&format!("run --resume {run}")),
            program::command(&format!("run --load {checkpoint}")),
        )));
    }
    Ok(run.folder)
}

/// A stop rule on replicators needs them to be counted, which a resumed run does only if it always
/// did.
fn check_counts(run: &Path, given: &Table) -> Result<(), Error> {
    const RULE: &str = "stopping-selfrep-count";
    let Some(count) = given.get(RULE).filter(|count| count.is_integer()) else {
        return Ok(());
    };
    let (_, plan) = settings_file::read(&RunFolder::look(run)?)?;
    if plan.eval_selfrep {
        return Ok(());
    }
    let new = format!(
        "run --load {} --eval-selfrep --{RULE} {count}",
        program::path(run)
    );
    Err(Error::Usage(format!(
        "--{RULE} {count}: replicators are not counted in the run in {}, and a resumed run measures \
         what it measured before; start a new run from its newest checkpoint by `{}`",
        run.display(),
        program::command(&new)
    )))
}

/// Whether a new run may go to `out`; one that is there can be continued.
fn check_free(out: &Path) -> Result<(), Error> {
    if RunFolder::look(out).is_err() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "--out {} exists already; continue the run in it by `{}`, or choose another folder",
        out.display(),
        resume(out)
    )))
}

/// A new run, and what is to be said of where its settings come from.
fn create(args: RunArgs) -> Result<(Run, Vec<String>), Failure> {
    if let Some(out) = &args.out {
        check_free(out)?;
    }
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
        Some(toml::Value::String(path)) if args.load.is_none() => Some(path.into()),
        _ => args.load,
    };
    let load = match load {
        Some(path) => Some(source::newest_checkpoint(&path)?),
        None => None,
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
    /// Who watches besides, and may pause the run.
    also: &'a mut dyn Observer,
}

impl Observer for Telling<'_> {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.now.store(soup.epochs_done, Ordering::Relaxed);
        self.progress.epoch(soup, tally);
        self.also.epoch(soup, tally)
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        self.progress.logged(point);
        self.also.logged(point)
    }

    fn paused(&mut self, soup: View<'_>) -> Next {
        self.also.paused(soup)
    }
}

/// The command that resumes the run in `folder`.
fn resume(folder: &Path) -> String {
    program::command(&format!("run --resume {}", program::path(folder)))
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
    let resume = resume(folder);
    format!("stopped: {lost}, since {since}; resume with  {resume}")
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

/// What native code did; that there was none only where it was asked for.
fn show_native(out: &mut impl Write, engine: Engine, summary: &Summary) -> std::io::Result<()> {
    let Some(cache) = &summary.native else {
        return Ok(());
    };
    match describe_native_code(cache, &summary.tally) {
        Some([made, share]) => writeln!(out, "native      {made}\n            {share}"),
        None if engine == Engine::Jit => {
            writeln!(out, "native      nothing was compiled yet")
        }
        None => Ok(()),
    }
}

/// How to draw a soup that was too large to be drawn at once when its run was interrupted.
fn show_undrawn(folder: &Path) -> Result<(), Failure> {
    let picture = program::command(&format!("picture {}", program::path(folder)));
    writeln!(
        anstream::stdout(),
        "picture     not drawn, to end at once; draw it by  {}",
        printable(&picture)
    )?;
    Ok(())
}

fn show(
    settings: &Settings,
    folder: &Path,
    engine: Engine,
    summary: &Summary,
) -> Result<(), Failure> {
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
        "{BOLD}{}, seed {}{RESET}: {what} after {}",
        settings.language,
        settings.seed,
        plural(summary.epochs_done, "epoch")
    )?;
    if summary.epochs_here > 0 {
        writeln!(
            out,
            "speed       {} in {}  {}",
            plural(summary.epochs_here, "epoch"),
            duration(summary.elapsed),
            rates(
                summary.epochs_here as f64 / seconds,
                summary.tally.interactions as f64 / seconds
            )
        )?;
    }
    show_native(&mut out, engine, summary)?;
    let entropy = match summary.high_order_entropy {
        Some(entropy) => format!(
            "; high-order entropy at the last log point {}",
            thousandths(entropy)
        ),
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
    writeln!(out, "folder      {}", shown(folder))?;
    writeln!(out, "checkpoint  {}", shown(&summary.checkpoint))?;
    if let Some(picture) = &summary.picture {
        writeln!(out, "picture     {}", shown(picture))?;
    }
    if let End::Stopped(rule) = summary.end {
        let resume = printable(&resume(folder));
        writeln!(out, "continue    {resume} --{} none", rule.setting())?;
    }
    if summary.end == End::Interrupted {
        writeln!(out, "resume      {}", printable(&resume(folder)))?;
    }
    Ok(())
}

/// Why a run ended: a word, and its stop rule if there was one.
fn end_of(end: End) -> (&'static str, Option<&'static str>) {
    match end {
        End::Finished => ("finished", None),
        End::Stopped(rule) => ("stopped", Some(rule.setting())),
        End::Interrupted => ("interrupted", None),
    }
}

fn to_json(settings: &Settings, folder: &Path, summary: &Summary) -> Value {
    let seconds = summary.elapsed.as_secs_f64();
    let (end, stop_rule) = end_of(summary.end);
    let per_second = |count: u64| count as f64 / seconds.max(1e-9);
    json!({
        "lang": settings.language.name,
        "world": settings.world.name(),
        "num": settings.num_programs,
        "seed": settings.seed,
        "end": end,
        "stop_rule": stop_rule,
        "epochs_done": summary.epochs_done,
        "epochs_here": summary.epochs_here,
        "seconds": seconds,
        "epochs_per_second": per_second(summary.epochs_here),
        "interactions_per_second": per_second(summary.tally.interactions),
        "interactions": summary.tally.interactions,
        "ops": summary.tally.ops,
        "steps": summary.tally.steps,
        "alive_at": summary.alive_at,
        "high_order_entropy": summary.high_order_entropy.map(real),
        "replicators": summary.replicators.map(|it| it.knierim),
        "replicators_by_cubff": summary.replicators.map(|it| it.cubff),
        "replicators_at": summary.replicators_at,
        "distinct_tokens": summary.tokens.map(|it| it.distinct),
        "commonest_token_share": summary.tokens.map(|it| it.commonest_share),
        "folder": folder.display().to_string(),
        "checkpoint": summary.checkpoint.display().to_string(),
        "picture": summary.picture.as_ref().map(|path| path.display().to_string()),
    })
}
