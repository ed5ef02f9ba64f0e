//! A plot in a terminal: a column for each step, in eighths of a line, and local times below.

use super::{
    as_asked, kept_from,
    local::{self, Detail},
    output::{Output, Text},
    table::rounded,
};
use crate::recorder::{
    arrival::Millis,
    query::{Answer, Asked, StepRow},
};
use anyhow::{Result, anyhow};
use std::io::Write as _;

/// Columns beside the plot: the scale and its line.
pub(super) const MARGIN: u16 = LABEL as u16 + 2;
const LABEL: usize = 8;
const HEIGHT: usize = 10;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const TEN_HOURS: Millis = 10 * HOUR;
const DAY: Millis = 24 * HOUR;

pub(super) struct Plot {
    out: Text,
    topic: String,
    from: Millis,
    to: Millis,
    step: Millis,
    note: Option<String>,
    /// Start and mean.
    columns: Vec<(Millis, f64)>,
    range: Option<(f64, f64)>,
}

/// The same question with a step for each column.
pub(super) fn in_columns(asked: Asked, columns: u16, now: Millis) -> Result<Asked> {
    let question = asked.understand(now).map_err(|error| anyhow!(error))?;
    let to = question.to.unwrap_or(now);
    let step = step(to - question.from, columns.into());
    Ok(Asked { to: Some(as_asked(to)), step: Some(format!("{}s", step / 1_000)), ..asked })
}

/// The shortest step that fits: whole minutes and hours where that makes little difference, since those are rolled up.
fn step(range: Millis, columns: Millis) -> Millis {
    // Both ends may lie within a step.
    let least = range / (columns - 1).max(1) + 1;
    let unit = match least {
        ..MINUTE => 1_000,
        MINUTE..TEN_HOURS => MINUTE,
        _ => HOUR,
    };
    (least + unit - 1) / unit * unit
}

impl Plot {
    pub(super) fn new(out: Text) -> Self {
        let (topic, columns) = (String::new(), Vec::new());
        Self { out, topic, from: 0, to: 0, step: 1_000, note: None, columns, range: None }
    }

    fn add(&mut self, step: &StepRow) -> Result<()> {
        self.columns.push((millis(&step.from)?, step.mean));
        let (least, most) = self.range.unwrap_or((step.min, step.max));
        self.range = Some((least.min(step.min), most.max(step.max)));
        Ok(())
    }

    /// One line of the plot for each ten percent of the scale, and those of the time.
    fn draw(&self) -> Vec<String> {
        let Some((least, most)) = self.range else {
            return vec!["no number was recorded in this time".to_owned()];
        };
        let (low, high) = scale(least, most);
        let width = usize::try_from((self.to - self.from) / self.step).unwrap_or(0).max(1);
        let mut heights = vec![None; width];
        for (start, mean) in &self.columns {
            if let Some(column) =
                usize::try_from((start - self.from) / self.step).ok().and_then(|at| heights.get_mut(at))
            {
                // A value at the bottom of the scale is a line, and nothing known is none.
                let eighths = (mean - low) / (high - low) * (HEIGHT * 8) as f64;
                *column = Some((eighths.round() as usize).clamp(1, HEIGHT * 8));
            }
        }
        let mut lines: Vec<String> = (0..HEIGHT)
            .map(|line| {
                let below = (HEIGHT - 1 - line) * 8;
                let label = match line {
                    0 => rounded(high),
                    line if line == HEIGHT / 2 => rounded(low + (high - low) / 2.0),
                    _ if line == HEIGHT - 1 => rounded(low),
                    _ => String::new(),
                };
                let blocks: String = heights
                    .iter()
                    .map(|height| height.map_or(' ', |height| EIGHTHS[height.saturating_sub(below).min(8)]))
                    .collect();
                format!("{label:>LABEL$} ┤{blocks}").trim_end().to_owned()
            })
            .collect();
        lines.extend(self.axis(width));
        lines
    }

