//! The soup that pages look at, and the thread that runs it: from settings or from a run folder,
//! forwards and back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::birth;
use super::folder::{Follower, name_of};
use super::history::{History, Plant};
use super::presets::Preset;
use super::protocol::{Command, NewSoup};
use super::scene::{NO_END, Origin, Scene, from_address, program_of};
use super::shared::{Busy, Order, Shared};
use super::watcher::Watcher;
use crate::Error;
use crate::measure::ALIVE;
use crate::measure::column::View;
use crate::measure::row::LogRow;
use crate::run::Plan;
use crate::run::StopRule;
use crate::run::driver::{Driver, Ended, Saves};
use crate::run::folder::performance::PerformanceRow;
use crate::run::folder::settings::key_of;
use crate::run::recording::{Sink, Snapshot};
use crate::soup::Soup;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::Settings;

/// While the soup stands still, commands and newer checkpoints are looked for this often.
const NAP: Duration = Duration::from_millis(20);
/// Time between looks at a run folder.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Going so many epochs is no work worth telling of.
const SHORT_WAY: u64 = 8;

/// What the soup is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Paused,
    Playing,
    /// Go on until so many epochs are done, then go on or stand still.
    Going {
        from: u64,
        to: u64,
        then_play: bool,
    },
}

/// The soup that pages look at.
pub(super) struct Stage<'a> {
    watcher: Watcher,
    shared: Arc<Shared>,
    soup: Soup,
    plan: Plan,
    mode: Mode,
    follower: Option<Follower>,
    last_look: Option<Instant>,
    interrupt: &'a AtomicBool,
}

/// What the driver's snapshots are for: copies of the past, and rules that stop the soup.
struct Keeping {
    shared: Arc<Shared>,
    plan: Plan,
    soup_bytes: usize,
}

impl Sink for Keeping {
    type Stop = StopRule;

    fn log(&mut self, row: &LogRow, _: &PerformanceRow) -> Result<Option<StopRule>, Error> {
        Ok(self.plan.stops_at(&row.past(), self.soup_bytes))
    }

    fn draw(&mut self, _: &Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    fn save(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        self.shared.history().keep(snapshot.soup.clone());
        Ok(())
    }

    fn may_stop(&self) -> bool {
        self.plan.has_stop_rule()
    }
}

/// A scene, its past and its first soup.
pub(super) fn begin(
    settings: Settings,
    plan: Plan,
    plants: Vec<Plant>,
    origin: Origin,
    (generation, follower): (u32, Option<&Follower>),
) -> Result<(Scene, History, Soup), Error> {
    let engine = (plan.engine, plan.options);
    let past = follower.map(|it| Arc::clone(it.past()));
    let mut history = History::new(settings.clone(), plan.tracers, engine, past);
    for plant in plants {
        history.plant(plant);
    }
    let soup = history.soup_up_to(if follower.is_some() { NO_END } else { 0 })?;
    let scene = Scene {
        settings,
        plan,
        origin,
        generation,
    };
    Ok((scene, history, soup))
}

/// What it takes to show the run in the folder at `path`.
pub(super) fn begin_folder(path: &Path) -> Result<(Scene, History, Soup, Plan, Follower), Error> {
    let follower = Follower::open(path)?;
    let settings = follower.past().settings().clone();
    let plan = Plan {
        stop_high_order_entropy: None,
        stopping_bpb: None,
        stopping_selfrep_count: None,
        max_epochs: NO_END,
        ..follower.past().plan().clone()
    };
    let origin = Origin::Folder(name_of(path));
    let (scene, history, soup) = begin(
        settings,
        plan.clone(),
        Vec::new(),
        origin,
        (1, Some(&follower)),
    )?;
    Ok((scene, history, soup, plan, follower))
}

impl<'a> Stage<'a> {
    /// The soup, which is shown at once.
    pub(super) fn new(
        mut watcher: Watcher,
        soup: Soup,
        plan: Plan,
        follower: Option<Follower>,
        interrupt: &'a AtomicBool,
    ) -> Stage<'a> {
        watcher.show(view(&soup));
        Stage {
            shared: Arc::clone(&watcher.shared),
            watcher,
            soup,
            plan,
            mode: Mode::Paused,
            follower,
            last_look: None,
            interrupt,
        }
    }

