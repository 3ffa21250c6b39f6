//! What the ways that a run can go say of a program: how it copies itself, and beside whom.

use super::run::Dependence;
use super::tree::{Branch, End, Followed, Node};
use super::value::Partner;
use crate::language::{PROGRAM_LEN, Program, TAPE_LEN, Tape};

/// How a program copies itself: all of it is on the right in the end, and it is itself still on
/// the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// Whether the copy is the mirror image.
    pub mirrored: bool,
    /// Which byte of the program the first byte of the copy is; both are taken as rings.
    pub first: u8,
}

impl Copies {
    /// Every way to copy, those at no offset first.
    pub fn every() -> impl Iterator<Item = Copies> {
        let offsets = 0..PROGRAM_LEN as u8;
        offsets.flat_map(|offset| {
            [false, true].map(|mirrored| Copies {
                mirrored,
                first: (Copies::in_place(mirrored) + offset) % PROGRAM_LEN as u8,
            })
        })
    }

    const fn in_place(mirrored: bool) -> u8 {
        if mirrored { PROGRAM_LEN as u8 - 1 } else { 0 }
    }

    /// By how many bytes the copy is moved, as a ring.
    pub fn offset(self) -> u8 {
        let len = PROGRAM_LEN as u8;
        (self.first + len - Copies::in_place(self.mirrored)) % len
    }

    /// The byte of the program that is at `place` of the copy.
    pub fn source(self, place: usize) -> usize {
        let first = usize::from(self.first);
        if self.mirrored {
            (first + PROGRAM_LEN - place) % PROGRAM_LEN
        } else {
            (first + place) % PROGRAM_LEN
        }
    }

    /// Whether a run of `program` that ended with `tape` has copied it so.
    pub fn fits(self, program: &Program, tape: &Tape) -> bool {
        let (left, right) = tape.split_at(PROGRAM_LEN);
        left == program && (0..PROGRAM_LEN).all(|place| right[place] == program[self.source(place)])
    }

    /// The program that the copy of `program` is.
    pub fn copy_of(self, program: &Program) -> Program {
        std::array::from_fn(|place| program[self.source(place)])
    }

    /// `forwards` or `mirrored`.
    pub const fn direction(self) -> &'static str {
        if self.mirrored {
            "mirrored"
        } else {
            "forwards"
        }
    }
}

/// A branch: the partners that it is of.
pub type Condition = Partner;

/// What is proved of a program.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// It copies itself beside every partner there is.
    Every(Copies),
    /// It copies itself beside every partner of the kinds that are listed.
    When {
        /// How.
        copies: Copies,
        /// The share of all partners that are of one of these kinds.
        share: f64,
        /// Kinds of partners; none is of two of them.
        when: Vec<Condition>,
        /// Kinds of partners beside which a run ends without a whole copy of its own making.
        fails: Vec<Condition>,
        /// Where the others come to depend on the partner, if there are others.
        depends: Option<Dependence>,
    },
    /// Nothing is proved: where the run comes to depend on the partner first.
    Depends(Dependence),
    /// Every branch ends, and none with a whole copy of its own making: what is missing is right
    /// only where the partner happens to have it there already.
    Partly,
}

impl Followed {
    /// What the run of the program shows. If it copies itself in several ways at once, as its
    /// own mirror image does, `prefer` one of them.
    pub fn verdict(&self, prefer: Option<Copies>) -> Verdict {
        let mut best: Option<(f64, Copies)> = None;
        let all = prefer.into_iter().chain(Copies::every());
        for copies in all {
            let fitting = self.branches.iter().filter(|it| self.fits(it, copies));
            let share: f64 = fitting.map(|branch| branch.partner.share()).sum();
            if share > best.map_or(0.0, |(most, _)| most) {
                best = Some((share, copies));
            }
        }
        let depends = self.depends();
        let Some((share, copies)) = best else {
            return depends.map_or(Verdict::Partly, Verdict::Depends);
        };
        if self.branches.iter().all(|it| self.fits(it, copies)) {
            return Verdict::Every(copies);
        }
        let mut when = Vec::new();
        self.collect(0, &Partner::ANY, &|it| self.fits(it, copies), &mut when);
        let mut fails = Vec::new();
        let ends = |it: &Branch| matches!(it.end, End::Ended(_)) && !self.fits(it, copies);
        self.collect(0, &Partner::ANY, &ends, &mut fails);
        Verdict::When {
            copies,
            share,
            when,
            fails,
            depends,
        }
    }

