//! `broth inspect`

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::format::thousands;
use broth::language::Language;
use broth::measure::Measures;
use broth::run::folder::sidecar;
use broth::soup::checkpoint::Checkpoint;
use clap::Args;

use super::checkpoint::{self, CheckpointArgs};
use super::{Failure, hex, parse_language};

const EXAMPLES: &str = "\
Examples:
  broth inspect runs/bff_noheads-seed-29/checkpoints/0000001025.dat
  broth inspect cubff/0000000512.dat --lang forthtrivial";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InspectArgs {
    /// A checkpoint of broth or of cubff
    file: PathBuf,

    /// The language, if no sidecar records it: shows bytes and programs as program text, and
    /// determines the length of programs
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    #[command(flatten)]
    loading: CheckpointArgs,
}

/// How many of the commonest bytes and programs are shown.
const SHOWN_BYTES: usize = 8;
const SHOWN_PROGRAMS: usize = 5;

/// The checkpoint, and its language where that is known: bytes can be shown without.
fn read(args: &InspectArgs) -> Result<(Option<&'static Language>, Checkpoint), Failure> {
    if args.lang.is_none() && !sidecar::path_of(&args.file).exists() {
        return Ok((None, Checkpoint::read(&args.file)?));
    }
    let given = checkpoint::given(args.lang, None);
    let loaded = args.loading.load_to_see(&args.file, &given, &["lang"])?;
    Ok((Some(loaded.settings.language), loaded.checkpoint))
}

pub(super) fn inspect(args: InspectArgs) -> Result<ExitCode, Failure> {
    let (lang, checkpoint) = read(&args)?;
    let program_len = checkpoint.program_len;
    let measures = Measures::of(&checkpoint.programs);
    let mut copies: HashMap<&[u8], usize> = HashMap::new();
    for program in checkpoint.programs.chunks_exact(program_len) {
        *copies.entry(program).or_default() += 1;
    }
    let mut commonest: Vec<_> = copies.iter().collect();
    commonest.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));

    let mut out = anstream::stdout().lock();
    let mut line = |name: &str, value: String| writeln!(out, "{name:<20} {value}");
    line("epochs done", thousands(checkpoint.epochs_done as usize))?;
    line(
        "programs",
        format!(
            "{} ({} of them distinct)",
            thousands(checkpoint.num_programs()),
            thousands(copies.len())
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
    let bytes: Vec<_> = measures
        .commonest()
        .into_iter()
        .take(SHOWN_BYTES)
        .filter(|(_, share)| *share > 0.0)
        .map(|(byte, share)| {
            let symbol = match lang {
                Some(language) => format!(" {}", language.kind(byte).symbol),
                None => String::new(),
            };
            format!("{byte:02x}{symbol} {:.2}%", share * 100.0)
        })
        .collect();
    line("commonest bytes", bytes.join(", "))?;
    for (i, (program, count)) in commonest.into_iter().take(SHOWN_PROGRAMS).enumerate() {
        let text = match lang {
            Some(language) => language.program_text(program),
            None => hex(program),
        };
        let name = if i == 0 { "commonest programs" } else { "" };
        line(name, format!("{:>7} x {text}", thousands(*count)))?;
    }
    Ok(ExitCode::SUCCESS)
}
