//! Runs of BFF tapes that tell where each byte came from.
//!
//! Copies are the only way for a byte to move, so that at any moment each byte of a tape has
//! one place that it came from. Steps are the language's own (`Dialect`'s `step`), but for
//! taken brackets, whose partners are remembered. No-ops are skipped, and whole periods of
//! runs that repeat.

use crate::engine::cycle::{Brent, Taken};
use crate::language::bff::{Brackets, Class, Dialect, Op, State};
use crate::language::{Ended, Outcome, Rules, TAPE_LEN, Tape};

/// Where each byte of a tape came from: some number that its place was given before the run.
pub type Origins = [u8; TAPE_LEN];

/// The numbers of places that were nowhere else before.
pub const IN_PLACE: Origins = {
    let mut origins = [0; TAPE_LEN];
    let mut place = 0;
    while place < TAPE_LEN {
        origins[place] = place as u8;
        place += 1;
    }
    origins
};

/// Run `tape` for at most `max_steps` steps, as any engine does; `origins` move as bytes are
/// copied. `+` and `-` change a byte, and not where it came from.
pub fn run(dialect: &Dialect, tape: &mut Tape, origins: &mut Origins, max_steps: u32) -> Outcome {
    let mut run = Run {
        dialect,
        commands: commands(dialect, tape),
        partners: [UNKNOWN; TAPE_LEN],
        at: dialect.start(tape),
        tape,
        origins,
        taken: Taken::default(),
        changes: 0,
    };
    let ended = run.go(max_steps);
    run.taken.outcome(ended)
}

/// A partner that has not been looked for yet.
const UNKNOWN: u8 = u8::MAX;

struct Run<'a> {
    dialect: &'a Dialect,
    tape: &'a mut Tape,
    origins: &'a mut Origins,
    /// The places of commands.
    commands: u128,
    /// The places of brackets' partners, as far as they are known.
    partners: [u8; TAPE_LEN],
    at: State,
    taken: Taken,
    /// How often a byte or an origin has become another.
    changes: u32,
}

/// The places of commands.
fn commands(dialect: &Dialect, tape: &Tape) -> u128 {
    let mut words = [0u64; 2];
    for (word, bytes) in words.iter_mut().zip(tape.as_chunks::<64>().0) {
        for (place, byte) in bytes.iter().enumerate() {
            *word |= u64::from(dialect.class(*byte).bits() & Class::COMMAND != 0) << place;
        }
    }
    u128::from(words[1]) << 64 | u128::from(words[0])
}

impl Run<'_> {
    fn go(&mut self, max_steps: u32) -> Ended {
        // Where the run stood at some jump back. One that comes back to there, with nothing
        // changed meanwhile, repeats.
        let mut held = (self.at, self.taken, self.changes);
        let (mut jumps, mut brent) = (0, Brent::from(4));
        loop {
            let ahead = self.commands >> self.at.pc;
            let noops = match ahead {
                0 => (TAPE_LEN - self.at.pc) as u32,
                _ => ahead.trailing_zeros(),
            };
            if max_steps - self.taken.steps < noops {
                self.taken.steps = max_steps;
                return Ended::StepLimit;
            }
            self.taken.steps += noops;
            if ahead == 0 {
                return Ended::LeftTape;
            }
            if self.taken.steps == max_steps {
                return Ended::StepLimit;
            }
            self.at.pc += noops as usize;
            let before = self.at.pc;
            if let Some(ended) = self.step() {
                return ended;
            }
            if self.at.pc > before {
                continue;
            }
            jumps += 1;
            let (then, taken, changes) = held;
            if self.at == then && self.changes == changes {
                self.taken.skip_periods(taken, max_steps);
            }
            if brent.holds(jumps) {
                held = (self.at, self.taken, self.changes);
            }
        }
    }

    /// Do the command that the run has come to.
    fn step(&mut self) -> Option<Ended> {
        self.taken.steps += 1;
        self.taken.ops += 1;
        let State { pc, head0, head1 } = self.at;
        let op = self.dialect.op(self.tape[pc]);
        match op {
            Op::CopyTo1 => self.write(head1, self.tape[head0], self.origins[head0]),
            Op::CopyTo0 => self.write(head0, self.tape[head1], self.origins[head1]),
            Op::Increment => {
                self.write(head0, self.tape[head0].wrapping_add(1), self.origins[head0])
            }
            Op::Decrement => {
                self.write(head0, self.tape[head0].wrapping_sub(1), self.origins[head0])
            }
            Op::Open | Op::Close if self.dialect.brackets() == Brackets::Match => {
                if self.dialect.is_null(self.tape[head0]) == (op == Op::Open) {
                    if self.partners[pc] == UNKNOWN {
                        let partner = match op {
                            Op::Open => self.dialect.matching_close(self.tape, pc),
                            _ => self.dialect.matching_open(self.tape, pc),
                        };
                        let Some(partner) = partner else {
                            return Some(Ended::UnmatchedBracket);
                        };
                        self.partners[pc] = partner as u8;
                    }
                    self.at.pc = usize::from(self.partners[pc]);
                }
            }
            _ => return self.dialect.step(self.tape, &mut self.at).ended,
        }
        if op == Op::CopyTo0 && self.dialect.copy_moves() {
            self.at.head1 = (head1 + 1) % TAPE_LEN;
        }
        self.at.pc += 1;
        (self.at.pc >= TAPE_LEN).then_some(Ended::LeftTape)
    }

    fn write(&mut self, place: usize, byte: u8, origin: u8) {
        let old = self.tape[place];
        if old == byte && self.origins[place] == origin {
            return;
        }
        self.changes += 1;
        self.origins[place] = origin;
        self.tape[place] = byte;
        let class = |byte| self.dialect.class(byte).bits() & Class::COMMAND;
        let (was, is) = (class(old), class(byte));
        if was != is {
            let bit = u128::from(is != 0) << place;
            self.commands = self.commands & !(1 << place) | bit;
            self.partners = [UNKNOWN; TAPE_LEN];
        }
    }
}
