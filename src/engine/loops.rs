//! Loops of the BFF family without brackets inside: what a lap does, decoded
//! once, and closed forms for many laps at a time.
//!
//! A loop goes from behind its `[` (or wherever its `]` jumps) to that `]`. As
//! long as no byte of it changes its kind, every lap does the same: so many
//! steps and ops, the same writes at places relative to the heads, the same net
//! move of both heads, and then the test of the byte at head 0.

use super::masks::{Masks, range};
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
    at: usize,
    /// The heads there, counted from those at the start of the lap.
    head0: usize,
    head1: usize,
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
    #[inline]
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
                at,
                head0,
                head1,
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

    /// Run whole laps from the start of one, as many as `max_steps` cover.
    #[inline]
    pub fn run(
        &self,
        masks: &mut Masks,
        tape: &mut Tape,
        at: &mut Progress,
        max_steps: u32,
    ) -> Left {
        let laps = (max_steps - at.steps) / self.lap_steps();
        match &self.writes[..self.num_writes] {
            [] => self.run_unwriting(tape, at, laps),
            _ => self.run_writing(masks, tape, at, laps),
        }
    }

    /// Without writes, the first null along head 0's stride ends the loop.
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

    fn run_writing(
        &self,
        masks: &mut Masks,
        tape: &mut Tape,
        at: &mut Progress,
        laps: u32,
    ) -> Left {
        // Laps after which both heads are where they were.
        let period = TAPE_LEN as u32 >> (self.move0 | self.move1 | TAPE_LEN).trailing_zeros();
        let copy = self.as_copy();
        let mut left = laps;
        let mut unchanged = 0;
        while left > 0 {
            if let Some(copy) = &copy {
                let block = copy.block(self, masks, tape, at, left);
                if block.laps > 0 {
                    self.advance(at, block.laps);
                    left -= block.laps;
                    if block.found_null {
                        return Left::Done;
                    }
                    unchanged = if block.changed { 0 } else { unchanged + block.laps };
                    if unchanged >= period {
                        break;
                    }
                    continue;
                }
            }
            let mut changed = false;
            for write in &self.writes[..self.num_writes] {
                let head0 = (at.head0 + write.head0) % TAPE_LEN;
                let head1 = (at.head1 + write.head1) % TAPE_LEN;
                let (place, new) = match write.op {
                    Op::Increment => (head0, tape[head0].wrapping_add(1)),
                    Op::Decrement => (head0, tape[head0].wrapping_sub(1)),
                    Op::CopyTo1 => (head1, tape[head0]),
                    _ => (head0, tape[head1]),
                };
                let old = std::mem::replace(&mut tape[place], new);
                if old == new {
                    continue;
                }
                changed = true;
                let (old, new) = (self.dialect.op(old), self.dialect.op(new));
                if old == new {
                    continue;
                }
                // Places before this write have had their turn in this lap,
                // but their turn comes again: the loop is another from now on.
                if self.spans(place) {
                    let done = range(self.first, write.at + 1);
                    at.steps += (write.at + 1 - self.first) as u32;
                    at.ops += masks.ops_in(done);
                    let (move0, move1) = masks.moves_in(done);
                    at.head0 = at.head0.wrapping_add(move0) % TAPE_LEN;
                    at.head1 = at.head1.wrapping_add(move1) % TAPE_LEN;
                    masks.put(self.dialect, place, new);
                    return Left::Rewritten { next: write.at + 1 };
                }
                masks.put(self.dialect, place, new);
            }
            self.advance(at, 1);
            left -= 1;
            if self.dialect.is_null(tape[at.head0]) {
                return Left::Done;
            }
            unchanged = if changed { 0 } else { unchanged + 1 };
            if unchanged >= period {
                break;
            }
        }
        // Settled, or out of steps: from here on every lap changes nothing.
        self.advance(at, left);
        Left::OutOfSteps
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
        match write.op {
            Op::CopyTo1 => Some(Copy {
                to_head1: true,
                head0: write.head0,
                head1: write.head1,
                move0,
                move1,
            }),
            Op::CopyTo0 => Some(Copy {
                to_head1: false,
                head0: write.head0,
                head1: write.head1,
                move0,
                move1,
            }),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stride {
    Up,
    Down,
}

/// Places one after the other, a lap apart.
#[derive(Clone, Copy)]
struct Track {
    start: usize,
    stride: Stride,
}

impl Track {
    /// Laps until the track wraps around the tape.
    #[inline(always)]
    fn room(self) -> usize {
        match self.stride {
            Stride::Up => TAPE_LEN - self.start,
            Stride::Down => self.start + 1,
        }
    }

    /// The place of a lap before the wrap.
    #[inline(always)]
    fn at(self, lap: usize) -> usize {
        match self.stride {
            Stride::Up => self.start + lap,
            Stride::Down => self.start - lap,
        }
    }

    /// Laps before the track reaches a place from `first` to `last`.
    #[inline(always)]
    fn laps_before(self, first: usize, last: usize) -> usize {
        match self.stride {
            Stride::Up if self.start <= last => first.saturating_sub(self.start),
            Stride::Down if self.start >= first => self.start.saturating_sub(last),
            _ => usize::MAX,
        }
    }

    /// How far along this track's stride `other` starts, modulo 128.
    #[inline(always)]
    fn distance_to(self, other: Track) -> usize {
        match self.stride {
            Stride::Up => other.start.wrapping_sub(self.start) % TAPE_LEN,
            Stride::Down => self.start.wrapping_sub(other.start) % TAPE_LEN,
        }
    }

    /// Laps before this track reads what `written` wrote in an earlier lap or,
    /// with `same_lap`, up to the same one; right for up to 64 laps.
    #[inline(always)]
    fn laps_before_reading(self, written: Track, same_lap: bool) -> usize {
        let distance = self.distance_to(written);
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
struct Block {
    laps: u32,
    changed: bool,
    found_null: bool,
}

impl Copy {
    /// Do as many laps at once as read nothing that they write, stay clear of
    /// the wrap and of the loop itself; maybe none.
    #[inline(always)]
    fn block(
        &self,
        whole: &Loop<'_>,
        masks: &mut Masks,
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
        let tests_copied =
            test.stride == target.stride && test.start == target.start;
        let mut laps = BLOCK
            .min(left as usize)
            .min(source.room())
            .min(target.room())
            .min(source.laps_before_reading(target, false))
            .min(target.laps_before(whole.first.saturating_sub(1), whole.close));
        if !tests_copied {
            laps = laps
                .min(test.room())
                .min(test.laps_before_reading(target, true));
        }
        let tested = if tests_copied { source } else { test };
        let null = (0..laps).find(|lap| whole.dialect.is_null(tape[tested.at(*lap)]));
        if let Some(lap) = null {
            laps = lap + 1;
        }
        let mut changed = false;
        for lap in 0..laps {
            let new = tape[source.at(lap)];
            let place = target.at(lap);
            let old = std::mem::replace(&mut tape[place], new);
            if old != new {
                changed = true;
                let (old, new) = (whole.dialect.op(old), whole.dialect.op(new));
                if old != new {
                    masks.put(whole.dialect, place, new);
                }
            }
        }
        Block {
            laps: laps as u32,
            changed,
            found_null: null.is_some(),
        }
    }
}
