//! The flags that every device has: which broker, and who we are to it.

use super::{Address, tls::Trust};
use anyhow::{Context as _, ensure};
use luxwire_shared::{
    client::Options,
    mqtt::{Text, Version},
};
use std::{path::PathBuf, sync::Arc};

/// Which broker, and who we are to it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Broker")]
pub struct BrokerArgs {
    /// The broker: mqtt://HOST[:1883], mqtts://HOST[:8883], ws://HOST[:80][/mqtt] or wss://HOST[:443][/mqtt]
    ///
    /// USER:PASSWORD@ may stand before the host, percent-encoded.
    #[arg(long, value_name = "URL", env = "LUXWIRE_BROKER", default_value = "mqtt://127.0.0.1:1883")]
    pub broker: Address,

    /// The user name, where the broker asks for one
    #[arg(long, value_name = "NAME", env = "LUXWIRE_USER")]
    pub user: Option<String>,

    /// The password; other users of this machine can read it on a command line, but not in the environment
    #[arg(long, value_name = "PASSWORD", env = "LUXWIRE_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,

    /// How the broker knows this client [default: a name with a random end]
    ///
    /// Two clients with the same one push each other out.
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,

    /// The version of MQTT: 5, 3.1.1 or 3.1
    #[arg(long, value_name = "VERSION", default_value = "5", value_parser = version)]
    pub protocol: Version,

    /// The authorities (PEM) that vouch for the broker, for mqtts:// and wss:// [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl BrokerArgs {
    /// A broker that needs nothing but its address.
    pub fn new(broker: Address) -> Self {
        Self { broker, user: None, password: None, client_id: None, protocol: Version::V5, ca: None }
    }

    /// Where the broker is.
    pub fn address(&self) -> &Address {
        &self.broker
    }

    /// The client's options as far as the flags say something about them; an error names the flag.
    pub fn options(&self, default_client_id: &str) -> anyhow::Result<Options> {
        let client_id = self.client_id.as_deref().unwrap_or(default_client_id);
        let client_id = Text::try_from(client_id).context("--client-id")?;
        let mut options = Options::new(self.protocol, client_id);
        let user = self.user.as_ref().or(self.broker.user.as_ref());
        let password = self.password.as_ref().or(self.broker.password.as_ref());
        options.user_name = user.map(|user| Text::try_from(user.as_str())).transpose().context("--user")?;
        options.password = password.map(|password| password.clone().into_bytes().into());
        // [MQTT-3.1.2-22] of 3.1.1: a password needs a user name.
        let alone = options.password.is_some() && options.user_name.is_none();
        ensure!(!alone || self.protocol == Version::V5, "--password: before MQTT 5 it needs --user, too");
        options.seed = random();
        Ok(options)
    }

    /// Whom TLS believes; `None` where there is none.
    pub(super) fn trust(&self) -> anyhow::Result<Option<Arc<Trust>>> {
        let is_tls = self.broker.scheme.is_tls();
        ensure!(
            is_tls || self.ca.is_none(),
            "--ca: only mqtts:// and wss:// brokers have a certificate to check"
        );
        is_tls.then(|| Trust::load(self.ca.as_deref()).map(Arc::new)).transpose()
    }
}

/// `PREFIX-` and six hexadecimal digits, so that two runs do not push each other out.
pub fn unique_client_id(prefix: &str) -> String {
    format!("{prefix}-{:06x}", random() & 0xff_ffff)
}

/// A number that differs between runs.
fn random() -> u64 {
    // Without a source of randomness the identifiers may meet, and nothing worse.
    getrandom::u64().unwrap_or_else(|_| std::process::id().into())
}

fn version(text: &str) -> Result<Version, String> {
    match text {
        "5" | "5.0" | "mqttv5" => Ok(Version::V5),
        "3.1.1" | "4" | "mqttv311" => Ok(Version::V3_1_1),
        "3.1" | "3" | "mqttv31" => Ok(Version::V3_1),
        _ => Err("the versions are 5, 3.1.1 and 3.1".to_owned()),
    }
}
