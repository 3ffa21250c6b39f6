//! Whole soups: one by the reference engine, and the same by others, which change from epoch to
//! epoch with the number of threads. After each epoch all have the same bytes and counts.

use std::sync::LazyLock;
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::block::{Block, Done, Interpreters};
use super::case::Case;
use super::draw::Draw;
use super::engines::{Fault, Setup, has_native_code};
use super::folder::Known;
use super::tapes::Bytes;
use crate::engine::{Engine, Options, every_width};
use crate::language::{Family, Language, PROGRAM_LEN};
use crate::measure::Measures;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::interaction::{Interactions, Which};
use crate::soup::meeting::Grid;
use crate::soup::settings::World;
use crate::{Error, Meeting, Settings, Soup, Tally, examples};

/// Numbers of programs, and epochs of soups of so many.
const SIZES: [(usize, u64); 4] = [(128, 256), (256, 160), (512, 96), (1024, 64)];
/// One in so many programs is a planted replicator.
const PLANTED_EVERY: usize = 8;

/// A soup to be run, and compared.
#[derive(Debug)]
pub struct SoupUnit {
    settings: Settings,
    programs: Option<Vec<u8>>,
    epochs: u64,
    engines: Vec<Engine>,
    draw: Draw,
}

impl SoupUnit {
    /// Interactions that each has at least.
    pub const LEAST: u64 = 12_000;

    /// A small soup of `language`, mostly one in which a known replicator is planted, so that it
    /// lives soon.
    pub fn new(language: &'static Language, engines: &[Engine], mut draw: Draw) -> SoupUnit {
        let (num_programs, epochs) = draw.of(&SIZES);
        let has_ring = matches!(language.family, Family::Bff(_));
        if has_ring && draw.one_in(8) {
            return SoupUnit::on_a_long_tape(language, engines, draw);
        }
        let settings = Settings {
            language,
            num_programs,
            seed: draw.number(),
            mutation_prob: draw.of(&[1.0 / 4096.0, 1.0 / 1024.0, 1.0 / 256.0, 1.0 / 64.0]),
            max_steps: match draw.below(6) {
                0 => draw.below(2000) as u32,
                _ => language.max_steps,
            },
            meeting: match draw.below(6) {
                0 => Meeting::FixedShuffle,
                1 => Meeting::Grid(Grid {
                    width: 16,
                    height: num_programs / 16,
                    radius: draw.between(1, 3),
                    torus: draw.one_in(2),
                }),
                _ => Meeting::Shuffle,
            },
            ..Settings::default()
        };
        let mut programs = vec![0; num_programs * language.program_len];
        draw.fill(&mut programs);
        if !draw.one_in(8) {
            plant(language, &mut programs, &mut draw);
        }
        SoupUnit {
            settings,
            programs: Some(programs),
            epochs,
            engines: engines.to_vec(),
            draw,
        }
    }

    fn on_a_long_tape(language: &'static Language, engines: &[Engine], mut draw: Draw) -> SoupUnit {
        let world = World::LongTape {
            head_offset: draw.below(64),
        };
        let num_programs = draw.of(&[16, 64, 256]);
        let settings = Settings {
            num_programs,
            seed: draw.number(),
            mutation_prob: draw.of(&[1.0 / 8192.0, 1.0 / 512.0]),
            initial_program: planted(language, &mut draw),
            ..Settings::usual(language, world)
        };
        SoupUnit {
            epochs: (1 << 15) / num_programs as u64,
            settings,
            programs: None,
            engines: engines.to_vec(),
            draw,
        }
    }

