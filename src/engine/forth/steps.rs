//! The interpreter of the Forth family: the rules' own steps, of which whole iterations and
//! periods are skipped, and hot loops as native code.
//!
//! - The first steps of a run, up to the first byte that pops, are done for several tapes at
//!   once, interleaved ([`interleave`]).
//! - After a jump back the run may be at the start of another iteration of a loop: [`Leaps`]
//!   records a trace of one and runs as many more as the trace is exact for, or enters native
//!   code.
//! - What comes back to a state in which it was is in a cycle: see [`cycle::run`], and the rules
//!   of this family below, which also know stacks that grow by the same entries each time.

use std::cell::Cell;
use std::hint::select_unpredictable;

use crate::engine::cycle::{self, Brent, Cyclic, Running, Taken};
use crate::engine::forth::trace::{self, Trace};
use crate::engine::interleave::interleave;
use crate::engine::jit::forth::{self as native, Cache, LoopBody};
use crate::engine::jit::{Jit, Native, NativeTally};
use crate::engine::{Batch, RunTapes};
use crate::language::forth::{Dialect, Op, STACK_LEN, State, advance};
use crate::language::{Ended, Outcome, Rules, Step, TAPE_LEN, Tape};

/// Steps that are done interleaved; no more than the stack holds.
///
/// Hardly any run of a random tape that leaves the tape takes as many.
const FIRST: u32 = 16;

/// Tapes that are run together, at most.
const BATCH: usize = 32;

/// Steps after which a run that is no loop with a known trace may be in a cycle.
const PATIENCE: u32 = 128;

/// Iterations that are worth having recorded a trace.
const WORTHWHILE: u32 = 4;

/// Steps in native code beyond which it was worth while to enter it.
const WORTH_STEPS: u32 = 48;

/// How far a run is that has popped nothing yet: in a byte each its place, the
/// depth of its stack, its steps and its ops. (In one number, which is written and
/// read as a whole: parts that are read together wait for each other.)
#[derive(Clone, Copy, Default)]
struct Run(u32);

impl Run {
    /// Its place; beyond the tape's end where it has left the tape.
    #[inline(always)]
    fn pc(self) -> usize {
        usize::from(self.0 as u8)
    }

    #[inline(always)]
    fn depth(self) -> usize {
        usize::from((self.0 >> 8) as u8)
    }

    #[inline(always)]
    fn steps(self) -> u32 {
        self.0 >> 16 & 0xff
    }

    #[inline(always)]
    fn ops(self) -> u32 {
        self.0 >> 24
    }

    /// Once it has done `op`, whose byte is `byte` and which pops nothing.
    #[inline(always)]
    fn then(self, op: Op, byte: u8) -> Run {
        let pc = self.pc().wrapping_add_signed(advance(byte)) as u8;
        let is_push = u32::from(op == Op::Constant);
        let is_op = u32::from(op != Op::Noop);
        let more = is_push << 8 | 1 << 16 | is_op << 24;
        Run((self.0 & !0xff).wrapping_add(more) | u32::from(pc))
    }
}

/// The interpreter of a dialect.
#[derive(Debug)]
pub(crate) struct Interpreter {
    pub dialect: &'static Dialect,
    pub closed_forms: bool,
}

impl RunTapes for Interpreter {
    fn run_tapes(&self, batch: Batch<'_>, jit: Option<&Jit>) -> NativeTally {
        run_all(Context::begin(self, batch.max_steps, jit), batch)
    }
}

