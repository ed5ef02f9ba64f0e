//! The page and everything that it loads, from inside the program.
//!
//! The build leaves a `.br` and a `.gz` beside each file; nothing is compressed here. A debug build reads the files
//! from `dist/` at each request, so that a page that was built again shows up without building the server; only if
//! there was no page at all when the server was built, the server has to be built again.

use super::{Problem, problem};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest as _, Sha256};

#[derive(Embed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

/// `GET /`.
pub(super) async fn index(request: Request) -> Response {
    serve::<Dist>("index.html", request.headers()).unwrap_or_else(not_built)
}

/// Every path that is nothing else: a file of the page, or nothing at all.
pub(super) async fn asset(request: Request) -> Response {
    let path = request.uri().path();
    match serve::<Dist>(path.trim_start_matches('/'), request.headers()) {
        None => Problem::not_found(format!("there is nothing at {path}")).into_response(),
        Some(file) if matches!(*request.method(), Method::GET | Method::HEAD) => file,
        Some(_) => {
            let problem = problem::method_not_allowed(request).await;
            problem.with(header::ALLOW, "GET, HEAD").into_response()
        }
    }
}

/// The hashes of the page's `<script>` or `<style>` elements that hold their text themselves, as the content security
/// policy names them. Read once: a page that is built again while a debug build of the server runs, and in which these
/// differ, needs the server started again.
pub(super) fn inline_hashes(element: &str) -> Vec<String> {
    let Some(index) = Dist::get("index.html") else { return Vec::new() };
    let html = String::from_utf8_lossy(&index.data);
    inline(&html, element).into_iter().map(|text| BASE64.encode(Sha256::digest(text))).collect()
}

/// How a file may be packed, best first: what the Accept-Encoding header calls it, and the sibling's suffix.
const PACKED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

fn serve<Files: Embed>(path: &str, request: &HeaderMap) -> Option<Response> {
    let content_type = content_type(path)?;
    let plain = Files::get(path)?;
    let accepted =
        request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let packed = PACKED
        .iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, suffix)| Some((*encoding, Files::get(&format!("{path}{suffix}"))?)));
    let (encoding, file) = packed.map_or((None, plain), |(encoding, file)| (Some(encoding), file));

    let tag = entity_tag(&file);
    let mut headers = HeaderMap::new();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control(path)));
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|known| names(known, &tag));
    headers.insert(header::ETAG, tag);
    if known {
        return Some((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some((headers, file.data).into_response())
}

fn not_built() -> Response {
    const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Luxwire</title>\
        <h1>The broker runs, but the page is not part of this build.</h1>\
        <p>Run <code>cargo xtask build</code> and start the server again.</p></html>\n";
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], axum::response::Html(PAGE)).into_response()
}

/// The types of the files that a page consists of; a packed sibling is not a file of its own.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// A name with a hash of its content never means anything else; any other may change with the next version.
fn cache_control(path: &str) -> &'static str {
    if is_hashed(path) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

/// Trunk puts up to sixteen hexadecimal digits behind a hyphen, without leading zeros: `page-0123456789abcdef_bg.wasm`; or before it,
/// where a file is part of another's name.
fn is_hashed(path: &str) -> bool {
    path.split(['-', '_', '.'])
        .any(|part| (10..=16).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn entity_tag(file: &EmbeddedFile) -> HeaderValue {
    let hash: String =
        file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hash}\"")).expect("hexadecimal digits are visible ASCII")
}

fn names(if_none_match: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (if_none_match.to_str(), tag.to_str()) else { return false };
    known
        .split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// Whether an Accept-Encoding header names this encoding and does not give it the weight 0.
fn accepts(accept_encoding: &str, encoding: &str) -> bool {
    accept_encoding.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        let named = words.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = words.any(|word| {
            word.strip_prefix("q=")
                .and_then(|weight| weight.parse::<f32>().ok())
                .is_some_and(|weight| weight == 0.0)
        });
        named && !refused
    })
}

