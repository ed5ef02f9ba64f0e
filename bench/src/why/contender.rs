//! What is compared: each way to bring a value from one producer to its followers, and what it is called.

use super::headers::Headers;
use crate::program;
use luxwire_shared::mqtt::{QoS, Version};
use std::{net::SocketAddr, time::Duration};

/// One row of the tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contender {
    /// For `--only` and for programs that read the JSON.
    pub(super) key: &'static str,
    /// For people.
    pub(super) name: &'static str,
    pub(super) way: Way,
    /// Which tables have the row: one that would repeat another's figures is left out.
    pub(super) tables: &'static [Table],
    /// Whether `--quick` measures it.
    pub(super) quick: bool,
}

/// What is asked of a contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// From nothing to the first value.
    Joining,
    /// One change of the value.
    Change,
    /// Following while nothing happens.
    Silence,
    /// Coming, saying one value, and going.
    Once,
}

impl Contender {
    pub(super) fn is_in(&self, table: Table) -> bool {
        self.tables.contains(&table)
    }
}

/// How producer and followers reach each other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// The producer sends `PUT`, followers ask again and again with `GET`.
    Polling { server: HttpServer, headers: Headers, every: Duration, asks: Asks },
    /// The producer sends `PUT`, followers hold an answer open that never ends (server-sent events).
    Events { server: HttpServer, headers: Headers },
    /// A WebSocket each, and a server that repeats what one says to all others. The messages are the bare payload.
    WebSocket { headers: Headers },
    /// A client of the broker each.
    Mqtt(Mqtt),
}

/// A kind of client of the broker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mqtt {
    pub(super) over: Over,
    pub(super) version: Version,
    pub(super) qos: QoS,
    pub(super) manner: Manner,
}

/// Who answers HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HttpServer {
    Luxwire,
    /// The rival that answers with as few headers as can be.
    Bare,
}

/// How a client of HTTP asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// All requests go over one connection.
    Again,
    /// The same, and the value is sent only if it is not the one that the asker has.
    IfChanged,
    /// Each request has a connection of its own.
    WithConnectionEach,
}

/// Whether a client hears that its CONNECT was accepted before it says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// As most clients do.
    Waits,
    /// As the standard allows (MQTT 5, section 3.1.4, non-normative comment): one packet on the network carries both.
    Hurries,
}

/// What carries MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Tcp,
    WebSocket(Headers),
}

impl HttpServer {
    pub(super) fn address(self) -> SocketAddr {
        match self {
            Self::Luxwire => program::HTTP,
            Self::Bare => super::rival::HTTP,
        }
    }
}

impl Way {
    /// Whether followers have to ask.
    pub(super) fn polled_every(self) -> Option<Duration> {
        match self {
            Self::Polling { every, .. } => Some(every),
            Self::Events { .. } | Self::WebSocket { .. } | Self::Mqtt(_) => None,
        }
    }
}

