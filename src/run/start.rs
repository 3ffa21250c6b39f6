//! Beginning a run in a new folder, and going on with one.

use std::fs;
use std::path::{Path, PathBuf};

use super::Run;
use super::past::{Past, past_rows};
use super::pictures::{Frames, LATEST_FRAME, Pictures};
use super::plan::{Changes, Plan};
use super::recorder::{Recorder, SavedAt};
use super::saved::Newest;
use crate::Error;
use crate::files;
use crate::measure::row::{Columns, PastRow};
use crate::run::folder::csv::{LogPoints, Table};
use crate::run::folder::performance::PerformanceRow;
use crate::run::folder::{self, Place, RunFolder, settings as settings_file, sidecar};
use crate::soup::Soup;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::Settings;

impl Run {
    /// Begin a run in a new folder, from a checkpoint where one is given: the
    /// soup then is the checkpoint's, and a copy of it goes into the folder. Pictures are drawn
    /// by `pictures`, where there are to be any.
    pub fn create(
        settings: Settings,
        mut plan: Plan,
        place: &Place,
        start: Option<Checkpoint>,
        pictures: Option<&'static dyn Pictures>,
    ) -> Result<Run, Error> {
        plan.check()?;
        settings.check()?;
        if let Some(log) = &plan.log {
            if log.symlink_metadata().is_ok() {
                return Err(Error::Setting(format!(
                    "`log` {} exists already; remove it or choose another name",
                    log.display()
                )));
            }
            plan.log = Some(absolute("log", log)?);
        }
        if let Some(dir) = &plan.checkpoint_dir {
            if dir.is_dir() && !folder::list_checkpoints(dir)?.is_empty() {
                return Err(Error::Setting(format!(
                    "`checkpoint_dir` {} holds checkpoints of another run; \
                     choose an empty or a new folder",
                    dir.display()
                )));
            }
            plan.checkpoint_dir = Some(absolute("checkpoint_dir", dir)?);
        }
        if let Some(dir) = &plan.frames {
            let is_taken = |dir: &Path| dir.join(LATEST_FRAME).symlink_metadata().is_ok();
            if dir.is_dir() && (is_taken(dir) || !folder::list(dir, "png")?.is_empty()) {
                return Err(Error::Setting(format!(
                    "`frames` {} holds frames of another run; choose an empty or a new folder",
                    dir.display()
                )));
            }
            plan.frames = Some(absolute("frames", dir)?);
        }
        let epochs_loaded = start.as_ref().map_or(0, |start| start.epochs_done);
        if epochs_loaded >= plan.max_epochs {
            return Err(Error::Setting(format!(
                "the checkpoint has {epochs_loaded} epochs done already; \
                 choose a `max_epochs` above that"
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
        let begun = Run::begin(folder.clone(), plan, soup, pictures, &mut made);
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
        mut plan: Plan,
        soup: Soup,
        pictures: Option<&'static dyn Pictures>,
        made: &mut Vec<PathBuf>,
    ) -> Result<Run, Error> {
        let settings = soup.settings().clone();
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
            frames: frames_of(&plan, pictures, &settings, &of_soup)?,
            plan: plan.clone(),
            saved_at: SavedAt::new(None),
            of_soup,
        };
        if let Some(path) = &plan.load {
            let mut start = Checkpoint::empty();
            start.copy_all_from(&soup);
            sidecar::check_place(path, &recorder.of_soup)?;
            recorder.save_soup(&start)?;
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
            pictures,
            past: Past::default(),
            skipped: Vec::new(),
        })
    }

    /// Go on with the run in the folder `path`, from its newest checkpoint that
    /// can be read; what `changes` say replaces what the folder says.
    pub fn resume(
        path: &Path,
        changes: &Changes,
        pictures: Option<&'static dyn Pictures>,
    ) -> Result<Run, Error> {
        let folder = RunFolder::open(path)?;
        let (settings, saved) = settings_file::read(&folder)?;
        let plan = settings_file::changed(&saved, &changes.given)?;
        plan.check()?;
        let checkpoints = plan.checkpoint_dir.clone().unwrap_or(folder.checkpoints());
        files::make_folder(&checkpoints)?;
        files::remove_unfinished(&checkpoints)?;
        let of_soup = settings_file::of_soup(&settings)?;
        let Newest {
            mut soup,
            is_saved,
            skipped,
        } = Newest::of(&settings, &plan, &checkpoints, &of_soup)?;
        let saved_at = is_saved.then(|| soup.epochs_done());
        soup.set_engine(plan.engine, &plan.options);
        let epochs_done = soup.epochs_done();
        let max_epochs = plan.max_epochs;
        if changes.given.contains_key("max-epochs") && max_epochs < epochs_done {
            return Err(Error::Setting(format!(
                "`max_epochs` {max_epochs}: the run in {} has {epochs_done} epochs done already; \
                 choose more",
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
        let frames = frames_of(&plan, pictures, &settings, &of_soup)?;
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
            pictures,
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
            skipped,
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

/// What draws the run's frames, if it has some.
fn frames_of(
    plan: &Plan,
    pictures: Option<&dyn Pictures>,
    settings: &Settings,
    of_soup: &toml::Table,
) -> Result<Option<Box<dyn Frames>>, Error> {
    let Some(folder) = &plan.frames else {
        return Ok(None);
    };
    let Some(pictures) = pictures else {
        return Err(Error::Setting(
            "`frames`: this run has nothing that draws them; give it some `Pictures`".into(),
        ));
    };
    files::make_folder(folder)?;
    files::remove_unfinished(folder)?;
    Ok(Some(pictures.frames(folder.clone(), settings, of_soup)))
}

/// The path given by the setting `name`, from the root on; settings.toml must be able to hold it.
fn absolute(name: &str, path: &Path) -> Result<PathBuf, Error> {
    let path = std::path::absolute(path).map_err(|error| Error::cannot("read", path, error))?;
    if path.to_str().is_none() {
        return Err(Error::Setting(format!(
            "`{name}` {}: settings.toml holds text only; choose a path that is text",
            path.display()
        )));
    }
    Ok(path)
}