    /// A small soup of programs of a checkpoint.
    pub fn of_known(known: &Known, engines: &[Engine], mut draw: Draw) -> SoupUnit {
        let (num_programs, epochs) = draw.of(&SIZES);
        let (all, _) = known.programs.as_chunks::<PROGRAM_LEN>();
        let programs = (0..num_programs).flat_map(|_| draw.of(all)).collect();
        SoupUnit {
            settings: Settings {
                num_programs,
                seed: draw.number(),
                meeting: Meeting::Shuffle,
                initial_program: Vec::new(),
                reset_interval: None,
                ..known.settings.clone()
            },
            programs: Some(programs),
            epochs,
            engines: engines.to_vec(),
            draw,
        }
    }

    /// The soup before its first epoch.
    fn soup(&self) -> Result<Soup, Error> {
        let settings = self.settings.clone();
        let Some(programs) = &self.programs else {
            return Soup::new(settings);
        };
        let checkpoint = Checkpoint {
            programs: programs.clone(),
            program_len: settings.language.program_len,
            ..Checkpoint::empty()
        };
        Soup::from_checkpoint(settings, checkpoint, false)
    }

    /// Run and compare it, then tapes of what has become of it.
    pub fn run(mut self, interpreters: &Interpreters, fault: Option<Fault>) -> Result<Done, Error> {
        let mut done = Done::default();
        let language = self.settings.language;
        let mut right = self.soup()?;
        right.set_engine(Engine::Reference, &Options::default());
        let mut others = [self.soup()?, self.soup()?].map(|soup| Other::new(soup, &self.engines));
        let mut before = Vec::new();
        for epoch in 0..self.epochs {
            before.clear();
            before.extend_from_slice(right.programs());
            let begun = Instant::now();
            let expected = right.step();
            done.reference_time += begun.elapsed();
            done.interactions += expected.interactions;
            done.steps += expected.steps;
            done.exercise.epochs += 1;
            for (count, more) in done.exercise.ended.iter_mut().zip(expected.ended) {
                *count += more;
            }
            for (number, other) in others.iter_mut().enumerate() {
                done.exercise.changes += other.change(number, epoch, &mut self.draw);
                let tally = other.step(&mut self.draw);
                done.comparisons += tally.interactions;
                done.exercise.native = done.exercise.native + tally.native;
                if tally == expected && other.soup.programs() == right.programs() {
                    continue;
                }
                done.case = self.find(&other.setup, epoch, &before, fault);
                if done.case.is_none() {
                    done.soup_differs = Some(format!(
                        "after {} epochs, a soup by {} is not that of the reference engine; no \
                         tape shows that by itself",
                        epoch + 1,
                        other.setup.name()
                    ));
                }
                return Ok(done);
            }
        }
        for other in &others {
            done.exercise.add_cache(&other.soup.runner().cache_tally());
        }
        done.exercise.soups += 1;
        let is_alive = Measures::of(right.programs()).is_alive();
        done.exercise.living_soups += u64::from(is_alive);
        if is_alive {
            done.living_interactions = done.interactions;
        }
        if self.settings.world == World::Pairs {
            let (programs, draw) = (right.programs(), self.draw);
            let block = Block::of_programs(language, &self.engines, programs, draw);
            done.add(block.run(interpreters, fault));
        }
        Ok(done)
    }

    /// The tape of an epoch that an engine does not run as the reference engine does, if one does
    /// so by itself.
    fn find(&self, setup: &Setup, epoch: u64, before: &[u8], fault: Option<Fault>) -> Option<Case> {
        let mut interactions = Interactions::new(&self.settings).ok()?;
        let language = self.settings.language;
        let mut setups = vec![setup.clone()];
        if has_native_code(language) && setup.engine != Engine::Interpreter {
            setups.insert(0, Setup::eager(Engine::Jit, setup.closed_forms));
        }
        let mut pair = 0;
        while let Ok(met) = interactions.get(epoch, before, Which::Pair(pair)) {
            for setup in &setups {
                let limit = self.settings.max_steps;
                let case = Case::alone(language, setup.clone(), met.start, limit);
                if case.check(fault).is_some() {
                    return Some(case);
                }
            }
            pair += 1;
        }
        None
    }
}

