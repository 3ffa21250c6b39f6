//! A run beside a partner whose bytes are unknown, step by step.

use super::value::{Byte, Partner};
use crate::Error;
use crate::language::bff::{Brackets, Dialect, Op};
use crate::language::{Ended, Family, Language, PROGRAM_LEN, Program, TAPE_LEN};

/// How a run came to depend on a byte of the partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// It would execute the byte.
    Executed,
    /// It would look for the partner of a bracket across the byte.
    Matched,
    /// It would ask whether the byte is null, once too often for both answers to be followed.
    Tested,
}

impl How {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            How::Executed => "executed",
            How::Matched => "matched",
            How::Tested => "tested",
        }
    }
}

/// Where a run depends on the partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependence {
    /// Steps done before.
    pub step: u32,
    /// The place of the byte in the partner that the run began with.
    pub place: u8,
    /// Where on the tape that byte is now.
    pub at: usize,
    /// What the run would do with it.
    pub how: How,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The run goes on.
    Goes,
    /// The step ended the run.
    Ended(Ended),
    /// The step was not done, for it depends on the partner.
    Depends(Dependence),
    /// The step was not done, for it depends on whether this byte of the partner, with so much
    /// added, is null.
    Forks { place: u8, added: u8 },
}

/// The dialect of a language whose runs can be followed.
pub(super) fn dialect_of(language: &'static Language) -> Result<&'static Dialect, Error> {
    if let Family::Bff(dialect) = &language.family {
        return Ok(dialect);
    }
    let known = Language::ALL.into_iter();
    let known = known.filter(|language| matches!(language.family, Family::Bff(_)));
    let names: Vec<&str> = known.map(|language| language.name).collect();
    Err(Error::Usage(format!(
        "{language}: a program is followed beside unknown bytes in the languages {} only; \
         `broth selfrep` scores programs of any language beside random partners",
        names.join(", ")
    )))
}

/// A run as it stands.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub tape: [Byte; TAPE_LEN],
    pub partner: Partner,
    pub pc: usize,
    pub heads: [usize; 2],
    pub steps: u32,
    pub ops: u32,
}

impl State {
    /// That of `program`, on the left of an unknown partner, before its first step.
    pub(super) fn new(dialect: &Dialect, program: &Program) -> State {
        let place = |byte: u8| usize::from(byte) % TAPE_LEN;
        State {
            tape: std::array::from_fn(|at| match at.checked_sub(PROGRAM_LEN) {
                None => Byte::Known(program[at]),
                Some(place) => Byte::Partner {
                    place: place as u8,
                    added: 0,
                },
            }),
            partner: Partner::ANY,
            pc: dialect.first_place(),
            heads: match dialect.first_place() {
                0 => [0, 0],
                _ => [place(program[0]), place(program[1])],
            },
            steps: 0,
            ops: 0,
        }
    }

    /// What the byte at `at` does, if that is known.
    pub(super) fn op(&self, dialect: &Dialect, at: usize) -> Option<Op> {
        self.partner.agree(self.tape[at], |byte| dialect.op(byte))
    }

    /// That the next step depends on the unknown byte at `at`.
    pub(super) fn depends(&self, at: usize, how: How) -> Dependence {
        let place = match self.tape[at] {
            Byte::Partner { place, .. } => place,
            Byte::Known(_) => 0,
        };
        Dependence {
            step: self.steps,
            place,
            at,
            how,
        }
    }

