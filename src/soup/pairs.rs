//! Pairs of programs: mutated, joined to tapes, run and split again.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Tally;
use super::mutation::Mutation;
use super::pairing::Pairs;
use super::pairings::Pairings;
use super::seen::Seen;
use super::settings::Settings;
use super::shared::SharedPrograms;
use super::tokens::{NEW, Tokens};
use crate::Error;
use crate::engine::Runner;
use crate::engine::bff::traced::{self, IN_PLACE};
use crate::language::bff::Dialect;
use crate::language::{Family, Outcome, PROGRAM_LEN, TAPE_LEN, Tape};
use crate::random::Streams;

/// Pairs that go through an epoch's phases together.
const BATCH: usize = 32;

/// What an epoch of pairs needs besides the programs.
#[derive(Debug)]
pub(super) struct Meetings {
    mutation: Mutation,
    pairings: Pairings,
    /// Tapes of programs that are not of 64 bytes.
    tapes: Vec<u8>,
}

/// What an epoch goes by.
pub(super) struct Conditions<'a> {
    pub settings: &'a Settings,
    pub streams: &'a Streams,
    pub runner: &'a Runner,
}

impl Meetings {
    pub(super) fn new(settings: &Settings) -> Result<Meetings, Error> {
        Ok(Meetings {
            mutation: Mutation::new(settings.mutation_prob),
            pairings: Pairings::new(settings.num_programs)?,
            tapes: Vec::new(),
        })
    }

    /// Do epoch number `epoch`: pair, mutate and run. Answers with how long the runs took, too.
    pub(super) fn step(
        &mut self,
        epoch: u64,
        Conditions {
            settings,
            streams,
            runner,
        }: Conditions<'_>,
        programs: &mut [u8],
        tokens: &mut Option<Tokens>,
    ) -> (Tally, Duration) {
        let Meetings {
            mutation,
            pairings,
            tapes,
        } = self;
        let (mutation, max_steps) = (*mutation, settings.max_steps);
        let first = first_stream(settings, streams, epoch);
        let epoch_of = |pairs: &Pairs| match (&settings.language.family, tokens) {
            _ if settings.language.program_len != PROGRAM_LEN => {
                interact_short(first, runner, mutation, max_steps, (programs, pairs), tapes)
            }
            (Family::Bff(dialect), Some(tokens)) => {
                let shared = SharedPrograms::new(programs, pairs);
                let origins = &mut tokens.origins;
                let tally = interact_traced(dialect, first, mutation, max_steps, &shared, origins);
                tokens.advance(pairs, epoch);
                tally
            }
            _ => {
                let shared = SharedPrograms::new(programs, pairs);
                interact(first, runner, mutation, max_steps, &shared)
            }
        };
        with_pairs(pairings, (settings, streams), epoch, epoch_of)
    }

