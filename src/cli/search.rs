//! `broth search`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use broth::format::{hex, thousands};
use broth::language::{Language, PROGRAM_LEN};
use broth::measure::Measures;
use broth::measure::replicators::KNIERIM_THRESHOLD;
use broth::run::folder::csv::Table;
use broth::run::folder::settings::parse_probability;
use broth::search::{Estimate, Find, InSoups, Search, Source};
use broth::{Error, Settings, files};
use clap::Args;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::checkpoint;
use super::interrupt::Interrupt;
use super::output::{self, write_json};
use super::paint::{self, BOLD, RESET};
use super::progress::MovingLine;
use super::source::SoupArgs;
use super::{Failure, INTERRUPTED, number, parse_language, start_threads};

const EXAMPLES: &str = "\
Programs are drawn byte by byte, changed a little from one to the next (--walk), or taken from
soups as they arise (--from soup). Each is scored as `broth selfrep` scores a single program. The
seed determines the sequence of programs: the same finds at the same numbers, whatever the number
of threads.

Examples:
  broth search --lang bff_selfmove --from operators
      programs of half operators, half no-ops, until ten replicators are found
  broth search --lang bff_selfmove --from operators-64 --finds 100 --out finds.csv
      the byte 64, which sets a head to the other program, counts as an operator
  broth search --lang bff_selfmove --finds 5 --max-programs 1000000000
      uniform bytes; ends after that many programs at the latest
  broth search --from runs/bff_noheads-seed-29 --epoch 513
      bytes with the frequencies of that soup
  broth search --lang bff_selfmove --from soup --num 4096 --seed 1
      programs that arise in soups of 4,096 programs: the first soup, then all programs that
      an epoch changed; after each find a new soup, with the next seed
  broth search --walk 0.02 --seed 7
      mutation walks: each byte changes with that probability";

#[derive(Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct SearchArgs {
    /// What the bytes mean; `broth languages` lists them [default: bff_noheads; of a
    /// checkpoint what its sidecar records]
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// What programs are drawn from: uniform, operators (half operators, half no-ops),
    /// operators-64 (with the byte 64 as an operator), a checkpoint or a run folder (the
    /// frequencies of its bytes), or soup (programs that arise in soups)
    #[arg(long, value_name = "SOURCE", default_value = "uniform")]
    from: PathBuf,

    #[command(flatten)]
    soup: SoupArgs,

    /// With `--from soup`, programs in each soup, even [default: 131072]
    #[arg(long, value_name = "N", value_parser = number::any::<usize>)]
    num: Option<usize>,

    /// Change each byte with this probability from one program to the next, instead of
    /// drawing each program
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    walk: Option<f64>,

    /// Lowest score that counts as a find
    #[arg(long, value_name = "SCORE", default_value_t = KNIERIM_THRESHOLD,
          value_parser = number::within::<u8>(1..=PROGRAM_LEN as u64))]
    threshold: u8,

    /// End after this many finds
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = number::within::<u64>(1..=1_000_000))]
    finds: u64,

    /// End after this many programs at the latest (rounded up to blocks of 16,384, or to an
    /// epoch of a soup)
    #[arg(long, value_name = "N", default_value_t = 10_000_000_000,
          value_parser = number::within::<u64>(1..=1 << 60))]
    max_programs: u64,

    /// Seed of the sequence of programs, or of the first soup
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = number::any::<u64>)]
    seed: u64,

    /// Write the finds to this new file as they occur, as a table: number, score, bytes in
    /// hex digits; for finds in soups also the soup's seed, epochs done and index
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Threads to run on; affects only the speed [default: all cores]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    threads: Option<u16>,

    /// Show only the finds and the result
    #[arg(long, short)]
    quiet: bool,

    /// Write the finds and the result as JSON to standard output, at the end
    #[arg(long)]
    json: bool,
}

