//! Laps of Forth loops, folded: what a lap reads, writes and leaves on the stack,
//! without the pushes, pops, constants and jumps between.
//!
//! A lap is recorded while it is run. From then on it is known as a list of
//! actions on a few values, true for as long as the bytes that it went through
//! stay as they are and every test comes out as it did then. A lap in which
//! either ends is taken back, so that whoever goes on finds the run at the
//! start of a lap, exactly.

use crate::language::forth::{Dialect, Op, STACK_LEN, State};
use crate::language::{Ended, PROGRAM_LEN, Rules, TAPE_LEN, Tape};

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
    /// Laps after which one that writes nothing new never will again.
    period: u32,
    /// Set where all that a lap does is to copy a byte to the same place of the
    /// other side, which is this one, and 64 laps copy every byte.
    copies_into: Option<Side>,
    /// Where a write into B that finds this byte is something else.
    guard: Option<u8>,
}

/// What came of recording.
pub struct Recorded {
    pub steps: u32,
    pub ops: u32,
    /// Set where the run ended.
    pub ended: Option<Ended>,
}

/// Run from `state` until its place comes again, for at most `max_steps` steps.
/// Also answers with the lap that this was, where it was one that can be folded.
pub fn record(
    dialect: &Dialect,
    tape: &mut Tape,
    state: &mut State,
    max_steps: u32,
) -> (Recorded, Option<Lap>) {
    let first = state.pc;
    let mut folding = Folding::new();
    let mut recorded = Recorded {
        steps: 0,
        ops: 0,
        ended: None,
    };
    // The byte at each place as it was when its turn came.
    let mut bytes = *tape;
    let mut places = 0u128;
    while recorded.steps < max_steps.min(MAX_STEPS) {
        let (pc, byte, depth) = (state.pc, tape[state.pc % TAPE_LEN], state.depth);
        let step = dialect.step(tape, state);
        recorded.steps += 1;
        recorded.ops += u32::from(step.is_op);
        if step.ended.is_some() {
            recorded.ended = step.ended;
            break;
        }
        let was_here = places >> (pc % TAPE_LEN) & 1 == 1;
        if was_here && bytes[pc % TAPE_LEN] != byte {
            break;
        }
        bytes[pc % TAPE_LEN] = byte;
        places |= 1 << (pc % TAPE_LEN);
        let skips = state.pc == pc + 2;
        if folding.fold(dialect, byte, depth, skips).is_none() {
            break;
        }
        if state.pc == first {
            if !same(&bytes, tape, places) {
                break;
            }
            let lap = folding.lap(dialect, places, &recorded);
            return (recorded, lap);
        }
    }
    (recorded, None)
}

