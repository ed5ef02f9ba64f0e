//! What is answered over HTTP: the page, the topics, and whether all is well.
//!
//! Handlers reach the broker only through [`crate::shard::Door`]; nothing here holds a lock or a piece of its state.

mod date;
mod headers;
mod health;
mod host;
mod hue;
mod lasting;
mod origin;
mod page;
mod picture;
mod problem;
mod topics;
mod websocket;

pub(crate) use date::rfc3339;
pub(crate) use host::Hosts;
pub(crate) use lasting::Lasting;
pub(crate) use origin::Origins;
pub(crate) use topics::LargeAnswers;

use crate::{hue::HueService, shard::Door};
use axum::{
    Router,
    extract::{FromRef, Request, State},
    middleware::{from_fn, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use problem::Problem;
use std::{net::SocketAddr, sync::Arc};

/// Who asks; every request carries it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) door: Door,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) origins: Arc<Origins>,
    pub(crate) large_answers: LargeAnswers,
    pub(crate) hue: HueService,
}

/// Every path there is.
pub(crate) fn router(web: Web) -> Router {
    Router::<Web>::new()
        .route("/", get(root))
        .route("/mqtt", get(websocket::mqtt))
        .route("/api/v1/topics", get(topics::list))
        .route("/api/v1/topics/{*topic}", get(topics::value))
        .route("/api/v1/picture", get(picture::watch))
        .route("/api/v1/hue", post(hue::start).fallback(hue::method_not_allowed))
        .fallback(page::asset)
        .layer(from_fn_with_state(web.clone(), host::check))
        // Health checks come from machines that may call this one by any name, and tell nothing.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn(headers::secure))
        .with_state(web)
}

/// The page, and for clients that cannot name a path, MQTT.
async fn root(door: State<Door>, origins: State<Arc<Origins>>, request: Request) -> Response {
    if websocket::is_asked_for(request.headers()) {
        websocket::mqtt(door, origins, request).await
    } else {
        page::index(request).await
    }
}

impl FromRef<Web> for Door {
    fn from_ref(web: &Web) -> Self {
        web.door.clone()
    }
}

impl FromRef<Web> for Arc<Hosts> {
    fn from_ref(web: &Web) -> Self {
        Arc::clone(&web.hosts)
    }
}

impl FromRef<Web> for Arc<Origins> {
    fn from_ref(web: &Web) -> Self {
        Arc::clone(&web.origins)
    }
}

impl FromRef<Web> for LargeAnswers {
    fn from_ref(web: &Web) -> Self {
        web.large_answers.clone()
    }
}

impl FromRef<Web> for HueService {
    fn from_ref(web: &Web) -> Self {
        web.hue.clone()
    }
}
