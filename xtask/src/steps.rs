//! Steps: named pieces of work that say what they do, how long it took, and what came of it. They know nothing of
//! what the work is.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::programs::spell;
use crate::project::Project;
use crate::tail::{self, Tail};

/// The steps of one run. A clone adds to the same account, so that steps may run beside each other.
#[derive(Clone)]
pub(crate) struct Steps {
    account: Arc<Mutex<Vec<Record>>>,
    logs: PathBuf,
    output: Output,
    started: Instant,
}

impl Steps {
    pub(crate) fn new(project: &Project) -> Result<Self> {
        let logs = project.target.join("xtask-logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        Ok(Self { account: Arc::default(), logs, output: Output::Terminal, started: Instant::now() })
    }

    /// The same account, but what programs print goes to a file, so that two steps at a time stay readable. The file
    /// is shown when its step fails.
    pub(crate) fn in_background(&self) -> Self {
        Self { output: Output::File, ..self.clone() }
    }

    /// Does one step. A failure is printed at once and handed back for whoever cannot do without the result.
    pub(crate) fn run<T>(&self, name: &str, work: impl FnOnce(&mut Step) -> Result<T>) -> Result<T> {
        let mut step =
            Step { name, steps: self, begun: false, skipped: None, failures_printed: Tail::default() };
        let started = Instant::now();
        let result = work(&mut step);
        let took = started.elapsed();
        let outcome = match (&result, step.skipped, step.begun) {
            (Err(_), ..) => Outcome::Failed,
            (Ok(_), Some(reason), _) => Outcome::Skipped(reason),
            (Ok(_), None, true) => Outcome::Done,
            (Ok(_), None, false) => Outcome::InPlace,
        };
        println!("[{:>9}] {name}: {outcome}", Seconds(took));
        let mut cause = String::new();
        if let Err(error) = &result {
            println!("            {error:#}");
            cause = cause_of(&step.failures_printed, error);
        }
        self.account().push(Record { name: name.to_owned(), outcome, took, cause });
        result.with_context(|| format!("step `{name}` failed"))
    }

    /// Prints the account, and at its end why steps failed: who sees only the end of a long log sees that. A run is
    /// good when no step failed.
    pub(crate) fn conclude(&self, result: Result<()>) -> Result<ExitCode> {
        let account = self.account();
        println!("\n{}", table(&account));
        println!("The whole run took {}.", Seconds(self.started.elapsed()).to_string().trim());
        print!("{}", causes(&account));
        let failed = account.iter().filter(|record| record.outcome == Outcome::Failed).count();
        println!("{}", tally(&account));
        result?;
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn account(&self) -> MutexGuard<'_, Vec<Record>> {
        self.account.lock().expect("no step panics while it holds the account")
    }
}

/// The step being done: how it talks, and how it runs programs.
pub(crate) struct Step<'a> {
    name: &'a str,
    steps: &'a Steps,
    begun: bool,
    skipped: Option<String>,
    /// What programs printed last that did not succeed.
    failures_printed: Tail,
}

impl Step<'_> {
    /// Says what the step is about to do. A step that says nothing and runs nothing was already done.
    pub(crate) fn say(&mut self, what: impl fmt::Display) {
        self.begun = true;
        println!("[    …    ] {}: {what}", self.name);
    }

    /// Notes that the step cannot be done here, which is no failure.
    pub(crate) fn skip(&mut self, reason: impl Into<String>) {
        self.skipped = Some(reason.into());
    }

    /// Runs a program to its end; it must succeed.
    pub(crate) fn command(&mut self, command: &mut Command) -> Result<()> {
        let spoken = spell(command);
        if !self.begun {
            self.say(&spoken);
        }
        let Some(log) = self.redirect(command)? else {
            let (status, printed) = tail::run(command).with_context(|| format!("cannot run {spoken}"))?;
            if status.success() {
                return Ok(());
            }
            self.failures_printed.append(&printed.text());
            bail!("{spoken} failed ({status})");
        };
        let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run {spoken}"))?;
        if status.success() {
            return Ok(());
        }
        bail!("{spoken} failed ({status})\n{}", last_lines(&log))
    }

    /// Lets a program write where this step's programs write.
    pub(crate) fn redirect(&self, command: &mut Command) -> Result<Option<PathBuf>> {
        if self.steps.output == Output::Terminal {
            return Ok(None);
        }
        let name: String = self.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let path = self.steps.logs.join(format!("{name}.log"));
        let log = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        command.stdout(log.try_clone()?).stderr(log);
        Ok(Some(path))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Terminal,
    File,
}

struct Record {
    name: String,
    outcome: Outcome,
    took: Duration,
    /// Of a failure: what was printed last, and the error. Otherwise empty.
    cause: String,
}

#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    Done,
    /// There was nothing left to do.
    InPlace,
    Skipped(String),
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::InPlace => f.write_str("in place"),
            Self::Skipped(reason) => write!(f, "skipped, {reason}"),
            Self::Failed => f.write_str("FAILED"),
        }
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0.as_secs() {
            0..60 => format!("{:.2} s", self.0.as_secs_f64()),
            seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
        };
        f.pad(&text)
    }
}

