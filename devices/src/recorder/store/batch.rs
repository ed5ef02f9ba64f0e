//! One transaction's values: each is recognised if it was stored before, stored otherwise, and rolled up.

use super::{
    Bucket, Span, State, Written,
    bucket::number,
    deliveries::{self, Deliveries},
    trim,
};
use crate::recorder::{
    arrival::{Arrival, Entry, Millis},
    limits,
};
use rusqlite::{
    Connection, OptionalExtension as _, Result, ToSql, params,
    types::{ToSqlOutput, ValueRef},
};
use std::collections::{BTreeSet, HashMap};

pub(super) struct Batch<'a> {
    pub(super) db: &'a Connection,
    pub(super) state: State,
    pub(super) topics: &'a mut HashMap<Box<str>, TopicState>,
    pub(super) topic_count: u64,
    pub(super) buckets: &'a mut HashMap<BucketKey, Bucket>,
    pub(super) deliveries: &'a mut Deliveries,
    pub(super) changed_topics: BTreeSet<Box<str>>,
    pub(super) changed_buckets: BTreeSet<BucketKey>,
    /// To be made from what is below them: a value came that is older than their last one.
    pub(super) stale_buckets: BTreeSet<BucketKey>,
    pub(super) written: Written,
}

pub(super) type BucketKey = (Span, i64, Millis);

/// The row of a topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct TopicState {
    id: i64,
    /// Of the value that came last, whatever its time.
    last_set_at: Millis,
    last_seq: i64,
}

