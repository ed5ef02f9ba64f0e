//! What templates make of messages. What mosquitto_sub makes of the same ones is compared in the server's tests.

use super::*;
use bytes::Bytes;
use luxwire_shared::mqtt::{PacketId, PayloadFormat, SubscriptionId, TopicName};

fn plain() -> Message {
    Message::retained(TopicName::try_from("r/5").unwrap(), "v5", QoS::AtMostOnce)
}

fn rich() -> Message {
    let properties = PublishProperties {
        payload_format: Some(PayloadFormat::Text),
        message_expiry_interval_s: Some(989),
        response_topic: Some(TopicName::try_from("re/x").unwrap()),
        correlation_data: Some(Bytes::from_static(b"cd\"")),
        user_properties: vec![
            ("k1".try_into().unwrap(), "v1".try_into().unwrap()),
            ("k1".try_into().unwrap(), "v2".try_into().unwrap()),
        ],
        subscription_ids: vec![SubscriptionId::new(77).unwrap()],
        content_type: Some("text/plain".try_into().unwrap()),
    };
    let id = PacketId::new(3);
    Message { qos: QoS::AtLeastOnce, id, properties: Some(Box::new(properties)), ..plain() }
}

fn noon() -> Zoned {
    let timestamp: Timestamp = "2026-11-22T20:07:26.124203831Z".parse().unwrap();
    timestamp.to_zoned(TimeZone::fixed(jiff::tz::offset(5).saturating_add(jiff::Span::new().minutes(30))))
}

#[track_caller]
fn shown(template: &str, message: &Message) -> String {
    let mut out = Vec::new();
    Template::parse(template.as_bytes(), false).unwrap().write(message, &noon(), &mut out).unwrap();
    String::from_utf8_lossy(&out).into_owned()
}

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(shown(template, &rich()), expected, "{template}");
}

#[test]
fn each_field_says_its_part() {
    check("%t:%p:%l:%q:%r:%m:%x:%X", "r/5:v5:2:1:1:3:7635:7635");
    check(
        "A=%A C=%C D=%D E=%E F=%F P=%P R=%R S=%S",
        "A= C=text/plain D=cd\" E=989 F=1 P=k1:v1 k1:v2 R=re/x S=77",
    );
    assert_eq!(shown("%A%C%D%E%F%P%R%S", &plain()), "");
    check("é%t%%@@ \\\\", "ér/5%@ \\");
    check("\\a\\e\\n\\r\\t\\v\\0", "\x07\x1b\n\r\t\x0b\0");
}

#[test]
fn fields_are_filled_up_and_cut_off() {
    check(
        "%5A|%20C|%8E|%3F|%6R|%4S|%5t|%5l|%5m|%5p|%6x|",
        "     |          text/plain|     989|  1|  re/x|  77|  r/5|    2|    3|   v5|  7635|",
    );
    check(
        "%05A|%020C|%08E|%05t|%05l|%05m|%05p|%06X|",
        "00000|          text/plain|00000989|  r/5|00002|00003|000v5|007635|",
    );
    check("%-5l|%-05l|%-5t|%-5p|%-6x|", "2    |2    |r/5  |v5   |7635  |");
    check("%.4C|%10.4C|%-10.4C|%.1t|%5.2t|%.0t|%10.t|", "text|      text|text      |r|   r/||          |");
    assert_eq!(shown("%3C|%3E|%03E|", &plain()), "   |   |000|");
}

#[test]
fn the_time_is_told_in_many_ways() {
    check("%I %U @s @N", "2026-11-23T01:37:26+0530 1795378046.124203831 1795378046 124203831");
    check("@Y-@m-@dT@H:@M:@S@z", "2026-11-23T01:37:26+0530");
    check(
        "@a|@b|@c|@D|@F|@j|@p|@r|@T|@u|@x|@y",
        "Mon|Nov|Mon Nov 23 01:37:26 2026|11/23/26|2026-11-23|327|AM|01:37:26 AM|01:37:26|1|11/23/26|26",
    );
    check("@q@!@é", "%q%!%é");
}

