//! The forms in which a history is written.

use super::{csv::Csv, influx::Influx, json::Json, parquet::Parquet, plot::Plot, table::Table};
use crate::recorder::query::Answer;
use anyhow::{Context as _, Error, Result};
use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

/// One form. Each topic begins, has pages, and ends.
pub(super) trait Output {
    /// `first` is the first page, which comes again as a page.
    fn begin(&mut self, topic: &str, first: &Answer) -> Result<()>;
    fn page(&mut self, page: &Answer) -> Result<()>;
    fn end(&mut self) -> Result<()>;
    /// Nothing more comes: what was held back is written.
    fn finish(&mut self) -> Result<()>;
}

/// Which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Table,
    Csv,
    Json,
    Plot,
    Parquet(PathBuf),
    /// `None` is standard output.
    Influx(Option<PathBuf>),
}

/// Where text goes.
pub(super) type Text = BufWriter<Box<dyn Write>>;

impl Form {
    /// How many steps a plot has room for.
    pub(super) fn columns(&self) -> Option<u16> {
        (*self == Self::Plot).then(|| width().saturating_sub(super::plot::MARGIN).max(20))
    }

    pub(super) fn open(&self, has_steps: bool) -> Result<Box<dyn Output>> {
        Ok(match self {
            Self::Table => Box::new(Table::new(standard(), has_steps)),
            Self::Csv => Box::new(Csv::new(standard(), has_steps)),
            Self::Json => Box::new(Json::new(standard(), has_steps)),
            Self::Plot => Box::new(Plot::new(standard())),
            Self::Parquet(path) => Box::new(Parquet::new(create(path, "--parquet")?, has_steps)?),
            Self::Influx(Some(path)) => {
                let file: Box<dyn Write> = Box::new(create(path, "--influx")?);
                Box::new(Influx::new(BufWriter::new(file)))
            }
            Self::Influx(None) => Box::new(Influx::new(standard())),
        })
    }
}

/// Whether nobody reads on.
pub(super) fn is_broken_pipe(error: &Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn standard() -> Text {
    BufWriter::new(Box::new(io::stdout()))
}

fn create(path: &Path, flag: &str) -> Result<File> {
    File::create(path).with_context(|| format!("{flag}: {} cannot be written", path.display()))
}

fn width() -> u16 {
    let of_shell = || std::env::var("COLUMNS").ok()?.parse().ok();
    let of_terminal = || crossterm::terminal::size().ok().map(|(columns, _)| columns);
    let columns = if io::stdout().is_terminal() { of_terminal() } else { None };
    columns.or_else(of_shell).filter(|columns| *columns > 0).unwrap_or(80)
}
