//! The history in SQLite: values as they came, their roll-ups, and what is known of deliveries. One batch is one
//! transaction, roll-ups included, so that no crash leaves one without the other.
//!
//! It reads no clock and knows no thread: whoever owns it waits for the disk.

mod batch;
mod bucket;
mod deliveries;
mod file;
mod retention;
mod schema;
#[cfg(test)]
mod tests;

pub(super) use batch::from_row as bucket_from_row;
pub(super) use bucket::{Bucket, Span, number};
pub(super) use file::{Place, StoreError};
pub(super) use retention::Retention;

use super::{
    arrival::{Entry, Millis},
    limits,
};
use batch::{Batch, TopicState};
use deliveries::Deliveries;
use file::Identity;
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// The file of one recorder.
#[derive(Debug)]
pub(super) struct Store {
    place: Place,
    identity: Option<Identity>,
    db: Connection,
    state: State,
    topics: HashMap<Box<str>, TopicState>,
    topic_count: u64,
    buckets: HashMap<(Span, i64, Millis), Bucket>,
    deliveries: Deliveries,
}

/// The row of the table of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    next_seq: i64,
    pub(super) value_count: i64,
    value_from: Millis,
    minute_from: Millis,
    hour_from: Millis,
    pub(super) pause_left_ms: i64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) stored: u64,
    /// They were stored already.
    pub(super) repeated: u64,
    /// They were not stored, because there are too many topics.
    pub(super) beyond: u64,
}

impl Store {
    pub(super) fn open(place: Place) -> Result<Self, StoreError> {
        let db = place.open()?;
        let read = |db: &Connection| {
            let state = State::read(db)?;
            let topics: i64 = db.query_row("SELECT count(*) FROM topic", [], |row| row.get(0))?;
            Ok((state, topics.unsigned_abs(), Deliveries::read(db)?))
        };
        let (state, topic_count, deliveries) = read(&db).map_err(|error| place.error(&error))?;
        let identity = place.identity();
        let (topics, buckets) = (HashMap::new(), HashMap::new());
        Ok(Self { place, identity, db, state, topics, topic_count, buckets, deliveries })
    }

    /// Stores all of it or, with an error, nothing.
    pub(super) fn write(&mut self, entries: &[Entry]) -> Result<Written, StoreError> {
        if self.place.identity() != self.identity {
            return Err(StoreError::Gone);
        }
        let outcome = self.transact(entries);
        match &outcome {
            Ok(_) => self.deliveries.committed(),
            Err(_) => {
                self.deliveries.rolled_back();
                self.topics.clear();
                self.buckets.clear();
            }
        }
        outcome.map_err(|error| self.place.error(&error))
    }

    fn transact(&mut self, entries: &[Entry]) -> rusqlite::Result<Written> {
        let transaction = self.db.unchecked_transaction()?;
        let mut batch = Batch {
            db: &transaction,
            state: self.state,
            topics: &mut self.topics,
            topic_count: self.topic_count,
            buckets: &mut self.buckets,
            deliveries: &mut self.deliveries,
            changed_topics: Default::default(),
            changed_buckets: Default::default(),
            stale_buckets: Default::default(),
            written: Written::default(),
        };
        entries.iter().try_for_each(|entry| batch.enter(entry))?;
        let (state, topic_count, written) = batch.finish()?;
        transaction.commit()?;
        (self.state, self.topic_count) = (state, topic_count);
        Ok(written)
    }

    /// Begins another file, in place of one that was removed.
    pub(super) fn begin_again(&mut self) -> Result<(), StoreError> {
        *self = Self::open(self.place.clone())?;
        Ok(())
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// The time of the latest value by the order of arrival.
    pub(super) fn newest(&self) -> Result<Option<Millis>, StoreError> {
        let newest = self.db.query_row("SELECT max(last_set_at) FROM topic", [], |row| row.get(0));
        newest.map_err(|error| self.place.error(&error))
    }

    /// The time of the oldest value of all topics.
    pub(super) fn oldest(&self) -> Result<Option<Millis>, StoreError> {
        let oldest = self.db.query_row(OLDEST, [], |row| row.get(0));
        oldest.map_err(|error| self.place.error(&error))
    }
}

const OLDEST: &str = "SELECT min((SELECT min(set_at) FROM value WHERE topic = topic.id)) FROM topic";

impl State {
    fn read(db: &Connection) -> rusqlite::Result<Self> {
        db.query_row(
            "SELECT next_seq, value_count, value_from, minute_from, hour_from, pause_left_ms FROM state",
            [],
            |row| {
                Ok(Self {
                    next_seq: row.get(0)?,
                    value_count: row.get(1)?,
                    value_from: row.get(2)?,
                    minute_from: row.get(3)?,
                    hour_from: row.get(4)?,
                    pause_left_ms: row.get(5)?,
                })
            },
        )
    }

    fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE state SET next_seq = ?1, value_count = ?2, value_from = ?3, minute_from = ?4, \
                   hour_from = ?5, pause_left_ms = ?6";
        let Self { next_seq, value_count, value_from, minute_from, hour_from, pause_left_ms } = self;
        db.prepare_cached(sql)?
            .execute(params![next_seq, value_count, value_from, minute_from, hour_from, pause_left_ms])
            .map(drop)
    }
}

/// Keeps what is in memory bounded: what was not changed lately is read again when it is needed.
fn trim<K, V>(cache: &mut HashMap<K, V>, is_fresh: impl Fn(&K) -> bool) {
    if cache.len() > limits::CACHED {
        cache.retain(|key, _| is_fresh(key));
        if cache.len() > limits::CACHED {
            cache.clear();
        }
    }
}