/// The text of each element of this name that has no `src`.
fn inline<'html>(html: &'html str, element: &str) -> Vec<&'html str> {
    let (begin, end) = (format!("<{element}"), format!("</{element}>"));
    html.split(&begin)
        .skip(1)
        .filter_map(|after| {
            let (attributes, rest) = after.split_once('>')?;
            let (text, _) = rest.split_once(&end)?;
            (!attributes.contains("src=")).then_some(text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page that was built, after a fashion.
    #[derive(Embed)]
    #[folder = "tests/page"]
    struct Sample;

    /// Status, headers and body of what is answered.
    async fn ask(path: &str, request: &[(header::HeaderName, &str)]) -> Option<(u16, HeaderMap, String)> {
        let request = request
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        let (head, body) = serve::<Sample>(path, &request)?.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Some((head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap()))
    }

    #[tokio::test]
    async fn the_best_packing_that_the_browser_takes_is_sent() {
        let plain = "<!doctype html><script type=\"module\">go()</script>\n";
        for (accepted, encoding, body) in [
            ("gzip, deflate, br", Some("br"), "packed with brotli\n"),
            ("gzip", Some("gzip"), "packed with gzip\n"),
            ("identity", None, plain),
            ("", None, plain),
        ] {
            let (status, headers, sent) =
                ask("index.html", &[(header::ACCEPT_ENCODING, accepted)]).await.unwrap();
            assert_eq!((status, sent.as_str()), (200, body));
            assert_eq!(headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap()), encoding);
            assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(headers[header::VARY], "Accept-Encoding");
        }
    }

    #[tokio::test]
    async fn files_have_their_types_and_are_kept_as_long_as_they_may() {
        const FOR_EVER: &str = "public, max-age=31536000, immutable";
        for (path, content_type, caching) in [
            ("index.html", "text/html; charset=utf-8", "no-cache"),
            ("page-0123456789abcdef.js", "text/javascript; charset=utf-8", FOR_EVER),
            ("page-0123456789abcdef_bg.wasm", "application/wasm", FOR_EVER),
        ] {
            let (status, headers, _) = ask(path, &[]).await.unwrap();
            assert_eq!(status, 200, "{path}");
            assert_eq!(headers[header::CONTENT_TYPE], content_type, "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], caching, "{path}");
        }
        for path in ["index.html.br", "none.js", "", "../Cargo.toml", "/etc/passwd"] {
            assert!(ask(path, &[]).await.is_none(), "{path}");
        }
    }

    #[tokio::test]
    async fn a_file_that_the_browser_has_is_not_sent_again() {
        let brotli = (header::ACCEPT_ENCODING, "br");
        let (_, headers, _) = ask("index.html", std::slice::from_ref(&brotli)).await.unwrap();
        let tag = headers[header::ETAG].to_str().unwrap().to_owned();
        let known = (header::IF_NONE_MATCH, tag.as_str());
        let (status, headers, body) = ask("index.html", &[brotli, known.clone()]).await.unwrap();
        assert_eq!((status, body.as_str()), (304, ""));
        assert_eq!(headers[header::ETAG], tag);
        // Packed otherwise it is another file.
        assert_eq!(ask("index.html", &[known]).await.unwrap().0, 200);
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for hashed in [
            "page-0123456789abcdef.js",
            "luxwire-frontend-91f1820d6840ee06_bg.wasm",
            "f044cd3251ad25f-snippet.js",
            "a/b-00112233445566ff.css",
        ] {
            assert!(is_hashed(hashed), "{hashed}");
        }
        for plain in ["index.html", "icon-192.png", "page-0123456789abcdeg.js", "manifest.webmanifest"] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }

    #[test]
    fn an_encoding_is_used_only_if_the_browser_takes_it() {
        let check = |header: &str, brotli: bool| assert_eq!(accepts(header, "br"), brotli, "{header:?}");
        check("gzip, deflate, br, zstd", true);
        check("br;q=0.5", true);
        check("gzip;q=1.0, BR", true);
        check("br;q=0", false);
        check("gzip, br; q=0.0", false);
        check("gzip", false);
        check("", false);
    }

    #[test]
    fn inline_scripts_and_styles_are_found_and_others_are_not() {
        let html = "<script src=\"a.js\"></script><script type=\"module\">go()</script><style>a{}</style><p>\
            <script>stop()</script>";
        assert_eq!(inline(html, "script"), ["go()", "stop()"]);
        assert_eq!(inline(html, "style"), ["a{}"]);
    }

    #[test]
    fn a_browser_that_has_the_file_is_told_so() {
        let tag = HeaderValue::from_static("\"ab\"");
        for known in ["\"ab\"", "\"x\", \"ab\"", "W/\"ab\"", "*"] {
            assert!(names(&HeaderValue::from_static(known), &tag), "{known}");
        }
        assert!(!names(&HeaderValue::from_static("\"abc\""), &tag));
    }
}
