//! Numbers of JSON, read and shown as programs in C do: `1.0` as `1`, `1e-7` as `1e-07`.

/// Reads the number at the front of `text`, and says how long it is.
pub(super) fn read(text: &[u8]) -> Option<(f64, usize)> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut len = usize::from(text.first() == Some(&b'-'));
    match digits(len) {
        0 => return None,
        count => len += count,
    }
    if text.get(len) == Some(&b'.') {
        len += 1 + digits(len + 1);
    }
    if let Some(b'e' | b'E') = text.get(len) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        match digits((len + 1 + sign).min(text.len())) {
            0 => {}
            count => len += 1 + sign + count,
        }
    }
    let number = std::str::from_utf8(&text[..len]).ok()?.parse().ok()?;
    Some((number, len))
}

/// Shows it with as many digits as are needed to read the same number again.
pub(super) fn show(number: f64) -> String {
    if !number.is_finite() {
        return "null".to_owned();
    }
    // What a 32-bit integer holds is shown as one; -0 is 0 then.
    if number == f64::from(number as i32) {
        return (number as i32).to_string();
    }
    let short = general(number, 15);
    if short.parse() == Ok(number) { short } else { general(number, 17) }
}

/// `%.{digits}g` of C.
fn general(number: f64, digits: usize) -> String {
    let scientific = format!("{number:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= digits as i32 {
        let mantissa = without_zeros(mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
    without_zeros(&format!("{number:.decimals$}")).to_owned()
}

fn without_zeros(number: &str) -> &str {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_c_shows_them() {
        for (text, shown) in [
            ("1.0", "1"),
            ("-0.1", "-0.1"),
            ("01", "1"),
            ("5.", "5"),
            ("-0", "0"),
            ("100", "100"),
            ("1.5e3", "1500"),
            ("12345678901234567890", "1.2345678901234567e+19"),
            ("123456789012", "123456789012"),
            ("3.14159265358979", "3.14159265358979"),
            ("0.1", "0.1"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("1e21", "1e+21"),
            ("1e-7", "1e-07"),
            ("0.0001", "0.0001"),
            ("1e400", "null"),
        ] {
            let (number, len) = read(text.as_bytes()).unwrap();
            assert_eq!((show(number).as_str(), len), (shown, text.len()), "{text}");
        }
    }

    #[test]
    fn a_number_ends_where_it_ends() {
        for (text, len) in [("1-2", 1), ("1e", 1), ("1e+", 1), ("1.e5x", 4), ("7,", 1)] {
            assert_eq!(read(text.as_bytes()).map(|(_, len)| len), Some(len), "{text}");
        }
        for text in ["", "-", "+5", ".5", "x", "-x"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