    /// Do one step. Must not be called again after it has said that the run has ended.
    pub(super) fn step(&mut self, dialect: &Dialect) -> Next {
        const LAST: usize = TAPE_LEN - 1;
        let Some(op) = self.op(dialect, self.pc) else {
            return Next::Depends(self.depends(self.pc, How::Executed));
        };
        let [head0, head1] = self.heads;
        let mut jump = Jump::None;
        match op {
            Op::Left0 => self.heads[0] = head0.wrapping_sub(1) & LAST,
            Op::Right0 => self.heads[0] = (head0 + 1) & LAST,
            Op::Left1 => self.heads[1] = head1.wrapping_sub(1) & LAST,
            Op::Right1 => self.heads[1] = (head1 + 1) & LAST,
            Op::Increment => self.tape[head0] = self.tape[head0].plus(1),
            Op::Decrement => self.tape[head0] = self.tape[head0].plus(255),
            Op::CopyTo1 => self.tape[head1] = self.tape[head0],
            Op::CopyTo0 => {
                self.tape[head0] = self.tape[head1];
                if dialect.copy_moves() {
                    self.heads[1] = (head1 + 1) & LAST;
                }
            }
            Op::Open | Op::Close => {
                let byte = self.tape[head0];
                let is_null = self.partner.agree(byte, |byte| dialect.is_null(byte));
                match (is_null, byte) {
                    (Some(is_null), _) if is_null == (op == Op::Open) => {
                        jump = match self.jump(dialect, op) {
                            Ok(jump) => jump,
                            Err(dependence) => return Next::Depends(dependence),
                        };
                    }
                    (None, Byte::Partner { place, added }) => return Next::Forks { place, added },
                    _ => {}
                }
            }
            Op::Null | Op::Noop => {}
        }
        self.steps += 1;
        self.ops += u32::from(!matches!(op, Op::Null | Op::Noop));
        match jump {
            Jump::None => {}
            Jump::To(place) => self.pc = place,
            Jump::Ends(ended) => return Next::Ended(ended),
        }
        self.pc += 1;
        if self.pc > LAST {
            return Next::Ended(Ended::LeftTape);
        }
        Next::Goes
    }

    /// Where the bracket at the program counter leads, if it is taken.
    fn jump(&self, dialect: &Dialect, bracket: Op) -> Result<Jump, Dependence> {
        match (dialect.brackets(), bracket) {
            (Brackets::Jump(distance), Op::Open) => Ok(Jump::To(self.pc + distance)),
            (Brackets::Jump(distance), _) => Ok(match self.pc.checked_sub(distance) {
                Some(place) => Jump::To(place),
                None => Jump::Ends(Ended::LeftTape),
            }),
            (Brackets::Match, Op::Open) => {
                self.matching(dialect, self.pc + 1..TAPE_LEN, [Op::Open, Op::Close])
            }
            (Brackets::Match, _) => {
                self.matching(dialect, (0..self.pc).rev(), [Op::Close, Op::Open])
            }
        }
    }

    /// The first of `places` with an `ends` that no `begins` before it takes for itself.
    fn matching(
        &self,
        dialect: &Dialect,
        places: impl Iterator<Item = usize>,
        [begins, ends]: [Op; 2],
    ) -> Result<Jump, Dependence> {
        let mut depth = 0;
        for at in places {
            let kind = |byte| {
                let op = dialect.op(byte);
                (op == begins, op == ends)
            };
            match self.partner.agree(self.tape[at], kind) {
                None => return Err(self.depends(at, How::Matched)),
                Some((true, _)) => depth += 1,
                Some((_, true)) if depth == 0 => return Ok(Jump::To(at)),
                Some((_, true)) => depth -= 1,
                Some(_) => {}
            }
        }
        Ok(Jump::Ends(Ended::UnmatchedBracket))
    }
}

/// What a bracket does to the program counter.
enum Jump {
    None,
    To(usize),
    Ends(Ended),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff;

    fn state(language: &'static Language, program: &[u8]) -> (State, &'static Dialect) {
        let dialect = dialect_of(language).unwrap();
        let mut padded = [b' '; PROGRAM_LEN];
        padded[..program.len()].copy_from_slice(program);
        (State::new(dialect, &padded), dialect)
    }

    /// What the last step says that is not a plain one.
    fn go(state: &mut State, dialect: &Dialect) -> Next {
        loop {
            match state.step(dialect) {
                Next::Goes => {}
                other => return other,
            }
        }
    }

