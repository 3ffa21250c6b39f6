//! zff's world: a grid of Z80 programs, where neighbours meet.
//!
//! Alexander Mordvintsev's zff, byte for byte: 200 x 200 programs of 16 bytes, one random
//! stream with a state for everything that is drawn. A batch of pairs is an epoch.
//! Facts: docs/worlds.md, "zff".

use rayon::prelude::*;

use super::Tally;
use super::seen::Seen;
use crate::engine::Runner;
use crate::language::Outcome;
use crate::random::{GAMMA, mix};

/// Programs in a row.
pub const WIDTH: usize = 200;
/// Rows.
pub const HEIGHT: usize = 200;
/// Programs of the grid.
pub const NUM_PROGRAMS: usize = WIDTH * HEIGHT;
/// Bytes of one program.
pub const PROGRAM_LEN: usize = 16;
/// Mutations for each pair of a batch, where nothing else is said.
pub const MUTATION_PROB: f64 = 1.0 / 16.0;

/// Pairs of a batch, at most.
const MOST_PAIRS: usize = 8192;
/// A batch ends after so many draws in a row that met somebody taken.
const COLLISIONS: u32 = 16;
/// Pairs that one thread runs one after the other.
const CHUNK: usize = 64;

/// Two programs side by side.
type Tape = [[u8; PROGRAM_LEN]; 2];

/// What there is besides the programs.
#[derive(Debug)]
pub(super) struct Zff {
    /// The state of the random stream: SplitMix64.
    stream: u64,
    /// The programs of the batch's pairs.
    pairs: Vec<[usize; 2]>,
    tapes: Vec<Tape>,
    /// What came of each pair.
    outcomes: Vec<Outcome>,
    taken: Vec<bool>,
}

impl Zff {
    /// The stream of `seed` from its start.
    pub(super) fn new(seed: u64) -> Zff {
        Zff {
            stream: seed,
            pairs: Vec::new(),
            tapes: Vec::new(),
            outcomes: Vec::new(),
            taken: vec![false; NUM_PROGRAMS],
        }
    }

    /// Go on from where the stream of another soup stood.
    pub(super) fn go_on_from(&mut self, stream: u64) {
        self.stream = stream;
    }

    /// Where the stream stands.
    pub(super) fn stream(&self) -> u64 {
        self.stream
    }

    fn draw(&mut self) -> u64 {
        let drawn = mix(self.stream);
        self.stream = self.stream.wrapping_add(GAMMA);
        drawn
    }

    /// Draw the first soup.
    pub(super) fn fill(&mut self, programs: &mut [u8]) {
        programs.fill_with(|| self.draw() as u8);
    }

    /// Do one batch: draw pairs, run them, and mutate bytes anywhere; `mutated` is told of each
    /// place that was drawn anew.
    pub(super) fn step(
        &mut self,
        (max_steps, mutation_prob): (u32, f64),
        runner: &Runner,
        programs: &mut [u8],
        mut mutated: impl FnMut(usize),
    ) -> Tally {
        self.draw_pairs();
        let (all, _) = programs.as_chunks_mut::<PROGRAM_LEN>();
        let tapes = self
            .pairs
            .iter()
            .map(|pair| pair.map(|program| all[program]));
        self.tapes.clear();
        self.tapes.extend(tapes);
        self.outcomes.resize(self.pairs.len(), Outcome::default());
        self.tapes
            .par_chunks_mut(CHUNK)
            .zip(self.outcomes.par_chunks_mut(CHUNK))
            .for_each(|(tapes, outcomes)| {
                let bytes = tapes.as_flattened_mut().as_flattened_mut();
                runner.run_whole(bytes, max_steps, outcomes);
            });
        let mut tally = Tally::default();
        self.outcomes
            .iter()
            .for_each(|outcome| tally.count(outcome));
        for (pair, tape) in self.pairs.iter().zip(&self.tapes) {
            [all[pair[0]], all[pair[1]]] = *tape;
        }
        let mutations = (self.pairs.len() as f64 * mutation_prob) as usize;
        for _ in 0..mutations {
            let random = self.draw();
            let place = ((random >> 8) % programs.len() as u64) as usize;
            programs[place] = random as u8;
            mutated(place);
        }
        tally
    }

    /// As [`Zff::step`], and have `see` look at every pair; answers with what it says of each, in
    /// order, too.
    pub(super) fn step_and_see<T: Send>(
        &mut self,
        chances: (u32, f64),
        runner: &Runner,
        programs: &mut [u8],
        see: impl Fn(&Seen<'_>) -> T + Sync,
    ) -> (Tally, Vec<T>) {
        let before = programs.to_vec();
        let mut mutations = vec![0; NUM_PROGRAMS];
        let tally = self.step(chances, runner, programs, |place| {
            mutations[place / PROGRAM_LEN] += 1;
        });
        let tape_of = |soup: &[u8], pair: &[usize; 2]| {
            let (all, _) = soup.as_chunks::<PROGRAM_LEN>();
            pair.map(|program| all[program])
        };
        let pairs = self.pairs.par_iter().zip(&self.outcomes).enumerate();
        let seen = pairs.map(|(number, (pair, outcome))| {
            see(&Seen {
                pair: number,
                programs: *pair,
                before: tape_of(&before, pair).as_flattened(),
                after: tape_of(programs, pair).as_flattened(),
                mutations: mutations[pair[0]] + mutations[pair[1]],
                outcome: Some(*outcome),
            })
        });
        (tally, seen.collect())
    }

    /// Draw the pairs of a batch: a cell, and a neighbour of it, as long as both are free.
    fn draw_pairs(&mut self) {
        self.pairs.clear();
        self.taken.fill(false);
        let mut collisions = 0;
        while self.pairs.len() < MOST_PAIRS && collisions < COLLISIONS {
            let random = self.draw();
            let ahead = random & 1 == 1;
            let is_horizontal = random >> 1 & 1 == 1;
            let cell = ((random >> 2) % NUM_PROGRAMS as u64) as usize;
            let neighbour = match is_horizontal {
                true => towards(cell, cell % WIDTH, WIDTH, ahead, 1),
                false => towards(cell, cell / WIDTH, HEIGHT, ahead, WIDTH),
            };
            if self.taken[cell] || self.taken[neighbour] {
                collisions += 1;
                continue;
            }
            collisions = 0;
            self.taken[cell] = true;
            self.taken[neighbour] = true;
            self.pairs.push([cell, neighbour]);
        }
    }
}

/// The cell beside `cell`, which is number `at` of `len` in its direction: the next one or
/// the one before, at an edge the one that there is. They are `stride` cells apart.
fn towards(cell: usize, at: usize, len: usize, ahead: bool, stride: usize) -> usize {
    if at == 0 || (ahead && at < len - 1) {
        cell + stride
    } else {
        cell - stride
    }
}