/// A soup by other engines than the reference engine.
struct Other {
    soup: Soup,
    setup: Setup,
    engines: Vec<Engine>,
}

impl Other {
    fn new(soup: Soup, engines: &[Engine]) -> Other {
        Other {
            soup,
            setup: Setup {
                engine: Engine::Auto,
                width: None,
                closed_forms: true,
                jit: Options::default().jit,
            },
            engines: engines.to_vec(),
        }
    }

    /// Change its engine now and then; whether it did. The first of them keeps to the interpreter
    /// of some width, where that is wanted.
    fn change(&mut self, number: usize, epoch: u64, draw: &mut Draw) -> u64 {
        if epoch.is_multiple_of(8)
            && let Some(jit) = self.soup.runner_mut().jit_mut()
        {
            jit.settle();
        }
        let changes = epoch == 0 || draw.one_in(24);
        if !changes {
            return 0;
        }
        let language = self.soup.settings().language;
        if number == 0 && self.engines.contains(&Engine::Interpreter) {
            let closed_forms = !draw.one_in(16);
            let options = Options {
                closed_forms,
                ..Options::default()
            };
            let widths: Vec<&str> = every_width(language, &options).map(|(it, _)| it).collect();
            // The portable one is the slowest by far, and runs many more tapes by themselves.
            let width = match draw.below(3) {
                0 => draw.of(&widths),
                _ => widths[0],
            };
            self.setup = Setup::interpreter(width, closed_forms);
        } else {
            let engine = draw.of(&self.engines);
            self.setup = Setup::of_soup(engine, draw);
        }
        if let Some(runner) = self.setup.runner(language) {
            self.soup.set_runner(runner);
        }
        1
    }

    /// Do an epoch, with some number of threads.
    fn step(&mut self, draw: &mut Draw) -> Tally {
        match POOLS.get(draw.below(MOST_THREADS)) {
            Some(pool) => pool.install(|| self.soup.step()),
            None => self.soup.step(),
        }
    }
}

/// Threads of a soup, at most.
const MOST_THREADS: usize = 3;

/// Pools of one thread, of two and so on, for all workers.
static POOLS: LazyLock<Vec<ThreadPool>> = LazyLock::new(|| {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().ok();
    (1..=MOST_THREADS).filter_map(pool).collect()
});

/// The code of a known replicator of `language`, to be planted.
fn planted(language: &Language, draw: &mut Draw) -> Vec<u8> {
    let all: Vec<_> = examples::of(language).collect();
    match all[..] {
        [] => Vec::new(),
        _ => draw.of(&all).planted(),
    }
}

/// Plant known replicators in some of `programs`, their free places as they are.
fn plant(language: &Language, programs: &mut [u8], draw: &mut Draw) {
    let bytes = Bytes::of(language);
    let all: Vec<_> = examples::of(language).collect();
    if all.is_empty() {
        return;
    }
    for program in programs
        .chunks_mut(language.program_len)
        .step_by(PLANTED_EVERY)
    {
        let example = draw.of(&all);
        let free: Vec<u8> = program.iter().map(|_| bytes.data(draw)).collect();
        program.copy_from_slice(&example.program_with(|place| free[place]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff::BFF_NOHEADS;

    #[test]
    fn most_soups_come_alive_and_all_engines_agree() {
        let engines = [Engine::Interpreter, Engine::Jit, Engine::Auto];
        let interpreters = Interpreters::new(&BFF_NOHEADS, &engines);
        let mut living = 0;
        for number in 0..6 {
            let unit = SoupUnit::new(&BFF_NOHEADS, &engines, Draw::new(&[number]));
            let done = unit.run(&interpreters, None).unwrap();
            assert!(
                done.case.is_none() && done.soup_differs.is_none(),
                "{done:?}"
            );
            assert!(done.interactions >= SoupUnit::LEAST);
            living += done.exercise.living_soups;
        }
        assert!(living >= 2, "{living}");
    }
}
