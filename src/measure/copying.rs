//! How a program copies: what it left of itself where, and by which loop.

use std::ops::Range;

use crate::engine::bff::traced::{self, IN_PLACE, Origins};
use crate::engine::reference;
use crate::language::{Family, Language, PROGRAM_LEN, Role, Tape};

/// What one program holds of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Whether it holds it backwards.
    pub mirrored: bool,
    /// Which byte of the other its first byte is; both programs are taken as rings.
    pub first: u8,
    /// How many of its bytes fit.
    pub bytes: u8,
}

impl Copied {
    /// The way in which most bytes of `to` are bytes of `from`.
    pub fn between(from: &[u8], to: &[u8]) -> Copied {
        let len = from.len();
        Copied::best(len, |mirrored, first| {
            let source = |place: usize| match mirrored {
                false => (first + place) % len,
                true => (first + len - place) % len,
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
    pub fn to_the_right(language: &Language, tape: &[u8], max_steps: u32) -> Copied {
        if let Family::Bff(dialect) = &language.family
            && let Ok(tape) = <&Tape>::try_from(tape)
        {
            let mut origins = IN_PLACE;
            traced::run(dialect, &mut tape.clone(), &mut origins, max_steps);
            return Copied::followed(&origins);
        }
        let mut then = tape.to_vec();
        reference::trace_bytes(language, &mut then, max_steps, |_, _| {});
        let [(from, before), (_, after)] = [tape, &then].map(|tape| tape.split_at(tape.len() / 2));
        let copied = Copied::between(from, after);
        match copied.bytes > Copied::between(from, before).bytes {
            true => copied,
            false => Copied { bytes: 0, ..copied },
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

/// The loop that changes most bytes when `tape` is run: from its first to its last place.
pub fn copying_loop(language: &Language, tape: &[u8], max_steps: u32) -> Option<Range<usize>> {
    // (first place, last place, bytes changed in laps that end there)
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
            let lap = view.pc..=*from;
            let inside = changes.iter().filter(|place| lap.contains(place)).count() as u32;
            match loops.iter_mut().find(|l| (l.0, l.1) == (view.pc, *from)) {
                Some(known) => known.2 += inside,
                None => loops.push((view.pc, *from, inside)),
            }
            changes.clear();
        }
        old.copy_from_slice(tape);
        *from = view.pc;
    });
    let (first, last, _) = loops
        .into_iter()
        .filter(|(_, _, changed)| *changed > 0)
        .max_by_key(|(first, last, changed)| (*changed, std::cmp::Reverse((*first, *last))))?;
    // A loop in brackets jumps to behind the first of them.
    let opens = first > 0 && language.kind(tape[first - 1]).role == Role::Open;
    let closes = language.kind(tape[last]).role == Role::Close;
    Some(first - usize::from(opens && closes)..last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
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
            assert_eq!(Copied::between(&from, to), expected);
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
        let copied = Copied::to_the_right(&bff::BFF_NOHEADS, &tape, 8192);
        let expected = Copied {
            mirrored: true,
            first: 63,
            bytes: 64,
        };
        assert_eq!(copied, expected);
        let quiet = Copied::to_the_right(&bff::BFF_NOHEADS, &[1; TAPE_LEN], 8192);
        assert_eq!(quiet.bytes, 0);
        // Forth: places 1 to 4 of the left program come to the right, where nothing was alike.
        let mut tape = [0x3f; TAPE_LEN];
        tape[1..5].copy_from_slice(&[0x08, 0x04, 0x0c, 0xc2]);
        tape[PROGRAM_LEN..].fill(0);
        let copied = Copied::to_the_right(&forth::FORTHTRIVIAL, &tape, 8192);
        assert_eq!((copied.mirrored, copied.first), (false, 0));
        assert!(copied.bytes > 48, "{copied:?}");
        let quiet = Copied::to_the_right(&forth::FORTHTRIVIAL, &[0x3f; TAPE_LEN], 8192);
        assert_eq!(quiet.bytes, 0);
    }

    #[test]
    fn the_loop_that_copies_is_found() {
        let mut tape = [1; TAPE_LEN];
        tape[..9].copy_from_slice(b"[[{.>]-]]");
        let found = copying_loop(&bff::BFF_NOHEADS, &tape, 8192);
        assert_eq!(found, Some(1..6));
        assert_eq!(copying_loop(&bff::BFF_NOHEADS, &[1; TAPE_LEN], 8192), None);
        // Forth: one more, twice, a copy of that byte to the other program, a jump back.
        let mut tape = [0x3f; TAPE_LEN];
        tape[1..5].copy_from_slice(&[0x08, 0x04, 0x0c, 0xc2]);
        tape[PROGRAM_LEN..].fill(0);
        let found = copying_loop(&forth::FORTHTRIVIAL, &tape, 8192);
        assert_eq!(found, Some(1..5));
    }
}
