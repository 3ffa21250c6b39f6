//! Which family's native code it is: the one place that knows them all.

use std::time::Duration;

use super::unit::{CompilationUnit, EntryKind};
use super::{CacheTally, Listing, NoNativeCode, Options, Tier, bff, forth};
use crate::language::{Family, Language};

/// The native code of a soup, whatever its language.
#[derive(Debug)]
pub struct Jit(AnyCache);

#[derive(Debug)]
enum AnyCache {
    Bff(bff::Cache),
    Forth(forth::Cache),
}

/// A unit of code: of the BFF family a loop or a program, of the Forth family a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit(AnyUnit);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum AnyUnit {
    Bff(bff::Unit),
    Forth(forth::LoopBody),
}

/// Why some code is no unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
#[non_exhaustive]
pub struct NotAUnit(pub(super) String);

/// Do the same with a value of either family.
macro_rules! either {
    ($sort:ident, $value:expr, $inner:ident => $work:expr) => {
        match $value {
            $sort::Bff($inner) => $work,
            $sort::Forth($inner) => $work,
        }
    };
}

impl Jit {
    /// For soups of `language`; nothing where it has no native code, an error where
    /// this machine has none.
    pub fn new(
        language: &'static Language,
        options: Options,
        closed_forms: bool,
    ) -> Result<Option<Jit>, NoNativeCode> {
        let cache = match &language.family {
            Family::Bff(dialect) => {
                let translator = bff::Bff::new(dialect, closed_forms);
                AnyCache::Bff(bff::Cache::new(translator, options)?)
            }
            Family::Forth(dialect) => {
                let translator = forth::Forth::new(dialect, closed_forms);
                AnyCache::Forth(forth::Cache::new(translator, options)?)
            }
            Family::Subleq(_)
            | Family::RelativeSubleq(_)
            | Family::RelativeForth(_)
            | Family::Machine(_) => return Ok(None),
        };
        Ok(Some(Jit(cache)))
    }

    /// That of the BFF family.
    #[inline(always)]
    pub(crate) fn bff(&self) -> Option<&bff::Cache> {
        match &self.0 {
            AnyCache::Bff(cache) => Some(cache),
            AnyCache::Forth(_) => None,
        }
    }

    /// That of the Forth family.
    #[inline(always)]
    pub(crate) fn forth(&self) -> Option<&forth::Cache> {
        match &self.0 {
            AnyCache::Forth(cache) => Some(cache),
            AnyCache::Bff(_) => None,
        }
    }

    /// How native code is made and kept.
    pub fn options(&self) -> &Options {
        either!(AnyCache, &self.0, cache => cache.options())
    }

    /// What is looked for at the moment.
    pub fn tier(&self) -> Tier {
        either!(AnyCache, &self.0, cache => cache.tier())
    }

    /// What the cache holds and has cost.
    pub fn tally(&self) -> CacheTally {
        either!(AnyCache, &self.0, cache => cache.tally())
    }

    /// The units that are native now.
    pub fn units(&self) -> Vec<Unit> {
        match &self.0 {
            AnyCache::Bff(cache) => cache.units().map(|unit| (*unit).into()).collect(),
            AnyCache::Forth(cache) => cache.units().map(|unit| (*unit).into()).collect(),
        }
    }

    /// Have `units` made native at once, whether they are hot or not.
    #[cfg(feature = "internals")]
    #[doc(hidden)]
    pub fn compile(&mut self, units: &[Unit]) -> Result<(), NoNativeCode> {
        match &mut self.0 {
            AnyCache::Bff(cache) => cache.compile(&all(units, Unit::bff)?),
            AnyCache::Forth(cache) => cache.compile(&all(units, Unit::forth)?),
        }
    }

    /// `unit`, compiled to be read.
    pub fn show(&self, unit: &Unit) -> Result<Listing, NoNativeCode> {
        match &self.0 {
            AnyCache::Bff(cache) => cache.show(&unit.bff()?),
            AnyCache::Forth(cache) => cache.show(&unit.forth()?),
        }
    }

    /// Install what has been compiled, and have compiled what has become hot. The epoch
    /// before took this `time`.
    pub fn safepoint(&mut self, time: Duration) {
        either!(AnyCache, &mut self.0, cache => cache.safepoint(time));
    }

    /// Wait until all that has become hot is native.
    pub fn settle(&mut self) {
        either!(AnyCache, &mut self.0, cache => cache.settle());
    }
}

/// All of `units` as those of one family.
#[cfg(feature = "internals")]
fn all<U>(
    units: &[Unit],
    of: impl Fn(&Unit) -> Result<U, NoNativeCode>,
) -> Result<Vec<U>, NoNativeCode> {
    units.iter().map(of).collect()
}

