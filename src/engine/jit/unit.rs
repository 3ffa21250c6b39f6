//! Compilation units, and what the code cache asks of the families that they belong to.

use std::fmt::Debug;
use std::hash::Hash;

#[cfg(feature = "jit")]
use super::emitter::Emitter;
use super::table::Native;
use super::tiers::Tier;

/// Where a unit lies on the tape, and where a run enters it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// The left program, entered at the run's start.
    Left,
    /// The right program, entered at its first byte.
    Right,
    /// A loop, anywhere, entered at the start of an iteration.
    Loop,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [EntryKind; 3] = [EntryKind::Left, EntryKind::Right, EntryKind::Loop];

    /// What it is called in a table.
    pub const fn name(self) -> &'static str {
        match self {
            EntryKind::Left => "left",
            EntryKind::Right => "right",
            EntryKind::Loop => "loop",
        }
    }
}

/// A unit of code that becomes one native function. Units that are equal mean the same.
pub(crate) trait CompilationUnit: Copy + Eq + Hash + Debug + Send + 'static {
    /// How a run enters it.
    fn kind(&self) -> EntryKind;

    /// A number that units which differ hardly ever share; hotness is counted by it.
    fn fingerprint(&self) -> u64;

    /// It, for people to read.
    fn text(&self) -> String;
}

/// What turns a family's units into code.
pub(crate) trait Translator: Send + Sync + Sized + 'static {
    /// The family's units.
    type Unit: CompilationUnit;
    /// What the engine finds native functions in.
    type Index: Index<Self::Unit>;
    /// What code points to: each lives as long as the code.
    type Data: Send + 'static;

    /// The smallest unit, to see whether there is native code at all.
    fn smallest_unit(&self) -> Self::Unit;

    /// Whether native code of a unit may be faster than the interpreter.
    fn pays(&self, unit: &Self::Unit) -> bool;

    /// What is known of the loops of `unit`, for people to read.
    #[cfg(feature = "jit")]
    fn describe(&self, unit: &Self::Unit) -> Vec<String>;

    /// Write the function of `unit`, adding to `data` what it points to.
    #[cfg(feature = "jit")]
    fn translate(&self, unit: &Self::Unit, emitter: Emitter<'_>, data: &mut Pinned<Self::Data>);
}

/// What code points to. It stays where it is until it is dropped with the code.
pub(crate) struct Pinned<D>(Vec<Box<D>>);

impl<D> Pinned<D> {
    pub(crate) fn new() -> Self {
        Pinned(Vec::new())
    }

    /// Keep `data`; its address.
    pub(crate) fn push(&mut self, data: D) -> usize {
        let data = Box::new(data);
        let address = std::ptr::from_ref(&*data) as usize;
        self.0.push(data);
        address
    }

    /// The memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * size_of::<D>()
    }
}

/// Where native functions are found while tapes are run.
pub(crate) trait Index<U>: Default + Send + Sync + 'static {
    /// Hold these functions and no others.
    fn fill(&mut self, functions: &[(U, Native)]);

    /// Whether there is any code that `tier` looks for.
    fn serves(&self, tier: Tier) -> bool;
}
