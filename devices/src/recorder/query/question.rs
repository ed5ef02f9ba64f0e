//! What is asked of a history: the fields of a query string, a request over MQTT, or flags, once they are understood.

use super::when::{duration, moment};
use crate::recorder::{arrival::Millis, limits};
use luxwire_shared::mqtt::TopicName;
use serde::{Deserialize, Serialize};

/// As it is asked, each field a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::recorder) struct Asked {
    pub(in crate::recorder) topic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::recorder) from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::recorder) to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::recorder) step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::recorder) limit: Option<String>,
}

/// As it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::recorder) struct Question {
    pub(in crate::recorder) topic: TopicName,
    pub(in crate::recorder) from: Millis,
    /// Of the values of that millisecond only those that came after this one: where an earlier answer ended.
    pub(in crate::recorder) after_seq: i64,
    /// Not itself. `None`: to the end, which may lie ahead where clocks differ.
    pub(in crate::recorder) to: Option<Millis>,
    /// A whole number of seconds; `None` asks for the values themselves.
    pub(in crate::recorder) step: Option<Millis>,
    pub(in crate::recorder) limit: u64,
}

impl Asked {
    /// An error names the field, and how it is written.
    pub(in crate::recorder) fn understand(&self, now: Millis) -> Result<Question, String> {
        let topic = TopicName::try_from(self.topic.as_str())
            .map_err(|error| format!("topic: {:?} is no topic name: {error}", self.topic))?;
        let from = self.from.as_deref().unwrap_or("-24h");
        let (from, after_seq) = match from.split_once('.').map(|(at, seq)| (at.parse(), seq.parse())) {
            // What an answer said as `next`.
            Some((Ok(at), Ok(seq))) if at >= 0 && seq >= 0 => (at, seq),
            _ => (moment(from, now).map_err(|error| format!("from: {error}"))?, 0),
        };
        let to = match self.to.as_deref() {
            None => None,
            Some(to) => Some(moment(to, now).map_err(|error| format!("to: {error}"))?),
        };
        if let Some(to) = to.filter(|to| *to < from) {
            return Err(format!("to: it is {} ms before from", from - to));
        }
        let step = self.step.as_deref().map(|step| {
            let step = duration(step).map_err(|error| format!("step: {error}"))?;
            let is_whole = step.as_secs() > 0 && step.subsec_nanos() == 0;
            let millis = Millis::try_from(step.as_millis()).ok().filter(|_| is_whole);
            millis.ok_or_else(|| "step: it must be a whole number of seconds, and at least one".to_owned())
        });
        let limit = match self.limit.as_deref() {
            None => limits::ANSWER_VALUES,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=limits::ANSWER_VALUES_MAX).contains(limit));
                limit.ok_or_else(|| {
                    format!("limit: {text:?} is no number from 1 to {}", limits::ANSWER_VALUES_MAX)
                })?
            }
        };
        Ok(Question { topic, from, after_seq, to, step: step.transpose()?, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_800_000_000;

    fn asked(from: &str, to: &str, step: &str, limit: &str) -> Asked {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Asked {
            topic: "lights/desk/intensity".to_owned(),
            from: some(from),
            to: some(to),
            step: some(step),
            limit: some(limit),
        }
    }

    #[test]
    fn what_is_left_out_is_filled_in() {
        let question = asked("", "", "", "").understand(NOW).unwrap();
        assert_eq!((question.from, question.to, question.step), (NOW - 86_400_000, None, None));
        assert_eq!((question.after_seq, question.limit), (0, limits::ANSWER_VALUES));
        let question = asked("1795799999999.17", "now", "5m", "3").understand(NOW).unwrap();
        assert_eq!((question.from, question.after_seq, question.to), (NOW - 1, 17, Some(NOW)));
        assert_eq!((question.step, question.limit), (Some(300_000), 3));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_field() {
        let refused = |asked: Asked, field: &str| {
            let error = asked.understand(NOW).unwrap_err();
            assert!(error.starts_with(field), "{error}");
        };
        refused(asked("soon", "", "", ""), "from:");
        refused(asked("1.5.2", "", "", ""), "from:");
        refused(asked("-5.5", "", "", ""), "from:");
        refused(asked("", "x", "", ""), "to:");
        refused(asked("now", "-1h", "", ""), "to:");
        refused(asked("", "", "0s", ""), "step:");
        refused(asked("", "", "1500ms", ""), "step:");
        refused(asked("", "", "", "0"), "limit:");
        refused(asked("", "", "", "10001"), "limit:");
        for topic in ["", "lights/+/intensity", "lights/#", "a\0"] {
            refused(Asked { topic: topic.to_owned(), ..Asked::default() }, "topic:");
        }
    }
}
