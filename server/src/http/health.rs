//! Health checks: `/healthz` says that the program lives, `/readyz` that it takes connections.
//!
//! The listeners open when everything behind them is ready and close when the program stops, so that whoever gets an
//! answer at all gets this one.

pub(super) async fn alive() -> &'static str {
    "alive\n"
}

pub(super) async fn ready() -> &'static str {
    "ready\n"
}