    /// Run the soup as pages want it, until `interrupt` is set. `plays` says whether it runs at
    /// once.
    pub(super) fn run(mut self, plays: bool) -> Result<(), Error> {
        self.soup_is_another();
        if self.follower.is_some() {
            self.shared.change_state(|state| state.following = true);
        }
        if plays {
            self.set_mode(Mode::Playing);
        }
        loop {
            if self.interrupt.load(Ordering::Relaxed) {
                return Ok(());
            }
            let wait = match self.mode {
                Mode::Paused => NAP,
                _ => Duration::ZERO,
            };
            if let Some(order) = self.watcher.wait_for_order(wait) {
                self.obey(order);
                continue;
            }
            match self.mode {
                Mode::Paused => self.stand_still()?,
                Mode::Playing | Mode::Going { .. } => self.drive()?,
            }
        }
    }

    fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.watcher.forget_rates();
        let busy = match mode {
            Mode::Going { from, to, .. } if to > from + SHORT_WAY => Some(Busy {
                what: "going",
                from,
                to,
                now: from,
            }),
            _ => None,
        };
        self.shared.change_state(|state| {
            state.playing = match mode {
                Mode::Playing => true,
                Mode::Paused => false,
                Mode::Going { then_play, .. } => then_play,
            };
            state.busy = busy;
            if mode != Mode::Paused {
                state.ended = None;
                state.following = false;
            }
        });
        let epoch = self.soup.epochs_done();
        self.watcher.tell(epoch, true);
    }

    /// Show the soup, which is another than before.
    fn soup_is_another(&mut self) {
        self.watcher.show(view(&self.soup));
        self.watcher.forget_rates();
        let epoch = self.soup.epochs_done();
        self.watcher.tell(epoch, true);
    }

    fn stand_still(&mut self) -> Result<(), Error> {
        self.watcher.show_if_wanted(view(&self.soup));
        let is_early = |last: Instant| last.elapsed() < LOOK_INTERVAL;
        if self.follower.is_some() && !self.last_look.is_some_and(is_early) {
            self.last_look = Some(Instant::now());
            self.look_at_folder()?;
        }
        Ok(())
    }

    /// Show what has come to the run folder meanwhile.
    fn look_at_folder(&mut self) -> Result<(), Error> {
        let Some(follower) = &mut self.follower else {
            return Ok(());
        };
        let rows = follower.rows()?;
        if let Some(last) = rows.last().map(|row| row.epoch) {
            let alive = rows
                .iter()
                .find(|row| row.high_order_entropy > f64::from(ALIVE));
            let alive = alive.map(|row| row.epoch);
            self.shared.change_rows(|all| {
                for row in &rows {
                    all.add(&row.numbers);
                }
            });
            self.shared.change_state(|state| {
                state.alive_at = state.alive_at.or(alive);
                state.known = state.known.max(last);
            });
        }
        if !self.shared.state.borrow().following {
            return Ok(());
        }
        // A checkpoint may be on its way out; the next look finds another.
        if let Ok(Some(mut soup)) = follower.newer() {
            soup.set_engine(self.plan.engine, &self.plan.options);
            self.soup = soup;
            self.soup_is_another();
        }
        Ok(())
    }

    /// Run until the soup is where it is to be, or there is a command.
    fn drive(&mut self) -> Result<(), Error> {
        let now = self.soup.epochs_done();
        let goal = match self.mode {
            Mode::Going { to, .. } => to,
            Mode::Paused | Mode::Playing => NO_END,
        };
        let goal = goal.min(self.plan.max_epochs.max(now));
        let next_plant = self.shared.history().next_plant(now).unwrap_or(u64::MAX);
        let driver = Driver {
            plan: &self.plan,
            max_epochs: goal.min(next_plant),
            saves: Saves::Epochs(save_interval(self.soup.programs().len())),
            saved_at: None,
            budget: None,
            measurers: 1,
            interrupt: self.interrupt,
        };
        let keeping = Keeping {
            shared: Arc::clone(&self.shared),
            plan: self.plan.clone(),
            soup_bytes: self.soup.programs().len(),
        };
        let driven = driver.drive(&mut self.soup, keeping, &mut self.watcher)?;
        match driven.ended {
            Ended::Stopped(rule) => {
                self.stop_by(rule, driven.last)?;
            }
            Ended::Finished | Ended::Interrupted | Ended::OutOfTime => {
                let history = self.shared.history().clone();
                history.apply_plants(&mut self.soup)?;
                self.arrive();
            }
        }
        Ok(())
    }

    /// Do what is to be done where the soup has come to.
    fn arrive(&mut self) {
        let now = self.soup.epochs_done();
        match self.mode {
            Mode::Going { to, then_play, .. } if now >= to => {
                let mode = if then_play {
                    Mode::Playing
                } else {
                    Mode::Paused
                };
                self.set_mode(mode);
                self.watcher.show(view(&self.soup));
            }
            Mode::Playing | Mode::Going { .. } if now >= self.plan.max_epochs => {
                self.end(format!("all {now} epochs are done"));
            }
            _ => self.watcher.tell(now, true),
        }
    }

    fn stop_by(&mut self, rule: StopRule, last: Checkpoint) -> Result<(), Error> {
        let settings = self.soup.settings().clone();
        self.soup = Soup::from_checkpoint(settings, last, true)?;
        self.soup.set_engine(self.plan.engine, &self.plan.options);
        // Whoever plays on wants to see more.
        self.plan.stop_high_order_entropy = None;
        self.plan.stopping_bpb = None;
        self.plan.stopping_selfrep_count = None;
        self.end(format!("it met the rule {}", rule.setting()));
        Ok(())
    }

    fn end(&mut self, why: String) {
        self.set_mode(Mode::Paused);
        self.shared.change_state(|state| state.ended = Some(why));
        self.watcher.show(view(&self.soup));
    }

    fn obey(&mut self, order: Order) {
        let result = match &order.command {
            Command::Play {} => {
                if self.soup.epochs_done() >= self.plan.max_epochs {
                    self.plan.max_epochs = NO_END;
                }
                self.set_mode(Mode::Playing);
                Ok(())
            }
            Command::Pause {} => {
                self.set_mode(Mode::Paused);
                self.watcher.show(view(&self.soup));
                Ok(())
            }
            Command::Step { epochs } => {
                let now = self.soup.epochs_done();
                self.go_to(now.saturating_add(*epochs).min(NO_END), false)
            }
            Command::Speed { rate } => {
                self.watcher.set_limit(*rate);
                Ok(())
            }
            Command::Jump { epoch } => {
                let plays = self.shared.state.borrow().playing;
                self.go_to(*epoch, plays)
            }
            Command::Plant { index, hex } => self.plant(*index, hex),
            Command::New(new) => self.begin_anew(new),
            Command::Preset { name } => self.begin_preset(name),
            Command::Follow {} => self.follow(),
            Command::Birth {} => self.find_birth(&order),
            // The server answers these.
            Command::Next(_) => Ok(()),
        };
        if let Err(error) = result {
            self.shared.change_state(|state| state.busy = None);
            order.tell("error", &error.naming(key_of));
        }
    }

    /// Go to the soup after so many epochs, from the nearest that is known.
    fn go_to(&mut self, epoch: u64, then_play: bool) -> Result<(), Error> {
        let now = self.soup.epochs_done();
        let history = self.shared.history().clone();
        let first = history.past().map_or(0, |past| past.start());
        if epoch < first {
            return Err(Error::Setting(format!(
                "`epoch` {epoch}: the run began after {first} epochs; choose {first} or more"
            )));
        }
        if epoch < now || epoch > now + SHORT_WAY {
            let known = history.soup_up_to(epoch)?;
            if epoch < now || known.epochs_done() > now {
                self.soup = known;
            }
        }
        let from = self.soup.epochs_done();
        if self.plan.max_epochs < epoch {
            self.plan.max_epochs = NO_END;
        }
        self.set_mode(Mode::Going {
            from,
            to: epoch,
            then_play,
        });
        if from == epoch {
            self.soup_is_another();
            self.arrive();
        }
        Ok(())
    }

    fn plant(&mut self, index: usize, hex: &str) -> Result<(), Error> {
        let program = program_of(self.soup.settings(), index, hex)?;
        self.soup.set_program(index, &program)?;
        let epoch = self.soup.epochs_done();
        let plant = Plant {
            epoch,
            index,
            program,
        };
        self.shared.history().plant(plant);
        self.shared.change_rows(|rows| rows.forget_after(epoch));
        let mut scene = Scene::clone(&self.shared.scene.borrow());
        scene.generation += 1;
        let generation = scene.generation;
        self.shared.change_state(|state| {
            state.generation = generation;
            state.known = epoch;
            state.following = false;
            state.alive_at = state.alive_at.filter(|at| *at <= epoch);
            state.replicators_at = state.replicators_at.filter(|at| *at <= epoch);
        });
        self.shared.scene.send_replace(Arc::new(scene));
        self.watcher.show(view(&self.soup));
        Ok(())
    }

    fn begin_preset(&mut self, name: &str) -> Result<(), Error> {
        let preset = Preset::named(name)?;
        let pairs = preset.settings.iter();
        let settings = pairs.map(|(key, value)| (key.to_string(), value.to_string()));
        self.begin_anew(&NewSoup {
            settings: settings.collect(),
            play: true,
            ..NewSoup::default()
        })
    }

    /// Show another soup, unless its settings are wrong: then all stays as it is.
    fn begin_anew(&mut self, new: &NewSoup) -> Result<(), Error> {
        let (settings, plan, plants) = from_address(new)?;
        let mut plan = plan;
        (plan.engine, plan.options) = (self.plan.engine, self.plan.options);
        let generation = self.shared.scene.borrow().generation + 1;
        let (scene, history, soup) = begin(
            settings,
            plan.clone(),
            plants,
            Origin::Settings,
            (generation, None),
        )?;
        *self.shared.history() = history;
        self.soup = soup;
        self.plan = plan;
        self.follower = None;
        self.shared.change_rows(|rows| rows.clear());
        self.shared.census.send_replace("".into());
        self.shared.change_state(|state| {
            let limit = state.limit;
            *state = super::shared::State {
                generation,
                limit,
                ..Default::default()
            };
        });
        self.shared.scene.send_replace(Arc::new(scene));
        self.soup_is_another();
        match new.epoch.filter(|epoch| *epoch > 0) {
            Some(epoch) => self.go_to(epoch, new.play)?,
            None if new.play => self.set_mode(Mode::Playing),
            None => self.set_mode(Mode::Paused),
        }
        Ok(())
    }

    /// Trace the commonest replicator back to the first of its line, and go there.
    fn find_birth(&mut self, order: &Order) -> Result<(), Error> {
        self.set_mode(Mode::Paused);
        let now = self.soup.epochs_done();
        let history = self.shared.history().clone();
        let found = birth::find(&history, &self.soup, &mut self.watcher)?;
        self.shared.change_state(|state| state.busy = None);
        let Some(birth) = found else {
            return Ok(());
        };
        let _ = order.reply.send(birth.message());
        self.go_to(birth.epoch.min(now), false)
    }

    fn follow(&mut self) -> Result<(), Error> {
        let Some(follower) = &mut self.follower else {
            return Err(Error::Usage(
                "this soup is of no run folder; there is nothing to follow".into(),
            ));
        };
        follower.forget_shown();
        self.last_look = None;
        self.set_mode(Mode::Paused);
        self.shared.change_state(|state| state.following = true);
        Ok(())
    }
}

/// Copies of the past are kept after epochs (from 0) divisible by this.
fn save_interval(soup_bytes: usize) -> u64 {
    match soup_bytes >> 19 {
        8.. => 64,
        1.. => 256,
        0 => 1024,
    }
}

/// The soup as it stands.
fn view(soup: &Soup) -> View<'_> {
    View {
        language: soup.settings().language,
        programs: soup.programs(),
        epochs_done: soup.epochs_done(),
    }
}
