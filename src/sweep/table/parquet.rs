//! Tables as Parquet.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::types::Type;

use super::{Cell, Kind, Table};
use crate::Error;
use crate::files;

impl Table {
    /// Write it as Parquet, one row group, uncompressed.
    pub(crate) fn write_parquet(&self, path: &Path) -> Result<(), Error> {
        let fields = self.columns.iter().map(|(name, kind)| {
            let (physical, logical) = match kind {
                Kind::Count => (PhysicalType::INT64, Some(LogicalType::integer(64, false))),
                Kind::Number => (PhysicalType::DOUBLE, None),
                Kind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            };
            Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        });
        let schema = fields.collect::<Result<Vec<_>, _>>().and_then(|fields| {
            Type::group_type_builder("sweep")
                .with_fields(fields)
                .build()
        });
        let bug = |error: ParquetError| Error::Bug(format!("Parquet cannot be written: {error}"));
        let schema = Arc::new(schema.map_err(bug)?);
        let mut bytes = Vec::new();
        let write = || -> Result<(), ParquetError> {
            let properties = Arc::new(WriterProperties::builder().build());
            let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties)?;
            let mut group = writer.next_row_group()?;
            for (place, (_, kind)) in self.columns.iter().enumerate() {
                let cells = || self.rows.iter().map(|row| &row[place]);
                write_column(&mut group, *kind, cells)?;
            }
            group.close()?;
            writer.close().map(|_| ())
        };
        write().map_err(bug)?;
        files::write_whole(path, |file| file.write_all(&bytes))
    }
}

/// Write a column: the values that there are, and where there are some.
fn write_column<'a, I: Iterator<Item = &'a Cell>>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    kind: Kind,
    cells: impl Fn() -> I,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("there are fewer columns".into()));
    };
    let is_there: Vec<i16> = cells()
        .map(|cell| i16::from(*cell != Cell::Empty))
        .collect();
    let there = || cells().filter(|cell| **cell != Cell::Empty);
    match kind {
        Kind::Count => {
            let values: Vec<i64> = there()
                .map(|cell| match cell {
                    Cell::Count(count) => count.cast_signed(),
                    _ => 0,
                })
                .collect();
            column
                .typed::<Int64Type>()
                .write_batch(&values, Some(&is_there), None)?;
        }
        Kind::Number => {
            let values: Vec<f64> = there().filter_map(Cell::number).collect();
            column
                .typed::<DoubleType>()
                .write_batch(&values, Some(&is_there), None)?;
        }
        Kind::Text => {
            let values: Vec<ByteArray> = there()
                .map(|cell| ByteArray::from(cell.to_string().into_bytes()))
                .collect();
            column
                .typed::<ByteArrayType>()
                .write_batch(&values, Some(&is_there), None)?;
        }
    }
    column.close()
}
