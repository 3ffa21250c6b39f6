//! A run: a soup carried from its first epoch to its last, with its records.

pub mod ancestry;
pub mod folder;
mod plan;
mod recorder;
pub mod replay;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::engine::jit::CacheTally;
use crate::files;
use crate::measure::replicators::{Replicators, Scorer};
use crate::measure::row::{Columns, LogRow, PastRow};
use crate::plot::picture;
use crate::plot::picture::frames::{self, Frames};
use crate::run::folder::csv::{Lines, LogPoints, Table};
use crate::run::folder::performance::PerformanceRow;
use crate::run::folder::{Place, RunFolder, settings as settings_file, sidecar};
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::Settings;
use crate::soup::tokens::TokenMeasures;
use crate::soup::{Soup, Tally};
use plan::Due;
pub use plan::{Changes, Plan, StopRule};
pub use recorder::SavedAt;
use recorder::{Desk, Done, Interval, Recorder};
use replay::PastRun;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// All its epochs are done.
    Finished,
    /// It met a stop rule.
    Stopped(StopRule),
    /// It was asked to stop, and can be resumed.
    Interrupted,
}

/// What happened, for whoever watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// An epoch is done: how many there are now, and what it came to.
    Epoch(u64, Tally),
    /// A log point was measured and written down.
    Logged(&'a LogRow),
}

/// What a run came to.
#[derive(Debug)]
pub struct Summary {
    /// How it ended.
    pub end: End,
    /// Epochs done in all.
    pub epochs_done: u64,
    /// Epochs of this session that count: done since it was started or resumed.
    pub epochs_here: u64,
    /// What they came to.
    pub tally: Tally,
    /// How long they took.
    pub elapsed: Duration,
    /// What native code took, if there may be any.
    pub native: Option<CacheTally>,
    /// Epochs done at the first log point at which the soup was alive.
    pub alive_at: Option<u64>,
    /// High-order entropy at the last log point, in bits per byte.
    pub high_order_entropy: Option<f32>,
    /// Replicators at the last log point, where they are counted.
    pub replicators: Option<Replicators>,
    /// Epochs done at the first log point with a replicator that scores 48 or more.
    pub replicators_at: Option<u64>,
    /// What the tracer tokens measured at the last log point, where bytes carry some.
    pub tokens: Option<TokenMeasures>,
    /// The last checkpoint.
    pub checkpoint: PathBuf,
    /// The picture of the soup at the end.
    pub picture: PathBuf,
}

/// A soup as a run has saved it.
struct Newest {
    soup: Soup,
    /// Whether it comes from a checkpoint; else it is the run's first soup.
    is_saved: bool,
    /// Checkpoints that could not be used, and why.
    passed_over: Vec<Error>,
}

impl Newest {
    /// The newest checkpoint of a run that can be read; without any, its start.
    /// `of_soup` is what sidecars must say of the settings.
    fn of(
        settings: &Settings,
        plan: &Plan,
        checkpoints: &Path,
        of_soup: &toml::Table,
    ) -> Result<Newest, Error> {
        Newest::up_to(u64::MAX, settings, plan, checkpoints, of_soup)
    }

    /// As [`Newest::of`], with so many epochs done at most.
    fn up_to(
        most_epochs: u64,
        settings: &Settings,
        plan: &Plan,
        checkpoints: &Path,
        of_soup: &toml::Table,
    ) -> Result<Newest, Error> {
        let mut passed_over = Vec::new();
        let found = folder::list_checkpoints(checkpoints)?;
        for (epochs_done, path) in found.into_iter().filter(|found| found.0 <= most_epochs) {
            // The name says how many epochs were done: no other has it.
            let is_start = plan.load.as_ref().and_then(|p| p.file_name()) == path.file_name();
            let (language, world) = (settings.language, settings.world);
            let read =
                sidecar::read_checkpoint(&path, language, world).and_then(|mut checkpoint| {
                    if plan.tracers {
                        checkpoint.read_tokens(&path)?;
                    }
                    if checkpoint.epochs_done != epochs_done {
                        return Err(Error::file(
                            &path,
                            format!("has {} epochs done: it was renamed", checkpoint.epochs_done),
                        ));
                    }
                    sidecar::check(&path, &checkpoint, of_soup)?;
                    Soup::from_checkpoint(settings.clone(), checkpoint, !is_start)
                });
            match read {
                Ok(soup) => {
                    return Ok(Newest {
                        soup,
                        is_saved: true,
                        passed_over,
                    });
                }
                Err(error) => passed_over.push(error),
            }
        }
        if plan.load.is_some() {
            return Err(passed_over.pop().unwrap_or_else(|| {
                Error::file(checkpoints, "has no checkpoint, and the run began with one")
            }));
        }
        let mut soup = Soup::new(settings.clone())?;
        if plan.tracers {
            soup.trace()?;
        }
        Ok(Newest {
            soup,
            is_saved: false,
            passed_over,
        })
    }
}

