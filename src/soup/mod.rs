//! The soup: its programs, and how one epoch follows another.

pub mod checkpoint;
pub mod interaction;
pub(crate) mod memory;
mod mutation;
pub mod pairing;
pub mod settings;
mod shared;
pub mod tokens;

use std::time::Instant;

use rayon::prelude::*;

use crate::Error;
use crate::engine::jit::NativeTally;
use crate::engine::traced::{self, IN_PLACE};
use crate::engine::{Engine, Options, Runner};
use crate::language::bff::Dialect;
use crate::language::{Ended, Family, Outcome, PROGRAM_LEN, TAPE_LEN, Tape};
use crate::random::{Streams, mix};
use checkpoint::Checkpoint;
use memory::{Memory, check_memory};
use mutation::Mutation;
use pairing::Pairs;
use settings::Settings;
use shared::SharedPrograms;
use tokens::{NEW, Tokens};

/// Pairs that go through an epoch's phases together.
const BATCH: usize = 32;

/// What an epoch, or several of them, came to. Two are equal where the soups did the
/// same, whatever native code had to do with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Pairs that were run.
    pub interactions: u64,
    /// Steps that were not no-ops, over all interactions.
    pub ops: u64,
    /// Steps, over all interactions.
    pub steps: u64,
    /// How the interactions ended, in the order of [`Ended::ALL`].
    pub ended: [u64; Ended::ALL.len()],
    /// What native code had to do with it, which differs from run to run.
    pub native: NativeTally,
}

impl Tally {
    /// Count an interaction in.
    fn count(&mut self, outcome: &Outcome) {
        self.interactions += 1;
        self.ops += u64::from(outcome.ops);
        self.steps += u64::from(outcome.steps);
        self.ended[outcome.ended as usize] += 1;
    }
}

impl PartialEq for Tally {
    fn eq(&self, other: &Tally) -> bool {
        let counts = |tally: &Tally| (tally.interactions, tally.ops, tally.steps, tally.ended);
        counts(self) == counts(other)
    }
}

impl Eq for Tally {}

impl std::ops::Add for Tally {
    type Output = Tally;

    fn add(mut self, other: Tally) -> Tally {
        self.interactions += other.interactions;
        self.ops += other.ops;
        self.steps += other.steps;
        for (count, more) in self.ended.iter_mut().zip(other.ended) {
            *count += more;
        }
        self.native = self.native + other.native;
        self
    }
}

impl std::ops::Sub for Tally {
    type Output = Tally;

    fn sub(mut self, other: Tally) -> Tally {
        self.interactions -= other.interactions;
        self.ops -= other.ops;
        self.steps -= other.steps;
        for (count, less) in self.ended.iter_mut().zip(other.ended) {
            *count -= less;
        }
        self.native = self.native - other.native;
        self
    }
}

/// A soup of programs, its settings and the number of epochs done.
///
/// What its programs are is a function of the settings and of the number of
/// epochs done alone; the number of threads and the engine change nothing.
/// Work is spread over the rayon thread pool it is called in.
///
/// ```
/// use broth::measure::Measures;
/// use broth::{Settings, Soup};
///
/// let settings = Settings {
///     num_programs: 1024,
///     seed: 7,
///     ..Settings::default()
/// };
/// let mut soup = Soup::new(settings)?;
/// for _ in 0..16 {
///     soup.step();
/// }
/// let measures = Measures::of(soup.programs());
/// assert_eq!(soup.epochs_done(), 16);
/// assert!(measures.byte_entropy > 7.9); // bits; random bytes have 8
/// assert!(measures.high_order_entropy < 0.1);
/// # Ok::<(), broth::Error>(())
/// ```
#[derive(Debug)]
pub struct Soup {
    settings: Settings,
    streams: Streams,
    mutation: Mutation,
    runner: Runner,
    programs: Memory,
    epochs_done: u64,
    /// Number of the next reset, counted from 1; the first soup was number 0.
    next_reset: u64,
    /// Set where the last epoch calls for a reset that has not been done yet.
    reset_due: bool,
    /// The pairs of the next epoch, where they are known already.
    next_pairs: Pairs,
    spare_pairs: Pairs,
    /// The tracer tokens, where bytes carry some.
    tokens: Option<Tokens>,
}

impl Soup {
    /// The first soup that `settings` describe.
    pub fn new(settings: Settings) -> Result<Soup, Error> {
        settings.check()?;
        let mut soup = Soup::zeroed(settings)?;
        soup.refill(0);
        let initial = &soup.settings.initial_program;
        soup.programs[..initial.len()].copy_from_slice(initial);
        Ok(soup)
    }

