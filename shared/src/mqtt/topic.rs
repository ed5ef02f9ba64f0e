//! Topic names, topic filters and share names: what exists is valid.

use crate::mqtt::text::{Text, TextError};
use bytes::Bytes;
use core::{fmt, ops::Deref, str};

/// The name that a message is published under: at least one character, no wildcard. [MQTT-4.7.3-1] [MQTT-3.3.2-2]
/// [MQTT-4.7.0-1]
///
/// What holds for every string of MQTT holds here as well. [MQTT-4.7.3-2] [MQTT-4.7.3-3]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Text);

/// A topic name that lies elsewhere: in a packet as it was read, or in a [`TopicName`].
///
/// Its bytes are UTF-8, but are not kept as a string: most of them are only compared and copied, and to take bytes for a
/// string they must be gone through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicRef<'a>(&'a [u8]);

/// What a subscription matches names against; `+` and `#` stand only where they may. [MQTT-4.7.1-1] [MQTT-4.7.1-2]
///
/// A filter that begins with `$share/` is no `TopicFilter`: see [`Subscribable`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter(Text);

/// The name of a group that shares a subscription: at least one character, none of `/ + #`. [MQTT-4.8.2-1] [MQTT-4.8.2-2]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareName(Text);

/// What a SUBSCRIBE or UNSUBSCRIBE names: a filter, or a filter shared by a group (`$share/GROUP/FILTER`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subscribable {
    /// The group; `None` where the subscriber wants every message for itself.
    pub share: Option<ShareName>,
    /// What is matched.
    pub filter: TopicFilter,
}

/// One level of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level<'a> {
    /// Exactly this text, which may be empty.
    Text(&'a str),
    /// `+`: any one level.
    Plus,
    /// `#`: this level's parent and everything below it.
    Hash,
}

/// Why a string is no topic name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicError {
    /// No character at all.
    Empty,
    /// Contains `+` or `#`.
    Wildcard,
    /// No MQTT string.
    Text(TextError),
}

/// Why a string is no topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// No character at all.
    Empty,
    /// A `+` that does not fill its level, or a `#` that does not fill the last one.
    Wildcard,
    /// `$share/` without a valid name and filter behind it.
    Share,
    /// No MQTT string.
    Text(TextError),
}

impl TopicName {
    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as an MQTT string, sharing the buffer.
    pub fn as_text(&self) -> &Text {
        &self.0
    }

    /// The levels, separated by `/`; a level may be empty.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        self.borrowed().levels()
    }

    /// Whether it begins with `$`, so that a filter must name its first level to match it. [MQTT-4.7.2-1]
    pub fn is_reserved(&self) -> bool {
        self.borrowed().is_reserved()
    }

    /// The same name, borrowed.
    #[inline]
    pub fn borrowed(&self) -> TopicRef<'_> {
        TopicRef(self.0.as_bytes())
    }

    /// The same name in a buffer of its own.
    pub fn detached(&self) -> Self {
        Self(self.0.detached())
    }

    /// Whether these bytes are a name in ASCII, which most names are: eight of them are looked at in one step.
    #[inline]
    pub(crate) fn is_plain(bytes: &[u8]) -> bool {
        const ONES: u64 = u64::from_le_bytes([1; 8]);
        /// Has its highest bit set in each byte that is 0, and perhaps in those above one that is.
        const fn zeros(word: u64) -> u64 {
            word.wrapping_sub(ONES) & !word & (ONES << 7)
        }
        let (words, rest) = bytes.as_chunks();
        let bad_in_words = words.iter().fold(0, |bad, word| {
            let word = u64::from_le_bytes(*word);
            // `#` and `+` differ in one bit.
            let wildcards = zeros((word | ONES << 3) ^ (ONES * u64::from(b'+')));
            bad | (word & (ONES << 7)) | zeros(word) | wildcards
        });
        let bad_in_rest = rest.iter().any(|byte| !byte.is_ascii() || matches!(byte, 0 | b'#' | b'+'));
        !bytes.is_empty() && bad_in_words == 0 && !bad_in_rest
    }

    /// A name that [`TopicName::is_plain`] has found good.
    #[inline]
    pub(crate) fn from_plain(bytes: Bytes) -> Self {
        debug_assert!(Self::is_plain(&bytes), "not looked at");
        Self(Text::from_ascii(bytes))
    }
}

