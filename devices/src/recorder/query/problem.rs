//! An answer that says why there is none: RFC 9457.

use serde_json::json;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::recorder) struct Problem {
    /// Of HTTP, also where it is said over MQTT.
    pub(in crate::recorder) status: u16,
    pub(in crate::recorder) detail: String,
}

impl Problem {
    pub(in crate::recorder) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// `application/problem+json`.
    pub(in crate::recorder) fn to_json(&self) -> Vec<u8> {
        let title = http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let title = title.unwrap_or("Error");
        json!({ "type": "about:blank", "title": title, "status": self.status, "detail": self.detail })
            .to_string()
            .into_bytes()
    }
}
