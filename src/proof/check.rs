//! Checks certificates. It shares with the prover the table of a dialect's commands and nothing else,
//! so that a mistake there does not repeat itself here. docs/proofs.md describes the format.

use std::io::{BufRead, Read};

use crate::language::bff::{Brackets, Dialect, Op};
use crate::language::{Family, Language, parse_hex};

/// Forks whose second branch may be left to tell.
const MOST_OPEN: usize = 1 << 12;

/// What a certificate shows of one program.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part {
    /// Its language.
    pub language: &'static Language,
    /// The program.
    pub program: Vec<u8>,
    /// Steps after which a run ends.
    pub limit: u32,
    /// How it copies itself: whether mirrored, and at which offset.
    pub claim: Option<(bool, u8)>,
    /// Branches that its run has.
    pub branches: u64,
    /// Branches in which it copies itself so: each the bytes of the partner that were asked, what
    /// was added to them, and whether they were null then.
    pub holds: Vec<Vec<(u8, u8, bool)>>,
    /// Steps that were checked.
    pub steps: u64,
}

#[derive(Clone)]
struct Machine {
    /// A value below 256; or 256 times the place in the partner, from 1, and what was added.
    cells: Vec<u32>,
    /// For each byte of the partner, which values it may have.
    may: Vec<[bool; 256]>,
    pc: usize,
    heads: [usize; 2],
    steps: u32,
    ended: Option<&'static str>,
    asked: Vec<(u8, u8, bool)>,
}

impl Machine {
    fn new(dialect: &Dialect, program: &[u8]) -> Machine {
        let known = program.iter().map(|byte| u32::from(*byte));
        let start = dialect.first_place();
        // In dialects that start at 2, the bytes before say where the heads are.
        let head = |at: usize| start.min(1) * (usize::from(program[at]) % 128);
        Machine {
            cells: known.chain((1..=64).map(|place| place * 256)).collect(),
            may: vec![[true; 256]; 64],
            pc: start,
            heads: [head(0), head(1)],
            steps: 0,
            ended: None,
            asked: Vec::new(),
        }
    }

    /// What `of` says of every value that the byte at a place may have, which must be the same.
    fn all<T: PartialEq>(&self, at: usize, of: impl Fn(u8) -> T) -> Result<T, String> {
        let (cell, mut said) = (self.cells[at], None);
        let may = cell.checked_sub(256).map(|it| &self.may[it as usize / 256]);
        let may = |value: &u32| may.map_or(*value == 0, |may| may[*value as usize]);
        for value in (0..256).filter(may) {
            let now = of((value + cell % 256) as u8);
            if said.get_or_insert_with(|| of((value + cell % 256) as u8)) != &now {
                return Err(format!("the byte at place {at} is not known enough"));
            }
        }
        said.ok_or_else(|| "there are no such partners".into())
    }

    /// Do the next step, and say how a certificate tells it.
    fn step(&mut self, dialect: &Dialect) -> Result<String, String> {
        let (pc, [a, b]) = (self.pc, self.heads);
        let (code, op) = (self.cells[pc], self.all(pc, |byte| dialect.op(byte))?);
        let mut line = format!("{} {pc} {} {a} {b}", self.steps, text(code));
        let (mut next, mut ended, mut read, mut write) = (pc + 1, None, None, None);
        let plus = |count| self.cells[a] / 256 * 256 + (self.cells[a] + count) % 256;
        match op {
            Op::Left0 => self.heads[0] = (a + 127) % 128,
            Op::Right0 => self.heads[0] = (a + 1) % 128,
            Op::Left1 => self.heads[1] = (b + 127) % 128,
            Op::Right1 => self.heads[1] = (b + 1) % 128,
            Op::Increment => (read, write) = (Some(a), Some((a, plus(1)))),
            Op::Decrement => (read, write) = (Some(a), Some((a, plus(255)))),
            Op::CopyTo1 => (read, write) = (Some(a), Some((b, self.cells[a]))),
            Op::CopyTo0 => {
                (read, write) = (Some(b), Some((a, self.cells[b])));
                self.heads[1] = (b + usize::from(dialect.copy_moves())) % 128;
            }
            Op::Open | Op::Close => {
                read = Some(a);
                if self.all(a, |byte| dialect.is_null(byte))? == (op == Op::Open) {
                    (next, ended) = self.jump(dialect, op)?;
                }
            }
            Op::Null | Op::Noop => {}
        }
        if let Some(at) = read {
            line += &format!(" r {at} {}", text(self.cells[at]));
        }
        if let Some((at, cell)) = write {
            self.cells[at] = cell;
            line += &format!(" w {at} {}", text(cell));
        }
        if ended.is_none() && next > 127 {
            ended = Some("left_tape");
        } else if ended.is_none() && next != pc + 1 {
            line += &format!(" j {next}");
        }
        (self.pc, self.ended) = (next, ended);
        self.steps += 1;
        Ok(line)
    }

