//! The BFF family: from units to code.
//!
//! A unit is the meaning of some consecutive places (their [`Skeleton`]): a loop from its `[` to
//! its `]`, or a program. Its function runs it by the rules for as long as no byte of it changes
//! its meaning, and exits before the first op that it cannot decide, with nothing of that op done.
//!
//! What makes that exact:
//!
//! - **Steps and ops** of a basic block are known, so they are only counted where blocks begin and
//!   at exits. That the steps suffice is checked where an iteration begins and behind a loop, for
//!   everything up to the next such place; a program cannot run further in between, since it only
//!   goes forwards.
//! - **Brackets** jump to partners within the unit, which stay what they are as long as the bytes
//!   between them do. One whose partner lies outside, or which has none, exits.
//! - **Writes** that change what a byte means: if it lies ahead, the function continues to the
//!   first such place, its *invalidation point*, and exits there; if it lies in a loop that has not
//!   ended, it exits at once; else it lies behind, the run does not come to it again, and nothing
//!   depends on it. An iteration that is known to write nowhere near its loop needs no guard
//!   (`guard_free.rs`).

mod callbacks;
mod frame;
#[cfg(feature = "jit")]
mod function;
#[cfg(feature = "jit")]
mod guard_free;
#[cfg(feature = "jit")]
mod ops;
mod shape;
mod unit;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

pub(crate) use frame::Frame;
pub(crate) use unit::{Unit, parse};

use super::cache;
use super::unit::{EntryKind, Translator};
#[cfg(feature = "jit")]
use super::{emitter::Emitter, unit::Pinned};
#[cfg(feature = "jit")]
use crate::engine::bff::loops::Loop;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::simd::InstructionSet;
use crate::language::bff::{Class, Dialect};
use callbacks::{ClosedLoop, RunLoop, run_loop_with};
use shape::Shape;

/// Translates units of one dialect.
#[derive(Clone, Copy)]
pub(crate) struct Bff {
    dialect: &'static Dialect,
    tables: &'static ByteTables,
    /// What runs loops by their closed forms; none where that is not wanted.
    run_loop: Option<RunLoop>,
}

impl Bff {
    /// For units of `dialect`, whose loops are run by closed forms if so wanted.
    pub(crate) fn new(dialect: &'static Dialect, closed_forms: bool) -> Bff {
        Bff {
            dialect,
            tables: ByteTables::of(dialect),
            run_loop: closed_forms.then(|| run_loop_with(InstructionSet::widest())),
        }
    }
}

impl Translator for Bff {
    type Unit = Unit;
    type Index = unit::Functions;
    type Data = ClosedLoop;

    fn smallest_unit(&self) -> Unit {
        Unit {
            kind: EntryKind::Right,
            skeleton: Skeleton::default(),
        }
    }

    /// Where there is a loop that has no closed form.
    fn pays(&self, unit: &Unit) -> bool {
        let shape = Shape::of(self.dialect, unit);
        let is_closed =
            |close| self.run_loop.is_some() && shape.closed_form(self.dialect, close).is_some();
        (0..shape.ops.len()).any(|place| shape.is_loop_end(place) && !is_closed(place))
    }

    #[cfg(feature = "jit")]
    fn describe(&self, unit: &Unit) -> Vec<String> {
        let shape = Shape::of(self.dialect, unit);
        let decoded = |close| Some((close, shape.decoded(self.dialect, close)?));
        let ends: Vec<usize> = (0..shape.ops.len())
            .filter(|place| shape.is_loop_end(*place))
            .collect();
        // The one that is all of the unit needs no place.
        let is_all = unit.kind == EntryKind::Loop && ends.len() == 1;
        let text = |(close, looped): (usize, Loop<'_>)| {
            let what = looped.describe(self.run_loop.is_some());
            if is_all {
                what
            } else {
                format!("to the ] at {close}: {what}")
            }
        };
        ends.into_iter().filter_map(decoded).map(text).collect()
    }

    #[cfg(feature = "jit")]
    fn translate(&self, unit: &Unit, emitter: Emitter<'_>, data: &mut Pinned<ClosedLoop>) {
        function::translate(self, unit, emitter, data);
    }
}

/// The native code of a soup of the family.
pub(crate) type Cache = cache::Cache<Bff>;

impl Cache {
    /// Take a closer look at the programs of a tape.
    #[cold]
    pub(crate) fn sample(&self, dialect: &Dialect, skeleton: &Skeleton) {
        if !self.counts_programs() {
            return;
        }
        let left = skeleton.left(dialect.first_place());
        let right = skeleton.right();
        for (kind, half, native) in [
            (EntryKind::Left, left, self.index().find_left(&left)),
            (EntryKind::Right, right, self.index().find_right(&right)),
        ] {
            if native.is_none() {
                let skeleton = Skeleton::of_half(half);
                self.came_up(Unit { kind, skeleton }, 1);
            }
        }
    }
}

/// What changes of a byte mean, by the byte.
pub(crate) struct ByteTables {
    /// The command bits of its class.
    commands: [u8; 256],
    /// Not 0 for a byte that means something else once 1 is added, or taken away.
    incremented: [u8; 256],
    decremented: [u8; 256],
}

impl ByteTables {
    /// Those of a dialect, made once.
    fn of(dialect: &'static Dialect) -> &'static ByteTables {
        type Made = HashMap<usize, &'static ByteTables>;
        static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = std::ptr::from_ref(dialect) as usize;
        made.entry(key)
            .or_insert_with(|| Box::leak(Box::new(ByteTables::new(dialect))))
    }

    fn new(dialect: &Dialect) -> ByteTables {
        let command = |byte: usize| dialect.class(byte as u8).bits() & Class::COMMAND;
        ByteTables {
            commands: std::array::from_fn(command),
            incremented: std::array::from_fn(|byte| command(byte) ^ command((byte + 1) % 256)),
            decremented: std::array::from_fn(|byte| command(byte) ^ command((byte + 255) % 256)),
        }
    }
}
