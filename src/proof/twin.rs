//! What is proved, tried: by the reference engine beside drawn partners; and partners looked for
//! that a statement does not hold beside.

use super::tree::{Branch, End, Followed};
use super::verdict::{Copies, Verdict};
use crate::Error;
use crate::engine::{Engine, Options, reference};
use crate::language::{Ended, Outcome, PROGRAM_LEN, Program, TAPE_LEN, Tape};
use crate::random::mix;

/// The partner of this number, drawn from `seed`.
pub fn draw(seed: u64, number: u64) -> Program {
    let stream = mix(mix(seed) ^ number);
    std::array::from_fn(|place| mix(stream ^ mix(place as u64)) as u8)
}

fn joined(left: &Program, right: &Program) -> Tape {
    let mut tape = [0; TAPE_LEN];
    tape[..PROGRAM_LEN].copy_from_slice(left);
    tape[PROGRAM_LEN..].copy_from_slice(right);
    tape
}

impl Followed {
    /// Run the program by the reference engine beside so many drawn partners, and beside one
    /// for each branch besides: each run must go as the branch of its partner says, to the last
    /// byte, step and op. Answers with the number of runs.
    pub fn check(&self, partners: u32, seed: u64) -> Result<u64, Error> {
        let mut checked = 0;
        for number in 0..u64::from(partners) {
            self.check_beside(&draw(seed, number))?;
            checked += 1;
        }
        for (branch, number) in self.branches.iter().zip(u64::from(partners)..) {
            self.check_beside(&branch.partner.nearest(&draw(seed, number)))?;
            checked += 1;
        }
        Ok(checked)
    }

    fn check_beside(&self, partner: &Program) -> Result<(), Error> {
        let branch = self.branch_of(partner);
        let is_its_own = branch.is_some_and(|branch| branch.partner.matches(partner));
        if let Some(branch) = branch
            && is_its_own
            && self.goes_as(branch, partner)
        {
            return Ok(());
        }
        Err(Error::Bug(format!(
            "beside the partner {} a run of {} in {} goes another way than was proved",
            crate::format::hex(partner),
            crate::format::hex(&self.program),
            self.language,
        )))
    }

    /// Whether the reference engine does beside `partner` what `branch` says.
    fn goes_as(&self, branch: &Branch, partner: &Program) -> bool {
        let mut tape = joined(&self.program, partner);
        let (max_steps, ended) = match branch.end {
            End::Ended(ended) => (self.max_steps, ended),
            End::Depends(dependence) => (dependence.step, Ended::StepLimit),
        };
        let outcome = reference::run(self.language, &mut tape, max_steps);
        let expected = branch.tape.map(|byte| byte.beside(partner));
        (outcome.steps, outcome.ops, outcome.ended) == (branch.steps, branch.ops, ended)
            && tape == expected
    }

    /// Try the program beside `partners` drawn ones, by the fast engine.
    ///
    /// How it should copy itself, `verdict` says; if it does not, it is as it does beside most of
    /// those. One that it does not copy itself beside is looked for near one beside which it does:
    /// of each kind beside which nothing is copied, and by each value of the byte that a run
    /// depends on; then among all. The reference engine has the last word.
    pub fn try_partners(&self, verdict: &Verdict, partners: u32, seed: u64) -> Tried {
        let runner = Engine::Interpreter.runner(self.language, &Options::default());
        let run = |partners: &[Program]| {
            let mut tapes: Vec<Tape> = Vec::new();
            tapes.extend(partners.iter().map(|it| joined(&self.program, it)));
            let mut outcomes = vec![Outcome::default(); tapes.len()];
            runner.run_all(&mut tapes, self.max_steps, &mut outcomes);
            tapes
        };
        let drawn: Vec<Program> = (0..u64::from(partners)).map(|it| draw(seed, it)).collect();
        let tapes = run(&drawn);
        let (copies, fails, depends) = match verdict {
            Verdict::Every(copies) => (Some(*copies), &[][..], None),
            Verdict::When {
                copies,
                fails,
                depends,
                ..
            } => (Some(*copies), &fails[..], *depends),
            Verdict::Depends(depends) => (None, &[][..], Some(*depends)),
            Verdict::Partly => (None, &[][..], None),
        };
        let copies = copies.or_else(|| commonest(&self.program, &tapes));
        let mut tried = Tried {
            copies,
            partners: u64::from(partners),
            copied: 0,
            counterexample: None,
            value: None,
        };
        let Some(copies) = copies else {
            tried.counterexample = drawn.first().copied();
            return tried;
        };
        let fits = |tape: &Tape| copies.fits(&self.program, tape);
        let breaking = |partners: &[Program], tapes: &[Tape]| {
            let mut all = partners.iter().zip(tapes);
            let found = all.find(|(it, tape)| !fits(tape) && self.breaks(copies, it));
            found.map(|(partner, _)| *partner)
        };
        tried.copied = tapes.iter().filter(|tape| fits(tape)).count() as u64;
        let good = drawn.iter().zip(&tapes).find(|(_, tape)| fits(tape));
        if let Some((good, _)) = good {
            let mut near: Vec<Program> = fails.iter().map(|kind| kind.nearest(good)).collect();
            if let Some(depends) = depends {
                near.extend((0..=u8::MAX).map(|value| {
                    let mut partner = *good;
                    partner[usize::from(depends.place)] = value;
                    partner
                }));
            }
            tried.counterexample = breaking(&near, &run(&near));
            tried.value = tried.counterexample.and_then(|partner| {
                let mut differ = (0..)
                    .zip(partner.iter().zip(good))
                    .filter(|(_, (a, b))| a != b);
                let (place, _) = differ.next()?;
                differ.next().is_none().then_some(place)
            });
        }
        tried.counterexample = tried.counterexample.or_else(|| breaking(&drawn, &tapes));
        tried
    }

    /// Whether the reference engine says that the program does not copy itself so beside
    /// `partner`.
    pub fn breaks(&self, copies: Copies, partner: &Program) -> bool {
        let mut tape = joined(&self.program, partner);
        let _ = reference::run(self.language, &mut tape, self.max_steps);
        !copies.fits(&self.program, &tape)
    }
}

/// How the program copied itself on most of the tapes.
fn commonest(program: &Program, tapes: &[Tape]) -> Option<Copies> {
    let mut counts: Vec<(Copies, usize)> = Vec::new();
    for tape in tapes {
        if tape[..PROGRAM_LEN] != *program {
            continue;
        }
        if let Some(seen) = counts.iter_mut().find(|(it, _)| it.fits(program, tape)) {
            seen.1 += 1;
        } else if let Some(copies) = Copies::every().find(|it| it.fits(program, tape)) {
            counts.push((copies, 1));
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(copies, _)| copies)
}

/// What became of a program beside drawn partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tried {
    /// How it copied itself beside most of them; nothing if it did so beside none.
    pub copies: Option<Copies>,
    /// How many they were.
    pub partners: u64,
    /// Beside how many of them it copied itself so.
    pub copied: u64,
    /// A partner beside which it does not copy itself so.
    pub counterexample: Option<Program>,
    /// The one byte in which that differs from a partner beside which it does, if that is so.
    pub value: Option<u8>,
}
