//! Headers that every answer carries, so that a browser trusts the page with no more than it needs.

use super::{content_type, page};
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::sync::LazyLock;

/// - Scripts and styles: ours, WebAssembly, and what stands in the page itself, known by its hash.
/// - Connections: anywhere, because the page may be pointed at another broker (`?broker=ws://…`).
/// - Frames: only our own pages may show this one in a frame, so that nobody can have a person click blindly.
static CONTENT_SECURITY_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let inline = |element| -> String {
        page::inline_hashes(element).iter().map(|hash| format!(" 'sha256-{hash}'")).collect()
    };
    let (scripts, styles) = (inline("script"), inline("style"));
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'{styles}; img-src 'self' data:; \
         connect-src 'self' ws: wss: http: https:; object-src 'none'; base-uri 'self'; form-action 'self'; \
         frame-ancestors 'self'"
    );
    HeaderValue::from_str(&policy).expect("hashes in base64 are visible ASCII")
});

pub(super) async fn secure(request: Request, next: Next) -> Response {
    // What is no part of the page is trusted with even less. A 304 says so as well: it replaces the policy of the answer
    // that it confirms (RFC 9111, section 3.2).
    let policy = if request.uri().path().starts_with("/api/") {
        content_type::CONTENT_SECURITY_POLICY
    } else {
        CONTENT_SECURITY_POLICY.clone()
    };
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    response
}

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
