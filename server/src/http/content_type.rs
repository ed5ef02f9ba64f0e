//! What a payload is: what its publisher says, and what is told to whoever reads it.
//!
//! Payloads come from anybody who may publish, and are served from the address of our page. A browser must never take one
//! for a document or a script of ours, so only types that nothing runs are passed on as they were published; of the others
//! the list and [`PUBLISHED_AS`] tell.

use super::Problem;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use luxwire_shared::mqtt::{PayloadFormat, Text};

/// Says what the publisher called it when `Content-Type` says something else.
pub(super) const PUBLISHED_AS: HeaderName = HeaderName::from_static("luxwire-content-type");

/// The content type that is published with a body, if any.
pub(super) fn of_request(headers: &HeaderMap) -> Result<Option<Text>, Problem> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| text.len() <= LEN_MAX && essence(text).is_some());
    let (Some(text), None) = (text, values.next()) else {
        return Err(Problem::bad_request(format!(
            "Content-Type must be one media type such as text/plain, of {LEN_MAX} bytes at most"
        )));
    };
    match essence(text).as_deref() {
        // What curl -d says when nobody told it anything: the body is the value all the same.
        Some("application/x-www-form-urlencoded") => Ok(None),
        Some("multipart/form-data") => {
            let detail =
                "the body must be the value itself, not a form; with curl use -T FILE or --data-binary @FILE";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
        }
        _ => Ok(Text::try_from(text).ok()),
    }
}

/// What MQTT 5 calls the payload format: text where it is said to be text and is.
pub(super) fn format(content_type: Option<&Text>, payload: &[u8]) -> Option<PayloadFormat> {
    let text = content_type?.as_str();
    let essence = essence(text)?;
    let is_text = essence.starts_with("text/") || is_json(&essence);
    let charset = text.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let is_utf8 = charset.is_none_or(|charset| {
        charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii")
    });
    (is_text && is_utf8 && str::from_utf8(payload).is_ok()).then_some(PayloadFormat::Text)
}

/// The headers that tell a reader what a payload is.
pub(super) fn of_answer(published: Option<&Text>, payload: &[u8]) -> Vec<(HeaderName, HeaderValue)> {
    // Only what can be a header at all.
    let published = published.and_then(|text| Some((essence(text)?, HeaderValue::from_str(text).ok()?)));
    match published {
        Some((essence, value)) if is_inert(&essence) => vec![(header::CONTENT_TYPE, value)],
        Some((_, value)) => vec![(header::CONTENT_TYPE, BYTES), (PUBLISHED_AS, value)],
        None if str::from_utf8(payload).is_ok() => vec![(header::CONTENT_TYPE, TEXT)],
        None => vec![(header::CONTENT_TYPE, BYTES)],
    }
}

/// Whatever the type: a payload that is opened as a document may load, run and frame nothing.
pub(super) const CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// `type/subtype` in lower case, without parameters; `None` if it is no media type.
fn essence(text: &str) -> Option<String> {
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let (kind, subtype) = essence.trim().split_once('/')?;
    let is_token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let are_parameters = parameters.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (is_token(kind) && is_token(subtype) && are_parameters).then(|| essence.trim().to_ascii_lowercase())
}

/// Types that no browser runs, styles with, or shows as a document that could.
fn is_inert(essence: &str) -> bool {
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    match kind {
        "audio" | "video" => true,
        "image" => !subtype.contains("xml") && !subtype.contains("svg"),
        "text" => matches!(subtype, "plain" | "csv" | "tab-separated-values"),
        "application" => {
            is_json(essence) || INERT_APPLICATIONS.contains(&subtype) || subtype.ends_with("+cbor")
        }
        _ => false,
    }
}

/// Web app manifests and import maps are JSON and steer a page.
fn is_json(essence: &str) -> bool {
    essence == "application/json"
        || (essence.starts_with("application/")
            && essence.ends_with("+json")
            && !matches!(essence, "application/manifest+json" | "application/importmap+json"))
}

