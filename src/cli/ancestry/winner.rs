//! `broth ancestry --winner`

use std::io::Write;
use std::process::ExitCode;

use broth::Error;
use broth::format::thousands;
use broth::language::{Family, Language, Program};
use broth::measure::replicators::{CUBFF_THRESHOLD, PARTNERS};
use broth::proof::{Effort, Proof};
use broth::run::ancestry::{Ancestor, Line};
use broth::run::replay::PastRun;
use broth::run::winner::{Growth, MOST_GROWTH, Won};
use serde_json::{Value, json};

use super::{AncestryArgs, Reports, ancestor_json, origins_line, write_changes};
use crate::cli::Failure;
use crate::cli::interaction::describe;
use crate::cli::interrupt::Interrupt;
use crate::cli::number::{percent, plural};
use crate::cli::paint::{BOLD, RESET};
use crate::cli::progress::ReplayProgress;
use crate::cli::prove::say;
use crate::cli::selfrep::write_copying;

/// The winner, and what is known of its line.
struct Found {
    won: Won,
    line: Line,
    growth: Vec<Growth>,
}

impl Found {
    fn birth(&self) -> Option<&Ancestor> {
        self.won.birth(&self.line)
    }

    /// The index of the program whose line it is.
    fn index(&self) -> usize {
        self.line.ancestors.first().map_or(0, |newest| newest.index)
    }

    /// The members of the line: its birth is the last.
    fn members(&self) -> &[Ancestor] {
        let born = self.birth().map(|birth| birth.epochs_done);
        let line = &self.line.ancestors;
        let place = line.iter().position(|it| Some(it.epochs_done) == born);
        place.map_or(&[], |place| &line[..=place])
    }

    /// The ancestor before its birth, which is no replicator.
    fn before(&self) -> Option<&Ancestor> {
        self.line.ancestors.get(self.members().len())
    }
}

