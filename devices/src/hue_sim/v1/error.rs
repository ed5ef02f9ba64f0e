//! The errors of v1: a number, the address of what was asked for, and a sentence, word for word as hubs have it.

use super::super::hub::Reply;
use serde_json::{Value, json};

/// One error of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Error {
    kind: u16,
    address: String,
    description: String,
}

impl Error {
    fn new(kind: u16, address: &str, description: impl Into<String>) -> Self {
        Self { kind, address: address.into(), description: description.into() }
    }

    pub(crate) fn unauthorized(address: &str) -> Self {
        Self::new(1, address, "unauthorized user")
    }

    pub(crate) fn no_json(address: &str) -> Self {
        Self::new(2, address, "body contains invalid json")
    }

    pub(crate) fn no_resource(address: &str) -> Self {
        Self::new(3, address, format!("resource, {address}, not available"))
    }

    pub(crate) fn no_method(method: &str, address: &str) -> Self {
        Self::new(4, address, format!("method, {method}, not available for resource, {address}"))
    }

    pub(crate) fn missing(address: &str) -> Self {
        Self::new(5, address, "invalid/missing parameters in body")
    }

    pub(crate) fn no_parameter(address: &str, parameter: &str) -> Self {
        Self::of_parameter(6, address, parameter, format!("parameter, {parameter}, not available"))
    }

    pub(crate) fn invalid(address: &str, parameter: &str, value: &Value) -> Self {
        let shown = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        Self::of_parameter(
            7,
            address,
            parameter,
            format!("invalid value, {shown}, for parameter, {parameter}"),
        )
    }

    pub(crate) fn read_only(address: &str, parameter: &str) -> Self {
        Self::of_parameter(8, address, parameter, format!("parameter, {parameter}, is not modifiable"))
    }

    pub(crate) fn too_many() -> Self {
        Self::new(11, "", "too many items in list")
    }

    pub(crate) fn not_pressed() -> Self {
        Self::new(101, "", "link button not pressed")
    }

    pub(crate) fn off(address: &str, parameter: &str) -> Self {
        let text = format!("parameter, {parameter}, is not modifiable. Device is set to off.");
        Self::of_parameter(201, address, parameter, text)
    }

    pub(crate) fn overrun(address: &str) -> Self {
        Self::new(901, address, "Internal error, 503")
    }

    fn of_parameter(kind: u16, address: &str, parameter: &str, description: String) -> Self {
        let address =
            if address.is_empty() { format!("/{parameter}") } else { format!("{address}/{parameter}") };
        Self { kind, address, description }
    }

    /// As it stands in an answer.
    pub(crate) fn json(&self, type_as_text: bool) -> Value {
        let kind = if type_as_text { json!(self.kind.to_string()) } else { json!(self.kind) };
        json!({"error": {"type": kind, "address": self.address, "description": self.description}})
    }
}

/// An error that somebody wanted to see.
pub(crate) fn on_purpose(type_as_text: bool, kind: u16, path: &str) -> Reply {
    let address: String = path.split('/').skip(3).map(|part| format!("/{part}")).collect();
    let error = match kind {
        1 => Error::unauthorized(&address),
        3 => Error::no_resource(&address),
        101 => Error::not_pressed(),
        901 => Error::overrun(&address),
        _ => Error::new(kind, &address, "the hub fails on purpose"),
    };
    Reply::json(200, json!([error.json(type_as_text)]))
}
