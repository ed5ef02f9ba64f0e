//! The report as Markdown: what stands in the docs between the markers.

use super::{
    Report,
    figures::{Row, Unit},
};
use crate::statistics::Spread;
use std::fmt::Write as _;

/// The whole report.
pub(super) fn markdown(report: &Report) -> String {
    let mut text = taken_with(report);
    for table in &report.tables {
        let _ = writeln!(text, "\n### {}\n\n| | Luxwire | MQTT.js | ratio |\n|---|--:|--:|--:|", table.title);
        for row in &table.rows {
            let ratio = row.ratio().map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}×"));
            let (luxwire, mqtt_js) = (cell(row, row.luxwire), cell(row, row.mqtt_js));
            let _ = writeln!(text, "| {} | {luxwire} | {mqtt_js} | {ratio} |", row.name);
        }
    }
    text
}

fn taken_with(report: &Report) -> String {
    let environment = &report.environment;
    format!(
        "Taken on {} with `cargo xtask bench page`: {}, {} processors, load {} when it began, {}, {}, {}, MQTT.js {}. {} rounds, \
         each with {} drags; {} moves were timed for each page. The pages' clocks agree within {:.1} ms.\n",
        environment.date,
        environment.processor,
        environment.processors,
        environment.load,
        environment.kernel,
        environment.luxwire,
        report.browser,
        report.mqtt_js,
        report.extent.rounds,
        report.extent.drags,
        report.moves,
        report.clocks_differ_by_ms,
    )
}

/// The figure, and between which values the rounds lie, if they differ.
fn cell(row: &Row, spread: Option<Spread>) -> String {
    let Some(Spread { median, least, most }) = spread else { return "–".to_owned() };
    let write = |value: f64| number(row.unit, value);
    let (median, least, most) = (write(median), write(least), write(most));
    let unit = match row.unit {
        Unit::Count | Unit::Bytes => "",
        Unit::Milliseconds => " ms",
    };
    if least == most { format!("{median}{unit}") } else { format!("{median}{unit} ({least} – {most})") }
}

fn number(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Milliseconds if value < 100.0 => format!("{value:.1}"),
        Unit::Bytes if value < 100.0 => format!("{value:.1}"),
        Unit::Count | Unit::Bytes | Unit::Milliseconds => thousands(value),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64, least: f64, most: f64) -> Option<Spread> {
        Some(Spread { median, least, most })
    }

    fn written(unit: Unit, spread: Option<Spread>) -> String {
        cell(&Row { name: "", unit, luxwire: None, mqtt_js: None }, spread)
    }

    #[test]
    fn a_figure_says_how_far_the_rounds_lie_apart_if_they_do() {
        assert_eq!(written(Unit::Milliseconds, spread(3.04, 2.91, 17.0)), "3.0 ms (2.9 – 17.0)");
        assert_eq!(written(Unit::Bytes, spread(185_302.0, 185_302.0, 185_302.0)), "185,302");
        assert_eq!(written(Unit::Count, spread(22.0, 21.0, 1_022.0)), "22 (21 – 1,022)");
        assert_eq!(written(Unit::Milliseconds, None), "–");
    }
}
