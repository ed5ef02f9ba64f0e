//! Answers with steps beside a model that knows nothing of roll-ups: any values in any order, with crashes in between.

use super::{
    super::super::query::{Step, StepRow},
    *,
};

/// xorshift: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
}

/// One value: when it was set, how many came before it, and what it is.
type Known = (Millis, usize, f64);

/// The step that begins at `start`, by looking at every value.
fn naive(known: &[Known], start: Millis, length: Millis, now: Millis) -> Option<Step> {
    let mut known = known.to_vec();
    known.sort_by_key(|(at, order, _)| (*at, *order));
    let within: Vec<_> = known.iter().filter(|(at, ..)| (start..start + length).contains(at)).collect();
    let carried = known.iter().rfind(|(at, ..)| *at < start).map(|(.., value)| *value);
    // What held, and from when on.
    let mut held: Vec<(Millis, f64)> = carried.map(|value| (start, value)).into_iter().collect();
    held.extend(within.iter().map(|(at, _, value)| (*at, *value)));
    let (begun, last) = (held.first()?.0, held.last()?.1);
    let end = (start + length).min(now).max(held.last()?.0);
    let ends = held.iter().skip(1).map(|(at, _)| *at).chain([end]);
    let area: f64 = held.iter().zip(ends).map(|((at, value), end)| value * (end - at) as f64).sum();
    // A value that was replaced as the step began did not hold in it.
    let is_replaced = carried.is_some() && within.first().is_some_and(|(at, ..)| *at == start);
    let values = held.iter().skip(usize::from(is_replaced)).map(|(_, value)| *value);
    let (min, max) = values.fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(value), max.max(value)));
    let mean = if within.is_empty() {
        last
    } else if end > begun {
        area / (end - begun) as f64
    } else {
        last
    };
    Some(Step { start, count: within.len() as i64, min, max, mean, last })
}

fn check(
    place: &Place,
    known: &[Known],
    since_start: Millis,
    (step, length): (&str, Millis),
    now: Millis,
    context: &str,
) {
    let from = START + since_start;
    let mut asked = Asked {
        topic: TOPIC.to_owned(),
        from: Some(from.to_string()),
        to: Some(now.to_string()),
        step: Some(step.to_owned()),
        limit: Some("7".to_owned()),
    };
    let mut found: Vec<StepRow> = Vec::new();
    loop {
        let page = ask(place, &asked, now);
        found.extend(page.steps);
        let Some(next) = page.next else { break };
        asked.from = Some(next);
    }
    let start = from - from.rem_euclid(length);
    let expected = (0..).map(|index| start + index * length).take_while(|start| *start < now);
    let expected: Vec<_> = expected.filter_map(|start| naive(known, start, length, now)).collect();
    assert_eq!(found.len(), expected.len(), "{context}, step {step}");
    for (found, expected) in found.iter().zip(&expected) {
        let context = format!("{context}, step {step}: {found:?} {expected:?}");
        assert_eq!(found.from, super::super::super::query::when::rfc3339(expected.start), "{context}");
        assert_eq!(
            (found.count, found.min, found.max, found.last),
            (expected.count, expected.min, expected.max, expected.last),
            "{context}"
        );
        assert!((found.mean - expected.mean).abs() <= 1e-9 * expected.mean.abs().max(1.0), "{context}");
    }
}

#[test]
fn answers_are_those_of_a_naive_model() {
    let seeds = std::env::var("LUXWIRE_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let seeds = seeds.map_or(1..25, |seed| seed..seed + 1);
    for seed in seeds {
        let folder = Folder::new(&format!("model-{seed}"));
        let place = folder.place();
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut store = Store::open(place.clone()).unwrap();
        let (mut known, mut clock): (Vec<Known>, Millis) = (Vec::new(), START);
        for _ in 0..40 {
            let mut batch = Vec::new();
            for _ in 0..=random.below(12) {
                clock += random.below(90_000) as Millis;
                if random.chance(25) {
                    // The clock is set back.
                    clock = (clock - random.below(2 * HOUR as u64) as Millis).max(START);
                }
                let at = match random.below(10) {
                    0 => clock - random.below(HOUR as u64) as Millis,
                    1 => known.last().map_or(clock, |(at, ..)| *at),
                    // At the border of a minute.
                    2 => clock - clock.rem_euclid(MINUTE),
                    _ => clock,
                };
                if random.chance(8) {
                    batch.push(value(at, "offline"));
                } else {
                    let number = random.below(1_000) as f64 / 10.0;
                    known.push((at, known.len(), number));
                    batch.push(value(at, &number.to_string()));
                }
            }
            write(&mut store, batch);
            if random.chance(6) {
                // A crash: nothing but the file survives.
                store = Store::open(place.clone()).unwrap();
            }
        }
        let now = clock.max(START + HOUR) + random.below(3 * MINUTE as u64) as Millis;
        let context = format!("LUXWIRE_SEED={seed}");
        for (step, length) in [
            ("7s", 7_000),
            ("90s", 90_000),
            ("1m", MINUTE),
            ("5m", 5 * MINUTE),
            ("1h", HOUR),
            ("3h", 3 * HOUR),
        ] {
            if length == 7_000 && seed > 3 {
                continue;
            }
            // From before there is anything, and from anywhere within it.
            for since_start in [-2 * HOUR, random.below(HOUR as u64) as Millis] {
                check(&place, &known, since_start, (step, length), now, &context);
            }
        }
    }
}

#[test]
fn nothing_held_before_the_first_value_of_an_hour() {
    let folder = Folder::new("first");
    let mut store = Store::open(folder.place()).unwrap();
    let known = [(START + 30 * MINUTE, 0, 40.0)];
    write(&mut store, [value(START + 30 * MINUTE, "40")]);
    for step in [("9s", 9_000), ("1m", MINUTE), ("1h", HOUR)] {
        check(&folder.place(), &known, 10 * MINUTE, step, START + 40 * MINUTE, "one value");
    }
}
