//! Loops of the BFF family without brackets inside: what a lap does, decoded
//! once, and closed forms for many laps at a time.
//!
//! A loop goes from behind its `[` (or wherever its `]` jumps) to that `]`. As
//! long as no byte of it changes its kind, every lap does the same: so many
//! steps and ops, the same writes at places relative to the heads, the same net
//! move of both heads, and then the test of the byte at head 0.

use super::script::{LEN, Script};
use crate::engine::places::{below, range};
use crate::engine::simd::vectors::{Stride, Track, Vectors};
use crate::language::bff::{Brackets, Class, Dialect};
use crate::language::{TAPE_LEN, Tape};

/// Writes of a lap beyond which a loop is not decoded.
const MAX_WRITES: usize = 24;

/// Laps that a block copies at most.
const BLOCK: usize = 64;

/// A write of a lap: the byte at one head, plus something, goes to a head.
#[derive(Clone, Copy, Debug, Default)]
struct Write {
    /// Its place on the tape, and the ops of a lap up to it.
    at: u8,
    ops: u8,
    /// The heads there, counted from those at the start of the lap.
    moved: [u8; 2],
    from: u8,
    to: u8,
    add: u8,
}

/// A loop, decoded.
pub struct Loop<'a> {
    dialect: &'a Dialect,
    /// First place of the body, and that of the `]`; these and all other places
    /// are counted from `base`.
    first: usize,
    close: usize,
    base: usize,
    /// Ops of a lap.
    ops: u32,
    /// Net moves of the heads in a lap, modulo 128.
    move0: usize,
    move1: usize,
    writes: [Write; MAX_WRITES],
    num_writes: usize,
    nest: Option<Nest>,
}

