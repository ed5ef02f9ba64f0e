//! Deletes what is too old or too much, in slices that are small enough to stand between two commits.
//!
//! Of every topic the value stays that held at the border, and so the newest one: without it nobody could say what the
//! light was at the beginning of what is left. Borders are whole minutes for values and whole hours for roll-ups, so that
//! what a roll-up is made from is there as a whole or not at all.

use super::{Span, Store, StoreError};
use crate::recorder::{Keep, arrival::Millis, limits};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::{collections::VecDeque, time::Duration};

/// What is still to be deleted.
#[derive(Debug)]
pub(in crate::recorder) struct Retention {
    keep: Keep,
    jobs: VecDeque<Job>,
    /// The size was too large, and is brought down some way below its bound.
    is_shrinking: bool,
    /// Nothing is left to delete, and the file is still too large.
    pub(in crate::recorder) is_stuck: bool,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    table: Table,
    before: Millis,
    /// Topics up to this one are done.
    done: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Value,
    RollUp(Span),
}

impl Retention {
    pub(in crate::recorder) fn new(keep: Keep) -> Self {
        Self { keep, jobs: VecDeque::new(), is_shrinking: false, is_stuck: false }
    }

    /// Looks what is too old by this clock, which is believed.
    pub(in crate::recorder) fn by_age(&mut self, store: &mut Store, wall: Millis) -> Result<(), StoreError> {
        let border = |keep: Option<Duration>| {
            keep.map(|keep| wall.saturating_sub(Millis::try_from(keep.as_millis()).unwrap_or(Millis::MAX)))
        };
        let Keep { values, minutes, hours, .. } = self.keep;
        for (table, keep) in [
            (Table::Value, values),
            (Table::RollUp(Span::Minute), minutes),
            (Table::RollUp(Span::Hour), hours),
        ] {
            if let Some(before) = border(keep) {
                self.delete(store, table, before)?;
            }
        }
        Ok(())
    }

    /// Does a slice of what is to be done, and says whether there is more.
    pub(in crate::recorder) fn slice(&mut self, store: &mut Store) -> Result<bool, StoreError> {
        if let Some(job) = self.jobs.pop_front() {
            let rest = store.delete(job).map_err(|error| store.place.error(&error))?;
            self.jobs.extend(rest);
            return Ok(true);
        }
        if self.by_size(store)? {
            return Ok(true);
        }
        store.give_back().map_err(|error| store.place.error(&error))
    }

    /// Whether the file is too large and something can be done about that.
    fn by_size(&mut self, store: &mut Store) -> Result<bool, StoreError> {
        let Some(most) = self.keep.size else { return Ok(false) };
        let used = store.used().map_err(|error| store.place.error(&error))?;
        // A tenth below the bound, so that it is not touched again at once.
        let goal = if self.is_shrinking { most - most / 10 } else { most };
        if used <= goal {
            (self.is_shrinking, self.is_stuck) = (false, false);
            return Ok(false);
        }
        self.is_shrinking = true;
        for table in [Table::Value, Table::RollUp(Span::Minute), Table::RollUp(Span::Hour)] {
            let found = store.extent(table).map_err(|error| store.place.error(&error))?;
            let Some((oldest, newest)) = found else { continue };
            // A clock that was wrong once may have left a value in another century: it must not stretch the slice.
            let slice = ((newest - oldest) / 20).clamp(table.unit().millis(), table.slice_max());
            let before = oldest + slice;
            // What was set in the unit that is going on stays.
            if before <= table.unit().start(newest) && self.delete(store, table, before)? {
                return Ok(true);
            }
        }
        (self.is_shrinking, self.is_stuck) = (false, true);
        Ok(false)
    }

    /// Takes it on to delete what is older than this. Says whether anything is.
    fn delete(&mut self, store: &mut Store, table: Table, before: Millis) -> Result<bool, StoreError> {
        let before = table.unit().start(before);
        // Values are not deleted later than what is made from them.
        let before = match table {
            Table::Value => before,
            Table::RollUp(Span::Minute) => before.min(Span::Hour.start(store.state.value_from)),
            Table::RollUp(Span::Hour) => before.min(store.state.minute_from),
        };
        if before <= table.from(store) {
            return Ok(false);
        }
        let mut state = store.state;
        *match table {
            Table::Value => &mut state.value_from,
            Table::RollUp(Span::Minute) => &mut state.minute_from,
            Table::RollUp(Span::Hour) => &mut state.hour_from,
        } = before;
        state.write(&store.db).map_err(|error| store.place.error(&error))?;
        store.state = state;
        self.jobs.push_back(Job { table, before, done: 0 });
        Ok(true)
    }
}

impl Table {
    const fn unit(self) -> Span {
        match self {
            Self::Value => Span::Minute,
            Self::RollUp(_) => Span::Hour,
        }
    }

