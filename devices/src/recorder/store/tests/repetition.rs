//! What comes again is stored once; what is merely equal is stored as often as it was set.

use super::*;

fn by_arrival(value: Arrival) -> Arrival {
    Arrival { origin: Origin::Arrival, ..value }
}

fn connected(store: &mut Store, resumed: bool) {
    store.write(&[Entry::Connected { resumed }]).unwrap();
}

#[test]
fn a_delivery_that_comes_again_after_a_crash_is_known() {
    for of in [|value| value, by_arrival as fn(Arrival) -> Arrival] {
        let folder = Folder::new("again");
        let mut store = Store::open(folder.place()).unwrap();
        connected(&mut store, false);
        let first =
            [delivered(1, false, of(value(START, "1"))), delivered(2, false, of(value(START + 1, "2")))];
        assert_eq!(write(&mut store, first).stored, 2);
        drop(store);

        let mut store = Store::open(folder.place()).unwrap();
        connected(&mut store, true);
        // By our own clock the second delivery has another time.
        let late = |value: Arrival| match value.origin {
            Origin::Broker => value,
            Origin::Arrival | Origin::CatchUp => Arrival { set_at: value.set_at + 500, ..value },
        };
        let again = [
            delivered(1, true, late(of(value(START, "1")))),
            delivered(2, true, late(of(value(START + 1, "2")))),
            delivered(3, true, of(value(START + 2, "3"))),
        ];
        let Written { stored, repeated, .. } = write(&mut store, again);
        assert_eq!((stored, repeated), (1, 2), "the third was delivered before, but never stored");
        assert_eq!(payloads(&folder.place()), ["1", "2", "3"]);
    }
}

#[test]
fn a_delivery_that_comes_again_while_the_first_waits_is_known() {
    let folder = Folder::new("waits");
    let mut store = Store::open(folder.place()).unwrap();
    let batch = [
        Entry::Connected { resumed: false },
        Entry::Value(delivered(1, false, by_arrival(value(START, "1")))),
        Entry::Connected { resumed: true },
        Entry::Value(delivered(1, true, by_arrival(value(START + 9, "1")))),
    ];
    assert_eq!(store.write(&batch).unwrap(), Written { stored: 1, repeated: 1, beyond: 0 });
}

#[test]
fn equal_values_are_as_many_as_were_set() {
    let folder = Folder::new("equal");
    let mut store = Store::open(folder.place()).unwrap();
    connected(&mut store, false);
    // The same value at the same time twice, and the same identifier again for another message.
    let values = [
        delivered(1, false, value(START, "1")),
        delivered(2, false, value(START, "1")),
        delivered(1, false, value(START, "1")),
        value(START, "1"),
    ];
    assert_eq!(write(&mut store, values).stored, 4);
}

#[test]
fn another_session_uses_identifiers_anew() {
    let folder = Folder::new("session");
    let mut store = Store::open(folder.place()).unwrap();
    connected(&mut store, false);
    write(&mut store, [delivered(1, false, by_arrival(value(START, "1")))]);
    connected(&mut store, false);
    let other = [delivered(1, true, by_arrival(value(START + 5, "1")))];
    assert_eq!(write(&mut store, other).stored, 1);
}

#[test]
fn what_the_broker_had_kept_is_stored_once() {
    let folder = Folder::new("kept");
    let mut store = Store::open(folder.place()).unwrap();
    let kept = |value: Arrival| Arrival { retained: true, ..value };
    // Told set times: the same value of the same time.
    assert_eq!(write(&mut store, [kept(value(START, "1")), kept(value(START, "1"))]).stored, 1);
    assert_eq!(write(&mut store, [kept(value(START, "2")), kept(value(START + 1, "1"))]).stored, 2);
    // Without: what came last.
    let untold = |at, payload: &str| kept(by_arrival(value(at, payload)));
    assert_eq!(write(&mut store, [untold(START + 9, "1")]), Written { stored: 0, repeated: 1, beyond: 0 });
    assert_eq!(write(&mut store, [untold(START + 10, "2"), untold(START + 11, "1")]).stored, 2);
    // The clock was set back: what came last is what counts, not what seems to be the newest.
    write(&mut store, [by_arrival(value(START - HOUR, "7"))]);
    assert_eq!(write(&mut store, [untold(START - HOUR + 5, "7")]).repeated, 1);
}

#[test]
fn a_window_of_deliveries_is_remembered_and_no_more() {
    let folder = Folder::new("window");
    let mut store = Store::open(folder.place()).unwrap();
    connected(&mut store, false);
    let count = crate::recorder::limits::DELIVERIES as u16 * 3;
    for first in (0..count).step_by(1_000) {
        let ids = first + 1..=first + 1_000;
        write(
            &mut store,
            ids.map(|id| delivered(id, false, by_arrival(value(START + Millis::from(id), &id.to_string())))),
        );
    }
    drop(store);
    let mut store = Store::open(folder.place()).unwrap();
    let rows: i64 =
        store.db.query_row("SELECT sum(length(ids)) / 10 FROM delivery", [], |row| row.get(0)).unwrap();
    assert!((crate::recorder::limits::DELIVERIES as i64..count.into()).contains(&rows), "{rows}");
    connected(&mut store, true);
    let last = count / 1_000 * 1_000;
    let again =
        (last - 4_000..=last).map(|id| delivered(id, true, by_arrival(value(START + HOUR, &id.to_string()))));
    assert_eq!(write(&mut store, again), Written { stored: 0, repeated: 4_001, beyond: 0 });
}

#[test]
fn a_history_in_memory_is_asked_like_any_other_and_is_its_own() {
    let (place, other) = (Place::memory(), Place::memory());
    let (mut store, mut strange) = (Store::open(place.clone()).unwrap(), Store::open(other).unwrap());
    write(&mut strange, [value(START, "not mine")]);
    for number in 1..=3 {
        write(&mut store, [value(START + number, &number.to_string())]);
        assert_eq!(payloads(&place).len() as i64, number);
    }
    assert_eq!(payloads(&place), ["1", "2", "3"]);
}
