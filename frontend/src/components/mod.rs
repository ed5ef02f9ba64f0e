//! What the page is made of. Each component is a skin: values in, callbacks out. None knows MQTT or where state lives.

mod add_light;
mod connection_line;
mod intensity_slider;
mod light_card;
mod no_lights;
mod power_switch;
mod removed_card;
mod settings;

pub(crate) use add_light::AddLight;
pub(crate) use connection_line::{Connection, ConnectionLine};
pub(crate) use intensity_slider::{Hand, IntensitySlider};
pub(crate) use light_card::{LightCard, When, Word};
pub(crate) use no_lights::NoLights;
pub(crate) use power_switch::PowerSwitch;
pub(crate) use removed_card::RemovedCard;
pub(crate) use settings::{Ask, Found, Hub, Hue, HueStatus, Pairing, Settings, Stage};
