//! A block: tapes that are run together by every engine and compared, one batch after the other,
//! as a soup has them run.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::case::Case;
use super::draw::Draw;
use super::engines::{Fault, Setup, Subject, TURNS, has_native_code, interpreters, learn};
use super::exercise::{Exercise, NOTED_EVERY};
use super::grown;
use super::tapes::{Bytes, any_bytes, limit, mutate, of_density};
use crate::engine::{Engine, Notes, Runner, observed, reference};
use crate::language::{Language, Outcome, PROGRAM_LEN, TAPE_LEN, Tape};

/// Tapes of a batch, as many as a soup has in one.
pub(super) const BATCH: usize = 32;

/// Tapes, and what is tried with them.
#[derive(Debug)]
pub struct Block {
    language: &'static Language,
    tapes: Vec<Tape>,
    /// For each batch, a limit of steps, and whether it is run once more with a lower one.
    batches: Vec<(u32, bool)>,
    /// Tapes of which native code is made, by number.
    learnt: Vec<usize>,
    /// The engine with native code.
    native: Option<Setup>,
    draw: Draw,
}

/// Engines of a worker that serve every block of a language.
#[derive(Debug)]
pub struct Interpreters {
    usual: Vec<Subject>,
    plain: Vec<Subject>,
    observed: Option<Runner>,
}

impl Interpreters {
    /// Those of `language`, if the interpreter is among `engines`.
    pub fn new(language: &'static Language, engines: &[Engine]) -> Interpreters {
        let is_wanted = engines.contains(&Engine::Interpreter);
        let all = |closed_forms| match is_wanted {
            true => interpreters(language, closed_forms),
            false => Vec::new(),
        };
        Interpreters {
            usual: all(true),
            plain: all(false),
            observed: is_wanted.then(|| observed(language)).flatten(),
        }
    }

    /// Those that run a batch of this number: the widths take turns, since the engine with native
    /// code is the widest, too; and now and then one without closed forms.
    fn of_batch(&self, batch: usize, draw: &mut Draw) -> Vec<&Subject> {
        let mut all = Vec::new();
        if !self.usual.is_empty() {
            all.push(&self.usual[batch % self.usual.len()]);
        }
        if !self.plain.is_empty() && draw.one_in(PLAIN_EVERY) {
            all.push(&self.plain[draw.below(self.plain.len())]);
        }
        all
    }
}

/// What came of a block.
#[derive(Debug, Default)]
pub struct Done {
    /// Runs of tapes that were compared, each with every engine in turn.
    pub interactions: u64,
    /// Steps of them.
    pub steps: u64,
    /// Runs by engines other than the reference engine.
    pub comparisons: u64,
    /// The time that the reference engine took.
    pub reference_time: Duration,
    /// What engines did.
    pub exercise: Exercise,
    /// Runs in soups that came alive.
    pub living_interactions: u64,
    /// Where one differs.
    pub case: Option<Case>,
    /// What differs, where that is a whole soup.
    pub soup_differs: Option<String>,
}

impl Done {
    /// Add what came of another one.
    pub fn add(&mut self, other: Done) {
        self.interactions += other.interactions;
        self.steps += other.steps;
        self.comparisons += other.comparisons;
        self.reference_time += other.reference_time;
        self.living_interactions += other.living_interactions;
        self.exercise.add(other.exercise);
        self.case = self.case.take().or(other.case);
        self.soup_differs = self.soup_differs.take().or(other.soup_differs);
    }
}

/// Batches of blocks.
const RANDOM: usize = 2048;
const GROWN: usize = 320;
const OF_PROGRAMS: usize = 64;
/// Tapes that native code is made of, of a grown block, and batches of mutants of each.
const LEARNT: usize = 3;
const MUTANTS: usize = 16;
/// Of so many batches one is run without closed forms, too.
const PLAIN_EVERY: usize = 64;

impl Block {
    /// Tapes of a block of random bytes.
    pub const RANDOM: u64 = (RANDOM * BATCH) as u64;
    /// Those of one that is grown.
    pub const GROWN: u64 = (GROWN * BATCH) as u64;
    /// Those of one of programs.
    pub const OF_PROGRAMS: u64 = (OF_PROGRAMS * BATCH) as u64;

