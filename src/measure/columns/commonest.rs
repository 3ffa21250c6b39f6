//! The commonest bytes of a soup, and their shares.

use crate::measure::column::{Column, Source, Value};

/// How many of the commonest bytes tables list.
const COMMONEST: usize = 8;

const fn byte(name: &'static str, rank: usize) -> Column {
    let source = Source::Commonest(rank - 1, |byte, _| Value::Count(byte as u64));
    Column::count(name, source)
}

const fn share(name: &'static str, rank: usize) -> Column {
    let source = Source::Commonest(rank - 1, |_, share| Value::Number(share));
    Column::number(name, source).digits(6)
}

pub(super) static COLUMNS: [Column; 2 * COMMONEST] = [
    byte("byte_1", 1),
    share("share_1", 1),
    byte("byte_2", 2),
    share("share_2", 2),
    byte("byte_3", 3),
    share("share_3", 3),
    byte("byte_4", 4),
    share("share_4", 4),
    byte("byte_5", 5),
    share("share_5", 5),
    byte("byte_6", 6),
    share("share_6", 6),
    byte("byte_7", 7),
    share("share_7", 7),
    byte("byte_8", 8),
    share("share_8", 8),
];