pub(super) fn search(args: SearchArgs) -> Result<ExitCode, Failure> {
    let (language, source) = read_source(&args)?;
    if language.program_len != PROGRAM_LEN {
        return Err(Error::Usage(format!(
            "--lang {language}: programs of {PROGRAM_LEN} bytes are searched, and it has others; \
             choose another language"
        ))
        .into());
    }
    let threads = start_threads(args.threads)?;
    let interrupt = Interrupt::finishing(
        "finishing what is being tested, then summing up; once more to stop without that",
        args.quiet,
    )?;
    let mut sequence = Sequence::of(&args, language, source)?;
    let mut table = match &args.out {
        Some(path) => Some(Table::create(path, sequence.header())?),
        None => None,
    };
    let so_far = Arc::new(SoFar::default());
    interrupt.last_words({
        let (so_far, out) = (so_far.clone(), args.out.clone());
        move || so_far.what_is_lost(out.as_deref())
    });
    let mut screen = Screen::new(&args);
    if let Some(line) = &screen.line {
        line.leaves_room_for(&interrupt);
    }
    let (mut tested, mut finds) = (0, 0);
    let mut found_all = Vec::new();
    while tested < args.max_programs && finds < args.finds && !interrupt.is_asked() {
        let found;
        (tested, found) = sequence.go_on(args.max_programs, threads)?;
        for find in &found {
            finds += 1;
            let note = || so_far.finds.store(finds, Ordering::Relaxed);
            if let Some(table) = &mut table {
                files::commit(|| table.append(&row(find)).map(|()| note()))?;
                table.sync()?;
            }
            if args.json {
                found_all.push(find_json(language, find));
            } else {
                screen.show_find(language, find)?;
            }
            note();
            if finds == args.finds {
                tested = find.number + 1;
                break;
            }
        }
        so_far.tested.store(tested, Ordering::Relaxed);
        screen.see(tested, finds, &sequence);
    }
    let enough = finds == args.finds;
    screen.finish();
    let found = Found {
        tested,
        finds,
        enough,
        seconds: screen.begun.elapsed().as_secs_f64().max(1e-9),
    };
    if args.json {
        write_json(&found.to_json(&args, language, found_all))?;
    } else {
        found.summarise(&args, language)?;
    }
    Ok(if enough || tested >= args.max_programs {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(INTERRUPTED)
    })
}

/// How far a search is, for whoever ends it.
#[derive(Default)]
struct SoFar {
    tested: AtomicU64,
    finds: AtomicU64,
}

impl SoFar {
    /// What a search loses that ends at once.
    fn what_is_lost(&self, out: Option<&Path>) -> String {
        let tested = thousands(self.tested.load(Ordering::Relaxed) as usize);
        let finds = self.finds.load(Ordering::Relaxed);
        let plural = if finds == 1 { "" } else { "s" };
        let kept = match out {
            Some(path) => format!("in {}", path.display()),
            None => "above, and nowhere else".into(),
        };
        format!(
            "stopped after {tested} programs: {finds} find{plural} {kept}; how rare they are is \
             not worked out, and the same command begins again"
        )
    }
}

/// Where the programs come from, one behind the other.
enum Sequence {
    Drawn {
        search: Box<Search>,
        blocks_done: u64,
    },
    Soups(Box<InSoups>),
}

impl Sequence {
    fn of(
        args: &SearchArgs,
        language: &'static Language,
        source: Drawn,
    ) -> Result<Sequence, Error> {
        let usage = |message: &str| Err(Error::Usage(message.into()));
        let Some(source) = source else {
            if args.walk.is_some() {
                return usage(
                    "--walk: soups change their programs themselves; leave --walk or `--from soup` out",
                );
            }
            let settings = Settings {
                language,
                seed: args.seed,
                num_programs: args.num.unwrap_or(Settings::default().num_programs),
                ..Settings::default()
            };
            let soups = InSoups::new(settings, args.threshold)?;
            return Ok(Sequence::Soups(Box::new(soups)));
        };
        if args.num.is_some() {
            return usage("--num is for `--from soup`; leave it out");
        }
        let search = Search::new(language, source?, args.walk, args.threshold, args.seed)?;
        Ok(Sequence::Drawn {
            search: Box::new(search),
            blocks_done: 0,
        })
    }