impl<'a> TopicRef<'a> {
    /// The name's bytes.
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The name as a string.
    pub fn as_str(self) -> &'a str {
        str::from_utf8(self.0).expect("it was looked at, or comes from a string")
    }

    /// The levels, separated by `/`; a level may be empty.
    pub fn levels(self) -> impl Iterator<Item = &'a str> {
        self.as_str().split('/')
    }

    /// Whether it begins with `$`, so that a filter must name its first level to match it. [MQTT-4.7.2-1]
    #[inline]
    pub fn is_reserved(self) -> bool {
        self.0.first() == Some(&b'$')
    }

    /// The same name in a buffer of its own.
    pub fn detached(self) -> TopicName {
        TopicName(Text::valid(self.as_str()))
    }

    /// A name that was looked at.
    #[inline]
    pub(crate) fn from_valid(bytes: &'a [u8]) -> Self {
        debug_assert!(
            str::from_utf8(bytes).is_ok_and(|name| TopicName::try_from(name).is_ok()),
            "not looked at"
        );
        Self(bytes)
    }
}

impl<'a> From<&'a TopicName> for TopicRef<'a> {
    #[inline]
    fn from(name: &'a TopicName) -> Self {
        name.borrowed()
    }
}

impl TopicFilter {
    /// The filter as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The filter as an MQTT string, sharing the buffer.
    pub fn as_text(&self) -> &Text {
        &self.0
    }

    /// The levels, separated by `/`; a level may be empty.
    pub fn levels(&self) -> impl Iterator<Item = Level<'_>> {
        self.0.as_str().split('/').map(|level| match level {
            "+" => Level::Plus,
            "#" => Level::Hash,
            text => Level::Text(text),
        })
    }

    /// Whether it contains `+` or `#`.
    pub fn has_wildcard(&self) -> bool {
        self.0.as_bytes().iter().any(|byte| matches!(byte, b'+' | b'#'))
    }

    /// Whether a message with this name belongs to the subscription. Levels are compared as they stand. [MQTT-4.7.3-4]
    /// [MQTT-4.7.2-1]
    pub fn matches<'a>(&self, topic: impl Into<TopicRef<'a>>) -> bool {
        let topic = topic.into();
        let mut names = topic.levels();
        for (depth, level) in self.levels().enumerate() {
            let wild_at_the_top_of_a_reserved_name = depth == 0 && topic.is_reserved();
            match level {
                Level::Hash => return !wild_at_the_top_of_a_reserved_name,
                Level::Plus if wild_at_the_top_of_a_reserved_name => return false,
                Level::Plus => {
                    if names.next().is_none() {
                        return false;
                    }
                }
                Level::Text(text) => {
                    if names.next() != Some(text) {
                        return false;
                    }
                }
            }
        }
        names.next().is_none()
    }

    /// The same filter in a buffer of its own.
    pub fn detached(&self) -> Self {
        Self(self.0.detached())
    }
}

impl ShareName {
    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same name in a buffer of its own.
    pub fn detached(&self) -> Self {
        Self(self.0.detached())
    }
}

impl Subscribable {
    /// Subscribes for oneself alone.
    pub fn own(filter: TopicFilter) -> Self {
        Self { share: None, filter }
    }

    /// The same in buffers of its own.
    pub fn detached(&self) -> Self {
        Self { share: self.share.as_ref().map(ShareName::detached), filter: self.filter.detached() }
    }
}