/// Whether two tapes hold the same at `places`.
fn same(a: &Tape, b: &Tape, places: u128) -> bool {
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

/// A lap that is being folded.
struct Folding {
    actions: Few<Action, MAX_ACTIONS>,
    /// Number of values so far.
    values: usize,
    taken: usize,
    above: Few<Byte, MAX_ENTRIES>,
    rise: usize,
    /// Whether an empty stack was popped.
    found_empty: bool,
}

impl Folding {
    fn new() -> Folding {
        Folding {
            actions: Few::new(Action::Flip { byte: Byte::ZERO }),
            values: FIRST_RESULT,
            taken: 0,
            above: Few::new(Byte::ZERO),
            rise: 0,
            found_empty: false,
        }
    }

    /// Pop, where the stack has `depth` entries, which goes down by what is popped.
    fn pop(&mut self, depth: &mut usize) -> Option<Byte> {
        if *depth == 0 {
            self.found_empty = true;
            return Some(Byte::ZERO);
        }
        *depth -= 1;
        self.above.pop().or_else(|| {
            let entry = Byte::entry(self.taken);
            self.taken += 1;
            (self.taken <= MAX_ENTRIES).then_some(entry)
        })
    }

    fn push(&mut self, byte: Byte) -> Option<()> {
        self.above.push(byte)?;
        self.rise = self.rise.max(self.above.len.saturating_sub(self.taken));
        Some(())
    }

    /// An action whose result is pushed.
    fn push_result(&mut self, action: Action) -> Option<()> {
        let byte = self.result(action)?;
        self.push(byte)
    }

    fn result(&mut self, action: Action) -> Option<Byte> {
        self.actions.push(action)?;
        let value = self.values as u8;
        self.values += 1;
        (self.values <= MAX_VALUES).then_some(Byte { value, plus: 0 })
    }

    /// Add what `byte` did, at whose turn the stack had `depth` entries, and
    /// which skipped a byte or did not. Nothing if that is too much to fold.
    fn fold(&mut self, dialect: &Dialect, byte: u8, mut depth: usize, skips: bool) -> Option<()> {
        let depth = &mut depth;
        match dialect.op(byte) {
            Op::ReadA => self.read(depth, Side::A),
            Op::ReadB => self.read(depth, Side::B),
            Op::Read => self.read(depth, Side::BOTH),
            Op::WriteA => self.write(depth, Side::A),
            Op::WriteB => self.write(depth, Side::B),
            Op::Write => self.write(depth, Side::BOTH),
            Op::CopyAToB => {
                let at = self.pop(depth)?;
                self.copy((at, Side::A), (at, Side::B))
            }
            Op::CopyBToA => {
                let at = self.pop(depth)?;
                self.copy((at, Side::B), (at, Side::A))
            }
            Op::Copy => {
                let to = self.pop(depth)?;
                let from = self.pop(depth)?;
                self.copy((from, Side::BOTH), (to, Side::BOTH))
            }
            Op::FlipSide => {
                let byte = self.pop(depth)?;
                self.push_result(Action::Flip { byte })
            }
            Op::Dup => {
                let byte = self.pop(depth)?;
                self.push(byte)?;
                self.push(byte)
            }
            Op::Drop => self.pop(depth).map(|_| ()),
            Op::Swap => {
                let a = self.pop(depth)?;
                let b = self.pop(depth)?;
                self.push(a)?;
                self.push(b)
            }
            Op::SkipIf => {
                let byte = self.pop(depth)?;
                let is_zero = !skips;
                self.actions.push(Action::Test { byte, is_zero })?;
                self.push(byte)
            }
            Op::Increment => {
                let byte = self.pop(depth)?;
                self.push(byte.plus(1))
            }
            Op::Decrement => {
                let byte = self.pop(depth)?;
                self.push(byte.plus(0xff))
            }
            Op::Add => {
                let a = self.pop(depth)?;
                let b = self.pop(depth)?;
                match (a.value, b.value) {
                    (0, _) => self.push(b.plus(a.plus)),
                    (_, 0) => self.push(a.plus(b.plus)),
                    _ => self.push_result(Action::Add { a, b }),
                }
            }
            Op::Subtract => {
                let a = self.pop(depth)?;
                let b = self.pop(depth)?;
                match b.value {
                    0 => self.push(a.plus(b.plus.wrapping_neg())),
                    _ => self.push_result(Action::Subtract { a, b }),
                }
            }
            Op::Constant => self.push(Byte::ZERO.plus(byte % 64)),
            Op::JumpForward | Op::JumpBack | Op::Noop => Some(()),
        }
    }

    fn read(&mut self, depth: &mut usize, side: Side) -> Option<()> {
        let at = self.pop(depth)?;
        self.push_result(Action::Read { at, side })
    }

    fn write(&mut self, depth: &mut usize, side: Side) -> Option<()> {
        let byte = self.pop(depth)?;
        let at = self.pop(depth)?;
        self.actions.push(Action::Write { at, side, byte })
    }

    fn copy(&mut self, from: (Byte, Side), to: (Byte, Side)) -> Option<()> {
        let (at, side) = from;
        let byte = self.result(Action::Read { at, side })?;
        let (at, side) = to;
        self.actions.push(Action::Write { at, side, byte })
    }

    /// The lap, now that it is over.
    fn lap(&self, dialect: &Dialect, places: u128, recorded: &Recorded) -> Option<Lap> {
        let keeps_depth = self.above.len == self.taken;
        // Where an empty stack was popped, the next lap is another one unless
        // it finds the stack as deep.
        if self.found_empty && !keeps_depth {
            return None;
        }
        let turns = if keeps_depth { self.turns() } else { None };
        Some(Lap {
            steps: recorded.steps,
            ops: recorded.ops,
            period: turns.map_or(u32::MAX, |turns| self.period(&turns)),
            copies_into: turns.and_then(|turns| self.copies_into(&turns)),
            actions: self.actions,
            taken: self.taken,
            left: self.above,
            rise: self.rise,
            places,
            guard: dialect.guard(),
        })
    }

    /// What becomes of the entries of the stack from lap to lap: by their values,
    /// after how many laps each is what it was, plus which constant, from some lap
    /// on. Nothing where an entry depends on the tape.
    ///
    /// Each entry is made of one that was there a lap before, or of none. So
    /// from some entry on it is made of entries that are made of each other, all
    /// in turn.
    fn turns(&self) -> Option<[(u32, u8); MAX_VALUES]> {
        let maker = |entry: Byte| self.above.as_slice()[self.taken - usize::from(entry.value)];
        let mut turns = [(1, 0); MAX_VALUES];
        for index in 0..self.taken {
            let mut in_turn = Byte::entry(index);
            for _ in 0..self.taken {
                in_turn.value = maker(in_turn).value;
                if in_turn.value == 0 {
                    break;
                }
                if usize::from(in_turn.value) > self.taken {
                    return None;
                }
            }
            if in_turn.value == 0 {
                continue;
            }
            let (mut entry, mut laps) = (in_turn, 0);
            while laps == 0 || entry.value != in_turn.value {
                let made_of = maker(entry);
                entry = made_of.plus(entry.plus);
                laps += 1;
            }
            turns[1 + index] = (laps, entry.plus);
        }
        Some(turns)
    }

    /// Laps after which a lap does the same again, on the same tape and however
    /// often: powers of two only, so that of two periods one is a multiple of
    /// the other. All there are, if it is not known that there are fewer.
    fn period(&self, turns: &[(u32, u8); MAX_VALUES]) -> u32 {
        if !turns.iter().all(|(laps, _)| laps.is_power_of_two()) {
            return u32::MAX;
        }
        let period = |byte: Byte, values: u32| match turns[usize::from(byte.value)] {
            (laps, 0) => laps,
            (laps, _) => laps * values,
        };
        let whole = |byte: Byte| period(byte, 256);
        let masked = |at: Byte, side: Side| period(at, u32::from(side.mask) + 1);
        let periods = self.actions.as_slice().iter().map(|action| match *action {
            Action::Read { at, side } => masked(at, side),
            Action::Write { at, side, byte } => masked(at, side).max(whole(byte)),
            Action::Add { a, b } | Action::Subtract { a, b } => whole(a).max(whole(b)),
            Action::Flip { byte } | Action::Test { byte, .. } => whole(byte),
        });
        periods.max().unwrap_or(1)
    }

    /// See [`Lap::copies_into`].
    fn copies_into(&self, turns: &[(u32, u8); MAX_VALUES]) -> Option<Side> {
        match *self.actions.as_slice() {
            [
                Action::Read { at, side: from },
                Action::Write {
                    at: to,
                    side: into,
                    byte: Byte { value, plus: 0 },
                },
            ] if usize::from(value) == FIRST_RESULT && at == to => {
                let (laps, plus) = turns[usize::from(at.value)];
                let every_place = laps == 1 && plus % 2 == 1;
                let sides = [(Side::A, Side::B), (Side::B, Side::A)];
                (every_place && sides.contains(&(from, into))).then_some(into)
            }
            _ => None,
        }
    }
}

impl Lap {
    /// Run whole laps, at most `laps`, from the start of one; answers with how
    /// many. Less than `laps` only where the next one would be another lap.
    pub fn run(&self, tape: &mut Tape, state: &mut State, laps: u32) -> u32 {
        if self.taken == 0 && self.actions.len == 0 {
            return self.pile_up(state, laps);
        }
        // From the first laps on there may be values that never come again.
        let enough = self.period.saturating_add(self.taken as u32);
        let (mut lap, mut quiet) = (0, 0);
        // The entries of the stack after so many laps, to be met again on the
        // same tape: after 1, 2, 4, 8, … laps (Brent's method).
        let (mut held, mut held_after) = (self.entries(state), 0);
        while lap < laps {
            if quiet >= enough {
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
            if self.period == u32::MAX && self.left.len == self.taken {
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
        let is_guarded = into == Side::B && self.guard.is_some_and(|guard| to.contains(&guard));
        let places = (self.places >> into.first) as u64;
        let lies_in_lap = |place: usize| places >> place & 1 == 1;
        if is_guarded || (0..PROGRAM_LEN).any(|i| from[i] != to[i] && lies_in_lap(i)) {
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

    /// Laps that only push constants, at most `laps`, as long as there is room.
    fn pile_up(&self, state: &mut State, laps: u32) -> u32 {
        let Some(room) = STACK_LEN.checked_sub(state.depth + self.rise) else {
            return 0;
        };
        let laps = match room.checked_div(self.left.len) {
            Some(more) => laps.min(more as u32 + 1),
            None => laps,
        };
        let left = self.left.as_slice();
        let pushed = left.len() * laps as usize;
        let free = &mut state.stack[state.depth..][..pushed];
        for (entry, byte) in free.iter_mut().zip(left.iter().cycle()) {
            *entry = byte.plus;
        }
        state.depth += pushed;
        laps
    }

    /// Laps that change nothing but entries of the stack, each of which is made
    /// of another.
    fn burn(&self, state: &mut State, mut laps: u32) {
        let base = state.depth - self.taken;
        // What 1, 2, 4, 8, … laps make of the entries, the deepest first.
        let mut made = self.left.items;
        let made = &mut made[..self.taken];
        let entries = &mut state.stack[base..state.depth];
        while laps > 0 {
            if laps & 1 == 1 {
                let mut before = [0; MAX_ENTRIES];
                before[..self.taken].copy_from_slice(entries);
                for (entry, byte) in entries.iter_mut().zip(made.iter()) {
                    *entry = match byte.value {
                        0 => byte.plus,
                        value => before[self.taken - usize::from(value)].wrapping_add(byte.plus),
                    };
                }
            }
            let mut half = [Byte::ZERO; MAX_ENTRIES];
            half[..self.taken].copy_from_slice(made);
            for byte in made.iter_mut().filter(|byte| byte.value != 0) {
                *byte = half[self.taken - usize::from(byte.value)].plus(byte.plus);
            }
            laps >>= 1;
        }
    }
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
