//! Every way that a run can go beside an unknown partner.

use std::collections::BinaryHeap;

use super::run::{Dependence, How, Next, State, dialect_of};
use super::value::{Byte, Partner};
use crate::Error;
use crate::language::bff::Dialect;
use crate::language::{Ended, Language, Program, TAPE_LEN};

/// Null tests of unknown bytes of which both answers are followed.
pub const MOST_FORKS: usize = 256;
/// The highest step limit that a program is followed to.
pub const MOST_STEPS: u32 = 1 << 20;

/// How a branch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// As the run does, beside each partner of the branch.
    Ended(Ended),
    /// Where the run depends on the partner: no more is known.
    Depends(Dependence),
}

/// One way that a run can go, and the partners beside which it goes that way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Branch {
    /// Those partners.
    pub partner: Partner,
    /// The tape in the end.
    pub tape: [Byte; TAPE_LEN],
    /// Steps done.
    pub steps: u32,
    /// How many of them were not no-ops.
    pub ops: u32,
    /// How it ends.
    pub end: End,
}

/// A place where branches part or end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    /// At a null test of this byte of the partner, with so much added: on to these nodes.
    Fork {
        place: u8,
        added: u8,
        null: usize,
        set: usize,
    },
    /// With the branch of this number.
    End(usize),
}

/// A run of a program on the left of an unknown partner: every way that it can go.
#[derive(Clone, Debug)]
pub struct Followed {
    pub(super) language: &'static Language,
    pub(super) dialect: &'static Dialect,
    /// The program.
    pub program: Program,
    /// Steps after which a run ends.
    pub max_steps: u32,
    /// The ways; of any partner there is one.
    pub branches: Vec<Branch>,
    /// The first of these is where all begin.
    pub(super) nodes: Vec<Node>,
}

/// A branch that is not yet followed to its end.
struct Pending {
    share: f64,
    node: usize,
    state: State,
}

impl PartialEq for Pending {
    fn eq(&self, other: &Pending) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Pending {}
impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Pending) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Pending {
    /// The one with the most partners is followed first, and of several the oldest.
    fn cmp(&self, other: &Pending) -> std::cmp::Ordering {
        let share = self.share.total_cmp(&other.share);
        share.then(other.node.cmp(&self.node))
    }
}

impl Followed {
    /// Follow a run of `program`, for at most `max_steps` steps.
    pub fn new(
        language: &'static Language,
        program: &Program,
        max_steps: u32,
    ) -> Result<Followed, Error> {
        let dialect = dialect_of(language)?;
        if max_steps > MOST_STEPS {
            return Err(Error::Setting(format!(
                "`max_steps` {max_steps}: choose {MOST_STEPS} or less"
            )));
        }
        let mut followed = Followed {
            language,
            dialect,
            program: *program,
            max_steps,
            branches: Vec::new(),
            nodes: vec![Node::End(0)],
        };
        let mut pending = BinaryHeap::from([Pending {
            share: 1.0,
            node: 0,
            state: State::new(dialect, program),
        }]);
        let mut forks = 0;
        while let Some(Pending {
            node, mut state, ..
        }) = pending.pop()
        {
            let (place, added, head) = match go(&mut state, dialect, max_steps) {
                Stopped::At(end) => {
                    followed.end(node, state, end);
                    continue;
                }
                Stopped::Fork { place, added } => (place, added, state.heads[0]),
            };
            if forks == MOST_FORKS {
                let end = End::Depends(state.depends(head, How::Tested));
                followed.end(node, state, end);
                continue;
            }
            forks += 1;
            let (null, set) = (followed.nodes.len(), followed.nodes.len() + 1);
            followed.nodes[node] = Node::Fork {
                place,
                added,
                null,
                set,
            };
            followed.nodes.extend([Node::End(0); 2]);
            for (node, null) in [(null, true), (set, false)] {
                let mut state = state.clone();
                decide(&mut state, dialect, (place, added), null);
                let share = state.partner.share();
                pending.push(Pending { share, node, state });
            }
        }
        Ok(followed)
    }

    fn end(&mut self, node: usize, state: State, end: End) {
        self.nodes[node] = Node::End(self.branches.len());
        self.branches.push(Branch {
            partner: state.partner,
            tape: state.tape,
            steps: state.steps,
            ops: state.ops,
            end,
        });
    }

    /// The language of the program.
    pub fn language(&self) -> &'static Language {
        self.language
    }

    /// The branch that the run beside `partner` takes.
    pub fn branch_of(&self, partner: &Program) -> Option<&Branch> {
        let mut node = 0;
        loop {
            match *self.nodes.get(node)? {
                Node::End(branch) => return self.branches.get(branch),
                Node::Fork {
                    place,
                    added,
                    null,
                    set,
                } => {
                    let byte = Byte::Partner { place, added }.beside(partner);
                    node = if self.dialect.is_null(byte) {
                        null
                    } else {
                        set
                    };
                }
            }
        }
    }
}

/// Let a null test of a byte of the partner, with so much added, come out as `null` says.
pub(super) fn decide(state: &mut State, dialect: &Dialect, (place, added): (u8, u8), null: bool) {
    state.partner.narrow(place, |value| {
        dialect.is_null(value.wrapping_add(added)) == null
    });
}

enum Stopped {
    At(End),
    Fork { place: u8, added: u8 },
}

/// Go on to the end of a run, or to the next fork.
fn go(state: &mut State, dialect: &Dialect, max_steps: u32) -> Stopped {
    while state.steps < max_steps {
        match state.step(dialect) {
            Next::Goes => {}
            Next::Ended(ended) => return Stopped::At(End::Ended(ended)),
            Next::Depends(dependence) => return Stopped::At(End::Depends(dependence)),
            Next::Forks { place, added } => return Stopped::Fork { place, added },
        }
    }
    Stopped::At(End::Ended(Ended::StepLimit))
}
