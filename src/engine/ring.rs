//! Runs on a long tape whose ends are joined.
//!
//! [`run`] is the reference: a language's rules, one step at a time. `Commands` is what makes
//! the same runs of the BFF family fast: most bytes are no-ops, and partners of brackets may be
//! far away, so that it keeps in mind where commands and brackets are.

use super::reference;
use crate::Error;
use crate::language::bff::{self, Brackets, Dialect, Op};
use crate::language::{Ended, Family, Language, Outcome, Ring, Space, forth};

/// Where a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Place of the first step, on the tape. The first head of the BFF family starts there, too.
    pub pc: usize,
    /// How far ahead of it the second head of the BFF family starts.
    pub head_offset: usize,
}

impl Start {
    /// The state of the BFF family on a tape whose last place is `last`.
    fn bff(self, last: usize) -> bff::State {
        bff::State {
            pc: self.pc,
            head0: self.pc,
            head1: self.pc.wrapping_add(self.head_offset) & last,
        }
    }
}

/// Run what is on the ring from `start` on, for at most `max_steps` steps. It is an error, and
/// nothing is run, if `start` is not on the ring, or if the language has no rules for rings:
/// addresses of the Forth and subleq families reach over 128 bytes only.
pub fn run(
    language: &Language,
    ring: &mut Ring<'_>,
    start: Start,
    max_steps: u32,
) -> Result<Outcome, Error> {
    let len = ring.bytes().len();
    if start.pc >= len {
        return Err(Error::Setting(format!(
            "`pc` {}: the ring has {len} bytes",
            start.pc
        )));
    }
    run_by_rules(language, ring, start, max_steps).ok_or_else(|| {
        Error::Setting(format!(
            "`language` {language} has no rules for a ring; choose one of the BFF family, \
             forthrelative, i8080 or z80"
        ))
    })
}

/// As [`run`], from a place on the ring; nothing in a language without rules for rings.
pub(crate) fn run_by_rules(
    language: &Language,
    ring: &mut Ring<'_>,
    start: Start,
    max_steps: u32,
) -> Option<Outcome> {
    Some(match &language.family {
        Family::Bff(dialect) => {
            let mut state = start.bff(ring.bytes().len() - 1);
            reference::count((0, 0), max_steps, || dialect.step_on(ring, &mut state))
        }
        Family::RelativeForth(dialect) => {
            let mut state = forth::State::at(start.pc);
            reference::count((0, 0), max_steps, || dialect.step_on(ring, &mut state))
        }
        Family::Machine(machine) => {
            machine.run_memory(ring.bytes_mut(), Some(start.pc as u16), max_steps)
        }
        Family::Forth(_) | Family::Subleq(_) | Family::RelativeSubleq(_) => return None,
    })
}

/// Some places of a ring.
#[derive(Debug)]
struct Places(Vec<u64>);

impl Places {
    fn set(&mut self, place: usize, is_one: bool) {
        let word = &mut self.0[place / 64];
        *word = *word & !(1 << (place % 64)) | u64::from(is_one) << (place % 64);
    }

    /// The first of them from `place` on, round the ring; none if there are none.
    #[inline]
    fn from(&self, place: usize) -> Option<usize> {
        let words = self.0.len();
        let first = place / 64;
        let ahead = self.0[first] & u64::MAX << (place % 64);
        if ahead != 0 {
            return Some(first * 64 + ahead.trailing_zeros() as usize);
        }
        let others = (1..=words).map(|i| (first + i) & (words - 1));
        let word = others.into_iter().find(|word| self.0[*word] != 0)?;
        Some(word * 64 + self.0[word].trailing_zeros() as usize)
    }

    /// The first of them from `place` back, round the ring; none if there are none.
    #[inline]
    fn back_from(&self, place: usize) -> Option<usize> {
        let words = self.0.len();
        let last = |word: u64| 63 - word.leading_zeros() as usize;
        let first = place / 64;
        let behind = self.0[first] & u64::MAX >> (63 - place % 64);
        if behind != 0 {
            return Some(first * 64 + last(behind));
        }
        let others = (1..=words).map(|i| first.wrapping_sub(i) & (words - 1));
        let word = others.into_iter().find(|word| self.0[*word] != 0)?;
        Some(word * 64 + last(self.0[word]))
    }
}

