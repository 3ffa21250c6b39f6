//! Loops of the BFF family without brackets inside: what a lap does, decoded
//! once, and closed forms for many laps at a time.
//!
//! A loop goes from behind its `[` (or wherever its `]` jumps) to that `]`. As
//! long as no byte of it changes its kind, every lap does the same: so many
//! steps and ops, the same writes at places relative to the heads, the same net
//! move of both heads, and then the test of the byte at head 0.

use super::masks::{HalfMasks, Masks, range};
use super::vectors::{Stride, Track, Vectors};
use crate::language::bff::{Dialect, Op};
use crate::language::{TAPE_LEN, Tape};

/// Writes of a lap beyond which a loop is not decoded.
const MAX_WRITES: usize = 24;

/// Laps that a block copies at most.
const BLOCK: usize = 64;

/// A write of a lap.
#[derive(Clone, Copy, Debug)]
struct Write {
    op: Op,
    /// Its place on the tape.
    at: u8,
    /// The heads there, counted from those at the start of the lap, modulo 128.
    head0: u8,
    head1: u8,
}

/// A loop, decoded.
pub struct Loop<'a> {
    dialect: &'a Dialect,
    /// First place of the body, and that of the `]`.
    first: usize,
    close: usize,
    /// Ops of a lap.
    ops: u32,
    /// Net moves of the heads in a lap, modulo 128.
    move0: usize,
    move1: usize,
    writes: [Write; MAX_WRITES],
    num_writes: usize,
}

/// A running tape between two laps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub head0: usize,
    pub head1: usize,
    pub steps: u32,
    pub ops: u32,
}

impl Progress {
    /// Move the heads by what [`Masks::moves_in`] says.
    #[inline(always)]
    pub fn move_heads(&mut self, (move0, move1): (usize, usize)) {
        self.head0 = self.head0.wrapping_add(move0) % TAPE_LEN;
        self.head1 = self.head1.wrapping_add(move1) % TAPE_LEN;
    }
}

impl Progress {
    /// The heads after the places in `range` have had their turn.
    #[inline(always)]
    pub fn heads_after(&self, half: &HalfMasks, range: u64) -> (usize, usize) {
        let mut moved = *self;
        moved.move_heads(half.moves_in(range));
        (moved.head0, moved.head1)
    }

    /// Account for the steps of the places in `range`.
    #[inline(always)]
    pub fn account(&mut self, half: &HalfMasks, range: u64) {
        self.steps += range.count_ones();
        self.ops += (half.ops & range).count_ones();
        self.move_heads(half.moves_in(range));
    }
}

/// How laps came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The test found null: the run goes on behind the `]`.
    Done,
    /// The steps do not cover another lap, which is yet to be begun.
    OutOfSteps,
    /// A write changed what a byte of the loop means. The run goes on behind
    /// that write, in the midst of a lap.
    Rewritten { next: usize },
}