impl TryFrom<Text> for TopicName {
    type Error = TopicError;

    fn try_from(text: Text) -> Result<Self, TopicError> {
        if text.is_empty() {
            return Err(TopicError::Empty);
        }
        if text.as_bytes().iter().any(|byte| matches!(byte, b'+' | b'#')) {
            return Err(TopicError::Wildcard);
        }
        Ok(Self(text))
    }
}

impl TryFrom<&str> for TopicName {
    type Error = TopicError;

    fn try_from(text: &str) -> Result<Self, TopicError> {
        Self::try_from(Text::try_from(text).map_err(TopicError::Text)?)
    }
}

impl TryFrom<Text> for TopicFilter {
    type Error = FilterError;

    fn try_from(text: Text) -> Result<Self, FilterError> {
        if text.is_empty() {
            return Err(FilterError::Empty);
        }
        if text.as_str() == "$share" || text.starts_with("$share/") {
            return Err(FilterError::Share);
        }
        let mut after_hash = false;
        for level in text.split('/') {
            let wild = level.bytes().any(|byte| matches!(byte, b'+' | b'#'));
            if after_hash || (wild && level.len() > 1) {
                return Err(FilterError::Wildcard);
            }
            after_hash = level == "#";
        }
        Ok(Self(text))
    }
}

impl TryFrom<&str> for TopicFilter {
    type Error = FilterError;

    fn try_from(text: &str) -> Result<Self, FilterError> {
        Self::try_from(Text::try_from(text).map_err(FilterError::Text)?)
    }
}

impl TryFrom<Text> for ShareName {
    type Error = FilterError;

    fn try_from(text: Text) -> Result<Self, FilterError> {
        if text.is_empty() || text.bytes().any(|byte| matches!(byte, b'/' | b'+' | b'#')) {
            return Err(FilterError::Share);
        }
        Ok(Self(text))
    }
}

impl TryFrom<Text> for Subscribable {
    type Error = FilterError;

    fn try_from(text: Text) -> Result<Self, FilterError> {
        let Some(rest) = text.strip_prefix("$share/") else {
            return Ok(Self::own(TopicFilter::try_from(text)?));
        };
        let Some((name, filter)) = rest.split_once('/') else {
            return Err(FilterError::Share);
        };
        let (name_start, filter_start) = (text.len() - rest.len(), text.len() - filter.len());
        let name_end = name_start + name.len();
        let bytes = text.clone().into_bytes();
        let name = Text::try_from(bytes.slice(name_start..name_end)).map_err(FilterError::Text)?;
        let filter = Text::try_from(bytes.slice(filter_start..)).map_err(FilterError::Text)?;
        if filter.is_empty() {
            return Err(FilterError::Share);
        }
        Ok(Self { share: Some(ShareName::try_from(name)?), filter: TopicFilter::try_from(filter)? })
    }
}

impl TryFrom<&str> for Subscribable {
    type Error = FilterError;

    fn try_from(text: &str) -> Result<Self, FilterError> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        Self::try_from(Text::try_from(bytes).map_err(FilterError::Text)?)
    }
}

impl Deref for TopicName {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

macro_rules! show_as_text {
    ($($name:ty),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

show_as_text!(TopicName, TopicFilter, ShareName);

impl fmt::Debug for TopicRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Subscribable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.share {
            None => self.filter.fmt(f),
            Some(share) => write!(f, "$share/{share}/{}", self.filter),
        }
    }
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a topic name needs at least one character"),
            Self::Wildcard => f.write_str("a topic name must not contain + or #"),
            Self::Text(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a topic filter needs at least one character"),
            Self::Wildcard => f.write_str("+ must fill a level, # must fill the last level"),
            Self::Share => f.write_str("a shared subscription is $share/GROUP/FILTER, GROUP without / + #"),
            Self::Text(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TopicError {}
impl core::error::Error for FilterError {}
