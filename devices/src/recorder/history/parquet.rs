//! A Parquet file: a column for each part of a value or step, in row groups of bounded size.

use super::output::Output;
use crate::recorder::{query::Answer, store::number};
use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use parquet::{
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use std::{fs::File, sync::Arc};

pub(super) struct Parquet {
    /// `None` once it is finished.
    writer: Option<SerializedFileWriter<File>>,
    has_steps: bool,
    topic: String,
    rows: Rows,
}

/// A row group on its way; only the columns of one of the two forms are filled.
#[derive(Default)]
struct Rows {
    topic: Vec<ByteArray>,
    at: Vec<i64>,
    payload: Sparse<ByteArray>,
    bytes: Sparse<ByteArray>,
    number: Sparse<f64>,
    time_from: Vec<ByteArray>,
    seq: Vec<i64>,
    numbers: [Vec<f64>; 4],
}

/// A column that need not have a value in each row.
struct Sparse<T> {
    values: Vec<T>,
    is_there: Vec<i16>,
}

/// Rows in a group: some megabytes.
const GROUP: usize = 50_000;

const VALUES: &str = "message values {
  REQUIRED BYTE_ARRAY topic (STRING);
  REQUIRED INT64 set_at (TIMESTAMP(MILLIS, true));
  OPTIONAL BYTE_ARRAY payload (STRING);
  OPTIONAL BYTE_ARRAY payload_bytes;
  OPTIONAL DOUBLE number;
  REQUIRED BYTE_ARRAY time_from (STRING);
  REQUIRED INT64 seq;
}";

const STEPS: &str = "message steps {
  REQUIRED BYTE_ARRAY topic (STRING);
  REQUIRED INT64 from (TIMESTAMP(MILLIS, true));
  REQUIRED INT64 count;
  REQUIRED DOUBLE min;
  REQUIRED DOUBLE max;
  REQUIRED DOUBLE mean;
  REQUIRED DOUBLE last;
}";

impl Parquet {
    pub(super) fn new(file: File, has_steps: bool) -> Result<Self> {
        let schema = parse_message_type(if has_steps { STEPS } else { VALUES }).context("our own schema")?;
        let created = concat!("luxwire version ", env!("CARGO_PKG_VERSION")).to_owned();
        let properties = WriterProperties::builder().set_created_by(created).build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer: Some(writer), has_steps, topic: String::new(), rows: Rows::default() })
    }

    fn write_group(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let Some(writer) = self.writer.as_mut().filter(|_| !rows.at.is_empty()) else { return Ok(()) };
        let mut group = writer.next_row_group()?;
        column::<ByteArrayType>(&mut group, &rows.topic, None)?;
        column::<Int64Type>(&mut group, &rows.at, None)?;
        if self.has_steps {
            column::<Int64Type>(&mut group, &rows.seq, None)?;
            for numbers in &rows.numbers {
                column::<DoubleType>(&mut group, numbers, None)?;
            }
        } else {
            column::<ByteArrayType>(&mut group, &rows.payload.values, Some(&rows.payload.is_there))?;
            column::<ByteArrayType>(&mut group, &rows.bytes.values, Some(&rows.bytes.is_there))?;
            column::<DoubleType>(&mut group, &rows.number.values, Some(&rows.number.is_there))?;
            column::<ByteArrayType>(&mut group, &rows.time_from, None)?;
            column::<Int64Type>(&mut group, &rows.seq, None)?;
        }
        group.close()?;
        Ok(())
    }
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    is_there: Option<&[i16]>,
) -> Result<()> {
    let mut column = group.next_column()?.context("the schema has no such column")?;
    column.typed::<T>().write_batch(values, is_there, None)?;
    Ok(column.close()?)
}

impl Output for Parquet {
    fn begin(&mut self, topic: &str, _first: &Answer) -> Result<()> {
        topic.clone_into(&mut self.topic);
        Ok(())
    }

    fn page(&mut self, page: &Answer) -> Result<()> {
        let millis = |rfc3339: &str| rfc3339.parse::<jiff::Timestamp>().map(|at| at.as_millisecond());
        for value in &page.values {
            let rows = &mut self.rows;
            rows.topic.push(self.topic.as_str().into());
            rows.at.push(millis(&value.set_at)?);
            let text = value.payload.as_deref();
            rows.payload.push(text.map(ByteArray::from));
            let bytes = value.payload_base64.as_deref().map(|text| BASE64.decode(text)).transpose()?;
            rows.bytes.push(bytes.map(ByteArray::from));
            rows.number.push(text.and_then(|text| number(text.as_bytes())));
            rows.time_from.push(value.time_from.as_str().into());
            rows.seq.push(value.seq);
        }
        for step in &page.steps {
            let rows = &mut self.rows;
            rows.topic.push(self.topic.as_str().into());
            rows.at.push(millis(&step.from)?);
            rows.seq.push(step.count);
            for (column, number) in rows.numbers.iter_mut().zip([step.min, step.max, step.mean, step.last]) {
                column.push(number);
            }
        }
        if self.rows.at.len() >= GROUP { self.write_group() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.write_group()?;
        if let Some(writer) = self.writer.take() {
            writer.close().context("--parquet")?;
        }
        Ok(())
    }
}

impl<T> Sparse<T> {
    fn push(&mut self, value: Option<T>) {
        self.is_there.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self { values: Vec::new(), is_there: Vec::new() }
    }
}
