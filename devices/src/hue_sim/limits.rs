//! Every bound of the pretend hub, with its reason. Whoever connects may be a test that wants to hurt it.

use std::time::Duration;

/// Lights of one hub. A real one takes about fifty; the page draws them all at each change.
pub(crate) const LIGHTS: usize = 64;
/// Rooms and zones together; v1 numbers them.
pub(crate) const GROUPS: usize = 32;
/// The longest name of a light or a room, as on a real hub.
pub(crate) const NAME_CHARS: usize = 32;
/// Applications that may be paired at a time; each costs a line in the state file.
pub(crate) const KEYS: usize = 64;
/// The longest `devicetype`, as on a real hub.
pub(crate) const DEVICE_TYPE_CHARS: usize = 40;

/// The largest body that is read. Commands have less than a hundred bytes.
pub(crate) const BODY_BYTES: usize = 16 * 1024;
/// The largest head of a request.
pub(crate) const HEAD_BYTES: usize = 16 * 1024;
/// The time that a client has for the head and the body of a request, and for the TLS handshake.
pub(crate) const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Whoever takes nothing of an answer or of events for so long is let go.
pub(crate) const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// Connections at a time on both ports together.
pub(crate) const CONNECTIONS: usize = 64;
/// Event streams at a time, the pages' own included.
pub(crate) const LISTENERS: usize = 24;
/// Containers of events that one listener may lag behind before it is cut off.
pub(crate) const LISTENER_BACKLOG: usize = 256;
/// Containers that are kept for those who come back and say what they saw last: some minutes at one a second.
pub(crate) const EVENTS_KEPT: usize = 256;
/// Commands that wait for their turn; the waiting time bounds them before this does.
pub(crate) const COMMANDS_WAITING: usize = 256;
/// Requests that `/sim/log` remembers.
pub(crate) const LOG_ENTRIES: usize = 1000;
/// The part of a request's body that the log keeps.
pub(crate) const LOG_BODY_BYTES: usize = 512;

/// The largest latency that can be asked for; clients give up long before.
pub(crate) const LATENCY_MS: u64 = 60_000;
/// The longest time without listeners that can be asked for.
pub(crate) const REFUSE_MS: u64 = 600_000;
/// Requests that can be failed in a row.
pub(crate) const FAILURES: u32 = 100_000;
/// Events a second that a flood may have.
pub(crate) const FLOOD_PER_S: u32 = 2_000;

/// How long the link button counts as pressed.
pub(crate) const BUTTON: Duration = Duration::from_secs(30);
/// The pause between two containers of events.
pub(crate) const CONTAINER_EVERY: Duration = Duration::from_secs(1);
/// The pause between two pictures that a page gets, so that a flood of commands does not drown the browser.
pub(crate) const PICTURE_EVERY: Duration = Duration::from_millis(50);