    #[test]
    fn unknown_bytes_are_carried_and_counted() {
        // Head 0 to the partner's last byte: up by two, then to place 0 by head 1.
        let (mut state, dialect) = state(&bff::BFF_NOHEADS, b"<++.");
        for _ in 0..4 {
            assert_eq!(state.step(dialect), Next::Goes);
        }
        let byte = Byte::Partner {
            place: 63,
            added: 2,
        };
        assert_eq!((state.tape[127], state.tape[0]), (byte, byte));
        assert_eq!((state.steps, state.ops, state.pc), (4, 4, 4));
        assert_eq!(state.heads, [127, 0]);
    }

    #[test]
    fn a_null_test_of_an_unknown_byte_forks_until_it_is_decided() {
        let (mut state, dialect) = state(&bff::BFF_NOHEADS, b"<+[  ]");
        let fork = Next::Forks {
            place: 63,
            added: 1,
        };
        assert_eq!(go(&mut state, dialect), fork);
        assert_eq!(state.steps, 2);
        let mut is_null = state.clone();
        is_null.partner.narrow(63, |value| value == 255);
        assert_eq!(is_null.step(dialect), Next::Goes);
        assert_eq!(is_null.pc, 6);
        state.partner.narrow(63, |value| value != 255);
        assert_eq!(state.step(dialect), Next::Goes);
        assert_eq!(state.pc, 3);
    }

    #[test]
    fn executing_an_unknown_byte_depends_on_it() {
        let (mut state, dialect) = state(&bff::BFF_NOHEADS, b"");
        let Next::Depends(found) = go(&mut state, dialect) else {
            panic!("it depends on the partner");
        };
        assert_eq!((found.step, found.place, found.at), (64, 0, 64));
        assert_eq!(found.how, How::Executed);
        // Of which all that is known is that it does nothing.
        state.partner.narrow(0, |value| value > 200);
        assert_eq!(state.step(dialect), Next::Goes);
        assert_eq!((state.pc, state.ops), (65, 0));
    }

    #[test]
    fn matching_a_bracket_across_unknown_bytes_depends_on_the_first() {
        // Place 0 holds a known null after the copy of it from place 10.
        let (mut state, dialect) = state(&bff::BFF_NOHEADS, b"}}}}}},[ 0");
        state.tape[6] = Byte::Known(b',');
        state.tape[9] = Byte::Known(b' ');
        state.tape[0] = Byte::Known(0);
        state.tape[6] = Byte::Known(b' ');
        let Next::Depends(found) = go(&mut state, dialect) else {
            panic!("it depends on the partner");
        };
        assert_eq!((found.step, found.place, found.at), (7, 0, 64));
        assert_eq!(found.how, How::Matched);
    }

    #[test]
    fn a_bracket_matched_on_the_left_needs_no_partner() {
        let (mut state, dialect) = state(&bff::BFF_NOHEADS, b"0[[]]]");
        state.tape[0] = Byte::Known(0);
        state.step(dialect);
        assert_eq!(state.step(dialect), Next::Goes);
        assert_eq!(state.pc, 5);
        state.tape[0] = Byte::Known(1);
        assert_eq!(state.step(dialect), Next::Ended(Ended::UnmatchedBracket));
        assert_eq!((state.steps, state.ops), (3, 2));
    }

    #[test]
    fn brackets_that_jump_leave_the_tape_at_its_ends() {
        let (mut state, dialect) = state(&bff::BFF8_NOHEADS, b"x]");
        state.step(dialect);
        assert_eq!(state.step(dialect), Next::Ended(Ended::LeftTape));
        assert_eq!(state.steps, 2);
    }

    #[test]
    fn heads_start_where_the_program_says() {
        let (state, _) = state(&bff::BFF, &[0x90, 5, b'.']);
        assert_eq!((state.pc, state.heads), (2, [0x10, 5]));
    }

    #[test]
    fn other_families_are_refused_with_a_hint() {
        let error = dialect_of("forth".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("bff_noheads_4bit") && error.contains("broth selfrep"),
            "{error}"
        );
    }
}
