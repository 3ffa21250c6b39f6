//! Events as Parquet, row group by row group.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Encoding, LogicalType, Repetition, Type as PhysicalType};
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::types::{ColumnPath, Type};

use super::{COLUMNS, Cells, Event, Rows};
use crate::Error;
use crate::files::Unfinished;

/// The table while it is written.
pub(super) struct Parquet {
    writer: SerializedFileWriter<Unfinished>,
    path: PathBuf,
}

impl Parquet {
    pub(super) fn begin(file: Unfinished, path: PathBuf) -> Result<Parquet, Error> {
        let begin = || {
            // Numbers that count up, which dictionaries make no shorter.
            let pair = ColumnPath::from("pair");
            let properties = WriterProperties::builder()
                .set_column_dictionary_enabled(pair.clone(), false)
                .set_column_encoding(pair, Encoding::DELTA_BINARY_PACKED)
                .set_created_by(concat!("broth ", env!("CARGO_PKG_VERSION")).into())
                .build();
            SerializedFileWriter::new(file, schema()?, Arc::new(properties))
        };
        let writer = begin().map_err(|error| failed(&path, error))?;
        Ok(Parquet { writer, path })
    }
}

impl Rows for Parquet {
    fn push(&mut self, rows: &[Event]) -> Result<(), Error> {
        let mut write = || -> Result<(), ParquetError> {
            let mut group = self.writer.next_row_group()?;
            for column in &COLUMNS {
                write_column(&mut group, column.cells, rows)?;
            }
            group.close().map(|_| ())
        };
        write().map_err(|error| failed(&self.path, error))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let Parquet { writer, path } = *self;
        let file = writer.into_inner().map_err(|error| failed(&path, error))?;
        file.finish(&path)
    }
}

fn schema() -> Result<Arc<Type>, ParquetError> {
    let number = |bits| Some(LogicalType::integer(bits, false));
    let fields = COLUMNS.iter().map(|column| {
        let (physical, logical, repetition) = match column.cells {
            Cells::U64(_) => (PhysicalType::INT64, number(64), Repetition::REQUIRED),
            Cells::U32(_) => (PhysicalType::INT32, number(32), Repetition::REQUIRED),
            Cells::OptionalU32(_) => (PhysicalType::INT32, number(32), Repetition::OPTIONAL),
            Cells::Name(_) => (
                PhysicalType::BYTE_ARRAY,
                Some(LogicalType::String),
                Repetition::OPTIONAL,
            ),
        };
        Type::primitive_type_builder(column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("events").with_fields(fields);
    schema.build().map(Arc::new)
}

type Group<'a> = SerializedRowGroupWriter<'a, Unfinished>;

fn write_column(group: &mut Group<'_>, cells: Cells, rows: &[Event]) -> Result<(), ParquetError> {
    match cells {
        Cells::U64(get) => {
            let all: Vec<i64> = rows.iter().map(|row| get(row).cast_signed()).collect();
            write_values::<Int64Type>(group, &all, None)
        }
        Cells::U32(get) => {
            let all: Vec<i32> = rows.iter().map(|row| get(row).cast_signed()).collect();
            write_values::<Int32Type>(group, &all, None)
        }
        Cells::OptionalU32(get) => {
            let (is_there, all) = present(rows, |row| get(row).map(u32::cast_signed));
            write_values::<Int32Type>(group, &all, Some(&is_there))
        }
        Cells::Name(get) => {
            let (is_there, all) = present(rows, |row| get(row).map(ByteArray::from));
            write_values::<ByteArrayType>(group, &all, Some(&is_there))
        }
    }
}

/// Where there are cells, as Parquet wants to know it, and those that there are.
fn present<T>(rows: &[Event], get: impl Fn(&Event) -> Option<T>) -> (Vec<i16>, Vec<T>) {
    let mut all = Vec::with_capacity(rows.len());
    let is_there = rows.iter().map(|row| {
        let cell = get(row);
        let is_there = i16::from(cell.is_some());
        all.extend(cell);
        is_there
    });
    (is_there.collect(), all)
}

fn write_values<T: DataType>(
    group: &mut Group<'_>,
    values: &[T::T],
    is_there: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("there are fewer columns".into()));
    };
    column.typed::<T>().write_batch(values, is_there, None)?;
    column.close()
}

/// What went wrong: the file cannot be written, or else there is a bug.
fn failed(path: &Path, error: ParquetError) -> Error {
    let bug = |what: String| Error::Bug(format!("Parquet cannot be written: {what}"));
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => Error::cannot("write", path, *source),
            Err(other) => bug(other.to_string()),
        },
        other => bug(other.to_string()),
    }
}
