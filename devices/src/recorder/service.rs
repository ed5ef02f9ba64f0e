//! What the recorder says of itself over MQTT, and how it is asked.
//!
//! Requests are bounded and strict, and the answer is the body that HTTP would have.

use super::{
    limits,
    query::{Asked, Problem},
};
use luxwire_shared::{
    client::Message,
    mqtt::{PublishProperties, QoS, Text, TopicName},
};
use serde::{Deserialize, Serialize};

/// How the broker knows the recorder, and which `SERVICE` its topics have, unless it is told another name.
pub const CLIENT_ID: &str = "luxwire-record";

/// What is published when the recorder ends, or is lost.
pub(super) const OFFLINE: &str = r#"{"state":"offline"}"#;

/// Topics that begin so are not recorded: answers would become part of what is asked for.
pub(super) const PREFIX: &str = "luxwire/record/";

/// The retained payload of the status topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Status {
    pub(super) state: &'static str,
    pub(super) filters: Vec<String>,
    /// How many values there are.
    pub(super) values: i64,
    /// When the oldest of them was set.
    pub(super) since: Option<String>,
    /// Why nothing can be stored at present.
    pub(super) problem: Option<String>,
}

impl Status {
    pub(super) fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers")
    }
}

/// `SERVICE` of a client identifier: one level of a topic.
pub(super) fn service(client_id: &str) -> String {
    client_id.chars().map(|char| if "/+#\0".contains(char) { '-' } else { char }).collect()
}

/// `luxwire/record/SERVICE/SUBJECT`; `None` if `service` is not one topic level.
pub(super) fn topic(service: &str, subject: &str) -> Option<TopicName> {
    let is_level = !service.is_empty() && !service.contains('/');
    is_level.then(|| TopicName::try_from(format!("{PREFIX}{service}/{subject}").as_str()).ok())?
}

/// A request: what is asked, and where the answer is to go.
#[derive(Debug)]
pub(super) struct Request {
    /// Or why it is refused.
    pub(super) asked: Result<Asked, Problem>,
    pub(super) reply: Reply,
}

/// Where an answer goes.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    topic: TopicName,
    properties: Option<PublishProperties>,
}

#[derive(Deserialize)]
struct WithResponseTopic {
    response_topic: String,
}

impl Request {
    /// `Err` says why nobody can be answered.
    pub(super) fn parse(message: &Message) -> Result<Self, String> {
        if message.retain {
            return Err("it is retained".to_owned());
        }
        if message.payload.len() > limits::REQUEST {
            return Err("it is too long".to_owned());
        }
        let properties = message.properties.as_deref();
        let of_5 = properties.and_then(|properties| properties.response_topic.clone());
        let mut json: serde_json::Value = match serde_json::from_slice(&message.payload) {
            Ok(json) => json,
            Err(error) => {
                let reply =
                    of_5.map(|topic| Reply::new(topic, properties)).ok_or_else(|| error.to_string())?;
                let problem = Problem::new(400, format!("the request is no JSON: {error}"));
                return Ok(Self { asked: Err(problem), reply });
            }
        };
        // The property goes before the field, which only older clients need.
        let field = serde_json::from_value(json.clone()).map(|with: WithResponseTopic| with.response_topic);
        if let (Some(object), Ok(_)) = (json.as_object_mut(), &field) {
            object.remove("response_topic");
        }
        let topic = match (of_5, field) {
            (Some(topic), _) => topic,
            (None, Ok(field)) => TopicName::try_from(field.as_str())
                .map_err(|error| format!("response_topic: {field:?} is no topic name: {error}"))?,
            (None, Err(_)) => return Err("it does not say where to answer: response_topic".to_owned()),
        };
        let reply = Reply::new(topic, properties);
        let asked = serde_json::from_value(json);
        let asked =
            asked.map_err(|error| Problem::new(400, format!("the request is not understood: {error}")));
        Ok(Self { asked, reply })
    }
}