    /// The names of what [`row`] tells of a find.
    fn header(&self) -> &'static str {
        match self {
            Sequence::Drawn { .. } => "number,score,program",
            Sequence::Soups(_) => "number,score,program,seed,epoch,index",
        }
    }

    /// Where it is, in words.
    fn place(&self) -> String {
        match self {
            Sequence::Drawn { .. } => "testing programs".into(),
            Sequence::Soups(soups) => {
                let (seed, epochs_done) = soups.place();
                format!("seed {seed}, epoch {epochs_done}")
            }
        }
    }

    /// Test more programs, at most up to the block or epoch with number `most`: how many have
    /// been tested since the beginning, and the finds among the new ones.
    fn go_on(&mut self, most: u64, threads: usize) -> Result<(u64, Vec<Find>), Error> {
        match self {
            Sequence::Drawn {
                search,
                blocks_done,
            } => {
                // Keeps all threads busy for some milliseconds.
                let round = 16 * threads as u64;
                let end = most.div_ceil(Search::BLOCK).min(*blocks_done + round);
                let found: Vec<Vec<Find>> = (*blocks_done..end)
                    .into_par_iter()
                    .map(|block| search.block(block))
                    .collect::<Result<_, Error>>()?;
                *blocks_done = end;
                Ok((end * Search::BLOCK, found.concat()))
            }
            Sequence::Soups(soups) => {
                let find = soups.epoch()?;
                Ok((soups.tested(), Vec::from_iter(find)))
            }
        }
    }
}

/// What programs are drawn from; nothing where they come from soups.
type Drawn = Option<Result<Source, Error>>;

/// The language, and what programs are drawn from. The language is looked at before the
/// source, which may be wrong for it.
fn read_source(args: &SearchArgs) -> Result<(&'static Language, Drawn), Failure> {
    let language = args.lang.unwrap_or(Settings::default().language);
    let source = match args.from.to_str() {
        Some("soup") => None,
        Some("uniform") => Some(Ok(Source::uniform())),
        Some("operators") => Some(Source::operators(language, &[])),
        Some("operators-64") => Some(Source::operators(language, &[64])),
        _ => {
            if !args.from.exists() {
                return Err(Error::Usage(format!(
                    "--from {}: choose uniform, operators, operators-64, soup, a checkpoint or a \
                     run folder; there is no file of that name",
                    args.from.display()
                ))
                .into());
            }
            let given = checkpoint::given(args.lang, None);
            let found = args.soup.see(&args.from, &given, &["lang"], args.quiet)?;
            let counts = Measures::of(&found.checkpoint.programs).counts;
            return Ok((found.settings.language, Some(Source::of_counts(counts))));
        }
    };
    Ok((language, source))
}

/// What is shown meanwhile, on a terminal.
struct Screen {
    line: Option<MovingLine>,
    begun: Instant,
    shown: Option<Instant>,
    /// Programs after which, and finds after which, the search ends.
    most: u64,
    wanted: u64,
}

impl Screen {
    fn new(args: &SearchArgs) -> Screen {
        Screen {
            line: MovingLine::on_terminal().filter(|_| !args.quiet),
            begun: Instant::now(),
            shown: None,
            most: args.max_programs,
            wanted: args.finds,
        }
    }

    fn see(&mut self, tested: u64, finds: u64, sequence: &Sequence) {
        let is_due = |shown: Instant| shown.elapsed() >= Duration::from_millis(100);
        let Some(line) = self.line.as_ref().filter(|_| self.shown.is_none_or(is_due)) else {
            return;
        };
        self.shown = Some(Instant::now());
        // Whichever end comes first.
        let share = |done: u64, all: u64| done as f64 / all.max(1) as f64;
        let share = share(tested, self.most).max(share(finds, self.wanted));
        let rate = tested as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
        line.show(
            Some(share),
            &[
                format!("{finds} of {} found", self.wanted),
                format!("{} programs", thousands(tested as usize)),
                format!("{} programs/s", thousands(rate as usize)),
                sequence.place(),
                format!("at most {}", thousands(self.most as usize)),
            ],
        );
    }

