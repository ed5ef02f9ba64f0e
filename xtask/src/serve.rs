//! `cargo xtask serve`: everything from a fresh clone to a running Luxwire. What the program is told on its command line
//! is between it and the user.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::children::Children;
use crate::page;
use crate::project::Project;
use crate::steps::Steps;

pub(crate) fn run(project: &Project, steps: Steps, arguments: &[String]) -> Result<ExitCode> {
    let built = page::build_program(project, &steps);
    let failed = built.is_err();
    let code = steps.conclude(built)?;
    if failed {
        return Ok(code);
    }
    println!();
    let mut children = Children::new()?;
    let mut luxwire = Command::new(project.luxwire());
    start(&mut children, luxwire.arg("serve").args(arguments))?;
    children.wait()
}

/// Starts the server, and says where to find it once it is ready.
pub(crate) fn start(children: &mut Children, luxwire: &mut Command) -> Result<bool> {
    let mut listeners = Vec::new();
    let ready = children.start_until(luxwire, |line| {
        listeners.extend(listener(line));
        line == "ready"
    })?;
    if ready {
        println!();
        listeners.iter().for_each(|listener| println!("{listener}"));
        println!("Ctrl-C ends it.\n");
    }
    Ok(ready)
}

/// Turns the server's `listening http 127.0.0.1:8080` into what one types or clicks.
fn listener(line: &str) -> Option<String> {
    let (kind, address) = line.strip_prefix("listening ")?.split_once(' ')?;
    match kind {
        "http" => {
            Some(format!("The page:      http://{address}/\nMQTT clients:  ws://{address}/mqtt (WebSocket)"))
        }
        "mqtt" => Some(format!("MQTT clients:  mqtt://{address}")),
        "hue-sim" => Some(format!("Pretend hub:   http://{address}/")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_shown_as_urls() {
        let http = listener("listening http 127.0.0.1:8080").unwrap();
        assert!(http.contains("http://127.0.0.1:8080/") && http.contains("ws://127.0.0.1:8080/mqtt"));
        assert_eq!(listener("listening mqtt [::1]:1883").unwrap(), "MQTT clients:  mqtt://[::1]:1883");
        assert_eq!(
            listener("listening hue-sim 127.0.0.1:80").unwrap(),
            "Pretend hub:   http://127.0.0.1:80/"
        );
        assert_eq!(listener("listening carrier-pigeon roof"), None);
        assert_eq!(listener("ready"), None);
    }
}
