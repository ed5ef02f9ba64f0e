//! The report as Markdown: what stands in the docs between the markers.

use super::results::{Agreement, Change, Cost, Report, Row};
use crate::statistics::Times;
use std::fmt::Write as _;

/// The whole report.
pub(super) fn markdown(report: &Report) -> String {
    let mut text = taken_with(report);
    for table in TABLES {
        let rows = report.rows.iter().filter_map(|row| Some((row.name, (table.cells)(row)?)));
        let _ = write!(text, "\n### {}\n\n{}", table.title, head(table));
        for (name, cells) in rows {
            let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
        }
    }
    text
}

/// A table's title, its columns, and what a row has in them; `None` if the row is not in the table.
pub(super) struct Layout {
    pub(super) title: &'static str,
    pub(super) columns: &'static [&'static str],
    cells: fn(&Row) -> Option<Vec<String>>,
}

pub(super) const TABLES: &[Layout] = &[
    Layout {
        title: "From nothing to the first value, for one follower",
        columns: &["bytes", "of them above TCP", "packets", "round trips", "time, median", "p99"],
        cells: |row| {
            let (cost, times) = (row.joining?, row.joining_times?);
            let waited = count(cost.round_trips.median);
            Some([costs(&cost), vec![waited, time(times.median_us), time(times.p99_us)]].concat())
        },
    },
    Layout {
        title: "One change, at ten changes a second",
        columns: &[
            "bytes, 1 follower",
            "of them above TCP",
            "packets",
            "bytes, 50 followers",
            "packets",
            "bytes for each further follower",
        ],
        cells: |row| {
            let (one, many) = ends(row)?;
            let further = (many.cost.bytes.median - one.cost.bytes.median)
                / (many.followers.saturating_sub(one.followers).max(1)) as f64;
            let to_many =
                vec![count(many.cost.bytes.median), count(many.cost.packets.median), count(further)];
            Some([costs(&one.cost), to_many].concat())
        },
    },
    Layout {
        title: "The same change, until a follower has it",
        columns: &["1 follower, median", "p99", "50 followers, median", "p99", "values seen of those set"],
        cells: |row| {
            let (one, many) = ends(row)?;
            let both = |times: &Times| vec![time(times.median_us), time(times.p99_us)];
            let seen = format!("{} %", count(one.seen * 100.0));
            Some([both(&one.times), both(&many.times), vec![seen]].concat())
        },
    },
    Layout {
        title: "An hour in which nothing changes, for one follower",
        columns: &["bytes", "packets", "sign of life or question", "its bytes", "its packets"],
        cells: |row| {
            let silence = row.silence.as_ref()?;
            let (bytes, packets) = (silence.cost.bytes.median, silence.cost.packets.median);
            let times = 3600.0 / silence.every_s;
            let every = format!("each {} s", silence.every_s);
            Some(vec![count(bytes * times), count(packets * times), every, count(bytes), count(packets)])
        },
    },
    Layout {
        title: "Wake up, say one value, sleep",
        columns: &["bytes", "of them above TCP", "packets", "round trips"],
        cells: |row| {
            let cost = row.once?;
            Some([costs(&cost), vec![count(cost.round_trips.median)]].concat())
        },
    },
];

/// A table's first two lines.
pub(super) fn head(table: &Layout) -> String {
    let columns = table.columns.join(" | ");
    format!("| | {columns} |\n|---|{}\n", "--:|".repeat(table.columns.len()))
}

fn taken_with(report: &Report) -> String {
    let environment = &report.environment;
    let Agreement { counts, same, widest } = report.agreement();
    format!(
        "Taken on {} with `cargo xtask bench why-mqtt`: {}, {} processors, load {} when it began, {}, TCP {}, {}. \
         Medians of {} rounds. Of {counts} counts of bytes, {same} are the same in all rounds (within 0.5 %), and the \
         widest lie {:.1} % apart.\n",
        environment.date,
        environment.processor,
        environment.processors,
        environment.load,
        environment.kernel,
        environment.tcp,
        environment.luxwire,
        report.rounds,
        widest * 100.0,
    )
}

/// The changes to the fewest followers and to the most.
fn ends(row: &Row) -> Option<(&Change, &Change)> {
    row.changes.first().zip(row.changes.last())
}

