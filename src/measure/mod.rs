//! Measures of a soup: what its bytes look like from outside. A file for each measure; this one
//! lists their columns.

mod brotli;
pub mod census;
pub mod column;
mod commonest;
pub mod copying;
mod entropy;
pub mod replicators;
pub mod row;
mod selfreps;
mod tokens;
mod work;

use column::{Column, Source};
pub use commonest::COMMONEST;
pub use entropy::{ALIVE, COMPLEXITY, Measures};

static EPOCH: [Column; 1] = [Column::count("epoch", Source::Epoch)];

/// The columns of a run's tables, in their order. Everything that writes, reads, joins or draws
/// them asks here.
static COLUMNS: [&[Column]; 6] = [
    &EPOCH,
    &entropy::COLUMNS,
    &work::COLUMNS,
    &commonest::COLUMNS,
    &selfreps::COLUMNS,
    &tokens::COLUMNS,
];

/// Every column that a run's tables may have, in their order.
pub fn columns() -> impl Iterator<Item = &'static Column> + Clone {
    COLUMNS.iter().copied().flatten()
}

/// The column of this name.
pub fn column(name: &str) -> Option<&'static Column> {
    columns().find(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let mut names = HashSet::new();
        for column in columns() {
            let is_fine =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(column.name.bytes().all(is_fine), "{}", column.name);
            assert!(names.insert(column.name), "{} twice", column.name);
        }
    }
}