/// Where on a ring commands of the BFF family are.
///
/// Steps are the rules' own, but for no-ops, which are passed in one go, and for brackets that
/// jump to their partner, which is looked for among brackets only.
#[derive(Debug)]
pub(crate) struct Commands {
    dialect: &'static Dialect,
    commands: Places,
    brackets: Places,
}

impl Commands {
    /// Those of `bytes`, 64 or more; nothing in another family.
    pub(crate) fn of(language: &'static Language, bytes: &[u8]) -> Option<Commands> {
        let Family::Bff(dialect) = &language.family else {
            return None;
        };
        let places = |is_one: &dyn Fn(Op) -> bool| {
            let word = |bytes: &[u8; 64]| {
                let bits = (0..64).map(|bit| u64::from(is_one(dialect.op(bytes[bit]))) << bit);
                bits.fold(0, |word, bit| word | bit)
            };
            Places(bytes.as_chunks().0.iter().map(word).collect())
        };
        Some(Commands {
            dialect,
            commands: places(&is_command),
            brackets: places(&is_bracket),
        })
    }

    /// To be called after a byte at `place` has become `byte`, by no run.
    pub(crate) fn changed(&mut self, place: usize, byte: u8) {
        let op = self.dialect.op(byte);
        self.commands.set(place, is_command(op));
        self.brackets.set(place, is_bracket(op));
    }

    /// As [`run`], on the ring whose commands these are.
    pub(crate) fn run(&mut self, ring: &mut Ring<'_>, start: Start, max_steps: u32) -> Outcome {
        let last = ring.bytes().len() - 1;
        let mut state = start.bff(last);
        let (mut steps, mut ops) = (0, 0);
        let limit = |ops| Outcome {
            ops,
            steps: max_steps,
            ended: Ended::StepLimit,
        };
        loop {
            let Some(next) = self.commands.from(state.pc) else {
                return limit(ops);
            };
            let noops = next.wrapping_sub(state.pc) & last;
            if noops >= (max_steps - steps) as usize {
                return limit(ops);
            }
            steps += noops as u32 + 1;
            ops += 1;
            state.pc = next;
            let bff::State { head0, head1, .. } = state;
            let tape = ring.bytes();
            let before = [tape[head0], tape[head1]];
            let ended = match self.jump(tape, next, before[0]) {
                Some(Some(partner)) => {
                    state.pc = (partner + 1) & last;
                    None
                }
                Some(None) => Some(Ended::UnmatchedBracket),
                None => self.dialect.step_on(ring, &mut state).ended,
            };
            if let Some(ended) = ended {
                return Outcome { ops, steps, ended };
            }
            // No step writes elsewhere than where a head was.
            for (head, before) in [head0, head1].into_iter().zip(before) {
                let byte = ring.bytes()[head];
                if byte != before {
                    self.changed(head, byte);
                }
            }
        }
    }

    /// The partner of the bracket at `pc`, if it has one; nothing at all where that is no
    /// bracket that jumps to its partner, `tested` being the byte at head 0.
    #[inline]
    fn jump(&self, tape: &[u8], pc: usize, tested: u8) -> Option<Option<usize>> {
        if self.dialect.brackets() != Brackets::Match {
            return None;
        }
        let last = tape.len() - 1;
        let is_null = self.dialect.is_null(tested);
        let (opens, next): (_, &dyn Fn(usize) -> Option<usize>) = match self.dialect.op(tape[pc]) {
            Op::Open if is_null => (Op::Open, &|at| self.brackets.from((at + 1) & last)),
            Op::Close if !is_null => (Op::Close, &|at| {
                self.brackets.back_from(at.wrapping_sub(1) & last)
            }),
            _ => return None,
        };
        let mut depth = 0;
        let mut at = pc;
        // The bracket itself is the last that is come to.
        while let Some(found) = next(at).filter(|found| *found != pc) {
            at = found;
            if self.dialect.op(tape[at]) == opens {
                depth += 1;
            } else if depth == 0 {
                return Some(Some(at));
            } else {
                depth -= 1;
            }
        }
        Some(None)
    }
}

fn is_command(op: Op) -> bool {
    !matches!(op, Op::Null | Op::Noop)
}

