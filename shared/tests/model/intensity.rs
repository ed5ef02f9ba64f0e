//! Which texts are a level, and how a level is written.

use luxwire_shared::model::{Intensity, IntensityError};
use proptest::prelude::*;

fn check(payload: &str, expected: Result<u16, IntensityError>) {
    assert_eq!(payload.parse::<Intensity>().map(Intensity::hundredths), expected, "{payload:?}");
}

#[test]
fn decimal_text_is_a_level() {
    check("0", Ok(0));
    check("40", Ok(4_000));
    check("040", Ok(4_000));
    check("40.5", Ok(4_050));
    check("40.50", Ok(4_050));
    check("40.05", Ok(4_005));
    check("0.01", Ok(1));
    check("100", Ok(10_000));
    check("100.00", Ok(10_000));
}

#[test]
fn a_number_outside_is_refused_and_never_clamped() {
    for payload in ["100.01", "101", "999", "1000", "18446744073709551616", "-1", "-0", "-0.5", "1000.123"] {
        check(payload, Err(IntensityError::OutOfRange));
    }
}

#[test]
fn more_than_two_decimals_are_refused_and_never_rounded() {
    check("40.500", Err(IntensityError::TooPrecise));
    check("0.001", Err(IntensityError::TooPrecise));
}

#[test]
fn what_is_no_decimal_text_is_refused() {
    for payload in [
        "",
        " ",
        " 40",
        "40 ",
        "40\n",
        "+40",
        "4e1",
        "40.",
        ".5",
        ".",
        "-",
        "--4",
        "1.2.3",
        "40,5",
        "0x28",
        "NaN",
        "inf",
        "ON",
        "٤٠",
        "{\"brightness\":40}",
        "4\u{0}",
    ] {
        check(payload, Err(IntensityError::NotANumber));
    }
}

#[test]
fn the_number_for_people_is_zero_only_when_off() {
    let rounded = |hundredths| Intensity::from_hundredths(hundredths).unwrap().rounded();
    assert_eq!([0, 1, 49, 149, 150, 9_949, 9_950, 10_000].map(rounded), [0, 1, 1, 1, 2, 99, 100, 100]);
}

proptest! {
    #[test]
    fn every_level_survives_its_payload(hundredths in 0_u16..=10_000) {
        let level = Intensity::from_hundredths(hundredths).unwrap();
        let payload = level.to_payload();
        prop_assert_eq!(Intensity::try_from(&payload[..]), Ok(level));
        prop_assert!(!payload.contains(&b'.') || !payload.ends_with(b"0"), "{:?} is not the shortest", payload);
    }

    #[test]
    fn what_is_accepted_means_what_any_parser_of_decimals_says(payload in "[-+0-9.e ]{0,6}") {
        if let Ok(level) = payload.parse::<Intensity>() {
            let expected: f64 = payload.parse().unwrap();
            prop_assert_eq!(f64::from(level.hundredths()), (expected * 100.0).round());
        }
    }

    #[test]
    fn no_bytes_panic(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Intensity::try_from(&payload[..]);
    }
}