    /// Where a bracket that is taken leads, or how it ends the run.
    fn jump(&self, dialect: &Dialect, op: Op) -> Result<(usize, Option<&'static str>), String> {
        let forwards = op == Op::Open;
        if let Brackets::Jump(distance) = dialect.brackets() {
            let back = self.pc.checked_sub(distance);
            let place = if forwards {
                Some(self.pc + distance)
            } else {
                back
            };
            return Ok(place.map_or((self.pc, Some("left_tape")), |it| (it + 1, None)));
        }
        let (mut ahead, mut back) = (self.pc + 1..128, (0..self.pc).rev());
        let places: &mut dyn Iterator<Item = usize> = if forwards { &mut ahead } else { &mut back };
        let (mut open, ends) = (0, if forwards { Op::Close } else { Op::Open });
        for at in places {
            let is = |op| self.all(at, |byte| dialect.op(byte) == op);
            if is(ends)? && open == 0 {
                return Ok((at + 1, None));
            }
            open += i32::from(is(op)?) - i32::from(is(ends)?);
        }
        Ok((self.pc, Some("unmatched_bracket")))
    }

    /// Go on with those partners whose byte, with something added, is null or not.
    fn ask(&mut self, dialect: &Dialect, (place, added): (u8, u8), null: bool) {
        let may = self.may[usize::from(place)].iter_mut();
        for (value, may) in may.enumerate() {
            *may &= dialect.is_null((value as u8).wrapping_add(added)) == null;
        }
        self.asked.push((place, added, null));
    }
}

fn text(cell: u32) -> String {
    match cell / 256 {
        0 => format!("{cell:02x}"),
        place => format!("B{}+{}", place - 1, cell % 256),
    }
}

/// `B63+0`, as place and what was added.
fn unknown(text: &str) -> Option<(u8, u8)> {
    let (place, added) = text.strip_prefix('B')?.split_once('+')?;
    let place = place.parse().ok().filter(|place| *place < 64)?;
    Some((place, added.parse().ok()?))
}

struct Lines<R>(R, u64);

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<String, String> {
        self.1 += 1;
        let mut line = String::new();
        let read = self.0.by_ref().take(512).read_line(&mut line);
        match (read, line.pop()) {
            (Ok(_), Some('\n')) => Ok(line),
            _ => Err(self.wrong("a line should be here, of no more than 512 bytes".into())),
        }
    }

    /// The value of the line that begins with `name`, which must come next.
    fn field<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let line = self.next()?;
        let value = line.strip_prefix(name).map(str::trim_start);
        let value = value.and_then(read);
        value.ok_or_else(|| self.wrong(format!("`{line}`: here `{name} ...` should be")))
    }

    fn wrong(&self, why: String) -> String {
        format!("line {}: {why}", self.1)
    }
}