fn costs(cost: &Cost) -> Vec<String> {
    [cost.bytes, cost.above_tcp, cost.packets].map(|spread| count(spread.median)).to_vec()
}

/// Whole numbers, unless they are small: `12,345`, `4.2`.
fn count(figure: f64) -> String {
    if figure < 10.0 && (figure - figure.round()).abs() >= 0.05 {
        return format!("{figure:.1}");
    }
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Two digits say enough: `85 µs`, `1.2 ms`, `510 ms`.
fn time(us: f64) -> String {
    let (figure, unit) = if us < 1000.0 { (us, "µs") } else { (us / 1000.0, "ms") };
    if figure < 9.95 { format!("{figure:.1} {unit}") } else { format!("{figure:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        environment::Environment,
        network::Calibration,
        statistics::Spread,
        why::{CONTENDERS, results::Silence},
    };

    fn spread(median: f64) -> Spread {
        Spread { median, least: median, most: median * 1.01 }
    }

    fn cost(bytes: f64, packets: f64, above_tcp: f64) -> Cost {
        Cost {
            bytes: spread(bytes),
            packets: spread(packets),
            above_tcp: spread(above_tcp),
            round_trips: spread(3.0),
        }
    }

    fn report() -> Report {
        let times = |median_us| Times { median_us, p99_us: 3.0 * median_us, count: 600 };
        let change =
            |followers, cost, median_us| Change { followers, cost, times: times(median_us), seen: 1.0 };
        Report {
            environment: Environment {
                date: "2031-05-06".to_owned(),
                processor: "Quick 9000".to_owned(),
                processors: 8,
                load: "0.25".to_owned(),
                kernel: "Linux 9.1".to_owned(),
                tcp: "timestamps 1, congestion control cubic".to_owned(),
                luxwire: "luxwire 0.1.0".to_owned(),
            },
            calibration: Calibration { datagram_header_bytes: 28, stream_packet_bytes: 1400 },
            rounds: 3,
            rows: vec![Row {
                key: "pigeon",
                name: "Pigeon",
                joining: Some(cost(1234.0, 9.0, 700.0)),
                joining_times: Some(times(85.4)),
                silence: Some(Silence { cost: cost(108.0, 2.0, 4.0), every_s: 60.0 }),
                changes: vec![
                    change(1, cost(262.0, 4.0, 54.0), 70.0),
                    change(50, cost(6730.0, 102.0, 1400.0), 1250.0),
                ],
                once: None,
            }],
        }
    }

    #[test]
    fn a_row_stands_in_each_table_that_it_has_figures_for() {
        let text = markdown(&report());
        for row in [
            "| Pigeon | 1,234 | 700 | 9 | 3 | 85 µs | 256 µs |",
            "| Pigeon | 262 | 54 | 4 | 6,730 | 102 | 132 |",
            "| Pigeon | 70 µs | 210 µs | 1.2 ms | 3.8 ms | 100 % |",
            "| Pigeon | 6,480 | 120 | each 60 s | 108 | 2 |",
        ] {
            assert!(text.contains(row), "{row} is not in\n{text}");
        }
        assert_eq!(text.matches("| Pigeon |").count(), 4);
    }

    #[test]
    fn the_report_says_where_it_was_taken_and_how_sure_it_is() {
        let text = markdown(&report());
        for words in [
            "2031-05-06",
            "Quick 9000, 8 processors, load 0.25",
            "Linux 9.1",
            "3 rounds",
            "Of 4 counts of bytes, 0 are the same",
            "1.0 % apart",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([0.0, 4.0, 4.25, 999.6, 1_234_567.0].map(count), ["0", "4", "4.2", "1,000", "1,234,567"]);
        assert_eq!(
            [8.43, 85.4, 999.0, 1234.0, 51_300.0].map(time),
            ["8.4 µs", "85 µs", "999 µs", "1.2 ms", "51 ms"]
        );
    }

    #[test]
    fn the_docs_have_our_tables_and_all_rows() {
        let docs = include_str!("../../../docs/why-mqtt.md");
        for table in TABLES {
            assert!(docs.contains(table.title), "{} is missing: write it again", table.title);
            assert!(docs.contains(&head(table)), "{}: its columns are others", table.title);
        }
        for contender in CONTENDERS {
            let row = format!("| {} |", contender.name);
            assert!(docs.contains(&row), "{} is missing: write it again", contender.name);
        }
    }
}
