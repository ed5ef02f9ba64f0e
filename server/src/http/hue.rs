//! Starts the Philips Hue bridge inside the server. Everything else about it goes over MQTT.

use super::{Origins, Problem};
use crate::hue::{HueService, SERVICE};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::sync::Arc;

/// `POST /api/v1/hue`: 202 and the SERVICE in whose topics the bridge is found.
pub(super) async fn start(
    State(hue): State<HueService>,
    State(origins): State<Arc<Origins>>,
    headers: HeaderMap,
) -> Response {
    if let Err(why) = origins.check(&headers) {
        return Problem::new(StatusCode::FORBIDDEN, why).into_response();
    }
    if !hue.start() {
        return Problem::not_found("this server has no Hue bridge: hue.enabled is false").into_response();
    }
    (StatusCode::ACCEPTED, Json(json!({ "service": SERVICE }))).into_response()
}

/// There is nothing to read here.
pub(super) async fn method_not_allowed() -> Response {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path starts the Hue bridge; use POST");
    ([(header::ALLOW, HeaderValue::from_static("POST"))], problem).into_response()
}
