//! Native code: pieces of the soup's programs that come up again and again,
//! translated by Cranelift and kept by what they mean.
//!
//! The interpreter runs every tape. Where it comes to a piece of code that is
//! native, it has that run it, and goes on from where the native code leaves
//! (`frame.rs`). Native code never does anything that the rules do not say: see
//! `bff.rs` and `forth/` for why. docs/jit.md tells the whole of it.
//!
//! While tapes are run nothing here changes but counters. Code that a thread of
//! its own has compiled meanwhile is taken in, and code is freed, only in
//! [`Jit::between_epochs`], which borrows the cache for itself alone: so no tape
//! is running then, and no lock is needed on the way to native code.

#[expect(clippy::vec_box, reason = "native code points to the loops")]
mod bff;
mod choice;
#[expect(clippy::vec_box, reason = "native code points to the loops")]
mod compiler;
mod exit;
pub mod forth;
pub(super) mod frame;
mod given;
mod piece;
mod table;
mod tally;

use std::collections::HashSet;
use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use bff::Spot;
use choice::Choice;
pub use choice::Way;
pub use compiler::{Listing, NoNativeCode};
pub use exit::Exit;
pub use given::NoPiece;
pub use piece::Piece;
pub use table::Native;
pub use tally::{CacheTally, Counts, NativeTally};

use super::bff::skeleton::{HalfSkeleton, Skeleton};
use crate::language::Language;
use crate::language::bff::Dialect;
use compiler::{Compiler, Generation};
use forth::Span;
use table::{Heat, Key, Table};

/// What sizes of the code cache are given in.
pub const MIB: usize = 1 << 20;

/// How native code is made and kept. None of it changes a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Batches of tapes (of 32) of which one is looked at more closely.
    pub sample: u32,
    /// Laps that a loop is to take, in such batches, before it is compiled.
    pub loop_threshold: u32,
    /// Times that a program is to come up before it is compiled, of one tape of
    /// each such batch.
    pub program_threshold: u32,
    /// Jumps back of a run before its loops are looked for.
    pub patience: u32,
    /// The least native code that is looked for, and more where trials show that it
    /// pays.
    pub least: Way,
    /// Bytes of machine code that are kept.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            sample: 16,
            loop_threshold: 512,
            program_threshold: 8,
            patience: 0,
            least: Way::Nothing,
            cache_bytes: 64 * MIB,
        }
    }
}

/// Pieces that become hot while compiling is behind are forgotten beyond these.
const MOST_WAITING: usize = 4096;
/// Pieces of a generation at most, and bytes that hardly any piece fills.
const BATCH: usize = 256;
const PIECE_ROOM: usize = 16 << 10;
/// Epochs between decisions.
const EPOCHS_BETWEEN: u64 = 16;
/// While programs are not looked for, they are counted in so many epochs of so many.
const EPOCHS_OF_PROGRAMS: u64 = 64;
const EPOCHS_PER_PROGRAMS: u64 = 1024;
/// Entries of a native function to tell by whether it pays.
const TRIALS: u32 = 64;

/// The native code of a soup.
pub struct Jit {
    options: Options,
    compiler: Arc<Compiler>,
    left: Table<HalfSkeleton>,
    right: Table<HalfSkeleton>,
    loops: Table<Skeleton>,
    spans: Table<Span>,
    /// What is looked for.
    way: Way,
    choice: Choice,
    heat: Heat,
    hot: Mutex<Hot>,
    epochs: u64,
    entries: Vec<Entry>,
    /// Never locked: only looked at where the cache is borrowed for itself alone.
    workshop: Mutex<Workshop>,
    tally: CacheTally,
}

/// Where code is made and kept.
#[derive(Default)]
struct Workshop {
    generations: Vec<Generation>,
    worker: Option<Worker>,
}

/// Pieces that became hot.
#[derive(Default)]
struct Hot {
    waiting: Vec<Piece>,
    /// All that were ever asked for and not freed since.
    known: HashSet<Piece>,
}

struct Entry {
    piece: Piece,
    native: Native,
    trials: std::sync::atomic::AtomicU32,
    failures: std::sync::atomic::AtomicU32,
    is_given_up: bool,
}