fn is_bracket(op: Op) -> bool {
    matches!(op, Op::Open | Op::Close)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;

    /// The same runs, one after the other on one ring, whatever they have made of it.
    #[test]
    fn runs_are_those_of_the_rules() {
        let families = Language::ALL.into_iter();
        let languages = families.filter(|language| matches!(language.family, Family::Bff(_)));
        for language in languages {
            for (number, dense) in [false, true, true, false].into_iter().enumerate() {
                let len = [256, 512, 4096, 1 << 14][number];
                let random = |i: usize| mix((number * len + i) as u64);
                // All bytes, or nearly all of them commands.
                let commands: Vec<u8> = (0..=255)
                    .filter(|byte| language.kind(*byte).symbol != "·")
                    .collect();
                let byte = |i: usize| match dense && random(i) % 8 > 0 {
                    true => commands[(random(i) >> 8) as usize % commands.len()],
                    false => (random(i) >> 8) as u8,
                };
                let mut expected: Vec<u8> = (0..len).map(byte).collect();
                let mut bytes = expected.clone();
                let mut known = Commands::of(language, &bytes).unwrap();
                for run_number in 0..400 {
                    let random = mix(!run_number);
                    let start = Start {
                        pc: random as usize & (len - 1),
                        head_offset: [0, 1, 12, 200][run_number as usize % 4],
                    };
                    let max_steps = [0, 1, 7, 100, 3000][(random >> 40) as usize % 5];
                    let by_rules = run(
                        language,
                        &mut Ring::new(&mut expected).unwrap(),
                        start,
                        max_steps,
                    )
                    .unwrap();
                    let fast = known.run(&mut Ring::new(&mut bytes).unwrap(), start, max_steps);
                    assert_eq!(fast, by_rules, "{language} {len} {start:?} {max_steps}");
                    assert!(bytes == expected, "{language} {len} {start:?} {max_steps}");
                    let place = (random >> 20) as usize & (len - 1);
                    bytes[place] = (random >> 50) as u8;
                    expected[place] = bytes[place];
                    known.changed(place, bytes[place]);
                }
            }
        }
    }

    #[test]
    fn what_a_ring_cannot_run_is_an_error() {
        for (language, pc, hint) in [
            ("forth", 0, "`language` forth has no rules for a ring"),
            ("subleq", 0, "`language` subleq"),
            ("rsubleq4", 255, "`language` rsubleq4"),
            ("bff", 256, "`pc` 256: the ring has 256 bytes"),
            ("z80", usize::MAX, "`pc`"),
        ] {
            let language: &Language = language.parse::<&'static Language>().unwrap();
            let (mut bytes, start) = ([7; 256], Start { pc, head_offset: 0 });
            let mut ring = Ring::new(&mut bytes).unwrap();
            let error = run(language, &mut ring, start, 100).unwrap_err();
            assert!(
                error.is_usage() && error.to_string().contains(hint),
                "{error}"
            );
            assert_eq!(bytes, [7; 256]);
        }
    }

    /// A bracket finds its partner round the ring, up to itself.
    #[test]
    fn brackets_reach_round_the_ring() {
        let language = &crate::language::bff::BFF_NOHEADS;
        let at = |pc| Start { pc, head_offset: 0 };
        for (text, start, ended) in [
            // `[` at 200 jumps to the `]` at 10, which finds a null and goes on round.
            (vec![(200, b'['), (10, b']')], 200, Ended::StepLimit),
            (vec![(200, b'['), (10, b'[')], 200, Ended::UnmatchedBracket),
            (vec![(200, b'[')], 200, Ended::UnmatchedBracket),
            (vec![(10, b']'), (200, b'[')], 10, Ended::StepLimit),
            (vec![(10, b']'), (200, b']')], 10, Ended::UnmatchedBracket),
        ] {
            let mut bytes = [0; 256];
            // Head 0 is on the bracket itself, which is not null: only `]` jumps at once.
            for (place, byte) in text {
                bytes[place] = byte;
            }
            let is_open = bytes[start] == b'[';
            // A null under head 0, by moving it first.
            let pc = if is_open { start - 1 } else { start };
            if is_open {
                bytes[start - 1] = b'<';
            }
            let mut twin = bytes;
            let by_rules = run(language, &mut Ring::new(&mut bytes).unwrap(), at(pc), 600).unwrap();
            assert_eq!(by_rules.ended, ended, "{start}");
            let mut known = Commands::of(language, &twin).unwrap();
            let fast = known.run(&mut Ring::new(&mut twin).unwrap(), at(pc), 600);
            assert_eq!((fast, twin), (by_rules, bytes), "{start}");
        }
    }
}