    /// A find, above the moving line.
    fn show_find(&self, language: &Language, find: &Find) -> std::io::Result<()> {
        let Some(line) = &self.line else {
            return show(language, find);
        };
        let mut shown = Ok(());
        line.suspend(|| shown = show(language, find));
        shown
    }

    fn finish(&self) {
        if let Some(line) = &self.line {
            line.clear();
        }
    }
}

fn find_json(language: &Language, find: &Find) -> Value {
    let place = find.place.as_ref();
    json!({
        "number": find.number,
        "score": find.score,
        "program": output::program(language, &find.program),
        "seed": place.map(|place| place.seed),
        "epoch": place.map(|place| place.epochs_done),
        "index": place.map(|place| place.index),
    })
}

/// A find as a row of the table.
fn row(find: &Find) -> String {
    let mut row = format!("{},{},{}", find.number, find.score, hex(&find.program));
    if let Some(place) = &find.place {
        row += &format!(",{},{},{}", place.seed, place.epochs_done, place.index);
    }
    row
}

fn show(language: &Language, find: &Find) -> std::io::Result<()> {
    let text = paint::tape(language, &find.program, [None; 4]);
    let number = thousands(find.number as usize);
    let mut out = anstream::stdout().lock();
    write!(out, "{number:>15}  score {:<2}  {text}", find.score)?;
    match &find.place {
        Some(place) => writeln!(
            out,
            "  seed {}, epoch {}, program {}",
            place.seed,
            thousands(place.epochs_done as usize),
            thousands(place.index)
        ),
        None => writeln!(out),
    }
}

/// What a search came to.
struct Found {
    tested: u64,
    finds: u64,
    /// Whether these are as many as were wanted.
    enough: bool,
    seconds: f64,
}

impl Found {
    fn to_json(&self, args: &SearchArgs, language: &Language, finds: Vec<Value>) -> Value {
        let Estimate {
            each, least, most, ..
        } = Estimate::of(self.tested, self.finds, self.enough);
        json!({
            "lang": language.name,
            "from": args.from.display().to_string(),
            "seed": args.seed,
            "threshold": args.threshold,
            "programs": self.tested,
            "finds": finds,
            // Infinite numbers are null.
            "programs_per_find": each,
            "programs_per_find_low": least,
            "programs_per_find_high": most,
            "seconds": self.seconds,
        })
    }

    fn summarise(&self, args: &SearchArgs, language: &Language) -> std::io::Result<()> {
        let Found {
            tested,
            finds,
            enough,
            seconds,
        } = *self;
        let Estimate {
            each, least, most, ..
        } = Estimate::of(tested, finds, enough);
        let mut out = anstream::stdout().lock();
        writeln!(
            out,
            "{} programs of {} ({}), {finds} that score at least {}",
            thousands(tested as usize),
            language,
            args.from.display(),
            args.threshold
        )?;
        let number = |programs: f64| {
            if programs.is_finite() {
                format!("{programs:.3e}")
            } else {
                "any number".into()
            }
        };
        if finds > 0 {
            writeln!(
                out,
                "programs tested to a replicator  {BOLD}{}{RESET}, 95 % interval {} to {}",
                number(each),
                number(least),
                number(most)
            )?;
        } else {
            writeln!(
                out,
                "programs tested to a replicator  at least {} (95 % interval)",
                number(least)
            )?;
        }
        writeln!(
            out,
            "speed  {:.1} million programs a minute",
            tested as f64 / seconds * 60.0 / 1e6
        )
    }
}