/// What is around a loop that copies to head 0 and then moves it: a loop that, once
/// the inner one has found a null, only makes another byte of it. The next lap of
/// the inner loop writes over that byte. `[[,}<]-]` is such a nest.
#[derive(Clone, Copy, Debug)]
struct Nest {
    /// Places of its `[` and `]`, counted like those of the loop.
    open: u8,
    close: u8,
    /// Steps and ops from one `]` of the inner loop to behind its `[`.
    steps: u8,
    ops: u8,
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

impl Write {
    /// The heads at this write of a lap that begins at `at`.
    #[inline(always)]
    fn heads(&self, at: &Progress) -> [usize; 2] {
        [
            (at.head0 + usize::from(self.moved[0])) % TAPE_LEN,
            (at.head1 + usize::from(self.moved[1])) % TAPE_LEN,
        ]
    }
}

impl<'a> Loop<'a> {
    /// Decode the loop that runs from `first` to the `]` at `close`; `None` where
    /// `script` does not tell of it, where there are brackets in between, or too
    /// many writes.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    pub unsafe fn decode<V: Vectors>(
        dialect: &'a Dialect,
        script: &Script,
        first: usize,
        close: usize,
    ) -> Option<Loop<'a>> {
        if first < script.first || close >= script.end() {
            return None;
        }
        // SAFETY: the caller's promise.
        let (start, end) = unsafe { (script.index::<V>(first), script.index::<V>(close)) };
        let moved = |entry: usize| {
            [
                script.moved0[entry % LEN].wrapping_sub(script.moved0[start % LEN]),
                script.moved1[entry % LEN].wrapping_sub(script.moved1[start % LEN]),
            ]
        };
        let mut writes = [Write::default(); MAX_WRITES];
        let mut num_writes = 0;
        let mut rest = script.events & !(!0 << end) & !0 << start;
        while rest != 0 {
            let entry = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if script.jumps_at[entry] != 0 {
                return None;
            }
            *writes.get_mut(num_writes)? = Write {
                at: script.place[entry],
                ops: (entry + 1 - start) as u8,
                moved: moved(entry),
                from: (script.from1 >> entry & 1) as u8,
                to: (script.to1 >> entry & 1) as u8,
                add: script.add[entry],
            };
            num_writes += 1;
        }
        let [move0, move1] = moved(end).map(|moved| usize::from(moved) % TAPE_LEN);
        let nest = match &writes[..num_writes] {
            // A copy to head 0, before that has moved.
            [write] if write.from == 1 && write.to == 0 && write.moved[0] == 0 => {
                Nest::around(dialect, script, start, end)
            }
            _ => None,
        };
        Some(Loop {
            dialect,
            first,
            close,
            base: 0,
            ops: (end + 1 - start) as u32,
            move0,
            move1,
            writes,
            num_writes,
            nest,
        })
    }

    /// The same loop, all of it `base` places further on.
    #[inline(always)]
    pub fn at_base(&self, base: usize) -> Loop<'a> {
        Loop { base, ..*self }
    }

    /// Forget what lies around the loop: it may have changed.
    #[inline(always)]
    pub fn forget_nest(&mut self) {
        self.nest = None;
    }

    /// Whether there is more to running it than lap after lap: it writes nothing,
    /// counts, or copies along the tape.
    pub fn has_closed_form(&self) -> bool {
        match &self.writes[..self.num_writes] {
            [] => true,
            [write] => {
                write.from == 0 && write.to == 0 && self.move0 == 0 || self.as_copy().is_some()
            }
            _ => false,
        }
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
        tape: &mut Tape,
        at: &mut Progress,
        max_steps: u32,
    ) -> (Left, bool) {
        let laps = (max_steps - at.steps) / self.lap_steps();
        if self.num_writes == 0 {
            // SAFETY: the caller's promise.
            return (unsafe { self.run_unwriting::<V>(tape, at, laps) }, false);
        }
        if let Some(place) = self.counted_place(at) {
            return self.count(tape, at, laps, place);
        }
        let mut stale = false;
        if let Some(nest) = &self.nest
            && let Some(copy) = self.as_copy()
        {
            // SAFETY: the caller's promise.
            let left = unsafe { self.run_nest::<V>(nest, &copy, tape, at, max_steps, &mut stale) };
            if let Some(left) = left {
                return (left, stale);
            }
        }
        let laps = (max_steps - at.steps) / self.lap_steps();
        // SAFETY: the caller's promise.
        let left = unsafe { self.run_writing::<V>(tape, at, laps, &mut stale) };
        (left, stale)
    }

    /// Without writes, the first null along head 0's stride ends the loop.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn run_unwriting<V: Vectors>(&self, tape: &Tape, at: &mut Progress, laps: u32) -> Left {
        // SAFETY: the caller's promise.
        let nulls = unsafe { V::equal(&V::load(tape, self.dialect.significant_bits()), 0) };
        match first_lap_on(nulls, at.head0, self.move0) {
            Some(lap) if lap <= laps => {
                self.advance(at, lap);
                Left::Done
            }
            _ => {
                self.advance(at, laps);
                Left::OutOfSteps
            }
        }
    }

    /// The place that the loop counts up or down, where that is all it does and
    /// the loop itself does not depend on it: `[-]` and its like.
    #[inline(always)]
    fn counted_place(&self, at: &Progress) -> Option<usize> {
        match &self.writes[..self.num_writes] {
            [write] if write.from == 0 && write.to == 0 && self.move0 == 0 => {
                let [place, _] = write.heads(at);
                (!self.spans(place)).then_some(place)
            }
            _ => None,
        }
    }

    /// Count laps at `place`, until it is null or for ever.
    #[inline(always)]
    fn count(&self, tape: &mut Tape, at: &mut Progress, laps: u32, place: usize) -> (Left, bool) {
        let old = tape[place];
        let add = self.writes[0].add;
        // From 1 to all values that the dialect tells apart.
        let to_null = if add == 1 { old.wrapping_neg() } else { old };
        let mask = self.dialect.significant_bits();
        let to_null = u32::from(to_null.wrapping_sub(1) & mask) + 1;
        let (laps, left) = match place == at.head0 && to_null <= laps {
            true => (to_null, Left::Done),
            false => (laps, Left::OutOfSteps),
        };
        self.advance(at, laps);
        tape[place] = old.wrapping_add(add.wrapping_mul(laps as u8));
        let change = self.dialect.class(old).bits() ^ self.dialect.class(tape[place]).bits();
        (left, change & Class::COMMAND != 0)
    }

    /// Sets `stale` where a byte outside the loop may mean something else now;
    /// inside none does for as long as it runs.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn run_writing<V: Vectors>(
        &self,
        tape: &mut Tape,
        at: &mut Progress,
        laps: u32,
        stale: &mut bool,
    ) -> Left {
        // Laps after which both heads are where they were.
        let period = TAPE_LEN as u32 >> (self.move0 | self.move1 | TAPE_LEN).trailing_zeros();
        let copy = self.as_copy();
        let laps_to_mirror = match &copy {
            Some(copy) => copy.laps_to_mirror(at),
            None => u32::MAX,
        };
        // A copy makes no null where there is none.
        // SAFETY: the caller's promise.
        let mut has_nulls = copy.is_none() || unsafe { self.finds_nulls::<V>(tape) };
        let mut left = laps;
        let mut unchanged = 0;
        // Once a period has changed nothing, nothing ever will.
        while left > 0 && unchanged < period {
            if laps - left >= laps_to_mirror {
                // Nothing changes any more, and without a null there is no end.
                // SAFETY: the caller's promise.
                has_nulls = has_nulls && unsafe { self.finds_nulls::<V>(tape) };
                if !has_nulls {
                    break;
                }
            }
            let block = match &copy {
                // SAFETY: the caller's promise.
                Some(copy) => unsafe { copy.block::<V>(self, tape, at, left, has_nulls) },
                None => Block::default(),
            };
            let (laps, changed) = if block.laps > 0 {
                *stale |= block.changed;
                (block.laps, block.changed)
            } else {
                match self.write_lap(tape, at, stale) {
                    Ok(changed) => (1, changed),
                    Err(last) => {
                        let next = usize::from(last.at) + 1;
                        at.steps += (next - self.first) as u32;
                        let next = self.base + next;
                        at.ops += u32::from(last.ops);
                        [at.head0, at.head1] = last.heads(at);
                        // A copy may move head 1.
                        at.head1 += usize::from(self.dialect.copy_moves() && last.from == 1);
                        at.head1 %= TAPE_LEN;
                        return Left::Rewritten { next };
                    }
                }
            };
            self.advance(at, laps);
            left -= laps;
            if has_nulls && self.dialect.is_null(tape[at.head0]) {
                return Left::Done;
            }
            unchanged = if changed { 0 } else { unchanged + laps };
        }
        self.advance(at, left);
        Left::OutOfSteps
    }

    /// Whether any byte of `tape` is null.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn finds_nulls<V: Vectors>(&self, tape: &Tape) -> bool {
        // SAFETY: the caller's promise.
        unsafe { V::equal(&V::load(tape, self.dialect.significant_bits()), 0) != 0 }
    }

    /// Run laps of a loop that copies, and of the nest that it is in, for as long as
    /// none of them meets the nest's own code or a byte that it has just made.
    /// Nothing if the run is at the start of a lap of which that cannot be said.
    ///
    /// A null that a lap finds only costs the nest's steps and ops: what the nest
    /// makes of it is written over by the next lap.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn run_nest<V: Vectors>(
        &self,
        nest: &Nest,
        copy: &Copy,
        tape: &mut Tape,
        at: &mut Progress,
        max_steps: u32,
        stale: &mut bool,
    ) -> Option<Left> {
        let own = range(
            self.base + usize::from(nest.open),
            self.base + usize::from(nest.close) + 1,
        );
        let mask = self.dialect.significant_bits();
        let (lap_steps, nest_steps) = (self.lap_steps(), u32::from(nest.steps));
        let laps_to_mirror = copy.laps_to_mirror(at);
        // All laps, and the last ones, in which nothing has changed.
        let (mut all, mut unchanged) = (0, 0);
        loop {
            let (source, target) = copy.tracks(at);
            if source == target {
                return None;
            }
            let test = Track {
                start: (at.head0 + self.move0) % TAPE_LEN,
                ..target
            };
            let left = max_steps - at.steps;
            let is_settled = all >= laps_to_mirror || unchanged >= TAPE_LEN as u32;
            // SAFETY: the caller's promise.
            let nulls = unsafe {
                let nulls = u128::from(V::null_laps(tape, test, mask));
                match is_settled {
                    true => {
                        let half = Track {
                            start: test.at(TAPE_LEN / 2),
                            ..test
                        };
                        nulls | u128::from(V::null_laps(tape, half, mask)) << (TAPE_LEN / 2)
                    }
                    false => nulls,
                }
            };
            let steps = |laps: usize| {
                laps as u32 * lap_steps + (nulls & below(laps)).count_ones() * nest_steps
            };
            let mut laps = BLOCK;
            if is_settled {
                // From now on each time around is like the one before.
                let round = steps(TAPE_LEN);
                let rounds = left / round;
                at.steps += rounds * round;
                let ops = TAPE_LEN as u32 * self.ops + nulls.count_ones() * u32::from(nest.ops);
                at.ops += rounds * ops;
                laps = TAPE_LEN - 1;
            } else {
                laps = laps.min(source.laps_before_reading(target, false));
                // Where a byte is copied to itself, it keeps what the nest made of it.
                let itself = source.lap_of(target.start) / 2;
                for lap in [itself, itself + TAPE_LEN / 2] {
                    let copies_itself = source.at(lap) == target.at(lap);
                    if copies_itself && lap > 0 && nulls >> (lap - 1) & 1 == 1 {
                        laps = laps.min(lap);
                    }
                }
            }
            let left = max_steps - at.steps;
            while steps(laps) > left {
                let over = steps(laps) - left;
                laps -= over.div_ceil(lap_steps + nest_steps).max(1) as usize;
            }
            // What the nest makes of a null must not be there in between.
            while laps > 0 && nulls >> (laps - 1) & 1 == 1 {
                laps -= 1;
            }
            if laps == 0 {
                return None;
            }
            let mut done = laps;
            if !is_settled {
                // SAFETY: the caller's promise.
                let (laps, changed) = unsafe { V::copy(tape, source, target, laps, own) };
                if laps == 0 {
                    return None;
                }
                *stale |= changed;
                unchanged = if changed { 0 } else { unchanged + laps as u32 };
                all += laps as u32;
                done = laps;
            }
            // The last lap may have found a null, behind which the nest goes on.
            let last_is_null = nulls >> (done - 1) & 1 == 1;
            let nests = (nulls & below(done)).count_ones() - u32::from(last_is_null);
            self.advance(at, done as u32);
            at.steps += nests * nest_steps;
            at.ops += nests * u32::from(nest.ops);
            if last_is_null {
                return Some(Left::Done);
            }
            if is_settled {
                // Less than a time around is left, or a null is next.
                return None;
            }
        }
    }

    /// Do the writes of a lap; whether they changed any byte, or the write that
    /// changed what a byte of the loop means, the last one done.
    #[inline(always)]
    fn write_lap(&self, tape: &mut Tape, at: &Progress, stale: &mut bool) -> Result<bool, &Write> {
        let mut changed = false;
        for write in &self.writes[..self.num_writes] {
            let heads = write.heads(at);
            let place = heads[usize::from(write.to % 2)];
            let new = tape[heads[usize::from(write.from % 2)]].wrapping_add(write.add);
            let old = std::mem::replace(&mut tape[place], new);
            changed |= old != new;
            let change = self.dialect.class(old).bits() ^ self.dialect.class(new).bits();
            if change & Class::COMMAND != 0 {
                *stale = true;
                if self.spans(place) {
                    return Err(write);
                }
            }
        }
        Ok(changed)
    }

    /// Whether the loop depends on what `place` means: its body, its `]`, and
    /// the `[` just before it.
    #[inline(always)]
    fn spans(&self, place: usize) -> bool {
        (self.base + self.first..=self.base + self.close + 1).contains(&(place + 1))
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
        if write.from == write.to {
            return None;
        }
        let [head0, head1] = write.moved.map(usize::from);
        Some(Copy {
            to_head1: write.to == 1,
            head0,
            head1,
            move0,
            move1,
        })
    }
}