    /// Where a branch comes to depend on the partner: the one with the most partners.
    fn depends(&self) -> Option<Dependence> {
        let depending = self.branches.iter().filter_map(|branch| match branch.end {
            End::Depends(dependence) => Some((branch.partner.share(), dependence)),
            End::Ended(_) => None,
        });
        let most = depending.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.step.cmp(&a.1.step)));
        most.map(|(_, dependence)| dependence)
    }

    /// The most bytes of a copy that are there beside every partner of every branch, and in which
    /// way; nothing if a branch depends on the partner.
    pub fn certain_bytes(&self) -> Option<(Copies, u8)> {
        if self.depends().is_some() {
            return None;
        }
        let bytes = |copies: Copies| {
            let of_branch = self.branches.iter().map(|branch| {
                let is_there = |place: &usize| {
                    let byte = branch.partner.value(branch.tape[PROGRAM_LEN + place]);
                    byte == Some(self.program[copies.source(*place)])
                };
                (0..PROGRAM_LEN).filter(is_there).count() as u8
            });
            of_branch.min().unwrap_or(0)
        };
        let all = Copies::every().map(|copies| (copies, bytes(copies)));
        all.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// Whether the program has copied itself so in the end of `branch`.
    pub(super) fn fits(&self, branch: &Branch, copies: Copies) -> bool {
        if matches!(branch.end, End::Depends(_)) {
            return false;
        }
        let mut tape = [0; TAPE_LEN];
        for (value, byte) in tape.iter_mut().zip(branch.tape) {
            match branch.partner.value(byte) {
                Some(known) => *value = known,
                None => return false,
            }
        }
        copies.fits(&self.program, &tape)
    }

    /// The partners of all branches that `is_meant`, in as few kinds as forks allow; tells
    /// whether those are all partners from `node` on.
    fn collect(
        &self,
        node: usize,
        partner: &Partner,
        is_meant: &dyn Fn(&Branch) -> bool,
        found: &mut Vec<Condition>,
    ) {
        let before = found.len();
        match self.nodes[node] {
            Node::End(branch) if is_meant(&self.branches[branch]) => found.push(partner.clone()),
            Node::End(_) => {}
            Node::Fork {
                place,
                added,
                null,
                set,
            } => {
                for (node, is_null) in [(set, false), (null, true)] {
                    let mut partner = partner.clone();
                    partner.narrow(place, |value| {
                        self.dialect.is_null(value.wrapping_add(added)) == is_null
                    });
                    self.collect(node, &partner, is_meant, found);
                }
                // Both answers, without a condition of their own: one kind.
                let both = found[before..].iter().map(Partner::share).sum::<f64>();
                if found.len() == before + 2 && both == partner.share() {
                    found.truncate(before);
                    found.push(partner.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff;
    use crate::language::{Language, MAX_STEPS};

    fn program(language: &Language, text: &str) -> Program {
        let mut program = [b' '; PROGRAM_LEN];
        let bytes = language.parse_program(text).unwrap();
        program[..bytes.len()].copy_from_slice(&bytes);
        program
    }

    #[test]
    fn ways_to_copy_are_told_apart() {
        let all: Vec<Copies> = Copies::every().collect();
        assert_eq!(all.len(), 2 * PROGRAM_LEN);
        assert_eq!(
            [all[0].offset(), all[1].offset(), all[2].offset()],
            [0, 0, 1]
        );
        let program: Program = std::array::from_fn(|place| place as u8);
        for copies in &all {
            let tape: Vec<u8> = [program, copies.copy_of(&program)].concat();
            let tape: Tape = tape.try_into().unwrap();
            let fitting: Vec<_> = all.iter().filter(|it| it.fits(&program, &tape)).collect();
            assert_eq!(fitting, [copies]);
            let mut altered = tape;
            altered[5] ^= 1;
            assert!(!copies.fits(&program, &altered));
        }
    }

    #[test]
    fn the_palindrome_of_the_paper_copies_itself_beside_every_partner() {
        let text = format!("[[{{.>]-]{:48}]-]>.{{[[", "");
        let program = program(&bff::BFF_NOHEADS, &text);
        let followed = Followed::new(&bff::BFF_NOHEADS, &program, MAX_STEPS).unwrap();
        let mirrored = Copies {
            mirrored: true,
            first: 63,
        };
        for prefer in [None, Some(mirrored)] {
            let Verdict::Every(copies) = followed.verdict(prefer) else {
                panic!("{:?}", followed.verdict(prefer));
            };
            assert_eq!((copies.mirrored, copies.offset()), (prefer.is_some(), 0));
        }
        assert_eq!(followed.branches.len(), 1);
    }

    #[test]
    fn with_too_few_steps_nothing_is_copied() {
        let text = format!("[[{{.>]-]{:48}]-]>.{{[[", "");
        let program = program(&bff::BFF_NOHEADS, &text);
        let followed = Followed::new(&bff::BFF_NOHEADS, &program, 100).unwrap();
        assert!(matches!(followed.verdict(None), Verdict::Partly));
        let (_, bytes) = followed.certain_bytes().unwrap();
        assert!((16..32).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_copy_that_asks_a_byte_first_copies_on_that_condition() {
        // Copies backwards after one step to the left, unless the partner's last byte is null.
        let text = "<[>{[.>{]]";
        let program = program(&bff::BFF_NOHEADS, text);
        let followed = Followed::new(&bff::BFF_NOHEADS, &program, MAX_STEPS).unwrap();
        let Verdict::When {
            copies,
            share,
            when,
            ..
        } = followed.verdict(None)
        else {
            panic!("{:?}", followed.verdict(None));
        };
        assert!(copies.mirrored);
        assert_eq!(when.len(), 1);
        let known: Vec<_> = when[0].known().collect();
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].0, known[0].1.count()), (63, 255));
        assert!(!known[0].1.contains(0));
        assert_eq!(share, 255.0 / 256.0);
    }

    #[test]
    fn a_program_that_does_nothing_depends_on_its_partner() {
        let program = program(&bff::BFF_NOHEADS, "");
        let followed = Followed::new(&bff::BFF_NOHEADS, &program, MAX_STEPS).unwrap();
        let Verdict::Depends(dependence) = followed.verdict(None) else {
            panic!("{:?}", followed.verdict(None));
        };
        assert_eq!((dependence.step, dependence.place), (64, 0));
        assert_eq!(followed.certain_bytes(), None);
    }
}
