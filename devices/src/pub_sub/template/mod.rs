//! The output format of `-F`: a text with `%` for what a message holds, `@` for the time and `\` for special characters.
//!
//! A template is read once and written for each message, as bytes: payloads need not be text. It prints nothing itself.

mod json;
mod number;

use jiff::{
    Timestamp, Zoned,
    fmt::{
        StdIoWrite,
        strtime::{BrokenDownTime, Config, PosixCustom},
    },
    tz::TimeZone,
};
use luxwire_shared::{
    client::Message,
    mqtt::{PublishProperties, QoS},
};
use std::io::Write as _;

/// A field is never made wider than this: nobody reads more in a line.
const WIDTH_MAX: usize = 1_000;

/// A template that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    pretty: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Field(Field, Shape),
    /// A conversion of strftime.
    Time(u8),
    Nanoseconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Payload,
    HexLower,
    HexUpper,
    Topic,
    Length,
    QoS,
    Retained,
    Id,
    Alias,
    ContentType,
    Correlation,
    Expiry,
    Format,
    UserProperties,
    ResponseTopic,
    SubscriptionId,
    IsoTime,
    UnixTime,
    JsonText,
    JsonValue,
}

/// How wide, and what fills it up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    left: bool,
    zero: bool,
    width: usize,
    longest: Option<usize>,
}

/// What is wrong with a template, in the words that scripts know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateError {
    IncompleteField,
    Field(char),
    IncompleteEscape,
    Escape(char),
    Width,
}

/// The payload was to be shown as JSON, and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

impl Template {
    /// Reads a template; `pretty` spreads its JSON over several lines.
    pub(super) fn parse(text: &[u8], pretty: bool) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let mut rest = Rest(text);
        while let Some(byte) = rest.next() {
            let piece = match byte {
                b'%' => match rest.field()? {
                    Ok(piece) => piece,
                    Err(literal) => {
                        plain.push(literal);
                        continue;
                    }
                },
                b'@' => match rest.next().ok_or(TemplateError::IncompleteField)? {
                    b'@' => {
                        plain.push(b'@');
                        continue;
                    }
                    b'N' => Piece::Nanoseconds,
                    conversion => Piece::Time(conversion),
                },
                b'\\' => {
                    plain.push(rest.escape()?);
                    continue;
                }
                byte => {
                    plain.push(byte);
                    continue;
                }
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces, pretty })
    }

    /// Whether the time is needed, which costs more than most messages.
    pub(super) fn tells_time(&self) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Time(_) | Piece::Nanoseconds => true,
            Piece::Field(field, _) => {
                matches!(field, Field::IsoTime | Field::UnixTime | Field::JsonText | Field::JsonValue)
            }
            Piece::Text(_) => false,
        })
    }

    /// Writes a message that came at `now`. After an error what was written so far stands.
    pub(super) fn write(&self, message: &Message, now: &Zoned, out: &mut Vec<u8>) -> Result<(), NotJson> {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Nanoseconds => {
                    let _ = write!(out, "{:09}", now.subsec_nanosecond());
                }
                Piece::Time(conversion) => write_time(*conversion, now, out),
                Piece::Field(field, shape) => self.write_field(*field, *shape, message, now, out)?,
            }
        }
        Ok(())
    }

    fn write_field(
        &self,
        field: Field,
        shape: Shape,
        message: &Message,
        now: &Zoned,
        out: &mut Vec<u8>,
    ) -> Result<(), NotJson> {
        let none = PublishProperties::default();
        let properties = message.properties.as_deref().unwrap_or(&none);
        match field {
            Field::Payload => shape.bytes(&message.payload, out),
            Field::HexLower => shape.bytes(&hex(&message.payload, b"0123456789abcdef"), out),
            Field::HexUpper => shape.bytes(&hex(&message.payload, b"0123456789ABCDEF"), out),
            Field::Topic => shape.text(&message.topic, out),
            Field::Length => shape.number(Some(message.payload.len()), out),
            Field::QoS => out.push(b'0' + message.qos.number()),
            Field::Retained => out.push(b'0' + u8::from(message.retain)),
            Field::Id => shape.number(Some(message.id.map_or(0, |id| id.number())), out),
            // The client takes no aliases: the topic always comes by its name.
            Field::Alias => shape.number(None::<u16>, out),
            Field::ContentType => shape.text(properties.content_type.as_deref().unwrap_or_default(), out),
            Field::Correlation => {
                out.extend_from_slice(properties.correlation_data.as_deref().unwrap_or_default())
            }
            Field::Expiry => shape.number(properties.message_expiry_interval_s, out),
            Field::Format => shape.number(properties.payload_format.map(|format| format as u8), out),
            Field::UserProperties => {
                for (at, (name, value)) in properties.user_properties.iter().enumerate() {
                    let space = if at > 0 { " " } else { "" };
                    let _ = write!(out, "{space}{name}:{value}");
                }
            }
            Field::ResponseTopic => {
                shape.text(properties.response_topic.as_ref().map_or("", |topic| topic.as_str()), out);
            }
            Field::SubscriptionId => {
                shape.number(properties.subscription_ids.first().map(|id| id.number()), out);
            }
            Field::IsoTime => shape.text(&iso_time(now), out),
            Field::UnixTime => {
                let timestamp = now.timestamp();
                let _ = write!(out, "{}.{:09}", timestamp.as_second(), timestamp.subsec_nanosecond());
            }
            Field::JsonText => {
                json::write_message(message, &json_time(now), json::Payload::Text, self.pretty, out)?
            }
            Field::JsonValue => {
                json::write_message(message, &json_time(now), json::Payload::Value, self.pretty, out)?
            }
        }
        Ok(())
    }
}

