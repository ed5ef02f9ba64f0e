//! `cargo xtask test`: everything that must pass, which is what CI runs. A failed step does not keep the others from
//! running; only what needs its result is left out.

use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Result, ensure};

use crate::conformance;
use crate::counts;
use crate::firmware;
use crate::foreign::{self, Foreign};
use crate::foreign_tests::{self, ForeignTest};
use crate::page;
use crate::programs::{cargo, output};
use crate::project::Project;
use crate::steps::{Step, Steps};
use crate::target::{self, BARE_METAL, Compiler, Target, WASM};

/// How much to test.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Everything,
    /// Without the page as WebAssembly, foreign clients and the browser.
    Quick,
}

pub(crate) fn run(project: &Project, steps: &Steps, extent: Extent) -> Result<ExitCode> {
    match extent {
        Extent::Quick => {
            formatting(project, steps);
            conformance(project, steps);
            lints(project, steps);
            tests(project, steps);
        }
        Extent::Everything => everything(project, steps)?,
    }
    steps.conclude(Ok(()))
}

fn everything(project: &Project, steps: &Steps) -> Result<()> {
    formatting(project, steps);
    conformance(project, steps);
    thread::scope(|scope| {
        // Downloads keep the line busy while the compiler keeps the processor busy.
        let foreign = scope.spawn(|| foreign::install(project, &steps.in_background()));
        let tools = page::tools(project, steps);
        if let Ok(tools) = &tools {
            without_std(project, steps, WASM, tools.compiler());
        }
        let compiler = target::bare_metal(project, steps);
        let firmware = compiler.and_then(|compiler| {
            firmware(project, steps, &compiler)?;
            Ok(compiler)
        });
        lints(project, steps);
        tests(project, steps);
        let program = tools.and_then(|tools| program(project, steps, &tools));
        let foreign = foreign.join().expect("a step hands back its failure and does not panic")?;
        // The account has the failure.
        let _ = counts::check(project, steps);
        if program.is_ok() {
            with_foreign_programs(project, steps, &foreign);
            end_to_end(project, steps, &foreign);
            if let Ok(compiler) = firmware {
                on_the_emulated_board(project, steps, &compiler, &foreign);
            }
        }
        Ok(())
    })
}

fn formatting(project: &Project, steps: &Steps) {
    // The account has the failure; the other steps need not know.
    let _ = steps.run("formatting", |step| {
        if !has_component(step, "fmt", "rustfmt") {
            return Ok(());
        }
        step.command(in_workspace(project).args(["fmt", "--all", "--check"]))?;
        firmware::check_format(project, step)
    });
}

/// Whether each statement of the standard has its test, and the document says so.
fn conformance(project: &Project, steps: &Steps) {
    let _ = steps.run("conformance", |step| conformance::check(project, step));
}

fn lints(project: &Project, steps: &Steps) {
    let _ = steps.run("clippy", |step| {
        if !has_component(step, "clippy", "clippy") {
            return Ok(());
        }
        let mut everything = in_workspace(project);
        everything.args(["clippy", "--workspace", "--all-targets"]);
        // `--all-targets` passes over these.
        let mut left_out = in_workspace(project);
        left_out.arg("clippy");
        select(&mut left_out, &foreign_tests::find(project)?);
        for mut clippy in [everything, left_out] {
            step.command(clippy.args(["--", "--deny", "warnings"]))?;
        }
        Ok(())
    });
}

/// Whether cargo has a part that rustup's smaller profiles leave out.
fn has_component(step: &mut Step, subcommand: &str, component: &str) -> bool {
    let present = output(cargo().args([subcommand, "--version"])).is_ok();
    if !present {
        step.skip(format!("the compiler came without it (rustup component add {component})"));
    }
    present
}

fn tests(project: &Project, steps: &Steps) {
    let _ = steps.run("tests", |step| step.command(in_workspace(project).args(["test", "--workspace"])));
}

