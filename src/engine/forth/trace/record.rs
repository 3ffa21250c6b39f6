//! Recording a lap.

use super::{
    Action, Byte, FIRST_RESULT, Few, Lap, MAX_ENTRIES, MAX_STEPS, MAX_VALUES, Side, Turn, same,
};
use crate::language::forth::{Dialect, Op, State};
use crate::language::{Ended, Rules, TAPE_LEN, Tape};

/// What came of recording.
pub struct Recorded {
    pub steps: u32,
    pub ops: u32,
    /// Set where the run ended.
    pub ended: Option<Ended>,
    /// Whether this was a lap.
    pub is_lap: bool,
}

/// Run from `state` until its place comes again, for at most `max_steps` steps.
/// Where that was a lap that can be folded, `lap` is it.
pub fn record(
    lap: &mut Lap,
    dialect: &Dialect,
    tape: &mut Tape,
    state: &mut State,
    max_steps: u32,
) -> Recorded {
    let first = state.pc;
    let mut folding = Folding {
        lap,
        values: FIRST_RESULT,
        found_empty: false,
    };
    let mut recorded = Recorded {
        steps: 0,
        ops: 0,
        ended: None,
        is_lap: false,
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
            if same(&bytes, tape, places) {
                recorded.is_lap = folding.finish(places, &recorded).is_some();
            }
            break;
        }
    }
    recorded
}

/// A lap that is being folded.
struct Folding<'a> {
    lap: &'a mut Lap,
    /// Number of values so far.
    values: usize,
    /// Whether an empty stack was popped.
    found_empty: bool,
}

impl Folding<'_> {
    /// Pop, where the stack has `depth` entries, which goes down by what is popped.
    fn pop(&mut self, depth: &mut usize) -> Option<Byte> {
        if *depth == 0 {
            self.found_empty = true;
            return Some(Byte::ZERO);
        }
        *depth -= 1;
        self.lap.left.pop().or_else(|| {
            let entry = Byte::entry(self.lap.taken);
            self.lap.taken += 1;
            (self.lap.taken <= MAX_ENTRIES).then_some(entry)
        })
    }

    fn push(&mut self, byte: Byte) -> Option<()> {
        self.lap.left.push(byte)?;
        self.lap.rise = self
            .lap
            .rise
            .max(self.lap.left.len.saturating_sub(self.lap.taken));
        Some(())
    }

    /// An action whose result is pushed.
    fn push_result(&mut self, action: Action) -> Option<()> {
        let byte = self.result(action)?;
        self.push(byte)
    }

    fn result(&mut self, action: Action) -> Option<Byte> {
        self.lap.actions.push(action)?;
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
                self.lap.actions.push(Action::Test { byte, is_zero })?;
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
        self.lap.actions.push(Action::Write { at, side, byte })
    }

    fn copy(&mut self, from: (Byte, Side), to: (Byte, Side)) -> Option<()> {
        let (at, side) = from;
        let byte = self.result(Action::Read { at, side })?;
        let (at, side) = to;
        self.lap.actions.push(Action::Write { at, side, byte })
    }

    /// The lap is over; nothing if it says nothing of the next one.
    fn finish(&mut self, places: u128, recorded: &Recorded) -> Option<()> {
        // Where an empty stack was popped, the next lap is another one unless
        // it finds the stack as deep.
        if self.found_empty && !self.lap.keeps_depth() {
            return None;
        }
        self.lap.steps = recorded.steps;
        self.lap.ops = recorded.ops;
        self.lap.places = places;
        self.lap.turns = self.turns();
        if self.lap.keeps_depth() || self.lap.pushes_the_same() {
            self.lap.period = self.period().unwrap_or(u32::MAX);
        }
        if self.lap.keeps_depth() {
            self.lap.copies_into = self.copies_into();
        }
        Some(())
    }

    /// What becomes of the entries of the stack that a lap takes; nothing where
    /// one depends on the tape, or on more than the lap before has left.
    ///
    /// Each entry is made of one that was there a lap before, or of none. So
    /// from some entry on it is made of entries that are made of each other, all
    /// in turn.
    fn turns(&self) -> Option<Few<Turn, MAX_ENTRIES>> {
        let (taken, left) = (self.lap.taken, self.lap.left.as_slice());
        if left.len() < taken {
            return None;
        }
        let maker = |entry: Byte| left[left.len() - usize::from(entry.value)];
        let mut turns = Few::new(Turn::STILL);
        for index in 0..taken {
            let mut in_turn = Byte::entry(index);
            for _ in 0..taken {
                in_turn.value = maker(in_turn).value;
                if in_turn.value == 0 {
                    break;
                }
                if usize::from(in_turn.value) > taken {
                    return None;
                }
            }
            let mut turn = Turn::STILL;
            if in_turn.value != 0 {
                let mut entry = maker(in_turn);
                while entry.value != in_turn.value {
                    entry = maker(entry).plus(entry.plus);
                    turn.laps += 1;
                }
                turn.plus = entry.plus;
            }
            turns.push(turn)?;
        }
        Some(turns)
    }

    /// What becomes of a byte; one that is no entry is taken to be as it was.
    fn turn(&self, byte: Byte) -> Turn {
        let turns = self.lap.turns.as_ref().map_or(&[][..], Few::as_slice);
        match usize::from(byte.value).checked_sub(1) {
            Some(entry) => turns.get(entry).copied().unwrap_or(Turn::STILL),
            None => Turn::STILL,
        }
    }

    /// Laps after which a lap does the same again, on the same tape and however
    /// often: powers of two only, so that of two periods one is a multiple of
    /// the other.
    fn period(&self) -> Option<u32> {
        let turns = self.lap.turns.as_ref()?.as_slice();
        if !turns.iter().all(|turn| turn.laps.is_power_of_two()) {
            return None;
        }
        let whole = |byte| self.turn(byte).period(256);
        let masked = |at, side: Side| self.turn(at).period(u32::from(side.mask) + 1);
        let periods = self.lap.actions.as_slice().iter();
        let periods = periods.map(|action| match *action {
            // What is read is what it was as long as it is read where it was.
            Action::Read { at, side } => masked(at, side),
            Action::Write { at, side, byte } => masked(at, side).max(whole(byte)),
            Action::Add { a, b } | Action::Subtract { a, b } => whole(a).max(whole(b)),
            Action::Flip { byte } | Action::Test { byte, .. } => whole(byte),
        });
        Some(periods.max().unwrap_or(1))
    }

    /// See [`Lap::copies_into`].
    fn copies_into(&self) -> Option<Side> {
        self.lap.turns.as_ref()?;
        match *self.lap.actions.as_slice() {
            [
                Action::Read { at, side: from },
                Action::Write {
                    at: to,
                    side: into,
                    byte: Byte { value, plus: 0 },
                },
            ] if usize::from(value) == FIRST_RESULT && at == to => {
                let turn = self.turn(at);
                let every_place = turn.laps == 1 && turn.plus % 2 == 1;
                let sides = [(Side::A, Side::B), (Side::B, Side::A)];
                (every_place && sides.contains(&(from, into))).then_some(into)
            }
            _ => None,
        }
    }
}
