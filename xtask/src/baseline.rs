//! The counts that were accepted, as `broker/benches/counts/baseline.tsv` keeps them, and what speaks against others.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};

/// What one path costs for one of what it counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    pub(crate) path: String,
    /// Of what: a message, a delivery, a client.
    pub(crate) unit: String,
    /// To the tenth.
    pub(crate) instructions: f64,
    /// To the ten-thousandth: once in ten thousand messages is seen.
    pub(crate) allocations: f64,
}

/// Counts, and what they were counted with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counts {
    /// Compiler, C library, valgrind and processor: counts of others cannot be compared.
    pub(crate) tools: String,
    pub(crate) counts: Vec<Count>,
}

/// What comes of comparing.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// No path costs more than it may.
    Good,
    /// The same, and some path became so cheap that its accepted count would hide what is lost again.
    Cheaper,
    /// A sentence for each path that costs more than it may.
    Costlier(Vec<String>),
    /// The accepted counts were made with other tools, so that nothing is certain.
    Incomparable,
}

/// What a change may add to the instructions of a path, in percent: code moves a little with everything that is compiled
/// with it. The baseline stays where it is meanwhile, so that many small rises are seen as well.
pub(crate) const TOLERATED_PERCENT: f64 = 5.0;

impl Count {
    pub(crate) fn of(path: &str, unit: &str, units: u64, instructions: u64, allocations: u64) -> Self {
        let each = |total: u64, steps: f64| (total as f64 / units as f64 * steps).round() / steps;
        Self {
            path: path.to_owned(),
            unit: unit.to_owned(),
            instructions: each(instructions, 10.0),
            allocations: each(allocations, 10_000.0),
        }
    }

    /// How much more this is than what was accepted.
    fn percent_above(&self, accepted: &Self) -> f64 {
        (self.instructions / accepted.instructions - 1.0) * 100.0
    }
}

impl Counts {
    pub(crate) fn of_path(&self, path: &str) -> Option<&Count> {
        self.counts.iter().find(|count| count.path == path)
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let tools = text.lines().find_map(|line| line.strip_prefix(COUNTED_WITH));
        let tools = tools.context("the baseline does not say what it was counted with")?.to_owned();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let counts = lines.map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [path, unit, instructions, allocations] = columns[..] else {
                bail!("the baseline has a line of other than four columns: {line}");
            };
            let number = |text: &str| {
                let number = text.parse().with_context(|| format!("no number in the baseline: {line}"))?;
                anyhow::ensure!(f64::is_finite(number) && number >= 0.0, "no count in the baseline: {line}");
                Ok(number)
            };
            Ok(Count {
                path: path.to_owned(),
                unit: unit.to_owned(),
                instructions: number(instructions)?,
                allocations: number(allocations)?,
            })
        });
        Ok(Self { tools, counts: counts.collect::<Result<_>>()? })
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text =
            format!("{HEAD}{COUNTED_WITH}{}\n# path\tper\tinstructions\tallocations\n", self.tools);
        for Count { path, unit, instructions, allocations } in &self.counts {
            let _ = writeln!(text, "{path}\t{unit}\t{instructions:.1}\t{allocations:.4}");
        }
        text
    }

    /// A line for each path, beside what was accepted.
    pub(crate) fn table(&self, accepted: &Self) -> String {
        let width = self.counts.iter().map(|count| count.path.len()).max().unwrap_or(0);
        let mut table = format!(
            "  {:<width$}  {:<8}  {:>24}  {:>8}  {:>22}\n",
            "path", "per", "instructions", "change", "allocations"
        );
        for count in &self.counts {
            let Count { path, unit, instructions, allocations } = count;
            let (before, change, allocated) = match accepted.of_path(path) {
                Some(accepted) => (
                    format!("{:.1}", accepted.instructions),
                    format!("{:+.1} %", count.percent_above(accepted)),
                    format!("{:.4}", accepted.allocations),
                ),
                None => ("–".into(), "new".into(), "–".into()),
            };
            let instructions = format!("{before} → {instructions:.1}");
            let allocations = format!("{allocated} → {allocations:.4}");
            let _ = writeln!(
                table,
                "  {path:<width$}  {unit:<8}  {instructions:>24}  {change:>8}  {allocations:>22}"
            );
        }
        table
    }

    pub(crate) fn judge(&self, accepted: &Self) -> Verdict {
        if self.tools != accepted.tools {
            return Verdict::Incomparable;
        }
        let objections = self.objections(accepted);
        if !objections.is_empty() {
            Verdict::Costlier(objections)
        } else if self.is_outdated(accepted) {
            Verdict::Cheaper
        } else {
            Verdict::Good
        }
    }

    fn objections(&self, accepted: &Self) -> Vec<String> {
        let mut objections = Vec::new();
        for count in &self.counts {
            let Count { path, unit, instructions, allocations } = count;
            let Some(accepted) = accepted.of_path(path) else {
                objections.push(format!("{path} is counted and has no accepted count"));
                continue;
            };
            let percent = count.percent_above(accepted);
            if tenths(count.instructions) > tenths(accepted.instructions * (1.0 + TOLERATED_PERCENT / 100.0))
            {
                objections.push(format!(
                    "{path} takes {instructions:.1} instructions per {unit}, {percent:.1} % more than the {:.1} \
                     that were accepted; {TOLERATED_PERCENT} % are tolerated",
                    accepted.instructions
                ));
            }
            if *allocations > accepted.allocations {
                objections.push(format!(
                    "{path} allocates {allocations:.4} times per {unit}, where {:.4} were accepted; no rise is tolerated",
                    accepted.allocations
                ));
            }
        }
        let gone = accepted.counts.iter().filter(|count| self.of_path(&count.path).is_none());
        objections
            .extend(gone.map(|count| format!("{} has an accepted count and is not counted", count.path)));
        objections
    }

    fn is_outdated(&self, accepted: &Self) -> bool {
        self.counts.iter().any(|count| {
            accepted.of_path(&count.path).is_some_and(|accepted| {
                count.percent_above(accepted) < -TOLERATED_PERCENT || count.allocations < accepted.allocations
            })
        })
    }
}

