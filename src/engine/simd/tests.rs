//! Every set of instructions against the portable forms.

use super::*;
use crate::engine::bff::script::Script;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::places::below;
use crate::language::bff::{Dialect, Op};
use crate::language::{Family, Language, TAPE_LEN, Tape};
use crate::random::mix;

/// Every set of instructions reads a tape, aims and finds brackets as the portable forms.
#[test]
fn all_read_tapes_alike() {
    fn check(
        vectors: impl Vectors,
        dialect: &Dialect,
        tape: &Tape,
        first: usize,
        heads: [usize; 2],
    ) {
        let (mut script, mut plain) = (Script::EMPTY, Script::EMPTY);
        {
            assert_eq!(vectors.skeleton(dialect, tape), Skeleton::of(dialect, tape));
            let mask = dialect.significant_bits();
            for byte in [tape[0] & mask, 0] {
                let is_equal = |place: &usize| tape[*place] & mask == byte;
                let places = (0..TAPE_LEN).filter(is_equal).map(|place| 1 << place);
                let places = places.fold(0u128, |places, place| places | place);
                assert_eq!(vectors.equal(&vectors.load(tape, mask), byte), places);
            }
            script.read(vectors, dialect, tape, first);
            plain.read(Portable, dialect, tape, first);
            let ops = plain.len;
            assert_eq!((script.len, script.ops), (plain.len, plain.ops));
            assert_eq!(script.end(), plain.end());
            for place in 0..=TAPE_LEN {
                assert_eq!(script.index(vectors, place), plain.index(Portable, place));
            }
            script.aim_first(vectors, heads[0], heads[1]);
            plain.aim_first(Portable, heads[0], heads[1]);
            assert_eq!(script.place[..=ops], plain.place[..=ops]);
            assert_eq!(script.add[..ops], plain.add[..ops]);
            assert_eq!(script.jumps_at[..ops], plain.jumps_at[..ops]);
            assert_eq!(script.events, plain.events);
            let entries = below(ops) as u64;
            let (opens, closes) = vectors.brackets(&script);
            let brackets = (opens & entries, closes & entries);
            assert_eq!(brackets, Portable.brackets(&plain));
            for entry in 0..ops {
                assert_eq!(script.heads(entry), plain.heads(entry));
                assert_eq!(script.goes(entry), plain.goes(entry));
            }
            assert_eq!(script.heads(ops), plain.heads(ops));
        }
    }
    for language in Language::ALL {
        let Family::Bff(dialect) = &language.family else {
            continue;
        };
        for round in 0..600 {
            let random = |i: u64| mix(round * 400 + i) as usize;
            let density = round as usize % 9;
            let byte = |place: usize| match random(place as u64) % 8 < density {
                true => dialect.byte_of(Op::ALL[random(150 + place as u64) % 10]),
                false => Some(random(200 + place as u64) as u8),
            };
            let tape: Tape = std::array::from_fn(|place| byte(place).unwrap_or(0));
            let first = [0, random(390) % TAPE_LEN][round as usize / 9 % 2];
            let heads = [random(391) % TAPE_LEN, random(392) % TAPE_LEN];
            for set in InstructionSet::available() {
                match set {
                    #[cfg(target_arch = "x86_64")]
                    InstructionSet::Avx512(vectors) => check(vectors, dialect, &tape, first, heads),
                    #[cfg(target_arch = "x86_64")]
                    InstructionSet::Avx2(vectors) => check(vectors, dialect, &tape, first, heads),
                    InstructionSet::Portable(vectors) => {
                        check(vectors, dialect, &tape, first, heads)
                    }
                }
            }
        }
    }
}

/// Every set of instructions copies and finds nulls as the portable loop.
#[test]
fn all_copy_and_find_nulls_alike() {
    fn check(
        vectors: impl Vectors,
        tape: &Tape,
        (a, b): (Track, Track),
        iterations: usize,
        fixed: u128,
        mask: u8,
    ) {
        let (mut expected, mut actual) = (*tape, *tape);
        {
            assert_eq!(
                vectors.null_iterations(tape, a, mask),
                Portable.null_iterations(tape, a, mask)
            );
            assert_eq!(
                vectors.first_null(tape, a, mask, iterations),
                Portable.first_null(tape, a, mask, iterations)
            );
            assert_eq!(
                vectors.copy(&mut actual, a, b, iterations, fixed),
                Portable.copy(&mut expected, a, b, iterations, fixed)
            );
        }
        assert_eq!(actual, expected, "{a:?} {b:?} {iterations}");
    }
    let strides = [Stride::Up, Stride::Down];
    for round in 0..4000 {
        let random = |i: u64| mix(round * 200 + i) as usize;
        let density = 1 + random(140) % 8;
        let tape: Tape = std::array::from_fn(|i| (random(i as u64) % density * 3) as u8);
        let track = |i| Track {
            start: random(i) % TAPE_LEN,
            stride: strides[random(i + 1) % 2],
        };
        let (a, b) = (track(150), track(152));
        // As many iterations as read nothing that an earlier one wrote, or all.
        let reads_written = |iteration: usize| b.iteration_at(a.at(iteration)) < iteration;
        let clear = match a.stride == b.stride {
            true => (0..TAPE_LEN).find(|iteration| reads_written(*iteration)),
            false => None,
        };
        let iterations = random(160) % (clear.unwrap_or(TAPE_LEN) + 1);
        let places = u128::from(mix(round)) << 64 | u128::from(mix(round + 7777));
        let fixed = [0, !0, places, 1 << (random(162) % 128)][random(163) % 4];
        let first = (0..TAPE_LEN).find(|iteration| fixed >> a.at(*iteration) & 1 == 1);
        assert_eq!(a.first_iteration_in(fixed), first);
        for set in InstructionSet::available() {
            match set {
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx512(vectors) => check(
                    vectors,
                    &tape,
                    (a, b),
                    iterations,
                    fixed,
                    [0xff, 0x0f][random(161) % 2],
                ),
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx2(vectors) => {
                    check(vectors, &tape, (a, b), iterations, fixed, 0xff)
                }
                InstructionSet::Portable(vectors) => {
                    check(vectors, &tape, (a, b), iterations, fixed, 0xff)
                }
            }
        }
    }
}
