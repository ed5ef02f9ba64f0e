//! What the recorder allows itself and others, each with its reason. It decides nothing else.

use std::time::Duration;

/// Values of QoS 1 that a 5.0 broker may have sent and that are not acknowledged yet: what a commit takes at forty times
/// the rate that is promised. Older brokers have bounds of their own, 20 by default with Mosquitto.
pub(super) const RECEIVE_MAXIMUM: u16 = 4_096;
/// The largest packet that is taken from a broker that can be told so (5.0): as much as our own takes from anybody.
pub(super) const PACKET_SIZE: u32 = 1 << 20;
/// The same for brokers that cannot be told: a larger packet of QoS 1 would come again with every connection, so that
/// nothing behind it would ever be recorded.
pub(super) const PACKET_SIZE_UNTOLD: u32 = 16 << 20;
/// The longest payload that is stored: in base64 it still fits into an answer. Pictures belong elsewhere.
pub(super) const PAYLOAD: usize = 512 << 10;

/// Values that wait for the disk, whatever their quality ...
pub(super) const QUEUE_VALUES: usize = 100_000;
/// ... and their bytes: minutes of a busy house, and little beside what a machine has.
pub(super) const QUEUE_BYTES: usize = 32 << 20;
/// What each of them costs besides its text.
pub(super) const QUEUE_ENTRY: usize = 128;
/// After the connection was left for want of room it is made again once this share of the room (1/N) is all that is used.
pub(super) const QUEUE_RESUME: usize = 4;

/// A commit waits this long for more to come: ten commits a second cost little, and nobody waits for an acknowledgement, ...
pub(super) const COMMIT_AFTER: Duration = Duration::from_millis(100);
/// ... unless so many wait: half of what our broker has underway to one client, ...
pub(super) const HURRY: usize = 128;
/// ... and half of what Mosquitto has, before 5.0.
pub(super) const HURRY_BEFORE_5: usize = 10;
/// No commit has more values: about ten milliseconds of work.
pub(super) const COMMIT_VALUES: usize = 4_096;
/// Between two attempts to write to a disk that takes nothing.
pub(super) const RETRY: Duration = Duration::from_secs(1);
/// A commit that takes longer is worth a word, once.
pub(super) const SLOW_COMMIT: Duration = Duration::from_secs(5);
/// How long the last commit may take when the recorder is asked to stop.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Topics in one file. Each costs a row that is never deleted, and some memory while it is written to.
pub(super) const TOPICS: u64 = 100_000;
/// Topics and buckets that are held in memory; those that were not used lately are read again.
pub(super) const CACHED: usize = 20_000;
/// The last deliveries whose identifiers are remembered, so that what a broker delivers again after a crash is known.
/// No fewer than may be unacknowledged.
pub(super) const DELIVERIES: usize = 2 * RECEIVE_MAXIMUM as usize;

/// Between two looks at what is too old or too much.
pub(super) const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// Rows that one slice of retention deletes: some milliseconds between two commits.
pub(super) const RETENTION_ROWS: u32 = 2_000;
/// Pages that one slice gives back to the system.
pub(super) const VACUUM_PAGES: u32 = 512;
/// A clock that leaps forward by more than this while the recorder runs is not believed ...
pub(super) const LEAP: Duration = Duration::from_secs(3_600);
/// ... nor one that is this far ahead of the newest value when the recorder starts, ...
pub(super) const LEAP_AT_START: Duration = Duration::from_secs(7 * 86_400);
/// ... for this long: time for a person to notice.
pub(super) const LEAP_PAUSE: Duration = Duration::from_secs(86_400);
/// A clock that goes back by more than this has been set.
pub(super) const SET_BACK: Duration = Duration::from_secs(2);
/// Two clocks that differ by more than this are worth a word.
pub(super) const CLOCKS_DIFFER: Duration = Duration::from_secs(5);
/// While the recorder catches up without being told set times, what comes is marked so, until nothing came for this long ...
pub(super) const CATCH_UP_PAUSE: Duration = Duration::from_millis(250);
/// ... or at most for this long after the subscription: where values come all the time there is no pause.
pub(super) const CATCH_UP_MOST: Duration = Duration::from_secs(5);
/// What brokers keep for a client that is away, unless they are told otherwise: Mosquitto and ours.
pub(super) const USUAL_QUEUE: u64 = 1_000;
/// The file's pages that may wait in the log beside it: 8 MiB.
pub(super) const WAL_PAGES: u32 = 2_000;
/// How long the writer waits for a reader of the same file that holds a lock, which none does for long.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// A request over MQTT: a topic of the greatest length and some short texts, escaped.
pub(super) const REQUEST: usize = 128 << 10;
/// The body of an answer; our broker and most others take a packet of 1 MiB.
pub(super) const ANSWER: usize = 900 << 10;
/// Values or steps in an answer unless the question says otherwise, ...
pub(super) const ANSWER_VALUES: u64 = 1_000;
/// ... and at most.
pub(super) const ANSWER_VALUES_MAX: u64 = 10_000;
/// How long the file is searched for one answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Questions that may wait; further ones are refused.
pub(super) const QUESTIONS: usize = 16;

/// HTTP connections at once.
pub(super) const HTTP_CONNECTIONS: usize = 64;
/// Line and headers of an HTTP request.
pub(super) const HTTP_HEAD: usize = 16 << 10;
/// How long the head of a request, and the pause before it, may take.
pub(super) const HTTP_HEAD_WITHIN: Duration = Duration::from_secs(10);
/// No connection lives longer: a reader that takes a byte a minute must end somewhere.
pub(super) const HTTP_LIFETIME: Duration = Duration::from_secs(120);