#[test]
fn json_holds_everything() {
    check(
        "%j",
        concat!(
            r#"{"tst":"2026-11-23T01:37:26.124203Z+0530","topic":"r/5","qos":1,"retain":1,"payloadlen":2,"mid":3,"#,
            r#""properties":{"subscription-identifier":77,"content-type":"text/plain","correlation-data":"cd\"","#,
            r#""payload-format-indicator":1,"response-topic":"re/x","user-properties":{"k1":"v1","k1":"v2"},"#,
            r#""message-expiry-interval":989},"payload":"v5"}"#
        ),
    );
}

#[track_caller]
fn json_payload(payload: &'static [u8], pretty: bool) -> Result<String, NotJson> {
    let mut out = Vec::new();
    let message = Message { payload: Bytes::from_static(payload), ..plain() };
    Template::parse(b"%J", pretty).unwrap().write(&message, &noon(), &mut out)?;
    let out = String::from_utf8_lossy(&out).into_owned();
    let (_, payload) = out.split_once("\"payload\":").unwrap();
    Ok(payload.trim_start().strip_suffix('}').unwrap().trim_end_matches('\n').to_owned())
}

#[test]
fn json_payloads_pass_as_they_are_but_for_space() {
    for (payload, shown) in [
        (&br#" {"a": 1.0, "b" :[1,2 ], "a":null} "#[..], r#"{"a":1,"b":[1,2],"a":null}"#),
        (br#""\u00e9\/\n\ud83d\ude00\u0001""#, "\"é/\\n😀\\u0001\""),
        (b"\"a\tb\"", r#""a\tb""#),
        (b"[{},[],true,false]", "[{},[],true,false]"),
        (b"", "null"),
    ] {
        assert_eq!(json_payload(payload, false).as_deref(), Ok(shown));
    }
    assert_eq!(
        json_payload(br#"{"b":[1,{"x":[]}]}"#, true).as_deref(),
        Ok("{\n\t\t\"b\":\t[1, {\n\t\t\t\t\"x\":\t[]\n\t\t\t}]\n\t}")
    );
}

#[test]
fn what_is_no_json_is_said_to_be_none() {
    for payload in [
        &b"one"[..],
        b"nul",
        b"[1,]",
        b"{\"a\":1} x",
        b"-",
        b"[1 2]",
        b"+5",
        b".5",
        b"\"a\\qb\"",
        b"\"a",
        b"{\"a\"}",
        b"{",
        b"[",
        b"\"\\ud800\"",
        b"\"\\u12\"",
        b"\xff",
    ] {
        assert_eq!(json_payload(payload, false), Err(NotJson), "{}", payload.escape_ascii());
    }
    let deep: &'static [u8] = vec![b'['; 100_000].leak();
    assert_eq!(json_payload(deep, false), Err(NotJson));
}

#[test]
fn mistakes_are_named() {
    let refused = |template: &str| Template::parse(template.as_bytes(), false).unwrap_err();
    for template in ["%", "abc%", "%5", "%5.5", "x@"] {
        assert_eq!(refused(template), TemplateError::IncompleteField);
    }
    assert_eq!(refused("abc\\"), TemplateError::IncompleteEscape);
    assert_eq!(refused("\\q").to_string(), "Invalid escape specifier 'q'.");
    for (template, letter) in [("%Z", 'Z'), ("%0-5l", '-'), ("%--5l", '-'), ("%5@", '@'), ("%.5|", '|')] {
        assert_eq!(refused(template), TemplateError::Field(letter));
    }
    assert_eq!(refused("%99999999999999999999999t"), TemplateError::Width);
}

#[test]
fn only_templates_with_the_time_tell_it() {
    let tells = |template: &str| Template::parse(template.as_bytes(), false).unwrap().tells_time();
    assert!(["%I", "%U", "%j", "%J", "@s", "@N"].into_iter().all(tells));
    assert!(!tells("%t @@ %p %x"));
}