/// The thread that compiles.
struct Worker {
    to: Option<Sender<Vec<Piece>>>,
    from: Receiver<Result<Generation, NoNativeCode>>,
    busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(compiler: Arc<Compiler>) -> Option<Worker> {
        let (to, pieces) = channel::<Vec<Piece>>();
        let (done, from) = channel();
        let thread = std::thread::Builder::new().name("compiler".into());
        let thread = thread.spawn(move || {
            for pieces in pieces {
                if done.send(compiler.compile(&pieces)).is_err() {
                    break;
                }
            }
        });
        Some(Worker {
            to: Some(to),
            from,
            busy: false,
            thread: Some(thread.ok()?),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It ends once there is nobody to send it pieces.
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Jit {
    /// For soups of `language`; nothing where it has no native code, an error where
    /// this machine has none.
    pub fn new(
        language: &'static Language,
        options: Options,
        closed_forms: bool,
    ) -> Result<Option<Jit>, NoNativeCode> {
        let Some(compiler) = Compiler::new(&language.family, closed_forms)? else {
            return Ok(None);
        };
        // Whether memory may be executable is known once some was asked for.
        compiler.compile(&[compiler.any_piece()])?;
        Ok(Some(Jit {
            options,
            compiler: Arc::new(compiler),
            left: Table::new(),
            right: Table::new(),
            loops: Table::new(),
            spans: Table::new(),
            way: options.least,
            choice: Choice::new(options.least),
            heat: Heat::new(1 << 13),
            hot: Mutex::default(),
            epochs: 0,
            entries: Vec::new(),
            workshop: Mutex::default(),
            tally: CacheTally::default(),
        }))
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether a thread that has run so many `batches` is to look at the next one more
    /// closely, which counts.
    #[inline(always)]
    pub fn looks_closer(&self, batches: &mut u32) -> bool {
        *batches = batches.wrapping_add(1);
        batches.is_multiple_of(self.options.sample)
    }

    /// What is looked for at the moment.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Whether to look for programs.
    #[inline(always)]
    pub fn wants_programs(&self) -> bool {
        self.way == Way::Everything && !self.left.is_empty()
    }

    /// Whether to look for loops.
    #[inline(always)]
    pub fn wants_loops(&self) -> bool {
        self.way != Way::Nothing
    }

    #[inline(always)]
    pub fn find_left(&self, key: &HalfSkeleton) -> Option<Native> {
        self.left.find(key)
    }

    #[inline(always)]
    pub fn find_right(&self, key: &HalfSkeleton) -> Option<Native> {
        self.right.find(key)
    }

    #[inline(always)]
    pub fn find_loop(&self, key: &Skeleton) -> Option<Native> {
        self.loops.find(key)
    }

    /// As [`Jit::find_loop`], of the Forth family.
    #[inline(always)]
    pub fn find_span(&self, key: &Span) -> Option<Native> {
        self.spans.find(key)
    }

    /// Count laps of a Forth loop that is not native.
    pub fn span_came_up(&self, span: Span, laps: u32) {
        let threshold = self.options.loop_threshold;
        if self.heat.count(span.hash(), laps, threshold) {
            self.ask_for(Piece::Forth(span));
        }
    }

    /// Count a piece of the BFF family that is not native: laps of a loop, or a
    /// program that came up.
    pub fn came_up(&self, spot: Spot, skeleton: Skeleton, times: u32) {
        let threshold = match spot {
            Spot::Loop => self.options.loop_threshold,
            Spot::Left | Spot::Right => self.options.program_threshold,
        };
        let hash = skeleton.hash() ^ spot as u64;
        if self.heat.count(hash, times, threshold) {
            self.ask_for(Piece::Bff(bff::Piece { spot, skeleton }));
        }
    }

    /// Have a piece that is hot made native, sooner or later.
    #[cold]
    fn ask_for(&self, piece: Piece) {
        if self.options.least == Way::Nothing && !self.compiler.pays(&piece) {
            return;
        }
        let mut hot = self.hot();
        if hot.waiting.len() < MOST_WAITING && hot.known.insert(piece) {
            hot.waiting.push(piece);
        }
    }

    /// Take a closer look at the programs of a tape.
    #[cold]
    pub fn sample(&self, dialect: &Dialect, skeleton: &Skeleton) {
        // Where programs do not pay, a few of them are enough for the next trial.
        let is_time = self.epochs % EPOCHS_PER_PROGRAMS < EPOCHS_OF_PROGRAMS;
        if self.way != Way::Everything && !is_time {
            return;
        }
        let left = skeleton.left(dialect.first_place());
        let right = skeleton.right();
        if self.left.find(&left).is_none() {
            self.came_up(Spot::Left, Skeleton::of_half(left), 1);
        }
        if self.right.find(&right).is_none() {
            self.came_up(Spot::Right, Skeleton::of_half(right), 1);
        }
    }

    /// Say whether entering a native function was worth while.
    #[cold]
    pub fn rate(&self, native: Native, paid: bool) {
        use std::sync::atomic::Ordering::Relaxed;
        if let Some(entry) = self.entries.get(native.entry as usize) {
            entry.trials.fetch_add(1, Relaxed);
            entry.failures.fetch_add(u32::from(!paid), Relaxed);
        }
    }

    fn hot(&self) -> std::sync::MutexGuard<'_, Hot> {
        self.hot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hot_mut(&mut self) -> &mut Hot {
        self.hot.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn workshop(&mut self) -> &mut Workshop {
        let workshop = self.workshop.get_mut();
        workshop.unwrap_or_else(PoisonError::into_inner)
    }

    /// What the cache holds and has cost.
    pub fn tally(&self) -> CacheTally {
        self.tally
    }

    /// The pieces that are native now.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let kept = self.entries.iter().filter(|entry| !entry.is_given_up);
        kept.map(|entry| &entry.piece)
    }

    /// Have `pieces` made native at once, whether they are hot or not.
    pub fn compile(&mut self, pieces: &[Piece]) -> Result<(), NoNativeCode> {
        let known = &mut self.hot_mut().known;
        let new: Vec<Piece> = pieces
            .iter()
            .copied()
            .filter(|piece| known.insert(*piece))
            .collect();
        for pieces in new.chunks(BATCH) {
            let generation = self.compiler.compile(pieces)?;
            self.take_in(Ok(generation));
        }
        Ok(())
    }

    /// How a piece looks as native code.
    pub fn show(&self, piece: &Piece) -> Result<Listing, NoNativeCode> {
        self.compiler.show(piece)
    }

    /// Take in what has been compiled, and have compiled what has become hot. No
    /// tape is running meanwhile. The epoch before took this `time`.
    pub fn between_epochs(&mut self, time: Duration) {
        self.way = self.choice.next(time);
        self.epochs += 1;
        if self.epochs.is_multiple_of(EPOCHS_BETWEEN) {
            self.give_up();
        }
        if let Some(worker) = &mut self.workshop().worker
            && worker.busy
        {
            match worker.from.try_recv() {
                Ok(generation) => {
                    worker.busy = false;
                    self.take_in(generation);
                }
                // Still at it.
                Err(_) => return,
            }
        }
        if self.hot_mut().waiting.is_empty() {
            return;
        }
        let pieces = self.next_batch();
        let compiler = Arc::clone(&self.compiler);
        let worker = &mut self.workshop().worker;
        if worker.is_none() {
            *worker = Worker::start(compiler);
        }
        if let Some(worker) = worker
            && let Some(to) = &worker.to
        {
            worker.busy = to.send(pieces).is_ok();
        }
    }

    /// Wait until all that has become hot is native.
    pub fn settle(&mut self) {
        if let Some(worker) = &mut self.workshop().worker
            && std::mem::take(&mut worker.busy)
            && let Ok(generation) = worker.from.recv()
        {
            self.take_in(generation);
        }
        while !self.hot_mut().waiting.is_empty() {
            let pieces = self.next_batch();
            let generation = self.compiler.compile(&pieces);
            self.take_in(generation);
        }
    }

    fn next_batch(&mut self) -> Vec<Piece> {
        // A generation that the cache has no room for would be freed at once.
        let room = (self.options.cache_bytes / PIECE_ROOM).clamp(1, BATCH);
        let waiting = &mut self.hot_mut().waiting;
        let len = waiting.len().min(room);
        let pieces: Vec<Piece> = waiting.drain(..len).collect();
        for piece in &pieces {
            *self.tally.hot.of(piece.spot()) += 1;
        }
        pieces
    }

    /// Give up entries that do not pay.
    fn give_up(&mut self) {
        use std::sync::atomic::Ordering::Relaxed;
        let mut given_up = 0;
        for entry in &mut self.entries {
            if !entry.is_given_up && *entry.trials.get_mut() >= TRIALS {
                entry.is_given_up = 2 * entry.failures.load(Relaxed) > entry.trials.load(Relaxed);
                given_up += u64::from(entry.is_given_up);
                (entry.trials, entry.failures) = Default::default();
            }
        }
        if given_up > 0 {
            self.tally.given_up += given_up;
            self.fill_tables();
        }
    }

    fn take_in(&mut self, generation: Result<Generation, NoNativeCode>) {
        // What cannot be compiled stays with the interpreter.
        let Ok(generation) = generation else {
            return;
        };
        self.tally.code_bytes_made += generation.code_bytes as u64;
        self.tally.compile_ns += generation.time.as_nanos() as u64;
        for (piece, _) in &generation.functions {
            *self.tally.compiled.of(piece.spot()) += 1;
        }
        let most = self.options.cache_bytes;
        let generations = &mut self.workshop().generations;
        generations.push(generation);
        let mut bytes: usize = generations.iter().map(Generation::memory).sum();
        let mut freed = 0;
        while bytes > most {
            bytes -= generations[freed].memory();
            freed += 1;
        }
        // Freed with the tables still full; nobody looks before they are not.
        let gone: Vec<Generation> = generations.drain(..freed).collect();
        if freed > 0 {
            self.tally.freed += freed as u64;
            let hot = self.hot_mut();
            for (piece, _) in gone.iter().flat_map(|generation| &generation.functions) {
                hot.known.remove(piece);
            }
            self.heat.clear();
        }
        let given_up: HashSet<Piece> = self
            .entries
            .iter()
            .filter(|entry| entry.is_given_up)
            .map(|entry| entry.piece)
            .collect();
        let generations = &self.workshop().generations;
        let code_bytes = generations.iter().map(|g| g.code_bytes as u64).sum();
        let functions = generations.iter().flat_map(|g| &g.functions);
        self.entries = functions
            .enumerate()
            .map(|(number, (piece, function))| Entry {
                piece: *piece,
                native: Native {
                    function: *function,
                    entry: number as u32,
                },
                trials: Default::default(),
                failures: Default::default(),
                is_given_up: given_up.contains(piece),
            })
            .collect();
        self.tally.code_bytes = code_bytes;
        self.fill_tables();
    }

    fn fill_tables(&mut self) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let (mut loops, mut spans) = (Vec::new(), Vec::new());
        for entry in self.entries.iter().filter(|entry| !entry.is_given_up) {
            match entry.piece {
                Piece::Bff(bff::Piece { spot, skeleton }) => match spot {
                    Spot::Left => left.push((skeleton.left(0), entry.native)),
                    Spot::Right => right.push((skeleton.left(0), entry.native)),
                    Spot::Loop => loops.push((skeleton, entry.native)),
                },
                Piece::Forth(span) => spans.push((span, entry.native)),
            }
        }
        self.tally.live = Counts {
            programs: (left.len() + right.len()) as u64,
            loops: (loops.len() + spans.len()) as u64,
        };
        let ways = [true, self.tally.live.loops > 0, !left.is_empty()];
        self.choice.reconsider(ways);
        self.left.fill(&left);
        self.right.fill(&right);
        self.loops.fill(&loops);
        self.spans.fill(&spans);
    }
}

impl Counts {
    fn of(&mut self, spot: Spot) -> &mut u64 {
        match spot {
            Spot::Left | Spot::Right => &mut self.programs,
            Spot::Loop => &mut self.loops,
        }
    }
}

impl fmt::Debug for Jit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Jit");
        debug.field("options", &self.options);
        debug.field("tally", &self.tally).finish_non_exhaustive()
    }
}
