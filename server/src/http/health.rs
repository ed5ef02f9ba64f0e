//! Health checks: `/healthz` says that the program lives, `/readyz` that it takes connections.

use super::Problem;
use axum::{extract::State, http::StatusCode};
use tokio_util::sync::CancellationToken;

/// Ready until the program is told to stop: the listeners open before anybody can ask.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) stop: CancellationToken,
}

pub(super) async fn alive() -> &'static str {
    "alive\n"
}

pub(super) async fn ready(State(health): State<Health>) -> Result<&'static str, Problem> {
    if health.stop.is_cancelled() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"));
    }
    Ok("ready\n")
}
