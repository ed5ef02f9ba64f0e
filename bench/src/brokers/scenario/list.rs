//! All scenarios, in the order of the page: what matters most to those who run a broker comes first.
//!
//! Not there, since the server has neither yet: TLS (handshakes a second, and pairs over it), and sessions that survive
//! a loss of power (pairs at QoS 1 and 2 to persistent sessions, each acknowledged after its commit).

use super::{super::load::Dialect, Flow, Queued, Scenario, Task, shape::Shape};
use mqttbytes::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};

pub(in crate::brokers) const SCENARIOS: &[Scenario] = &[
    also_unpinned(flow("pair-q0", "50 pairs, QoS 0, 100 in flight each", Flow::new(PAIRS, AtMostOnce))),
    also_unpinned(flow("pair-q1", "50 pairs, QoS 1, 20 unacknowledged each", Flow::new(PAIRS, AtLeastOnce))),
    flow("pair-q2", "50 pairs, QoS 2, 20 unacknowledged each", Flow::new(PAIRS, ExactlyOnce)),
    flow(
        "five-q1",
        "50 pairs that speak MQTT 5, QoS 1",
        Flow::new(PAIRS, AtLeastOnce).speaking(Dialect::Five),
    ),
    flow(
        "five-described-q1",
        "the same with a user property and a content type on each message",
        Flow::new(PAIRS, AtLeastOnce).speaking(Dialect::FiveDescribed),
    ),
    flow("unbatched-q0", "500 pairs, QoS 0, one in flight each", Flow::new(UNBATCHED, AtMostOnce)),
    also_unpinned(flow(
        "unbatched-q1",
        "500 pairs, QoS 1, one in flight each",
        Flow::new(UNBATCHED, AtLeastOnce),
    )),
    also_unpinned(flow(
        "fanout-q0",
        "one publisher to 500, QoS 0, 64 in flight",
        Flow::new(fan_out(500), AtMostOnce),
    )),
    flow("fanout-q1", "one publisher to 500, QoS 1, 20 unacknowledged", Flow::new(fan_out(500), AtLeastOnce)),
    flow(
        "fanout-half-q1",
        "one publisher to 500, QoS 1, of whom every second one subscribed at QoS 0",
        Flow::new(Shape::HalfAtMostOnce { subscribers: 500, in_flight: 64 }, AtLeastOnce),
    ),
    flow("fanout-5000-q0", "one publisher to 5,000, QoS 0", Flow::new(fan_out(5_000), AtMostOnce)),
    flow("fanout-5000-q1", "one publisher to 5,000, QoS 1", Flow::new(fan_out(5_000), AtLeastOnce)),
    also_unpinned(flow(
        "wild-q0",
        "10 publishers, 1,000 topics, 1,000 subscribers with a wildcard each, 10 receive each message, QoS 0",
        Flow::new(Shape::Wildcards, AtMostOnce),
    )),
    flow("wild-q1", "the same at QoS 1", Flow::new(Shape::Wildcards, AtLeastOnce)),
    flow(
        "topics-100k-q0",
        "50 pairs that go round through 2,000 topics each, a subscriber to each prefix, QoS 0",
        Flow::new(MANY_TOPICS, AtMostOnce),
    ),
    flow("topics-100k-q1", "the same at QoS 1", Flow::new(MANY_TOPICS, AtLeastOnce)),
    flow(
        "shared-q1",
        "50 publishers to 50 who share one subscription, QoS 1, 20 unacknowledged each",
        Flow::new(Shape::Shared { members: 50, in_flight: 100 }, AtLeastOnce),
    ),
    flow(
        "filters-100",
        "50 pairs, QoS 0, beside 50 filters that nothing matches",
        Flow::new(PAIRS, AtMostOnce).beside_filters(50),
    ),
    flow(
        "filters-100k",
        "the same beside 100,000 filters: the cost of a message should not double",
        Flow::new(PAIRS, AtMostOnce).beside_filters(100_000),
    ),
    also_unpinned(flow(
        "ws-pair-q0",
        "50 pairs over WebSocket, QoS 0",
        Flow::new(PAIRS, AtMostOnce).over_websocket(),
    )),
    flow("ws-pair-q1", "50 pairs over WebSocket, QoS 1", Flow::new(PAIRS, AtLeastOnce).over_websocket()),
    plain("retained-100k", "100,000 retained messages, stored, then fetched with #", Task::Retained(100_000)),
    heavy(
        "retained-1m",
        "1,000,000 retained messages, stored, then fetched with #",
        Task::Retained(1_000_000),
    ),
    plain(
        "retained-anew",
        "values of 10,000 topics, retained and set over and over at QoS 1, then fetched with #",
        Task::Renewed(10_000),
    ),
    plain(
        "queued-own",
        "1,000 sessions away, 100 messages for each at QoS 1, then all come back",
        queued(false),
    ),
    plain("queued-common", "the same 100 messages for all of them", queued(true)),
    plain("idle-10k", "10,000 idle connections", Task::Idle { count: 10_000, websocket: false }),
    heavy(
        "idle-20k",
        "20,000 idle connections, or as many as a process may have",
        Task::Idle { count: 20_000, websocket: false },
    ),
    plain(
        "idle-ws-10k",
        "10,000 idle connections over WebSocket",
        Task::Idle { count: 10_000, websocket: true },
    ),
    plain("storm", "clients connect, subscribe and leave, 64 at once", Task::Storm),
    also_unpinned(plain("latency-q0", "one message at a time, QoS 0", latency(AtMostOnce))),
    plain("latency-q1", "one message at a time, QoS 1", latency(AtLeastOnce)),
    also_unpinned(plain(
        "loaded-latency-q0",
        "the same beside half of its own pair-q0",
        loaded_latency(AtMostOnce),
    )),
    plain(
        "loaded-latency-q1",
        "the same at QoS 1, beside half of its own pair-q0",
        loaded_latency(AtLeastOnce),
    ),
    flow(
        "fanin-q0",
        "500 publishers to one subscriber, QoS 0, 10 in flight each",
        Flow::new(fan_in(10), AtMostOnce),
    ),
    flow(
        "fanin-q1",
        "500 publishers to one subscriber, QoS 1, one in flight each",
        Flow::new(fan_in(1), AtLeastOnce),
    ),
    flow("payload-16", "50 pairs, QoS 0, 16 bytes", Flow::new(PAIRS, AtMostOnce).with_payload(16)),
    flow("payload-1k", "50 pairs, QoS 0, 1 KiB", Flow::new(PAIRS, AtMostOnce).with_payload(1 << 10)),
    flow(
        "payload-16k",
        "50 pairs, QoS 0, 16 KiB, 16 in flight",
        Flow::new(few(16), AtMostOnce).with_payload(16 << 10),
    ),
    flow(
        "payload-64k",
        "50 pairs, QoS 0, 64 KiB, 4 in flight",
        Flow::new(few(4), AtMostOnce).with_payload(64 << 10),
    ),
    flow(
        "reluctant-q0",
        "one publisher to 100, QoS 0, beside 20 that read slowly and 20 that never read",
        Flow::new(RELUCTANT, AtMostOnce),
    ),
    flow("reluctant-q1", "the same at QoS 1", Flow::new(RELUCTANT, AtLeastOnce)),
    plain("start", "from start to the first client's welcome", Task::Start),
    plain(
        "churn",
        "sessions, filters, retained values, wills, queues and slow readers come and go; 10 pairs at QoS 1 before and after",
        Task::Churn,
    ),
];