/// The soup of the run in the folder `path` as its newest good checkpoint has it, or
/// as the run began; the folder stays as it is.
pub fn newest_soup(path: &Path) -> Result<Soup, Error> {
    PastRun::open(path)?.saved(u64::MAX)
}

/// A run that is ready to go.
#[derive(Debug)]
pub struct Run {
    folder: RunFolder,
    plan: Plan,
    soup: Soup,
    recorder: Recorder,
    /// Epochs done at the newest good checkpoint.
    saved_at: Option<u64>,
    past: Past,
    /// Checkpoints that could not be used, and why.
    passed_over: Vec<Error>,
}

/// What is known of the log points so far.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    /// The last one.
    last: Option<PastRow>,
    /// Epochs done at the first one at which the soup was alive.
    alive_at: Option<u64>,
    /// Epochs done at the first one with a replicator.
    replicators_at: Option<u64>,
}

impl Past {
    fn add(&mut self, row: PastRow) {
        let first = |at: Option<u64>, is_so: bool| at.or(is_so.then_some(row.epoch));
        let replicates = row.replicators.is_some_and(|count| count.knierim > 0);
        self.alive_at = first(self.alive_at, row.is_alive());
        self.replicators_at = first(self.replicators_at, replicates);
        self.last = Some(row);
    }
}

impl Run {
    /// Begin a run in a new folder, from a checkpoint where one is given: the
    /// soup then is the checkpoint's, and a copy of it goes into the folder.
    pub fn create(
        settings: Settings,
        mut plan: Plan,
        place: &Place,
        start: Option<Checkpoint>,
    ) -> Result<Run, Error> {
        plan.check()?;
        settings.check()?;
        if let Some(log) = &plan.log {
            if log.symlink_metadata().is_ok() {
                return Err(Error::Usage(format!(
                    "--log {} exists already; remove it or choose another name",
                    log.display()
                )));
            }
            plan.log = Some(absolute("log", log)?);
        }
        if let Some(dir) = &plan.checkpoint_dir {
            if dir.is_dir() && !folder::list_checkpoints(dir)?.is_empty() {
                return Err(Error::Usage(format!(
                    "--checkpoint-dir {} holds checkpoints of another run; \
                     choose an empty or a new folder",
                    dir.display()
                )));
            }
            plan.checkpoint_dir = Some(absolute("checkpoint-dir", dir)?);
        }
        if let Some(dir) = &plan.frames {
            if dir.is_dir() && !frames::list(dir)?.is_empty() {
                return Err(Error::Usage(format!(
                    "--frames {} holds frames of another run; choose an empty or a new folder",
                    dir.display()
                )));
            }
            plan.frames = Some(absolute("frames", dir)?);
        }
        let epochs_loaded = start.as_ref().map_or(0, |start| start.epochs_done);
        if epochs_loaded >= plan.max_epochs {
            return Err(Error::Usage(format!(
                "the checkpoint has {epochs_loaded} epochs done already; \
                 choose a --max-epochs above that"
            )));
        }
        let mut soup = match start {
            Some(start) => Soup::from_checkpoint(settings.clone(), start, false)?,
            None => Soup::new(settings.clone())?,
        };
        soup.set_engine(plan.engine, &plan.options);
        if plan.tracers {
            soup.trace()?;
        }
        let folder = RunFolder::create(place)?;
        // Files outside of the folder that a run leaves before it has begun.
        let mut made = Vec::new();
        let begun = Run::begin(folder.clone(), settings, plan, soup, &mut made);
        if begun.is_err() {
            for path in made {
                // There is an error to tell already.
                let _ = fs::remove_file(path);
            }
            folder.discard();
        }
        begun
    }

