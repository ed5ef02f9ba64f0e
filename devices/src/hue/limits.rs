//! What `luxwire hue` allows itself and others, each with its reason. It decides nothing else.

use std::time::Duration;

/// Between two commands to lights. Hubs take ten a second; a little more than a tenth keeps us below that on networks
/// that bunch what they carry.
pub(super) const LIGHT_INTERVAL: Duration = Duration::from_millis(110);
/// Between two commands to groups: a hub broadcasts them, and takes one a second.
pub(super) const GROUP_INTERVAL: Duration = Duration::from_millis(1_050);
/// How many commands may await their answer: enough to hide the hub's latency, too few to fill its buffer.
pub(super) const FLYING_MAX: usize = 2;

/// A step of a fade while a slider is moved; the unit of API v1.
pub(super) const TRANSITION_STEP: Duration = Duration::from_millis(100);
/// The fade of a change that stands alone; the hub's own default.
pub(super) const TRANSITION_ALONE: Duration = Duration::from_millis(400);
/// The longest fade that somebody may ask for; API v1 counts tenths of a second in 16 bits.
pub(super) const TRANSITION_MAX: Duration = Duration::from_millis(6_000_000);

/// After a command, the hub's reports are not news for so long: they come up to a second late, and may be of the time
/// before it.
pub(super) const HOLD: Duration = Duration::from_secs(2);
/// A fade is waited for as well, but not a sunrise: others must be heard meanwhile.
pub(super) const HOLD_FADE_MAX: Duration = Duration::from_secs(10);
/// So long after a subscription a retained value may come; then there is none.
pub(super) const LISTEN: Duration = Duration::from_millis(1_000);
/// After this long our own message will not come back any more.
pub(super) const ECHO: Duration = Duration::from_secs(10);
/// How many of our own messages may be on their way back, for one light.
pub(super) const ECHOES_MAX: usize = 64;

/// The first pause after the hub says that it is too much; each further one is twice as long.
pub(super) const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// No pause is longer.
pub(super) const BACKOFF_LONGEST: Duration = Duration::from_secs(10);
/// After this many failures that are not the hub's absence a wish is given up.
pub(super) const ATTEMPTS_MAX: u32 = 4;

/// For opening a connection, TLS included. Hubs are on the local network.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// For a question and the whole answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// For the question who a host is; some emulators never answer it.
pub(super) const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two polls of an old hub, and between two questions whether a new one is still there.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Between two questions to a hub that pushes events whether it is still there.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);
/// Between two readings of everything from a hub that pushes events: one may have been lost, or the stream be silent.
pub(super) const REREAD: Duration = Duration::from_secs(30);
/// The first pause before a hub is tried again; each further one is twice as long.
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(1);
/// No pause is longer: a hub that comes back should not be waited for.
pub(super) const RETRY_LONGEST: Duration = Duration::from_secs(15);

/// The answer with everything that a hub has: a full one (63 lights, scenes and all) says about 1 MB.
pub(super) const BODY_MAX: usize = 4 << 20;
/// The answer to a command.
pub(super) const ANSWER_MAX: usize = 64 << 10;
/// A line of the event stream, which carries one second's changes.
pub(super) const EVENT_LINE_MAX: usize = 1 << 20;
/// Lights and rooms of one hub; a real one ends at 63 lights and 64 rooms, the newest at 150.
pub(super) const RESOURCES_MAX: usize = 512;
/// The longest name of a light, in characters; hubs allow 32.
pub(super) const NAME_MAX: usize = 64;

/// Hubs that are served at once.
pub(super) const HUBS_MAX: usize = 16;
/// Hubs that a search may find.
pub(super) const FOUND_MAX: usize = 32;
/// How long a search takes; most answers come within a second.
pub(super) const SEARCH_TIME: Duration = Duration::from_secs(5);
/// How long somebody has to press the button after asking from the page.
pub(super) const PAIRING_TIME: Duration = Duration::from_secs(60);
/// Between two questions whether the button was pressed.
pub(super) const PAIRING_INTERVAL: Duration = Duration::from_secs(1);
/// The longest request that is read from MQTT, in bytes.
pub(super) const REQUEST_MAX: usize = 4 << 10;