const INERT_APPLICATIONS: [&str; 12] = [
    "octet-stream",
    "cbor",
    "msgpack",
    "vnd.msgpack",
    "x-msgpack",
    "protobuf",
    "x-protobuf",
    "vnd.google.protobuf",
    "gzip",
    "zip",
    "zstd",
    "x-ndjson",
];

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// It is kept with the value, and sent with it to everybody.
const LEN_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(value: &str) -> Result<Option<Text>, Problem> {
        of_request(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_str(value).unwrap())]))
    }

    #[test]
    fn the_type_of_a_body_is_kept_as_it_was_said() {
        for kept in ["text/plain", "Text/Plain; Charset=\"utf-8\"", "application/vnd.x+json;v=1"] {
            assert_eq!(request(kept).unwrap().as_deref(), Some(kept));
        }
        assert!(of_request(&HeaderMap::new()).unwrap().is_none());
        assert!(request("application/x-www-form-urlencoded; charset=utf-8").unwrap().is_none());
        for bad in ["", "text", "text/", "/plain", "te xt/plain", "multipart/form-data; boundary=x"] {
            assert!(request(bad).is_err(), "{bad}");
        }
        assert!(request(&format!("text/plain; x={}", "y".repeat(300))).is_err());
    }

    #[test]
    fn text_is_called_text_only_if_it_is() {
        let check = |content_type: &'static str, payload: &[u8], is_text: bool| {
            let format = format(Some(&Text::from_static(content_type)), payload);
            assert_eq!(format.is_some(), is_text, "{content_type} {payload:?}");
        };
        check("text/plain;charset=utf-8", b"40", true);
        check("text/plain; charset=\"UTF-8\"", "\u{fc}".as_bytes(), true);
        check("text/plain", b"40", true);
        check("application/json", b"{}", true);
        check("text/plain;charset=utf-8", &[0xFF], false);
        check("text/plain;charset=latin1", b"40", false);
        check("image/png", b"40", false);
        assert_eq!(format(None, b"40"), None);
    }

    #[test]
    fn what_a_browser_would_run_is_served_as_bytes() {
        let served = |published: &'static str| -> (String, Option<String>) {
            let headers: HeaderMap =
                of_answer(Some(&Text::from_static(published)), b"x").into_iter().collect();
            let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned());
            (text(header::CONTENT_TYPE).unwrap(), text(PUBLISHED_AS))
        };
        for inert in [
            "text/plain",
            "text/plain; charset=latin1",
            "text/csv",
            "application/json",
            "application/ld+json",
            "image/png",
            "image/jpeg",
            "audio/ogg",
            "application/cbor",
        ] {
            assert_eq!(served(inert), (inert.to_owned(), None));
        }
        for active in [
            "text/html",
            "TEXT/HTML; charset=utf-8",
            "text/html;",
            "application/xhtml+xml",
            "image/svg+xml",
            "IMAGE/SVG+XML",
            "text/xml",
            "application/xml",
            "application/rss+xml",
            "text/javascript",
            "application/javascript",
            "application/x-ecmascript",
            "text/css",
            "application/wasm",
            "application/pdf",
            "application/manifest+json",
            "application/importmap+json",
            "text/event-stream",
            "multipart/x-mixed-replace",
            "text/vtt",
            "x-unknown/x",
        ] {
            assert_eq!(served(active), ("application/octet-stream".to_owned(), Some(active.to_owned())));
        }
    }

    #[test]
    fn a_type_that_is_none_does_not_become_a_header() {
        for odd in ["text/html\r\nX: y", "html", "text/plain\u{fc}", "text/plain; \u{fc}"] {
            let headers = of_answer(Some(&Text::try_from(odd).unwrap()), b"x");
            assert_eq!(headers, [(header::CONTENT_TYPE, TEXT)], "{odd}");
        }
        assert_eq!(of_answer(None, &[0xFF]), [(header::CONTENT_TYPE, BYTES)]);
    }
}