    fn begin(
        folder: RunFolder,
        settings: Settings,
        mut plan: Plan,
        soup: Soup,
        made: &mut Vec<PathBuf>,
    ) -> Result<Run, Error> {
        let checkpoints = plan.checkpoint_dir.clone().unwrap_or(folder.checkpoints());
        files::make_folder(&checkpoints)?;
        if plan.load.is_some() {
            plan.load = Some(checkpoints.join(Checkpoint::file_name(soup.epochs_done())));
        }
        let metrics = Table::create(&folder.metrics(), &plan.columns().metrics_header())?;
        let performance = Table::create(&folder.performance(), &PerformanceRow::header())?;
        let log = match &plan.log {
            Some(path) => {
                let log = Table::create(path, &plan.columns().cubff_header())?;
                made.push(path.clone());
                Some(log)
            }
            None => None,
        };
        let of_soup = settings_file::of_soup(&settings)?;
        let recorder = Recorder {
            metrics,
            performance,
            log,
            num_programs: settings.num_programs,
            soup_bytes: settings.soup_bytes(),
            shares_checkpoints: plan.checkpoint_dir.is_some(),
            checkpoints,
            frames: frames_of(&plan, &settings, &of_soup)?,
            plan: plan.clone(),
            saved_at: SavedAt::new(None),
            of_soup,
        };
        if let Some(path) = &plan.load {
            let mut start = Checkpoint::empty();
            start.copy_all_from(&soup);
            sidecar::check_place(path, &recorder.of_soup)?;
            recorder.save(&start)?;
            made.extend([path.clone(), sidecar::path_of(path)]);
        }
        // Last: from here on the folder can be resumed.
        settings_file::write(&folder, &settings, &plan)?;
        Ok(Run {
            recorder,
            saved_at: plan.load.is_some().then(|| soup.epochs_done()),
            folder,
            plan,
            soup,
            past: Past::default(),
            passed_over: Vec::new(),
        })
    }

    /// Go on with the run in the folder `path`, from its newest checkpoint that
    /// can be read; what `changes` say replaces what the folder says.
    pub fn resume(path: &Path, changes: &Changes) -> Result<Run, Error> {
        let folder = RunFolder::open(path)?;
        let (settings, mut plan) = settings_file::read(&folder)?;
        let saved = plan.clone();
        changes.apply(&mut plan);
        plan.check()?;
        let checkpoints = plan.checkpoint_dir.clone().unwrap_or(folder.checkpoints());
        files::make_folder(&checkpoints)?;
        files::remove_unfinished(&checkpoints)?;
        let of_soup = settings_file::of_soup(&settings)?;
        let Newest {
            mut soup,
            is_saved,
            passed_over,
        } = Newest::of(&settings, &plan, &checkpoints, &of_soup)?;
        let saved_at = is_saved.then(|| soup.epochs_done());
        soup.set_engine(plan.engine, &plan.options);
        let epochs_done = soup.epochs_done();
        if let Some(max_epochs) = changes.max_epochs.filter(|max| *max < epochs_done) {
            return Err(Error::Usage(format!(
                "--max-epochs {max_epochs}: the run in {} has {epochs_done} epochs done already",
                folder.path().display()
            )));
        }
        let points = LogPoints {
            interval: plan.log_interval,
            epochs_done,
        };
        let mut past = Past::default();
        let columns = plan.columns();
        let header = columns.metrics_header();
        let metrics = Table::reopen(&folder.metrics(), &header, points, |line| {
            let row = PastRow::parse(line, &columns);
            if let Some(row) = row {
                past.add(row);
            }
            row.is_some()
        })?;
        let header = PerformanceRow::header();
        Table::widen(&folder.performance(), &header)?;
        let performance = Table::reopen(&folder.performance(), &header, points, |_| true)?;
        // The log first, as long as metrics.csv tells whether it is this run's.
        let log = match &plan.log {
            Some(path) => Some(reopen_log(
                path,
                points,
                &folder,
                &columns,
                settings.num_programs,
            )?),
            None => None,
        };
        let (metrics, performance) = (metrics.cut()?, performance.cut()?);
        let frames = frames_of(&plan, &settings, &of_soup)?;
        if let Some(frames) = &frames {
            frames.remove_after(epochs_done)?;
        }
        if plan != saved {
            settings_file::write(&folder, &settings, &plan)?;
        }
        // What a kill has kept from being removed, of which there may be no other occasion.
        if let (Some(epochs_done), Some(keep)) = (saved_at, plan.keep) {
            folder::keep_newest(&checkpoints, epochs_done, keep, &of_soup)?;
        }
        Ok(Run {
            saved_at,
            past,
            recorder: Recorder {
                metrics,
                performance,
                log,
                shares_checkpoints: plan.checkpoint_dir.is_some() || checkpoints.is_symlink(),
                checkpoints,
                frames,
                num_programs: settings.num_programs,
                soup_bytes: settings.soup_bytes(),
                plan: plan.clone(),
                saved_at: SavedAt::new(saved_at),
                of_soup,
            },
            folder,
            plan,
            soup,
            passed_over,
        })
    }