    /// A block of random bytes, most of them as a soup begins, some with denser ops.
    pub fn random(language: &'static Language, engines: &[Engine], mut draw: Draw) -> Block {
        // One batch of so many is of dense ops.
        const DENSE: usize = 64;
        // These are mutants of one tape, of which native code is made.
        const FAMILY: Range<usize> = 1..9;
        let bytes = Bytes::of(language);
        let mut tapes = Vec::with_capacity(RANDOM * BATCH);
        let mut learnt = Vec::new();
        for batch in 0..RANDOM {
            if batch == FAMILY.start {
                learnt.push(tapes.len());
                let first = of_density(&bytes, &mut draw);
                add_family(&bytes, first, FAMILY.len() * BATCH, &mut tapes, &mut draw);
            } else if batch % DENSE == 0 {
                tapes.extend((0..BATCH).map(|_| of_density(&bytes, &mut draw)));
            } else if !FAMILY.contains(&batch) {
                tapes.extend((0..BATCH).map(|_| any_bytes(&mut draw)));
            }
        }
        let batches = (0..RANDOM).map(|batch| {
            if batch % DENSE == 0 || FAMILY.contains(&batch) {
                (limit(&mut draw), true)
            } else if draw.one_in(5) {
                (language.max_steps, false)
            } else {
                // Most steps of random tapes are those of a few that never end.
                (draw.between(1, 600) as u32, false)
            }
        });
        let batches = batches.collect();
        Block::of(language, engines, (tapes, batches, learnt), draw)
    }

    /// A block grown around loops: each batch has mutants of one tape.
    pub fn grown(language: &'static Language, engines: &[Engine], mut draw: Draw) -> Block {
        let bytes = Bytes::of(language);
        let mut tapes = Vec::with_capacity(GROWN * BATCH);
        for family in 0..GROWN - LEARNT * (MUTANTS - 1) {
            let first = grown::tape(language, &bytes, &mut draw);
            let batches = if family < LEARNT { MUTANTS } else { 1 };
            add_family(&bytes, first, batches * BATCH, &mut tapes, &mut draw);
        }
        let batches = (0..GROWN).map(|_| (limit(&mut draw), true)).collect();
        let learnt = (0..LEARNT).map(|family| family * MUTANTS * BATCH);
        let learnt = learnt.collect();
        Block::of(language, engines, (tapes, batches, learnt), draw)
    }

    /// A block of pairs of these `programs`, some mutated, some as they are.
    pub fn of_programs(
        language: &'static Language,
        engines: &[Engine],
        programs: &[u8],
        mut draw: Draw,
    ) -> Block {
        let bytes = Bytes::of(language);
        let (programs, _) = programs.as_chunks::<PROGRAM_LEN>();
        let mut tapes = Vec::with_capacity(OF_PROGRAMS * BATCH);
        for _ in 0..OF_PROGRAMS * BATCH {
            let mut tape = [0; TAPE_LEN];
            let (halves, _) = tape.as_chunks_mut::<PROGRAM_LEN>();
            for half in halves {
                *half = draw.of(programs);
            }
            if draw.one_in(2) {
                mutate(&bytes, &mut tape, &mut draw);
            }
            tapes.push(tape);
        }
        let limits = (0..OF_PROGRAMS).map(|_| match draw.one_in(4) {
            true => (limit(&mut draw), true),
            false => (language.max_steps, draw.one_in(4)),
        });
        let limits = limits.collect();
        let learnt = vec![0, BATCH];
        Block::of(language, engines, (tapes, limits, learnt), draw)
    }

    fn of(
        language: &'static Language,
        engines: &[Engine],
        (tapes, batches, learnt): (Vec<Tape>, Vec<(u32, bool)>, Vec<usize>),
        mut draw: Draw,
    ) -> Block {
        let native: Vec<Engine> = [Engine::Jit, Engine::Jit, Engine::Auto]
            .into_iter()
            .filter(|engine| engines.contains(engine) && has_native_code(language))
            .collect();
        let native = match native[..] {
            [] => None,
            _ => Some(Setup::drawn(draw.of(&native), &mut draw)),
        };
        Block {
            language,
            tapes,
            batches,
            learnt,
            native,
            draw,
        }
    }

    /// Run and compare everything, up to the first tape that differs.
    pub fn run(mut self, interpreters: &Interpreters, fault: Option<Fault>) -> Done {
        let mut done = Done::default();
        let native = self.learn(&mut done.exercise);
        // Whatever the thread noted before is nothing of this block's.
        Notes::of_thread();
        for batch in 0..self.batches.len() {
            let (limit, twice) = self.batches[batch];
            let mut limits = vec![limit];
            let mut subjects = interpreters.of_batch(batch, &mut self.draw);
            subjects.extend(&native);
            while let Some(max_steps) = limits.pop() {
                let tapes = &self.tapes[batch * BATCH..(batch + 1) * BATCH];
                let expected = Expected::of(self.language, tapes, max_steps, &mut done);
                if twice && max_steps == limit {
                    limits.extend(
                        expected
                            .lower_limit(&mut self.draw)
                            .filter(|it| *it != limit),
                    );
                }
                for subject in &subjects {
                    let differs = expected.compare(&subject.runner, fault, &mut done);
                    if let Some(which) = differs {
                        done.case = Some(Case {
                            language: self.language,
                            learns_itself: false,
                            setup: subject.setup.clone(),
                            max_steps,
                            learnt: self.learnt_for(&subject.setup),
                            tapes: tapes.to_vec(),
                            which,
                        });
                        return done;
                    }
                }
                if batch.is_multiple_of(NOTED_EVERY)
                    && let Some(observed) = &interpreters.observed
                {
                    expected.compare(observed, None, &mut done);
                }
            }
        }
        if let Some(subject) = &native {
            done.exercise.add_cache(&subject.runner.cache_tally());
        }
        done.exercise.add_notes(Notes::of_thread());
        done
    }

