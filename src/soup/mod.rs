//! The soup: its programs, and how one epoch follows another.

pub mod checkpoint;
pub mod interaction;
pub mod long_tape;
pub mod meeting;
mod mutation;
pub(crate) mod pairing;
pub(crate) mod pairings;
mod pairs;
pub mod seen;
pub mod settings;
mod shared;
pub mod tokens;
pub mod zff;

use rayon::prelude::*;

use crate::Error;
use crate::engine::jit::NativeTally;
use crate::engine::{Engine, Options, Runner};
use crate::language::{Ended, Family, Outcome};
use crate::memory::{Shared, check_memory};
use crate::random::{Streams, mix};
use checkpoint::Checkpoint;
use long_tape::LongTape;
use pairs::{Conditions, Meetings};
use seen::Seen;
use settings::{Settings, World};
use tokens::Tokens;
use zff::Zff;

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
    runner: Runner,
    programs: Shared,
    epochs_done: u64,
    /// Number of the next reset, counted from 1; the first soup was number 0.
    next_reset: u64,
    /// Set where the last epoch calls for a reset that has not been done yet.
    reset_due: bool,
    world: State,
    /// The tracer tokens, where bytes carry some.
    tokens: Option<Tokens>,
}

/// The bytes of a soup's programs, as they were: see [`Soup::kept_programs`].
#[derive(Clone, Debug)]
pub struct KeptPrograms(Shared);

impl std::ops::Deref for KeptPrograms {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// What a soup's world has besides programs.
#[derive(Debug)]
enum State {
    Pairs(Box<Meetings>),
    Zff(Box<Zff>),
    LongTape(LongTape),
}

impl Soup {
    /// The first soup that `settings` describe, to be run by the fastest engine.
    pub fn new(settings: Settings) -> Result<Soup, Error> {
        settings.check()?;
        let mut soup = Soup::zeroed(settings)?;
        match &mut soup.world {
            State::Zff(zff) => zff.fill(&mut soup.programs),
            State::Pairs(_) | State::LongTape(_) => soup.refill(0),
        }
        let initial = &soup.settings.initial_program;
        let first = soup.settings.initial_index * soup.settings.language.program_len;
        soup.programs[first..first + initial.len()].copy_from_slice(initial);
        Ok(soup)
    }

    /// The soup that a checkpoint holds, to be run by the fastest engine; its number of
    /// programs must be that of `settings`.
    ///
    /// Where the checkpoint's last epoch was one with a reset, that reset is
    /// taken as due if `reset_pending`, as a run that goes on must, or as
    /// forgotten, as cubff's `--load` does.
    ///
    /// A world with a random stream goes on with that of the checkpoint, which must have one.
    pub fn from_checkpoint(
        settings: Settings,
        checkpoint: Checkpoint,
        reset_pending: bool,
    ) -> Result<Soup, Error> {
        settings.check()?;
        let program_len = settings.language.program_len;
        let is_whole = checkpoint.programs.len() == settings.soup_bytes();
        if !is_whole || checkpoint.program_len != program_len {
            return Err(Error::Usage(format!(
                "the checkpoint holds {} programs of {} bytes, the settings ask for {} of \
                 {program_len}",
                checkpoint.num_programs(),
                checkpoint.program_len,
                settings.num_programs
            )));
        }
        let mut soup = Soup::zeroed(settings)?;
        if let State::Zff(zff) = &mut soup.world {
            let stream = checkpoint.stream.ok_or_else(|| {
                Error::Setting(
                    "a soup of `world` zff continues its random stream, which is in the \
                     checkpoint's sidecar, and it has none; take the checkpoint from its run \
                     folder, its sidecar beside it"
                        .into(),
                )
            })?;
            zff.go_on_from(stream);
        }
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
        let (n, program_len) = (settings.num_programs, settings.language.program_len);
        check_memory(n, program_len)?;
        Ok(Soup {
            programs: Shared::zeroed(n, program_len)?,
            streams: Streams::new(settings.seed),
            world: match settings.world {
                World::Pairs => State::Pairs(Box::new(Meetings::new(&settings)?)),
                World::Zff => State::Zff(Box::new(Zff::new(settings.seed))),
                World::LongTape { head_offset } => {
                    State::LongTape(LongTape::new(long_tape::Rules {
                        language: settings.language,
                        head_offset,
                        max_steps: settings.max_steps,
                        mutation_prob: settings.mutation_prob,
                    }))
                }
            },
            runner: Engine::Auto.runner(settings.language, &Options::default()),
            epochs_done: 0,
            next_reset: 1,
            reset_due: false,
            tokens: None,
            settings,
        })
    }

