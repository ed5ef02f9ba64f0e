//! What was found, round by round, and what is said of it: the middle of the rounds, how far they lie apart, and how
//! rows compare.

use super::{
    figure::{Figure, Figures},
    scenario::Scenario,
};
use crate::{environment::Environment, statistics::Spread};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) environment: Environment,
    pub(super) pinned: bool,
    pub(super) rounds: u32,
    pub(super) seconds: f64,
    pub(super) brokers: Vec<Broker>,
    pub(super) tables: Vec<Table>,
    /// The main scenarios once more, where the kernel chose the cores.
    pub(super) unpinned: Vec<Table>,
}

/// Who was measured.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Broker {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) kind: Whose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Whose {
    Ours,
    Foreign,
    Limit,
}

/// One scenario.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    #[serde(skip)]
    pub(super) columns: &'static [Figure],
    /// By which rows are compared; the first is what matters most.
    pub(super) compared: &'static [Figure],
    pub(super) rows: Vec<Row>,
}

/// One broker in one scenario.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) broker: String,
    pub(super) kind: Whose,
    pub(super) figures: BTreeMap<Figure, Spread>,
    /// Why there is none, or not of all rounds.
    pub(super) failure: Option<String>,
    /// What is compared, as a multiple of the best of other people's.
    pub(super) to_best: BTreeMap<Figure, f64>,
    /// The same, of the limit's.
    pub(super) to_limit: BTreeMap<Figure, f64>,
}

impl Table {
    /// Of what these brokers did.
    pub(super) fn of(
        scenario: &Scenario,
        brokers: &[Broker],
        found: &BTreeMap<String, Vec<Result<Figures, String>>>,
    ) -> Self {
        let mut rows: Vec<Row> =
            brokers.iter().filter_map(|broker| Some(Row::of(broker, found.get(&broker.name)?))).collect();
        let compared = scenario.compared();
        for figure in compared {
            let best = best_of(&rows, *figure, Whose::Foreign);
            let limit = best_of(&rows, *figure, Whose::Limit);
            for row in &mut rows {
                let own = row.median(*figure);
                let ratio = |other: Option<f64>| Some((*figure, own? / other.filter(|other| *other > 0.0)?));
                row.to_best.extend(ratio(best));
                row.to_limit.extend(ratio(limit));
            }
        }
        Self { key: scenario.key, title: scenario.title, columns: scenario.columns(), compared, rows }
    }
}

fn best_of(rows: &[Row], headline: Figure, kind: Whose) -> Option<f64> {
    let figures = rows.iter().filter(|row| row.kind == kind).filter_map(|row| row.median(headline));
    figures.reduce(|a, b| if headline.less_is_better() { a.min(b) } else { a.max(b) })
}

impl Row {
    fn of(broker: &Broker, rounds: &[Result<Figures, String>]) -> Self {
        let mut by_figure: BTreeMap<Figure, Vec<f64>> = BTreeMap::new();
        for (figure, value) in rounds.iter().flatten().flatten() {
            by_figure.entry(*figure).or_default().push(*value);
        }
        let figures = by_figure.into_iter().filter_map(|(figure, values)| {
            // A fault is not made good by rounds without it.
            let spread = Spread::of(values)?;
            let worst = Spread { median: spread.most, ..spread };
            Some((figure, if figure.is_fault() { worst } else { spread }))
        });
        let failure = rounds.iter().find_map(|round| round.as_ref().err());
        Self {
            broker: broker.name.clone(),
            kind: broker.kind,
            figures: figures.collect(),
            failure: failure.cloned(),
            to_best: BTreeMap::new(),
            to_limit: BTreeMap::new(),
        }
    }

    pub(super) fn median(&self, figure: Figure) -> Option<f64> {
        self.figures.get(&figure).map(|spread| spread.median)
    }

    /// What must be known to read the row right.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (figure, spread) in &self.figures {
            if figure.is_fault() && spread.most > 0.0 {
                notes.push(format!("{} {}", figure.heading(), figure.written(spread.most)));
            }
        }
        let (broker, generator) = (self.median(Figure::BrokerCores), self.median(Figure::GeneratorCores));
        if generator.is_some_and(|cores| cores > FULL) && broker.is_none_or(|cores| cores < FULL) {
            notes.push("the generator is full: CPU counts, the rate does not".into());
        }
        if let Some(cores) = self.median(Figure::OthersCores).filter(|cores| *cores > DISTURBED) {
            notes.push(format!("disturbed: others took {:.0} % of a core", cores * 100.0));
        }
        notes.extend(self.failure.iter().map(|failure| format!("fails: {failure}")));
        notes
    }
}

/// A core that does nothing else.
const FULL: f64 = 0.94;

/// Others took that much of the two cores.
const DISTURBED: f64 = 0.15;

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(name: &str, kind: Whose) -> Broker {
        Broker { name: name.into(), version: String::new(), kind }
    }

    fn rounds(values: &[f64]) -> Vec<Result<Figures, String>> {
        values.iter().map(|value| Ok(Figures::from([(Figure::CpuSPerMillion, *value)]))).collect()
    }

    #[test]
    fn rows_are_compared_by_their_medians() {
        let brokers = [
            broker("ours", Whose::Ours),
            broker("slow", Whose::Foreign),
            broker("quick", Whose::Foreign),
            broker("relay", Whose::Limit),
        ];
        let found = BTreeMap::from([
            ("ours".to_owned(), rounds(&[1.0, 9.0, 0.5])),
            ("slow".to_owned(), rounds(&[8.0, 8.0, 8.0])),
            ("quick".to_owned(), rounds(&[2.0, 2.0, 0.1])),
            ("relay".to_owned(), rounds(&[0.25, 0.25, 0.25])),
        ]);
        let scenario = super::super::scenario::SCENARIOS.first().unwrap();
        let table = Table::of(scenario, &brokers, &found);
        let ours = &table.rows[0];
        let cpu = Figure::CpuSPerMillion;
        assert_eq!((ours.to_best[&cpu], ours.to_limit[&cpu]), (0.5, 4.0));
        assert_eq!(table.rows[2].to_best[&cpu], 1.0);
    }

    #[test]
    fn one_round_with_a_fault_is_a_fault() {
        let round = |lost| Ok(Figures::from([(Figure::Lost, lost)]));
        let row = Row::of(&broker("b", Whose::Foreign), &[round(0.0), round(7.0), round(0.0)]);
        assert_eq!(row.notes(), ["lost 7"]);
        let row = Row::of(&broker("b", Whose::Foreign), &[round(0.0), Err("it ended".into())]);
        assert_eq!(row.notes(), ["fails: it ended"]);
    }

    #[test]
    fn a_full_generator_is_said() {
        let figures = Figures::from([(Figure::BrokerCores, 0.6), (Figure::GeneratorCores, 0.99)]);
        let row = Row::of(&broker("b", Whose::Foreign), &[Ok(figures.clone())]);
        assert!(row.notes()[0].contains("generator is full"));
        let busy = Figures::from([(Figure::BrokerCores, 0.99), (Figure::GeneratorCores, 0.99)]);
        assert!(Row::of(&broker("b", Whose::Foreign), &[Ok(busy)]).notes().is_empty());
    }
}
