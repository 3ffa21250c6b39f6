//! Recording a trace.

use super::{
    Action, ArrayVec, Byte, Drift, FIRST_RESULT, MAX_ENTRIES, MAX_STEPS, MAX_VALUES, Side, Trace,
    same,
};
use crate::language::forth::{Dialect, Op, State};
use crate::language::{Ended, Rules, TAPE_LEN, Tape};

/// What came of recording.
pub(crate) struct Recorded {
    pub steps: u32,
    pub ops: u32,
    /// Set where the run ended.
    pub ended: Option<Ended>,
    /// Whether this was an iteration that may be run again by its trace.
    pub is_trace: bool,
}

/// Run from `state` until its place comes again, for at most `max_steps` steps.
/// Where that was an iteration that can be folded, `trace` is it.
pub(crate) fn record(
    trace: &mut Trace,
    dialect: &Dialect,
    tape: &mut Tape,
    state: &mut State,
    max_steps: u32,
) -> Recorded {
    let first = state.pc;
    let mut folding = Folding {
        trace,
        values: FIRST_RESULT,
        found_empty: false,
    };
    let mut recorded = Recorded {
        steps: 0,
        ops: 0,
        ended: None,
        is_trace: false,
    };
    // The byte at each place as it was when it came up.
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
                recorded.is_trace = folding.finish(places, &recorded).is_some();
            }
            break;
        }
    }
    recorded
}

/// A trace that is being folded.
struct Folding<'a> {
    trace: &'a mut Trace,
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
        self.trace.left.pop().or_else(|| {
            let entry = Byte::entry(self.trace.taken);
            self.trace.taken += 1;
            (self.trace.taken <= MAX_ENTRIES).then_some(entry)
        })
    }

    fn push(&mut self, byte: Byte) -> Option<()> {
        self.trace.left.push(byte)?;
        self.trace.rise = self
            .trace
            .rise
            .max(self.trace.left.len.saturating_sub(self.trace.taken));
        Some(())
    }

    /// An action whose result is pushed.
    fn push_result(&mut self, action: Action) -> Option<()> {
        let byte = self.result(action)?;
        self.push(byte)
    }

    fn result(&mut self, action: Action) -> Option<Byte> {
        self.trace.actions.push(action)?;
        let value = self.values as u8;
        self.values += 1;
        (self.values <= MAX_VALUES).then_some(Byte { value, plus: 0 })
    }

    /// Add what `byte` did, at which the stack had `depth` entries, and
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
                self.trace.actions.push(Action::Test { byte, is_zero })?;
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
        self.trace.actions.push(Action::Write { at, side, byte })
    }

    fn copy(&mut self, from: (Byte, Side), to: (Byte, Side)) -> Option<()> {
        let (at, side) = from;
        let byte = self.result(Action::Read { at, side })?;
        let (at, side) = to;
        self.trace.actions.push(Action::Write { at, side, byte })
    }

    /// The iteration is over; nothing if it says nothing of the next one.
    fn finish(&mut self, places: u128, recorded: &Recorded) -> Option<()> {
        // Where an empty stack was popped, the next iteration does something else unless
        // it finds the stack as deep.
        if self.found_empty && !self.trace.keeps_depth() {
            return None;
        }
        self.trace.steps = recorded.steps;
        self.trace.ops = recorded.ops;
        self.trace.places = places;
        self.trace.drifts = self.drifts();
        if self.trace.keeps_depth() || self.trace.pushes_the_same() {
            self.trace.period = self.period().unwrap_or(u32::MAX);
        }
        if self.trace.keeps_depth() {
            self.trace.copies_into = self.copies_into();
        }
        Some(())
    }

    /// What becomes of the entries of the stack that an iteration takes; nothing where
    /// one depends on the tape, or on more than the one before has left.
    ///
    /// Each entry is made of one that was there an iteration before, or of none. So
    /// from some entry on it is made of entries that are made of each other, all
    /// in turn.
    fn drifts(&self) -> Option<ArrayVec<Drift, MAX_ENTRIES>> {
        let (taken, left) = (self.trace.taken, self.trace.left.as_slice());
        if left.len() < taken {
            return None;
        }
        let maker = |entry: Byte| left[left.len() - usize::from(entry.value)];
        let mut drifts = ArrayVec::new(Drift::STILL);
        for index in 0..taken {
            let mut first_round = Byte::entry(index);
            for _ in 0..taken {
                first_round.value = maker(first_round).value;
                if first_round.value == 0 {
                    break;
                }
                if usize::from(first_round.value) > taken {
                    return None;
                }
            }
            let mut drift = Drift::STILL;
            if first_round.value != 0 {
                let mut entry = maker(first_round);
                while entry.value != first_round.value {
                    entry = maker(entry).plus(entry.plus);
                    drift.iterations += 1;
                }
                drift.plus = entry.plus;
            }
            drifts.push(drift)?;
        }
        Some(drifts)
    }

    /// What becomes of a byte; one that is no entry is taken to be as it was.
    fn drift(&self, byte: Byte) -> Drift {
        let drifts = self
            .trace
            .drifts
            .as_ref()
            .map_or(&[][..], ArrayVec::as_slice);
        match usize::from(byte.value).checked_sub(1) {
            Some(entry) => drifts.get(entry).copied().unwrap_or(Drift::STILL),
            None => Drift::STILL,
        }
    }

    /// Iterations after which one does the same again, on the same tape and however
    /// often: powers of two only, so that of two periods one is a multiple of
    /// the other.
    fn period(&self) -> Option<u32> {
        let drifts = self.trace.drifts.as_ref()?.as_slice();
        if !drifts
            .iter()
            .all(|drift| drift.iterations.is_power_of_two())
        {
            return None;
        }
        let whole = |byte| self.drift(byte).period(256);
        let masked = |at, side: Side| self.drift(at).period(u32::from(side.mask) + 1);
        let periods = self.trace.actions.as_slice().iter();
        let periods = periods.map(|action| match *action {
            // What is read is what it was as long as it is read where it was.
            Action::Read { at, side } => masked(at, side),
            Action::Write { at, side, byte } => masked(at, side).max(whole(byte)),
            Action::Add { a, b } | Action::Subtract { a, b } => whole(a).max(whole(b)),
            Action::Flip { byte } | Action::Test { byte, .. } => whole(byte),
        });
        Some(periods.max().unwrap_or(1))
    }

    /// See [`Trace::copies_into`].
    fn copies_into(&self) -> Option<Side> {
        self.trace.drifts.as_ref()?;
        match *self.trace.actions.as_slice() {
            [
                Action::Read { at, side: from },
                Action::Write {
                    at: to,
                    side: into,
                    byte: Byte { value, plus: 0 },
                },
            ] if usize::from(value) == FIRST_RESULT && at == to => {
                let drift = self.drift(at);
                let every_place = drift.iterations == 1 && drift.plus % 2 == 1;
                let sides = [(Side::A, Side::B), (Side::B, Side::A)];
                (every_place && sides.contains(&(from, into))).then_some(into)
            }
            _ => None,
        }
    }
}
