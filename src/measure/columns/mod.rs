//! The columns of a run's tables: a file for each measure, and the only list of them. All code that
//! writes, reads, joins or draws columns uses this list.

mod commonest;
mod entropy;
mod replicators;
mod tokens;
mod work;

use super::column::{Column, Source};
pub use entropy::COMPLEXITY;

static EPOCH: [Column; 1] = [Column::count("epoch", Source::Epoch)];

/// In the order of metrics.csv. Older runs can only be resumed if their columns stay in it as
/// they are; new ones go to the end.
static COLUMNS: &[&[Column]] = &[
    &EPOCH,
    &entropy::COLUMNS,
    &work::COLUMNS,
    &commonest::COLUMNS,
    &replicators::COLUMNS,
    &tokens::COLUMNS,
];

/// Every column that a run's tables may have, in order.
pub fn all() -> impl Iterator<Item = &'static Column> + Clone {
    COLUMNS.iter().copied().flatten()
}

/// The column of this name.
pub fn named(name: &str) -> Option<&'static Column> {
    all().find(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let mut names = HashSet::new();
        for column in all() {
            let is_fine =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(column.name.bytes().all(is_fine), "{}", column.name);
            assert!(names.insert(column.name), "{} twice", column.name);
        }
    }
}
