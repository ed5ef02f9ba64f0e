//! How the lamp tells Home Assistant that it exists: one retained message, so that it appears there unasked. The same
//! words as `luxwire lamp` uses, whose code has the reasons; a board has no JSON library and writes them by hand.

use alloc::{format, string::String};
use core::fmt::Write as _;
use luxwire_shared::{
    client::Message,
    model::{LightId, LightTopic, topics},
    mqtt::{QoS, TopicName},
};

/// What announces the lamp of this light.
pub(crate) fn announcement(id: &LightId) -> Message {
    let object = object_id(id);
    let topic = format!("homeassistant/light/{object}/config");
    let topic = TopicName::try_from(topic.as_str()).expect("letters, digits, _ and - make a topic");
    Message::retained(topic, config(id, &object), QoS::AtLeastOnce)
}

fn config(id: &LightId, object: &str) -> String {
    let intensity = quoted(&LightTopic::Intensity(id.clone()).name());
    let availability = quoted(&LightTopic::Availability(id.clone()).name());
    let (name, version) = (quoted(&id.display_name()), env!("CARGO_PKG_VERSION"));
    let (online, offline) = (topics::ONLINE, topics::OFFLINE);
    format!(
        concat!(
            r#"{{"name":null,"unique_id":"{object}","schema":"basic","command_topic":{intensity},"#,
            r#""state_topic":{intensity},"state_value_template":"{{% if value is match('{off}') %}}0"#,
            r#"{{% elif {is_percent} %}}100{{% endif %}}","payload_on":"100","payload_off":"0","#,
            r#""on_command_type":"brightness","brightness_command_topic":{intensity},"#,
            r#""brightness_state_topic":{intensity},"brightness_value_template":"{{% if {is_percent} and "#,
            r#"value | float > 0 %}}{{{{ [value | float, 1] | max }}}}{{% endif %}}","brightness_scale":100,"#,
            r#""availability_topic":{availability},"payload_available":"{online}","#,
            r#""payload_not_available":"{offline}","qos":1,"retain":true,"device":{{"identifiers":["{object}"],"#,
            r#""name":{name},"manufacturer":"Luxwire","model":"RP2040 lamp","sw_version":"{version}"}},"#,
            r#""origin":{{"name":"Luxwire","sw_version":"{version}"}}}}"#,
        ),
        object = object,
        intensity = intensity,
        availability = availability,
        name = name,
        version = version,
        online = online,
        offline = offline,
        off = OFF,
        is_percent = IS_PERCENT,
    )
}

/// Zero, as an intensity may be written.
const OFF: &str = "0{1,3}([.]0{1,2})?$";

/// An expression of Home Assistant's templates: the payload is an intensity.
const IS_PERCENT: &str = "value is match('[0-9]{1,3}([.][0-9]{1,2})?$') and value | float <= 100";

/// What Home Assistant calls the light: `_` becomes `__`, and bytes that may not stand there `_` and two hexadecimal
/// digits, so that different lights never share a name.
fn object_id(id: &LightId) -> String {
    let mut object = String::from("luxwire_");
    for byte in id.as_str().bytes() {
        match byte {
            b'_' => object.push_str("__"),
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => object.push(byte.into()),
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(object, "_{byte:02x}");
            }
        }
    }
    object
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            char if char < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(char));
            }
            char => json.push(char),
        }
    }
    json.push('"');
    json
}
