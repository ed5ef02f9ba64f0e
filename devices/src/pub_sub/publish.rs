//! `luxwire pub`: one message, one message several times, or every line of standard input.
//!
//! What it has been given is published and, at QoS 1 and 2, acknowledged before it ends. A connection that is lost in the
//! middle is an error, except between lines, which may come for days: they wait for the broker.

use super::{
    FAILURE, SUCCESS,
    flags::{Flags, Program, PublishFlags},
    input::{self, Lines},
    output::Output,
    session,
    words::{self, Failure},
};
use crate::connection::Connection;
use bytes::Bytes;
use luxwire_shared::{
    client::{Event, Message, PublishError, Token},
    mqtt::{QoS, ReasonCode, TopicName},
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use tokio::{select, time::sleep};

struct Publisher {
    connection: Connection,
    /// Everything but the payload.
    message: Message,
    flags: Flags,
    /// How many were published, which is the number by which people are told of one.
    count: u32,
    /// Sent and not yet acknowledged.
    in_flight: BTreeMap<Token, (u32, Message)>,
    /// The connection is lost, and that was said.
    waits: bool,
    /// Something was not published, and that was said.
    code: u8,
}

pub(super) async fn run(flags: Flags) -> u8 {
    let (quiet, output) = (flags.quiet, Rc::new(RefCell::new(Output::new())));
    let outcome = publish(flags, &output).await;
    output.borrow_mut().flush();
    outcome.unwrap_or_else(|failure| {
        if !quiet {
            failure.said.iter().for_each(|line| eprintln!("{line}"));
        }
        failure.code
    })
}

async fn publish(flags: Flags, output: &Rc<RefCell<Output>>) -> Result<u8, Failure> {
    let (Some(topic), Some(source)) = (flags.topics.last(), &flags.publish.source) else {
        return Err(Failure::new(FAILURE, "Error: Both topic and message must be supplied."));
    };
    let topic = TopicName::try_from(topic.as_str())
        .map_err(|error| Failure::new(FAILURE, format!("Error: Invalid publish topic: {error}.")))?;
    let payload = input::payload(source)?;
    let mut connection = session::connection(&flags, Program::Publish, output)?;
    session::welcomed(&mut connection, Program::Publish, flags.version).await?;
    let PublishFlags { retain, properties, has_properties, .. } = &flags.publish;
    let message = Message {
        retain: *retain,
        properties: has_properties.then(|| Box::new(properties.clone())),
        ..Message::new(topic, Bytes::new(), flags.qos)
    };
    let mut publisher = Publisher {
        connection,
        message,
        flags,
        count: 0,
        in_flight: BTreeMap::new(),
        waits: false,
        code: SUCCESS,
    };
    let outcome = match payload {
        Some(payload) => publisher.repeated(payload).await,
        None => publisher.lines().await,
    };
    publisher.connection.disconnect().await;
    outcome.map(|()| publisher.code)
}

impl Publisher {
    /// One payload, as often as it was asked for; each is done with before the next.
    async fn repeated(&mut self, payload: Bytes) -> Result<(), Failure> {
        let (repeat, delay) = (self.flags.publish.repeat, self.flags.publish.repeat_delay);
        for round in 0..repeat {
            if round > 0 && !delay.is_zero() {
                self.pause(delay).await?;
            }
            if let Err(error) = self.send(payload.clone()) {
                return Err(not_published(error));
            }
            self.settled().await?;
        }
        Ok(())
    }

    async fn pause(&mut self, delay: std::time::Duration) -> Result<(), Failure> {
        let pause = sleep(delay);
        tokio::pin!(pause);
        loop {
            select! {
                () = &mut pause => return Ok(()),
                event = self.connection.next() => self.heard_or_lost(event)?,
            }
        }
    }

    /// Everything that was sent is with the operating system, and acknowledged where that is promised.
    async fn settled(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.connection.flushed().await {
            self.heard_or_lost(event)?;
        }
        while !self.in_flight.is_empty() {
            let event = self.connection.next().await;
            self.heard_or_lost(event)?;
        }
        Ok(())
    }

    /// Every line that comes, until there are no more and all of them are settled.
    async fn lines(&mut self) -> Result<(), Failure> {
        let mut lines = Lines::new();
        loop {
            let crowded = self.send_lines(&mut lines);
            if lines.is_over() && self.in_flight.is_empty() {
                match self.connection.flushed().await {
                    None if self.connection.is_online() => return Ok(()),
                    // Without a connection nothing more was lost than what the one before had taken.
                    None => {}
                    Some(event) => {
                        self.heard(event)?;
                        continue;
                    }
                }
            }
            if crowded && self.message.qos == QoS::AtMostOnce && self.connection.is_online() {
                if let Some(event) = self.connection.flushed().await {
                    self.heard(event)?;
                }
                continue;
            }
            let wants_more = !crowded && !lines.has_ended() && self.connection.is_online();
            select! {
                biased;
                event = self.connection.next() => self.heard(event)?,
                filled = lines.fill(), if wants_more => filled?,
            }
        }
    }

    /// Publishes the lines that are here; says whether some must wait.
    fn send_lines(&mut self, lines: &mut Lines) -> bool {
        if !self.connection.is_online() {
            return false;
        }
        while let Some(line) = lines.next() {
            match self.send(line.clone()) {
                Ok(()) => {}
                Err(PublishError::Full | PublishError::NotConnected) => {
                    lines.give_back(line);
                    return true;
                }
                Err(error) => {
                    self.code = FAILURE;
                    not_published(error).said.iter().for_each(|line| self.say(line));
                }
            }
        }
        false
    }

    fn send(&mut self, payload: Bytes) -> Result<(), PublishError> {
        let message = Message { payload, ..self.message.clone() };
        // At QoS 0 there is nothing to keep a copy for.
        let copy = (message.qos > QoS::AtMostOnce).then(|| message.clone());
        let token = self.connection.publish(message)?;
        self.count = self.count.saturating_add(1);
        if let (Some(token), Some(copy)) = (token, copy) {
            self.in_flight.insert(token, (self.count, copy));
        }
        Ok(())
    }

    /// What happened while one message is published: losing the connection is the end.
    fn heard_or_lost(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Lost { .. } | Event::Refused { .. } | Event::Unsent(_) => Err(Failure::lost()),
            event => self.heard(event),
        }
    }

    fn heard(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Acknowledged { token, reason } => {
                if let Some((number, _)) = self.in_flight.remove(&token)
                    && reason.is_failure()
                {
                    self.say(&format!("Warning: Publish {number} failed: {}.", words::text(reason)));
                }
            }
            Event::Unsent(token) => self.unsent(token),
            // Each attempt that fails is a loss, too; once is enough.
            Event::Lost { .. } if self.waits => {}
            Event::Lost { .. } => {
                self.waits = true;
                self.say("Warning: The connection was lost; lines wait until the broker is back.");
            }
            Event::Connected { .. } => self.waits = false,
            Event::Refused { reason, .. } => {
                let said = format!("Connection error: {}", words::text(reason));
                return Err(Failure::new(reason.number(), said));
            }
            Event::Message(_) | Event::Subscribed { .. } | Event::Unsubscribed { .. } => {}
        }
        Ok(())
    }

    /// The connection ended between a message and its acknowledgement. At QoS 1 twice is allowed.
    fn unsent(&mut self, token: Token) {
        let Some((number, message)) = self.in_flight.remove(&token) else { return };
        let again = match message.qos {
            QoS::AtLeastOnce => self.connection.publish(message.clone()).ok().flatten(),
            QoS::AtMostOnce | QoS::ExactlyOnce => None,
        };
        match again {
            Some(token) => drop(self.in_flight.insert(token, (number, message))),
            None => {
                self.code = FAILURE;
                self.say(&format!(
                    "Warning: Publish {number} failed: the connection was lost before it was acknowledged."
                ));
            }
        }
    }

    fn say(&self, line: &str) {
        if !self.flags.quiet {
            eprintln!("{line}");
        }
    }
}

fn not_published(error: PublishError) -> Failure {
    let said = match error {
        PublishError::NotConnected => "Error: Client not connected when trying to publish.".to_owned(),
        PublishError::TooLarge => "Error: Message payload is too large.".to_owned(),
        PublishError::QoSNotSupported => {
            "Error: Message QoS not supported on broker, try a lower QoS.".to_owned()
        }
        PublishError::RetainNotSupported => {
            format!("Error: {}.", words::text(ReasonCode::RetainNotSupported))
        }
        PublishError::Full => format!("Error: {error}."),
    };
    Failure::new(FAILURE, said)
}
