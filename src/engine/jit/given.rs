//! Pieces of code that somebody names; those of a soup are found by running it.

use super::forth::Span;
use super::{Piece, Spot, bff};
use crate::engine::bff::skeleton::Skeleton;
use crate::language::bff::{Brackets, Dialect, Op};
use crate::language::{Family, Language, PROGRAM_LEN, TAPE_LEN, Tape, forth};

/// Why some code is no piece.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPiece(String);

impl Spot {
    /// Every spot.
    pub const ALL: [Spot; 3] = [Spot::Left, Spot::Right, Spot::Loop];

    /// What it is called in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Spot::Left => "left",
            Spot::Right => "right",
            Spot::Loop => "loop",
        }
    }
}

impl Piece {
    /// The piece that `code` is at `spot`; if that is not said, as a loop where it is
    /// one from its first byte on, else as the left program. What lies behind a loop
    /// is left out.
    pub fn given(language: &Language, spot: Option<Spot>, code: &[u8]) -> Result<Piece, NoPiece> {
        let dialect = match &language.family {
            Family::Bff(dialect) => dialect,
            Family::Forth(dialect) => return forth_loop(dialect, spot, code),
            Family::Subleq(_)
            | Family::RelativeSubleq(_)
            | Family::RelativeForth(_)
            | Family::Machine(_) => {
                return Err(NoPiece(format!(
                    "there is no native code for {language}; \
                     choose a language of the BFF or the Forth family"
                )));
            }
        };
        let starts_as_loop = code
            .first()
            .is_some_and(|byte| dialect.op(*byte) == Op::Open);
        match spot {
            Some(Spot::Loop) => a_loop(dialect, code),
            Some(spot) => program(dialect, spot, code),
            None if starts_as_loop => {
                a_loop(dialect, code).or_else(|_| program(dialect, Spot::Left, code))
            }
            None => program(dialect, Spot::Left, code),
        }
    }
}

/// From the first byte of `code` to its last, which must jump back there.
fn forth_loop(dialect: &forth::Dialect, spot: Option<Spot>, code: &[u8]) -> Result<Piece, NoPiece> {
    if spot.is_some_and(|spot| spot != Spot::Loop) {
        return Err(NoPiece(
            "of the Forth family only loops become native code".into(),
        ));
    }
    let last = code.len().saturating_sub(1);
    let is_loop = (1..=PROGRAM_LEN).contains(&last)
        && dialect.op(code[last]) == forth::Op::JumpBack
        && usize::from(code[last] % 64) + 1 == last;
    if !is_loop {
        return Err(NoPiece(
            "a Forth loop ends with a jump back to its first byte".into(),
        ));
    }
    let mut tape: Tape = [0; TAPE_LEN];
    tape[..code.len()].copy_from_slice(code);
    Ok(Piece::Forth(Span::of(dialect, &tape, 0, last)))
}

/// What `code` means at the start of a tape without other commands.
fn skeleton(dialect: &Dialect, code: &[u8]) -> Skeleton {
    let mut tape: Tape = [0; TAPE_LEN];
    tape[..code.len()].copy_from_slice(code);
    // Zeros are commands of some dialects.
    Skeleton::of(dialect, &tape).piece(0, code.len())
}

fn program(dialect: &Dialect, spot: Spot, code: &[u8]) -> Result<Piece, NoPiece> {
    if code.len() > PROGRAM_LEN {
        return Err(NoPiece(format!(
            "a program has at most {PROGRAM_LEN} bytes, and this has {}",
            code.len()
        )));
    }
    let first = match spot {
        Spot::Left => dialect.first_place(),
        Spot::Right | Spot::Loop => 0,
    };
    Ok(Piece::Bff(bff::Piece {
        spot,
        skeleton: Skeleton::of_half(skeleton(dialect, code).left(first)),
    }))
}

