//! Traces of Forth loops: what an iteration reads, writes and leaves on the stack, without the
//! pushes, pops, constants and jumps between.
//!
//! A trace is recorded while an iteration is run step by step (`record.rs`). From then on the
//! iteration is known as a list of actions on a few values. It is exact for as long as
//!
//! - the bytes that it went through stay as they are: a write to one of them ends the trace;
//! - every test comes out as it did then;
//! - the stack is deep enough for all that is popped, and has room for all that is pushed; and
//! - no write finds the dialect's guard, where it has one.
//!
//! An iteration in which one of these fails is undone, so that the interpreter continues exactly at
//! the start of an iteration.
//!
//! Many iterations are skipped at once where they can no longer do anything new. Each entry of the
//! stack is one that was there an iteration before, plus a constant ([`Drift`]), so that what is
//! read, written and tested recurs after a known number of iterations. If that many have changed no
//! byte of the tape, none ever will, and the rest is arithmetic on the stack. Entries that depend
//! on the tape are watched for a period instead.

mod record;

use crate::engine::cycle::Brent;
use crate::language::forth::{Dialect, STACK_LEN, State};
use crate::language::{PROGRAM_LEN, TAPE_LEN, Tape};
pub(crate) use record::record;

/// Steps of an iteration, actions of it, values of it, entries of the stack that
/// it reads or leaves: loops with more are run step by step.
const MAX_STEPS: u32 = 96;
const MAX_ACTIONS: usize = 24;
const MAX_VALUES: usize = 32;
const MAX_ENTRIES: usize = 8;

/// The first value that is the result of an action.
const FIRST_RESULT: usize = 1 + MAX_ENTRIES;

/// A byte that an iteration works with: one of its values, plus a constant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Byte {
    /// Value 0 is 0; value 1 + i was i entries below the top of the stack when
    /// the iteration began; those behind them are results of actions.
    value: u8,
    plus: u8,
}

impl Byte {
    const ZERO: Byte = Byte { value: 0, plus: 0 };

    fn entry(index: usize) -> Byte {
        Byte {
            value: 1 + index as u8,
            plus: 0,
        }
    }

    fn plus(self, plus: u8) -> Byte {
        Byte {
            plus: self.plus.wrapping_add(plus),
            ..self
        }
    }

    #[inline(always)]
    fn of(self, values: &[u8; MAX_VALUES]) -> u8 {
        values[usize::from(self.value) % MAX_VALUES].wrapping_add(self.plus)
    }
}

/// Places on a tape that a byte chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    /// Which of the byte's bits count.
    mask: u8,
    first: u8,
}

impl Side {
    const A: Side = Side {
        mask: PROGRAM_LEN as u8 - 1,
        first: 0,
    };
    const B: Side = Side {
        mask: PROGRAM_LEN as u8 - 1,
        first: PROGRAM_LEN as u8,
    };
    const BOTH: Side = Side {
        mask: TAPE_LEN as u8 - 1,
        first: 0,
    };

    #[inline(always)]
    fn place(self, byte: u8) -> usize {
        usize::from((byte & self.mask) + self.first) % TAPE_LEN
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// The next value is the byte at a place.
    Read { at: Byte, side: Side },
    /// A byte goes to a place.
    Write { at: Byte, side: Side, byte: Byte },
    /// The next value is a sum.
    Add { a: Byte, b: Byte },
    /// The next value is a difference.
    Subtract { a: Byte, b: Byte },
    /// The next value is a byte with its bit for the side the other way.
    Flip { byte: Byte },
    /// A guard: the iteration goes on only if a byte is 0, or only if it is not.
    Test { byte: Byte, is_zero: bool },
}

/// A list of at most `N` items, in place.
#[derive(Clone, Copy, Debug)]
struct ArrayVec<T, const N: usize> {
    items: [T; N],
    len: usize,
}

impl<T: Copy, const N: usize> ArrayVec<T, N> {
    fn new(filler: T) -> Self {
        ArrayVec {
            items: [filler; N],
            len: 0,
        }
    }

    /// Nothing if there is no room.
    fn push(&mut self, item: T) -> Option<()> {
        *self.items.get_mut(self.len)? = item;
        self.len += 1;
        Some(())
    }

    fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        Some(self.items[self.len])
    }

    #[inline(always)]
    fn as_slice(&self) -> &[T] {
        &self.items[..self.len.min(N)]
    }
}

/// What becomes of an entry of the stack, from some iteration on: after so many iterations it
/// is what it was, plus a constant.
#[derive(Clone, Copy, Debug)]
struct Drift {
    iterations: u32,
    plus: u8,
}

impl Drift {
    /// That of a byte that is always the same.
    const STILL: Drift = Drift {
        iterations: 1,
        plus: 0,
    };

    /// Iterations after which it is what it was, if `values` of it are told apart.
    fn period(self, values: u32) -> u32 {
        match self.plus {
            0 => self.iterations,
            _ => self.iterations * values,
        }
    }
}

