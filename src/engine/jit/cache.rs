//! The code cache: what is hot, what is native, what is freed.
//!
//! While tapes are run nothing here changes but counters. Code that a thread of its own has
//! compiled meanwhile is installed, and code is freed, only at a [safepoint](Cache::safepoint),
//! which borrows the cache mutably: so no tape is running then, and no lock is needed on the
//! way to native code.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Options;
use super::compiler::{Compiler, Generation, Worker};
use super::hotness::Hotness;
use super::table::Native;
use super::tally::{CacheTally, Counts};
use super::tiers::{Tier, TierSelection};
use super::unit::{CompilationUnit, EntryKind, Index, Translator};
use super::{Listing, NoNativeCode};

/// Units that become hot while compiling is behind are forgotten beyond these.
const MOST_WAITING: usize = 4096;
/// Units of a generation at most, and bytes that hardly any unit fills.
const BATCH: usize = 256;
const UNIT_ROOM: usize = 16 << 10;
/// Epochs between looks at which entries do not pay.
const EPOCHS_BETWEEN_RATINGS: u64 = 16;
/// While programs are not looked for, they are counted in so many epochs of so many.
const EPOCHS_OF_PROGRAMS: u64 = 64;
const EPOCHS_PER_PROGRAMS: u64 = 1024;
/// Times that a native function is entered before it is judged whether it pays.
const RATINGS: u32 = 64;

/// The native code of a soup, made by `T`.
pub(crate) struct Cache<T: Translator> {
    options: Options,
    compiler: Arc<Compiler<T>>,
    index: T::Index,
    tier: Tier,
    selection: TierSelection,
    hotness: Hotness,
    queue: Mutex<Queue<T::Unit>>,
    epochs: u64,
    entries: Vec<Entry<T::Unit>>,
    /// Never locked: only looked at where the cache is borrowed mutably.
    code: Mutex<Code<T>>,
    tally: CacheTally,
}

/// All code there is, and the thread that makes more.
struct Code<T: Translator> {
    generations: Vec<Generation<T>>,
    worker: Option<Worker<T>>,
}

/// Units that became hot.
struct Queue<U> {
    waiting: Vec<U>,
    /// All that were ever asked for and not freed since.
    known: HashSet<U>,
}

/// A native function, and whether it pays.
struct Entry<U> {
    unit: U,
    native: Native,
    ratings: AtomicU32,
    failures: AtomicU32,
    is_blacklisted: bool,
}

impl<T: Translator> Cache<T> {
    /// For soups of what `translator` translates; an error where this machine has no native
    /// code.
    pub(crate) fn new(translator: T, options: Options) -> Result<Cache<T>, NoNativeCode> {
        let compiler = Compiler::new(translator)?;
        // Whether memory may be executable is known once some was asked for.
        compiler.compile(&[compiler.translator().smallest_unit()])?;
        Ok(Cache {
            options,
            compiler: Arc::new(compiler),
            index: T::Index::default(),
            tier: options.least,
            selection: TierSelection::new(options.least),
            hotness: Hotness::new(1 << 13),
            queue: Mutex::new(Queue {
                waiting: Vec::new(),
                known: HashSet::new(),
            }),
            epochs: 0,
            entries: Vec::new(),
            code: Mutex::new(Code {
                generations: Vec::new(),
                worker: None,
            }),
            tally: CacheTally::default(),
        })
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// What is looked for at the moment.
    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    /// What it holds and has cost.
    pub(crate) fn tally(&self) -> CacheTally {
        self.tally
    }

    /// The units that are native now.
    pub(crate) fn units(&self) -> impl Iterator<Item = &T::Unit> {
        let kept = self.entries.iter().filter(|entry| !entry.is_blacklisted);
        kept.map(|entry| &entry.unit)
    }

    /// A unit, compiled to be read.
    pub(crate) fn show(&self, unit: &T::Unit) -> Result<Listing, NoNativeCode> {
        self.compiler.show(unit)
    }
}

/// While tapes are run.
impl<T: Translator> Cache<T> {
    /// Where native functions are found.
    #[inline(always)]
    pub(crate) fn index(&self) -> &T::Index {
        &self.index
    }

