//! Everything that can go wrong on purpose. `POST /sim/faults` takes the same names.

use super::limits;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The faults of the moment; the default has none.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Each answer of the hub's interfaces comes so much later, in milliseconds, up to a minute.
    pub latency_ms: u64,
    /// Requests are read and never answered; what they ask for is not done either.
    pub hang: bool,
    /// For so long nobody listens on the ports and all connections are cut; it counts down by itself.
    pub refuse_ms: u64,
    /// So many requests fail.
    pub fail: Option<Failure>,
    /// v1's errors carry their `type` as text, as some hubs have it.
    pub error_type_as_text: bool,
    /// Answers are a page of HTML, as a router's log-in page would be.
    pub garbage: bool,
    /// What happens to the streams of events.
    pub events: Streams,
    /// So many containers of events a second, telling what is known already and of devices that nobody has heard of.
    pub flood_per_s: u32,
    /// Lights without power, by their number in v1.
    pub unreachable: Vec<u16>,
}

/// How requests fail.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// This many requests to come; it counts down.
    pub requests: u32,
    /// The HTTP status of the answer, 400 to 599.
    #[serde(default = "unavailable")]
    pub status: u16,
    /// For v1: answer 200 and an error of this type instead of the status.
    #[serde(default)]
    pub error: Option<u16>,
}

fn unavailable() -> u16 {
    503
}

/// What happens to the streams of events.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Streams {
    /// They carry what happens.
    #[default]
    Flowing,
    /// Those that are open end; whoever comes back is welcome.
    Cut,
    /// Those that are open end, and nobody gets another one (503).
    Refused,
    /// They stay open and say nothing, and what happens meanwhile is never said.
    Silent,
}

impl Faults {
    /// These faults with those of `patch` in their place. `null` heals one.
    pub(crate) fn patched(&self, patch: &Map<String, Value>) -> Result<Self, String> {
        let current = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let Value::Object(mut merged) = current else { return Err("faults are an object".into()) };
        for (name, value) in patch {
            if value.is_null() && merged.contains_key(name) {
                merged.remove(name);
            } else {
                merged.insert(name.clone(), value.clone());
            }
        }
        let faults: Self =
            serde_json::from_value(Value::Object(merged)).map_err(|error| error.to_string())?;
        faults.check()?;
        Ok(faults)
    }

    /// Whether the numbers are within their bounds.
    pub(crate) fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, max: u64| {
            if value <= max { Ok(()) } else { Err(format!("{name} is 0 to {max}")) }
        };
        within("latency_ms", self.latency_ms, limits::LATENCY_MS)?;
        within("refuse_ms", self.refuse_ms, limits::REFUSE_MS)?;
        within("flood_per_s", self.flood_per_s.into(), limits::FLOOD_PER_S.into())?;
        within("the number of unreachable lights", self.unreachable.len() as u64, limits::LIGHTS as u64)?;
        let Some(failure) = &self.fail else { return Ok(()) };
        within("fail.requests", failure.requests.into(), limits::FAILURES.into())?;
        if !(400..=599).contains(&failure.status) {
            return Err("fail.status is an HTTP status from 400 to 599".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(faults: &Faults, patch: Value) -> Result<Faults, String> {
        faults.patched(patch.as_object().unwrap())
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let slow = patched(&Faults::default(), json!({"latency_ms": 500, "hang": true})).unwrap();
        let both = patched(&slow, json!({"fail": {"requests": 2}, "hang": null})).unwrap();
        assert_eq!((both.latency_ms, both.hang), (500, false));
        assert_eq!(both.fail, Some(Failure { requests: 2, status: 503, error: None }));
        assert_eq!(patched(&both, json!({"latency_ms": 0, "fail": null})).unwrap(), Faults::default());
    }

    #[test]
    fn mistakes_are_named_and_change_nothing() {
        let check = |patch: Value, part: &str| {
            let error = patched(&Faults::default(), patch.clone()).unwrap_err();
            assert!(error.contains(part), "{patch}: {error}");
        };
        check(json!({"latency": 5}), "latency");
        check(json!({"nothing": null}), "nothing");
        check(json!({"latency_ms": -1}), "-1");
        check(json!({"latency_ms": 60_001}), "latency_ms");
        check(json!({"fail": {"requests": 1, "status": 200}}), "fail.status");
        check(json!({"events": "sometimes"}), "sometimes");
    }
}