/// An iteration of a loop, recorded.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Steps and ops of an iteration.
    pub steps: u32,
    pub ops: u32,
    actions: ArrayVec<Action, MAX_ACTIONS>,
    /// How many entries of the stack an iteration takes, and what it leaves in their
    /// stead, the topmost last.
    taken: usize,
    left: ArrayVec<Byte, MAX_ENTRIES>,
    /// How far the stack rises above where it was when the iteration began.
    rise: usize,
    /// The places that an iteration goes through.
    places: u128,
    /// What becomes of the entries from iteration to iteration, where none depends on the
    /// tape: the topmost first.
    drifts: Option<ArrayVec<Drift, MAX_ENTRIES>>,
    /// Iterations after which one that writes nothing new never will again.
    period: u32,
    /// Set where all that an iteration does is to copy a byte to the same place of the
    /// other side, which is this one, and 64 iterations copy every byte.
    copies_into: Option<Side>,
    /// Where a write into B that finds this byte is something else.
    guard: Option<u8>,
}

impl Trace {
    /// A trace of no steps, to be recorded.
    pub(crate) fn new(dialect: &Dialect) -> Trace {
        Trace {
            steps: 0,
            ops: 0,
            actions: ArrayVec::new(Action::Flip { byte: Byte::ZERO }),
            taken: 0,
            left: ArrayVec::new(Byte::ZERO),
            rise: 0,
            places: 0,
            drifts: None,
            period: u32::MAX,
            copies_into: None,
            guard: dialect.guard(),
        }
    }

    /// Whether iterations on the same tape come to push the same, again and again.
    fn pushes_the_same(&self) -> bool {
        let is_still = |drift: &Drift| drift.iterations == 1 && drift.plus == 0;
        let drifts = self.drifts.as_ref();
        self.left.len > self.taken
            && drifts.is_some_and(|drifts| drifts.as_slice().iter().all(is_still))
    }

    /// Whether the stack is as deep after an iteration as before.
    fn keeps_depth(&self) -> bool {
        self.left.len == self.taken
    }

    /// Run whole iterations, at most so many, from the start of one; answers with how
    /// many. Less than `iterations` only where the next one would do something else.
    pub(crate) fn run(&self, tape: &mut Tape, state: &mut State, iterations: u32) -> u32 {
        // From the first iterations on there may be values that never come again.
        let enough = self.period.saturating_add(self.taken as u32);
        let (mut done, mut quiet) = (0, 0);
        // The entries of the stack after so many iterations, to be met again on the same tape.
        let (mut held, mut held_after) = (self.entries(state), 0);
        let mut brent = Brent::from(1);
        while done < iterations {
            if quiet >= enough {
                if !self.keeps_depth() {
                    return done + self.grow_stack(state, iterations - done);
                }
                self.skip(state, iterations - done);
                return iterations;
            }
            if done as usize == self.taken
                && iterations - done >= PROGRAM_LEN as u32
                && self.copy_across(tape)
            {
                self.skip(state, iterations - done);
                return iterations;
            }
            match self.run_one(tape, state) {
                None => return done,
                Some(true) => quiet = 0,
                Some(false) => quiet += 1,
            }
            done += 1;
            if self.drifts.is_none() && self.keeps_depth() {
                let entries = self.entries(state);
                let since = done - held_after;
                if quiet >= since && entries == held {
                    let whole_periods = (iterations - done) / since * since;
                    done += whole_periods;
                    held_after += whole_periods;
                } else if brent.holds(done) {
                    (held, held_after) = (entries, done);
                }
            }
        }
        iterations
    }

    /// Do all that an iteration that copies across ever does to the tape, where none of
    /// it makes the next iteration do something else; whether it did.
    fn copy_across(&self, tape: &mut Tape) -> bool {
        let Some(into) = self.copies_into else {
            return false;
        };
        let (a, b) = tape.split_at_mut(PROGRAM_LEN);
        let (from, to) = if into == Side::B { (a, b) } else { (b, a) };
        // A guard that is copied stands there when its place comes up again.
        let has_guard = |guard| to.contains(&guard) || from.contains(&guard);
        let is_guarded = into == Side::B && self.guard.is_some_and(has_guard);
        let lies_in_trace = (self.places >> into.first) as u64;
        if is_guarded || !same(from, to, lies_in_trace.into()) {
            return false;
        }
        to.copy_from_slice(from);
        true
    }

    /// The entries of the stack that an iteration takes.
    #[inline(always)]
    fn entries(&self, state: &State) -> [u8; MAX_ENTRIES] {
        std::array::from_fn(|entry| match entry < self.taken {
            true => state.stack[state.depth.wrapping_sub(1 + entry) % STACK_LEN],
            false => 0,
        })
    }