impl Nest {
    /// The nest around the loop whose body is from entry `start` of the script to
    /// its `]` at entry `end`, if it is one.
    #[inline(always)]
    fn around(dialect: &Dialect, script: &Script, start: usize, end: usize) -> Option<Nest> {
        // Only where brackets have partners does a loop lie in another.
        if dialect.brackets() != Brackets::Match || start < 2 {
            return None;
        }
        let is_open = |entry: usize| script.jumps_at[entry % LEN] == Class::NULL;
        if !is_open(start - 1) || !is_open(start - 2) {
            return None;
        }
        let mut add = 0u8;
        for entry in end + 1..script.len.min(end + 8) {
            if script.jumps_at[entry] == Class::SET {
                let [open, inner] = [start - 2, start - 1].map(|entry| script.place[entry]);
                let [inner_close, close] = [end, entry].map(|entry| script.place[entry]);
                let is_null = dialect.is_null(add);
                return (!is_null).then_some(Nest {
                    open,
                    close,
                    steps: (close - inner_close) + (inner - open),
                    ops: (entry - end) as u8 + 1,
                });
            }
            // Adds alone: no bracket, no copy, no move.
            if script.add[entry] == 0 {
                return None;
            }
            // What becomes of a null, whatever its other bits, is no command.
            add = add.wrapping_add(script.add[entry]);
            if dialect.class(add).bits() & Class::COMMAND != 0 {
                return None;
            }
        }
        None
    }
}