/// Run all tapes of a batch.
///
/// Most bytes pop nothing: they are constants, jumps and no-ops. Interleaved tapes do those
/// without a branch; what is left is done step by step.
fn run_all(context: Context<'_>, batch: Batch<'_>) -> NativeTally {
    let Batch {
        tapes,
        outcomes,
        max_steps,
    } = batch;
    let dialect = context.dialect;
    let mut tally = NativeTally::default();
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        let mut runs = [Run::default(); BATCH];
        let runs = &mut runs[..tapes.len()];
        let mut stacks = [[0; FIRST as usize]; BATCH];
        let first = FIRST.min(max_steps);
        if first > 0 {
            interleave(tapes.len(), Run::default(), |index, run| {
                let byte = tapes[index][run.pc() % TAPE_LEN];
                let op = dialect.op(byte);
                let pops = op.pops() > 0;
                stacks[index][run.depth() % FIRST as usize] = byte % 64;
                let run = select_unpredictable(pops, run, run.then(op, byte));
                runs[index] = run;
                let over = pops | (run.pc() >= TAPE_LEN) | (run.steps() == first);
                (run, over)
            });
        }
        let starts = runs.iter().zip(&stacks);
        for (((run, stack), tape), outcome) in starts.zip(tapes).zip(outcomes) {
            *outcome = match run.pc() >= TAPE_LEN {
                true => Outcome {
                    ops: run.ops(),
                    steps: run.steps(),
                    ended: Ended::LeftTape,
                },
                false => go_on(context, tape, *run, stack, &mut tally),
            };
        }
    }
    tally
}

/// Go on from where `run` is, with this `stack`.
fn go_on(
    context: Context<'_>,
    tape: &mut Tape,
    run: Run,
    stack: &[u8; FIRST as usize],
    tally: &mut NativeTally,
) -> Outcome {
    let dialect = context.dialect;
    let mut now = Running {
        state: dialect.start(tape),
        taken: Taken {
            steps: run.steps(),
            ops: run.ops(),
        },
    };
    now.state.pc = run.pc();
    now.state.depth = run.depth();
    now.state.stack[..FIRST as usize].copy_from_slice(stack);
    let patience = if context.closed_forms {
        PATIENCE
    } else {
        u32::MAX
    };
    let mut leaps = Leaps::new(context, tally);
    let ended = match go_forwards(dialect, tape, &mut now, context.max_steps) {
        Ok(from) => leaps.leap(tape, &mut now, from),
        Err(ended) => Some(ended),
    };
    if let Some(ended) = ended {
        return now.taken.outcome(ended);
    }
    let leap = |tape: &mut Tape, now: &mut Running<State>, from| leaps.leap(tape, now, from);
    cycle::run(dialect, tape, &mut now, patience, context.max_steps, leap)
}

/// Go on until the run has jumped back for the first time; from where, or how it ended.
#[inline(always)]
fn go_forwards(
    dialect: &Dialect,
    tape: &mut Tape,
    now: &mut Running<State>,
    max_steps: u32,
) -> Result<usize, Ended> {
    loop {
        if now.taken.steps == max_steps {
            return Err(Ended::StepLimit);
        }
        let pc = now.state.pc;
        let step = guess_less(dialect, tape, &mut now.state);
        now.taken.steps += 1;
        now.taken.ops += u32::from(step.is_op);
        if let Some(ended) = step.ended {
            return Err(ended);
        }
        if now.state.pc < pc {
            return Ok(pc);
        }
    }
}

/// A step, without a branch where the byte pops nothing. Before a run has come back to
/// anything, its next byte is hard to guess; in a loop guessing is quicker.
#[inline(always)]
fn guess_less(dialect: &Dialect, tape: &mut Tape, state: &mut State) -> Step {
    let byte = tape[state.pc % TAPE_LEN];
    let op = dialect.op(byte);
    if op.pops() > 0 || state.depth >= STACK_LEN {
        return dialect.step(tape, state);
    }
    state.stack[state.depth] = byte % 64;
    state.depth += usize::from(op == Op::Constant);
    state.pc = state.pc.wrapping_add_signed(advance(byte));
    Step {
        is_op: op != Op::Noop,
        ended: (state.pc >= TAPE_LEN).then_some(Ended::LeftTape),
    }
}