/// `shared` and `broker` must need no operating system: they run in browsers, and could in a microcontroller.
fn without_std(project: &Project, steps: &Steps, target: Target, compiler: &Compiler) {
    let _ = steps.run(&format!("no_std on {}", target.triple), |step| {
        for package in ["luxwire-shared", "luxwire-broker"] {
            let mut check = in_workspace(project);
            check.args(["check", "--package", package, "--no-default-features", "--target", target.triple]);
            check.arg("--target-dir").arg(project.wasm_target());
            compiler.apply(target, &mut check)?;
            step.command(&mut check)?;
        }
        Ok(())
    });
}

/// What a microcontroller runs of ours, and the firmware itself.
fn firmware(project: &Project, steps: &Steps, compiler: &Compiler) -> Result<()> {
    without_std(project, steps, BARE_METAL, compiler);
    firmware::lint(project, steps, compiler);
    firmware::build(project, steps, compiler)
}

/// The finished program, with a page that is light enough.
fn program(project: &Project, steps: &Steps, tools: &page::Tools) -> Result<()> {
    let weights = page::build(project, steps, tools)?;
    println!("{}", weights.table());
    let _ = steps.run("page's budget", |step| {
        step.say(weights.share());
        weights.check()
    });
    page::program(project, steps)
}

/// Each test target that needs foreign programs is a step of its own, once all are compiled.
fn with_foreign_programs(project: &Project, steps: &Steps, foreign: &Foreign) {
    let compiled = steps.run("tests with foreign programs, compiled", |step| {
        ensure!(foreign.has_programs(), "some of the foreign programs could not be installed");
        let tests = foreign_tests::find(project)?;
        let mut compile = in_workspace(project);
        compile.args(["test", "--no-run"]);
        select(&mut compile, &tests);
        step.command(&mut compile)?;
        Ok(tests)
    });
    for test in compiled.unwrap_or_default() {
        let _ = steps.run(&format!("{} {}", test.package, test.name), |step| {
            let mut run = in_workspace(project);
            run.arg("test");
            select(&mut run, &[test]);
            foreign.apply(project, &mut run);
            step.command(&mut run)
        });
    }
}

/// Names targets of the workspace to cargo.
fn select(cargo: &mut Command, tests: &[ForeignTest]) {
    for ForeignTest { package, name } in tests {
        cargo.args(["--package", package, "--test", name]);
    }
}

fn end_to_end(project: &Project, steps: &Steps, foreign: &Foreign) {
    let _ = steps.run("end to end, in a browser", |step| {
        ensure!(foreign.has_browser(), "the browser or what it needs could not be installed");
        step.command(&mut in_playwright(project, &["tsc", "--noEmit"]))?;
        let mut playwright = in_playwright(project, &["playwright", "test"]);
        foreign.apply(project, &mut playwright);
        // Boards take part, as emulated as in their own tests.
        firmware::apply(project, &mut playwright);
        step.command(&mut playwright)
    });
}

fn on_the_emulated_board(project: &Project, steps: &Steps, compiler: &Compiler, foreign: &Foreign) {
    let tested = steps.run("firmware, on an emulated board", |step| {
        ensure!(foreign.has_board(), "the emulator or what it needs could not be installed");
        firmware::test(project, step, foreign)
    });
    if tested.is_ok() {
        let _ = steps.run("firmware with mistakes, on an emulated board", |step| {
            firmware::test_the_tests(project, step, compiler, foreign)
        });
    }
}

/// A program that the npm packages brought; npx must not fetch another.
fn in_playwright(project: &Project, words: &[&str]) -> Command {
    let mut command = Command::new("npx");
    command.current_dir(project.playwright()).arg("--no-install").args(words);
    command
}

fn in_workspace(project: &Project) -> Command {
    let mut command = cargo();
    command.current_dir(&project.root);
    command
}
