//! Settings that are a list and mostly have one element, which then needs no brackets: `"a"` and `["a", "b"]`.

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData, str::FromStr};

/// What such a list consists of.
pub(super) trait Element: FromStr<Err = String> + for<'de> Deserialize<'de> {
    /// What is expected, for who wrote something else.
    const EXPECTED: &str;
}

/// Reads one element and a list of them alike.
pub(super) fn one_or_many<'de, T: Element, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct OneOrMany<T>(PhantomData<T>);

    impl<'de, T: Element> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::EXPECTED)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.parse().map_err(E::custom)?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = list.next_element()? {
                elements.push(element);
            }
            Ok(elements)
        }
    }

    deserializer.deserialize_any(OneOrMany(PhantomData))
}
