//! Loops for people to read: what an iteration comes to, and which form runs it.

use std::fmt::Write as _;

use super::effect::Effect;
use super::{Form, Loop};
use crate::language::TAPE_LEN;

impl Loop<'_> {
    /// The form, and whether it `is_used`; what an iteration comes to, how much it takes, and what
    /// of it is dropped.
    pub(crate) fn describe(&self, is_used: bool) -> String {
        let [move0, move1] = [self.move0, self.move1].map(nearest);
        let body = match &self.form {
            Form::Scan => format!("to a null by h0, stride {move0:+}"),
            Form::Count => format!("{:+}", self.writes[0].add as i8),
            Form::Copy(_) | Form::ClumsyCopy(..) | Form::Nest(_) => {
                format!("{}, strides {move0:+} {move1:+}", self.assignments())
            }
            Form::Plain => match self.writes().len() {
                1 => format!("1 write, strides {move0:+} {move1:+}"),
                count => format!(
                    "{count} writes, one after the other, strides {move0:+} {move1:+}{}",
                    match self.assignments() {
                        text if text.is_empty() => text,
                        text => format!(", which come to {text}"),
                    }
                ),
            },
        };
        let (steps, ops) = (self.steps(), self.ops);
        let mut form = self.form_name().to_owned();
        if self.has_closed_form() && !is_used {
            form.push_str(", not used");
        }
        let mut text = format!("{form}: {body}, {steps} steps, {ops} ops");
        if self.has_closed_form() {
            text.push_str(&self.dropped());
        }
        if let Form::Nest(nest) = &self.form {
            let (steps, ops) = nest.cost();
            let _ = write!(text, "; each null: {steps} steps, {ops} ops more");
        }
        text
    }

    /// What the writes come to, if that is known.
    fn assignments(&self) -> String {
        let effect = Effect::of(self.writes(), self.move0, self.move1);
        effect.map_or(String::new(), |effect| {
            let all = effect.assignments().iter().map(ToString::to_string);
            all.collect::<Vec<_>>().join(", ")
        })
    }

    /// What is left out of an iteration.
    fn dropped(&self) -> String {
        let copies = |write: &&super::Write| write.from != write.to;
        let copies = self.writes().iter().filter(copies).count();
        let counts = self.writes().len() - copies;
        let plural = |count: usize, what: &str, plural: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            count => Some(format!("{count} {plural}")),
        };
        if !matches!(self.form, Form::ClumsyCopy(..) | Form::Nest(_)) || copies == 0 {
            return String::new();
        }
        let dropped: Vec<String> = [
            plural(copies - 1, "redundant copy", "redundant copies"),
            plural(counts, "count", "counts"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if dropped.is_empty() {
            return String::new();
        }
        format!("; dropped: {}", dropped.join(", "))
    }
}

/// A move of a head, the shorter way around.
fn nearest(moved: usize) -> i32 {
    let half = TAPE_LEN as i32 / 2;
    (moved as i32 + half).rem_euclid(TAPE_LEN as i32) - half
}
