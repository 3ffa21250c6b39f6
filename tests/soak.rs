//! Long runs: engines, threads and caches that change at random epochs, to the bytes
//! that cubff has at the end, in memory that does not grow. A program of its own, since it
//! watches the memory of its process.

use broth::engine::{Engine, Options, jit};
use broth::measure::Measures;
use broth::soup::checkpoint::Checkpoint;
use broth::{Settings, Soup};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// What the memory of a run may grow by once every engine has had its turn, in bytes: no
/// more than code caches that are full by chance.
const MOST_GROWTH: u64 = 16 << 20;

/// Bytes of memory that this process has, where the system tells.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

/// Options drawn at random: all of them give the same soup.
fn any_options(random: &mut StdRng) -> Options {
    Options {
        closed_forms: random.random_bool(0.9),
        jit: jit::Options {
            thresholds: jit::Thresholds::default()
                .sample(random.random_range(1..=16))
                .loops(random.random_range(1..600))
                .programs(random.random_range(1..20))
                .backoff([0, 0, 1, 5][random.random_range(0..4)]),
            least: jit::Tier::ALL[random.random_range(0..3)],
            // Room for a few generations, or for all.
            cache_bytes: [64 << 10, 1 << 20, 64 << 20][random.random_range(0..3)],
        },
    }
}

/// The fast engines, and once in a while the reference engine, which is slow.
fn any_engine(random: &mut StdRng) -> Engine {
    match random.random_range(0..10) {
        0..4 => Engine::Jit,
        4..8 => Engine::Auto,
        _ => Engine::Interpreter,
    }
}

/// Take the soup of `settings` through all epochs of its line in `soak.txt`.
fn soak(settings: Settings, epochs: u64, switches: u64) {
    let mut random = StdRng::seed_from_u64(7);
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
    let pools: Vec<ThreadPool> = (1..=3).map(|threads| pool(threads).unwrap()).collect();
    let mut soup = Soup::new(settings).unwrap();
    let (mut pool, mut engines) = (&pools[1], Vec::new());
    let (mut until, mut settled, mut largest, mut alive) = (0, None, 0, 0);
    for tenth in 1..=10 {
        while soup.epochs_done() < epochs * tenth / 10 {
            if soup.epochs_done() >= until {
                let engine = any_engine(&mut random);
                soup.set_engine(engine, &any_options(&mut random));
                pool = &pools[random.random_range(0..pools.len())];
                until = soup.epochs_done() + random.random_range(1..=2 * epochs / switches);
                engines.push(engine);
                if engines.len().is_multiple_of(64) {
                    // For a few epochs by what says what is right.
                    soup.set_engine(Engine::Reference, &Options::default());
                    until = soup.epochs_done() + 3;
                }
            }
            pool.install(|| soup.step());
        }
        let measures = Measures::of(soup.programs());
        alive += u64::from(measures.high_order_entropy > 1.0);
        if let Some(memory) = memory() {
            println!(
                "epoch {}: {} engines, high-order entropy {:.2}, {} MiB",
                soup.epochs_done(),
                engines.len(),
                measures.high_order_entropy,
                memory >> 20
            );
            largest = largest.max(memory);
            settled = settled.or((tenth == 3).then_some(memory));
        }
    }
    assert!(alive >= 8, "the soup lived at {alive} of 10 looks");
    if let Some(settled) = settled {
        let growth = largest.saturating_sub(settled);
        assert!(
            growth <= MOST_GROWTH,
            "{growth} bytes from epoch {} on",
            epochs * 3 / 10
        );
    }
    let mut checkpoint = Checkpoint::empty();
    checkpoint.copy_from(&soup);
    let name = format!("{} {} ", soup.settings().language, epochs);
    let hashes = include_str!("data/soak.txt");
    let expected = hashes.lines().find_map(|line| line.strip_prefix(&name));
    assert_eq!(Some(checkpoint.sha256().as_str()), expected);
}

fn small() -> Settings {
    Settings {
        language: "bff_noheads_4bit".parse().unwrap(),
        num_programs: 512,
        seed: 5,
        ..Settings::default()
    }
}

#[test]
fn a_small_living_soup_for_long() {
    soak(small(), 10_001, 200);
}

#[test]
#[ignore = "takes a minute"]
fn a_small_living_soup_for_very_long() {
    soak(small(), 100_001, 2000);
}

/// World 29, which comes alive after 945 epochs.
#[test]
#[ignore = "takes a minute or two"]
fn a_full_living_soup_for_long() {
    let settings = Settings {
        seed: 29,
        ..Settings::default()
    };
    soak(settings, 5001, 200);
}
