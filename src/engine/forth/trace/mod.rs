//! Laps of Forth loops, folded: what a lap reads, writes and leaves on the stack,
//! without the pushes, pops, constants and jumps between.
//!
//! A lap is recorded while it is run. From then on it is known as a list of
//! actions on a few values, true for as long as the bytes that it went through
//! stay as they are and every test comes out as it did then. A lap in which
//! either ends is taken back, so that whoever goes on finds the run at the
//! start of a lap, exactly.

mod record;

use crate::language::forth::{Dialect, STACK_LEN, State};
use crate::language::{PROGRAM_LEN, TAPE_LEN, Tape};
pub use record::record;

/// Steps of a lap, actions of a lap, values of a lap, entries of the stack that
/// a lap reads or leaves: loops with more are run step by step.
const MAX_STEPS: u32 = 96;
const MAX_ACTIONS: usize = 24;
const MAX_VALUES: usize = 32;
const MAX_ENTRIES: usize = 8;

/// The first value that is the result of an action.
const FIRST_RESULT: usize = 1 + MAX_ENTRIES;

/// A byte that a lap works with: one of its values, plus a constant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Byte {
    /// Value 0 is 0; value 1 + i was i entries below the top of the stack when
    /// the lap began; those behind them are results of actions.
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
    /// The lap goes this way only if a byte is 0, or only if it is not.
    Test { byte: Byte, is_zero: bool },
}

/// A list that lives where it is, of at most `N`.
#[derive(Clone, Copy, Debug)]
struct Few<T, const N: usize> {
    items: [T; N],
    len: usize,
}

