//! Loops of the BFF family without brackets inside: what an iteration does, decoded once, and
//! closed forms for many iterations at a time.
//!
//! A loop goes from behind its `[` (or wherever its `]` jumps) to that `]`. As long as no byte of
//! it changes its kind, every iteration does the same: a fixed number of steps and ops, the same
//! writes at places relative to the heads, the same net move of both heads, and then the test of
//! the byte at head 0.
//!
//! [`Loop::decode`] alone decides which [`Form`] a loop has. A form is defined by what its
//! iterations write; each has a file, which says why its shortcut is exact. Common to all: a stride
//! of several iterations covers only whole ones for which the steps suffice, it ends with the first
//! that finds a null, and before a write that changes a byte of the loop itself.

mod copy;
mod count;
mod effect;
mod iterations;
mod nest;
mod scan;
#[cfg(feature = "jit")]
mod show;
#[cfg(test)]
mod tests;

use super::registers::Registers;
use super::script::{LEN, Script};
use crate::engine::places::range;
use crate::engine::simd::Vectors;
use crate::language::bff::Dialect;
use crate::language::{TAPE_LEN, Tape};
use copy::Copy;
use effect::Guard;
pub(crate) use effect::SeenLoops;
use nest::Nest;

/// Writes of an iteration beyond which a loop is not decoded.
const MAX_WRITES: usize = 24;

/// A write of an iteration: the byte at one head, plus something, goes to a head.
#[derive(Clone, Copy, Debug, Default)]
struct Write {
    /// Its place on the tape, and the ops of an iteration up to it.
    at: u8,
    ops: u8,
    /// The heads there, counted from those at the start of the iteration.
    moved: [u8; 2],
    from: u8,
    to: u8,
    add: u8,
}

impl Write {
    /// The heads at this write of an iteration that begins at `at`.
    #[inline(always)]
    fn heads(&self, at: &Registers) -> [usize; 2] {
        [
            (at.head0 + usize::from(self.moved[0])) % TAPE_LEN,
            (at.head1 + usize::from(self.moved[1])) % TAPE_LEN,
        ]
    }
}

/// What is known of all iterations of a loop at once.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// They write nothing: the first null along head 0's stride ends the loop.
    Scan,
    /// They add to one byte, always at the same place: `[-]` and its like.
    Count,
    /// They copy one byte, both heads moving by one: `[.>}]` and its like.
    Copy(Copy),
    /// All told they copy one byte, as long as the guard says so: `[.,,>}]` and its like.
    ClumsyCopy(Copy, Guard),
    /// A copy, in a loop of its own that only makes another byte of each null:
    /// `[[,}<]-]`, `[[},>],]` and their like.
    Nest(Nest),
    /// Nothing: one is done after the other.
    Plain,
}

/// A loop, decoded.
#[derive(Clone, Copy)]
pub(crate) struct Loop<'a> {
    dialect: &'a Dialect,
    /// First place of the body, and that of the `]`; these and all other places
    /// are counted from `base`.
    first: usize,
    close: usize,
    base: usize,
    /// Ops of an iteration.
    ops: u32,
    /// Net moves of the heads in an iteration, modulo 128.
    move0: usize,
    move1: usize,
    writes: [Write; MAX_WRITES],
    num_writes: usize,
    form: Form,
}

/// How iterations came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopExit {
    /// The test found null: the run goes on behind the `]`.
    Done,
    /// The steps do not cover another iteration, which is yet to be begun.
    OutOfSteps,
    /// A write changed what a byte of the loop means. The run goes on behind
    /// that write, in the midst of an iteration.
    Rewritten { next: usize },
}

impl LoopExit {
    /// What it is called in a table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            LoopExit::Done => "done",
            LoopExit::OutOfSteps => "out_of_steps",
            LoopExit::Rewritten { .. } => "rewritten",
        }
    }
}

