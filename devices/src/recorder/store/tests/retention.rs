//! What is deleted, and what must not be.

use super::{super::Retention, *};
use crate::recorder::Keep;
use std::time::Duration;

const NOTHING: Keep = Keep { values: None, minutes: None, hours: None, size: None };

fn hours(hours: u64) -> Option<Duration> {
    Some(Duration::from_secs(hours * 3_600))
}

/// Until there is nothing to do.
fn retain(store: &mut Store, keep: Keep, wall: Millis) -> Retention {
    let mut retention = Retention::new(keep);
    retention.by_age(store, wall).unwrap();
    let mut slices = 0;
    while retention.slice(store).unwrap() {
        slices += 1;
        assert!(slices < 10_000, "it never ends");
    }
    retention
}

fn rows(store: &Store, table: &str) -> i64 {
    store.db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_too_old_goes_but_for_what_held_at_the_border() {
    let folder = Folder::new("age");
    let mut store = Store::open(folder.place()).unwrap();
    let other = |at| Arrival { topic: "lights/hall/intensity".into(), ..value(at, "7") };
    write(&mut store, (0..100).map(|index| value(START + index * 6 * MINUTE, &index.to_string())));
    write(&mut store, [other(START)]);
    let now = START + 10 * HOUR;
    let keep = Keep { values: hours(2), minutes: hours(5), ..NOTHING };
    let retention = retain(&mut store, keep, now);
    assert!(!retention.is_stuck);
    // 79 held when two hours ago began.
    let expected: Vec<_> = (79..100).map(|index| index.to_string()).collect();
    assert_eq!(payloads(&folder.place()), expected);
    assert_eq!(rows(&store, "value"), 21 + 1, "the other topic keeps its only value");
    assert_eq!(store.state().value_count, 22);
    assert_eq!(rows(&store, "minute"), 51 + 1);
    assert_eq!(rows(&store, "hour"), 10 + 1);

    let asked = |step: &str, from: Millis| Asked {
        topic: TOPIC.to_owned(),
        from: Some(from.to_string()),
        step: Some(step.to_owned()),
        ..Asked::default()
    };
    let minutes = ask(&folder.place(), &asked("1m", START), now);
    assert!(minutes.kept_from.is_some());
    assert!(ask(&folder.place(), &asked("1h", START), now).kept_from.is_none());
    let hour = &ask(&folder.place(), &asked("1h", START), now).steps[0];
    assert_eq!((hour.count, hour.min, hour.max), (10, 0.0, 9.0));
}

#[test]
fn a_value_that_comes_later_than_it_would_have_been_kept_harms_nothing() {
    let folder = Folder::new("late");
    let mut store = Store::open(folder.place()).unwrap();
    write(&mut store, (0..20).map(|index| value(START + index * MINUTE / 2, "10")));
    let now = START + 5 * HOUR;
    let keep = Keep { values: hours(1), ..NOTHING };
    retain(&mut store, keep, now);
    write(&mut store, [value(START + 1, "99")]);
    retain(&mut store, keep, now);
    let asked = Asked {
        topic: TOPIC.to_owned(),
        from: Some(START.to_string()),
        step: Some("1h".to_owned()),
        ..Asked::default()
    };
    let hour = &ask(&folder.place(), &asked, now).steps[0];
    assert_eq!((hour.count, hour.max), (20, 10.0), "a roll-up is never made again from what is left");
}

#[test]
fn a_file_that_is_too_large_loses_its_oldest_values_and_shrinks() {
    let folder = Folder::new("size");
    let mut store = Store::open(folder.place()).unwrap();
    for hour in 0..24 {
        let start = START + hour * HOUR;
        write(
            &mut store,
            (0..3_600).map(|second| value(start + second * 1_000, &format!("{second}.{hour:060}"))),
        );
    }
    let before = store.used().unwrap();
    let most = before / 3;
    let retention = retain(&mut store, Keep { size: Some(most), ..NOTHING }, START);
    let used = store.used().unwrap();
    assert!(used <= most && used > most / 2, "{used} of {most}");
    assert!(!retention.is_stuck);
    assert_eq!(rows(&store, "value"), store.state().value_count);
    let newest: Millis = store.db.query_row("SELECT max(set_at) FROM value", [], |row| row.get(0)).unwrap();
    assert_eq!(newest, START + 24 * HOUR - 1_000, "the newest stays");
    store.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let len = std::fs::metadata(folder.file()).unwrap().len();
    assert!(len < before * 2 / 3, "{len} of {before} bytes are given back");
}

#[test]
fn a_value_of_another_century_does_not_cost_all_others() {
    let folder = Folder::new("century");
    let mut store = Store::open(folder.place()).unwrap();
    write(&mut store, [value(START + 60 * 365 * 24 * HOUR, "100")]);
    for day in 0..10 {
        let start = START + day * 24 * HOUR;
        write(
            &mut store,
            (0..3_600).map(|second| value(start + second * 1_000, &format!("{second}.{day:060}"))),
        );
    }
    let most = store.used().unwrap() / 2;
    retain(&mut store, Keep { size: Some(most), ..NOTHING }, START);
    let used = store.used().unwrap();
    assert!(used <= most && used > most / 2, "{used} of {most}");
}

#[test]
fn a_file_that_cannot_be_small_enough_says_so_and_rests() {
    let folder = Folder::new("stuck");
    let mut store = Store::open(folder.place()).unwrap();
    write(&mut store, [value(START, &"x".repeat(100_000))]);
    let retention = retain(&mut store, Keep { size: Some(50_000), ..NOTHING }, START);
    assert!(retention.is_stuck);
    assert_eq!(rows(&store, "value"), 1);
}