/// The first lap, from 1 on, at which a head that starts at `start` and moves by
/// `stride` a lap comes to one of `places`.
#[inline(always)]
fn first_lap_on(places: u128, start: usize, stride: usize) -> Option<u32> {
    // lap * stride = distance, modulo 128. With stride = odd * 2^zeros there is
    // an answer for multiples of 2^zeros only, and it repeats after `period`.
    let zeros = (stride | TAPE_LEN).trailing_zeros();
    let period = TAPE_LEN as u32 >> zeros;
    let odd = (stride >> zeros) as u32;
    // Newton's method: right to 3 bits, to 6, to 12.
    let mut inverse = odd;
    for _ in 0..2 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    let mut first = None;
    // By distance from the start.
    let mut rest = places.rotate_right(start as u32);
    while rest != 0 {
        let distance = rest.trailing_zeros();
        rest &= rest - 1;
        if distance & ((1 << zeros) - 1) == 0 {
            let lap = (distance >> zeros).wrapping_mul(inverse).wrapping_sub(1) % period + 1;
            if first.is_none_or(|first| lap < first) {
                first = Some(lap);
            }
        }
    }
    first
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
    /// Where the heads go opposite ways, every lap makes one place the mirror
    /// image of another. From where they cross, 64 laps do so for all places, and
    /// copying changes nothing from then on: the laps to there.
    #[inline(always)]
    fn laps_to_mirror(&self, at: &Progress) -> u32 {
        if self.move0 == self.move1 {
            return u32::MAX;
        }
        let distance = (at.head1 + self.head1).wrapping_sub(at.head0 + self.head0);
        let distance = match self.move0 {
            Stride::Up => distance,
            Stride::Down => distance.wrapping_neg(),
        };
        ((distance % TAPE_LEN) / 2 + 1 + TAPE_LEN / 2) as u32
    }

    /// Where laps from here on read and where they write.
    #[inline(always)]
    fn tracks(&self, at: &Progress) -> (Track, Track) {
        let track = |start: usize, stride| Track {
            start: start % TAPE_LEN,
            stride,
        };
        let track0 = track(at.head0 + self.head0, self.move0);
        let track1 = track(at.head1 + self.head1, self.move1);
        match self.to_head1 {
            true => (track0, track1),
            false => (track1, track0),
        }
    }

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
        has_nulls: bool,
    ) -> Block {
        let (source, target) = self.tracks(at);
        let own = range(whole.base + whole.first - 1, whole.base + whole.close + 1);
        if !has_nulls {
            let clear = match source.stride == target.stride {
                true => source.laps_before_reading(target, false),
                false => TAPE_LEN,
            };
            let laps = clear.min(TAPE_LEN).min(left as usize);
            // SAFETY: the caller's promise.
            let (laps, changed) = unsafe { V::copy(tape, source, target, laps, own) };
            return Block {
                laps: laps as u32,
                changed,
            };
        }
        let test = Track {
            start: (at.head0 + whole.move0) % TAPE_LEN,
            stride: self.move0,
        };
        // `[<,}]`: the test is of the byte that was just copied.
        let tests_copied = test.stride == target.stride && test.start == target.start;
        let mut laps = BLOCK
            .min(left as usize)
            .min(source.laps_before_reading(target, false));
        let mask = whole.dialect.significant_bits();
        let tested = if tests_copied { source } else { test };
        // SAFETY: the caller's promise.
        let mut null = unsafe { V::first_null(tape, tested, mask, laps) };
        // Where the test reads what was copied before, its bytes were null and
        // are not, or are now, only if there are nulls among either.
        let unread = test.laps_before_reading(target, true);
        if !tests_copied && unread < laps {
            // SAFETY: the caller's promise.
            let copied_null = unsafe { V::first_null(tape, source, mask, laps) };
            if null.is_some() || copied_null.is_some() {
                laps = unread;
                null = null.filter(|lap| *lap < laps);
            }
        }
        if let Some(lap) = null {
            laps = lap + 1;
        }
        if laps == 0 {
            return Block::default();
        }
        // SAFETY: the caller's promise.
        let (laps, changed) = unsafe { V::copy(tape, source, target, laps, own) };
        Block {
            laps: laps as u32,
            changed,
        }
    }
}
