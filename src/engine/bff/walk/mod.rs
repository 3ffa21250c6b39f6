//! The interpreter of the BFF family: from event to event of a tape's script. Between writes and
//! brackets nothing happens that the script does not contain.
//!
//! - A [`Stretch`] runs straight from event to event, up to a bracket that jumps, to the first byte
//!   ahead that has become another command, or to the end of the script or of the steps.
//! - At a bracket that jumps (`jumps.rs`) the script is read again if it is dirty: if a byte that
//!   it covers may have another meaning by now. A `]` that jumps back begins another iteration of a
//!   loop, which closed forms, native code and skipped periods shorten.
//! - Whole programs may be native code (`programs.rs`).
//!
//! Whatever is done in one stride is known to change no command that the stride has yet to reach;
//! where that is not known, the stride ends before it.

mod jumps;
mod programs;
mod stretch;

use std::cell::UnsafeCell;

use super::loops::SeenLoops;
use super::recurrence::Recurrence;
use super::registers::Registers;
use super::script::{Effects, Script};
use crate::engine::jit::bff::Cache;
use crate::engine::jit::{Jit, NativeTally};
use crate::engine::reference;
#[cfg(feature = "run")]
use crate::engine::simd::Observed;
use crate::engine::simd::{InstructionSet, Vectors, Work};
use crate::engine::{Batch, RunTapes};
use crate::language::bff::{Class, Dialect, Op, State};
use crate::language::{Ended, Outcome, Rules, TAPE_LEN, Tape};
use stretch::Stretch;

/// The interpreter of `dialect`, compiled for a set of instructions.
pub(crate) fn interpreter(
    dialect: &'static Dialect,
    closed_forms: bool,
    set: InstructionSet,
) -> Box<dyn RunTapes> {
    fn with<V: Vectors>(
        vectors: V,
        dialect: &'static Dialect,
        closed_forms: bool,
    ) -> Box<dyn RunTapes> {
        Box::new(Interpreter {
            vectors,
            dialect,
            closed_forms,
        })
    }
    match set {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512(vectors) => with(vectors, dialect, closed_forms),
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2(vectors) => with(vectors, dialect, closed_forms),
        InstructionSet::Portable(vectors) => with(vectors, dialect, closed_forms),
    }
}

/// The interpreter of `dialect` that takes notes.
#[cfg(feature = "run")]
pub(crate) fn observed(dialect: &'static Dialect) -> Box<dyn RunTapes> {
    Box::new(Interpreter {
        vectors: Observed,
        dialect,
        closed_forms: true,
    })
}

#[derive(Debug)]
struct Interpreter<V> {
    vectors: V,
    dialect: &'static Dialect,
    closed_forms: bool,
}

impl<V: Vectors> RunTapes for Interpreter<V> {
    fn run_tapes(&self, batch: Batch<'_>, jit: Option<&Jit>) -> NativeTally {
        let jit = jit.and_then(Jit::bff);
        let context = Context {
            dialect: self.dialect,
            max_steps: batch.max_steps,
            closed_forms: self.closed_forms,
            jit,
            patience: 0,
            rates: false,
        };
        match jit {
            Some(jit) if jit.wants_programs() => self.vectors.run(programs::WalkByPrograms {
                context,
                jit,
                batch,
            }),
            _ => self.vectors.run(WalkAll { context, batch }),
        }
    }
}

/// Tapes that are read together, before any of them is walked: where a walk goes is hard to
/// guess, and the sooner it is known the better.
const BATCH: usize = 8;

/// Buffers that a thread uses over and over.
struct Scratch {
    scripts: [Script; BATCH],
    recurrence: Recurrence,
    seen_loops: SeenLoops,
    /// Batches run so far.
    batches: u32,
}

