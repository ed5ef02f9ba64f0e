//! UTF-8 strings as MQTT allows them.

use bytes::Bytes;
use bytestring::ByteString;
use core::{fmt, ops::Deref};

/// A string that MQTT can carry: UTF-8, at most 65,535 bytes, without U+0000. [MQTT-1.5.4-1] [MQTT-1.5.4-2]
/// 3.1.1: [MQTT-1.5.3-1] [MQTT-1.5.3-2]
///
/// Cloning costs a reference count. A byte order mark is kept as data. [MQTT-1.5.4-3]
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(ByteString);

/// Why bytes are no [`Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// Not UTF-8, or a surrogate or an overlong form.
    NotUtf8,
    /// Contains U+0000.
    Null,
    /// Longer than 65,535 bytes.
    TooLong,
}

impl Text {
    /// The longest string, in bytes.
    pub const LEN_MAX: usize = u16::MAX as usize;

    /// The empty string.
    pub const fn new() -> Self {
        Self(ByteString::new())
    }

    /// A string from the program's own text.
    ///
    /// # Panics
    /// If the text is no [`Text`]; meant for literals, so that a constant would not compile.
    pub const fn from_static(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        assert!(bytes.len() <= Self::LEN_MAX, "longer than 65,535 bytes");
        let mut at = 0;
        while at < bytes.len() {
            assert!(bytes[at] != 0, "contains U+0000");
            at += 1;
        }
        Self(ByteString::from_static(text))
    }

    /// The string itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its bytes, sharing the buffer.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }

    /// The same string in a buffer of its own, so that it does not keep the buffer alive that it was read from.
    pub fn detached(&self) -> Self {
        Self(ByteString::from(self.as_str()))
    }
}

impl TryFrom<Bytes> for Text {
    type Error = TextError;

    fn try_from(bytes: Bytes) -> Result<Self, TextError> {
        if bytes.len() > Self::LEN_MAX {
            return Err(TextError::TooLong);
        }
        let text = ByteString::try_from(bytes).map_err(|_| TextError::NotUtf8)?;
        if text.as_bytes().contains(&0) {
            return Err(TextError::Null);
        }
        Ok(Self(text))
    }
}

impl TryFrom<&str> for Text {
    type Error = TextError;

    fn try_from(text: &str) -> Result<Self, TextError> {
        Self::try_from(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl Text {
    /// A copy of a string that is known to be one that MQTT can carry.
    pub(crate) fn valid(text: &str) -> Self {
        debug_assert!(text.len() <= Self::LEN_MAX && !text.as_bytes().contains(&0), "not looked at");
        Self(ByteString::from(text))
    }

    /// A string that is known to be ASCII without U+0000.
    #[inline]
    pub(crate) fn from_ascii(ascii: Bytes) -> Self {
        Self(ByteString::try_from(ascii).expect("ASCII is UTF-8"))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not UTF-8",
            Self::Null => "contains U+0000",
            Self::TooLong => "longer than 65,535 bytes",
        })
    }
}

impl core::error::Error for TextError {}
