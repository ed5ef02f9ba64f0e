//! A topic filter, as people write it: `"lights/#"`.

use luxwire_shared::mqtt::TopicFilter;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A topic filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter(pub(crate) TopicFilter);

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let filter = TopicFilter::try_from(text.as_str());
        filter
            .map(Self)
            .map_err(|error| D::Error::custom(format_args!("{text:?} is no topic filter: {error}")))
    }
}
