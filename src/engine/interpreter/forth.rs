//! The Forth family: its rules, with a head start and whole periods skipped.

use std::hint::select_unpredictable;

use super::cycle::{self, Cyclic, Standing};
use super::turns::take_turns;
use crate::engine::laps::{self, Lap};
use crate::language::forth::{Dialect, Op, STACK_LEN, State, advance};
use crate::language::{Ended, Outcome, Rules, TAPE_LEN, Tape};

/// Steps that are done in turns; no more than the stack holds.
///
/// Hardly any run of a random tape that leaves the tape takes as many.
const FIRST: u32 = 16;

/// Steps after which a run that is no loop with a known lap may be in a cycle.
const PATIENCE: u32 = 128;

/// Tapes that are run together, at most.
const BATCH: usize = 32;

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

/// Run each of `tapes` for at most `max_steps` steps.
///
/// Most bytes pop nothing: they are constants, jumps and no-ops. Tapes in turns do
/// those without a branch; what is left is done step by step.
pub fn run_all(dialect: &Dialect, tapes: &mut [Tape], max_steps: u32, outcomes: &mut [Outcome]) {
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        let mut runs = [Run::default(); BATCH];
        let runs = &mut runs[..tapes.len()];
        let mut stacks = [[0; FIRST as usize]; BATCH];
        let first = FIRST.min(max_steps);
        if first > 0 {
            take_turns(tapes.len(), Run::default(), |index, run| {
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
                false => go_on(dialect, tape, *run, stack, max_steps),
            };
        }
    }
}

/// Go on from where `run` is, with this `stack`.
fn go_on(
    dialect: &Dialect,
    tape: &mut Tape,
    run: Run,
    stack: &[u8; FIRST as usize],
    max_steps: u32,
) -> Outcome {
    let mut now = Standing {
        state: dialect.start(tape),
        steps: run.steps(),
        ops: run.ops(),
    };
    now.state.pc = run.pc();
    now.state.depth = run.depth();
    now.state.stack[..FIRST as usize].copy_from_slice(stack);
    cycle::run(dialect, tape, &mut now, PATIENCE, max_steps)
}

/// What a run has learnt of its loops.
pub struct Leaps {
    /// A place that a jump back came to. Where one comes there again, that was a
    /// lap.
    anchor: usize,
    /// Jumps back so far, and how many there will be when the next one sets the
    /// anchor: 1, 2, 4, 8, … of them, so that it lies on any loop soon enough.
    jumps: u32,
    next_anchor: u32,
    /// Steps before which no lap is recorded, and how many there will be
    /// between if the next one is of little use.
    next_record: u32,
    patience: u32,
}

impl Default for Leaps {
    fn default() -> Self {
        Leaps {
            anchor: usize::MAX,
            jumps: 0,
            next_anchor: 1,
            next_record: 0,
            patience: 64,
        }
    }
}

/// Laps that are worth having been recorded.
const WORTHWHILE: u32 = 4;

impl Cyclic for Dialect {
    type Leaps = Leaps;

    #[inline(always)]
    fn leap(
        &self,
        leaps: &mut Leaps,
        tape: &mut Tape,
        now: &mut Standing<State>,
        max_steps: u32,
    ) -> Option<Ended> {
        leaps.jumps += 1;
        if now.state.pc == leaps.anchor {
            if now.steps >= leaps.next_record {
                return lap(self, leaps, tape, now, max_steps);
            }
        } else if leaps.jumps >= leaps.next_anchor {
            leaps.anchor = now.state.pc;
            leaps.next_anchor = leaps.next_anchor.saturating_mul(2);
        }
        None
    }

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

/// Record a lap, and run as many more as there are.
fn lap(
    dialect: &Dialect,
    leaps: &mut Leaps,
    tape: &mut Tape,
    now: &mut Standing<State>,
    max_steps: u32,
) -> Option<Ended> {
    let mut lap = Lap::new(dialect);
    let steps = max_steps - now.steps;
    let recorded = laps::record(&mut lap, dialect, tape, &mut now.state, steps);
    now.steps += recorded.steps;
    now.ops += recorded.ops;
    let mut laps = 0;
    if recorded.is_lap {
        laps = lap.run(tape, &mut now.state, (max_steps - now.steps) / lap.steps);
        now.steps += laps * lap.steps;
        now.ops += laps * lap.ops;
    }
    if laps < WORTHWHILE {
        leaps.patience = leaps.patience.saturating_mul(2);
    }
    leaps.next_record = now.steps.saturating_add(leaps.patience);
    recorded.ended
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