impl Reply {
    fn new(topic: TopicName, asked: Option<&PublishProperties>) -> Self {
        let properties = asked.map(|asked| PublishProperties {
            correlation_data: asked.correlation_data.clone(),
            ..PublishProperties::default()
        });
        // The parts share the buffer that was read.
        Self { topic: topic.detached(), properties }
    }

    /// The answer as it is published. At QoS 0: who has gone needs none, and it must not fill anybody's queue.
    pub(super) fn message(self, answer: Result<Vec<u8>, Problem>) -> Message {
        let (payload, content_type) = match answer {
            Ok(body) => (body, "application/json"),
            Err(problem) => (problem.to_json(), "application/problem+json"),
        };
        let properties = PublishProperties {
            content_type: Some(Text::from_static(content_type)),
            ..self.properties.unwrap_or_default()
        };
        let message = Message::new(self.topic, payload, QoS::AtMostOnce);
        Message { properties: Some(Box::new(properties)), ..message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(payload: &str) -> Message {
        Message::new(topic("luxwire-record", "request").unwrap(), payload.to_owned(), QoS::AtLeastOnce)
    }

    fn with_properties(payload: &str) -> Message {
        let properties = PublishProperties {
            response_topic: Some(TopicName::try_from("answers/5").unwrap()),
            correlation_data: Some("17".into()),
            ..PublishProperties::default()
        };
        Message { properties: Some(Box::new(properties)), ..request(payload) }
    }

    #[test]
    fn who_asks_with_properties_is_answered_with_properties() {
        let asked = with_properties(r#"{"topic":"a","limit":"3"}"#);
        let Request { asked, reply } = Request::parse(&asked).unwrap();
        let expected = Asked { topic: "a".to_owned(), limit: Some("3".to_owned()), ..Asked::default() };
        assert_eq!(asked, Ok(expected));
        let answer = reply.message(Ok(b"{}".to_vec()));
        assert_eq!(answer.topic.as_str(), "answers/5");
        let properties = answer.properties.unwrap();
        assert_eq!(properties.correlation_data.as_deref(), Some(&b"17"[..]));
        assert_eq!(properties.content_type.as_deref(), Some("application/json"));
    }

    #[test]
    fn an_older_client_says_in_a_field_where_to_answer() {
        let Request { asked, reply } =
            Request::parse(&request(r#"{"topic":"a","response_topic":"answers/3"}"#)).unwrap();
        assert_eq!(asked, Ok(Asked { topic: "a".to_owned(), ..Asked::default() }));
        let answer = reply.message(Err(Problem::new(404, "no")));
        assert_eq!(answer.topic.as_str(), "answers/3");
        let problem: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(problem["status"], 404);
    }

    #[test]
    fn what_cannot_be_answered_is_refused_in_words() {
        for payload in ["", "{", "{}", r#"{"topic":"a"}"#, r#"{"topic":"a","response_topic":"a/#"}"#] {
            assert!(Request::parse(&request(payload)).is_err(), "{payload}");
        }
        assert!(Request::parse(&request(&" ".repeat(limits::REQUEST + 1))).is_err());
        assert!(Request::parse(&Message { retain: true, ..with_properties("{}") }).is_err());
    }

    #[test]
    fn what_is_not_understood_is_answered_with_a_problem() {
        for payload in
            ["", "[]", "{}", r#"{"topic":7}"#, r#"{"topic":"a","limit":3}"#, r#"{"topic":"a","x":"y"}"#]
        {
            let request = Request::parse(&with_properties(payload)).unwrap();
            assert_eq!(request.asked.unwrap_err().status, 400, "{payload}");
        }
    }

    #[test]
    fn a_service_is_one_level() {
        assert_eq!(service("a/b+c#"), "a-b-c-");
        assert_eq!(
            topic("luxwire-record", "status").unwrap().as_str(),
            "luxwire/record/luxwire-record/status"
        );
        for none in ["", "a/b", "+", "a\0"] {
            assert_eq!(topic(none, "status"), None);
        }
    }
}