/// 50 publishers, each with a subscriber of its own.
const PAIRS: Shape = few(100);

/// The same with fewer messages in flight: large ones.
const fn few(in_flight: usize) -> Shape {
    Shape::Pairs { count: 50, in_flight }
}

/// Pairs that wait for each message, so that nothing can be gathered.
const UNBATCHED: Shape = Shape::Pairs { count: 500, in_flight: 1 };

/// As many messages in flight as with pairs, but no two in a row of one topic.
const MANY_TOPICS: Shape = Shape::Topics { pairs: 50, topics: 2_000, in_flight: 100 };

const fn fan_out(subscribers: usize) -> Shape {
    Shape::FanOut { subscribers, in_flight: 64 }
}

/// At QoS 1 all that is in flight fits the queue that brokers have for one subscriber, commonly a thousand messages.
const fn fan_in(in_flight: usize) -> Shape {
    Shape::FanIn { publishers: 500, in_flight }
}

const RELUCTANT: Shape = Shape::Reluctant { subscribers: 100, in_flight: 64, slow: 20, frozen: 20 };

const fn queued(is_common: bool) -> Task {
    Task::Queued(Queued { sessions: 1_000, messages: 100, is_common })
}

const fn latency(qos: QoS) -> Task {
    Task::Latency { qos, background: None }
}

const fn loaded_latency(qos: QoS) -> Task {
    Task::Latency { qos, background: Some(Flow::new(PAIRS, AtMostOnce)) }
}

const fn flow(key: &'static str, title: &'static str, flow: Flow) -> Scenario {
    plain(key, title, Task::Flow(flow))
}

const fn plain(key: &'static str, title: &'static str, task: Task) -> Scenario {
    Scenario { key, title, heavy: false, also_unpinned: false, task }
}

const fn heavy(key: &'static str, title: &'static str, task: Task) -> Scenario {
    Scenario { heavy: true, ..plain(key, title, task) }
}

const fn also_unpinned(scenario: Scenario) -> Scenario {
    Scenario { also_unpinned: true, ..scenario }
}
