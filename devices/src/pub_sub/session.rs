//! From flags to a connection.

use super::{
    FAILURE, debug,
    flags::{Flags, Program},
    output::Output,
    words::Failure,
};
use crate::connection::{Address, BrokerArgs, Connection, Scheme};
use luxwire_shared::{
    client::{Event, Options, Retry},
    mqtt::{Text, TopicName, Version, Will},
};
use std::{cell::RefCell, fs::File, process, rc::Rc, time::Duration};

/// The largest packet that MQTT knows: these programs take and send everything.
const PACKET_SIZE_MAX: u32 = 268_435_460;

/// Any message, and room for what waits before it.
const QUEUE_BYTES_MAX: usize = PACKET_SIZE_MAX as usize + (1 << 20);

/// Enough that the network never waits for standard input; each waiting message is memory.
const QUEUE_MESSAGES_MAX: usize = 1_000;

/// Opening and CONNACK together; a person would have given up as well.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Somebody watches: soon again, and soon again.
const RETRY: Retry = Retry {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(2),
    healthy: Duration::from_secs(10),
    refused: None,
};

/// A connection as the flags want it; it connects when it is polled.
pub(super) fn connection(
    flags: &Flags,
    program: Program,
    output: &Rc<RefCell<Output>>,
) -> Result<Connection, Failure> {
    let failed = |why: String| Failure::new(FAILURE, format!("Error: {why}"));
    if flags.ca_file.as_ref().is_some_and(|file| File::open(file).is_err()) {
        return Err(failed("Problem setting TLS options: File not found.".to_owned()));
    }
    let options = options(flags).map_err(|what| failed(format!("Malformed UTF-8 in {what}.")))?;
    let address = Address {
        scheme: flags.scheme,
        host: flags.host.clone(),
        port: flags.port.unwrap_or(match flags.scheme {
            Scheme::Mqtt => 1883,
            Scheme::Mqtts => 8883,
            Scheme::Ws => 80,
            Scheme::Wss => 443,
        }),
        path: flags.path.clone(),
        user: None,
        password: None,
    };
    let broker = BrokerArgs { ca: flags.ca_file.clone(), ..BrokerArgs::new(address) };
    let client_id = options.client_id.clone();
    let mut connection = Connection::new(&broker, options)
        .map_err(|error| failed(format!("Problem setting TLS options: {error:#}.")))?;
    if flags.debug {
        connection.watch(debug::watcher(client_id, program, flags.version, Rc::clone(output)));
    }
    Ok(connection)
}

/// Waits for the broker's welcome; anything else is a failure.
pub(super) async fn welcomed(
    connection: &mut Connection,
    program: Program,
    version: Version,
) -> Result<(), Failure> {
    loop {
        let event = connection.next().await;
        if let Event::Connected { .. } = event {
            return Ok(());
        }
        if let Some(failure) = Failure::to_connect(program, version, connection, &event) {
            return Err(failure);
        }
    }
}

fn options(flags: &Flags) -> Result<Options, &'static str> {
    let text = |text: &str, what| Text::try_from(text).map_err(|_| what);
    let mut options = Options::new(flags.version, text(&client_id(flags), "client id")?);
    options.clean_start = !flags.keeps_session;
    options.session_expiry_s = match flags.version {
        Version::V5 => flags.session_expiry_s.unwrap_or(0),
        // What these versions know is whether, not how long.
        Version::V3_1 | Version::V3_1_1 => u32::from(flags.keeps_session),
    };
    options.keep_alive_s = flags.keep_alive_s;
    options.user_name = flags.user_name.as_deref().map(|user| text(user, "username")).transpose()?;
    options.password = flags.password.clone().map(Into::into);
    options.will = match &flags.will.topic {
        Some(topic) => Some(Will {
            topic: TopicName::try_from(topic.as_str()).map_err(|_| "will topic")?,
            payload: flags.will.payload.clone().unwrap_or_default().into(),
            qos: flags.will.qos,
            retain: flags.will.retain,
            properties: flags.will.properties.clone(),
        }),
        None => None,
    };
    let announced = &flags.extras.connect;
    options.packet_size_max = announced.maximum_packet_size.map_or(PACKET_SIZE_MAX, |size| size.get());
    options.receive_maximum = announced.receive_maximum.unwrap_or(options.receive_maximum);
    options.in_flight_max = flags.in_flight_max;
    options.queue_messages_max = QUEUE_MESSAGES_MAX;
    options.queue_bytes_max = QUEUE_BYTES_MAX;
    options.extras = flags.extras.clone();
    options.connect_timeout = CONNECT_TIMEOUT;
    options.retry = RETRY;
    options.seed = random();
    Ok(options)
}

/// Without one of its own a client leaves it to the broker, where the version allows that.
fn client_id(flags: &Flags) -> String {
    match (&flags.id, &flags.id_prefix, flags.version) {
        (Some(id), _, _) => id.clone(),
        (None, Some(prefix), _) => format!("{prefix}{}", process::id()),
        // At most 23 characters.
        (None, None, Version::V3_1) => format!("luxwire-{:015x}", random() >> 4),
        (None, None, Version::V3_1_1 | Version::V5) => String::new(),
    }
}

/// Without a source of randomness the numbers may meet, and nothing worse.
pub(super) fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| process::id().into())
}