impl Batch<'_> {
    pub(super) fn enter(&mut self, entry: &Entry) -> Result<()> {
        match entry {
            Entry::Connected { resumed } => {
                self.deliveries.connected(*resumed, self.state.next_seq);
                Ok(())
            }
            Entry::Value(arrival) => self.value(arrival),
            Entry::Nothing => Ok(()),
        }
    }

    /// Writes what was gathered.
    pub(super) fn finish(mut self) -> Result<(State, u64, Written)> {
        for name in &self.changed_topics {
            if let Some(topic) = self.topics.get(name) {
                let sql = "UPDATE topic SET last_set_at = ?2, last_seq = ?3 WHERE id = ?1";
                self.db.prepare_cached(sql)?.execute(params![topic.id, topic.last_set_at, topic.last_seq])?;
            }
        }
        // Minutes come before hours, which are made from them.
        for span in [Span::Minute, Span::Hour] {
            let of_span = |key: &&BucketKey| key.0 == span;
            for key in std::mem::take(&mut self.stale_buckets).into_iter() {
                if key.0 != span {
                    self.stale_buckets.insert(key);
                    continue;
                }
                if let Some(bucket) = below(self.db, key)? {
                    self.buckets.insert(key, bucket);
                }
            }
            for key in self.changed_buckets.iter().filter(of_span) {
                if let Some(bucket) = self.buckets.get(key) {
                    put(self.db, *key, bucket)?;
                }
            }
        }
        self.deliveries.write(self.db)?;
        self.state.write(self.db)?;
        trim(self.topics, |name| self.changed_topics.contains(name));
        trim(self.buckets, |key| self.changed_buckets.contains(key));
        Ok((self.state, self.topic_count, self.written))
    }

    fn value(&mut self, arrival: &Arrival) -> Result<()> {
        let content = deliveries::content(arrival);
        if let Some(delivery) = arrival.delivery
            && delivery.dup
            && self.deliveries.knows(delivery.id, content)
        {
            self.written.repeated += 1;
            return Ok(());
        }
        let Some((topic, is_first)) = self.topic(arrival)? else {
            self.written.beyond += 1;
            return Ok(());
        };
        if arrival.retained && !is_first && self.is_stored(topic, arrival)? {
            self.written.repeated += 1;
            return Ok(());
        }
        let seq = self.state.next_seq;
        let origin = arrival.origin as i64;
        self.db.prepare_cached("INSERT INTO value VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
            topic.id,
            arrival.set_at,
            seq,
            origin,
            Payload(&arrival.payload)
        ])?;
        self.state.next_seq += 1;
        self.state.value_count += 1;
        self.written.stored += 1;
        if let Some(topic) = self.topics.get_mut(&arrival.topic) {
            (topic.last_set_at, topic.last_seq) = (arrival.set_at, seq);
        }
        if !self.changed_topics.contains(&arrival.topic) {
            self.changed_topics.insert(arrival.topic.clone());
        }
        if let Some(delivery) = arrival.delivery {
            self.deliveries.add(delivery.id, content, seq);
        }
        if let Some(number) = number(&arrival.payload) {
            let value = Bucket::of(arrival.set_at, number);
            self.roll_up((Span::Minute, topic.id, Span::Minute.start(arrival.set_at)), &value)?;
            self.roll_up((Span::Hour, topic.id, Span::Hour.start(arrival.set_at)), &value)?;
        }
        Ok(())
    }

    /// The topic, and whether this is its first value; `None` if there are too many topics.
    fn topic(&mut self, arrival: &Arrival) -> Result<Option<(TopicState, bool)>> {
        if let Some(topic) = self.topics.get(&arrival.topic) {
            return Ok(Some((*topic, false)));
        }
        let sql = "SELECT id, last_set_at, last_seq FROM topic WHERE name = ?1";
        let known = self
            .db
            .prepare_cached(sql)?
            .query_row([&*arrival.topic], |row| {
                Ok(TopicState { id: row.get(0)?, last_set_at: row.get(1)?, last_seq: row.get(2)? })
            })
            .optional()?;
        if let Some(topic) = known {
            self.topics.insert(arrival.topic.clone(), topic);
            return Ok(Some((topic, false)));
        }
        if self.topic_count >= limits::TOPICS {
            return Ok(None);
        }
        let (last_set_at, last_seq) = (arrival.set_at, self.state.next_seq);
        self.db
            .prepare_cached("INSERT INTO topic (name, last_set_at, last_seq) VALUES (?1, ?2, ?3)")?
            .execute(params![&*arrival.topic, last_set_at, last_seq])?;
        self.topic_count += 1;
        let topic = TopicState { id: self.db.last_insert_rowid(), last_set_at, last_seq };
        self.topics.insert(arrival.topic.clone(), topic);
        Ok(Some((topic, true)))
    }

    /// Whether a value that the broker had kept is the one that we have: the one that was set at that time or, if the
    /// broker does not say when, the last one that came.
    fn is_stored(&self, topic: TopicState, arrival: &Arrival) -> Result<bool> {
        use crate::recorder::arrival::Origin;
        let is_equal =
            |payload: ValueRef<'_>| payload.as_bytes().is_ok_and(|bytes| bytes == &arrival.payload[..]);
        match arrival.origin {
            Origin::Broker => {
                let sql = "SELECT payload FROM value WHERE topic = ?1 AND set_at = ?2";
                let mut statement = self.db.prepare_cached(sql)?;
                let mut rows = statement.query(params![topic.id, arrival.set_at])?;
                while let Some(row) = rows.next()? {
                    if is_equal(row.get_ref(0)?) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Origin::Arrival | Origin::CatchUp => {
                let sql = "SELECT payload FROM value WHERE topic = ?1 AND set_at = ?2 AND seq = ?3";
                let mut statement = self.db.prepare_cached(sql)?;
                let mut rows = statement.query(params![topic.id, topic.last_set_at, topic.last_seq])?;
                rows.next()?.map_or(Ok(false), |row| row.get_ref(0).map(is_equal))
            }
        }
    }

    fn roll_up(&mut self, key: BucketKey, value: &Bucket) -> Result<()> {
        if value.first_at < self.state.value_from {
            // The values around it are deleted already, and it will be deleted, too.
            return Ok(());
        }
        let known = match self.buckets.get(&key) {
            Some(bucket) => Some(*bucket),
            None => get(self.db, key)?,
        };
        let bucket = match known {
            None => *value,
            Some(mut bucket) if value.first_at >= bucket.last_at && !self.stale_buckets.contains(&key) => {
                bucket.append(value);
                bucket
            }
            Some(bucket) => {
                self.stale_buckets.insert(key);
                bucket
            }
        };
        self.buckets.insert(key, bucket);
        self.changed_buckets.insert(key);
        Ok(())
    }
}

/// Makes a bucket from the values, or from the minutes, that it consists of.
fn below(db: &Connection, (span, topic, start): BucketKey) -> Result<Option<Bucket>> {
    let bounds = params![topic, start, start + span.millis()];
    match span {
        Span::Minute => {
            let sql = "SELECT set_at, payload FROM value WHERE topic = ?1 AND set_at >= ?2 AND set_at < ?3 \
                       ORDER BY set_at, seq";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query(bounds)?;
            let mut all: Option<Bucket> = None;
            while let Some(row) = rows.next()? {
                if let Some(number) = row.get_ref(1)?.as_bytes().ok().and_then(number) {
                    let value = Bucket::of(row.get(0)?, number);
                    match &mut all {
                        Some(all) => all.append(&value),
                        None => all = Some(value),
                    }
                }
            }
            Ok(all)
        }
        Span::Hour => {
            let sql = "SELECT count, min, max, first_at, first, last_at, last, area FROM minute \
                       WHERE topic = ?1 AND start >= ?2 AND start < ?3 ORDER BY start";
            let mut statement = db.prepare_cached(sql)?;
            let minutes = statement.query_map(bounds, |row| from_row(row, 0))?;
            Ok(Bucket::joined(minutes.collect::<Result<Vec<_>>>()?))
        }
    }
}

/// Eight columns, from this one on.
pub(in crate::recorder) fn from_row(row: &rusqlite::Row<'_>, column: usize) -> Result<Bucket> {
    Ok(Bucket {
        count: row.get(column)?,
        min: row.get(column + 1)?,
        max: row.get(column + 2)?,
        first_at: row.get(column + 3)?,
        first: row.get(column + 4)?,
        last_at: row.get(column + 5)?,
        last: row.get(column + 6)?,
        area: row.get(column + 7)?,
    })
}

fn get(db: &Connection, (span, topic, start): BucketKey) -> Result<Option<Bucket>> {
    let sql = match span {
        Span::Minute => "SELECT * FROM minute WHERE topic = ?1 AND start = ?2",
        Span::Hour => "SELECT * FROM hour WHERE topic = ?1 AND start = ?2",
    };
    db.prepare_cached(sql)?.query_row([topic, start], |row| from_row(row, 2)).optional()
}

fn put(db: &Connection, (span, topic, start): BucketKey, bucket: &Bucket) -> Result<()> {
    let sql = match span {
        Span::Minute => "INSERT OR REPLACE INTO minute VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        Span::Hour => "INSERT OR REPLACE INTO hour VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    };
    let Bucket { count, min, max, first_at, first, last_at, last, area } = bucket;
    db.prepare_cached(sql)?
        .execute(params![topic, start, count, min, max, first_at, first, last_at, last, area])
        .map(drop)
}

/// Text where it is text, so that whoever looks into the file can read it.
struct Payload<'a>(&'a [u8]);

impl ToSql for Payload<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match str::from_utf8(self.0) {
            Ok(text) => ValueRef::Text(text.as_bytes()),
            Err(_) => ValueRef::Blob(self.0),
        }))
    }
}