impl Unit {
    /// The unit that `code` is as one of `kind`; if that is not said, as a loop where it
    /// is one from its first byte on, else as the left program. What lies behind a loop
    /// is left out.
    pub fn parse(
        language: &Language,
        kind: Option<EntryKind>,
        code: &[u8],
    ) -> Result<Unit, NotAUnit> {
        match &language.family {
            Family::Bff(dialect) => bff::parse(dialect, kind, code).map(Unit::from),
            Family::Forth(dialect) => forth::parse(dialect, kind, code).map(Unit::from),
            Family::Subleq(_)
            | Family::RelativeSubleq(_)
            | Family::RelativeForth(_)
            | Family::Machine(_) => Err(NotAUnit(format!(
                "there is no native code for {language}; \
                 choose a language of the BFF or the Forth family"
            ))),
        }
    }

    /// Where it lies, and where a run enters it.
    pub fn kind(&self) -> EntryKind {
        either!(AnyUnit, &self.0, unit => unit.kind())
    }

    /// Its commands as text, a space for those without; bytes of Forth in hex.
    pub fn text(&self) -> String {
        either!(AnyUnit, &self.0, unit => unit.text())
    }

    fn bff(&self) -> Result<bff::Unit, NoNativeCode> {
        match &self.0 {
            AnyUnit::Bff(unit) => Ok(*unit),
            AnyUnit::Forth(_) => Err(other_family()),
        }
    }

    fn forth(&self) -> Result<forth::LoopBody, NoNativeCode> {
        match &self.0 {
            AnyUnit::Forth(unit) => Ok(*unit),
            AnyUnit::Bff(_) => Err(other_family()),
        }
    }
}

impl From<bff::Unit> for Unit {
    fn from(unit: bff::Unit) -> Unit {
        Unit(AnyUnit::Bff(unit))
    }
}

impl From<forth::LoopBody> for Unit {
    fn from(unit: forth::LoopBody) -> Unit {
        Unit(AnyUnit::Forth(unit))
    }
}

fn other_family() -> NoNativeCode {
    NoNativeCode("the unit is of another family than the language".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(language: &str, kind: Option<EntryKind>, text: &str) -> Result<Unit, NotAUnit> {
        let language: &'static Language = language.parse().unwrap();
        Unit::parse(language, kind, &language.parse_program(text).unwrap())
    }

    #[test]
    fn loops_and_programs_are_told_apart() {
        use EntryKind::{Left, Loop, Right};
        for (language, kind, text, expected) in [
            ("bff_noheads", None, "[[{.>]-]", (Loop, "[[{.>]-]")),
            ("bff_noheads", None, "[-] >", (Loop, "[-]")),
            ("bff_noheads", None, "[-]]", (Left, "[-]]")),
            ("bff_noheads", None, "[", (Left, "[")),
            ("bff_noheads", None, ">[-]", (Left, ">[-]")),
            ("bff_noheads", Some(Right), "[-]", (Right, "[-]")),
            ("bff", None, "+-[-]", (Left, "  [-]")),
            ("bff8_noheads", Some(Loop), " {.>    ]", (Loop, " {.>    ]")),
            ("bff_selfmove", None, "[,]", (Loop, "[,]")),
        ] {
            let unit = parse(language, kind, text).unwrap();
            let (kind, text) = expected;
            assert_eq!(
                (unit.kind(), unit.text().trim_end()),
                (kind, text),
                "{language}"
            );
        }
    }

    #[test]
    fn what_is_no_unit_is_named() {
        use EntryKind::{Left, Loop};
        assert!(parse("bff", Some(Left), &"-".repeat(64)).is_ok());
        for (language, kind, text, hint) in [
            ("bff", Loop, "[-]]", "ends at byte 3"),
            ("bff", Loop, "[[-]", "has no `]`"),
            ("bff", Loop, "-]", "begins with `[`"),
            ("bff", Loop, "[-", "ends with `]`"),
            ("bff8", Loop, "[-]", "8 bytes and a `]`"),
            ("bff", Left, &"-".repeat(65), "at most 64"),
            ("forth", Left, "00", "only loops"),
            ("forth", Loop, "00 c5", "jump back to its first byte"),
            ("subleq", Left, "00", "no native code"),
        ] {
            let message = parse(language, Some(kind), text).unwrap_err().to_string();
            assert!(message.contains(hint), "{message}");
        }
    }

    #[test]
    fn a_unit_of_another_family_is_refused() {
        let unit = parse("forth", Some(EntryKind::Loop), "00 c0").unwrap();
        let bff: &'static Language = "bff".parse().unwrap();
        let jit = Jit::new(bff, Options::default(), true).unwrap();
        let jit = jit.expect("there is native code");
        assert!(jit.show(&unit).is_err());
        #[cfg(feature = "internals")]
        assert!({ jit }.compile(&[unit]).is_err());
    }
}
