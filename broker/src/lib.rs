//! The MQTT broker, pure: packets and time in, effects out.