    /// Whether a thread that has run so many `batches` is to look at the next one more
    /// closely, which counts.
    #[inline(always)]
    pub(crate) fn looks_closer(&self, batches: &mut u32) -> bool {
        *batches = batches.wrapping_add(1);
        batches.is_multiple_of(self.options.thresholds.sample)
    }

    /// Whether to look for programs.
    #[inline(always)]
    pub(crate) fn wants_programs(&self) -> bool {
        self.tier == Tier::Programs && self.index.serves(Tier::Programs)
    }

    /// Whether to look for loops.
    #[inline(always)]
    pub(crate) fn wants_loops(&self) -> bool {
        self.tier != Tier::Interpreter
    }

    /// Whether to count programs. Where they do not pay, a few of them are enough for the next
    /// trial.
    pub(crate) fn counts_programs(&self) -> bool {
        self.tier == Tier::Programs || self.epochs % EPOCHS_PER_PROGRAMS < EPOCHS_OF_PROGRAMS
    }

    /// Count a unit that is not native: iterations of a loop, or a program that came up.
    pub(crate) fn came_up(&self, unit: T::Unit, times: u32) {
        let threshold = match unit.kind() {
            EntryKind::Loop => self.options.thresholds.loops,
            EntryKind::Left | EntryKind::Right => self.options.thresholds.programs,
        };
        if self.hotness.count(unit.fingerprint(), times, threshold) {
            self.enqueue(unit);
        }
    }

    /// Have a unit that is hot made native, sooner or later.
    #[cold]
    fn enqueue(&self, unit: T::Unit) {
        let is_choosy = self.options.least == Tier::Interpreter;
        if is_choosy && !self.compiler.translator().pays(&unit) {
            return;
        }
        let mut queue = self.queue();
        if queue.waiting.len() < MOST_WAITING && queue.known.insert(unit) {
            queue.waiting.push(unit);
        }
    }

    /// Say whether entering a native function was worth while.
    #[cold]
    pub(crate) fn rate(&self, native: Native, paid: bool) {
        if let Some(entry) = self.entries.get(native.entry as usize) {
            entry.ratings.fetch_add(1, Relaxed);
            entry.failures.fetch_add(u32::from(!paid), Relaxed);
        }
    }
}

/// While none is.
impl<T: Translator> Cache<T> {
    /// Install what has been compiled, and have compiled what has become hot. No tape is
    /// running meanwhile. The epoch before took this `time`.
    pub(crate) fn safepoint(&mut self, time: Duration) {
        self.tier = self.selection.next(time);
        self.epochs += 1;
        if self.epochs.is_multiple_of(EPOCHS_BETWEEN_RATINGS) {
            self.blacklist();
        }
        if let Some(worker) = &mut self.code().worker
            && worker.is_busy()
        {
            let Some(generation) = worker.finished() else {
                return;
            };
            self.install(generation);
        }
        if self.queue_mut().waiting.is_empty() {
            return;
        }
        let units = self.next_batch();
        let compiler = Arc::clone(&self.compiler);
        let worker = &mut self.code().worker;
        if worker.is_none() {
            *worker = Worker::start(compiler);
        }
        if let Some(worker) = worker {
            worker.begin(units);
        }
    }

    /// Wait until all that has become hot is native.
    pub(crate) fn settle(&mut self) {
        if let Some(worker) = &mut self.code().worker
            && let Some(generation) = worker.wait()
        {
            self.install(generation);
        }
        while !self.queue_mut().waiting.is_empty() {
            let units = self.next_batch();
            let generation = self.compiler.compile(&units);
            self.install(generation);
        }
    }

    /// Have `units` made native at once, whether they are hot or not.
    #[cfg(feature = "internals")]
    pub(crate) fn compile(&mut self, units: &[T::Unit]) -> Result<(), NoNativeCode> {
        let known = &mut self.queue_mut().known;
        let mut new = units.to_vec();
        new.retain(|unit| known.insert(*unit));
        for units in new.chunks(BATCH) {
            let generation = self.compiler.compile(units)?;
            self.install(Ok(generation));
        }
        Ok(())
    }