/// Trace the winner of a run.
pub(super) fn trace(
    args: &AncestryArgs,
    past: &PastRun,
    epochs_done: u64,
    reports: &Reports,
    interrupt: &Interrupt,
) -> Result<ExitCode, Failure> {
    let mut progress = ReplayProgress::new(args.work.quiet, 0, epochs_done, interrupt);
    let won = past.winner(epochs_done, &mut |epoch| progress.see(epoch))?;
    let won = won.ok_or_else(|| {
        Error::Usage(format!(
            "after {} no program that is there twice scores {CUBFF_THRESHOLD} or more, so there is \
             no winner; choose a later --epoch, or continue the run",
            plural(epochs_done, "epoch")
        ))
    })?;
    progress.begin("tracing back, each epoch twice", 0);
    let line = past.line_of(&won, &mut |_| progress.count())?;
    let mut growth = Vec::new();
    if let Some(birth) = won.birth(&line) {
        let to = epochs_done.min(birth.epochs_done + MOST_GROWTH);
        progress.begin("counting descendants", to - birth.epochs_done);
        growth = past.growth(birth, to, &mut |_| progress.count())?;
    }
    progress.finish();
    interrupt.last_words(|| "stopped while the report was written; the run is as it was".into());
    let found = Found { won, line, growth };
    let mut report = Vec::new();
    write_report(&mut report, args, past, &found)?;
    reports.write(args, &report, &to_json(past, &found))?;
    if let Some(birth) = found.birth() {
        let to = past.turned(birth.epochs_done)?.max(birth.epochs_done + 1);
        reports.draw(args, birth.epochs_done..to, interrupt)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_report(
    out: &mut impl Write,
    args: &AncestryArgs,
    past: &PastRun,
    found: &Found,
) -> Result<(), Failure> {
    let settings = past.settings();
    let language = settings.language;
    let Found { won, line, .. } = found;
    let number = |number: u64| thousands(number as usize);
    let mirrored = if won.is_its_mirror {
        ", its own mirror image".into()
    } else {
        format!(" and {} mirror images of it", number(won.mirrored))
    };
    writeln!(
        out,
        "{BOLD}{language}, seed {}, {} programs{RESET}\n\
         winner       after {}: {} alike{mirrored}; the one whose line goes back furthest is program \
         {}; score {}",
        settings.seed,
        thousands(settings.num_programs),
        plural(won.epochs_done, "epoch"),
        number(won.count),
        found.index(),
        won.score
    )?;
    let Some(birth) = found.birth() else {
        writeln!(
            out,
            "line         back to the soup after {}, through {}: every one on it scores {} or more, \
             so it was not born in this run",
            plural(line.begun, "epoch"),
            plural(line.ancestors.len() as u64, "interaction"),
            won.threshold()
        )?;
        return Ok(());
    };
    let members = found.members();
    let changed = members.iter().filter(|a| a.is_new());
    let is_damaged = |it: &&Ancestor| it.score < won.threshold();
    let damaged = match members.iter().filter(is_damaged).count() {
        0 => String::new(),
        count => format!(", but for {} damaged and repaired,", number(count as u64)),
    };
    writeln!(
        out,
        "line         back to epoch {}, through {}, {} of which changed it: every member since then{damaged} \
         scores {} or more, and the one before {}",
        number(birth.interaction.epoch),
        plural(members.len() as u64, "interaction"),
        number(changed.count() as u64),
        won.threshold(),
        found.before().map_or(0, |ancestor| ancestor.score)
    )?;
    write_birth(out, past, birth)?;
    writeln!(
        out,
        "\n{BOLD}How it runs{RESET}, and what comes of it, beside {PARTNERS} random partners"
    )?;
    let partners = past.partners_of(birth);
    write_copying(out, language, &past.scorer(), &birth.program, &partners)?;
    write_proofs(out, language, &birth.program, settings.max_steps)?;
    write_growth(out, settings.num_programs, &found.growth)?;
    let changes: Vec<&Ancestor> = members.iter().filter(|a| a.is_new()).collect();
    write_changes(out, language, &changes, args.changes)
}

/// The interaction that made the first of the line.
fn write_birth(out: &mut impl Write, past: &PastRun, birth: &Ancestor) -> Result<(), Failure> {
    let interaction = &birth.interaction;
    let [left, right] = interaction.programs;
    writeln!(
        out,
        "\n{BOLD}The winner's line{RESET} was born in epoch {} (counted from 0) as program {}, on \
         the {} of pair {}, of programs {left} and {right}, {}; it scores {}",
        thousands(interaction.epoch as usize),
        birth.index,
        birth.side.name(),
        thousands(interaction.pair),
        match interaction.mutations.len() {
            0 => "without a mutation".into(),
            count => format!("with {}", plural(count as u64, "mutation")),
        },
        birth.score
    )?;
    describe(out, past.settings().language, interaction)?;
    if let Some(line) = origins_line(birth) {
        writeln!(out, "  {line}")?;
    }
    let partners = past.partners_of(birth);
    let scorer = past.scorer();
    let score = |half: &[u8]| scorer.agreement(half, &partners).map(|it| it.score());
    let (left, right) = interaction.before.split_at(birth.program.len());
    writeln!(
        out,
        "  the programs that met score {} and {}",
        score(left)?,
        score(right)?
    )?;
    Ok(())
}

/// What is proved of the first of the line, where anything can be.
fn write_proofs(
    out: &mut impl Write,
    language: &'static Language,
    program: &Program,
    max_steps: u32,
) -> Result<(), Failure> {
    if !matches!(language.family, Family::Bff(_)) || max_steps > broth::proof::MOST_STEPS {
        return Ok(());
    }
    let mut mirror = *program;
    mirror.reverse();
    for (name, program) in [("proved", program), ("its mirror", &mirror)] {
        let proof = Proof::of(language, program, max_steps, &Effort::default())?;
        writeln!(out, "{name:<12}copies itself {}", say::short(&proof))?;
    }
    Ok(())
}

/// Descendants by epoch: of many epochs those at which they became twice as many.
fn write_growth(
    out: &mut impl Write,
    num_programs: usize,
    growth: &[Growth],
) -> Result<(), Failure> {
    const MOST_LINES: usize = 12;
    writeln!(
        out,
        "\n{BOLD}How it grew{RESET}: programs whose line of descent leads to it"
    )?;
    writeln!(out, "  epochs done  programs   share")?;
    let mut shown = Vec::new();
    let mut next = 0;
    for (place, point) in growth.iter().enumerate() {
        let is_last = place + 1 == growth.len();
        if growth.len() <= MOST_LINES || is_last || point.members >= next {
            next = 2 * point.members;
            shown.push(point);
        }
    }
    for point in shown {
        writeln!(
            out,
            "  {:>11}  {:>8}  {:>6}",
            thousands(point.epochs_done as usize),
            thousands(point.members as usize),
            percent(point.members as f64 / num_programs as f64)
        )?;
    }
    Ok(())
}

fn to_json(past: &PastRun, found: &Found) -> Value {
    let settings = past.settings();
    let won = &found.won;
    let growth = found
        .growth
        .iter()
        .map(|point| json!({"epochs_done": point.epochs_done, "members": point.members}));
    json!({
        "lang": settings.language.name,
        "num": settings.num_programs,
        "seed": settings.seed,
        "winner": {
            "epochs_done": won.epochs_done,
            "index": found.index(),
            "count": won.count,
            "mirrored": won.mirrored,
            "score": won.score,
        },
        "threshold": won.threshold(),
        "begun": found.line.begun,
        "birth": found.birth().map(ancestor_json),
        "growth": growth.collect::<Vec<Value>>(),
        "line": found.line.ancestors.iter().map(ancestor_json).collect::<Vec<_>>(),
    })
}