fn table(account: &[Record]) -> String {
    let width = account.iter().map(|record| record.name.chars().count()).max().unwrap_or(0);
    let lines = account.iter().map(|Record { name, outcome, took, .. }| {
        format!("  {name:<width$}  {:>12}  {outcome}\n", Seconds(*took).to_string())
    });
    lines.collect()
}

fn cause_of(printed: &Tail, error: &anyhow::Error) -> String {
    let printed = printed.text();
    // Programs end with empty lines, or with none.
    let between = if printed.is_empty() { "" } else { "\n" };
    format!("{}{between}{error:#}", printed.trim_end_matches('\n'))
}

/// For each step that failed, why.
fn causes(account: &[Record]) -> String {
    let failed = account.iter().filter(|record| record.outcome == Outcome::Failed);
    let indented = |cause: &str| -> String { cause.lines().map(|line| format!("  {line}\n")).collect() };
    failed.map(|record| format!("\n{} FAILED:\n{}\n", record.name, indented(&record.cause))).collect()
}

fn tally(account: &[Record]) -> String {
    let count =
        |wanted: fn(&Outcome) -> bool| account.iter().filter(|record| wanted(&record.outcome)).count();
    let failed = count(|outcome| *outcome == Outcome::Failed);
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let passed = account.len() - failed - skipped;
    let names: Vec<&str> = account
        .iter()
        .filter(|record| record.outcome == Outcome::Failed)
        .map(|record| record.name.as_str())
        .collect();
    let which = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    format!("Steps: {passed} passed, {failed} failed{which}, {skipped} skipped.")
}

fn last_lines(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(40);
    lines.get(from..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Steps {
        Steps::new(&Project::locate().unwrap()).unwrap()
    }

    fn outcomes(steps: &Steps) -> Vec<String> {
        steps.account().iter().map(|record| record.outcome.to_string()).collect()
    }

    #[test]
    fn a_step_that_had_nothing_to_do_is_told_apart_from_one_that_worked() {
        let steps = steps();
        steps.run("idle", |_| Ok(())).unwrap();
        steps.run("busy", |step| step.command(&mut Command::new("true"))).unwrap();
        steps
            .run("barred", |step| {
                step.skip("no such machine");
                Ok(())
            })
            .unwrap();
        assert_eq!(outcomes(&steps), ["in place", "done", "skipped, no such machine"]);
    }

    #[test]
    fn a_run_fails_when_a_step_failed_even_if_nobody_minded() {
        let steps = steps();
        let failed = steps.run("bad", |step| step.command(&mut Command::new("false")));
        assert!(format!("{:#}", failed.unwrap_err()).contains("false failed"));
        assert_eq!(outcomes(&steps), ["FAILED"]);
        assert_eq!(tally(&steps.account()), "Steps: 0 passed, 1 failed (bad), 0 skipped.");
        assert!(format!("{:?}", steps.conclude(Ok(())).unwrap()).contains('1'));
    }

    #[test]
    fn a_background_step_keeps_its_output_and_shows_it_when_it_fails() {
        let steps = steps().in_background();
        let result = steps.run("quiet test", |step| {
            step.command(Command::new("sh").args(["-c", "echo the cause; exit 1"]))
        });
        assert!(format!("{:#}", result.unwrap_err()).contains("\nthe cause"));
    }

    #[test]
    fn the_end_of_the_account_says_what_a_failed_program_printed_last_and_what_a_good_one_did_not() {
        let steps = steps();
        let _ = steps.run("good", |step| step.command(Command::new("echo").arg("all is well")));
        let _ = steps.run("browser", |step| {
            step.command(Command::new("echo").arg("types are right"))?;
            step.command(Command::new("sh").args(["-c", "echo '1 failed: a drag' >&2; exit 1"]))
        });
        let _ = steps.run("budget", |_| -> Result<()> { bail!("3 kB too much") });
        assert_eq!(
            causes(&steps.account()),
            "\nbrowser FAILED:\n  1 failed: a drag\n  sh -c echo '1 failed: a drag' >&2; exit 1 failed (exit status: 1)\n\n\
             \nbudget FAILED:\n  3 kB too much\n\n"
        );
    }

    #[test]
    fn a_failure_that_did_not_end_its_step_is_told_when_the_step_fails() {
        let steps = steps();
        let _ = steps.run("both", |step| {
            let first = step.command(Command::new("sh").args(["-c", "echo the cause; exit 1"]));
            step.command(Command::new("echo").arg("the other is fine"))?;
            first
        });
        let causes = causes(&steps.account());
        assert!(causes.contains("  the cause\n") && !causes.contains("fine"), "{causes}");
    }

    #[test]
    fn times_are_readable_at_a_glance() {
        assert_eq!(Seconds(Duration::from_millis(4)).to_string(), "0.00 s");
        assert_eq!(Seconds(Duration::from_millis(59_990)).to_string(), "59.99 s");
        assert_eq!(Seconds(Duration::from_secs(188)).to_string(), "3 min 08 s");
    }
}