/// Now, where this machine is.
pub(super) fn now() -> Zoned {
    Timestamp::now().to_zoned(TimeZone::system())
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn number(&mut self) -> Result<Option<usize>, TemplateError> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        let number = number.iter().fold(0_usize, |number, digit| {
            number.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
        });
        if number > WIDTH_MAX {
            return Err(TemplateError::Width);
        }
        Ok((digits > 0).then_some(number))
    }

    /// Behind a percent sign: a field, or a character that stands for itself.
    fn field(&mut self) -> Result<Result<Piece, u8>, TemplateError> {
        let mut shape = Shape { left: self.eat(b'-'), ..Shape::default() };
        shape.zero = self.eat(b'0') && !shape.left;
        shape.width = self.number()?.unwrap_or(0);
        if self.eat(b'.') {
            shape.longest = Some(self.number()?.unwrap_or(0));
        }
        let field = match self.next().ok_or(TemplateError::IncompleteField)? {
            b'%' => return Ok(Err(b'%')),
            b'A' => Field::Alias,
            b'C' => Field::ContentType,
            b'D' => Field::Correlation,
            b'E' => Field::Expiry,
            b'F' => Field::Format,
            b'I' => Field::IsoTime,
            b'j' => Field::JsonText,
            b'J' => Field::JsonValue,
            b'l' => Field::Length,
            b'm' => Field::Id,
            b'p' => Field::Payload,
            b'P' => Field::UserProperties,
            b'q' => Field::QoS,
            b'r' => Field::Retained,
            b'R' => Field::ResponseTopic,
            b'S' => Field::SubscriptionId,
            b't' => Field::Topic,
            b'U' => Field::UnixTime,
            b'x' => Field::HexLower,
            b'X' => Field::HexUpper,
            other => return Err(TemplateError::Field(char::from(other))),
        };
        Ok(Ok(Piece::Field(field, shape)))
    }

    fn escape(&mut self) -> Result<u8, TemplateError> {
        Ok(match self.next().ok_or(TemplateError::IncompleteEscape)? {
            b'\\' => b'\\',
            b'0' => 0,
            b'a' => 0x07,
            b'e' => 0x1B,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0B,
            other => return Err(TemplateError::Escape(char::from(other))),
        })
    }
}

impl Shape {
    fn number(self, number: Option<impl ToString>, out: &mut Vec<u8>) {
        let number = number.map_or_else(String::new, |number| number.to_string());
        self.filled(number.as_bytes(), number.len(), if self.zero { b'0' } else { b' ' }, out);
    }

    /// Zeros are no filling for text.
    fn text(self, text: &str, out: &mut Vec<u8>) {
        let text = match self.longest.and_then(|longest| text.char_indices().nth(longest)) {
            Some((end, _)) => &text[..end],
            None => text,
        };
        self.filled(text.as_bytes(), text.chars().count(), b' ', out);
    }

    fn bytes(self, bytes: &[u8], out: &mut Vec<u8>) {
        self.filled(bytes, bytes.len(), if self.zero { b'0' } else { b' ' }, out);
    }

    fn filled(self, text: &[u8], width: usize, filling: u8, out: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(width);
        let (before, after) = if self.left { (0, missing) } else { (missing, 0) };
        out.resize(out.len() + before, filling);
        out.extend_from_slice(text);
        out.resize(out.len() + after, b' ');
    }
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 0xF)]]).collect()
}

/// One conversion of strftime in the C locale; what it does not know it gives back.
fn write_time(conversion: u8, now: &Zoned, out: &mut Vec<u8>) {
    const KNOWN: &[u8] = b"aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%";
    let Some(conversion) = KNOWN.contains(&conversion).then_some(char::from(conversion)) else {
        out.extend_from_slice(&[b'%', conversion]);
        return;
    };
    let config = Config::new().custom(PosixCustom::new());
    let len = out.len();
    let format = format!("%{conversion}");
    if BrokenDownTime::from(now).format_with_config(&config, &format, &mut StdIoWrite(&mut *out)).is_err() {
        out.truncate(len);
        out.extend_from_slice(format.as_bytes());
    }
}

fn offset(now: &Zoned) -> String {
    let minutes = now.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// `2016-08-10T09:47:38+0100`
fn iso_time(now: &Zoned) -> String {
    format!("{}{}", now.strftime("%FT%T"), offset(now))
}

/// As other programs expect it, although the `Z` contradicts the offset.
fn json_time(now: &Zoned) -> String {
    let iso = iso_time(now);
    let (time, offset) = iso.split_at(iso.len() - 5);
    format!("{time}.{:06}Z{offset}", now.subsec_nanosecond() / 1_000)
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IncompleteField => f.write_str("Incomplete format specifier."),
            Self::Field(letter) => write!(f, "Invalid format specifier '{letter}'."),
            Self::IncompleteEscape => f.write_str("Incomplete escape specifier."),
            Self::Escape(letter) => write!(f, "Invalid escape specifier '{letter}'."),
            Self::Width => write!(f, "Invalid field width, it must be at most {WIDTH_MAX}."),
        }
    }
}

/// QoS 0 has no number to show.
fn shown_id(message: &Message) -> Option<u16> {
    (message.qos > QoS::AtMostOnce).then(|| message.id.map_or(0, |id| id.number()))
}

#[cfg(test)]
mod tests;