    /// An iteration: whether it changed any byte of the tape; or nothing, with nothing done,
    /// where it would do something else.
    #[inline(always)]
    fn run_one(&self, tape: &mut Tape, state: &mut State) -> Option<bool> {
        let depth = state.depth;
        if depth < self.taken || depth + self.rise > STACK_LEN {
            return None;
        }
        let mut values = [0; MAX_VALUES];
        for entry in 0..self.taken {
            values[1 + entry] = state.stack[(depth - 1 - entry) % STACK_LEN];
        }
        let mut next = FIRST_RESULT;
        let mut undo = [(0u8, 0u8); MAX_ACTIONS];
        let mut changes = 0;
        for action in self.actions.as_slice() {
            let result = match *action {
                Action::Read { at, side } => tape[side.place(at.of(&values))],
                Action::Add { a, b } => a.of(&values).wrapping_add(b.of(&values)),
                Action::Subtract { a, b } => a.of(&values).wrapping_sub(b.of(&values)),
                Action::Flip { byte } => byte.of(&values) ^ PROGRAM_LEN as u8,
                Action::Write { at, side, byte } => {
                    let (place, new) = (side.place(at.of(&values)), byte.of(&values));
                    let old = tape[place];
                    let is_guarded = side == Side::B && self.guard == Some(old);
                    if old != new || is_guarded {
                        if is_guarded || self.places >> place & 1 == 1 {
                            undo_writes(tape, &undo[..changes]);
                            return None;
                        }
                        undo[changes % MAX_ACTIONS] = (place as u8, old);
                        changes += 1;
                        tape[place] = new;
                    }
                    continue;
                }
                Action::Test { byte, is_zero } => {
                    if (byte.of(&values) == 0) != is_zero {
                        undo_writes(tape, &undo[..changes]);
                        return None;
                    }
                    continue;
                }
            };
            values[next % MAX_VALUES] = result;
            next += 1;
        }
        let base = depth - self.taken;
        for (index, byte) in self.left.as_slice().iter().enumerate() {
            state.stack[(base + index) % STACK_LEN] = byte.of(&values);
        }
        state.depth = base + self.left.len;
        Some(changes == 1 || changes > 1 && has_changed(tape, &undo[..changes]))
    }

    /// Iterations that leave on the stack what the last one has left, higher up: as many
    /// as there is room for, and at most `iterations`.
    fn grow_stack(&self, state: &mut State, iterations: u32) -> u32 {
        let height = self.left.len - self.taken;
        let Some(room) = STACK_LEN.checked_sub(state.depth + self.rise) else {
            return 0;
        };
        let iterations = iterations.min((room / height) as u32 + 1);
        // Each iteration takes the topmost, and leaves all of it from there on.
        let left_from = state.depth - self.left.len;
        let mut left = [0; MAX_ENTRIES];
        left[..self.left.len].copy_from_slice(&state.stack[left_from..state.depth]);
        let pushed = height * iterations as usize;
        let (below, top) = left[..self.left.len].split_at(height);
        let stack = &mut state.stack[state.depth - self.taken..][..pushed + self.taken];
        let (rising, end) = stack.split_at_mut(pushed);
        let mut risen = height.min(pushed);
        rising[..risen].copy_from_slice(&below[..risen]);
        while risen < pushed {
            let more = risen.min(pushed - risen);
            rising.copy_within(..more, risen);
            risen += more;
        }
        end.copy_from_slice(top);
        state.depth += pushed;
        iterations
    }

    /// Iterations that change nothing but entries of the stack, each of which drifts.
    fn skip(&self, state: &mut State, iterations: u32) {
        let drifts = self.drifts.iter().flat_map(ArrayVec::as_slice);
        if drifts.clone().all(|drift| drift.iterations == 1) {
            for (entry, drift) in drifts.enumerate() {
                let byte = &mut state.stack[(state.depth - 1 - entry) % STACK_LEN];
                *byte = byte.wrapping_add(drift.plus.wrapping_mul(iterations as u8));
            }
            return;
        }
        let period = drifts.map(|drift| drift.period(256)).max().unwrap_or(1);
        for _ in 0..iterations % period {
            let entries = self.entries(state);
            let base = state.depth - self.taken;
            for (entry, byte) in state.stack[base..].iter_mut().zip(self.left.as_slice()) {
                *entry = match byte.value {
                    0 => byte.plus,
                    value => entries[usize::from(value) - 1].wrapping_add(byte.plus),
                };
            }
        }
    }
}

/// Whether `a` and `b` hold the same at `places`.
fn same(a: &[u8], b: &[u8], places: u128) -> bool {
    let mut rest = places;
    while rest != 0 {
        let place = rest.trailing_zeros() as usize;
        if a[place] != b[place] {
            return false;
        }
        rest &= rest - 1;
    }
    true
}

/// Whether any place holds another byte than before it was first written to.
fn has_changed(tape: &Tape, undo: &[(u8, u8)]) -> bool {
    undo.iter().enumerate().any(|(index, (place, old))| {
        let is_first = undo[..index].iter().all(|(earlier, _)| earlier != place);
        is_first && tape[usize::from(*place)] != *old
    })
}

/// Take back what was written, the last first.
#[cold]
fn undo_writes(tape: &mut Tape, undo: &[(u8, u8)]) {
    for (place, old) in undo.iter().rev() {
        tape[usize::from(*place)] = *old;
    }
}

#[cfg(test)]
mod tests;