    fn next_batch(&mut self) -> Vec<T::Unit> {
        // A generation that the cache has no room for would be freed at once.
        let room = (self.options.cache_bytes / UNIT_ROOM).clamp(1, BATCH);
        let waiting = &mut self.queue_mut().waiting;
        let len = waiting.len().min(room);
        let units: Vec<T::Unit> = waiting.drain(..len).collect();
        for unit in &units {
            self.tally.hot.count(unit.kind());
        }
        units
    }

    /// Leave entries that do not pay to the interpreter.
    fn blacklist(&mut self) {
        let mut blacklisted = 0;
        for entry in &mut self.entries {
            if !entry.is_blacklisted && *entry.ratings.get_mut() >= RATINGS {
                let (ratings, failures) = (entry.ratings.get_mut(), entry.failures.get_mut());
                entry.is_blacklisted = 2 * *failures > *ratings;
                blacklisted += u64::from(entry.is_blacklisted);
                (*ratings, *failures) = (0, 0);
            }
        }
        if blacklisted > 0 {
            self.tally.blacklisted += blacklisted;
            self.fill_index();
        }
    }

    fn install(&mut self, generation: Result<Generation<T>, NoNativeCode>) {
        // What cannot be compiled stays with the interpreter.
        let Ok(generation) = generation else {
            return;
        };
        self.tally.code_bytes_made += generation.code_bytes as u64;
        self.tally.compile_ns += generation.time.as_nanos() as u64;
        for (unit, _) in &generation.functions {
            self.tally.compiled.count(unit.kind());
        }
        self.code().generations.push(generation);
        let freed = self.make_room();
        self.renew_entries();
        self.fill_index();
        // Not before nothing finds their functions.
        drop(freed);
    }

    /// Take out the oldest generations where all take more memory than the cache may.
    #[must_use]
    fn make_room(&mut self) -> Vec<Generation<T>> {
        let most = self.options.cache_bytes;
        let generations = &mut self.code().generations;
        let mut bytes: usize = generations.iter().map(Generation::memory).sum();
        let mut count = 0;
        while bytes > most {
            bytes -= generations[count].memory();
            count += 1;
        }
        let freed: Vec<Generation<T>> = generations.drain(..count).collect();
        if freed.is_empty() {
            return freed;
        }
        self.tally.freed += freed.len() as u64;
        let queue = self.queue_mut();
        for (unit, _) in freed.iter().flat_map(|generation| &generation.functions) {
            queue.known.remove(unit);
        }
        self.hotness.clear();
        freed
    }

    /// One entry for each function there is.
    fn renew_entries(&mut self) {
        let entries = self.entries.iter();
        let blacklisted = entries.filter(|entry| entry.is_blacklisted);
        let blacklisted: HashSet<T::Unit> = blacklisted.map(|entry| entry.unit).collect();
        let generations = &self.code().generations;
        let code_bytes = generations.iter().map(|g| g.code_bytes as u64).sum();
        let functions = generations.iter().flat_map(|g| &g.functions);
        let entries = functions.zip(0..).map(|((unit, function), entry)| Entry {
            unit: *unit,
            native: Native {
                function: *function,
                entry,
            },
            ratings: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            is_blacklisted: blacklisted.contains(unit),
        });
        self.entries = entries.collect();
        self.tally.code_bytes = code_bytes;
    }

    fn fill_index(&mut self) {
        let entries = self.entries.iter().filter(|entry| !entry.is_blacklisted);
        let functions: Vec<(T::Unit, Native)> =
            entries.map(|entry| (entry.unit, entry.native)).collect();
        self.tally.live = Counts::default();
        for (unit, _) in &functions {
            self.tally.live.count(unit.kind());
        }
        self.index.fill(&functions);
        let has_code = Tier::ALL.map(|tier| self.index.serves(tier));
        self.selection.reconsider(has_code);
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T::Unit>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue_mut(&mut self) -> &mut Queue<T::Unit> {
        self.queue.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn code(&mut self) -> &mut Code<T> {
        self.code.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Translator> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Cache");
        debug.field("options", &self.options);
        debug.field("tally", &self.tally).finish_non_exhaustive()
    }
}