    /// Run tapes with `engine` from now on; this changes the speed only.
    pub fn set_engine(&mut self, engine: Engine, options: &Options) {
        self.runner = engine.runner(self.settings.language, options);
    }

    /// As [`Soup::set_engine`], by what is ready already.
    #[cfg(feature = "run")]
    pub(crate) fn set_runner(&mut self, runner: Runner) {
        self.runner = runner;
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

    /// The programs as [`Soup::programs`], to be kept: as they are now, whatever becomes of the
    /// soup. That copies nothing; the soup goes on with a copy of its own if it changes while
    /// they are kept.
    ///
    /// ```
    /// # use broth::{Settings, Soup};
    /// # let mut soup = Soup::new(Settings { num_programs: 64, ..Settings::default() })?;
    /// let before = soup.kept_programs();
    /// soup.step();
    /// assert_ne!(*before, *soup.programs());
    /// # Ok::<(), broth::Error>(())
    /// ```
    pub fn kept_programs(&self) -> KeptPrograms {
        KeptPrograms(self.programs.clone())
    }

    /// Make the copy that the soup needs to change while its programs are kept; an error where
    /// there is no memory for it, which [`Soup::step`] would panic at.
    pub fn unshare_programs(&mut self) -> Result<(), Error> {
        self.programs.unshare()
    }

    /// Replace the program at `index` by `bytes`, which must be a whole program; its tracer
    /// tokens, where bytes carry some, are new ones. A reset that is due is done before, since
    /// it would undo this.
    pub fn set_program(&mut self, index: usize, bytes: &[u8]) -> Result<(), Error> {
        let program_len = self.settings.language.program_len;
        if bytes.len() != program_len {
            return Err(Error::Usage(format!(
                "a program of {} bytes: those of {} have {program_len}",
                bytes.len(),
                self.settings.language
            )));
        }
        if index >= self.settings.num_programs {
            return Err(Error::Usage(format!(
                "program {index}: the soup has {}, counted from 0",
                self.settings.num_programs
            )));
        }
        self.reset_if_due();
        let first = index * program_len;
        self.programs[first..first + program_len].copy_from_slice(bytes);
        self.programs_were_set([index]);
        Ok(())
    }

    /// Change any programs: `change` is handed the bytes of all, one program behind the other.
    /// What the soup knows of them follows: tracer tokens, where bytes carry some, are new ones in
    /// each program that is no longer the same. A reset that is due is done before, since it would
    /// undo this.
    ///
    /// ```
    /// # use broth::{Settings, Soup};
    /// # let mut soup = Soup::new(Settings { num_programs: 64, ..Settings::default() })?;
    /// // Every other program from the one before it.
    /// soup.edit(|programs| {
    ///     for pair in programs.chunks_exact_mut(128) {
    ///         pair.copy_within(..64, 64);
    ///     }
    /// });
    /// assert_eq!(soup.programs()[..64], soup.programs()[64..128]);
    /// # Ok::<(), broth::Error>(())
    /// ```
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut [u8]) -> T) -> T {
        self.reset_if_due();
        let before = self.tokens.as_ref().map(|_| self.programs.to_vec());
        let result = change(&mut self.programs);
        let program_len = self.settings.language.program_len;
        let before = before.unwrap_or_default();
        let pairs = before
            .chunks_exact(program_len)
            .zip(self.programs.chunks_exact(program_len));
        let changed: Vec<usize> = pairs
            .enumerate()
            .filter(|(_, (before, now))| before != now)
            .map(|(index, _)| index)
            .collect();
        self.programs_were_set(changed);
        result
    }

    /// Bring in order what is known besides their bytes of these programs, which were replaced.
    fn programs_were_set(&mut self, indices: impl IntoIterator<Item = usize>) {
        if let State::LongTape(tape) = &mut self.world {
            tape.forget();
        }
        if let Some(tokens) = &mut self.tokens {
            for index in indices {
                tokens.renew_program(index, self.epochs_done);
            }
        }
    }

    /// Epochs done so far.
    pub fn epochs_done(&self) -> u64 {
        self.epochs_done
    }

    /// Number of the next reset, counted from 1.
    pub fn next_reset(&self) -> u64 {
        self.next_reset
    }

    /// Where the world's random stream stands, in a world that has one.
    pub fn stream(&self) -> Option<u64> {
        match &self.world {
            State::Zff(zff) => Some(zff.stream()),
            State::Pairs(_) | State::LongTape(_) => None,
        }
    }

