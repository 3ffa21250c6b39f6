//! How a program copies: what it left of itself where, and by which loop.

use std::ops::Range;

use crate::Error;
use crate::engine::bff::traced::{self, IN_PLACE, Origins};
use crate::engine::reference;
use crate::language::{Family, Language, PROGRAM_LEN, Role, Tape};

/// What one program holds of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Copied {
    /// Whether it holds it backwards.
    pub mirrored: bool,
    /// Which byte of the other its first byte is; both programs are taken as rings.
    pub first: u8,
    /// How many of its bytes fit.
    pub bytes: u8,
}

impl Copied {
    /// The way in which most bytes of `to` are bytes of `from`, two programs of the same length,
    /// of 255 bytes at most.
    pub fn between(from: &[u8], to: &[u8]) -> Result<Copied, Error> {
        if from.len() != to.len() || from.len() > usize::from(u8::MAX) {
            return Err(Error::Usage(format!(
                "programs of {} and {} bytes cannot be compared; take two of one length, up to {}",
                from.len(),
                to.len(),
                u8::MAX
            )));
        }
        Ok(Copied::of_halves(from, to))
    }

    /// As [`Copied::between`], of programs that fit.
    fn of_halves(from: &[u8], to: &[u8]) -> Copied {
        let len = from.len();
        Copied::best(len, |mirrored, first| {
            let source = |place: usize| {
                if mirrored {
                    (first + len - place) % len
                } else {
                    (first + place) % len
                }
            };
            let fits = |place: &usize| to[*place] == from[source(*place)];
            (0..len).filter(fits).count() as u8
        })
    }

    /// The way with most bytes of programs of `len`, which are counted for each direction and
    /// first byte; of several forwards before mirrored, and unmoved before moved.
    fn best(len: usize, bytes: impl Fn(bool, usize) -> u8) -> Copied {
        let unmoved = move |mirrored: bool| if mirrored { len - 1 } else { 0 };
        let ways = [false, true].into_iter().flat_map(|mirrored| {
            let first = move |moved: usize| (unmoved(mirrored) + moved) % len;
            (0..len).map(move |moved| (mirrored, first(moved)))
        });
        let ways = ways.map(|(mirrored, first)| Copied {
            mirrored,
            first: first as u8,
            bytes: bytes(mirrored, first),
        });
        let better = |best: Copied, way: Copied| if way.bytes > best.bytes { way } else { best };
        ways.reduce(better).unwrap_or(Copied {
            mirrored: false,
            first: 0,
            bytes: 0,
        })
    }

    /// What a run of `tape` leaves of its left program on the right: in the BFF family by
    /// following every copy, elsewhere by what is alike and was not before.
    pub fn to_the_right(language: &Language, tape: &[u8], max_steps: u32) -> Result<Copied, Error> {
        check_tape(language, tape)?;
        if let Family::Bff(dialect) = &language.family
            && let Ok(tape) = <&Tape>::try_from(tape)
        {
            let mut origins = IN_PLACE;
            traced::run(dialect, &mut tape.clone(), &mut origins, max_steps);
            return Ok(Copied::followed(&origins));
        }
        let mut then = tape.to_vec();
        reference::trace_bytes(language, &mut then, max_steps, |_, _| {})?;
        let [(from, before), (_, after)] = [tape, &then].map(|tape| tape.split_at(tape.len() / 2));
        let copied = Copied::of_halves(from, after);
        if copied.bytes > Copied::of_halves(from, before).bytes {
            Ok(copied)
        } else {
            Ok(Copied { bytes: 0, ..copied })
        }
    }

    /// The way in which most bytes of the right half came from the left one.
    fn followed(origins: &Origins) -> Copied {
        let mut counts = [[0u8; PROGRAM_LEN]; 2];
        for (place, origin) in origins[PROGRAM_LEN..].iter().enumerate() {
            let origin = usize::from(*origin);
            if origin < PROGRAM_LEN {
                counts[0][(origin + PROGRAM_LEN - place) % PROGRAM_LEN] += 1;
                counts[1][(origin + place) % PROGRAM_LEN] += 1;
            }
        }
        Copied::best(PROGRAM_LEN, |mirrored, first| {
            counts[usize::from(mirrored)][first]
        })
    }

    /// Whether the copy lies where its original, of `len` bytes, would: not moved along.
    pub fn in_place(self, len: usize) -> bool {
        usize::from(self.first) == if self.mirrored { len - 1 } else { 0 }
    }
}

/// Two programs joined are a tape.
fn check_tape(language: &Language, tape: &[u8]) -> Result<(), Error> {
    let len = 2 * language.program_len;
    if tape.len() == len {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "a tape of {} bytes cannot be run: two programs of {language} have {len}",
        tape.len()
    )))
}