impl<'a> Loop<'a> {
    /// Decode the loop that runs from `first` to the `]` at `close`, where
    /// there are no brackets in between; `None` where it has too many writes.
    #[inline(always)]
    pub fn decode(
        dialect: &'a Dialect,
        masks: &Masks,
        tape: &Tape,
        first: usize,
        close: usize,
    ) -> Option<Loop<'a>> {
        let body = range(first, close + 1);
        let (move0, move1) = masks.moves_in(body);
        let mut writes = [Write {
            op: Op::Noop,
            at: 0,
            head0: 0,
            head1: 0,
        }; MAX_WRITES];
        let mut num_writes = 0;
        let mut rest = masks.writes & body;
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            let (head0, head1) = masks.moves_in(range(first, at));
            *writes.get_mut(num_writes)? = Write {
                op: dialect.op(tape[at]),
                at: at as u8,
                head0: (head0 % TAPE_LEN) as u8,
                head1: (head1 % TAPE_LEN) as u8,
            };
            num_writes += 1;
            rest &= rest - 1;
        }
        Some(Loop {
            dialect,
            first,
            close,
            ops: masks.ops_in(body),
            move0: move0 % TAPE_LEN,
            move1: move1 % TAPE_LEN,
            writes,
            num_writes,
        })
    }

    /// Steps of a lap.
    fn lap_steps(&self) -> u32 {
        (self.close + 1 - self.first) as u32
    }

    /// Account for so many whole laps.
    #[inline(always)]
    fn advance(&self, at: &mut Progress, laps: u32) {
        at.steps += laps * self.lap_steps();
        at.ops += laps * self.ops;
        let moved = |head: usize, by: usize| (head + by * laps as usize) % TAPE_LEN;
        at.head0 = moved(at.head0, self.move0);
        at.head1 = moved(at.head1, self.move1);
    }

    /// Run whole laps from the start of one, as many as `max_steps` cover; says
    /// also whether any byte may have changed its kind.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    pub unsafe fn run<V: Vectors>(
        &self,
        masks: &Masks,
        tape: &mut Tape,
        at: &mut Progress,
        max_steps: u32,
    ) -> (Left, bool) {
        let laps = (max_steps - at.steps) / self.lap_steps();
        if self.num_writes == 0 {
            return (self.run_unwriting(tape, at, laps), false);
        }
        let mut stale = false;
        // SAFETY: the caller's promise.
        let left = unsafe { self.run_writing::<V>(masks, tape, at, laps, &mut stale) };
        (left, stale)
    }

    /// Without writes, the first null along head 0's stride ends the loop.
    #[inline(always)]
    fn run_unwriting(&self, tape: &Tape, at: &mut Progress, laps: u32) -> Left {
        // The stride comes back to where it began after at most 128 laps.
        let mut head = at.head0;
        for lap in 1..=laps.min(TAPE_LEN as u32) {
            head = (head + self.move0) % TAPE_LEN;
            if self.dialect.is_null(tape[head]) {
                self.advance(at, lap);
                return Left::Done;
            }
            if head == at.head0 {
                break;
            }
        }
        self.advance(at, laps);
        Left::OutOfSteps
    }

    /// Sets `stale` where the masks no longer hold outside the loop; inside
    /// they hold for as long as it runs.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn run_writing<V: Vectors>(
        &self,
        masks: &Masks,
        tape: &mut Tape,
        at: &mut Progress,
        laps: u32,
        stale: &mut bool,
    ) -> Left {
        // Laps after which both heads are where they were.
        let period = TAPE_LEN as u32 >> (self.move0 | self.move1 | TAPE_LEN).trailing_zeros();
        let copy = self.as_copy();
        let mut left = laps;
        let mut unchanged = 0;
        // Once a period has changed nothing, nothing ever will.
        while left > 0 && unchanged < period {
            let block = match &copy {
                // SAFETY: the caller's promise.
                Some(copy) => unsafe { copy.block::<V>(self, tape, at, left) },
                None => Block::default(),
            };
            let (laps, changed) = if block.laps > 0 {
                *stale |= block.changed;
                (block.laps, block.changed)
            } else {
                match self.write_lap(tape, at, stale) {
                    Ok(changed) => (1, changed),
                    Err(last) => {
                        let done = range(self.first, last + 1);
                        at.steps += (last + 1 - self.first) as u32;
                        at.ops += masks.ops_in(done);
                        at.move_heads(masks.moves_in(done));
                        return Left::Rewritten { next: last + 1 };
                    }
                }
            };
            self.advance(at, laps);
            left -= laps;
            if self.dialect.is_null(tape[at.head0]) {
                return Left::Done;
            }
            unchanged = if changed { 0 } else { unchanged + laps };
        }
        self.advance(at, left);
        Left::OutOfSteps
    }

    /// Do the writes of a lap; whether they changed any byte, or the place of
    /// the write that changed what a byte of the loop means, the last one done.
    #[inline(always)]
    fn write_lap(&self, tape: &mut Tape, at: &Progress, stale: &mut bool) -> Result<bool, usize> {
        let mut changed = false;
        for write in &self.writes[..self.num_writes] {
            let head0 = (at.head0 + usize::from(write.head0)) % TAPE_LEN;
            let head1 = (at.head1 + usize::from(write.head1)) % TAPE_LEN;
            let (place, new) = match write.op {
                Op::Increment => (head0, tape[head0].wrapping_add(1)),
                Op::Decrement => (head0, tape[head0].wrapping_sub(1)),
                Op::CopyTo1 => (head1, tape[head0]),
                _ => (head0, tape[head1]),
            };
            let old = std::mem::replace(&mut tape[place], new);
            changed |= old != new;
            if self.dialect.op(old) != self.dialect.op(new) {
                *stale = true;
                if self.spans(place) {
                    return Err(usize::from(write.at));
                }
            }
        }
        Ok(changed)
    }

    /// Whether the loop depends on what `place` means: its body, its `]`, and
    /// the `[` just before it.
    #[inline(always)]
    fn spans(&self, place: usize) -> bool {
        (self.first..=self.close + 1).contains(&(place + 1))
    }

    /// The loop as one copy that goes along the tape, where it is one.
    #[inline(always)]
    fn as_copy(&self) -> Option<Copy> {
        let stride = |by: usize| match by {
            1 => Some(Stride::Up),
            127 => Some(Stride::Down),
            _ => None,
        };
        let (move0, move1) = (stride(self.move0)?, stride(self.move1)?);
        let write = match &self.writes[..self.num_writes] {
            [write] => write,
            _ => return None,
        };
        let to_head1 = match write.op {
            Op::CopyTo1 => true,
            Op::CopyTo0 => false,
            _ => return None,
        };
        Some(Copy {
            to_head1,
            head0: usize::from(write.head0),
            head1: usize::from(write.head1),
            move0,
            move1,
        })
    }
}

