//! A message as JSON, the payload as text (`%j`) or as the JSON that it is (`%J`), on one line or over several.
//!
//! Payloads are only passed on, so that keys may come twice and text need not be UTF-8.

use super::{NotJson, number, shown_id};
use luxwire_shared::{
    client::Message,
    mqtt::{PublishProperties, Text},
};

/// What is made of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    Text,
    Value,
}

/// Deeper payloads are not shown: each level costs stack, and people nest a handful.
const DEPTH_MAX: usize = 500;

#[derive(Debug, PartialEq)]
enum Json<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Vec<u8>),
    List(Vec<Json<'a>>),
    Object(Vec<(Vec<u8>, Json<'a>)>),
    /// Text that is shown as it came.
    Slice(&'a [u8]),
}

pub(super) fn write_message(
    message: &Message,
    time: &str,
    payload: Payload,
    pretty: bool,
    out: &mut Vec<u8>,
) -> Result<(), NotJson> {
    let number = |number: usize| Json::Number(number as f64);
    let text = |text: &'static str| text.as_bytes().to_vec();
    let mut pairs = vec![
        (text("tst"), Json::Slice(time.as_bytes())),
        (text("topic"), Json::Slice(message.topic.as_bytes())),
        (text("qos"), number(message.qos.number().into())),
        (text("retain"), number(message.retain.into())),
        (text("payloadlen"), number(message.payload.len())),
    ];
    pairs.extend(shown_id(message).map(|id| (text("mid"), number(id.into()))));
    pairs.extend(message.properties.as_deref().map(|said| (text("properties"), properties(said))));
    let content = match payload {
        _ if message.payload.is_empty() => Json::Null,
        Payload::Text => Json::Slice(&message.payload),
        Payload::Value => Reader { rest: &message.payload }.document()?,
    };
    pairs.push((text("payload"), content));
    Json::Object(pairs).write(pretty, 1, out);
    Ok(())
}

fn properties(properties: &PublishProperties) -> Json<'_> {
    let PublishProperties {
        payload_format,
        message_expiry_interval_s,
        response_topic,
        correlation_data,
        user_properties,
        subscription_ids,
        content_type,
    } = properties;
    let number = |number: u32| Json::Number(number.into());
    let pair =
        |(name, value): &'_ (Text, Text)| (name.as_bytes().to_vec(), Json::Text(value.as_bytes().to_vec()));
    let pairs = user_properties.iter().map(pair).collect::<Vec<_>>();
    let mut all: Vec<(&str, Option<Json<'_>>)> = Vec::new();
    all.extend(subscription_ids.iter().map(|id| ("subscription-identifier", Some(number(id.number())))));
    all.extend([
        ("content-type", content_type.as_ref().map(|text| Json::Slice(text.as_bytes()))),
        ("correlation-data", correlation_data.as_ref().map(|data| Json::Slice(data))),
        ("payload-format-indicator", payload_format.map(|format| number(format as u32))),
        ("response-topic", response_topic.as_ref().map(|topic| Json::Slice(topic.as_bytes()))),
        ("user-properties", (!pairs.is_empty()).then_some(Json::Object(pairs))),
        ("message-expiry-interval", message_expiry_interval_s.map(number)),
    ]);
    let given = all.into_iter().filter_map(|(name, value)| Some((name.as_bytes().to_vec(), value?)));
    Json::Object(given.collect())
}

impl Json<'_> {
    /// `depth` is that of what stands in it.
    fn write(&self, pretty: bool, depth: usize, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Number(value) => out.extend_from_slice(number::show(*value).as_bytes()),
            Self::Text(text) => write_text(text, out),
            Self::Slice(text) => write_text(text, out),
            Self::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    match (at, pretty) {
                        (0, _) => {}
                        (_, true) => out.extend_from_slice(b", "),
                        (_, false) => out.push(b','),
                    }
                    item.write(pretty, depth + 1, out);
                }
                out.push(b']');
            }
            Self::Object(pairs) => {
                out.push(b'{');
                for (at, (name, value)) in pairs.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    new_line(pretty, depth, out);
                    write_text(name, out);
                    out.push(b':');
                    if pretty {
                        out.push(b'\t');
                    }
                    value.write(pretty, depth + 1, out);
                }
                new_line(pretty, depth - 1, out);
                out.push(b'}');
            }
        }
    }
}

