//! What was really exercised: which loops, closed forms and exits, and how often.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::engine::Notes;
use crate::engine::jit::{CacheTally, Exit, NativeTally};
use crate::language::Ended;

/// Of so many batches one is run by an interpreter that counts, too.
pub(super) const NOTED_EVERY: usize = 32;

/// The forms of loops, and the ends of runs of them.
pub(super) const FORMS: [&str; 6] = ["scan", "count", "copy", "clumsy copy", "nest", "plain"];
/// See [`FORMS`].
pub(super) const FORM_EXITS: [&str; 3] = ["done", "out_of_steps", "rewritten"];

/// Loops whose hashes are kept, at most: some tens of megabytes.
const MOST_BODIES: usize = 1 << 20;

/// Counts of what engines did.
#[derive(Clone, Debug, Default)]
pub struct Exercise {
    /// What native code did.
    pub native: NativeTally,
    /// Units that were compiled.
    pub compiled_programs: u64,
    /// See `compiled_programs`.
    pub compiled_loops: u64,
    /// Generations of native code that were freed to make room.
    pub freed: u64,
    /// Entries that were left to the interpreter.
    pub blacklisted: u64,
    /// Runs of loops by form and end, in one batch of 32.
    pub loops: BTreeMap<(&'static str, &'static str), u64>,
    /// Jumps back of loops without a form, likewise.
    pub nested: u64,
    /// Runs of which whole periods were skipped, likewise.
    pub periods: u64,
    /// Different loop bodies, likewise.
    pub bodies: HashSet<u64>,
    /// How runs ended.
    pub ended: [u64; Ended::ALL.len()],
    /// Epochs of whole soups.
    pub epochs: u64,
    /// Soups that came alive, and all.
    pub living_soups: u64,
    /// See `living_soups`.
    pub soups: u64,
    /// Times that a soup's engine, or its number of threads, changed.
    pub changes: u64,
}

impl Exercise {
    /// Count what a code cache has cost.
    pub fn add_cache(&mut self, tally: &CacheTally) {
        self.compiled_programs += tally.compiled.programs;
        self.compiled_loops += tally.compiled.loops;
        self.freed += tally.freed;
        self.blacklisted += tally.blacklisted;
    }

    /// Count what an interpreter noted.
    pub(crate) fn add_notes(&mut self, notes: Notes) {
        for (form, count) in notes.loops {
            *self.loops.entry(form).or_default() += count;
        }
        self.nested += notes.nested;
        self.periods += notes.periods;
        if self.bodies.len() < MOST_BODIES {
            self.bodies.extend(notes.bodies);
        }
    }

    /// Count all of `other`.
    pub fn add(&mut self, other: Exercise) {
        self.native = self.native + other.native;
        self.compiled_programs += other.compiled_programs;
        self.compiled_loops += other.compiled_loops;
        self.freed += other.freed;
        self.blacklisted += other.blacklisted;
        for (form, count) in other.loops {
            *self.loops.entry(form).or_default() += count;
        }
        self.nested += other.nested;
        self.periods += other.periods;
        if self.bodies.len() < MOST_BODIES {
            self.bodies.extend(other.bodies);
        }
        for (count, more) in self.ended.iter_mut().zip(other.ended) {
            *count += more;
        }
        self.epochs += other.epochs;
        self.living_soups += other.living_soups;
        self.soups += other.soups;
        self.changes += other.changes;
    }

    /// Everything as rows of a table.
    pub fn rows(&self) -> Vec<Row> {
        let row = |what: String, count: u64| Row { what, count };
        let noted = |what: &str| format!("{what}, in 1 batch of {NOTED_EVERY}");
        let mut rows = vec![row(
            noted("different loop bodies"),
            self.bodies.len() as u64,
        )];
        for form in FORMS {
            for exit in FORM_EXITS {
                // A scan writes nothing, and a count leaves the loop as it is.
                if matches!(form, "scan") && exit == "rewritten" {
                    continue;
                }
                let count = self.loops.get(&(form, exit)).copied().unwrap_or_default();
                rows.push(row(noted(&format!("loops, {form}, to {exit}")), count));
            }
        }
        rows.push(row(noted("jumps back of nested loops"), self.nested));
        rows.push(row(noted("repeating runs cut short"), self.periods));
        rows.extend([
            row("native programs compiled".into(), self.compiled_programs),
            row("native loops compiled".into(), self.compiled_loops),
            row("native code freed, generations".into(), self.freed),
            row("native units blacklisted".into(), self.blacklisted),
            row(
                "native programs entered".into(),
                self.native.entered.programs,
            ),
            row("native loops entered".into(), self.native.entered.loops),
            row("native iterations".into(), self.native.iterations),
            row(
                "repeating runs cut short in native code".into(),
                self.native.settled,
            ),
        ]);
        for (exit, count) in Exit::ALL.iter().zip(self.native.exits) {
            rows.push(row(format!("native exits, {}", exit.name()), count));
        }
        for (ended, count) in Ended::ALL.iter().zip(self.ended) {
            rows.push(row(format!("runs that ended by {}", ended.name()), count));
        }
        rows.extend([
            row("soups".into(), self.soups),
            row("soups that came alive".into(), self.living_soups),
            row("epochs of soups".into(), self.epochs),
            row("changes of a soup's engine or threads".into(), self.changes),
        ]);
        rows
    }
}

/// A count of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Of what.
    pub what: String,
    /// How many.
    pub count: u64,
}
