//! Puts the configuration together: defaults < file < environment < command line.
//!
//! Each layer is checked by itself first, so that an error can say where the wrong setting stands: the file and the
//! line, the environment variable, or the flag.

use super::Config;
use crate::cli::{Serve, Settings};
use serde::Deserialize;
use std::{fmt, fs, path::Path};
use toml::{Table, Value};

/// Environment variables with this prefix and a double underscore between section and key are settings.
const ENVIRONMENT_PREFIX: &str = "LUXWIRE_";

/// The settings gathered so far.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    merged: Table,
}

/// Whose mistake it is, and what to do about it, in one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConfigError {
    /// The command line.
    Usage(String),
    /// The file or the environment.
    Settings(String),
}

impl Layers {
    /// File, environment and `--set`, in this order.
    pub(crate) fn gather(settings: &Settings) -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        if let Some(path) = &settings.config {
            layers.add_file(path)?;
        }
        layers.add_environment(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        }))?;
        for set in &settings.set {
            layers.add_set(set)?;
        }
        Ok(layers)
    }

    /// The flags of `serve` that stand for a setting.
    pub(crate) fn add_flags(&mut self, serve: &Serve) -> Result<(), ConfigError> {
        for (flag, key, addresses) in
            [("--http", "http.listen", &serve.http), ("--mqtt", "mqtt.listen", &serve.mqtt)]
        {
            if !addresses.is_empty() {
                let list = addresses.iter().cloned().map(Value::String).collect();
                self.add(key, Value::Array(list))
                    .map_err(|why| ConfigError::Usage(format!("{flag}: {why}")))?;
            }
        }
        if let Some(dir) = &serve.data_dir {
            let dir =
                dir.to_str().ok_or_else(|| ConfigError::Usage("--data-dir: the name is not UTF-8".into()))?;
            self.add("storage.dir", Value::String(dir.to_owned()))
                .map_err(|why| ConfigError::Usage(format!("--data-dir: {why}")))?;
        }
        if serve.ephemeral
            && let Some(Value::Table(storage)) = self.merged.get_mut("storage")
        {
            storage.remove("dir");
        }
        Ok(())
    }

    /// Everything together.
    pub(crate) fn finish(self) -> Result<Config, ConfigError> {
        read(self.merged).map_err(ConfigError::Settings)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let failed =
            |why: String| ConfigError::Settings(format!("configuration file {}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
        // From the text rather than from a table: only so does the error know the line.
        let layer: Config = toml::from_str(&text).map_err(|error| failed(with_line(&text, &error)))?;
        layer.check().map_err(failed)?;
        let table = toml::from_str(&text).map_err(|error| failed(with_line(&text, &error)))?;
        merge(&mut self.merged, table);
        Ok(())
    }

    fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, value) in variables {
            let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX).filter(|key| key.contains("__")) else {
                continue;
            };
            let key = key.to_lowercase().replace("__", ".");
            self.add(&key, plain_or_text(&value))
                .map_err(|why| ConfigError::Settings(format!("environment variable {name}: {why}")))?;
        }
        Ok(())
    }

    fn add_set(&mut self, set: &str) -> Result<(), ConfigError> {
        let wrong = |why: String| ConfigError::Usage(format!("--set {set}: {why}"));
        let (key, value) = set
            .split_once('=')
            .ok_or_else(|| wrong("write KEY=VALUE, for example limits.connections=500".into()))?;
        self.add(key.trim(), plain_or_text(value.trim())).map_err(wrong)
    }

    /// Takes one setting if it is good by itself.
    fn add(&mut self, key: &str, value: Value) -> Result<(), String> {
        let mut layer = Table::new();
        let (sections, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut layer;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let Value::Table(inner) = table.entry(section).or_insert_with(|| Value::Table(Table::new()))
            else {
                return Err(format!("{section} is no section"));
            };
            table = inner;
        }
        table.insert(name.to_owned(), value);
        read(layer.clone())?;
        merge(&mut self.merged, layer);
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) | Self::Settings(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ConfigError {}

fn read(table: Table) -> Result<Config, String> {
    let config = Config::deserialize(table).map_err(|error| one_line(error.message()))?;
    config.check()?;
    Ok(config)
}

/// What stands in `above` wins.
fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// `5`, `true` and `["a", "b"]` mean what they mean in a file; everything else is text, which needs no quotes.
fn plain_or_text(text: &str) -> Value {
    match toml::from_str::<Table>(&format!("value = {text}")) {
        Ok(mut table) if table.len() == 1 => {
            table.remove("value").unwrap_or_else(|| Value::String(text.to_owned()))
        }
        Ok(_) | Err(_) => Value::String(text.to_owned()),
    }
}

fn with_line(text: &str, error: &toml::de::Error) -> String {
    let message = one_line(error.message());
    let Some(span) = error.span() else { return message };
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.matches('\n').count();
    let quoted = text.lines().nth(line).unwrap_or_default().trim();
    format!("line {} ({quoted}): {message}", line + 1)
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[&str]) -> Result<Config, ConfigError> {
        let mut layers = Layers::default();
        for pair in pairs {
            layers.add_set(pair)?;
        }
        layers.finish()
    }

    #[test]
    fn later_layers_win_and_leave_the_rest_alone() {
        let mut layers = Layers::default();
        merge(&mut layers.merged, toml::from_str("[limits]\nconnections = 1\nkeep_alive_s = 7").unwrap());
        let environment = [("LUXWIRE_LIMITS__CONNECTIONS".to_owned(), "2".to_owned())];
        layers.add_environment(environment.into_iter()).unwrap();
        layers.add_set("limits.connect_timeout_s=3").unwrap();
        let config = layers.finish().unwrap();
        assert_eq!(config.limits.connections, 2);
        assert_eq!(config.limits.keep_alive_s, 7);
        assert_eq!(config.limits.connect_timeout_s, 3);
    }

    #[test]
    fn an_address_needs_no_quotes_and_may_be_a_list() {
        let config = set(&["mqtt.listen=127.0.0.1:0", r#"http.listen=["127.0.0.1:1", "[::1]:2"]"#]).unwrap();
        assert_eq!(config.mqtt.listen.len(), 1);
        assert_eq!(config.http.listen[1].to_string(), "[::1]:2");
    }

    #[test]
    fn an_error_names_the_setting() {
        let check = |pair: &str, words: &[&str]| {
            let error = set(&[pair]).unwrap_err().to_string();
            for word in words {
                assert!(error.contains(word), "{pair}: {error}");
            }
            assert!(!error.contains('\n'), "{error:?}");
        };
        check("limits.conections=5", &["--set limits.conections=5", "unknown field", "connections"]);
        check("nonsense=5", &["unknown field", "limits"]);
        check("limits.connections=many", &["invalid type", "many"]);
        check("limits.connections=0", &["limits.connections is 0", "from 1 to"]);
        check("limits.qos=3", &["limits.qos is 3", "from 0 to 2"]);
        check("limits.qos=exactly once", &["--set limits.qos=", "invalid type"]);
        check("limits.retain=1", &["--set limits.retain=1", "a boolean"]);
        check("limits.packet_size=1 MB", &["is no size", "MiB"]);
        check("mqtt.listen=1883", &["127.0.0.1:1883"]);
        check("http.allowed_origins=[\"lights\"]", &["is no origin", "https://"]);
        check(
            "http.trusted_proxies=proxy",
            &["--set http.trusted_proxies", "is no IP address", "10.0.0.0/8"],
        );
        check(r#"http.trusted_proxies=["::1", "10.0.0.1/8"]"#, &["10.0.0.1/8", "10.0.0.0/8"]);
        check("http.trusted_proxies=5", &["invalid type", "or a list of them"]);
        check("limits.connections", &["KEY=VALUE"]);
        check("limits.memory=5", &["unknown field", "memory"]);
    }

    #[test]
    fn a_file_error_names_the_line() {
        let text = "[mqtt]\nlisten = \"127.0.0.1:1883\"\n[limits]\nconections = 5\n";
        let error = toml::from_str::<Config>(text).unwrap_err();
        let line = with_line(text, &error);
        assert!(line.starts_with("line 4 (conections = 5): unknown field"), "{line}");
    }

    #[test]
    fn variables_without_a_section_are_not_settings() {
        let mut layers = Layers::default();
        let variables =
            [("LUXWIRE_LOG".to_owned(), "debug".to_owned()), ("OTHER__KEY".to_owned(), "1".to_owned())];
        layers.add_environment(variables.into_iter()).unwrap();
        layers.finish().unwrap();
    }

    #[test]
    fn what_is_printed_can_be_read_again() {
        let printed = toml::to_string(&Config::default()).unwrap();
        let again: Config = toml::from_str(&printed).unwrap();
        assert_eq!(toml::to_string(&again).unwrap(), printed);
    }
}