/// What all tapes of a batch are run with.
#[derive(Clone, Copy)]
struct Context<'a> {
    dialect: &'a Dialect,
    max_steps: u32,
    closed_forms: bool,
    /// Where loops are looked for.
    jit: Option<&'a Cache>,
    /// Whether to tell how native code does.
    rates: bool,
}

impl<'a> Context<'a> {
    fn begin(interpreter: &Interpreter, max_steps: u32, jit: Option<&'a Jit>) -> Context<'a> {
        thread_local! {
            /// Batches that this thread has run.
            static BATCHES: Cell<u32> = const { Cell::new(0) };
        }
        let mut context = Context {
            dialect: interpreter.dialect,
            max_steps,
            closed_forms: interpreter.closed_forms,
            jit: None,
            rates: false,
        };
        if let Some(jit) = jit.and_then(Jit::forth) {
            let mut batches = BATCHES.get();
            context.rates = jit.looks_closer(&mut batches);
            BATCHES.set(batches);
            context.jit = (jit.wants_loops() || context.rates).then_some(jit);
        }
        context
    }
}

/// What a run has learnt of its loops.
struct Leaps<'a, 'b> {
    context: Context<'a>,
    tally: &'b mut NativeTally,
    /// A place that a jump back came to. Where one comes there again, that was an
    /// iteration.
    anchor: usize,
    /// Jumps back so far, and when the next one sets the anchor.
    jumps: u32,
    anchors: Brent,
    /// Steps before which no trace is recorded, and how many there will be
    /// between if the next one is of little use.
    next_record: u32,
    patience: u32,
    /// Jumps back before which no native code is looked for, and how many there will
    /// be between if that is of little use once more.
    next_look: u32,
    look_patience: u32,
    /// Whether a loop of this run has been counted. One is enough: those of a run
    /// that goes on for long may never come again.
    has_counted: bool,
}

impl<'a, 'b> Leaps<'a, 'b> {
    #[inline(always)]
    fn new(context: Context<'a>, tally: &'b mut NativeTally) -> Self {
        Leaps {
            context,
            tally,
            anchor: usize::MAX,
            jumps: 0,
            anchors: Brent::from(1),
            next_record: if context.closed_forms { 0 } else { u32::MAX },
            patience: 64,
            next_look: context
                .jit
                .map_or(u32::MAX, |jit| jit.options().thresholds.backoff),
            look_patience: 1,
            has_counted: false,
        }
    }

    /// Asked after every jump back, which was at the place `from`: go on by whole
    /// iterations of a loop, where a trace of one is known; how the run ended, if it did.
    #[inline(always)]
    fn leap(&mut self, tape: &mut Tape, now: &mut Running<State>, from: usize) -> Option<Ended> {
        self.jumps += 1;
        if now.state.pc == self.anchor {
            if now.taken.steps >= self.next_record {
                return self.trace(tape, now);
            }
            if self.jumps > self.next_look {
                self.look_for_native(tape, now, from);
            }
        } else if self.anchors.holds(self.jumps) {
            self.anchor = now.state.pc;
        }
        None
    }

    /// Record a trace of an iteration, and run as many more as it is exact for.
    #[inline(never)]
    fn trace(&mut self, tape: &mut Tape, now: &mut Running<State>) -> Option<Ended> {
        let Context {
            dialect, max_steps, ..
        } = self.context;
        let mut trace = Trace::new(dialect);
        let steps = max_steps - now.taken.steps;
        let recorded = trace::record(&mut trace, dialect, tape, &mut now.state, steps);
        now.taken.steps += recorded.steps;
        now.taken.ops += recorded.ops;
        let mut iterations = 0;
        if recorded.is_trace {
            iterations = trace.run(
                tape,
                &mut now.state,
                (max_steps - now.taken.steps) / trace.steps,
            );
            now.taken.steps += iterations * trace.steps;
            now.taken.ops += iterations * trace.ops;
        }
        if iterations < WORTHWHILE {
            self.patience = self.patience.saturating_mul(2);
        }
        self.next_record = now.taken.steps.saturating_add(self.patience);
        recorded.ended
    }