    /// Have every byte carry a tracer token from now on, each a new one. That changes no
    /// byte, and is slower: tapes are run by an engine that follows every copy. Only the BFF
    /// family has copies to follow.
    pub fn trace(&mut self) -> Result<(), Error> {
        if !matches!(self.settings.language.family, Family::Bff(_)) {
            return Err(Error::Setting(format!(
                "`tracers`: tokens are carried by the copies of the BFF family, and {} has \
                 none; leave `tracers` out or choose another `language`",
                self.settings.language
            )));
        }
        if self.settings.world != World::Pairs {
            return Err(Error::Setting(format!(
                "`tracers`: tokens are carried from pair to pair, and `world` {} has none; \
                 leave `tracers` out",
                self.settings.world.name()
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

    /// Do one epoch: the reset that is due, then what the world's epoch is; in pairs: pair,
    /// mutate and run.
    pub fn step(&mut self) -> Tally {
        self.reset_if_due();
        let epoch = self.epochs_done;
        let (settings, streams, programs) = (&self.settings, &self.streams, &mut self.programs);
        let tally = match &mut self.world {
            State::Pairs(meetings) => {
                let conditions = Conditions {
                    settings,
                    streams,
                    runner: &self.runner,
                };
                let (tally, time) = meetings.step(epoch, conditions, programs, &mut self.tokens);
                self.runner.safepoint(time);
                tally
            }
            State::Zff(zff) => {
                let chances = (settings.max_steps, settings.mutation_prob);
                zff.step(chances, &self.runner, programs, |_| ())
            }
            State::LongTape(tape) => {
                let by_reference = self.runner.is_reference();
                tape.step(epoch, streams, by_reference, programs)
            }
        };
        self.end_epoch();
        tally
    }

    /// As [`Soup::step`], and have `see` look at every interaction, on any thread and in any
    /// order; answers with what it says of each, in the order of the pairs, too. The soup becomes
    /// the same; that takes longer. An error where [`Settings::check_interactions`] says so, and where bytes carry
    /// tracer tokens.
    pub fn step_and_see<T: Send>(
        &mut self,
        see: impl Fn(&Seen<'_>) -> T + Sync,
    ) -> Result<(Tally, Vec<T>), Error> {
        self.settings.check_interactions()?;
        if self.tokens.is_some() {
            return Err(Error::Setting(
                "`tracers`: interactions are seen where bytes carry no tokens; leave it out".into(),
            ));
        }
        self.reset_if_due();
        let (settings, programs) = (&self.settings, &mut self.programs);
        let seen = match &mut self.world {
            State::Pairs(meetings) => {
                let conditions = Conditions {
                    settings,
                    streams: &self.streams,
                    runner: &self.runner,
                };
                let (seen, time) =
                    meetings.step_and_see(self.epochs_done, conditions, programs, see);
                self.runner.safepoint(time);
                seen
            }
            State::Zff(zff) => {
                let chances = (settings.max_steps, settings.mutation_prob);
                zff.step_and_see(chances, &self.runner, programs, see)
            }
            // Refused above.
            State::LongTape(_) => return Ok((Tally::default(), Vec::new())),
        };
        self.end_epoch();
        Ok(seen)
    }

    fn end_epoch(&mut self) {
        self.reset_due = self.settings.resets_after(self.epochs_done);
        self.epochs_done += 1;
    }

    /// Fill the soup as reset number `reset` does; the first soup is number 0.
    fn refill(&mut self, reset: u64) {
        if let State::LongTape(tape) = &mut self.world {
            tape.forget();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff::BFF_NOHEADS;

    /// Each world, and one with tokens and resets.
    fn soups() -> Vec<Soup> {
        let of = |world, reset_interval| {
            let language = match world {
                World::Zff => &crate::language::machine::Z80_ZFF,
                _ => &BFF_NOHEADS,
            };
            let usual = Settings::usual(language, world);
            let num_programs = match world {
                World::Zff => usual.num_programs,
                _ => 64,
            };
            Soup::new(Settings {
                num_programs,
                reset_interval,
                ..usual
            })
            .unwrap()
        };
        let mut traced = of(World::Pairs, Some(2));
        traced.trace().unwrap();
        vec![
            traced,
            of(World::Zff, None),
            of(World::LongTape { head_offset: 0 }, None),
        ]
    }

    /// The same soup, run by the reference engine.
    fn twin(soup: &Soup) -> Soup {
        let mut checkpoint = Checkpoint::empty();
        checkpoint.copy_all_from(soup);
        let settings = soup.settings().clone();
        let mut plain = Soup::from_checkpoint(settings, checkpoint, true).unwrap();
        plain.set_engine(Engine::Reference, &Options::default());
        plain
    }

    #[test]
    fn a_program_that_is_set_lives_on_by_every_engine() {
        for mut fast in soups() {
            let mut plain = twin(&fast);
            let program_len = fast.settings().language.program_len;
            for epoch in 0..6 {
                assert_eq!(fast.step(), plain.step());
                let program = vec![b"[.>]+-,{"[epoch]; program_len];
                for soup in [&mut fast, &mut plain] {
                    soup.set_program(5, &program).unwrap();
                    assert_eq!(soup.programs()[5 * program_len..6 * program_len], program);
                }
                assert!(fast.programs() == plain.programs());
                let [tokens, others] =
                    [&fast, &plain].map(|it| Some(it.tokens()?.whole(it.programs())));
                assert!(tokens == others);
                let new = |token: &u64| token >> 40 == epoch as u64 + 1;
                let is_new = |tokens: Vec<u64>| tokens[5 * 64..6 * 64].iter().all(new);
                assert!(tokens.is_none_or(is_new), "epoch {epoch}");
            }
        }
    }

    #[test]
    fn programs_that_are_edited_live_on_by_every_engine() {
        for mut fast in soups() {
            let mut plain = twin(&fast);
            let program_len = fast.settings().language.program_len;
            for epoch in 0..4 {
                assert_eq!(fast.step(), plain.step());
                for soup in [&mut fast, &mut plain] {
                    let before = soup.programs()[..2 * program_len].to_vec();
                    soup.edit(|programs| {
                        programs[2 * program_len..4 * program_len].copy_from_slice(&before);
                    });
                    assert_eq!(
                        soup.programs()[2 * program_len..][..2 * program_len],
                        before
                    );
                }
                assert!(fast.programs() == plain.programs());
                let [tokens, others] =
                    [&fast, &plain].map(|it| Some(it.tokens()?.whole(it.programs())));
                assert!(tokens == others);
                let Some(tokens) = tokens else { continue };
                let is_new = |program: usize| {
                    let mut own = tokens[program * 64..][..64].iter();
                    own.all(|token| token >> 40 == epoch + 1)
                };
                // After every other epoch all tokens are those of a reset.
                assert!(
                    is_new(2) && is_new(3) && is_new(5) == (epoch % 2 == 0),
                    "{epoch}"
                );
                // What is as it was keeps its tokens.
                plain.edit(|_| ());
                assert!(plain.tokens().unwrap().whole(plain.programs()) == tokens);
            }
        }
    }

    #[test]
    fn programs_that_are_kept_stay_as_they_are() {
        for mut soup in soups() {
            let mut alone = twin(&soup);
            let mut kept = vec![soup.kept_programs()];
            assert_eq!(kept[0].as_ptr(), soup.programs().as_ptr());
            for _ in 0..4 {
                let was = soup.programs().to_vec();
                soup.step();
                alone.step();
                assert!(soup.programs() == alone.programs());
                assert!(*kept[kept.len() - 1] == was);
                kept.push(soup.kept_programs());
            }
            soup.unshare_programs().unwrap();
            assert!(soup.programs() == &*kept[4]);
            let (at, last) = (soup.programs().as_ptr(), kept.pop());
            soup.step();
            assert_eq!(soup.programs().as_ptr(), at);
            drop(soup);
            assert!(last.is_some_and(|last| *last != *kept[3]));
        }
    }

    #[test]
    fn any_program_can_be_planted() {
        for index in [0, 1, 63] {
            let settings = |initial_program: &[u8]| Settings {
                num_programs: 64,
                initial_program: initial_program.to_vec(),
                initial_index: if initial_program.is_empty() { 0 } else { index },
                ..Settings::default()
            };
            let planted = Soup::new(settings(b"[[{.>]-]")).unwrap();
            let mut expected = Soup::new(settings(b"")).unwrap().programs().to_vec();
            expected[64 * index..][..8].copy_from_slice(b"[[{.>]-]");
            assert!(planted.programs() == expected, "{index}");
        }
    }

    #[test]
    fn a_program_of_another_length_or_place_is_an_error() {
        let mut soup = soups().remove(0);
        let before = soup.programs().to_vec();
        for (index, len, hint) in [(0, 63, "63 bytes"), (0, 65, "have 64"), (64, 64, "has 64")] {
            let error = soup.set_program(index, &vec![1; len]).unwrap_err();
            assert!(
                error.is_usage() && error.to_string().contains(hint),
                "{error}"
            );
        }
        assert!(soup.programs() == before);
    }
}
