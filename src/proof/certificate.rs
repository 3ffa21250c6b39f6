//! Certificates: a run beside an unknown partner, told step by step, to be checked by others.
//!
//! docs/proofs.md describes the format.

use std::io::{self, Write};

use super::run::{Next, State};
use super::tree::{Branch, End, Followed, Node, decide};
use super::value::Byte;
use super::verdict::{Copies, Verdict};
use crate::format::hex;
use crate::language::bff::Op;

/// The first line of a certificate.
pub(super) const TITLE: &str = "broth certificate 1";

/// Write a certificate of what `verdict` says of each run, one after the other.
pub fn write(
    out: &mut dyn Write,
    runs: &mut dyn Iterator<Item = (&Followed, &Verdict)>,
) -> io::Result<()> {
    writeln!(out, "{TITLE}")?;
    for (followed, verdict) in runs {
        let claim = match verdict {
            Verdict::Every(copies) | Verdict::When { copies, .. } => Some(*copies),
            _ => None,
        };
        followed.write(out, claim)?;
    }
    Ok(())
}

impl Followed {
    /// The part of a certificate about this run, with what it claims.
    fn write(&self, out: &mut dyn Write, claim: Option<Copies>) -> io::Result<()> {
        writeln!(out, "language {}", self.language)?;
        writeln!(out, "limit {}", self.max_steps)?;
        writeln!(out, "program {}", hex(&self.program))?;
        match claim {
            Some(copies) => {
                writeln!(out, "claim {} {}", copies.direction(), copies.offset())?;
            }
            None => writeln!(out, "claim nothing")?,
        }
        // The branches that are still to be told, the next one last.
        let mut left = vec![(0, State::new(self.dialect, &self.program), None)];
        while let Some((mut node, mut state, asked)) = left.pop() {
            if let Some((place, added)) = asked {
                writeln!(out, "null {}", named(Byte::Partner { place, added }))?;
                decide(&mut state, self.dialect, (place, added), true);
            }
            loop {
                self.write_steps(out, &mut state)?;
                match self.nodes[node] {
                    Node::Fork {
                        place,
                        added,
                        null,
                        set,
                    } => {
                        writeln!(out, "fork {}", named(Byte::Partner { place, added }))?;
                        left.push((null, state.clone(), Some((place, added))));
                        decide(&mut state, self.dialect, (place, added), false);
                        node = set;
                    }
                    Node::End(branch) => {
                        self.write_end(out, &self.branches[branch], claim)?;
                        break;
                    }
                }
            }
        }
        writeln!(out, "done")
    }

    /// Go on to the next fork or end, and tell each step.
    fn write_steps(&self, out: &mut dyn Write, state: &mut State) -> io::Result<()> {
        while state.steps < self.max_steps {
            let (number, pc, heads) = (state.steps, state.pc, state.heads);
            let Some(op) = state.op(self.dialect, pc) else {
                break;
            };
            let (code, read) = (
                state.tape[pc],
                reads(op, heads).map(|at| (at, state.tape[at])),
            );
            let next = state.step(self.dialect);
            if matches!(next, Next::Depends(_) | Next::Forks { .. }) {
                break;
            }
            write!(
                out,
                "{number} {pc} {} {} {}",
                named(code),
                heads[0],
                heads[1]
            )?;
            if let Some((at, byte)) = read {
                write!(out, " r {at} {}", named(byte))?;
            }
            if let Some(at) = writes(op, heads) {
                write!(out, " w {at} {}", named(state.tape[at]))?;
            }
            if next == Next::Goes && state.pc != pc + 1 {
                write!(out, " j {}", state.pc)?;
            }
            writeln!(out)?;
            if matches!(next, Next::Ended(_)) {
                break;
            }
        }
        Ok(())
    }

    fn write_end(
        &self,
        out: &mut dyn Write,
        branch: &Branch,
        claim: Option<Copies>,
    ) -> io::Result<()> {
        match branch.end {
            End::Ended(ended) => {
                let holds = claim.is_some_and(|copies| self.fits(branch, copies));
                let word = if holds { "holds" } else { "ends" };
                writeln!(out, "{word} {} {}", branch.steps, ended.name())
            }
            End::Depends(dependence) => {
                let byte = Byte::Partner {
                    place: dependence.place,
                    added: 0,
                };
                let how = dependence.how.name();
                writeln!(out, "depends {} {how} {}", branch.steps, named(byte))
            }
        }
    }
}

/// A byte as certificates have it: two hex digits, or `B63+0`.
fn named(byte: Byte) -> String {
    match byte {
        Byte::Known(value) => format!("{value:02x}"),
        Byte::Partner { place, added } => format!("B{place}+{added}"),
    }
}

/// The place that an op reads.
fn reads(op: Op, [head0, head1]: [usize; 2]) -> Option<usize> {
    match op {
        Op::Open | Op::Close | Op::Increment | Op::Decrement | Op::CopyTo1 => Some(head0),
        Op::CopyTo0 => Some(head1),
        _ => None,
    }
}

/// The place that an op writes.
fn writes(op: Op, [head0, head1]: [usize; 2]) -> Option<usize> {
    match op {
        Op::Increment | Op::Decrement | Op::CopyTo0 => Some(head0),
        Op::CopyTo1 => Some(head1),
        _ => None,
    }
}
