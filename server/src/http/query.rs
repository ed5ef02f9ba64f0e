//! The part of an address behind `?`, taken strictly: what is not known is refused by name, so that nobody who mistypes
//! gets an answer to another question.

use super::Problem;
use axum::http::Uri;
use percent_encoding::percent_decode_str;

/// The parameters that came and have not been looked at.
#[derive(Debug)]
pub(super) struct Query {
    /// Names, and values as they were written.
    pairs: Vec<(String, String)>,
    /// Those that were asked for, for the one who mistypes.
    known: Vec<&'static str>,
}

impl Query {
    pub(super) fn of(uri: &Uri) -> Result<Self, Problem> {
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, value.to_owned()))
        });
        Ok(Self { pairs: pairs.collect::<Result<_, Problem>>()?, known: Vec::new() })
    }

    /// Takes all values of a parameter, in their order. A `+` stands for itself, as it does in the rest of an address.
    pub(super) fn all(&mut self, name: &'static str) -> Result<Vec<String>, Problem> {
        self.take(name).map(|value| decoded(&value)).collect()
    }

    /// The same for topics and filters, in which a `+` may mean a space, see [`spaces`].
    pub(super) fn topics(&mut self, name: &'static str) -> Result<Vec<String>, Problem> {
        self.take(name).map(|value| decoded(&spaces(&value))).collect()
    }

    fn take(&mut self, name: &'static str) -> impl Iterator<Item = String> {
        self.known.push(name);
        self.pairs.extract_if(.., move |(other, _)| other == name).map(|(_, value)| value)
    }

    /// Takes the value of a parameter that may be given once.
    pub(super) fn one(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        only(name, self.all(name)?)
    }

    /// The same for a topic or a filter.
    pub(super) fn topic(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        only(name, self.topics(name)?)
    }

    /// Takes `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, Problem> {
        match self.one(name)?.as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(Problem::bad_request(format!("{name} must be true or false, not {other:?}"))),
        }
    }

    /// Refuses what is left.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let Some((name, _)) = self.pairs.first() else { return Ok(()) };
        let known = match self.known[..] {
            [] => "takes no parameters".to_owned(),
            _ => format!("takes {}", self.known.join(", ")),
        };
        Err(Problem::bad_request(format!("there is no parameter {name:?}; this path {known}")))
    }
}

fn only(name: &str, values: Vec<String>) -> Result<Option<String>, Problem> {
    if values.len() > 1 {
        return Err(Problem::bad_request(format!("{name} is given twice")));
    }
    Ok(values.into_iter().next())
}

/// Takes `+`, as it is written, for a space wherever it cannot be a wildcard: `lights/+/intensity` is typed into addresses,
/// and programs write `a b` as `a+b`.
fn spaces(written: &str) -> String {
    let written = written.replace("%2F", "/").replace("%2f", "/");
    let levels: Vec<_> = written
        .split('/')
        .map(|level| if level == "+" { level.to_owned() } else { level.replace('+', "%20") })
        .collect();
    levels.join("/")
}

fn decoded(text: &str) -> Result<String, Problem> {
    let bad = |why: &str| Problem::bad_request(format!("{text:?} in the address {why}"));
    check_escapes(text).map_err(bad)?;
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| bad("is not UTF-8"))?;
    Ok(decoded.into_owned())
}

/// A `%` that is not followed by two digits is no mistake to be guessed at.
pub(super) fn check_escapes(text: &str) -> Result<(), &'static str> {
    let broken = text
        .split('%')
        .skip(1)
        .any(|rest| !rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    if broken { Err("has a % that is not followed by two hexadecimal digits") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Query, Problem> {
        Query::of(&Uri::try_from(format!("/x?{text}")).unwrap())
    }

    fn complaint<T>(result: Result<T, Problem>) -> String {
        result.err().expect("a complaint").to_string()
    }

    #[test]
    fn parameters_are_decoded_and_keep_their_order() {
        let mut query = query("filter=a/%2B&other=%C3%BC&filter=b/+&flag=false&&empty=&bare").unwrap();
        assert_eq!(query.all("filter").unwrap(), ["a/+", "b/+"]);
        assert_eq!(query.one("other").unwrap().as_deref(), Some("\u{fc}"));
        assert!(!query.flag("flag", true).unwrap() && query.flag("none", true).unwrap());
        assert_eq!(query.one("empty").unwrap().as_deref(), Some(""));
        assert_eq!(query.one("bare").unwrap().as_deref(), Some(""));
        query.finish().unwrap();
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert!(complaint(query("a=1&a=2").unwrap().one("a")).contains("a is given twice"));
        assert!(complaint(query("a=yes").unwrap().flag("a", true)).contains("\"yes\""));
        for (odd, word) in
            [("%ff", "UTF-8"), ("%2", "two hexadecimal digits"), ("%zz", "two hexadecimal digits")]
        {
            assert!(complaint(query(&format!("a={odd}")).unwrap().one("a")).contains(word), "{odd}");
            assert!(complaint(query(&format!("{odd}=a"))).contains(word), "{odd}");
        }
        let mut left = query("fliter=1").unwrap();
        left.all("filter").unwrap();
        let complaint = complaint(left.finish());
        assert!(complaint.contains("\"fliter\"") && complaint.contains("takes filter"), "{complaint}");
    }

    #[test]
    fn a_plus_is_a_wildcard_where_it_can_be_one() {
        for (typed, meant) in [
            ("lights/+/intensity", "lights/+/intensity"),
            ("lights%2F+%2fintensity", "lights/+/intensity"),
            ("lights/%2B/intensity", "lights/+/intensity"),
            ("+", "+"),
            ("living+room/+", "living room/+"),
            ("a+", "a "),
            ("a%2Bb", "a+b"),
        ] {
            let taken = query(&format!("filter={typed}")).unwrap().topic("filter").unwrap();
            assert_eq!(taken.as_deref(), Some(meant));
        }
    }
}