impl Scratch {
    /// This thread's, which is there for as long as the thread.
    #[inline(always)]
    fn get() -> *mut Scratch {
        thread_local! {
            static SCRATCH: UnsafeCell<Scratch> = const {
                UnsafeCell::new(Scratch {
                    scripts: [const { Script::EMPTY }; BATCH],
                    recurrence: Recurrence::NEW,
                    seen_loops: SeenLoops::NONE,
                    batches: 0,
                })
            };
        }
        SCRATCH.with(UnsafeCell::get)
    }
}

/// What all tapes of a batch are run with.
#[derive(Clone, Copy)]
struct Context<'a> {
    dialect: &'a Dialect,
    max_steps: u32,
    closed_forms: bool,
    jit: Option<&'a Cache>,
    /// Jumps back of a run before native code is looked for.
    patience: u32,
    /// Whether to report how native code does.
    rates: bool,
}

impl Context<'_> {
    /// Get ready for `tapes`. Now and then one of them is looked at more closely, for the code
    /// cache.
    #[inline(always)]
    fn begin(&mut self, vectors: impl Vectors, tapes: &[Tape], batches: &mut u32) {
        let Some(jit) = self.jit else { return };
        self.rates = jit.looks_closer(batches);
        self.patience = if jit.wants_loops() || self.rates {
            jit.options().thresholds.backoff
        } else {
            u32::MAX
        };
        if self.rates && !tapes.is_empty() {
            let tape = &tapes[*batches as usize % tapes.len()];
            jit.sample(self.dialect, &vectors.skeleton(self.dialect, tape));
        }
    }
}

/// Runs all tapes of a batch from start to end.
struct WalkAll<'a> {
    context: Context<'a>,
    batch: Batch<'a>,
}

impl<V: Vectors> Work<V> for WalkAll<'_> {
    type Output = NativeTally;

    #[inline(always)]
    fn run(self, vectors: V) -> NativeTally {
        let WalkAll { mut context, batch } = self;
        let dialect = context.dialect;
        // SAFETY: the thread's own, and in use here alone: nothing below comes back here, or waits
        // in rayon, which might. After a panic any content will do. (Making it anew each time
        // takes longer than many a walk.)
        let scratch = unsafe { &mut *Scratch::get() };
        context.begin(vectors, batch.tapes, &mut scratch.batches);
        let mut tally = NativeTally::default();
        let tapes = batch.tapes.chunks_mut(BATCH);
        for (tapes, outcomes) in tapes.zip(batch.outcomes.chunks_mut(BATCH)) {
            for (script, tape) in scratch.scripts.iter_mut().zip(tapes.iter()) {
                read_from_start(vectors, dialect, tape, script);
            }
            let scripts = scratch.scripts.iter_mut();
            for ((tape, outcome), script) in tapes.iter_mut().zip(outcomes).zip(scripts) {
                let pc = dialect.start(tape).pc;
                let index = script.index(vectors, pc);
                scratch.recurrence.restart();
                let run = Run {
                    vectors,
                    context,
                    tape,
                    script,
                    recurrence: &mut scratch.recurrence,
                    seen_loops: &mut scratch.seen_loops,
                    tally: &mut tally,
                };
                let done = run.walk((pc, index), (0, 0));
                // Part by part: copied as a whole it would wait for its parts to be written.
                (outcome.ops, outcome.steps, outcome.ended) = (done.ops, done.steps, done.ended);
            }
        }
        tally
    }
}

/// Have `script` tell of `tape` and where a run of it starts.
#[inline(always)]
fn read_from_start(vectors: impl Vectors, dialect: &Dialect, tape: &Tape, script: &mut Script) {
    let start = dialect.start(tape);
    script.read(vectors, dialect, tape, 0);
    match start.pc {
        0 => script.aim_first(vectors, start.head0, start.head1),
        pc => {
            let index = script.index(vectors, pc);
            script.aim(vectors, index, start.head0, start.head1);
        }
    }
}

/// A run of a tape, and what it works with.
struct Run<'a, 'b, V> {
    vectors: V,
    context: Context<'a>,
    tape: &'b mut Tape,
    script: &'b mut Script,
    recurrence: &'b mut Recurrence,
    seen_loops: &'b mut SeenLoops,
    tally: &'b mut NativeTally,
}

