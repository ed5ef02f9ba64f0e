//! The topics over which a service that speaks to Philips Hue hubs is asked and tells how it stands. Nothing else in
//! Luxwire spells them.
//!
//! `luxwire/hue/SERVICE/status` is retained: a JSON object with the hubs, the search and the pairing.
//! `luxwire/hue/SERVICE/request` is not: a JSON object that asks for something. What stands in them is the business of
//! those who speak; docs/hue.md has the fields. SERVICE is one topic level, the service's client identifier.

use crate::mqtt::{QoS, Subscribable, SubscribeFilter, TopicFilter, TopicName};
use alloc::format;

const PREFIX: &str = "luxwire/hue/";
const STATUS: &str = "/status";
const REQUEST: &str = "/request";

/// What to subscribe to in order to follow every service.
pub fn every_status() -> SubscribeFilter {
    let filter = format!("{PREFIX}+{STATUS}");
    let filter = TopicFilter::try_from(filter.as_str()).expect("a + that fills its level");
    SubscribeFilter::new(Subscribable::own(filter), QoS::AtLeastOnce)
}

/// Which service tells how it stands on this topic; `None` if the topic is about something else.
pub fn service(topic: &str) -> Option<&str> {
    let service = topic.strip_prefix(PREFIX)?.strip_suffix(STATUS)?;
    (!service.is_empty() && !service.contains('/')).then_some(service)
}

/// Where a service tells how it stands; `None` if `service` is not one topic level.
pub fn status(service: &str) -> Option<TopicName> {
    topic(service, STATUS)
}

/// Where a service is asked for something; `None` if `service` is not one topic level.
pub fn request(service: &str) -> Option<TopicName> {
    topic(service, REQUEST)
}

fn topic(service: &str, subject: &str) -> Option<TopicName> {
    if service.is_empty() || service.contains('/') {
        return None;
    }
    TopicName::try_from(format!("{PREFIX}{service}{subject}").as_str()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_one_level_of_its_topics() {
        assert_eq!(status("luxwire-hue").unwrap().as_str(), "luxwire/hue/luxwire-hue/status");
        assert_eq!(request("luxwire-hue").unwrap().as_str(), "luxwire/hue/luxwire-hue/request");
        assert_eq!(service("luxwire/hue/luxwire-hue/status"), Some("luxwire-hue"));
        for none in
            ["luxwire/hue//status", "luxwire/hue/status", "luxwire/hue/a/b/status", "luxwire/hue/a/request"]
        {
            assert_eq!(service(none), None, "{none}");
        }
        for none in ["", "a/b", "+", "#", "a\0"] {
            assert_eq!((status(none), request(none)), (None, None), "{none:?}");
        }
    }
}
