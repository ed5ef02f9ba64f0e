//! ETag and Last-Modified of a value, and the conditions that clients make of them: RFC 9110 sections 8.8 and 13.
//!
//! A tag names one setting of one topic's value, so it is strong, and the value set again is another one. Last-Modified is
//! in whole seconds, within which a value may be set often; a condition on it holds only where the broker is certain.

use super::{Problem, date};
use crate::shard::{Condition, Settings, certainly_unmodified_since};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use luxwire_broker::Setting;
use luxwire_shared::time::Timestamp;

/// `"19ac04b3e2f-2a"`: when it was set, in milliseconds since 1970, and which setting of any value it was.
pub(super) fn tag(setting: Setting) -> HeaderValue {
    let Setting { at, number, .. } = setting;
    HeaderValue::from_str(&format!("\"{:x}-{number:x}\"", at.unix_millis()))
        .expect("hexadecimal digits are visible ASCII")
}

/// Both headers of a value.
pub(super) fn validators(setting: Setting) -> [(HeaderName, HeaderValue); 2] {
    let modified = HeaderValue::from_str(&date::http(setting.at)).expect("a date is visible ASCII");
    [(header::ETAG, tag(setting)), (header::LAST_MODIFIED, modified)]
}

/// Whether a client that sent these headers has the value already, so that 304 is the answer.
pub(super) fn is_known(headers: &HeaderMap, current: Setting, now: Timestamp) -> Result<bool, Problem> {
    if let Some(known) = settings(headers, header::IF_NONE_MATCH, Weak::Counts)? {
        return Ok(known.contain(Some(current)));
    }
    let since = since(headers, header::IF_MODIFIED_SINCE);
    // A time to come is no time at which anybody saw the value.
    let now_s = now.unix_millis() / 1_000;
    Ok(since.is_some_and(|since| since <= now_s && certainly_unmodified_since(current, since)))
}