/// All rows, in their order.
pub(super) const CONTENDERS: &[Contender] = &[
    Contender {
        key: "poll-1s",
        name: "HTTP, asked each second",
        way: polling(HttpServer::Luxwire, Headers::Curl, 1000, Asks::Again),
        tables: &[Table::Change, Table::Silence],
        quick: false,
    },
    Contender {
        key: "poll",
        name: "HTTP, asked each 100 ms",
        way: polling(HttpServer::Luxwire, Headers::Curl, 100, Asks::Again),
        tables: &[Table::Joining, Table::Change, Table::Silence],
        quick: true,
    },
    Contender {
        key: "poll-if-changed",
        name: "HTTP, 304 if unchanged",
        way: polling(HttpServer::Luxwire, Headers::Curl, 100, Asks::IfChanged),
        tables: &[Table::Change, Table::Silence],
        quick: false,
    },
    Contender {
        key: "poll-connection-each",
        name: "HTTP, a connection each time",
        way: polling(HttpServer::Luxwire, Headers::Curl, 100, Asks::WithConnectionEach),
        tables: &[Table::Joining, Table::Change, Table::Silence, Table::Once],
        quick: true,
    },
    Contender {
        key: "poll-browser",
        name: "HTTP, by a browser",
        way: polling(HttpServer::Luxwire, Headers::Browser, 100, Asks::Again),
        tables: &[Table::Joining, Table::Change, Table::Silence],
        quick: false,
    },
    Contender {
        key: "poll-bare",
        name: "HTTP, fewest headers",
        way: polling(HttpServer::Bare, Headers::Bare, 100, Asks::Again),
        tables: &[Table::Joining, Table::Change, Table::Silence, Table::Once],
        quick: false,
    },
    Contender {
        key: "events",
        name: "Events",
        way: Way::Events { server: HttpServer::Luxwire, headers: Headers::Curl },
        tables: &[Table::Joining, Table::Change, Table::Silence],
        quick: true,
    },
    Contender {
        key: "events-browser",
        name: "Events, by a browser",
        way: Way::Events { server: HttpServer::Luxwire, headers: Headers::Browser },
        tables: &[Table::Joining, Table::Change],
        quick: false,
    },
    Contender {
        key: "events-bare",
        name: "Events, fewest headers",
        way: Way::Events { server: HttpServer::Bare, headers: Headers::Bare },
        tables: &[Table::Joining, Table::Change],
        quick: false,
    },
    Contender {
        key: "websocket",
        name: "Bare WebSocket",
        way: Way::WebSocket { headers: Headers::Bare },
        tables: &[Table::Joining, Table::Change, Table::Silence, Table::Once],
        quick: true,
    },
    Contender {
        key: "websocket-browser",
        name: "Bare WebSocket, by a browser",
        way: Way::WebSocket { headers: Headers::Browser },
        tables: &[Table::Joining],
        quick: false,
    },
    Contender {
        key: "mqtt-websocket",
        name: "MQTT 5 over WebSocket",
        way: mqtt(Over::WebSocket(Headers::Bare), Version::V5, QoS::AtMostOnce),
        tables: &[Table::Joining, Table::Change, Table::Silence, Table::Once],
        quick: true,
    },
    Contender {
        key: "mqtt-websocket-browser",
        name: "MQTT 5 over WebSocket, by a browser",
        way: mqtt(Over::WebSocket(Headers::Browser), Version::V5, QoS::AtMostOnce),
        tables: &[Table::Joining],
        quick: false,
    },
    Contender {
        key: "mqtt-3.1.1",
        name: "MQTT 3.1.1",
        way: mqtt(Over::Tcp, Version::V3_1_1, QoS::AtMostOnce),
        tables: &[Table::Joining, Table::Change, Table::Silence, Table::Once],
        quick: true,
    },
    Contender {
        key: "mqtt-5",
        name: "MQTT 5",
        way: mqtt(Over::Tcp, Version::V5, QoS::AtMostOnce),
        tables: &[Table::Joining, Table::Change, Table::Silence, Table::Once],
        quick: true,
    },
    Contender {
        key: "mqtt-5-qos-1",
        name: "MQTT 5, QoS 1",
        way: mqtt(Over::Tcp, Version::V5, QoS::AtLeastOnce),
        tables: &[Table::Joining, Table::Change, Table::Once],
        quick: true,
    },
    Contender {
        key: "mqtt-5-hurried",
        name: "MQTT 5, QoS 1, in a hurry",
        way: Way::Mqtt(Mqtt {
            over: Over::Tcp,
            version: Version::V5,
            qos: QoS::AtLeastOnce,
            manner: Manner::Hurries,
        }),
        tables: &[Table::Joining, Table::Once],
        quick: true,
    },
];

const fn polling(server: HttpServer, headers: Headers, every_ms: u64, asks: Asks) -> Way {
    Way::Polling { server, headers, every: Duration::from_millis(every_ms), asks }
}

const fn mqtt(over: Over, version: Version, qos: QoS) -> Way {
    Way::Mqtt(Mqtt { over, version, qos, manner: Manner::Waits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_names_one_row() {
        let keys: BTreeSet<_> = CONTENDERS.iter().map(|contender| contender.key).collect();
        assert_eq!(keys.len(), CONTENDERS.len());
    }
}