impl<'a> Loop<'a> {
    /// Decode the loop that runs from `first` to the `]` at `close`; `None` where
    /// `script` does not tell of it, where there are brackets in between, or too
    /// many writes.
    pub(crate) fn decode(
        vectors: impl Vectors,
        dialect: &'a Dialect,
        script: &Script,
        body: (usize, usize),
        seen: &mut SeenLoops,
    ) -> Option<Loop<'a>> {
        let mut looped = Loop::empty(dialect);
        looped.read(vectors, script, body, seen).then_some(looped)
    }

    /// A loop that is yet to be [read](Loop::read).
    #[inline(always)]
    pub(crate) fn empty(dialect: &'a Dialect) -> Loop<'a> {
        Loop {
            dialect,
            first: 0,
            close: 0,
            base: 0,
            ops: 0,
            move0: 0,
            move1: 0,
            writes: [Write::default(); MAX_WRITES],
            num_writes: 0,
            form: Form::Plain,
        }
    }

    /// As [`Loop::decode`], in place: moving a loop that was just written in parts takes longer than
    /// many a loop. If false, the loop must not be used.
    #[inline(always)]
    pub(crate) fn read(
        &mut self,
        vectors: impl Vectors,
        script: &Script,
        (first, close): (usize, usize),
        seen: &mut SeenLoops,
    ) -> bool {
        if first < script.first || close >= script.end() {
            return false;
        }
        let (start, end) = (script.index(vectors, first), script.index(vectors, close));
        let moved = |entry: usize| {
            [
                script.moved0[entry % LEN].wrapping_sub(script.moved0[start % LEN]),
                script.moved1[entry % LEN].wrapping_sub(script.moved1[start % LEN]),
            ]
        };
        self.num_writes = 0;
        let mut rest = script.events & !(!0 << end) & !0 << start;
        while rest != 0 {
            let entry = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if script.jumps_at[entry] != 0 || self.num_writes == MAX_WRITES {
                return false;
            }
            self.writes[self.num_writes] = Write {
                at: script.place[entry],
                ops: (entry + 1 - start) as u8,
                moved: moved(entry),
                from: (script.from1 >> entry & 1) as u8,
                to: (script.to1 >> entry & 1) as u8,
                add: script.add[entry],
            };
            self.num_writes += 1;
        }
        (self.first, self.close, self.base) = (first, close, 0);
        self.ops = (end + 1 - start) as u32;
        [self.move0, self.move1] = moved(end).map(|moved| usize::from(moved) % TAPE_LEN);
        self.find_form(script, (start, end), seen);
        true
    }

    /// Decide which form the loop has, whose body is from entry `start` of the script to its `]` at
    /// entry `end`.
    #[inline(always)]
    fn find_form(&mut self, script: &Script, entries: (usize, usize), seen: &mut SeenLoops) {
        let (move0, move1) = (self.move0, self.move1);
        let (copy, guard) = match self.writes() {
            [] => return self.form = Form::Scan,
            [write] if count::is_count(write, move0) => return self.form = Form::Count,
            [write] => match Copy::of(write, move0, move1) {
                Some(copy) => (copy, None),
                None => return self.form = Form::Plain,
            },
            writes => match seen.copy(writes, move0, move1) {
                Some((copy, guard)) => (*copy, Some(guard)),
                None => return self.form = Form::Plain,
            },
        };
        let nest = Nest::around(self.dialect, script, entries, copy, guard);
        self.form = match (nest, guard) {
            (Some(nest), _) => Form::Nest(nest),
            (None, Some(guard)) => Form::ClumsyCopy(copy, *guard),
            (None, None) => Form::Copy(copy),
        };
    }

    /// The same loop, all of it `base` places further on.
    #[inline(always)]
    pub(crate) fn at_base(&self, base: usize) -> Loop<'a> {
        Loop { base, ..*self }
    }

    /// Forget the nest around the loop unless `script` is still true of what lies between the two
    /// `]`. Of the loop, and of what lies before it, it is.
    #[inline(always)]
    pub(crate) fn forget_changed_nest(
        &mut self,
        vectors: impl Vectors,
        script: &Script,
        tape: &Tape,
    ) {
        if let Form::Nest(nest) = &self.form {
            let behind = self.close + 1..nest.end();
            if !script.is_true_of(vectors, self.dialect, tape, behind) {
                self.form = nest.inner();
            }
        }
    }

    /// What its form is called in a table.
    pub(crate) fn form_name(&self) -> &'static str {
        match self.form {
            Form::Scan => "scan",
            Form::Count => "count",
            Form::Copy(_) => "copy",
            Form::ClumsyCopy(..) => "clumsy copy",
            Form::Nest(_) => "nest",
            Form::Plain => "plain",
        }
    }

    /// Whether there is more to running it than one iteration after the other.
    pub(crate) fn has_closed_form(&self) -> bool {
        !matches!(self.form, Form::Plain)
    }

    /// Run whole iterations from the start of one, as many as `max_steps` cover; says
    /// also whether any byte may have changed its kind. `is_led`: whether all writes of an
    /// iteration have just been done.
    #[inline(always)]
    pub(crate) fn run(
        &self,
        vectors: impl Vectors,
        tape: &mut Tape,
        registers: &mut Registers,
        (max_steps, is_led): (u32, bool),
    ) -> (LoopExit, bool) {
        // A copy, which nobody else can see, stays in registers while iterations write to the tape.
        let mut at = *registers;
        let ended = self.run_from(vectors, tape, &mut at, (max_steps, is_led));
        *registers = at;
        ended
    }

    /// See [`Loop::run`].
    #[inline(always)]
    fn run_from(
        &self,
        vectors: impl Vectors,
        tape: &mut Tape,
        at: &mut Registers,
        (max_steps, is_led): (u32, bool),
    ) -> (LoopExit, bool) {
        let iterations = |at: &Registers| (max_steps - at.steps) / self.steps();
        let (mut is_led, mut dirty) = (is_led, false);
        let inner;
        let form = match &self.form {
            Form::Nest(nest) => {
                let (exit, changed) = nest.run(vectors, self, tape, at, (max_steps, is_led));
                if let Some(exit) = exit {
                    return (exit, changed);
                }
                (inner, is_led, dirty) = (nest.inner(), true, changed);
                &inner
            }
            form => form,
        };
        let counted = match form {
            Form::Count => self.counted_place(at),
            _ => None,
        };
        let (exit, changed) = match form {
            Form::Scan => (self.scan(vectors, tape, at, iterations(at)), false),
            Form::ClumsyCopy(copy, guard) => {
                let most = (iterations(at), is_led);
                self.iterate_clumsily(vectors, (copy, guard), tape, at, most)
            }
            form => {
                let copy = match form {
                    Form::Copy(copy) => Some(*copy),
                    _ => None,
                };
                match counted {
                    Some(place) => self.count(tape, at, iterations(at), place),
                    None => self.iterate(vectors, copy, tape, at, iterations(at)),
                }
            }
        };
        (exit, dirty | changed)
    }

    /// Steps of an iteration.
    #[inline(always)]
    fn steps(&self) -> u32 {
        (self.close + 1 - self.first) as u32
    }

    /// The writes of an iteration.
    #[inline(always)]
    fn writes(&self) -> &[Write] {
        &self.writes[..self.num_writes]
    }

    /// Account for so many whole iterations.
    #[inline(always)]
    fn advance(&self, at: &mut Registers, iterations: u32) {
        at.steps += iterations * self.steps();
        at.ops += iterations * self.ops;
        let moved = |head: usize, by: usize| (head + by * iterations as usize) % TAPE_LEN;
        at.head0 = moved(at.head0, self.move0);
        at.head1 = moved(at.head1, self.move1);
    }

    /// Whether the loop depends on what `place` means: its body, its `]`, and
    /// the `[` just before it.
    #[inline(always)]
    fn contains(&self, place: usize) -> bool {
        (self.base + self.first..=self.base + self.close + 1).contains(&(place + 1))
    }

    /// The places that [`Loop::contains`].
    #[inline(always)]
    fn own_places(&self) -> u128 {
        range(self.base + self.first - 1, self.base + self.close + 1)
    }

    /// Whether any byte of `tape` is null.
    #[inline(always)]
    fn finds_nulls(&self, vectors: impl Vectors, tape: &Tape) -> bool {
        vectors.equal(&vectors.load(tape, self.dialect.significant_bits()), 0) != 0
    }
}