fn new_line(pretty: bool, depth: usize, out: &mut Vec<u8>) {
    if pretty {
        out.push(b'\n');
        out.resize(out.len() + depth, b'\t');
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control @ ..0x20 => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Reads a payload.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn document(mut self) -> Result<Json<'static>, NotJson> {
        let value = self.value(0)?;
        self.space();
        if self.rest.is_empty() { Ok(value) } else { Err(NotJson) }
    }

    fn value(&mut self, depth: usize) -> Result<Json<'static>, NotJson> {
        if depth > DEPTH_MAX {
            return Err(NotJson);
        }
        self.space();
        match self.rest.first().ok_or(NotJson)? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.text().map(Json::Text),
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            _ => {
                let (value, len) = number::read(self.rest).ok_or(NotJson)?;
                self.rest = &self.rest[len..];
                Ok(Json::Number(value))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'static>, NotJson> {
        let mut pairs = Vec::new();
        self.items(b'}', |reader| {
            reader.space();
            let name = reader.text()?;
            reader.space();
            if !reader.eat(b':') {
                return Err(NotJson);
            }
            pairs.push((name, reader.value(depth + 1)?));
            Ok(())
        })?;
        Ok(Json::Object(pairs))
    }

    fn list(&mut self, depth: usize) -> Result<Json<'static>, NotJson> {
        let mut items = Vec::new();
        self.items(b']', |reader| {
            items.push(reader.value(depth + 1)?);
            Ok(())
        })?;
        Ok(Json::List(items))
    }

    /// Behind the opening bracket: items with commas between them, up to the closing one.
    fn items(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), NotJson>,
    ) -> Result<(), NotJson> {
        self.rest = &self.rest[1..];
        self.space();
        if self.eat(end) {
            return Ok(());
        }
        loop {
            item(self)?;
            self.space();
            if self.eat(end) {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(NotJson);
            }
        }
    }

    fn text(&mut self) -> Result<Vec<u8>, NotJson> {
        if !self.eat(b'"') {
            return Err(NotJson);
        }
        let mut text = Vec::new();
        loop {
            let (&byte, rest) = self.rest.split_first().ok_or(NotJson)?;
            self.rest = rest;
            match byte {
                b'"' => return Ok(text),
                b'\\' => self.escape(&mut text)?,
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), NotJson> {
        let (&byte, rest) = self.rest.split_first().ok_or(NotJson)?;
        self.rest = rest;
        text.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let letter = self.unicode()?;
                text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(NotJson),
        });
        Ok(())
    }

    /// Behind `\u`: one unit of UTF-16, or two that belong together.
    fn unicode(&mut self) -> Result<char, NotJson> {
        let first = self.unit()?;
        let mut units = vec![first];
        if (0xD800..0xDC00).contains(&first) && self.rest.starts_with(b"\\u") {
            self.rest = &self.rest[2..];
            units.push(self.unit()?);
        }
        match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().as_deref() {
            Ok([letter]) => Ok(*letter),
            _ => Err(NotJson),
        }
    }

    fn unit(&mut self) -> Result<u16, NotJson> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or(NotJson)?;
        self.rest = rest;
        digits.iter().try_fold(0, |unit, &digit| {
            let digit = char::from(digit).to_digit(16).ok_or(NotJson)?;
            Ok(unit << 4 | digit as u16)
        })
    }

    fn word(&mut self, word: &str, value: Json<'static>) -> Result<Json<'static>, NotJson> {
        self.rest = self.rest.strip_prefix(word.as_bytes()).ok_or(NotJson)?;
        Ok(value)
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.rest.strip_prefix(&[byte]) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}
