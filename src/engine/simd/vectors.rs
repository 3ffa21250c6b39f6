//! What the interpreter does to many bytes of a tape at once. Each set of instructions does the
//! same; the tests hold them to the portable form.

use super::Track;
use crate::engine::bff::script::Script;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::places::below;
use crate::language::bff::{Class, Dialect, Op};
use crate::language::{TAPE_LEN, Tape};

/// What the interpreter did.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "run"), allow(dead_code))]
pub(crate) enum Note {
    /// It came to a loop body with this hash, which is run by what is known of its iterations.
    Body(u64),
    /// It ran a loop of this form, to this end.
    Loop {
        /// The form's name.
        form: &'static str,
        /// How its iterations came to an end.
        exit: &'static str,
    },
    /// It came to a loop with brackets inside, or too long, which has no form.
    Nested,
    /// It skipped whole periods of a run that repeats.
    Period,
}

/// What [`Vectors::copy`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// The iterations done.
    pub(crate) iterations: usize,
    /// Whether they changed any byte.
    pub(crate) changed: bool,
    /// Whether further iterations change no byte, however many there are.
    pub(crate) is_settled: bool,
}

/// Something to do with a set of instructions; see [`Vectors::run`].
pub(crate) trait Work<V> {
    /// What comes of it.
    type Output;

    /// Do it. To be compiled with the instructions of `V`, this must be `#[inline(always)]`, and
    /// so must all of it that matters for speed.
    fn run(self, vectors: V) -> Self::Output;
}

/// A set of instructions that this machine has, and work on whole tapes with it.
pub(crate) trait Vectors: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// A tape in registers.
    type Loaded;

    /// The set, for code that has no room for a value that proves it.
    ///
    /// # Safety
    ///
    /// There must have been a value of this type.
    unsafe fn assume() -> Self;

    /// Take note of what was done, where anybody counts that: see `observed.rs`.
    #[inline(always)]
    fn note(self, _: impl FnOnce() -> Note) {}

    /// Do `work`, compiled with these instructions.
    fn run<W: Work<Self>>(self, work: W) -> W::Output;

    /// Fill `script` with the ops of `tape` from `script.first` on; the bases
    /// of the heads, and what depends on them, are left alone.
    #[inline(always)]
    fn decode(self, dialect: &Dialect, tape: &Tape, script: &mut Script) {
        let mut ops = 0;
        let loaded = self.load(tape, dialect.significant_bits());
        for code in dialect.commands().iter().flatten() {
            ops |= self.equal(&loaded, *code);
        }
        script.decode(dialect, tape, ops & !below(script.first));
    }

    /// The commands of `tape`.
    #[inline(always)]
    fn skeleton(self, dialect: &Dialect, tape: &Tape) -> Skeleton {
        let mut planes = [0; 4];
        let loaded = self.load(tape, dialect.significant_bits());
        for (op, code) in Op::ALL.iter().zip(dialect.commands()) {
            if let Some(code) = code {
                let places = self.equal(&loaded, *code);
                for (bit, plane) in planes.iter_mut().enumerate() {
                    if Class::command(*op) >> bit & 1 == 1 {
                        *plane |= places;
                    }
                }
            }
        }
        Skeleton(planes)
    }

    /// Have the events of `script` go from and to the heads, counted from
    /// these bases.
    #[inline(always)]
    fn aim(self, script: &mut Script, base0: u8, base1: u8) {
        script.aim_each(base0, base1);
    }

    /// The lowest bits of `bits`, so many of them, at most 128.
    #[inline(always)]
    fn lowest(self, bits: u64, count: usize) -> u64 {
        bits & below(count) as u64
    }

    /// The bytes of `tape`, each cut down to the bits of `mask`.
    fn load(self, tape: &Tape, mask: u8) -> Self::Loaded;

    /// The places that hold `byte`.
    fn equal(self, loaded: &Self::Loaded, byte: u8) -> u128;

    /// The entries of `script`, and maybe some behind its end, that are `[`, and
    /// those that are `]`.
    #[inline(always)]
    fn brackets(self, script: &Script) -> (u64, u64) {
        let (mut opens, mut closes) = (0, 0);
        let mut rest = script.events;
        while rest != 0 {
            let entry = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            opens |= u64::from(script.jumps_at[entry] == Class::NULL) << entry;
            closes |= u64::from(script.jumps_at[entry] == Class::SET) << entry;
        }
        (opens, closes)
    }

    /// The iterations, of the next 64, at which the byte on `track` has none of the bits
    /// of `mask`.
    #[inline(always)]
    fn null_iterations(self, tape: &Tape, track: Track, mask: u8) -> u64 {
        let is_null = |iteration: usize| u64::from(tape[track.at(iteration)] & mask == 0);
        (0..64).fold(0, |iterations, iteration| {
            iterations | is_null(iteration) << iteration
        })
    }

    /// The first iteration, of at most 64, at which the byte on `track` has none of
    /// the bits of `mask`.
    #[inline(always)]
    fn first_null(self, tape: &Tape, track: Track, mask: u8, iterations: usize) -> Option<usize> {
        (0..iterations).find(|iteration| tape[track.at(*iteration)] & mask == 0)
    }

    /// Copy a byte an iteration from `source` to `target`, for at most `iterations`, and not as
    /// far as an iteration that would change a byte at a place of `fixed`.
    ///
    /// Both going the same way, no iteration may read what an earlier one wrote. `iterations` is
    /// at most 128.
    #[inline(always)]
    fn copy(
        self,
        tape: &mut Tape,
        source: Track,
        target: Track,
        iterations: usize,
        fixed: u128,
    ) -> Copied {
        let mut copied = Copied {
            iterations,
            changed: false,
            is_settled: false,
        };
        for iteration in 0..iterations {
            let new = tape[source.at(iteration)];
            let place = target.at(iteration);
            if tape[place] != new {
                if fixed >> place & 1 == 1 {
                    copied.iterations = iteration;
                    break;
                }
                copied.changed = true;
                tape[place] = new;
            }
        }
        let is_copied = |iteration| tape[source.at(iteration)] == tape[target.at(iteration)];
        copied.is_settled = (0..TAPE_LEN).all(is_copied);
        copied
    }
}