    /// As [`Meetings::step`], where no byte carries a token, and have `see` look at every pair;
    /// answers with what it says of each, in order, too.
    pub(super) fn step_and_see<T: Send>(
        &mut self,
        epoch: u64,
        conditions: Conditions<'_>,
        programs: &mut [u8],
        see: impl Fn(&Seen<'_>) -> T + Sync,
    ) -> ((Tally, Vec<T>), Duration) {
        let Conditions {
            settings, streams, ..
        } = conditions;
        let Meetings {
            mutation,
            pairings,
            tapes,
        } = self;
        let mutation = *mutation;
        let first = first_stream(settings, streams, epoch);
        let see = &see;
        with_pairs(pairings, (settings, streams), epoch, |pairs: &Pairs| {
            tapes.resize(programs.len(), 0);
            join(programs, pairs, tapes);
            let seen = interact_and_see(first, &conditions, mutation, (pairs, tapes), see);
            split(programs, pairs, tapes);
            seen
        })
    }
}

/// Do `work` with the pairs of `epoch`, while others draw those of epochs to come. Answers with
/// how long that took, too.
fn with_pairs<R: Send>(
    pairings: &mut Pairings,
    (settings, streams): (&Settings, &Streams),
    epoch: u64,
    work: impl FnOnce(&Pairs) -> R + Send,
) -> (R, Duration) {
    let draw = |pairs: &mut Pairs, epoch| pairs.draw(&settings.meeting, streams, epoch);
    let pairs = pairings.take(epoch, draw);
    let begun = Instant::now();
    // Those of epochs to come are drawn by some threads while others run this epoch's tapes.
    let mut due = pairings.due(epoch);
    let (result, ()) = rayon::join(
        || work(&pairs),
        || {
            let due = due.par_iter_mut().with_max_len(1);
            due.for_each(|(epoch, pairs)| draw(pairs, *epoch));
        },
    );
    let time = begun.elapsed();
    pairings.keep(pairs, due);
    (result, time)
}

/// Programs of tapes in one cache line each.
#[repr(align(64))]
struct CacheLines([Tape; BATCH]);

/// What the streams of an epoch's tapes are counted from.
pub(super) fn first_stream(settings: &Settings, streams: &Streams, epoch: u64) -> u64 {
    (settings.num_programs as u64).wrapping_mul(streams.key(epoch))
}

/// The stream that mutates pair number `pair` of tapes of so many bytes, and those behind it.
pub(super) fn stream_of(first: u64, pair: usize, tape_len: usize) -> u64 {
    first
        .wrapping_add(pair as u64)
        .wrapping_mul(tape_len as u64)
}

/// Mutate and run every pair of an epoch, on all threads.
fn interact(
    first: u64,
    runner: &Runner,
    mutation: Mutation,
    max_steps: u32,
    programs: &SharedPrograms<'_>,
) -> Tally {
    let interacting = programs.pairs().interacting();
    let len = programs.pairs().len();
    (0..len.div_ceil(BATCH))
        .into_par_iter()
        .with_min_len(4)
        .map(|batch| {
            let pairs = batch * BATCH..len.min((batch + 1) * BATCH);
            // In phases: what waits for memory waits for all tapes at once.
            let CacheLines(tapes) = &mut CacheLines([[0; TAPE_LEN]; BATCH]);
            // SAFETY: the pairs of this batch are this call's alone, and it is one thread's.
            unsafe { programs.load(pairs.clone(), tapes) };
            // As many programs are asked for at once as can be under way.
            let next = pairs.end..(pairs.end + BATCH).min(len);
            let middle = (pairs.end + BATCH / 2).min(len);
            programs.prefetch(next.start..middle);
            mutation.apply(
                &mut tapes[..pairs.len()],
                stream_of(first, pairs.start, TAPE_LEN),
            );
            let running = pairs.end.min(interacting).saturating_sub(pairs.start);
            let mut outcomes = [Outcome::default(); BATCH];
            programs.prefetch(middle..next.end);
            let native = runner.run_all(&mut tapes[..running], max_steps, &mut outcomes);
            let mut tally = Tally {
                native,
                ..Tally::default()
            };
            for outcome in &outcomes[..running] {
                tally.count(outcome);
            }
            // SAFETY: as above.
            unsafe { programs.store(pairs, tapes) };
            tally
        })
        .reduce(Tally::default, |a, b| a + b)
}

/// As [`interact`], and tell where the bytes of each pair came from.
fn interact_traced(
    dialect: &Dialect,
    first: u64,
    mutation: Mutation,
    max_steps: u32,
    programs: &SharedPrograms<'_>,
    origins: &mut [traced::Origins],
) -> Tally {
    let interacting = programs.pairs().interacting();
    origins
        .par_chunks_mut(BATCH)
        .enumerate()
        .with_min_len(4)
        .map(|(batch, origins)| {
            let pairs = batch * BATCH..batch * BATCH + origins.len();
            let CacheLines(tapes) = &mut CacheLines([[0; TAPE_LEN]; BATCH]);
            // SAFETY: the pairs of this batch are this call's alone, and it is one thread's.
            unsafe { programs.load(pairs.clone(), tapes) };
            origins.fill(IN_PLACE);
            let stream = stream_of(first, pairs.start, TAPE_LEN);
            mutation.apply_and_tell(&mut tapes[..pairs.len()], stream, |pair, place| {
                origins[pair][place] = (NEW + place) as u8;
            });
            let mut tally = Tally::default();
            for ((pair, tape), origins) in pairs.clone().zip(&mut *tapes).zip(origins) {
                if pair < interacting {
                    tally.count(&traced::run(dialect, tape, origins, max_steps));
                }
            }
            // SAFETY: as above.
            unsafe { programs.store(pairs, tapes) };
            tally
        })
        .reduce(Tally::default, |a, b| a + b)
}

/// As [`interact`], for programs that are not of 64 bytes: all tapes are joined, run and split
/// one after the other.
fn interact_short(
    first: u64,
    runner: &Runner,
    mutation: Mutation,
    max_steps: u32,
    (programs, pairs): (&mut [u8], &Pairs),
    tapes: &mut Vec<u8>,
) -> Tally {
    let tape_len = programs.len() / pairs.len();
    tapes.resize(programs.len(), 0);
    join(programs, pairs, tapes);
    let running = pairs.interacting();
    let tally = tapes
        .par_chunks_mut(BATCH * tape_len)
        .enumerate()
        .with_min_len(4)
        .map(|(batch, tapes)| {
            let pair = batch * BATCH;
            mutation.apply_to_bytes(tapes, stream_of(first, pair, tape_len));
            let running = running.saturating_sub(pair).min(tapes.len() / tape_len);
            let mut outcomes = [Outcome::default(); BATCH];
            runner.run_whole(&mut tapes[..running * tape_len], max_steps, &mut outcomes);
            let mut tally = Tally::default();
            outcomes[..running]
                .iter()
                .for_each(|outcome| tally.count(outcome));
            tally
        })
        .reduce(Tally::default, |a, b| a + b);
    split(programs, pairs, tapes);
    tally
}

/// Where the programs of each pair lie in a soup, a left one and a right one in turn.
fn places(pairs: &Pairs, program_len: usize) -> impl Iterator<Item = usize> {
    let programs = pairs.programs_of(0..pairs.len());
    programs.map(move |program| program * program_len)
}

/// Join the programs of all pairs to tapes.
fn join(programs: &[u8], pairs: &Pairs, tapes: &mut [u8]) {
    let len = programs.len() / (2 * pairs.len());
    for (half, at) in tapes.chunks_exact_mut(len).zip(places(pairs, len)) {
        half.copy_from_slice(&programs[at..at + len]);
    }
}

/// Split all tapes back into the programs of their pairs.
fn split(programs: &mut [u8], pairs: &Pairs, tapes: &[u8]) {
    let len = programs.len() / (2 * pairs.len());
    for (half, at) in tapes.chunks_exact(len).zip(places(pairs, len)) {
        programs[at..at + len].copy_from_slice(half);
    }
}

/// As [`interact_short`], of tapes of any length that are joined, and have `see` look at each pair.
fn interact_and_see<T: Send>(
    first: u64,
    conditions: &Conditions<'_>,
    mutation: Mutation,
    (pairs, tapes): (&Pairs, &mut [u8]),
    see: impl Fn(&Seen<'_>) -> T + Sync,
) -> (Tally, Vec<T>) {
    let Conditions {
        settings, runner, ..
    } = conditions;
    let tape_len = settings.language.tape_len();
    let interacting = pairs.interacting();
    let batches: Vec<(Tally, Vec<T>)> = tapes
        .par_chunks_mut(BATCH * tape_len)
        .enumerate()
        .with_min_len(4)
        .map(|(batch, tapes)| {
            let pair = batch * BATCH;
            let count = tapes.len() / tape_len;
            let before = tapes.to_vec();
            let mut mutations = [0; BATCH];
            mutation.apply_to_bytes_and_tell(tapes, stream_of(first, pair, tape_len), |place| {
                mutations[place / tape_len] += 1;
            });
            let running = interacting.saturating_sub(pair).min(count);
            let mut outcomes = [Outcome::default(); BATCH];
            let running_tapes = &mut tapes[..running * tape_len];
            let native = runner.run_whole(running_tapes, settings.max_steps, &mut outcomes);
            let mut tally = Tally {
                native,
                ..Tally::default()
            };
            outcomes[..running]
                .iter()
                .for_each(|outcome| tally.count(outcome));
            let mut programs = pairs.programs_of(pair..pair + count);
            let mut next = || programs.next().unwrap_or(0);
            let seen = (0..count).map(|i| {
                let own = i * tape_len..(i + 1) * tape_len;
                see(&Seen {
                    pair: pair + i,
                    programs: [next(), next()],
                    before: &before[own.clone()],
                    after: &tapes[own],
                    mutations: mutations[i],
                    outcome: (i < running).then_some(outcomes[i]),
                })
            });
            (tally, seen.collect())
        })
        .collect();
    let mut all = (Tally::default(), Vec::with_capacity(pairs.len()));
    for (tally, seen) in batches {
        all.0 = all.0 + tally;
        all.1.extend(seen);
    }
    all
}