/// From the first byte of `code` to its last `]`, which must jump back there.
fn a_loop(dialect: &Dialect, code: &[u8]) -> Result<Piece, NoPiece> {
    let op = |place: usize| dialect.op(code[place]);
    let close = (0..code.len()).rfind(|place| op(*place) == Op::Close);
    let close = close.ok_or_else(|| NoPiece("a loop ends with `]`, and here is none".into()))?;
    if close >= TAPE_LEN {
        return Err(NoPiece(format!("a loop has at most {TAPE_LEN} bytes")));
    }
    match dialect.brackets() {
        Brackets::Jump(distance) if close == distance => {}
        Brackets::Jump(distance) => {
            return Err(NoPiece(format!(
                "in this language `]` jumps back {distance} bytes: \
                 a loop is {distance} bytes and a `]`"
            )));
        }
        Brackets::Match => {
            if op(0) != Op::Open {
                return Err(NoPiece("a loop begins with `[`".into()));
            }
            let mut depth = 0;
            for place in 0..=close {
                match op(place) {
                    Op::Open => depth += 1,
                    Op::Close => depth -= 1,
                    _ => {}
                }
                if depth == 0 && place < close {
                    return Err(NoPiece(format!(
                        "the loop ends at byte {}, before the last `]`",
                        place + 1
                    )));
                }
            }
            if depth > 0 {
                return Err(NoPiece("the first `[` has no `]`".into()));
            }
        }
    }
    Ok(Piece::Bff(bff::Piece {
        spot: Spot::Loop,
        skeleton: skeleton(dialect, &code[..=close]),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(language: &str, spot: Option<Spot>, text: &str) -> Result<Piece, NoPiece> {
        let language: &'static Language = language.parse().unwrap();
        Piece::given(language, spot, &language.parse_program(text).unwrap())
    }

    #[test]
    fn loops_and_programs_are_told_apart() {
        for (language, spot, text, expected) in [
            ("bff_noheads", None, "[[{.>]-]", (Spot::Loop, "[[{.>]-]")),
            ("bff_noheads", None, "[-] >", (Spot::Loop, "[-]")),
            ("bff_noheads", None, "[-]]", (Spot::Left, "[-]]")),
            ("bff_noheads", None, "[", (Spot::Left, "[")),
            ("bff_noheads", None, ">[-]", (Spot::Left, ">[-]")),
            (
                "bff_noheads",
                Some(Spot::Right),
                "[-]",
                (Spot::Right, "[-]"),
            ),
            ("bff", None, "+-[-]", (Spot::Left, "  [-]")),
            (
                "bff8_noheads",
                Some(Spot::Loop),
                " {.>    ]",
                (Spot::Loop, " {.>    ]"),
            ),
            ("bff_selfmove", None, "[,]", (Spot::Loop, "[,]")),
        ] {
            let piece = given(language, spot, text).unwrap();
            let (spot, text) = expected;
            assert_eq!(
                (piece.spot(), piece.text().trim_end()),
                (spot, text),
                "{language}"
            );
        }
    }

    #[test]
    fn what_is_no_piece_is_named() {
        assert!(given("bff", Some(Spot::Left), &"-".repeat(64)).is_ok());
        for (language, spot, text, hint) in [
            ("bff", Spot::Loop, "[-]]", "ends at byte 3"),
            ("bff", Spot::Loop, "[[-]", "has no `]`"),
            ("bff", Spot::Loop, "-]", "begins with `[`"),
            ("bff", Spot::Loop, "[-", "ends with `]`"),
            ("bff8", Spot::Loop, "[-]", "8 bytes and a `]`"),
            ("bff", Spot::Left, &"-".repeat(65), "at most 64"),
            ("forth", Spot::Left, "00", "only loops"),
            ("forth", Spot::Loop, "00 c5", "jump back to its first byte"),
            ("subleq", Spot::Left, "00", "no native code"),
        ] {
            let message = given(language, Some(spot), text).unwrap_err().to_string();
            assert!(message.contains(hint), "{message}");
        }
    }
}
