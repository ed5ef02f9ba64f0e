//! Starts the Philips Hue bridge inside the server. Everything else about it goes over MQTT.

use super::{Identity, Origins, Problem, identity::forbidden};
use crate::{
    hue::{HueService, SERVICE},
    shard::Door,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use luxwire_shared::model;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Where the bridge is found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HueBridge {
    /// SERVICE in the bridge's topics, `luxwire/hue/SERVICE/…`.
    #[schema(example = "luxwire-serve-hue")]
    service: &'static str,
}

/// Start the Philips Hue bridge.
///
/// Starts the bridge inside the server unless it runs. Everything else about it goes over MQTT, in the topics of the service
/// that is answered.
#[utoipa::path(
    post,
    path = "/api/v1/hue",
    operation_id = "startHue",
    tag = "hue",
    responses(
        (status = 202, description = "It starts, or runs.", body = HueBridge, content_type = "application/json"),
        (status = 401, response = super::openapi::Unauthorized),
        (status = 403, response = super::openapi::Forbidden),
        (status = 404, response = super::openapi::NoHue),
        (status = 503, response = super::openapi::Busy),
    ),
)]
pub(super) async fn start(
    State(hue): State<HueService>,
    State(origins): State<Arc<Origins>>,
    State(door): State<Door>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<HueBridge>), Problem> {
    origins.check(&headers).map_err(|why| Problem::new(StatusCode::FORBIDDEN, why))?;
    // Whoever may not ask it for anything has no use for it.
    let request = model::hue::request(SERVICE).ok_or_else(forbidden)?;
    if door.rights(identity.reader()).await?.is_some_and(|rights| !rights.may_write(&request)) {
        return Err(forbidden());
    }
    if !hue.start() {
        return Err(Problem::not_found("this server has no Hue bridge: hue.enabled is false"));
    }
    Ok((StatusCode::ACCEPTED, Json(HueBridge { service: SERVICE })))
}