/// The loop that changes most bytes when `tape` is run: from its first to its last place.
pub fn copying_loop(
    language: &Language,
    tape: &[u8],
    max_steps: u32,
) -> Result<Option<Range<usize>>, Error> {
    check_tape(language, tape)?;
    // (first place, last place, bytes changed in iterations that end there)
    let mut loops: Vec<(usize, usize, u32)> = Vec::new();
    let mut before: Option<(usize, Vec<u8>)> = None;
    // Changed bytes that belong to no loop yet: when each was, by place of the op.
    let mut changes: Vec<usize> = Vec::new();
    reference::trace_bytes(language, &mut tape.to_vec(), max_steps, |tape, view| {
        let Some((from, old)) = &mut before else {
            before = Some((view.pc, tape.to_vec()));
            return;
        };
        if old != tape {
            changes.push(*from);
        }
        if view.pc <= *from {
            let iteration = view.pc..=*from;
            let inside = changes
                .iter()
                .filter(|place| iteration.contains(place))
                .count() as u32;
            match loops.iter_mut().find(|l| (l.0, l.1) == (view.pc, *from)) {
                Some(known) => known.2 += inside,
                None => loops.push((view.pc, *from, inside)),
            }
            changes.clear();
        }
        old.copy_from_slice(tape);
        *from = view.pc;
    })?;
    let most = loops
        .into_iter()
        .filter(|(_, _, changed)| *changed > 0)
        .max_by_key(|(first, last, changed)| (*changed, std::cmp::Reverse((*first, *last))));
    let Some((first, last, _)) = most else {
        return Ok(None);
    };
    // A loop in brackets jumps to behind the first of them.
    let opens = first > 0 && language.kind(tape[first - 1]).role == Role::Open;
    let closes = language.kind(tape[last]).role == Role::Close;
    Ok(Some(first - usize::from(opens && closes)..last + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::machine::Z80_ZFF;
    use crate::language::{Program, TAPE_LEN, bff, forth};

    #[test]
    fn copies_are_found_however_they_lie() {
        let from: Program = std::array::from_fn(|place| place as u8);
        let mut to = from;
        let expect = |to: &Program, mirrored, first, bytes| {
            let expected = Copied {
                mirrored,
                first,
                bytes,
            };
            assert_eq!(Copied::between(&from, to).unwrap(), expected);
        };
        expect(&to, false, 0, 64);
        to[7] = 0xff;
        expect(&to, false, 0, 63);
        to.rotate_left(5);
        expect(&to, false, 5, 63);
        to.reverse();
        expect(&to, true, 4, 63);
        to.rotate_left(5);
        expect(&to, true, 63, 63);
    }

    /// A program that is its own mirror image: only following its copies tells how it copies.
    #[test]
    fn copies_are_followed_where_they_can_be() {
        let mut tape = [1; TAPE_LEN];
        tape[..8].copy_from_slice(b"[[{.>]-]");
        tape[56..64].copy_from_slice(b"]-]>.{[[");
        let copied = Copied::to_the_right(&bff::BFF_NOHEADS, &tape, 8192).unwrap();
        let expected = Copied {
            mirrored: true,
            first: 63,
            bytes: 64,
        };
        assert_eq!(copied, expected);
        let quiet = Copied::to_the_right(&bff::BFF_NOHEADS, &[1; TAPE_LEN], 8192);
        assert_eq!(quiet.unwrap().bytes, 0);
        // Forth: places 1 to 4 of the left program come to the right, where nothing was alike.
        let mut tape = [0x3f; TAPE_LEN];
        tape[1..5].copy_from_slice(&[0x08, 0x04, 0x0c, 0xc2]);
        tape[PROGRAM_LEN..].fill(0);
        let copied = Copied::to_the_right(&forth::FORTHTRIVIAL, &tape, 8192).unwrap();
        assert_eq!((copied.mirrored, copied.first), (false, 0));
        assert!(copied.bytes > 48, "{copied:?}");
        let quiet = Copied::to_the_right(&forth::FORTHTRIVIAL, &[0x3f; TAPE_LEN], 8192);
        assert_eq!(quiet.unwrap().bytes, 0);
    }

    #[test]
    fn the_loop_that_copies_is_found() {
        let mut tape = [1; TAPE_LEN];
        tape[..9].copy_from_slice(b"[[{.>]-]]");
        let found = copying_loop(&bff::BFF_NOHEADS, &tape, 8192).unwrap();
        assert_eq!(found, Some(1..6));
        let quiet = copying_loop(&bff::BFF_NOHEADS, &[1; TAPE_LEN], 8192);
        assert_eq!(quiet.unwrap(), None);
        // Forth: one more, twice, a copy of that byte to the other program, a jump back.
        let mut tape = [0x3f; TAPE_LEN];
        tape[1..5].copy_from_slice(&[0x08, 0x04, 0x0c, 0xc2]);
        tape[PROGRAM_LEN..].fill(0);
        let found = copying_loop(&forth::FORTHTRIVIAL, &tape, 8192).unwrap();
        assert_eq!(found, Some(1..5));
    }

    #[test]
    fn other_lengths_are_refused() {
        assert!(Copied::between(&[0; 64], &[0; 63]).is_err());
        assert!(Copied::between(&[0; 256], &[0; 256]).is_err());
        for language in [&bff::BFF, &forth::FORTH, &Z80_ZFF] {
            for len in [0, 1, language.program_len, 2 * language.program_len + 1] {
                let tape = vec![0; len];
                assert!(Copied::to_the_right(language, &tape, 8).is_err());
                assert!(copying_loop(language, &tape, 8).is_err());
            }
        }
    }
}