impl<T: Copy, const N: usize> Few<T, N> {
    fn new(filler: T) -> Self {
        Few {
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

/// What becomes of an entry of the stack, from some lap on: after so many laps it
/// is what it was, plus a constant.
#[derive(Clone, Copy, Debug)]
struct Turn {
    laps: u32,
    plus: u8,
}

impl Turn {
    /// That of a byte that is always the same.
    const STILL: Turn = Turn { laps: 1, plus: 0 };

    /// Laps after which it is what it was, if `values` of it are told apart.
    fn period(self, values: u32) -> u32 {
        match self.plus {
            0 => self.laps,
            _ => self.laps * values,
        }
    }
}

/// A lap of a loop.
#[derive(Debug)]
pub struct Lap {
    /// Steps and ops of a lap.
    pub steps: u32,
    pub ops: u32,
    actions: Few<Action, MAX_ACTIONS>,
    /// How many entries of the stack a lap takes, and what it leaves in their
    /// stead, the topmost last.
    taken: usize,
    left: Few<Byte, MAX_ENTRIES>,
    /// How far the stack rises above where it was when the lap began.
    rise: usize,
    /// The places that a lap goes through.
    places: u128,
    /// What becomes of the entries from lap to lap, where none depends on the
    /// tape: the topmost first.
    turns: Option<Few<Turn, MAX_ENTRIES>>,
    /// Laps after which one that writes nothing new never will again.
    period: u32,
    /// Set where all that a lap does is to copy a byte to the same place of the
    /// other side, which is this one, and 64 laps copy every byte.
    copies_into: Option<Side>,
    /// Where a write into B that finds this byte is something else.
    guard: Option<u8>,
}

impl Lap {
    /// A lap of no steps, to be recorded.
    pub fn new(dialect: &Dialect) -> Lap {
        Lap {
            steps: 0,
            ops: 0,
            actions: Few::new(Action::Flip { byte: Byte::ZERO }),
            taken: 0,
            left: Few::new(Byte::ZERO),
            rise: 0,
            places: 0,
            turns: None,
            period: u32::MAX,
            copies_into: None,
            guard: dialect.guard(),
        }
    }

    /// Whether laps on the same tape come to push the same, again and again.
    fn pushes_the_same(&self) -> bool {
        let is_still = |turn: &Turn| turn.laps == 1 && turn.plus == 0;
        let turns = self.turns.as_ref();
        self.left.len > self.taken
            && turns.is_some_and(|turns| turns.as_slice().iter().all(is_still))
    }

    /// Whether the stack is as deep after a lap as before.
    fn keeps_depth(&self) -> bool {
        self.left.len == self.taken
    }

    /// Run whole laps, at most `laps`, from the start of one; answers with how
    /// many. Less than `laps` only where the next one would be another lap.
    pub fn run(&self, tape: &mut Tape, state: &mut State, laps: u32) -> u32 {
        // From the first laps on there may be values that never come again.
        let enough = self.period.saturating_add(self.taken as u32);
        let (mut lap, mut quiet) = (0, 0);
        // The entries of the stack after so many laps, to be met again on the
        // same tape: after 1, 2, 4, 8, … laps (Brent's method).
        let (mut held, mut held_after) = (self.entries(state), 0);
        while lap < laps {
            if quiet >= enough {
                if !self.keeps_depth() {
                    return lap + self.pile_up(state, laps - lap);
                }
                self.burn(state, laps - lap);
                return laps;
            }
            if lap as usize == self.taken
                && laps - lap >= PROGRAM_LEN as u32
                && self.copy_across(tape)
            {
                self.burn(state, laps - lap);
                return laps;
            }
            match self.run_one(tape, state) {
                None => return lap,
                Some(true) => quiet = 0,
                Some(false) => quiet += 1,
            }
            lap += 1;
            if self.turns.is_none() && self.keeps_depth() {
                let entries = self.entries(state);
                let since = lap - held_after;
                if quiet >= since && entries == held {
                    let whole_periods = (laps - lap) / since * since;
                    lap += whole_periods;
                    held_after += whole_periods;
                } else if lap.is_power_of_two() {
                    (held, held_after) = (entries, lap);
                }
            }
        }
        laps
    }

    /// Do all that a lap that copies across ever does to the tape, where none of
    /// it makes the next lap another one; whether it did.
    fn copy_across(&self, tape: &mut Tape) -> bool {
        let Some(into) = self.copies_into else {
            return false;
        };
        let (a, b) = tape.split_at_mut(PROGRAM_LEN);
        let (from, to) = if into == Side::B { (a, b) } else { (b, a) };
        // A guard that is copied stands there when its place comes up again.
        let has_guard = |guard| to.contains(&guard) || from.contains(&guard);
        let is_guarded = into == Side::B && self.guard.is_some_and(has_guard);
        let lies_in_lap = (self.places >> into.first) as u64;
        if is_guarded || !same(from, to, lies_in_lap.into()) {
            return false;
        }
        to.copy_from_slice(from);
        true
    }

    /// The entries of the stack that a lap takes.
    #[inline(always)]
    fn entries(&self, state: &State) -> [u8; MAX_ENTRIES] {
        std::array::from_fn(|entry| match entry < self.taken {
            true => state.stack[state.depth.wrapping_sub(1 + entry) % STACK_LEN],
            false => 0,
        })
    }

    /// A lap: whether it changed any byte of the tape; or nothing, done, where
    /// it would be another one.
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
                            take_back(tape, &undo[..changes]);
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
                        take_back(tape, &undo[..changes]);
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
        Some(changes == 1 || changes > 1 && is_another(tape, &undo[..changes]))
    }

    /// Laps that leave on the stack what the last one has left, higher up: as many
    /// as there is room for, and at most `laps`.
    fn pile_up(&self, state: &mut State, laps: u32) -> u32 {
        let height = self.left.len - self.taken;
        let Some(room) = STACK_LEN.checked_sub(state.depth + self.rise) else {
            return 0;
        };
        let laps = laps.min((room / height) as u32 + 1);
        // Each lap takes the topmost, and leaves all of it from there on.
        let left_from = state.depth - self.left.len;
        let mut left = [0; MAX_ENTRIES];
        left[..self.left.len].copy_from_slice(&state.stack[left_from..state.depth]);
        let pushed = height * laps as usize;
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
        laps
    }

    /// Laps that change nothing but entries of the stack, each of which has taken
    /// its turn.
    fn burn(&self, state: &mut State, laps: u32) {
        let turns = self.turns.iter().flat_map(Few::as_slice);
        if turns.clone().all(|turn| turn.laps == 1) {
            for (entry, turn) in turns.enumerate() {
                let byte = &mut state.stack[(state.depth - 1 - entry) % STACK_LEN];
                *byte = byte.wrapping_add(turn.plus.wrapping_mul(laps as u8));
            }
            return;
        }
        let period = turns.map(|turn| turn.period(256)).max().unwrap_or(1);
        for _ in 0..laps % period {
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
fn is_another(tape: &Tape, undo: &[(u8, u8)]) -> bool {
    undo.iter().enumerate().any(|(index, (place, old))| {
        let is_first = undo[..index].iter().all(|(earlier, _)| earlier != place);
        is_first && tape[usize::from(*place)] != *old
    })
}

/// Take back what was written, the last first.
#[cold]
fn take_back(tape: &mut Tape, undo: &[(u8, u8)]) {
    for (place, old) in undo.iter().rev() {
        tape[usize::from(*place)] = *old;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Family, Language, Rules};
    use crate::random::mix;

    /// Take so many steps, none of which ends the run; count the ops.
    fn step(dialect: &Dialect, tape: &mut Tape, state: &mut State, steps: u32) -> u32 {
        (0..steps)
            .map(|_| {
                let step = dialect.step(tape, state);
                assert_eq!(step.ended, None);
                u32::from(step.is_op)
            })
            .sum()
    }

    /// A tape of few sorts of bytes, among them a jump back.
    fn tape(seed: u64) -> Tape {
        let number = |i: u64| mix(seed << 16 | i);
        let bytes: [u8; 8] = std::array::from_fn(|i| match i {
            0 => 0xc0 + (number(0) % 12) as u8,
            1 => number(1) as u8,
            2 => 0x40 + (number(2) % 64) as u8,
            i => (number(i as u64) % 14) as u8,
        });
        std::array::from_fn(|place| bytes[(number(100 + place as u64) % 8) as usize])
    }

    /// Compare laps from here with their steps: tape, stack and place, to the last
    /// entry. How many laps that were, at most; nothing if there is none.
    fn check(language: &Language, tape: &Tape, state: &State) -> Option<u32> {
        let Family::Forth(dialect) = &language.family else {
            return None;
        };
        let (mut lap, mut tape_then) = (Lap::new(dialect), *tape);
        let mut state_then = state.clone();
        let recorded = record(&mut lap, dialect, &mut tape_then, &mut state_then, 200);
        if !recorded.is_lap {
            return None;
        }
        let (mut plain_tape, mut plain_state) = (*tape, state.clone());
        let ops = step(dialect, &mut plain_tape, &mut plain_state, lap.steps);
        assert_eq!((ops, lap.steps), (lap.ops, recorded.steps));
        let mut plain_laps = 0;
        for laps in [1, 2, 3, 7, 64, 130, 257, 700] {
            let (mut tape, mut state) = (tape_then, state_then.clone());
            let done = lap.run(&mut tape, &mut state, laps);
            let steps = (done - plain_laps) * lap.steps;
            let ops = step(dialect, &mut plain_tape, &mut plain_state, steps);
            assert_eq!(ops, (done - plain_laps) * lap.ops);
            plain_laps = done;
            let text = language.program_text(&tape);
            assert_eq!(tape, plain_tape, "{language}: {text}");
            assert_eq!(state.pc, plain_state.pc);
            assert_eq!(state.stack(), plain_state.stack(), "{language}: {text}");
            if done < laps {
                break;
            }
        }
        Some(plain_laps)
    }

    fn forths() -> impl Iterator<Item = (&'static Language, &'static Dialect)> {
        Language::ALL
            .into_iter()
            .filter_map(|language| match &language.family {
                Family::Forth(dialect) => Some((language, dialect)),
                _ => None,
            })
    }

    #[test]
    fn laps_leave_what_their_steps_do() {
        let (mut folded, mut settled) = (0, 0);
        for (language, dialect) in forths() {
            for seed in 0..4000 {
                let mut tape = tape(seed);
                let mut state = dialect.start(&tape);
                for _ in 0..60 {
                    let pc = state.pc;
                    if dialect.step(&mut tape, &mut state).ended.is_some() {
                        break;
                    }
                    if state.pc < pc {
                        let laps = check(language, &tape, &state);
                        folded += u32::from(laps.is_some());
                        settled += u32::from(laps == Some(700));
                    }
                }
            }
        }
        // The tapes are worth the test.
        assert!(folded > 5000 && settled > 1000, "{folded} {settled}");
    }

    /// Loops that chance hardly finds, in either program, on tapes where they
    /// change nothing for long.
    #[test]
    fn laps_that_are_quiet_for_long() {
        let bodies: [&[u8]; 12] = [
            // Two entries in turn, one or both going up.
            &[0x06, 0x08],
            &[0x08, 0x06, 0x08],
            &[0x04, 0x0c, 0x06, 0x08],
            // Write the counter where it points to.
            &[0x04, 0x04, 0x02, 0x08],
            &[0x04, 0x04, 0x03, 0x08],
            // Copy to the next place; copy and add one.
            &[0x04, 0x04, 0x08, 0x06, 0x00, 0x03, 0x08],
            &[0x04, 0x04, 0x00, 0x08, 0x03, 0x08],
            // Copy at a difference, at a sum.
            &[0x08, 0x04, 0x54, 0x0b, 0x0c],
            &[0x08, 0x04, 0x04, 0x0a, 0x0c],
            // Skip nothing, as long as the counter is not 0.
            &[0x08, 0x07, 0x80],
            // From place to place, each byte telling of the next.
            &[0x00],
            // Write a counter, and before and after it two bytes in turn to another place.
            &[
                0x7e, 0x41, 0x02, 0x08, 0x04, 0x7d, 0x06, 0x02, 0x7e, 0x42, 0x02,
            ],
        ];
        for (language, dialect) in forths() {
            for body in bodies {
                for (first, fill, other) in
                    (0..2 * PROGRAM_LEN).flat_map(|i| (0..4).map(move |fill| (i % 2 * 64, fill, i)))
                {
                    let mut tape: Tape = std::array::from_fn(|place| match fill {
                        0 => 0x3f,
                        1 => place as u8 % 64,
                        2 => place as u8,
                        // Rings of eight places.
                        _ => place as u8 & !7 | (place as u8 + 3) & 7,
                    });
                    tape[other] ^= 0x55;
                    tape[first..][..body.len()].copy_from_slice(body);
                    tape[first + body.len()] = 0xc0 + (body.len() - 1) as u8;
                    let mut state = dialect.start(&tape);
                    state.pc = first;
                    state.stack[..3].copy_from_slice(&[7, 200, 20]);
                    state.depth = 3;
                    check(language, &tape, &state);
                }
            }
        }
    }

    /// A lap that comes by one place twice and has written another byte there in between, so
    /// that the next one goes another way, though it leaves all places as they were last.
    #[test]
    fn a_lap_that_rewrites_a_place_on_its_way() {
        use crate::language::forth::Op;
        for (language, dialect) in forths() {
            let byte = |ops: &[Op]| {
                (0..=255u8)
                    .find(|byte| ops.contains(&dialect.op(*byte)))
                    .unwrap()
            };
            let constant = |value: u8| 0x40 + value;
            let (ahead, back) = (|by: u8| 0x80 + by - 1, |by: u8| 0xc0 + by - 1);
            let (place, drop, increment) = (10, byte(&[Op::Drop]), byte(&[Op::Increment]));
            let noop = byte(&[Op::Noop]);
            let mut tape: Tape = [noop; TAPE_LEN];
            tape[..15].copy_from_slice(&[
                constant(0),
                ahead(9),
                // From 12, at first: 1 instead of 0 on the stack, and an op at the place.
                drop,
                constant(place),
                constant(increment),
                byte(&[Op::Write, Op::WriteA]),
                constant(1),
                ahead(3),
                noop,
                noop,
                // The place.
                noop,
                byte(&[Op::SkipIf]),
                back(10),
                drop,
                back(14),
            ]);
            let mut state = dialect.start(&tape);
            assert_eq!(check(language, &tape, &state), None, "{language}");
            // Once the op is there, it is a lap like others.
            step(dialect, &mut tape, &mut state, 15);
            assert_eq!((state.pc, tape[usize::from(place)]), (0, increment));
            assert_eq!(check(language, &tape, &state), Some(700), "{language}");
        }
    }
}
