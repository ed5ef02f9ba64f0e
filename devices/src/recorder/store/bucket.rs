//! What is known of a stretch of time without looking at its values: the unit of roll-ups and of answers.
//!
//! A value holds until the next one. A bucket knows what happened between its first and its last value; what held before
//! and after is for whoever puts buckets side by side.

/// The longest payload that can be a number.
const NUMBER_LEN: usize = 64;
/// Larger numbers measure nothing, and their integrals would overflow.
const NUMBER_MAX: f64 = 1e100;

/// Numbers that were set at some times, at least one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::recorder) struct Bucket {
    pub(in crate::recorder) count: i64,
    pub(in crate::recorder) min: f64,
    pub(in crate::recorder) max: f64,
    pub(in crate::recorder) first_at: i64,
    pub(in crate::recorder) first: f64,
    pub(in crate::recorder) last_at: i64,
    pub(in crate::recorder) last: f64,
    /// The integral from `first_at` to `last_at`.
    pub(in crate::recorder) area: f64,
}

/// How long the buckets of a roll-up are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::recorder) enum Span {
    Minute,
    Hour,
}

impl Span {
    pub(in crate::recorder) const fn millis(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
        }
    }

    /// When the bucket begins that this time falls into.
    pub(in crate::recorder) const fn start(self, at: i64) -> i64 {
        at - at.rem_euclid(self.millis())
    }

    pub(in crate::recorder) const fn table(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }
}

impl Bucket {
    /// One value.
    pub(in crate::recorder) const fn of(at: i64, value: f64) -> Self {
        Self {
            count: 1,
            min: value,
            max: value,
            first_at: at,
            first: value,
            last_at: at,
            last: value,
            area: 0.0,
        }
    }

    /// Adds what was set at the same time or later.
    pub(in crate::recorder) fn append(&mut self, later: &Self) {
        debug_assert!(later.first_at >= self.last_at, "buckets are joined in the order of time");
        self.area += self.last * (later.first_at - self.last_at) as f64 + later.area;
        self.count += later.count;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.last_at = later.last_at;
        self.last = later.last;
    }

    /// All of these, which are in the order of time.
    pub(in crate::recorder) fn joined(buckets: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut buckets = buckets.into_iter();
        let mut all = buckets.next()?;
        buckets.for_each(|bucket| all.append(&bucket));
        Some(all)
    }
}

/// A payload that is a decimal number, as every program would read it.
pub(in crate::recorder) fn number(payload: &[u8]) -> Option<f64> {
    if payload.len() > NUMBER_LEN {
        return None;
    }
    // Not `inf` and `nan`, which Rust would read.
    let is_plain = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let text = str::from_utf8(payload).ok()?.trim();
    text.bytes()
        .all(|byte| is_plain(&byte))
        .then(|| text.parse::<f64>().ok())?
        .filter(|number| number.abs() <= NUMBER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decimal_numbers_are_numbers() {
        for (text, expected) in
            [("0", 0.0), ("40", 40.0), ("-1.5", -1.5), ("+2", 2.0), (" 7\n", 7.0), ("1e3", 1000.0)]
        {
            assert_eq!(number(text.as_bytes()), Some(expected), "{text:?}");
        }
        for text in ["", " ", "on", "inf", "NaN", "0x10", "1,5", "1_000", "12 %", "1e101", "-", "."] {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(number(&[b'1'; NUMBER_LEN + 1]), None);
        assert_eq!(number(b"\xff"), None);
    }

    #[test]
    fn a_value_holds_until_the_next() {
        let mut bucket = Bucket::of(1_000, 10.0);
        bucket.append(&Bucket::of(4_000, 40.0));
        bucket.append(&Bucket::of(4_000, 20.0));
        bucket.append(&Bucket::of(5_000, 0.0));
        let expected = Bucket {
            count: 4,
            min: 0.0,
            max: 40.0,
            first_at: 1_000,
            first: 10.0,
            last_at: 5_000,
            last: 0.0,
            area: 30_000.0 + 20_000.0,
        };
        assert_eq!(bucket, expected);
    }

    #[test]
    fn buckets_may_be_joined_in_any_grouping() {
        let values = [(0, 1.0), (10, 5.0), (15, 2.0), (40, 8.0), (60, 0.0)];
        let of = |values: &[(i64, f64)]| {
            Bucket::joined(values.iter().map(|&(at, value)| Bucket::of(at, value))).unwrap()
        };
        for cut in 1..values.len() {
            let (before, after) = values.split_at(cut);
            assert_eq!(Bucket::joined([of(before), of(after)]), Some(of(&values)));
        }
    }

    #[test]
    fn buckets_begin_at_multiples_also_before_1970() {
        assert_eq!(Span::Minute.start(119_999), 60_000);
        assert_eq!(Span::Hour.start(3_600_000), 3_600_000);
        assert_eq!(Span::Minute.start(-1), -60_000);
    }
}
