//! What is answered over HTTP: the page, the topics, and whether all is well.
//!
//! Handlers reach the broker only through [`crate::shard::Door`]; nothing here holds a lock or a piece of its state.

mod body;
mod client;
mod connection;
mod content_type;
mod cross_origin;
mod date;
mod entity_tag;
mod events;
mod headers;
mod health;
mod history;
mod host;
mod hue;
mod identity;
mod openapi;
mod origin;
mod page;
mod picture;
mod problem;
mod proxy;
mod query;
mod refusal;
mod topics;
mod websocket;

pub(crate) use body::Uploads;
pub(crate) use connection::Connection;
pub(crate) use date::rfc3339;
pub(crate) use host::Hosts;
pub(crate) use origin::Origins;
pub(crate) use proxy::Proxies;
pub(crate) use topics::LargeAnswers;

use crate::{
    auth::SignIn,
    clock::Clock,
    hue::HueService,
    shard::{Door, Stopped},
};
use axum::{
    Router,
    extract::{FromRef, Request, State},
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::Response,
    routing::get,
};
use identity::Identity;
use problem::Problem;
use std::{net::SocketAddr, sync::Arc};

/// Who asks; every request carries it. Behind a proxy that is trusted it is the proxy's client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) door: Door,
    pub(crate) sign_in: Arc<SignIn>,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) origins: Arc<Origins>,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) clock: Clock,
    pub(crate) large_answers: LargeAnswers,
    pub(crate) uploads: Uploads,
    pub(crate) hue: HueService,
}

/// Every path there is.
pub(crate) fn router(web: Web) -> Router {
    Router::<Web>::new()
        .route("/", get(root))
        .route("/mqtt", get(websocket::mqtt))
        .merge(
            openapi::router()
                .layer(from_fn_with_state(web.clone(), identity::check))
                // Outside, since a browser that asks first does so without signing in.
                .layer(from_fn_with_state(web.clone(), cross_origin::share)),
        )
        .fallback(page::asset)
        .layer(from_fn_with_state(web.clone(), host::check))
        // Health checks come from machines that may call this one by any name, and tell nothing.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(web.clone(), proxy::look_through))
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

impl FromRef<Web> for Arc<Proxies> {
    fn from_ref(web: &Web) -> Self {
        Arc::clone(&web.proxies)
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

impl FromRef<Web> for Clock {
    fn from_ref(web: &Web) -> Self {
        web.clock
    }
}

impl FromRef<Web> for Uploads {
    fn from_ref(web: &Web) -> Self {
        web.uploads.clone()
    }
}

impl From<Stopped> for Problem {
    fn from(_: Stopped) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping")
    }
}