    /// Run the loop up to its jump at `last`, which has just been taken, by native
    /// code if there is some, for as long as that can.
    #[inline(never)]
    fn look_for_native(&mut self, tape: &mut Tape, now: &mut Running<State>, last: usize) {
        let Some(jit) = self.context.jit else { return };
        let body = LoopBody::of(self.context.dialect, tape, now.state.pc, last);
        self.tally.looked_up.loops += 1;
        let mut is_worth_while = false;
        if let Some(found) = jit.index().find(&body) {
            is_worth_while = self.run_native(found, tape, now);
            if self.context.rates {
                jit.rate(found, is_worth_while);
            }
        } else if self.context.rates && !std::mem::replace(&mut self.has_counted, true) {
            jit.came_up(body, WORTHWHILE);
        }
        if !is_worth_while {
            self.next_look = self.jumps.saturating_add(self.look_patience);
            self.look_patience = self.look_patience.saturating_mul(2);
        }
    }

    /// Go on by native code of what the run is at; whether that was worth while.
    fn run_native(&mut self, found: Native, tape: &mut Tape, now: &mut Running<State>) -> bool {
        let steps = self.context.max_steps - now.taken.steps;
        // SAFETY: the function is that of what the loop means, and code is freed only where the
        // cache, which the context borrows, is borrowed for itself alone.
        let done = unsafe { native::run(found.function, tape, &mut now.state, steps) };
        now.taken.steps += done.steps;
        now.taken.ops += done.ops;
        self.tally.entered.loops += 1;
        self.tally.exits[done.exit as usize] += 1;
        self.tally.iterations += done.iterations;
        self.tally.ops += u64::from(done.ops);
        self.tally.steps += u64::from(done.steps);
        done.steps > WORTH_STEPS
    }
}

impl Cyclic for Dialect {
    #[inline(always)]
    fn pc(state: &State) -> usize {
        state.pc
    }

    #[inline(always)]
    fn alike(then: &State, now: &State) -> bool {
        let top = |state: &State| state.stack[state.depth.wrapping_sub(1) % STACK_LEN];
        then.pc == now.pc && then.depth <= now.depth && (then.depth == 0 || top(then) == top(now))
    }

    /// A run repeats where the stack is the same again, or where it has grown
    /// and what the period reads of it is the same again, higher up.
    #[cold]
    fn skip(
        &self,
        tape: &Tape,
        then: &State,
        mut now: State,
        period: u32,
        mut periods: u32,
    ) -> Option<(State, u32)> {
        let growth = now.depth - then.depth;
        if growth == 0 {
            return (then.stack() == now.stack()).then_some((now, periods));
        }
        let (read, highest) = reach(self, *tape, then.clone(), period)?;
        if then.stack[read..then.depth] != now.stack[read + growth..now.depth] {
            return None;
        }
        periods = periods.min(((STACK_LEN - highest) / growth) as u32);
        let by = growth * periods as usize;
        now.stack
            .copy_within(read + growth..now.depth, read + growth + by);
        now.depth += by;
        Some((now, periods))
    }
}

/// The lowest entry of the stack that the next `steps` steps pop and the
/// highest depth that they come to; nothing if they pop an empty stack.
fn reach(
    dialect: &Dialect,
    mut tape: Tape,
    mut state: State,
    steps: u32,
) -> Option<(usize, usize)> {
    let (mut lowest, mut highest) = (state.depth, state.depth);
    for _ in 0..steps {
        let pops = dialect.op(tape[state.pc]).pops();
        lowest = lowest.min(state.depth.checked_sub(pops)?);
        dialect.step(&mut tape, &mut state);
        highest = highest.max(state.depth);
    }
    Some((lowest, highest))
}