impl<V: Vectors> Run<'_, '_, V> {
    /// Walk from the place `pc`, entry `index` of the script, after so many steps and ops.
    ///
    /// Most tapes are run straight from end to end.
    #[inline(always)]
    fn walk(self, (pc, index): (usize, usize), (mut steps, mut ops): (u32, u32)) -> Outcome {
        let Run { vectors, .. } = self;
        let Context {
            dialect, max_steps, ..
        } = self.context;
        let mut stretch = Stretch::walk(
            dialect,
            self.tape,
            self.script,
            (pc, index),
            max_steps - steps,
        );
        if stretch.jump.is_none() && stretch.end == TAPE_LEN {
            return Outcome {
                ops: ops + (self.script.len - index) as u32,
                steps: steps + (TAPE_LEN - pc) as u32,
                ended: Ended::LeftTape,
            };
        }
        if stretch.jump.is_none() && stretch.end >= NEARLY_OVER {
            let index_at_end = self.script.index(vectors, stretch.end);
            let (head0, head1) = self.script.heads(index_at_end);
            let at = Registers {
                head0,
                head1,
                steps: steps + (stretch.end - pc) as u32,
                ops: ops + (index_at_end - index) as u32,
            };
            let (pc, at) = step_on(dialect, self.tape, stretch.end, at, max_steps);
            if pc >= TAPE_LEN {
                return at.outcome(Ended::LeftTape);
            }
            if at.steps == max_steps {
                return at.outcome(Ended::StepLimit);
            }
            self.script.read(vectors, dialect, self.tape, pc);
            self.script.aim_first(vectors, at.head0, at.head1);
            (steps, ops) = (at.steps, at.ops);
            stretch = Stretch::walk(dialect, self.tape, self.script, (pc, 0), max_steps - steps);
        }
        self.walk_on(stretch, (steps, ops))
    }
}

/// The places from here on are run step by step where native code was left.
const NEARLY_OVER: usize = TAPE_LEN - 32;

/// Take the steps to the tape's end, as long as no bracket jumps. (What a byte does
/// is looked up, not branched to: it is hard to guess.)
#[inline(always)]
fn step_on(
    dialect: &Dialect,
    tape: &mut Tape,
    pc: usize,
    mut at: Registers,
    max_steps: u32,
) -> (usize, Registers) {
    let effects = Effects::of(dialect);
    let end = TAPE_LEN.min(pc + (max_steps - at.steps) as usize);
    let mut place = pc;
    while place < end {
        let command = dialect.class(tape[place]).bits() & Class::COMMAND;
        let effect = usize::from(command);
        let is_null = dialect.class(tape[at.head0]).bits();
        if is_null & effects.jumps_at[effect] != 0 {
            break;
        }
        let from = match command == Class::command(Op::CopyTo0) {
            true => at.head1,
            false => at.head0,
        };
        let to = match command == Class::command(Op::CopyTo1) {
            true => at.head1,
            false => at.head0,
        };
        tape[to] = tape[from].wrapping_add(effects.add[effect]);
        at.head0 = (at.head0 + usize::from(effects.move0[effect])) % TAPE_LEN;
        at.head1 = (at.head1 + usize::from(effects.move1[effect])) % TAPE_LEN;
        at.ops += u32::from(command != 0);
        place += 1;
    }
    at.steps += (place - pc) as u32;
    (place, at)
}

/// Steps that are quicker done one by one than by reading a tape once more.
const FEW_STEPS: u32 = 24;

/// Take the steps that are left.
#[inline(never)]
fn finish(dialect: &Dialect, tape: &mut Tape, pc: usize, at: Registers, max_steps: u32) -> Outcome {
    let state = State {
        pc,
        head0: at.head0,
        head1: at.head1,
    };
    let taken = (at.steps, at.ops);
    reference::go_on(dialect, tape, state, taken, max_steps, |_, _| {})
}
