//! The report as Markdown: first how ours compares, then a table for each scenario.

use super::{
    figure::{Figure, digits},
    results::{Report, Row, Table, Whose},
};
use std::fmt::Write as _;

/// All of it.
pub(super) fn markdown(report: &Report) -> String {
    let mut page = String::new();
    let environment = &report.environment;
    let pinned = if report.pinned { "broker and generator on a core each" } else { "nothing is pinned" };
    let _ = writeln!(
        page,
        "Taken on {}: {} processors ({}), {}, TCP {}, load {} when it began; {pinned}; {} rounds, {} s a cell.",
        environment.date,
        environment.processors,
        environment.processor,
        environment.kernel,
        environment.tcp,
        environment.load,
        report.rounds,
        report.seconds
    );
    let versions = report.brokers.iter().map(|broker| format!("{}: {}", broker.name, broker.version));
    let _ = writeln!(page, "\n{}.\n", versions.collect::<Vec<_>>().join("; "));
    summary(&mut page, report);
    for table in &report.tables {
        scenario(&mut page, table);
    }
    unpinned(&mut page, report);
    page
}

/// The main scenarios once more, in one table.
fn unpinned(page: &mut String, report: &Report) {
    if report.unpinned.is_empty() {
        return;
    }
    let names: Vec<&str> = report.brokers.iter().map(|broker| broker.name.as_str()).collect();
    let _ = writeln!(
        page,
        "### Nothing pinned\n\nThe kernel puts broker and generator where it likes; a broker may have more than one core.\n\n\
         |  | {} | ours to best other |\n|---|{}---|",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    let mut notes = Vec::new();
    for table in &report.unpinned {
        for figure in table.columns.iter().filter(|figure| UNPINNED.contains(figure)) {
            let rows = names.iter().map(|name| table.rows.iter().find(|row| row.broker == *name));
            let mut cells = vec![format!("{}, {}", table.key, figure.heading())];
            cells.extend(rows.map(|row| or_dash(row.map(|row| cell(row, *figure, table)))));
            let ours = table.rows.iter().find(|row| row.kind == Whose::Ours);
            cells.push(ratio(ours.and_then(|row| row.to_best.get(figure))));
            let _ = writeln!(page, "| {} |", cells.join(" | "));
        }
        for row in &table.rows {
            notes.extend(
                row.notes().into_iter().map(|note| format!("- {}, {}: {note}", table.key, row.broker)),
            );
        }
    }
    let _ = writeln!(page, "\n{}", notes.join("\n"));
}

/// What is said of a scenario there.
const UNPINNED: [Figure; 5] = [
    Figure::DeliveredPerS,
    Figure::CpuSPerMillion,
    Figure::BrokerCores,
    Figure::HalfWithinUs,
    Figure::MostWithinUs,
];

/// One line a scenario, for each of ours.
fn summary(page: &mut String, report: &Report) {
    let ours: Vec<&str> = report
        .brokers
        .iter()
        .filter(|broker| broker.kind == Whose::Ours)
        .map(|broker| broker.name.as_str())
        .collect();
    if ours.is_empty() {
        return;
    }
    let mut headings: Vec<String> = vec![String::new()];
    headings.extend(ours.iter().map(|name| (*name).to_owned()));
    headings.extend(["best other".to_owned(), "limit".to_owned()]);
    headings.extend(ours.iter().flat_map(|name| [format!("{name} to best other"), "to limit".to_owned()]));
    let _ =
        writeln!(page, "### In short\n\n| {} |\n|{}", headings.join(" | "), "---|".repeat(headings.len()));
    for table in &report.tables {
        for figure in table.compared {
            compared(page, table, *figure, &ours);
        }
    }
    page.push('\n');
}

fn compared(page: &mut String, table: &Table, figure: Figure, ours: &[&str]) {
    let rows = |kind| table.rows.iter().filter(move |row: &&Row| row.kind == kind);
    let named =
        |row: &Row| row.median(figure).map(|value| format!("{} ({})", figure.written(value), row.broker));
    let best = rows(Whose::Foreign).min_by(|a, b| better_first(a, b, figure)).and_then(named);
    let limit = rows(Whose::Limit).find_map(|row| row.median(figure)).map(|value| figure.written(value));
    let own: Vec<Option<&Row>> =
        ours.iter().map(|name| table.rows.iter().find(|row| row.broker == *name)).collect();
    let mut cells = vec![format!("{}, {}", table.key, figure.heading())];
    for row in &own {
        let value = row.and_then(|row| row.median(figure));
        cells.push(or_dash(value.map(|value| figure.written(value))));
    }
    cells.extend([or_dash(best), or_dash(limit)]);
    for row in &own {
        cells.push(ratio(row.and_then(|row| row.to_best.get(&figure))));
        cells.push(ratio(row.and_then(|row| row.to_limit.get(&figure))));
    }
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn better_first(a: &Row, b: &Row, figure: Figure) -> std::cmp::Ordering {
    let worst = if figure.less_is_better() { f64::INFINITY } else { f64::NEG_INFINITY };
    let value = |row: &Row| row.median(figure).unwrap_or(worst);
    let order = value(a).total_cmp(&value(b));
    if figure.less_is_better() { order } else { order.reverse() }
}

fn scenario(page: &mut String, table: &Table) {
    let _ = writeln!(page, "### {}: {}\n", table.key, table.title);
    let mut headings = vec!["broker"];
    headings.extend(table.columns.iter().map(|figure| figure.heading()));
    headings.extend(["to best other", "to limit", "notes"]);
    let _ = writeln!(page, "| {} |", headings.join(" | "));
    let _ = writeln!(page, "|{}", "---|".repeat(headings.len()));
    for row in &table.rows {
        let mut cells = vec![row.broker.clone()];
        cells.extend(table.columns.iter().map(|figure| cell(row, *figure, table)));
        for ratios in [&row.to_best, &row.to_limit] {
            cells.push(ratio(table.compared.first().and_then(|figure| ratios.get(figure))));
        }
        cells.push(row.notes().join("; "));
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    page.push('\n');
}

/// The rate and what is compared say how far the rounds lie apart.
fn cell(row: &Row, figure: Figure, table: &Table) -> String {
    let Some(spread) = row.figures.get(&figure) else { return or_dash(None) };
    let value = figure.written(spread.median);
    let half = spread.relative() / 2.0;
    if (table.compared.contains(&figure) || figure == Figure::DeliveredPerS) && half >= 0.005 {
        return format!("{value} ±{:.0} %", half * 100.0);
    }
    value
}

fn ratio(ratio: Option<&f64>) -> String {
    or_dash(ratio.map(|ratio| format!("{}×", digits(*ratio))))
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".into())
}
