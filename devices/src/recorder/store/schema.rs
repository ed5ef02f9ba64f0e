//! The tables, and the version that the file says it has.
//!
//! Rows lie in the order in which they are read: by topic, then by time. A roll-up says only what was set within its
//! minute or hour, and nothing of what was carried into it, so that a value which comes late changes one row of each.

/// In the file's header: tells our files from others'.
pub(super) const APPLICATION_ID: i32 = 0x4c75_7872;
/// In the file's header. A higher one was written by a later Luxwire.
pub(super) const VERSION: i32 = 1;

/// Times are milliseconds since 1970, UTC. `seq` counts values in the order of their arrival.
///
/// - `value.origin`: whose clock `set_at` is by, see `Origin`.
/// - `value.payload`: text where it is text, otherwise a blob.
/// - `area` is the integral from `first_at` to `last_at`, the value times milliseconds.
/// - `state.*_from`: nothing before this is complete, because retention deleted there.
/// - `delivery.ids`: identifiers of the latest deliveries, with what was delivered.
pub(super) const TABLES: &str = "
CREATE TABLE state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  next_seq INTEGER NOT NULL,
  value_count INTEGER NOT NULL,
  value_from INTEGER NOT NULL,
  minute_from INTEGER NOT NULL,
  hour_from INTEGER NOT NULL,
  pause_left_ms INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 1, 0, 0, 0, 0, 0);
CREATE TABLE topic (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  last_set_at INTEGER NOT NULL,
  last_seq INTEGER NOT NULL
) STRICT;
CREATE TABLE value (
  topic INTEGER NOT NULL,
  set_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  payload ANY NOT NULL,
  PRIMARY KEY (topic, set_at, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE minute (
  topic INTEGER NOT NULL,
  start INTEGER NOT NULL,
  count INTEGER NOT NULL,
  min REAL NOT NULL,
  max REAL NOT NULL,
  first_at INTEGER NOT NULL,
  first REAL NOT NULL,
  last_at INTEGER NOT NULL,
  last REAL NOT NULL,
  area REAL NOT NULL,
  PRIMARY KEY (topic, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE hour (
  topic INTEGER NOT NULL,
  start INTEGER NOT NULL,
  count INTEGER NOT NULL,
  min REAL NOT NULL,
  max REAL NOT NULL,
  first_at INTEGER NOT NULL,
  first REAL NOT NULL,
  last_at INTEGER NOT NULL,
  last REAL NOT NULL,
  area REAL NOT NULL,
  PRIMARY KEY (topic, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE delivery (
  seq INTEGER PRIMARY KEY,
  ids BLOB NOT NULL
) STRICT;
";
