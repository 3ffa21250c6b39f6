//! `broth inspect`

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::format::{hex, thousands};
use broth::language::Language;
use broth::measure::Measures;
use broth::run::folder::sidecar;
use broth::soup::checkpoint::Checkpoint;
use clap::Args;
use serde_json::{Value, json};

use super::checkpoint;
use super::output::{self, real, write_json};
use super::source::{SoupArgs, Source, Subject};
use super::{Failure, parse_language};

const EXAMPLES: &str = "\
Examples:
  broth inspect runs/bff_noheads-seed-29
      the newest checkpoint of a run, also of one that is still going on
  broth inspect runs/bff_noheads-seed-29/checkpoints/0000001025.dat
  broth inspect cubff/0000000512.dat --lang forthtrivial";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InspectArgs {
    /// A run folder, or a checkpoint of broth or of cubff
    path: PathBuf,

    /// The language, if no sidecar records it: shows bytes and programs as program text, and
    /// determines the length of programs
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    #[command(flatten)]
    soup: SoupArgs,

    /// Show only the result, no notes
    #[arg(long, short)]
    quiet: bool,

    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
}

/// How many of the commonest bytes and programs are shown.
const SHOWN_BYTES: usize = 8;
const SHOWN_PROGRAMS: usize = 5;

/// A soup as it is shown.
struct Inspected {
    path: PathBuf,
    /// Known where it was given or recorded: bytes can be shown without.
    language: Option<&'static Language>,
    checkpoint: Checkpoint,
    measures: Measures,
}

impl Inspected {
    fn read(args: &InspectArgs) -> Result<Inspected, Failure> {
        let (language, checkpoint, path) = match args.soup.find(&args.path)? {
            Source::Checkpoint(path)
                if args.lang.is_none() && !sidecar::path_of(&path).exists() =>
            {
                (None, Checkpoint::read(&path)?, path)
            }
            _ => {
                let given = checkpoint::given(args.lang, None);
                let subject = args.soup.see(&args.path, &given, &["lang"], args.quiet)?;
                let Subject {
                    settings,
                    checkpoint,
                    path,
                    ..
                } = subject;
                (Some(settings.language), checkpoint, path)
            }
        };
        Ok(Inspected {
            path,
            language,
            measures: Measures::of(&checkpoint.programs),
            checkpoint,
        })
    }

    /// The different programs with their numbers, the commonest first.
    fn programs(&self) -> Vec<(&[u8], usize)> {
        let mut copies: HashMap<&[u8], usize> = HashMap::new();
        let programs = &self.checkpoint.programs;
        for program in programs.chunks_exact(self.checkpoint.program_len) {
            *copies.entry(program).or_default() += 1;
        }
        let mut commonest: Vec<_> = copies.into_iter().collect();
        commonest.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        commonest
    }

    /// The bytes that there are, with their shares, the commonest first.
    fn bytes(&self) -> impl Iterator<Item = (u8, f64)> {
        let commonest = self.measures.commonest().into_iter();
        commonest.filter(|(_, share)| *share > 0.0)
    }

    fn symbol(&self, byte: u8) -> Option<String> {
        let language = self.language?;
        Some(language.kind(byte).symbol.to_string())
    }

    fn to_json(&self) -> Value {
        let bytes = self.bytes().map(
            |(byte, share)| json!({"byte": byte, "symbol": self.symbol(byte), "share": share}),
        );
        let programs = self.programs();
        let commonest = programs
            .iter()
            .take(SHOWN_PROGRAMS)
            .map(|(program, count)| {
                let text = self.language.map(|language| language.program_text(program));
                let shown = self
                    .language
                    .map(|language| output::shown(language, program));
                json!({"count": count, "hex": hex(program), "shown": shown, "text": text})
            });
        json!({
            "checkpoint": self.path.display().to_string(),
            "lang": self.language.map(|language| language.name),
            "epochs_done": self.checkpoint.epochs_done,
            "next_reset": self.checkpoint.next_reset,
            "programs": self.checkpoint.num_programs(),
            "program_bytes": self.checkpoint.program_len,
            "distinct_programs": programs.len(),
            "byte_entropy": self.measures.byte_entropy,
            "brotli_bytes": self.measures.brotli_size,
            "brotli_bpb": self.measures.brotli_bpb,
            "high_order_entropy": real(self.measures.high_order_entropy),
            "alive": self.measures.is_alive(),
            "bytes": bytes.collect::<Vec<Value>>(),
            "commonest_programs": commonest.collect::<Vec<Value>>(),
        })
    }
}

pub(super) fn inspect(args: InspectArgs) -> Result<ExitCode, Failure> {
    let inspected = Inspected::read(&args)?;
    if args.json {
        write_json(&inspected.to_json())?;
    } else {
        show(&inspected)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(inspected: &Inspected) -> Result<(), Failure> {
    let Inspected {
        language,
        checkpoint,
        measures,
        ..
    } = inspected;
    let programs = inspected.programs();
    let mut out = anstream::stdout().lock();
    let mut line = |name: &str, value: String| writeln!(out, "{name:<20} {value}");
    line("epochs done", thousands(checkpoint.epochs_done as usize))?;
    line(
        "programs",
        format!(
            "{} ({} of them distinct)",
            thousands(checkpoint.num_programs()),
            thousands(programs.len())
        ),
    )?;
    line("next reset", format!("number {}", checkpoint.next_reset))?;
    line(
        "byte entropy",
        format!("{:.6} bits per byte", measures.byte_entropy),
    )?;
    line(
        "brotli",
        format!(
            "{} bytes, {:.6} bits per byte",
            thousands(measures.brotli_size),
            measures.brotli_bpb
        ),
    )?;
    line(
        "high-order entropy",
        format!(
            "{:.6} bits per byte: {}",
            measures.high_order_entropy,
            if measures.is_alive() {
                "alive"
            } else {
                "not alive"
            }
        ),
    )?;
    let bytes = inspected.bytes().take(SHOWN_BYTES).map(|(byte, share)| {
        let symbol = inspected.symbol(byte);
        let symbol = symbol.map_or(String::new(), |symbol| format!(" {symbol}"));
        format!("{byte:02x}{symbol} {:.2}%", share * 100.0)
    });
    line("commonest bytes", bytes.collect::<Vec<_>>().join(", "))?;
    for (i, (program, count)) in programs.into_iter().take(SHOWN_PROGRAMS).enumerate() {
        let text = match language {
            Some(language) => language.program_text(program),
            None => hex(program),
        };
        let name = if i == 0 { "commonest programs" } else { "" };
        line(name, format!("{:>7} x {text}", thousands(count)))?;
    }
    Ok(())
}