    /// The soup that a checkpoint holds; its number of programs must be that
    /// of `settings`.
    ///
    /// Where the checkpoint's last epoch was one with a reset, that reset is
    /// taken as due if `reset_pending`, as a run that goes on must, or as
    /// forgotten, as cubff's `--load` does.
    pub fn from_checkpoint(
        settings: Settings,
        checkpoint: Checkpoint,
        reset_pending: bool,
    ) -> Result<Soup, Error> {
        settings.check()?;
        let num_programs = checkpoint.programs.len() / PROGRAM_LEN;
        if num_programs != settings.num_programs {
            return Err(Error::Usage(format!(
                "the checkpoint holds {num_programs} programs, the settings ask for {}",
                settings.num_programs
            )));
        }
        let mut soup = Soup::zeroed(settings)?;
        soup.programs.copy_from_slice(&checkpoint.programs);
        soup.epochs_done = checkpoint.epochs_done;
        soup.next_reset = checkpoint.next_reset;
        soup.reset_due = reset_pending
            && match checkpoint.epochs_done.checked_sub(1) {
                Some(epoch) => soup.settings.resets_after(epoch),
                None => false,
            };
        if let Some(tokens) = &checkpoint.tokens {
            soup.trace()?;
            if let Some(own) = &mut soup.tokens {
                own.set(tokens);
            }
        }
        Ok(soup)
    }

    fn zeroed(settings: Settings) -> Result<Soup, Error> {
        let n = settings.num_programs;
        check_memory(n)?;
        Ok(Soup {
            programs: Memory::zeroed(n, PROGRAM_LEN)?,
            streams: Streams::new(settings.seed),
            mutation: Mutation::new(settings.mutation_prob),
            runner: Engine::Reference.runner(settings.language, &Options::default()),
            epochs_done: 0,
            next_reset: 1,
            reset_due: false,
            next_pairs: Pairs::new(n)?,
            spare_pairs: Pairs::new(n)?,
            tokens: None,
            settings,
        })
    }

    /// Run tapes with `engine` from now on; this changes the speed only.
    pub fn set_engine(&mut self, engine: Engine, options: &Options) {
        self.runner = engine.runner(self.settings.language, options);
    }

    /// What runs the tapes.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// See [`Soup::runner`].
    pub fn runner_mut(&mut self) -> &mut Runner {
        &mut self.runner
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The programs' bytes, one program behind the other, as they stand after
    /// the last epoch (and before a reset that follows it).
    pub fn programs(&self) -> &[u8] {
        &self.programs
    }

    /// Epochs done so far.
    pub fn epochs_done(&self) -> u64 {
        self.epochs_done
    }

    /// Number of the next reset, counted from 1.
    pub fn next_reset(&self) -> u64 {
        self.next_reset
    }

    /// Have every byte carry a tracer token from now on, each a new one. That changes no
    /// byte, and is slower: tapes are run by an engine that follows every copy. Only the BFF
    /// family has copies to follow.
    pub fn trace(&mut self) -> Result<(), Error> {
        if self.dialect().is_none() {
            return Err(Error::Usage(format!(
                "--tracers: tokens are carried by the copies of the BFF family, and {} has \
                 none; leave --tracers out or choose another --lang",
                self.settings.language
            )));
        }
        let tokens = Tokens::new(self.settings.num_programs, self.epochs_done)?;
        self.tokens = Some(tokens);
        Ok(())
    }

    /// The tracer tokens, where bytes carry some.
    pub fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    fn dialect(&self) -> Option<&'static Dialect> {
        match &self.settings.language.family {
            Family::Bff(dialect) => Some(dialect),
            _ => None,
        }
    }

    /// Do the reset that is due, which the next epoch would begin with.
    pub fn reset_if_due(&mut self) {
        if std::mem::take(&mut self.reset_due) {
            self.refill(self.next_reset);
            self.next_reset += 1;
            if let Some(tokens) = &mut self.tokens {
                tokens.renew(self.epochs_done);
            }
        }
    }

    /// Do one epoch: the reset that is due, then pair, mutate and run.
    pub fn step(&mut self) -> Tally {
        self.reset_if_due();
        let epoch = self.epochs_done;
        let dialect = self.dialect();
        let (settings, streams) = (&self.settings, self.streams);
        let (pairs, spare) = (&mut self.next_pairs, &mut self.spare_pairs);
        if pairs.epoch() != Some(epoch) {
            pairs.draw(settings, &streams, epoch);
        }
        let shared = SharedPrograms::new(&mut self.programs, pairs);
        let (runner, mutation) = (&self.runner, self.mutation);
        let tokens = &mut self.tokens;
        let first = first_stream(settings, &streams, epoch);
        let begun = Instant::now();
        // The next epoch's pairing depends on the seed alone: it is drawn by
        // one thread while the others run this epoch's tapes.
        let (tally, ()) = rayon::join(
            || match (dialect, tokens) {
                (Some(dialect), Some(tokens)) => {
                    let (steps, origins) = (settings.max_steps, &mut tokens.origins);
                    let tally = interact_traced(dialect, first, mutation, steps, &shared, origins);
                    tokens.advance(shared.pairs(), epoch);
                    tally
                }
                _ => interact(first, runner, mutation, settings.max_steps, &shared),
            },
            || spare.draw(settings, &streams, epoch + 1),
        );
        self.runner.between_epochs(begun.elapsed());
        std::mem::swap(&mut self.next_pairs, &mut self.spare_pairs);
        self.epochs_done += 1;
        self.reset_due = self.settings.resets_after(epoch);
        tally
    }