impl Track {
    /// Laps before this track reads what `written` wrote in an earlier lap or,
    /// with `same_lap`, up to the same one; right for up to 64 laps.
    #[inline(always)]
    fn laps_before_reading(self, written: Track, same_lap: bool) -> usize {
        let distance = self.lap_of(written.start);
        if self.stride == written.stride {
            // Lap k reads what lap k - distance wrote.
            match distance {
                0 if same_lap => 0,
                0 => usize::MAX,
                _ => distance,
            }
        } else {
            // Lap k reads what lap distance - k wrote.
            match distance {
                _ if same_lap => distance.div_ceil(2),
                0 => usize::MAX,
                _ => distance / 2 + 1,
            }
        }
    }
}

/// A loop that copies one byte a lap, both heads moving by one.
struct Copy {
    to_head1: bool,
    /// The heads at the copy, counted from those at the start of the lap.
    head0: usize,
    head1: usize,
    move0: Stride,
    move1: Stride,
}

/// Laps of a copy loop, done at once.
#[derive(Default)]
struct Block {
    laps: u32,
    changed: bool,
}

impl Copy {
    /// Do as many laps at once as read nothing that they write and leave the
    /// loop itself as it is, the one that finds a null the last; maybe none.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn block<V: Vectors>(
        &self,
        whole: &Loop<'_>,
        tape: &mut Tape,
        at: &Progress,
        left: u32,
    ) -> Block {
        let track = |start: usize, stride| Track {
            start: start % TAPE_LEN,
            stride,
        };
        let track0 = track(at.head0 + self.head0, self.move0);
        let track1 = track(at.head1 + self.head1, self.move1);
        let (source, target) = match self.to_head1 {
            true => (track0, track1),
            false => (track1, track0),
        };
        let test = track(at.head0 + whole.move0, self.move0);
        // `[<,}]`: the test is of the byte that was just copied.
        let tests_copied = test.stride == target.stride && test.start == target.start;
        let mut laps = BLOCK
            .min(left as usize)
            .min(source.laps_before_reading(target, false));
        if !tests_copied {
            laps = laps.min(test.laps_before_reading(target, true));
        }
        if laps == 0 {
            return Block::default();
        }
        let tested = if tests_copied { source } else { test };
        let mask = whole.dialect.significant_bits();
        // SAFETY: the caller's promise.
        let null = unsafe { V::first_null(tape, tested, mask, laps) };
        if let Some(lap) = null {
            laps = lap + 1;
        }
        let own = range(whole.first - 1, whole.close + 1);
        // SAFETY: the caller's promise.
        let (laps, changed) = unsafe { V::copy(tape, source, target, laps, own) };
        Block {
            laps: laps as u32,
            changed,
        }
    }
}
