//! Which deliveries are stored already, so that what a broker delivers again is not stored twice.
//!
//! A broker that did not get our acknowledgement repeats the message under the same identifier and says so. That the value
//! is equal proves nothing by itself: a switch may be pressed twice. Identifiers and contents of the latest deliveries lie
//! in the file, written with the values themselves, so that this holds across a crash, too.

use super::super::{arrival::Arrival, limits};
use rusqlite::{Connection, Result, params};
use std::collections::{HashMap, VecDeque};

#[derive(Debug, Default)]
pub(super) struct Deliveries {
    committed: Known,
    /// What the transaction adds.
    pending: Vec<(u16, Stored)>,
    /// The transaction has begun another session, which uses identifiers anew.
    forgets: bool,
    /// Where the latest connection began: only what came before can be repeated on it.
    boundary: i64,
    pending_boundary: Option<i64>,
    /// The rows of the table and how many deliveries each has, oldest first.
    rows: VecDeque<(i64, usize)>,
}

type Known = HashMap<u16, Stored>;

#[derive(Clone, Copy, Debug)]
struct Stored {
    seq: i64,
    content: u64,
}

/// Identifier and content.
const LEN: usize = 2 + 8;

impl Deliveries {
    /// What earlier runs left.
    pub(super) fn read(db: &Connection) -> Result<Self> {
        let mut all = Self::default();
        let mut statement = db.prepare("SELECT seq, ids FROM delivery ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, ids): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let (ids, _) = ids.as_chunks::<LEN>();
            for [a, b, content @ ..] in ids {
                let stored = Stored { seq, content: u64::from_be_bytes(*content) };
                all.committed.insert(u16::from_be_bytes([*a, *b]), stored);
            }
            all.rows.push_back((seq, ids.len()));
        }
        all.boundary = i64::MAX;
        Ok(all)
    }

    /// A connection begins; what comes on it has `seq` or more.
    pub(super) fn connected(&mut self, resumed: bool, seq: i64) {
        if resumed {
            self.pending_boundary = Some(seq);
        } else {
            self.pending.clear();
            self.forgets = true;
            self.pending_boundary = Some(seq);
        }
    }

    /// Whether this very delivery is stored.
    pub(super) fn knows(&self, id: u16, content: u64) -> bool {
        let boundary = self.pending_boundary.unwrap_or(self.boundary);
        let pending = self.pending.iter().rev().find(|(other, _)| *other == id).map(|(_, stored)| stored);
        let stored = pending.or_else(|| self.committed.get(&id).filter(|_| !self.forgets));
        stored.is_some_and(|stored| stored.content == content && stored.seq < boundary)
    }

    pub(super) fn add(&mut self, id: u16, content: u64, seq: i64) {
        self.pending.push((id, Stored { seq, content }));
    }

    /// Writes what the transaction adds, and forgets what cannot be repeated any more.
    pub(super) fn write(&self, db: &Connection) -> Result<()> {
        if self.forgets {
            db.execute("DELETE FROM delivery", [])?;
        }
        let Some((_, first)) = self.pending.first() else { return Ok(()) };
        let mut ids = Vec::with_capacity(self.pending.len() * LEN);
        for (id, stored) in &self.pending {
            ids.extend(id.to_be_bytes());
            ids.extend(stored.content.to_be_bytes());
        }
        db.prepare_cached("INSERT INTO delivery VALUES (?1, ?2)")?.execute(params![first.seq, ids])?;
        if let Some(oldest) = self.superfluous().last() {
            db.prepare_cached("DELETE FROM delivery WHERE seq <= ?1")?.execute([oldest])?;
        }
        Ok(())
    }

    pub(super) fn committed(&mut self) {
        if std::mem::take(&mut self.forgets) {
            self.committed.clear();
            self.rows.clear();
        }
        let superfluous = self.superfluous().count();
        self.rows.drain(..superfluous);
        if let Some((_, first)) = self.pending.first() {
            self.rows.push_back((first.seq, self.pending.len()));
        }
        self.committed.extend(self.pending.drain(..));
        if let Some(boundary) = self.pending_boundary.take() {
            self.boundary = boundary;
        }
    }

    pub(super) fn rolled_back(&mut self) {
        self.pending.clear();
        self.forgets = false;
        self.pending_boundary = None;
    }

    /// Rows that are not needed beside the others and what is pending.
    fn superfluous(&self) -> impl Iterator<Item = i64> {
        let mut count = self.pending.len() + self.rows.iter().map(|(_, count)| count).sum::<usize>();
        self.rows
            .iter()
            .take_while(move |(_, of_row)| {
                count -= of_row;
                count >= limits::DELIVERIES
            })
            .map(|(seq, _)| *seq)
    }
}

/// Names what is delivered: FNV-1a, which is the same in every version. Nobody gains by a collision but the loss of a
/// value of their own.
pub(super) fn content(arrival: &Arrival) -> u64 {
    let told = match arrival.origin {
        super::super::arrival::Origin::Broker => arrival.set_at.to_be_bytes(),
        // By our own clock it is another time with each delivery.
        super::super::arrival::Origin::Arrival | super::super::arrival::Origin::CatchUp => [0; 8],
    };
    let parts = [arrival.topic.as_bytes(), &[0xff], &told, &arrival.payload];
    parts.iter().flat_map(|part| part.iter()).fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
