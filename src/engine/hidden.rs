//! What this machine has and engines are to do without, so that it tries what other machines do.

use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A part of a machine that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// AVX-512, in the interpreter, in native code, and in moving and mutating programs.
    Avx512 = 1,
    /// AVX2, likewise.
    Avx2 = 2,
    /// Memory whose content may be executed: without it there is no native code.
    ExecutableMemory = 4,
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 3] = [Part::Avx512, Part::Avx2, Part::ExecutableMemory];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Avx512 => "avx512",
            Part::Avx2 => "avx2",
            Part::ExecutableMemory => "executable-memory",
        }
    }
}

static HIDDEN: AtomicU8 = AtomicU8::new(0);

/// Do without `part` from now on, everywhere in this process. To be called before any engine or
/// soup is made: what there is already keeps what it has.
pub fn hide(part: Part) {
    HIDDEN.fetch_or(part as u8, Relaxed);
}

/// Whether engines are to do without `part`.
pub fn is_hidden(part: Part) -> bool {
    HIDDEN.load(Relaxed) & part as u8 != 0
}

/// A name that no part has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("unknown part `{name}` of a machine; choose from {}", Part::ALL.map(Part::name).join(", "))]
pub struct UnknownPart {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Part {
    type Err = UnknownPart;

    fn from_str(name: &str) -> Result<Self, UnknownPart> {
        let mut all = Part::ALL.into_iter();
        all.find(|part| part.name() == name)
            .ok_or_else(|| UnknownPart { name: name.into() })
    }
}