    /// Tapes, and limits, of which the native code of a block is made.
    fn learnt_for(&self, setup: &Setup) -> Vec<(Tape, u32)> {
        if setup.engine == Engine::Interpreter {
            return Vec::new();
        }
        let learnt = self.learnt.iter();
        learnt
            .map(|tape| (self.tapes[*tape], self.batches[*tape / BATCH].0.max(1000)))
            .collect()
    }

    /// The engine with native code, once it has made that of some tapes.
    fn learn(&self, exercise: &mut Exercise) -> Option<Subject> {
        let setup = self.native.clone()?;
        let learnt = self.learnt_for(&setup);
        let mut subject = Subject::new(setup, self.language)?;
        exercise.native = exercise.native + learn(&mut subject.runner, &learnt, TURNS);
        Some(subject)
    }
}

/// A tape and its mutants, so many in all.
fn add_family(bytes: &Bytes, first: Tape, count: usize, tapes: &mut Vec<Tape>, draw: &mut Draw) {
    tapes.push(first);
    for _ in 1..count {
        let mut tape = first;
        for _ in 0..draw.of(&[1, 1, 2, 3]) {
            mutate(bytes, &mut tape, draw);
        }
        tapes.push(tape);
    }
}

/// What a batch must come to.
struct Expected<'a> {
    before: &'a [Tape],
    max_steps: u32,
    after: [Tape; BATCH],
    outcomes: [Outcome; BATCH],
}

impl<'a> Expected<'a> {
    fn of(
        language: &'static Language,
        tapes: &'a [Tape],
        max_steps: u32,
        done: &mut Done,
    ) -> Expected<'a> {
        let mut expected = Expected {
            before: tapes,
            max_steps,
            after: [[0; TAPE_LEN]; BATCH],
            outcomes: [Outcome::default(); BATCH],
        };
        let begun = Instant::now();
        for ((then, outcome), tape) in expected
            .after
            .iter_mut()
            .zip(&mut expected.outcomes)
            .zip(tapes)
        {
            *then = *tape;
            *outcome = reference::run(language, then, max_steps);
        }
        done.reference_time += begun.elapsed();
        done.interactions += tapes.len() as u64;
        for outcome in &expected.outcomes[..tapes.len()] {
            done.steps += u64::from(outcome.steps);
            done.exercise.ended[outcome.ended as usize] += 1;
        }
        expected
    }

    /// The first tape that `runner` runs to something else.
    fn compare(&self, runner: &Runner, fault: Option<Fault>, done: &mut Done) -> Option<usize> {
        let count = self.before.len();
        let mut tapes = [[0; TAPE_LEN]; BATCH];
        tapes[..count].copy_from_slice(self.before);
        let mut outcomes = [Outcome::default(); BATCH];
        done.comparisons += count as u64;
        let run = || runner.run_all(&mut tapes[..count], self.max_steps, &mut outcomes);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(native) => done.exercise.native = done.exercise.native + native,
            Err(_) => return Some(self.first_to_panic(runner)),
        }
        if let Some(fault) = fault {
            for (which, tape) in self.before.iter().enumerate() {
                fault(
                    tape,
                    self.max_steps,
                    &mut tapes[which],
                    &mut outcomes[which],
                );
            }
        }
        let are_alike =
            tapes[..count] == self.after[..count] && outcomes[..count] == self.outcomes[..count];
        if are_alike {
            return None;
        }
        let differs = |which: &usize| {
            tapes[*which] != self.after[*which] || outcomes[*which] != self.outcomes[*which]
        };
        (0..count).find(differs)
    }

    /// The tape that `runner` panics at.
    fn first_to_panic(&self, runner: &Runner) -> usize {
        let panics = |tape: &Tape| {
            let run = || runner.run(&mut tape.clone(), self.max_steps);
            catch_unwind(AssertUnwindSafe(run)).is_err()
        };
        self.before.iter().position(panics).unwrap_or(0)
    }

    /// A lower limit for the same tapes: where one of them ends, or anywhere before.
    fn lower_limit(&self, draw: &mut Draw) -> impl Iterator<Item = u32> + use<> {
        let steps = draw.of(&self.outcomes[..self.before.len()]).steps;
        let limit = match draw.below(4) {
            0 => steps.saturating_sub(1),
            1 => steps,
            _ => draw.below(steps as usize + 1) as u32,
        };
        (steps > 0).then_some(limit).into_iter()
    }
}
