//! What Playwright found, as `playwright/bench/page.spec.ts` writes it down.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) browser: String,
    pub(super) mqtt_js: String,
    pub(super) contenders: Contenders,
}

#[derive(Debug, Deserialize)]
pub(super) struct Contenders {
    pub(super) luxwire: Vec<Round>,
    #[serde(rename = "mqtt-js")]
    pub(super) mqtt_js: Vec<Round>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Round {
    pub(super) first: Load,
    /// When the browser has the files.
    pub(super) again: Load,
    pub(super) memory: Memories,
    pub(super) drags: Vec<Drag>,
    pub(super) work_ms: f64,
    pub(super) latencies: Latencies,
    pub(super) clocks_differ_by_ms: f64,
}

/// Times are milliseconds since the navigation began, except `instantiate`, which is how long that took.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Load {
    pub(super) requests: u32,
    pub(super) bytes: u32,
    pub(super) last_byte: f64,
    pub(super) running: f64,
    pub(super) shown: f64,
    pub(super) instantiate: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Memories {
    pub(super) loaded: Memory,
    pub(super) worked: Memory,
}

/// In bytes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Memory {
    pub(super) js_heap: f64,
    pub(super) wasm: f64,
    pub(super) process: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Drag {
    pub(super) dragging: Flows,
    pub(super) following: Flows,
}

#[derive(Debug, Deserialize)]
pub(super) struct Flows {
    pub(super) sent: Flow,
    pub(super) received: Flow,
}

/// Signs of life are left out.
#[derive(Debug, Deserialize)]
pub(super) struct Flow {
    pub(super) frames: u32,
    pub(super) bytes: u32,
    pub(super) messages: u32,
}

/// In milliseconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Latencies {
    pub(super) in_document: Vec<f64>,
    pub(super) shown: Vec<f64>,
}

impl Contenders {
    /// The rounds of both.
    pub(super) fn all(&self) -> impl Iterator<Item = &Round> {
        self.luxwire.iter().chain(&self.mqtt_js)
    }
}
