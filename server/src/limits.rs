//! Every bound of the edge, with its reason. Those that people may want to change are only the defaults of settings;
//! the bounds of sessions, subscriptions and retained messages stand in the broker's `limits.rs`.

use std::time::Duration;

/// MQTT connections at once. A big house has hundreds of devices; ten thousand idle ones cost about ten megabytes.
pub(crate) const CONNECTIONS: u32 = 10_000;

/// What an unknown client may send as its first packet: a CONNECT with a long will, not a picture.
pub(crate) const PACKET_SIZE_BEFORE_CONNECT: usize = 64 << 10;

/// HTTP requests need a connection each, and browsers open six; an upgraded one counts as an MQTT connection instead.
pub(crate) const HTTP_CONNECTIONS: usize = 1_024;

/// The longest life of an HTTP connection that is not upgraded: a reader that takes a byte a minute must end somewhere.
pub(crate) const HTTP_CONNECTION_LIFETIME: Duration = Duration::from_secs(600);

/// An answer above this size counts as large; below it, all HTTP connections together hold no more than 64 MiB.
pub(crate) const LARGE_ANSWER: usize = 64 << 10;

/// Large answers at once.
pub(crate) const LARGE_ANSWERS: usize = 8;

/// A request's body above this size counts as large; below it, all HTTP connections together hold no more than 64 MiB.
pub(crate) const LARGE_UPLOAD: usize = 64 << 10;

/// Large bodies at once. They end within [`UPLOAD_WITHIN`].
pub(crate) const LARGE_UPLOADS: usize = 16;

/// How long a body may take: a megabyte at the speed of an old telephone line.
pub(crate) const UPLOAD_WITHIN: Duration = Duration::from_secs(120);

/// How long the rest of a body is read for nothing after it was refused, so that its sender reads why instead of finding
/// the connection broken.
pub(crate) const REFUSED_UPLOAD_WITHIN: Duration = Duration::from_secs(1);

/// Characters of a topic or a filter in an address: percent-encoded, twelve bytes each, they fit into [`HTTP_HEAD_BYTES`].
pub(crate) const ADDRESS_TOPIC_CHARS: usize = 4_096;

/// Filters of one stream of events. They stand in an address, and each costs the broker a subscription.
pub(crate) const EVENT_FILTERS: usize = 64;

/// A stream of events that is silent for this long says that it is alive, so that nobody on the way takes it for dead.
pub(crate) const EVENTS_SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Events are written in pieces of about this size: enough that a burst costs few writes.
pub(crate) const EVENTS_AT_ONCE: usize = 32 << 10;

/// How long browsers wait before they come back to a stream that ended.
pub(crate) const EVENTS_RETRY: Duration = Duration::from_millis(1_000);

/// How long a recorder may take to answer: it looks for five seconds at most, and several may wait.
pub(crate) const RECORDER_WITHIN: Duration = Duration::from_secs(20);

/// Request line and headers together. Cookies of other services on the same host travel along and may be long.
pub(crate) const HTTP_HEAD_BYTES: usize = 64 << 10;

/// How long a listener rests when the system has no descriptor left, instead of asking again at once.
pub(crate) const ACCEPT_BACK_OFF: Duration = Duration::from_millis(100);

/// Descriptors besides the connections': listeners, the log, the runtime, and room to spare.
pub(crate) const DESCRIPTORS_BESIDES_CONNECTIONS: u64 = 64 + HTTP_CONNECTIONS as u64;

/// The whole stop must be over within five seconds; this leaves some for the recorder, and for the process to end.
pub(crate) const STOP_WITHIN: Duration = Duration::from_millis(3_500);

/// How long the recorder inside the server may take for the values that came last.
pub(crate) const LAST_VALUES_WITHIN: Duration = Duration::from_secs(1);

/// A silent TCP connection is probed after this time, ...
pub(crate) const TCP_KEEP_ALIVE_AFTER: Duration = Duration::from_secs(60);

/// ... again after this one, ...
pub(crate) const TCP_KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// ... and is gone after this many probes without an answer: two minutes in all.
pub(crate) const TCP_KEEP_ALIVE_RETRIES: u32 = 4;

/// Passwords that are looked at at once, on threads of their own: each takes some ten milliseconds of a processor, and the
/// others belong to the lights.
pub(crate) const PASSWORD_CHECKS: usize = 2;

/// Those that wait for that. After a power failure a whole house signs in at once; more than this is an attack.
pub(crate) const PASSWORD_CHECKS_WAITING: usize = 1_000;

/// Refusals for want of room are logged once in this time, with their number.
pub(crate) const REFUSALS_LOGGED_EVERY: Duration = Duration::from_secs(10);

/// One read takes this much at most: at full speed a few thousand small messages. All links share the buffer.
pub(crate) const READ_BUFFER: usize = 256 << 10;

/// What the links' packets may set in motion before it is written out, and others get their turn: effects (messages delivered,
/// mostly), and every 64 bytes that are read count as one. One or two milliseconds, and as much again where some links send
/// little and others in bulk.
pub(crate) const WORK_PER_TURN: u64 = 40_000;

/// Where that is less than so many for each link that has to be written to, these are done first: to write to a link
/// takes as long as it takes to bring it some tens of messages.
pub(crate) const WORK_PER_WRITE: u64 = 32;