    /// Fill the soup as reset number `reset` does; the first soup is number 0.
    fn refill(&mut self, reset: u64) {
        if self.settings.zero_init {
            self.programs.fill(0);
            return;
        }
        const CHUNK: usize = 1 << 16;
        let first = (self.programs.len() as u64).wrapping_mul(self.streams.key(reset));
        let chunks = self.programs.par_chunks_mut(CHUNK).enumerate();
        chunks.for_each(|(chunk, bytes)| {
            let first = first.wrapping_add((chunk * CHUNK) as u64);
            for (j, byte) in bytes.iter_mut().enumerate() {
                *byte = mix(first.wrapping_add(j as u64)) as u8;
            }
        });
    }
}

/// Programs of tapes in one cache line each.
#[repr(align(64))]
struct CacheLines([Tape; BATCH]);

/// What the streams of an epoch's tapes are counted from.
fn first_stream(settings: &Settings, streams: &Streams, epoch: u64) -> u64 {
    (settings.num_programs as u64).wrapping_mul(streams.key(epoch))
}

/// The stream that mutates pair number `pair`, and those behind it.
fn stream_of(first: u64, pair: usize) -> u64 {
    first
        .wrapping_add(pair as u64)
        .wrapping_mul(TAPE_LEN as u64)
}

/// Mutate and run every pair of an epoch, on all threads.
fn interact(
    first: u64,
    runner: &Runner,
    mutation: Mutation,
    max_steps: u32,
    programs: &SharedPrograms<'_>,
) -> Tally {
    let interacting = programs.pairs().interacting();
    let len = programs.pairs().len();
    (0..len.div_ceil(BATCH))
        .into_par_iter()
        .with_min_len(4)
        .map(|batch| {
            let pairs = batch * BATCH..len.min((batch + 1) * BATCH);
            // In phases: what waits for memory waits for all tapes at once.
            let CacheLines(tapes) = &mut CacheLines([[0; TAPE_LEN]; BATCH]);
            // SAFETY: the pairs of this batch are this call's alone, and it is one thread's.
            unsafe { programs.load(pairs.clone(), tapes) };
            // As many programs are asked for at once as can be under way.
            let next = pairs.end..(pairs.end + BATCH).min(len);
            let middle = (pairs.end + BATCH / 2).min(len);
            programs.prefetch(next.start..middle);
            mutation.apply(&mut tapes[..pairs.len()], stream_of(first, pairs.start));
            let running = pairs.end.min(interacting).saturating_sub(pairs.start);
            let mut outcomes = [Outcome::default(); BATCH];
            programs.prefetch(middle..next.end);
            let native = runner.run_all(&mut tapes[..running], max_steps, &mut outcomes);
            let mut tally = Tally {
                native,
                ..Tally::default()
            };
            for outcome in &outcomes[..running] {
                tally.count(outcome);
            }
            // SAFETY: as above.
            unsafe { programs.store(pairs, tapes) };
            tally
        })
        .reduce(Tally::default, |a, b| a + b)
}

/// As [`interact`], and tell where the bytes of each pair came from.
fn interact_traced(
    dialect: &Dialect,
    first: u64,
    mutation: Mutation,
    max_steps: u32,
    programs: &SharedPrograms<'_>,
    origins: &mut [traced::Origins],
) -> Tally {
    let interacting = programs.pairs().interacting();
    origins
        .par_chunks_mut(BATCH)
        .enumerate()
        .with_min_len(4)
        .map(|(batch, origins)| {
            let pairs = batch * BATCH..batch * BATCH + origins.len();
            let CacheLines(tapes) = &mut CacheLines([[0; TAPE_LEN]; BATCH]);
            // SAFETY: the pairs of this batch are this call's alone, and it is one thread's.
            unsafe { programs.load(pairs.clone(), tapes) };
            origins.fill(IN_PLACE);
            let stream = stream_of(first, pairs.start);
            mutation.apply_and_tell(&mut tapes[..pairs.len()], stream, |pair, place| {
                origins[pair][place] = (NEW + place) as u8;
            });
            let mut tally = Tally::default();
            for ((pair, tape), origins) in pairs.clone().zip(&mut *tapes).zip(origins) {
                if pair < interacting {
                    tally.count(&traced::run(dialect, tape, origins, max_steps));
                }
            }
            // SAFETY: as above.
            unsafe { programs.store(pairs, tapes) };
            tally
        })
        .reduce(Tally::default, |a, b| a + b)
}