/// Whether a header lists this tag, or all tags; a weak one stands for the strong one.
pub(super) fn lists(headers: &HeaderMap, name: HeaderName, tag: &HeaderValue) -> Result<bool, Problem> {
    let tag = tag.as_bytes();
    for value in headers.get_all(&name) {
        if value.as_bytes().trim_ascii() == b"*" {
            return Ok(true);
        }
        let tags = tags(value.as_bytes()).ok_or_else(|| no_list(&name))?;
        if tags.iter().any(|(_, listed)| {
            tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\"")) == Some(listed)
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a value that is only read is the one that the client wants: If-Match and If-Unmodified-Since.
pub(super) fn is_wanted(headers: &HeaderMap, current: Option<Setting>) -> Result<bool, Problem> {
    let wanted = Condition { is_none_of: None, ..condition(headers)? };
    Ok(wanted.holds(current))
}

/// Under which condition a write is to happen.
pub(super) fn condition(headers: &HeaderMap) -> Result<Condition, Problem> {
    let is_one_of = settings(headers, header::IF_MATCH, Weak::DoesNotCount)?;
    let unmodified_since_s = match is_one_of {
        Some(_) => None,
        None => since(headers, header::IF_UNMODIFIED_SINCE),
    };
    let is_none_of = settings(headers, header::IF_NONE_MATCH, Weak::Counts)?;
    Ok(Condition { is_one_of, is_none_of, unmodified_since_s, exists: false })
}

/// Whether a weak tag stands for the value that has the same tag without `W/`.
#[derive(Clone, Copy)]
enum Weak {
    Counts,
    DoesNotCount,
}

/// The settings that a header lists. A tag that is not ours stands for none.
fn settings(headers: &HeaderMap, name: HeaderName, weak: Weak) -> Result<Option<Settings>, Problem> {
    if !headers.contains_key(&name) {
        return Ok(None);
    }
    let mut listed = Vec::new();
    for value in headers.get_all(&name) {
        if value.as_bytes().trim_ascii() == b"*" {
            return Ok(Some(Settings::Any));
        }
        let tags = tags(value.as_bytes()).ok_or_else(|| no_list(&name))?;
        let counting = tags.into_iter().filter(|(is_weak, _)| !is_weak || matches!(weak, Weak::Counts));
        listed.extend(counting.filter_map(|(_, tag)| setting(tag)));
    }
    Ok(Some(Settings::Listed(listed)))
}

/// The tags of a list, each with whether it is weak; a comma may stand inside the quotes. `None` if it is no list of tags.
fn tags(list: &[u8]) -> Option<Vec<(bool, &[u8])>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_ascii();
    loop {
        // Lists may have empty elements. RFC 9110 section 5.6.1.2.
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(tags);
        }
        let (weak, opaque) = match rest.strip_prefix(b"W/") {
            Some(opaque) => (true, opaque),
            None => (false, rest),
        };
        let opaque = opaque.strip_prefix(b"\"")?;
        let end = opaque.iter().position(|byte| *byte == b'"')?;
        let (tag, after) = opaque.split_at_checked(end)?;
        tags.push((weak, tag));
        rest = after.strip_prefix(b"\"")?.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

fn no_list(name: &HeaderName) -> Problem {
    Problem::bad_request(format!("{name} must be * or a list of tags in double quotes, such as \"1-a\""))
}

fn setting(tag: &[u8]) -> Option<(u64, Timestamp)> {
    let (millis, number) = str::from_utf8(tag).ok()?.split_once('-')?;
    let parse = |digits| u64::from_str_radix(digits, 16).ok();
    Some((parse(number)?, Timestamp::from_unix_millis(parse(millis)?)))
}

/// A header that is no date counts as absent. RFC 9110 sections 13.1.3 and 13.1.4.
fn since(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    date::parse_http(headers.get(name)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURRENT: Setting =
        Setting { number: 0x2A, at: Timestamp::from_unix_millis(784_111_777_500), alone_in_its_second: true };
    const NOW: Timestamp = Timestamp::from_unix_millis(784_111_800_000);

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn tag_text() -> String {
        tag(CURRENT).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_tag_is_found_however_it_is_listed() {
        let tag = tag_text();
        let known =
            |value: &str| is_known(&headers(&[(header::IF_NONE_MATCH, value)]), CURRENT, NOW).unwrap();
        for list in
            [tag.clone(), format!("W/{tag}"), format!("\"a,b\", {tag}"), format!(",{tag} ,"), "*".to_owned()]
        {
            assert!(known(&list), "{list}");
        }
        for list in ["\"other\"".to_owned(), format!("\"x{}", &tag[1..]), "\"\"".to_owned()] {
            assert!(!known(&list), "{list}");
        }
        let mut two = headers(&[(header::IF_NONE_MATCH, "\"x\"")]);
        two.append(header::IF_NONE_MATCH, HeaderValue::from_str(&tag).unwrap());
        assert!(is_known(&two, CURRENT, NOW).unwrap());
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        for list in ["", ",", "abc", "\"a\" \"b\"", "\"a", "w/\"a\"", "*, \"a\""] {
            assert!(is_known(&headers(&[(header::IF_NONE_MATCH, list)]), CURRENT, NOW).is_err(), "{list}");
        }
    }

    #[test]
    fn a_write_wants_the_very_tag() {
        let tag = tag_text();
        let one_of =
            |value: &str| condition(&headers(&[(header::IF_MATCH, value)])).unwrap().is_one_of.unwrap();
        assert!(one_of(&tag).contain(Some(CURRENT)));
        assert!(
            !one_of(&format!("W/{tag}")).contain(Some(CURRENT)),
            "a weak tag does not say that it is the same"
        );
        assert!(one_of("*").contain(Some(CURRENT)) && !one_of("*").contain(None));
    }

    #[test]
    fn dates_count_only_where_they_are_certain() {
        let since = |value: &str, current| {
            is_known(&headers(&[(header::IF_MODIFIED_SINCE, value)]), current, NOW).unwrap()
        };
        assert!(since("Sun, 06 Nov 1994 08:49:37 GMT", CURRENT));
        assert!(since("Sun, 06 Nov 1994 08:49:38 GMT", CURRENT));
        assert!(!since("Sun, 06 Nov 1994 08:49:36 GMT", CURRENT));
        assert!(!since("Sun, 06 Nov 2094 08:49:37 GMT", CURRENT), "in the future");
        assert!(!since("yesterday", CURRENT));
        let shared = Setting { alone_in_its_second: false, ..CURRENT };
        assert!(!since("Sun, 06 Nov 1994 08:49:37 GMT", shared));
    }

    #[test]
    fn tags_come_before_dates() {
        let both = headers(&[
            (header::IF_NONE_MATCH, "\"other\""),
            (header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ]);
        assert!(!is_known(&both, CURRENT, NOW).unwrap());
        let both = headers(&[
            (header::IF_MATCH, "*"),
            (header::IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:00 GMT"),
        ]);
        assert_eq!(condition(&both).unwrap().unmodified_since_s, None);
    }
}
