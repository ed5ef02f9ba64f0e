//! `cargo xtask counts`: what the key paths of a message cost in instructions and allocations, beside what was accepted.
//! Times depend on the machine's mood; these do not, so that they can be asserted. The paths themselves are
//! `broker/benches/counts/`.

use std::cmp::Reverse;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::apt::Apt;
use crate::baseline::{Count, Counts, Verdict};
use crate::callgrind::{self, Marks, Profile};
use crate::programs::{cargo, on_path, output};
use crate::project::{Project, read};
use crate::steps::{Step, Steps};

pub(crate) fn run(project: &Project, steps: &Steps, arguments: &[String]) -> Result<ExitCode> {
    let done = match arguments {
        [] => check(project, steps),
        [flag] if flag == "--accept" => accept(project, steps),
        [path] if !path.starts_with('-') => look(project, steps, path),
        _ => bail!("cargo xtask counts [--accept | PATH]"),
    };
    // The account has the failure, in words that need not be said twice.
    steps.conclude(done.or(Ok(())))
}

/// Fails if a path costs more than it may.
pub(crate) fn check(project: &Project, steps: &Steps) -> Result<()> {
    steps.run("counts", |step| {
        if !can_be_counted(step) {
            return Ok(());
        }
        let accepted = Counts::parse(&read(&baseline(project))?)?;
        let counted = count(project, step, None)?.counts();
        println!("{}{}", counted.table(&accepted), ratio(&counted));
        match counted.judge(&accepted) {
            Verdict::Good => {}
            Verdict::Cheaper => {
                step.say("some paths became cheaper; `cargo xtask counts --accept` keeps it so")
            }
            Verdict::Costlier(objections) => {
                bail!("a path costs more than it may:\n{}\n{}", objections.join("\n"), how_to_accept(project))
            }
            Verdict::Incomparable => step.say(format!(
                "the accepted counts are of {}; here it is {}, so that nothing can be said for certain",
                accepted.tools, counted.tools
            )),
        }
        Ok(())
    })
}

/// Whatever they cost is what they may cost from here on.
fn accept(project: &Project, steps: &Steps) -> Result<()> {
    steps.run("counts", |step| {
        if !can_be_counted(step) {
            return Ok(());
        }
        let counted = count(project, step, None)?.counts();
        let before = fs::read_to_string(baseline(project)).ok().and_then(|text| Counts::parse(&text).ok());
        println!("{}{}", counted.table(before.as_ref().unwrap_or(&counted)), ratio(&counted));
        fs::write(baseline(project), counted.to_text()).context("cannot write the baseline")?;
        step.say(format!("wrote {BASELINE}"));
        Ok(())
    })
}

/// Shows where one path spends its instructions.
fn look(project: &Project, steps: &Steps, path: &str) -> Result<()> {
    steps.run("counts", |step| {
        if !can_be_counted(step) {
            return Ok(());
        }
        let counted = count(project, step, Some(path))?;
        for run in &counted.runs {
            println!("{}", run.places());
        }
        let counts = counted.counts();
        println!("{}", counts.table(&Counts::parse(&read(&baseline(project))?)?));
        let file = profile_file(project, path);
        println!("  line by line: callgrind_annotate --auto=yes {}", file.display());
        Ok(())
    })
}

const BASELINE: &str = "broker/benches/counts/baseline.tsv";

/// Functions of the benchmark's `main.rs`.
const MARKS: Marks<'static> = Marks { begin: "count_begins", end: "count_ends" };

fn baseline(project: &Project) -> PathBuf {
    project.root.join(BASELINE)
}

fn profile_file(project: &Project, path: &str) -> PathBuf {
    project.counts().join(format!("{path}.callgrind"))
}

fn how_to_accept(project: &Project) -> String {
    format!(
        "`cargo xtask counts PATH` shows where a path spends its instructions; profiles of all are in {}.\n\
         If the change is worth it: `cargo xtask counts --accept` writes {BASELINE}; commit it with the change, and say \
         why in the message.",
        project.counts().display()
    )
}

