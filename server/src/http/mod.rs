//! What is answered over HTTP: the page, the topics, and whether all is well.
//!
//! Handlers reach the broker only through [`crate::shard::Door`]; nothing here holds a lock or a piece of its state.

mod headers;
mod health;
mod host;
mod page;
mod problem;

pub(crate) use health::Health;
pub(crate) use host::Hosts;

use axum::{
    Router,
    extract::FromRef,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use problem::Problem;
use std::{net::SocketAddr, sync::Arc};

/// Who asks; every request carries it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) health: Health,
}

/// Every path there is.
pub(crate) fn router(web: Web) -> Router {
    Router::<Web>::new()
        .route("/", get(page::index))
        .fallback(get(page::asset))
        .layer(from_fn_with_state(web.clone(), host::check))
        // Health checks come from machines that may call this one by any name, and tell nothing.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn(headers::secure))
        .with_state(web)
}

impl FromRef<Web> for Arc<Hosts> {
    fn from_ref(web: &Web) -> Self {
        Arc::clone(&web.hosts)
    }
}

impl FromRef<Web> for Health {
    fn from_ref(web: &Web) -> Self {
        web.health.clone()
    }
}
