//! `cargo xtask dev`: the page from `trunk serve`, rebuilt and reloaded at every change, beside a running broker. How
//! that page finds the broker is settled in Trunk.toml.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::children::Children;
use crate::page;
use crate::programs::cargo;
use crate::project::Project;
use crate::serve;
use crate::steps::Steps;

pub(crate) fn run(project: &Project, steps: Steps, arguments: &[String]) -> Result<ExitCode> {
    let tools = match prepare(project, &steps) {
        Ok(tools) => tools,
        Err(error) => return steps.conclude(Err(error)),
    };
    let mut children = Children::new()?;
    let mut luxwire = Command::new(project.target.join("debug/luxwire"));
    luxwire.arg("serve").args(["--set", ALLOWED_ORIGINS]).args(arguments);
    if serve::start(&mut children, &mut luxwire)? {
        println!("The page with live reload: http://127.0.0.1:8090/\n");
        let mut trunk = tools.trunk(project)?;
        // Not `dist/`, where the finished page lies.
        trunk.args(["serve", "--offline", "--dist"]).arg(project.target.join("dev-page"));
        children.start(&mut trunk)?;
    }
    children.wait()
}

/// The page comes from Trunk's port, its WebSocket goes to the broker's: the broker must let that origin in.
const ALLOWED_ORIGINS: &str = r#"http.allowed_origins=["http://127.0.0.1:8090","http://localhost:8090"]"#;

fn prepare(project: &Project, steps: &Steps) -> Result<page::Tools> {
    let tools = page::tools(project, steps)?;
    steps.run("luxwire, unoptimised", |step| {
        step.command(cargo().current_dir(&project.root).args(["build", "--package", "luxwire"]))
    })?;
    std::fs::create_dir_all(project.target.join("dev-page"))?;
    Ok(tools)
}