    fn axis(&self, width: usize) -> [String; 2] {
        let detail = if self.to - self.from <= 2 * DAY { Detail::Clock } else { Detail::Day };
        let pause = 12;
        let (mut ticks, mut labels) = (String::new(), String::new());
        for column in 0..width {
            let has_tick = column % pause == 0;
            ticks.push(if has_tick { '┬' } else { '─' });
            if has_tick && column + 5 <= width {
                let at = self.from + Millis::try_from(column).unwrap_or(0) * self.step;
                labels += &" ".repeat(column - labels.chars().count().min(column));
                labels += &local::of_millis(at, detail);
            }
        }
        let margin = " ".repeat(LABEL + 1);
        [format!("{margin}└{ticks}"), format!("{margin} {labels}")]
    }
}

/// From the bottom to the top: with zero where that does not squeeze the rest.
fn scale(least: f64, most: f64) -> (f64, f64) {
    let low = if least > 0.0 && least <= most / 2.0 { 0.0 } else { least };
    if most > low {
        (low, most)
    } else if most > 0.0 {
        (0.0, most)
    } else {
        (low, low + 1.0)
    }
}

impl Output for Plot {
    fn begin(&mut self, topic: &str, first: &Answer) -> Result<()> {
        let topic = topic.chars().filter(|char| !char.is_control()).collect();
        (self.topic, self.note) = (topic, kept_from(first));
        (self.from, self.to) = (millis(&first.from)?, millis(&first.to)?);
        self.step = first.step_millis().ok_or_else(|| anyhow!("the answer has no steps"))?;
        (self.columns, self.range) = (Vec::new(), None);
        Ok(())
    }

    fn page(&mut self, page: &Answer) -> Result<()> {
        page.steps.iter().try_for_each(|step| self.add(step))
    }

    fn end(&mut self) -> Result<()> {
        let [from, to] = [self.from, self.to].map(|at| local::of_millis(at, Detail::Minutes));
        writeln!(self.out, "{}  {from} to {to}, {}", self.topic, local::zone())?;
        if let Some(note) = &self.note {
            writeln!(self.out, "({note})")?;
        }
        for line in self.draw() {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

fn millis(rfc3339: &str) -> Result<Millis> {
    Ok(rfc3339.parse::<jiff::Timestamp>()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(columns: &[(usize, f64)]) -> Vec<String> {
        let mut plot = Plot::new(std::io::BufWriter::new(Box::new(std::io::sink())));
        (plot.to, plot.step) = (20 * MINUTE, MINUTE);
        for (column, value) in columns {
            plot.columns.push((*column as Millis * MINUTE, *value));
            let (least, most) = plot.range.unwrap_or((*value, *value));
            plot.range = Some((least.min(*value), most.max(*value)));
        }
        plot.draw()
    }

    #[test]
    fn a_column_is_as_high_as_its_value() {
        let lines = plot(&[(1, 0.0), (2, 50.0), (3, 100.0), (4, 2.5)]);
        assert_eq!(lines[0], "     100 ┤   █");
        assert_eq!(lines[4], "         ┤   █");
        assert_eq!(lines[5], "      50 ┤  ██");
        assert_eq!(lines[9], "       0 ┤ ▁██▂");
        assert!(lines[10].ends_with("└┬───────────┬───────"), "{}", lines[10]);
        assert!(lines.iter().all(|line| line.chars().count() <= usize::from(MARGIN) + 20));
    }

    #[test]
    fn a_constant_and_nothing_can_be_drawn() {
        assert_eq!(plot(&[(0, 7.0)])[0], "       7 ┤█");
        assert_eq!(plot(&[(0, 0.0)])[9], "       0 ┤▁");
        assert_eq!(plot(&[]), ["no number was recorded in this time"]);
        assert_eq!(scale(20.0, 22.0), (20.0, 22.0));
        assert_eq!(scale(-3.0, -3.0), (-3.0, -2.0));
    }

    #[test]
    fn steps_fill_the_width_and_no_more() {
        for range in [1, 59_000, HOUR, DAY, 7 * DAY, 365 * DAY] {
            let step = step(range, 70);
            assert!(range / step < 70, "{range} {step}");
            assert_eq!(step % 1_000, 0);
            if range >= DAY {
                assert_eq!(step % MINUTE, 0, "minutes are rolled up");
            }
        }
    }
}
