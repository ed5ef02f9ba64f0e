//! Messages that flow as fast as a broker passes them on.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Dialect, Link, Load, Over},
        peer::Running,
        usage::Moment,
    },
    Extent,
    shape::Shape,
};
use anyhow::{Context as _, Result};
use mqttbytes::QoS;

/// Who sends what to whom, and how.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) shape: Shape,
    pub(super) qos: QoS,
    pub(super) payload_len: usize,
    pub(super) dialect: Dialect,
    websocket: bool,
    /// Filters that others hold and nothing matches.
    idle_filters: usize,
}

impl Flow {
    pub(super) const fn new(shape: Shape, qos: QoS) -> Self {
        Self {
            shape,
            qos,
            payload_len: PAYLOAD_LEN,
            dialect: Dialect::Three,
            websocket: false,
            idle_filters: 0,
        }
    }

    pub(super) const fn speaking(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    pub(super) const fn over_websocket(mut self) -> Self {
        self.websocket = true;
        self
    }

    pub(super) const fn with_payload(mut self, payload_len: usize) -> Self {
        self.payload_len = payload_len;
        self
    }

    pub(super) const fn beside_filters(mut self, idle_filters: usize) -> Self {
        self.idle_filters = idle_filters;
        self
    }

    pub(super) fn suits_relay(&self) -> bool {
        !self.websocket && self.idle_filters == 0 && self.shape.suits_relay(self.qos)
    }

    fn over<'a>(&self, broker: &'a Running) -> Result<&'a Over> {
        if self.websocket {
            return broker.websocket.as_ref().context("it does not speak MQTT over WebSocket");
        }
        Ok(&broker.tcp)
    }

    /// Connects everybody.
    pub(super) fn build(&self, load: &mut Load, broker: &Running) -> Result<()> {
        let over = self.over(broker)?;
        let open = |client_id: &str| Link::open_speaking(self.dialect, over, client_id);
        let mut filters = (0..self.idle_filters).map(idle_filter);
        for holder in 0.. {
            let held: Vec<String> = filters.by_ref().take(FILTERS_EACH).collect();
            if held.is_empty() {
                break;
            }
            let mut link = open(&format!("filters-{holder}"))?;
            for some in held.chunks(FILTERS_AT_ONCE) {
                link.subscribe(some, self.qos)?;
            }
            load.freeze_by(link)?;
        }
        self.shape.build(load, self, &open)
    }

    pub(super) fn measure(&self, broker: &Running, extent: &Extent) -> Result<Figures> {
        let mut load = Load::new()?;
        self.build(&mut load, broker)?;
        load.run(extent.warm_up)?;

        let cores = extent.cores.used();
        let (before, delivered) = (Moment::take(broker.process, &cores)?, load.delivered());
        load.run(extent.time)?;
        let span = Moment::take(broker.process, &cores)?.since(&before);
        let delivered = (load.delivered() - delivered) as f64;
        let memory = broker.process.map(|process| process.resident()).transpose()?;
        let faults = load.drain()?;

        let seconds = span.time.as_secs_f64();
        let mut figures = Figures::from([
            (Figure::DeliveredPerS, delivered / seconds),
            (Figure::GeneratorCores, span.generator.as_secs_f64() / seconds),
            (Figure::OthersCores, span.others.as_secs_f64() / seconds),
            (Figure::Lost, faults.lost as f64),
            (Figure::Duplicates, faults.duplicates as f64),
            (Figure::Reordered, faults.reordered as f64),
            (Figure::Strange, faults.strange as f64),
            (Figure::GaveUp, load.gave_up() as f64),
        ]);
        if let Some(broker) = span.broker {
            figures.insert(Figure::BrokerCores, broker.as_secs_f64() / seconds);
            if delivered > 0.0 {
                figures.insert(Figure::CpuSPerMillion, broker.as_secs_f64() / delivered * 1e6);
            }
        }
        if let Some(memory) = memory {
            figures.insert(Figure::MemoryBytes, memory as f64);
        }
        Ok(figures)
    }
}

/// A reading of a sensor, with its name and unit.
const PAYLOAD_LEN: usize = 64;

/// One client's, and those of one SUBSCRIBE.
const FILTERS_EACH: usize = 1_000;
const FILTERS_AT_ONCE: usize = 100;

/// A filter that goes the same way as those that match, and matches nothing.
fn idle_filter(number: usize) -> String {
    match number % 4 {
        0 => format!("bench/pair/idle{number}"),
        1 => format!("bench/+/idle{number}/#"),
        2 => format!("+/pair/{}/idle{number}", number % 50),
        _ => format!("idle{number}/+/+"),
    }
}