/// Whether messages stay cheap where there are many filters.
fn ratio(counted: &Counts) -> String {
    let instructions = |path| counted.of_path(path).map(|count| count.instructions);
    match (instructions("wildcards-100"), instructions("wildcards-100000")) {
        (Some(few), Some(many)) => {
            format!(
                "\n  Among 100,000 wildcards a message takes {:.2} times what it takes among 100.\n",
                many / few
            )
        }
        _ => String::new(),
    }
}

fn can_be_counted(step: &mut Step) -> bool {
    if !cfg!(target_os = "linux") {
        step.skip("valgrind counts on Linux only");
    }
    cfg!(target_os = "linux")
}

/// What came of counting.
struct Counted {
    tools: String,
    runs: Vec<Run>,
}

/// One path, counted.
struct Run {
    path: String,
    unit: String,
    units: u64,
    profile: Profile,
}

impl Counted {
    fn counts(&self) -> Counts {
        let count = |Run { path, unit, units, profile }: &Run| {
            Count::of(path, unit, *units, profile.instructions, profile.allocations)
        };
        Counts { tools: self.tools.clone(), counts: self.runs.iter().map(count).collect() }
    }
}

/// Counts every path, or one.
fn count(project: &Project, step: &mut Step, only: Option<&str>) -> Result<Counted> {
    let program = compile(project, step)?;
    let valgrind = valgrind(step)?;
    let listed = output(Command::new(&program).arg("--list"))?;
    let mut paths = Vec::new();
    for line in listed.lines() {
        let (path, unit) = line.split_once('\t').with_context(|| format!("a path without a unit: {line}"))?;
        if only.is_none_or(|only| only == path) {
            paths.push((path, unit));
        }
    }
    if let Some(only) = only.filter(|_| paths.is_empty()) {
        bail!("there is no path {only}; there are:\n{listed}");
    }
    fs::create_dir_all(project.counts()).context("cannot create the folder of profiles")?;
    step.say(format!("{} under callgrind", if only.is_some() { "one path" } else { "all paths" }));
    let waiting = Mutex::new(paths.iter().enumerate());
    let done = Mutex::new(Vec::new());
    // Beside each other: the counts do not mind.
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((at, (path, unit))) = next(&waiting) {
                    let run = run_one(project, &valgrind, &program, path, unit);
                    done.lock().expect("nobody panics while it adds").push((at, run));
                }
            });
        }
    });
    let mut done = done.into_inner().context("a thread panicked")?;
    done.sort_by_key(|(at, _)| *at);
    let runs = done.into_iter().map(|(_, run)| run).collect::<Result<_>>()?;
    Ok(Counted { tools: tools(&valgrind)?, runs })
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().expect("nobody panics while it takes").next()
}

fn run_one(project: &Project, valgrind: &Path, program: &Path, path: &str, unit: &str) -> Result<Run> {
    let file = profile_file(project, path);
    let (profile, printed) = callgrind::run(valgrind, Command::new(program).arg(path), &MARKS, &file)?;
    let units = printed.trim().strip_prefix(path).and_then(|units| units.trim().parse().ok());
    let units = units.filter(|units| *units > 0).with_context(|| format!("{path} said {printed}"))?;
    Ok(Run { path: path.to_owned(), unit: unit.to_owned(), units, profile })
}

/// The benchmark, from the same sources and with the same optimisation as the server is released with.
fn compile(project: &Project, step: &mut Step) -> Result<PathBuf> {
    let mut build = cargo();
    build.current_dir(&project.root).args(["build", "--profile", "counts", "--package", "luxwire-broker"]);
    build.args(["--bench", "counts", "--message-format", "json-render-diagnostics"]);
    // Incremental compilation cuts the code into other pieces.
    build.env("CARGO_INCREMENTAL", "0").stdin(Stdio::null()).stdout(Stdio::piped());
    step.say("compiling the paths as the server is released");
    let mut cargo = build.spawn().context("cannot run cargo")?;
    let mut messages = String::new();
    cargo.stdout.take().context("cargo has a standard output")?.read_to_string(&mut messages)?;
    ensure!(cargo.wait()?.success(), "the key paths do not compile");
    executable(&messages).context("cargo does not say where the benchmark is")
}

