//! What an epoch and a log point are made of, and what they come to on many threads.

use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use serde::Serialize;

use super::Times;
use crate::engine::{Engine, Options};
use crate::measure::Measures;
use crate::random::Streams;
use crate::run::driver::most_measurers;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::pairing::Pairs;
use crate::soup::pairings;
use crate::soup::settings::World;
use crate::{Error, Settings, Soup};

/// Threads for which the time of an epoch is computed.
const THREADS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Epochs between the log points for which it is computed.
const LOG_INTERVAL: f64 = 64.0;

/// The parts of an epoch, and those of a log point, in milliseconds of one thread, by the engine
/// auto. Medians over rounds; those of moving, mutating and running are differences between whole
/// epochs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Parts {
    /// Drawing who meets whom: a thread's own work, but independent of all else, so that several
    /// epochs' are drawn at once. 0 in worlds without pairings.
    pub draw_ms: f64,
    /// Moving programs to tapes and back; shared by all threads, as are the next two.
    pub move_ms: f64,
    /// Mutating.
    pub mutate_ms: f64,
    /// Running tapes.
    pub run_ms: f64,
    /// Copying the soup for a log point; shared by all threads, between two epochs.
    pub copy_ms: f64,
    /// Measuring the copy, beside the epochs: a thread's own work, several log points at once.
    pub measure_ms: f64,
    /// What these come to on so many threads.
    pub computed: Vec<Computed>,
}

/// The time of an epoch on some number of threads: computed from its parts, not measured. Memory is
/// taken to keep up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Computed {
    /// The threads.
    pub threads: usize,
    /// Milliseconds per epoch without log points.
    pub ms_per_epoch: f64,
    /// With a log point every 64 epochs.
    pub ms_per_epoch_logged: f64,
}

impl Parts {
    /// Measure the parts of the soup `start`, with the rounds, warm-up and epochs of each.
    pub fn of(
        settings: &Settings,
        start: &Checkpoint,
        rounds: usize,
        [warm_up, epochs]: [u64; 2],
    ) -> Result<Parts, Error> {
        let pool = ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|error| Error::Usage(format!("cannot start a thread: {error}")))?;
        pool.install(|| measure(settings, start, rounds, [warm_up, epochs]))
    }

    fn compute(&mut self) {
        self.computed = THREADS.map(|threads| self.on(threads)).to_vec();
    }

    /// What the parts come to on so many threads.
    fn on(&self, threads: usize) -> Computed {
        let shared = self.move_ms + self.mutate_ms + self.run_ms;
        let (ahead, t) = (pairings::ahead(threads) as f64, threads as f64);
        // Of as many epochs as are drawn ahead, one shares its threads with the draws.
        let drawing = self.draw_ms.max((shared + ahead * self.draw_ms) / t);
        let epoch = (drawing + (ahead - 1.0) * shared / t) / ahead;
        let work = LOG_INTERVAL * (shared + self.draw_ms) + self.copy_ms + self.measure_ms;
        let logged = (work / t)
            .max(LOG_INTERVAL * epoch + self.copy_ms / t)
            .max(self.measure_ms / most_measurers(threads) as f64);
        Computed {
            threads,
            ms_per_epoch: epoch,
            ms_per_epoch_logged: logged / LOG_INTERVAL,
        }
    }
}

fn measure(
    settings: &Settings,
    start: &Checkpoint,
    rounds: usize,
    [warm_up, epochs]: [u64; 2],
) -> Result<Parts, Error> {
    let floor = Settings {
        max_steps: 0,
        ..settings.clone()
    };
    let still = Settings {
        mutation_prob: 0.0,
        ..floor.clone()
    };
    let streams = Streams::new(settings.seed);
    let mut pairs = match settings.world {
        World::Pairs => Some(Pairs::new(settings.num_programs)?),
        World::Zff | World::LongTape { .. } => None,
    };
    let mut copy = Checkpoint::empty();
    let mut times: [Vec<Duration>; 6] = Default::default();
    for _ in 0..rounds {
        for (times, settings) in times.iter_mut().zip([settings, &floor, &still]) {
            let mut soup = Soup::from_checkpoint(settings.clone(), start.clone(), true)?;
            soup.set_engine(Engine::Auto, &Options::default());
            let mut step = |_| {
                let _ = soup.step();
            };
            (0..warm_up).for_each(&mut step);
            times.push(timed(|| (0..epochs).for_each(&mut step)));
        }
        let soup = Soup::from_checkpoint(settings.clone(), start.clone(), true)?;
        times[3].push(timed(|| {
            if let Some(pairs) = &mut pairs {
                let first = start.epochs_done;
                (first..first + epochs).for_each(|epoch| {
                    pairs.draw(&settings.meeting, &streams, epoch);
                });
            }
        }));
        // With its memory at hand, as from the second log point on.
        copy.copy_from(&soup);
        times[4].push(timed(|| copy.copy_from(&soup)));
        times[5].push(timed(|| {
            let _ = std::hint::black_box(Measures::of(&copy.programs));
        }));
    }
    let median = |part: usize, epochs| Times::of(&times[part], epochs).median;
    let [whole, floor, still] = [0, 1, 2].map(|part| median(part, epochs));
    let draw_ms = median(3, epochs);
    let mut parts = Parts {
        draw_ms,
        move_ms: (still - draw_ms).max(0.0),
        mutate_ms: (floor - still).max(0.0),
        run_ms: (whole - floor).max(0.0),
        copy_ms: median(4, 1),
        measure_ms: median(5, 1),
        computed: Vec::new(),
    };
    parts.compute();
    Ok(parts)
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_keeps_many_threads_waiting_but_the_longest() {
        let mut parts = Parts {
            draw_ms: 0.5,
            move_ms: 1.0,
            mutate_ms: 1.0,
            run_ms: 2.0,
            copy_ms: 0.5,
            measure_ms: 12.0,
            computed: Vec::new(),
        };
        parts.compute();
        let of = |threads| {
            let found = parts.computed.iter().find(|it| it.threads == threads);
            found.expect("computed").clone()
        };
        assert_eq!(of(1).ms_per_epoch, 4.5);
        assert_eq!(of(2).ms_per_epoch, 2.25);
        assert_eq!(of(1).ms_per_epoch_logged, (64.0 * 4.5 + 12.5) / 64.0);
        // 32 epochs: one lasts as long as a draw, the others a 64th of 4 ms.
        assert_eq!(of(64).ms_per_epoch, (0.5 + 31.0 * 4.0 / 64.0) / 32.0);
        // One thread that measured all log points would take 12 ms / 64 an epoch.
        assert!(of(64).ms_per_epoch_logged < 12.0 / 64.0);
        parts.measure_ms = 1e3;
        parts.compute();
        assert!(parts.on(64).ms_per_epoch_logged >= 1e3 / 32.0 / 64.0);
    }
}
