//! The command line of `luxwire hue-sim`, and the life of the program.

use super::{Faults, HueSim, Lights, Options, Pace};
use crate::stop::StopSignals;
use std::{io::Write as _, path::PathBuf, time::Duration};
use tracing::info;

/// Flags of `luxwire hue-sim`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Where it is reached over http; its page is there, too. Port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8180")]
    pub http: String,

    /// Where it is reached over https. Port 0 picks a free one
    ///
    /// The certificate looks like a real hub's: the bridge id is its name, and no browser trusts it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub https: String,

    /// A number of lights (1 to 64), or a list of [ROOM/]NAME:KIND with commas [default: 8]
    ///
    /// Kinds are white (dims), ambiance (dims, warm to cold), colour and plug (on and off). For example:
    /// --lights "Office/Desk:colour,Office/Spot:white,Heater:plug"
    #[arg(long, value_name = "LIGHTS")]
    pub lights: Option<Lights>,

    /// Keep the hub's identity, certificate and keys in this directory, so that pairing survives a restart
    ///
    /// Without it each start is another hub, and applications have to be paired again.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Let applications on the network find it by mDNS (_hue._tcp)
    #[arg(long)]
    pub mdns: bool,

    /// Begin with the link button pressed; as on a real hub it counts for 30 seconds
    #[arg(long)]
    pub pressed: bool,

    /// Answer so many milliseconds late, 0 to 60000. A real hub takes 50 to 150
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,

    /// The time that a command to one light takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub light_command: u64,

    /// The time that a command to a room or zone takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    pub group_command: u64,

    /// The longest that a command may have to wait for its turn, in milliseconds; beyond it the hub refuses commands
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    pub buffer: u64,
}

const MORE: &str = "\
Open http://127.0.0.1:8180 in a browser: it shows the bulbs, has the link button, and a click switches a bulb as \
somebody else in the house would.

Standard output says `listening http ADDR`, `listening https ADDR`, then `ready`. Ctrl-C or SIGTERM ends it.

For tests and for curious people, over either port:
  POST /sim/button         press the link button (GET /linkbutton does it, too)
  GET  /sim/state          the house as the page draws it
  POST /sim/lights/N       somebody uses a switch: {\"on\":{\"on\":true},\"dimming\":{\"brightness\":40}}
  GET  /sim/log?after=N    the last 1000 requests: number, time in ms, path, body, status, and what became of them
                           (answered, applied, buffered, overrun, failed, hung)
  GET, POST, DELETE /sim/faults   see, change and heal what goes wrong; null heals one

Faults, as JSON; those that are not named stay as they are:
  {\"latency_ms\":500}                          answer late
  {\"hang\":true}                               take requests and never answer
  {\"refuse_ms\":5000}                          cut everything, and do not listen for so long
  {\"fail\":{\"requests\":3,\"status\":503}}        fail that many requests; 429 or any other from 400 to 599
  {\"fail\":{\"requests\":3,\"error\":901}}         the same, as an error of v1 (v2 gets the status)
  {\"error_type_as_text\":true}                 v1's errors have \"type\":\"101\" in place of 101
  {\"garbage\":true}                            answer with HTML, as a router's log-in page does
  {\"events\":\"cut\"}                            end the event streams; also \"refused\", \"silent\", \"flowing\"
  {\"flood_per_s\":200}                         so many useless events a second, up to 2000
  {\"unreachable\":[1,4]}                       these lights have no power

Commands: ten a second to lights and one a second to groups are carried out at once, what comes faster waits, and what \
would wait too long is answered 901 (v1) or 429 (v2).

Exit code: 0 stopped as asked, 1 something failed, 2 the command line is wrong.";

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(args: Args) -> anyhow::Result<()> {
    // Before the ready lines: whoever reads those may stop us right away.
    let mut signals = StopSignals::listen()?;
    let ms = Duration::from_millis;
    let faults = Faults { latency_ms: args.latency, ..Faults::default() };
    if let Err(why) = faults.check() {
        return Err(crate::Usage(format!("--latency: {why}")).into());
    }
    let hub = HueSim::start(Options {
        http: args.http,
        https: args.https,
        lights: args.lights.unwrap_or_default(),
        bridge_id: None,
        state_dir: args.state_dir,
        mdns: args.mdns,
        pressed: args.pressed,
        pace: Pace { light: ms(args.light_command), group: ms(args.group_command), buffer: ms(args.buffer) },
        faults,
    })
    .await?;
    let ready = format!("listening http {}\nlistening https {}\nready\n", hub.http(), hub.https());
    {
        let mut out = std::io::stdout().lock();
        out.write_all(ready.as_bytes())?;
        out.flush()?;
    }
    info!("hub {}; its bulbs are at http://{}/", hub.bridge_id(), hub.http());
    signals.next().await;
    Ok(())
}