/// Where cargo put the one program that it was asked for.
fn executable(messages: &str) -> Option<PathBuf> {
    let mut of_programs = messages.lines().filter_map(|line| line.split_once(r#""executable":""#));
    let (_, rest) = of_programs.next_back()?;
    rest.split_once('"').map(|(path, _)| PathBuf::from(path))
}

/// valgrind: found on the PATH, else Debian's.
pub(crate) fn valgrind(step: &mut Step) -> Result<PathBuf> {
    if let Some(program) = on_path("valgrind") {
        return Ok(program);
    }
    let apt = Apt::of_this_machine().context("please install valgrind")?;
    apt.install(step, &["valgrind"])?;
    on_path("valgrind").context("Debian's valgrind is not on the PATH")
}

/// What a count depends on besides our code: compiler, C library, valgrind and processor.
fn tools(valgrind: &Path) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiler = output(Command::new(rustc).arg("--version"))?;
    // Without glibc there is no such thing to ask.
    let library = output(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    let library = library.unwrap_or_else(|_| "another C library".to_owned());
    let valgrind = output(Command::new(valgrind).arg("--version"))?;
    let tools = [compiler.trim(), library.trim(), valgrind.trim(), std::env::consts::ARCH];
    Ok(tools.join(", "))
}

impl Run {
    /// Where most of the instructions are, and all allocations, each for one of what the path counts.
    fn places(&self) -> String {
        let Profile { functions, files, .. } = &self.profile;
        let mut text = format!("  {:>9}  {:>9}  function, per {}\n", "own", "inclusive", self.unit);
        for (name, own) in self.worth_a_line(functions.iter().map(|(name, cost)| (name, cost.own))) {
            let inclusive = functions.get(name).map_or(0, |cost| cost.inclusive);
            text += &format!("  {:>9.1}  {:>9.1}  {name}\n", self.each(own), self.each(inclusive));
        }
        text += &format!("\n  {:>9}  {:>9}  function, per {}\n", "allocates", "", self.unit);
        let mut allocating: Vec<_> = functions.iter().filter(|(_, cost)| cost.allocations > 0).collect();
        allocating.sort_by_key(|(name, cost)| (Reverse(cost.allocations), *name));
        for (name, cost) in allocating {
            text += &format!("  {:>9.4}  {:>9}  {name}\n", self.each(cost.allocations), "");
        }
        text += &format!("\n  {:>9}  {:>9}  source file, per {}\n", "own", "", self.unit);
        for (name, own) in self.worth_a_line(files.iter().map(|(name, own)| (name, *own))) {
            text += &format!("  {:>9.1}  {:>9}  {name}\n", self.each(own), "");
        }
        text
    }

    fn each(&self, total: u64) -> f64 {
        total as f64 / self.units as f64
    }

    /// Those with half a percent of all instructions, the most expensive first.
    fn worth_a_line<'a>(&self, costs: impl Iterator<Item = (&'a String, u64)>) -> Vec<(&'a String, u64)> {
        let mut costs: Vec<_> =
            costs.filter(|(_, own)| own.saturating_mul(200) >= self.profile.instructions).collect();
        costs.sort_by_key(|(name, own)| (Reverse(*own), *name));
        costs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_what_cargo_says() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"bytes"},"executable":null,"fresh":true}
{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"counts"},"executable":"/t/counts/deps/counts-6a","fresh":false}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/counts/deps/counts-6a")));
        assert_eq!(executable(r#"{"executable":null}"#), None);
    }

    #[test]
    fn the_accepted_counts_can_be_read() {
        let accepted = Counts::parse(&read(&baseline(&Project::locate().unwrap())).unwrap()).unwrap();
        assert!(accepted.counts.len() > 10);
        assert!(accepted.counts.iter().all(|count| count.instructions > 10.0));
        assert!(accepted.tools.starts_with("rustc "));
    }
}