    /// The most that is deleted at once to make the file smaller.
    const fn slice_max(self) -> Millis {
        let day = 24 * Span::Hour.millis();
        match self {
            Self::Value => day,
            Self::RollUp(_) => 30 * day,
        }
    }

    fn from(self, store: &Store) -> Millis {
        match self {
            Self::Value => store.state.value_from,
            Self::RollUp(Span::Minute) => store.state.minute_from,
            Self::RollUp(Span::Hour) => store.state.hour_from,
        }
    }

    /// Its name, and that of its time.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Value => ("value", "set_at"),
            Self::RollUp(span) => (span.table(), "start"),
        }
    }
}

impl Store {
    /// Remembers how long the clock is still doubted.
    pub(in crate::recorder) fn pause(&mut self, left: Millis) -> Result<(), StoreError> {
        let state = super::State { pause_left_ms: left, ..self.state };
        if state != self.state {
            state.write(&self.db).map_err(|error| self.place.error(&error))?;
            self.state = state;
        }
        Ok(())
    }

    /// One slice of a job; what is left of it.
    fn delete(&mut self, mut job: Job) -> rusqlite::Result<Option<Job>> {
        let (table, time) = job.table.names();
        let transaction = self.db.unchecked_transaction()?;
        let mut deleted = 0;
        for _ in 0..limits::RETENTION_ROWS {
            let next = "SELECT id FROM topic WHERE id > ?1 ORDER BY id LIMIT 1";
            let next =
                transaction.prepare_cached(next)?.query_row([job.done], |row| row.get(0)).optional()?;
            let Some(topic): Option<i64> = next else { break };
            let rows = delete_of_topic(&transaction, (table, time), topic, job.before)?;
            deleted += rows;
            if rows == u64::from(limits::RETENTION_ROWS) {
                break;
            }
            job.done = topic;
            if deleted >= u64::from(limits::RETENTION_ROWS) {
                break;
            }
        }
        let mut state = self.state;
        if job.table == Table::Value {
            state.value_count -= i64::try_from(deleted).unwrap_or(0);
            state.write(&transaction)?;
        }
        let last =
            transaction.query_row("SELECT ifnull(max(id), 0) FROM topic", [], |row| row.get::<_, i64>(0))?;
        transaction.commit()?;
        self.state = state;
        Ok((job.done < last).then_some(job))
    }

    /// Gives free pages back to the system, a slice of them; says whether there are more. Some stay for what comes next.
    fn give_back(&self) -> rusqlite::Result<bool> {
        let (pages, free, _) = self.pages()?;
        let spare = pages / 20 + u64::from(limits::VACUUM_PAGES);
        if free <= spare {
            return Ok(false);
        }
        let mut vacuum = self.db.prepare(&format!("PRAGMA incremental_vacuum({})", limits::VACUUM_PAGES))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(free - u64::from(limits::VACUUM_PAGES) > spare)
    }

    /// Bytes of the file that hold something.
    pub(in crate::recorder) fn used(&self) -> rusqlite::Result<u64> {
        let (pages, free, size) = self.pages()?;
        Ok(pages.saturating_sub(free) * size)
    }

    fn pages(&self) -> rusqlite::Result<(u64, u64, u64)> {
        let number =
            |name| self.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
        Ok((number("page_count")?, number("freelist_count")?, number("page_size")?))
    }

    /// The oldest and the newest time in a table, but for what stays as the value that held at the border.
    fn extent(&self, table: Table) -> rusqlite::Result<Option<(Millis, Millis)>> {
        let from = table.from(self);
        let (table, time) = table.names();
        let sql = format!(
            "SELECT min((SELECT min({time}) FROM {table} WHERE topic = topic.id AND {time} >= ?1)), \
             max((SELECT max({time}) FROM {table} WHERE topic = topic.id)) FROM topic"
        );
        let (oldest, newest): (Option<Millis>, Option<Millis>) =
            self.db.query_row(&sql, [from], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(oldest.zip(newest))
    }
}

/// Deletes what is older than the row that held at the border.
fn delete_of_topic(
    db: &Connection,
    (table, time): (&str, &str),
    topic: i64,
    before: Millis,
) -> rusqlite::Result<u64> {
    let sql = format!("SELECT max({time}) FROM {table} WHERE topic = ?1 AND {time} < ?2");
    let held: Option<Millis> =
        db.prepare_cached(&sql)?.query_row(params![topic, before], |row| row.get(0))?;
    let Some(held) = held else { return Ok(0) };
    let key = if table == "value" { "set_at, seq" } else { "start" };
    let sql = format!(
        "DELETE FROM {table} WHERE topic = ?1 AND ({key}) IN \
         (SELECT {key} FROM {table} WHERE topic = ?1 AND {time} < ?2 ORDER BY {key} LIMIT ?3)"
    );
    let rows = db.prepare_cached(&sql)?.execute(params![topic, held, limits::RETENTION_ROWS])?;
    Ok(rows as u64)
}