/// After this much of it, within a turn, and of what was written, the sockets are looked at again: who sends little does not
/// wait for all that came in bulk before. What is served in between may set as much in motion. A tenth of a millisecond, or
/// two whole ones where it goes into a thousand small writes.
pub(crate) const WORK_PER_LOOK: u64 = 2_000;

/// Who set no more in motion than this in its last turn sends little: a value and the lamps that follow it.
pub(crate) const LITTLE_WORK: u64 = 16;

/// So many of those who send little are served each time, and if what they said goes to so many at most, it is written at
/// once, where otherwise each link gets all that the turn has for it in one write.
pub(crate) const NEWCOMERS: usize = 16;

/// Answers to its own packets that a client may leave unread before we stop reading its packets.
pub(crate) const ANSWERS: usize = 64 << 10;

/// Bytes that wait for a slow client before QoS 0 messages to it are dropped: seconds of a busy house.
pub(crate) const OUTPUT: usize = 1 << 20;

/// With this much to write, a link is written to at once instead of at the end of the turn: it may be that the client
/// is fast and only the turn is long.
pub(crate) const WRITE_AT: usize = 64 << 10;

/// Seconds: a client that takes nothing for this long while bytes wait for it is gone, or as good as gone.
pub(crate) const STALL_TIMEOUT_S: u16 = 30;

/// A link that is closed may take this long to take its last packets, ...
pub(crate) const LAST_WORDS_WITHIN: Duration = Duration::from_secs(2);

/// ... and then this long to close its end.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// Output buffers up to this size are kept for the next link that writes, ...
pub(crate) const SPARE_BUFFER: usize = 64 << 10;

/// ... and as many of them as have this much room together: those of a burst to some thousand links. ...
pub(crate) const SPARE_BYTES: usize = 8 << 20;

/// ... Those that nobody needed for so long are let go.
pub(crate) const SPARE_FOR: Duration = Duration::from_secs(1);

/// When so many bytes came or were sent, or a client has gone, there may be memory to give back to the system. ...
pub(crate) const HEAP_WORTH_BYTES: u64 = 1 << 20;

/// ... That waits until there were no more than so many, ...
pub(crate) const HEAP_QUIET_BYTES: u64 = 64 << 10;

/// ... in so long.
pub(crate) const HEAP_QUIET_FOR: Duration = Duration::from_secs(1);

/// A new one begins with this: room for a few small messages, so that it need not grow for them.
pub(crate) const SPARE_BUFFER_NEW: usize = 512;

/// A WebSocket message may be this much larger than the largest packet, for clients that put several into one.
pub(crate) const WEBSOCKET_MESSAGE_BESIDES_PACKET: usize = 64 << 10;

/// Those who watch the live picture at once: a page each, and each is written every event.
pub(crate) const WATCHERS: usize = 16;

/// The picture is drawn in steps of this time, ...
pub(crate) const PICTURE_WINDOW: Duration = Duration::from_millis(100);

/// ... in each of which this many messages are shown one by one: more than an eye can follow. ...
pub(crate) const MESSAGES_SHOWN: usize = 60;

/// ... No client may take all of them: a flood does not hide the one dimmer that somebody looks for.
pub(crate) const MESSAGES_SHOWN_OF_ONE: usize = 30;

/// Clients that come, change and go in the same time and are told one by one. Where more do, the whole is shown anew.
pub(crate) const NEWS_OF_CLIENTS: usize = 256;

/// A watcher is shown the whole anew no sooner than this after the last time: drawing it takes milliseconds.
pub(crate) const WHOLE_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Clients in the whole. More than these nobody can tell apart on a screen.
pub(crate) const CLIENTS_DRAWN: usize = 2_000;

/// About the length of the whole, in case that clients have long names and many subscriptions.
pub(crate) const PICTURE_BYTES: usize = 1 << 20;

/// Filters of one client that are listed.
pub(crate) const CLIENT_FOLLOWS: usize = 32;

/// Topics to which one client published that are listed with their values, ...
pub(crate) const CLIENT_PUBLISHES: usize = 16;

/// ... and that are counted.
pub(crate) const CLIENT_TOPICS_COUNTED: usize = 256;

/// What may be remembered of that for all clients together, while somebody watches.
pub(crate) const PUBLISHES_BYTES: usize = 8 << 20;

/// When that is full, room is looked for no more often than this.
pub(crate) const PUBLISHES_FULL_FOR: Duration = Duration::from_secs(1);

/// Retained values that are looked through for who set them when the first watcher comes: about two milliseconds.
pub(crate) const RETAINED_LOOKED_AT: usize = 10_000;

/// Receivers of one message that are named.
pub(crate) const MESSAGE_RECEIVERS: usize = 256;

/// Characters of a payload that are shown, ...
pub(crate) const PAYLOAD_CHARS: usize = 64;

/// ... and of an identifier, a topic or a filter, which may have 65,535.
pub(crate) const NAME_CHARS: usize = 128;

/// Events that wait for a watcher: seconds of a busy house. ...
pub(crate) const FEED_EVENTS: usize = 2_048;

/// ... And their bytes. A whole that is longer has room where nothing else waits.
pub(crate) const FEED_BYTES: usize = 512 << 10;

/// A watcher to whom nothing is to be said hears this often that the connection stands.
pub(crate) const WATCHER_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a page waits before it watches again when its connection is lost.
pub(crate) const WATCHER_RETRY: Duration = Duration::from_secs(1);