/// Whole numbers, in which a twentieth of a thousand is fifty and not a little more.
fn tenths(number: f64) -> f64 {
    (number * 10.0).round()
}

const HEAD: &str = "\
# What the key paths of a message cost; `cargo xtask counts` compares, `cargo xtask counts --accept` writes this file.
# How it is counted, and what was tried: docs/performance.md.
";
const COUNTED_WITH: &str = "# counted with: ";

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: &[(&str, f64, f64)]) -> Counts {
        let counts = lines.iter().map(|(path, instructions, allocations)| Count {
            path: (*path).to_owned(),
            unit: "message".to_owned(),
            instructions: *instructions,
            allocations: *allocations,
        });
        Counts { tools: "rustc 1.95.0, glibc 2.36".to_owned(), counts: counts.collect() }
    }

    #[track_caller]
    fn check(accepted: &[(&str, f64, f64)], counted: &[(&str, f64, f64)], expected: &[&str]) {
        let objections = counts(counted).objections(&counts(accepted));
        assert_eq!(objections.len(), expected.len(), "{objections:?}");
        for (objection, part) in objections.iter().zip(expected) {
            assert!(objection.contains(part), "{objection}");
        }
    }

    #[test]
    fn a_path_may_take_a_twentieth_more_and_not_an_instruction_beyond() {
        check(&[("route", 1000.0, 2.0)], &[("route", 1050.0, 2.0)], &[]);
        check(&[("route", 1000.0, 2.0)], &[("route", 1050.1, 2.0)], &["5.0 % more than the 1000.0"]);
        check(&[("route", 1000.0, 2.0)], &[("route", 500.0, 2.0)], &[]);
    }

    #[test]
    fn no_rise_of_allocations_is_tolerated() {
        check(&[("route", 1000.0, 0.0)], &[("route", 1000.0, 0.0001)], &["0.0001 times per message"]);
        check(&[("route", 1000.0, 2.0)], &[("route", 1000.0, 1.0)], &[]);
    }

    #[test]
    fn no_path_comes_or_goes_unseen() {
        check(&[("a", 1.0, 0.0)], &[("b", 1.0, 0.0)], &["b is counted", "a has an accepted count"]);
    }

    #[test]
    fn what_became_cheaper_can_be_accepted() {
        let accepted = counts(&[("route", 1000.0, 2.0)]);
        let judge =
            |instructions, allocations| counts(&[("route", instructions, allocations)]).judge(&accepted);
        assert_eq!(judge(951.0, 2.0), Verdict::Good);
        assert_eq!(judge(949.0, 2.0), Verdict::Cheaper);
        assert_eq!(judge(1000.0, 1.9), Verdict::Cheaper);
        assert!(matches!(judge(900.0, 2.1), Verdict::Costlier(_)));
    }

    #[test]
    fn counts_of_another_compiler_prove_nothing() {
        let accepted = counts(&[("route", 1000.0, 2.0)]);
        let dear = counts(&[("route", 2000.0, 4.0)]);
        assert!(matches!(dear.judge(&accepted), Verdict::Costlier(_)));
        let elsewhere = Counts { tools: "rustc 1.96.0, glibc 2.36".to_owned(), ..dear };
        assert_eq!(elsewhere.judge(&accepted), Verdict::Incomparable);
    }

    #[test]
    fn the_file_gives_back_what_was_written() {
        let counts = counts(&[("decode", 123.4, 0.0), ("one-to-500", 217.0, 0.0025)]);
        assert_eq!(Counts::parse(&counts.to_text()).unwrap(), counts);
    }

    #[test]
    fn a_count_is_kept_as_the_file_writes_it() {
        let third = Count::of("route", "message", 3, 100, 1);
        assert_eq!((third.instructions, third.allocations), (33.3, 0.3333));
    }

    #[test]
    fn a_file_that_was_edited_wrongly_is_refused() {
        let good = "# counted with: rustc\nroute\tmessage\t1.0\t0.0\n";
        assert!(Counts::parse(good).is_ok());
        for (from, to) in
            [("# counted", "# count"), ("1.0", "few"), ("1.0", "NaN"), ("\t0.0", ""), ("0.0", "-1")]
        {
            assert!(Counts::parse(&good.replacen(from, to, 1)).is_err(), "{from} replaced by {to}");
        }
    }
}