/// Check a certificate: what it shows of each of its programs, or what is wrong with it.
pub fn check(certificate: impl BufRead) -> Result<Vec<Part>, String> {
    let mut lines = Lines(certificate, 0);
    lines.field("broth certificate", |it| (it == "1").then_some(()))?;
    let mut parts = Vec::new();
    loop {
        let (language, dialect) = lines.field("language", |name| {
            let language: &'static Language = name.parse().ok()?;
            match &language.family {
                Family::Bff(dialect) => Some((language, dialect)),
                _ => None,
            }
        })?;
        let mut part = Part {
            language,
            limit: lines.field("limit", |text| text.parse().ok())?,
            program: lines.field("program", |text| {
                parse_hex(text).ok().filter(|it| it.len() == 64)
            })?,
            claim: lines.field("claim", |text| match text.split_once(' ') {
                None => (text == "nothing").then_some(None),
                Some((way @ ("mirrored" | "forwards"), offset)) => {
                    Some(Some((way == "mirrored", offset.parse().ok()?)))
                }
                Some(_) => None,
            })?,
            branches: 0,
            holds: Vec::new(),
            steps: 0,
        };
        follow(&mut lines, dialect, &mut part)?;
        parts.push(part);
        if lines.0.fill_buf().is_ok_and(<[u8]>::is_empty) {
            return Ok(parts);
        }
    }
}

fn follow(
    lines: &mut Lines<impl BufRead>,
    dialect: &Dialect,
    part: &mut Part,
) -> Result<(), String> {
    let mut now = Some(Machine::new(dialect, &part.program));
    let mut open: Vec<((u8, u8), Machine)> = Vec::new();
    loop {
        let line = lines.next()?;
        let words: Vec<&str> = line.split(' ').collect();
        let misplaced = || lines.wrong(format!("`{line}`: this cannot stand here"));
        let Some(machine) = &mut now else {
            // A branch has ended: the other answer to the newest question comes, if one is left.
            match (&words[..], open.pop()) {
                (["done"], None) => return Ok(()),
                (["null", byte], Some((asked, mut other))) if unknown(byte) == Some(asked) => {
                    other.ask(dialect, asked, true);
                    now = Some(other);
                }
                _ => return Err(misplaced()),
            }
            continue;
        };
        let is_over = machine.ended.is_some() || machine.steps >= part.limit;
        let rule = match words[..] {
            ["fork", byte] if !is_over && open.len() < MOST_OPEN => {
                let asked = unknown(byte).ok_or_else(misplaced)?;
                open.push((asked, machine.clone()));
                machine.ask(dialect, asked, false);
                continue;
            }
            ["holds" | "ends" | "depends", _, ..] if is_over != (words[0] == "depends") => {
                if words[0] == "holds" {
                    if !has_copied(machine, part) {
                        return Err(lines.wrong("the program has not copied itself so".into()));
                    }
                    part.holds.push(std::mem::take(&mut machine.asked));
                }
                part.branches += 1;
                let ended = machine.ended.unwrap_or("step_limit").to_owned();
                let ended = if is_over { ended } else { words[2..].join(" ") };
                let rule = format!("{} {} {ended}", words[0], machine.steps);
                now = None;
                rule
            }
            _ if !is_over => {
                part.steps += 1;
                machine.step(dialect).map_err(|why| lines.wrong(why))?
            }
            _ => return Err(misplaced()),
        };
        if rule != line {
            return Err(lines.wrong(format!("`{line}`: by the rules it is `{rule}`")));
        }
    }
}

/// Whether the program is still on the left, and on the right as claimed.
fn has_copied(machine: &Machine, part: &Part) -> bool {
    let is = |at: usize, value: u8| machine.all(at, |byte| byte) == Ok(value);
    part.claim.is_some_and(|(mirrored, offset)| {
        (0..64).all(|place| {
            let from = if mirrored { 127 - place } else { place } + usize::from(offset);
            is(place, part.program[place]) && is(64 + place, part.program[from % 64])
        })
    })
}
