//! The values in a sweep's file: seeds as numbers, ranges and lists, and grids of settings.

use std::collections::HashSet;

use toml::{Table, Value};

use super::{MOST_RUNS, usage};
use crate::Error;
use crate::format::parse_number;

/// A seed, a range `"1-60"`, several of both `"1-10, 29"`, or a list of all these.
pub(super) fn parse_seeds(value: &Value) -> Result<Vec<u64>, Error> {
    let mut seeds = Vec::new();
    add_seeds(value, &mut seeds)?;
    let mut seen = HashSet::new();
    match seeds.iter().find(|seed| !seen.insert(**seed)) {
        Some(seed) => Err(usage(format!(
            "seeds: {seed} is there twice; leave one out"
        ))),
        None if seeds.is_empty() => Err(usage("seeds: the list is empty")),
        None => Ok(seeds),
    }
}

fn add_seeds(value: &Value, seeds: &mut Vec<u64>) -> Result<(), Error> {
    let wrong = |shown: &str| {
        usage(format!(
            "seeds: `{shown}` is neither a number below 2^64 nor a range; write 7, \"1-60\", \"1-1k\" or \
             a list of such"
        ))
    };
    match value {
        Value::Integer(seed) => {
            seeds.push(u64::try_from(*seed).map_err(|_| wrong(&seed.to_string()))?);
        }
        Value::Array(values) => {
            for value in values {
                add_seeds(value, seeds)?;
            }
        }
        Value::String(text) => {
            for part in text.split(',').map(str::trim) {
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                let number = |text: &str| parse_number(text).map_err(|_| wrong(part));
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(usage(format!(
                        "seeds: the range {part} runs backwards; write {last}-{first}"
                    )));
                }
                if last - first >= MOST_RUNS as u64 {
                    return Err(usage(format!(
                        "seeds: the range {part} has more than {MOST_RUNS} runs"
                    )));
                }
                seeds.extend(first..=last);
                if seeds.len() > MOST_RUNS {
                    return Err(usage(format!("seeds: more than {MOST_RUNS} of them")));
                }
            }
        }
        other => return Err(wrong(&other.to_string())),
    }
    Ok(())
}

/// Every combination of the values, the last key's value changing first.
pub(super) fn combinations(vary: &Table) -> Result<Vec<Table>, Error> {
    let mut all = vec![Table::new()];
    for (key, values) in vary {
        let values = values.as_array().filter(|values| !values.is_empty());
        let values = values.ok_or_else(|| {
            usage(format!(
                "vary: give {key} a list of values, as in [0, \"1/4096\"]"
            ))
        })?;
        if all.len().saturating_mul(values.len()) > MOST_RUNS {
            return Err(usage(format!("vary: more than {MOST_RUNS} combinations")));
        }
        let longer = all.iter().flat_map(|table| {
            values.iter().map(|value| {
                let mut table = table.clone();
                table.insert(key.clone(), value.clone());
                table
            })
        });
        all = longer.collect();
    }
    Ok(all)
}