    /// The run's folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The run's plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The soup as it stands.
    pub fn soup(&self) -> &Soup {
        &self.soup
    }

    /// Epochs done at the first log point at which the soup was alive.
    pub fn alive_at(&self) -> Option<u64> {
        self.past.alive_at
    }

    /// Epochs done at the first log point with a replicator that scores 48 or more.
    pub fn replicators_at(&self) -> Option<u64> {
        self.past.replicators_at
    }

    /// The newest checkpoint, which others may ask for while the run goes.
    pub fn saved_at(&self) -> SavedAt {
        self.recorder.saved_at.clone()
    }

    /// Checkpoints of a resumed run that could not be used, and why.
    pub fn passed_over(&self) -> &[Error] {
        &self.passed_over
    }

    /// Run to the end, or until `interrupt` is set; `watch` is told of every
    /// epoch and log point, in order. Uses the rayon thread pool it is called
    /// in, and one thread more for measures and files.
    pub fn go(
        self,
        interrupt: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Summary, Error> {
        let Run {
            folder,
            plan,
            mut soup,
            recorder,
            mut saved_at,
            mut past,
            ..
        } = self;
        let scorer = plan
            .eval_selfrep
            .then(|| Scorer::new(soup.settings().language, plan.engine, &plan.options));
        let started = Instant::now();
        let epochs_before = soup.epochs_done();
        let checkpoints = recorder.checkpoints.clone();
        let mut total = Tally::default();
        let mut at_last_log = (epochs_before, total, started);
        // A run that met its stop rule before does not go on when resumed.
        let soup_bytes = soup.settings().soup_bytes();
        let met_before = past.last.and_then(|row| plan.stops_at(&row, soup_bytes));
        thread::scope(|scope| {
            let mut desk = Desk::open(scope, recorder);
            let mut note = |done: Done, watch: &mut dyn FnMut(Event<'_>)| {
                if let Some(row) = &done.row {
                    past.add(row.past());
                    watch(Event::Logged(row));
                }
                done.stop
            };
            let end = loop {
                if let Some(rule) = met_before {
                    break End::Stopped(rule);
                }
                if soup.epochs_done() >= plan.max_epochs {
                    break End::Finished;
                }
                if interrupt.load(Ordering::Relaxed) {
                    break End::Interrupted;
                }
                let epoch = soup.epochs_done();
                let tally = soup.step();
                total = total + tally;
                watch(Event::Epoch(soup.epochs_done(), tally));
                let due = plan.due_after(epoch);
                if let Some(done) = desk.collect(due.any())?
                    && let Some(rule) = note(done, watch)
                {
                    break End::Stopped(rule);
                }
                if due.any() {
                    let interval = due.log.then(|| {
                        let now = (soup.epochs_done(), total, Instant::now());
                        let before = std::mem::replace(&mut at_last_log, now);
                        // Here and not beside the next epochs: it takes all threads.
                        let replicators = scorer.as_ref().map(|s| s.count(&soup));
                        let tokens = soup.tokens().map(|it| it.measure(soup.programs()));
                        // What it takes is no time of epochs.
                        at_last_log.2 = Instant::now();
                        Interval {
                            epochs: now.0 - before.0,
                            tally: now.1 - before.1,
                            length: now.2 - before.2,
                            elapsed: now.2 - started,
                            cache: soup.runner().cache_tally(),
                            replicators,
                            tokens,
                            counting: at_last_log.2 - now.2,
                        }
                    });
                    desk.submit(&soup, tally, interval, due)?;
                    saved_at = saved_at.max(due.checkpoint.then(|| soup.epochs_done()));
                }
            };
            // What is still being measured comes first: it may end the run.
            let end = match desk.collect(true)? {
                Some(done) => note(done, watch).map_or(end, End::Stopped),
                None => end,
            };
            let elapsed = started.elapsed();
            let stopped_now = matches!(end, End::Stopped(_)) && met_before.is_none();
            if stopped_now {
                // The end is the soup that was measured; the recorder saved it.
                // Epochs that ran ahead of it are thrown away.
                total = at_last_log.1;
            } else if saved_at != Some(soup.epochs_done()) {
                let due = Due {
                    checkpoint: true,
                    ..Due::default()
                };
                desk.submit(&soup, Tally::default(), None, due)?;
                desk.collect(true)?;
            }
            let mut snapshot = desk.close();
            if !stopped_now {
                snapshot.copy_from(&soup);
            }
            let epochs_done = snapshot.epochs_done;
            let picture = folder.picture(epochs_done);
            picture::write_soup(&picture, soup.settings(), &snapshot)?;
            Ok(Summary {
                end,
                epochs_done,
                epochs_here: epochs_done - epochs_before,
                tally: total,
                elapsed,
                native: soup.runner().jit().map(|jit| jit.tally()),
                alive_at: past.alive_at,
                high_order_entropy: past.last.map(|row| row.high_order_entropy),
                replicators: past.last.and_then(|row| row.replicators),
                tokens: past.last.and_then(|row| row.tokens),
                replicators_at: past.replicators_at,
                checkpoint: checkpoints.join(Checkpoint::file_name(epochs_done)),
                picture,
            })
        })
    }
}

/// Go on with cubff's log of the run in `folder`. It says nothing that metrics.csv does
/// not: rows that it lacks are added, and one with others is another run's and stays.
fn reopen_log(
    path: &Path,
    points: LogPoints,
    folder: &RunFolder,
    columns: &Columns,
    num_programs: usize,
) -> Result<Table, Error> {
    let metrics = folder.metrics();
    let mut next = past_rows(&metrics, columns.clone())?;
    let line = |row: PastRow| row.cubff_line(num_programs);
    let is_next = |log: &str, row: Result<Option<PastRow>, Error>| {
        row.is_ok_and(|row| row.map(line).as_deref() == Some(log))
    };
    let header = columns.cubff_header();
    let kept = Table::reopen_begun(path, &header, points, |log| is_next(log, next()))?;
    // Of a log that keeps none of its rows the first that is cut off has to tell.
    if let Some(log) = kept.all_cut_from()
        && !is_next(log, next())
    {
        return Err(Error::file(
            path,
            "is the log of another run than metrics.csv; move it away and resume again",
        ));
    }
    let mut log = kept.cut()?;
    while let Some(row) = next()?.filter(|row| row.epoch <= points.epochs_done) {
        log.append(&line(row))?;
    }
    log.sync()?;
    Ok(log)
}

/// The rows of a metrics.csv, one after another; none where there is no file.
fn past_rows(
    path: &Path,
    columns: Columns,
) -> Result<impl FnMut() -> Result<Option<PastRow>, Error>, Error> {
    let mut lines = match path.exists() {
        true => Some(Lines::open(path)?),
        false => None,
    };
    if let Some(header) = &mut lines {
        header.read()?;
    }
    Ok(move || match &mut lines {
        Some(lines) => {
            let line = lines.read()?;
            Ok(line.and_then(|line| PastRow::parse(line, &columns)))
        }
        None => Ok(None),
    })
}

/// Where the run's frames go, if it has some.
fn frames_of(
    plan: &Plan,
    settings: &Settings,
    of_soup: &toml::Table,
) -> Result<Option<Frames>, Error> {
    let Some(folder) = &plan.frames else {
        return Ok(None);
    };
    files::make_folder(folder)?;
    files::remove_unfinished(folder)?;
    Ok(Some(Frames::new(folder.clone(), settings, of_soup)))
}

/// The path given by `flag`, from the root on; settings.toml must be able to hold it.
fn absolute(flag: &str, path: &Path) -> Result<PathBuf, Error> {
    let path = std::path::absolute(path).map_err(|error| Error::cannot("read", path, error))?;
    if path.to_str().is_none() {
        return Err(Error::Usage(format!(
            "--{flag} {}: settings.toml holds text only; choose a path that is text",
            path.display()
        )));
    }
    Ok(path)
}
