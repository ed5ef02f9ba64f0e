//! What just happened, in a sentence for somebody who has never heard of MQTT.
//!
//! A sentence stands long enough to be read; one and the same thing that goes on only changes its value. What is read
//! out loud changes more seldom still.

use luxwire_shared::model::{
    LightTopic,
    topics::{OFFLINE, ONLINE},
};

use crate::{crowd::percent, event::Message, motion::Step, time::Millis};

/// The sentence.
#[derive(Debug, Default)]
pub(crate) struct Story {
    shown: Option<Shown>,
    next: Option<Next>,
    aloud: String,
    aloud_at: Millis,
}

#[derive(Debug)]
struct Next {
    rank: Rank,
    subject: Subject,
    text: String,
}

#[derive(Debug)]
struct Shown {
    rank: Rank,
    subject: Subject,
    text: String,
    since: Millis,
    changed_at: Millis,
    /// What it will say as soon as its value may change again.
    latest: Option<String>,
    count: u32,
}

/// How much a sentence matters, of those that wait for their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// What means little to a newcomer.
    Other,
    /// A light changes.
    Light,
    /// Somebody came or went.
    Event,
    /// The person's own doing.
    Own,
}

/// What a sentence is about: whatever goes on about the same only changes its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Somebody sets a topic.
    Set { by: String, topic: String },
    /// Somebody is handed what was kept.
    Kept { to: String },
    /// Somebody came or went, or the person did something to the picture.
    Event,
}

/// How long a sentence stands at least.
const STANDS_MS: Millis = 2_200.0;
/// How often its value may change.
const CHANGES_MS: Millis = 180.0;
/// How often something is read out loud, at most.
const ALOUD_MS: Millis = 6_000.0;

impl Story {
    /// Something happened. It is said if there is time for it; what somebody just did here is said at once.
    pub(crate) fn tell(&mut self, rank: Rank, subject: Subject, text: String, now: Millis) {
        match &mut self.shown {
            Some(shown) if shown.subject == subject && subject != Subject::Event => {
                if now - shown.changed_at >= CHANGES_MS {
                    (shown.text, shown.changed_at) = (text, now);
                    // A page that was held up has not said it yet, and it is out of date now.
                    shown.latest = None;
                } else {
                    shown.latest = Some(text);
                }
                // What a hand does on and on stays in view; others have their turn.
                if rank == Rank::Own {
                    shown.since = now;
                }
            }
            Some(shown)
                if now - shown.since < STANDS_MS && (rank != Rank::Own || shown.rank == Rank::Own) =>
            {
                if self.next.as_ref().is_none_or(|next| next.rank <= rank) {
                    self.next = Some(Next { rank, subject, text });
                }
            }
            Some(_) | None => self.show(rank, subject, text, now),
        }
    }

    /// Says this at once.
    pub(crate) fn say(&mut self, text: String, now: Millis) {
        self.show(Rank::Own, Subject::Event, text, now);
    }

    /// A kept value was handed to somebody: several in a row are counted.
    pub(crate) fn tell_kept(&mut self, to: &str, what: &str, now: Millis) {
        let subject = Subject::Kept { to: to.into() };
        if let Some(shown) =
            self.shown.as_mut().filter(|shown| shown.subject == subject && now - shown.since < 10_000.0)
        {
            shown.count += 1;
            shown.text = format!(
                "{} kept {} values on its shelf for {to}, and has handed them over.",
                BROKER, shown.count
            );
            shown.changed_at = now;
            return;
        }
        self.tell(
            Rank::Event,
            subject,
            format!("{BROKER} kept {what} on its shelf, and has handed it to {to}."),
            now,
        );
    }

    /// The sentence to be seen.
    pub(crate) fn text(&self) -> &str {
        self.shown.as_ref().map_or("", |shown| &shown.text)
    }

    /// The sentence to be read out loud.
    pub(crate) fn aloud(&self) -> &str {
        &self.aloud
    }

    /// Time passes. Says when to be called again, if something waits to be said.
    pub(crate) fn advance(&mut self, now: Millis) -> Option<Millis> {
        let mut due = None;
        if let Some(shown) = &mut self.shown
            && let Some(latest) = shown.latest.take()
        {
            if now >= shown.changed_at + CHANGES_MS {
                (shown.text, shown.changed_at) = (latest, now);
            } else {
                due = Some(shown.changed_at + CHANGES_MS);
                shown.latest = Some(latest);
            }
        }
        if let Some(next) = self.next.take() {
            let turn = self.shown.as_ref().map_or(now, |shown| shown.since + STANDS_MS);
            if now >= turn {
                self.show(next.rank, next.subject, next.text, now);
            } else {
                self.next = Some(next);
                due = due.or(Some(turn));
            }
        }
        if self.text() != self.aloud {
            let turn = self.aloud_at + ALOUD_MS;
            if now < turn && !self.aloud.is_empty() {
                return due.or(Some(turn));
            }
            self.aloud = self.text().into();
            self.aloud_at = now;
        }
        due
    }

    fn show(&mut self, rank: Rank, subject: Subject, text: String, now: Millis) {
        self.next = None;
        self.shown = Some(Shown { rank, subject, text, since: now, changed_at: now, latest: None, count: 1 });
    }
}

const BROKER: &str = "The broker";

/// A topic's value as people read it: "42 %", "off", "21.5", "12 bytes".
pub(crate) fn value(message: &Message) -> String {
    match (LightTopic::parse(&message.topic), &message.payload) {
        (Ok(LightTopic::Intensity(_)), Some(payload)) => match percent(payload) {
            Some(0) => "off".into(),
            Some(percent) => format!("{percent} %"),
            None => quoted(payload, message.is_cut),
        },
        (_, Some(payload)) if payload.is_empty() && message.bytes == 0 => "nothing".into(),
        (_, Some(payload)) if payload.starts_with('{') => "several values at once".into(),
        (_, Some(payload)) => quoted(payload, message.is_cut),
        (_, None) if message.bytes == 0 => "nothing".into(),
        (_, None) => format!("{} bytes", message.bytes),
    }
}

/// What a topic is about, as people call it: "Desk", or the topic itself.
pub(crate) fn topic(topic: &str) -> String {
    match LightTopic::parse(topic) {
        Ok(LightTopic::Intensity(light)) => light.display_name(),
        Ok(LightTopic::Availability(light)) => format!("whether {} is there", light.display_name()),
        Err(_) => topic.into(),
    }
}

/// What somebody did by publishing: "This page set Desk to 42 %."
pub(crate) fn deed(by: &str, message: &Message) -> String {
    let by = capital(by);
    let payload = message.payload.as_deref().unwrap_or_default();
    if message.bytes == 0 && payload.is_empty() && message.retain {
        return format!("{by} cleared {}.", topic(&message.topic));
    }
    match LightTopic::parse(&message.topic) {
        Ok(LightTopic::Intensity(light)) => match percent(payload) {
            Some(0) => format!("{by} turned {} off.", light.display_name()),
            Some(_) => format!("{by} set {} to {}.", light.display_name(), value(message)),
            None => format!(
                "{by} published {} for {}, which is no percentage.",
                value(message),
                light.display_name()
            ),
        },
        Ok(LightTopic::Availability(light)) if payload == ONLINE => {
            format!("{by} told that {} is there.", light.display_name())
        }
        Ok(LightTopic::Availability(light)) if payload == OFFLINE => {
            format!("{by} told that {} is gone.", light.display_name())
        }
        Ok(LightTopic::Availability(_)) | Err(_) if is_discovery(&message.topic) => {
            format!("{by} described a light, for whoever wants to control it.")
        }
        Ok(LightTopic::Availability(_)) | Err(_) if message.retain => {
            format!("{by} set {} to {}.", message.topic, value(message))
        }
        Ok(LightTopic::Availability(_)) | Err(_) => {
            format!("{by} published {} on {}.", value(message), message.topic)
        }
    }
}

/// Who has it by that: "Three follow it and have it." `names` are those of the receivers that are known.
pub(crate) fn followers(names: &[String], count: usize, retain: bool) -> String {
    match (count, names) {
        (0, _) if retain => "Nobody follows it; the broker keeps the value for whoever comes.".into(),
        (0, _) => "Nobody follows it, and it was not to be kept: it is gone.".into(),
        (1, [name]) => format!("{} follows it and has it.", capital(name)),
        (2, [one, other]) => format!("{} and {other} follow it: they have it.", capital(one)),
        (3, [one, other, third]) => format!("{}, {other} and {third} follow it: they have it.", capital(one)),
        (1, _) => "One follows it and has it.".into(),
        (count, _) => format!("{} follow it: they have it.", capital(&number(count))),
    }
}

/// One message, step by step.
pub(crate) fn step(step: Step, by: &str, message: &Message, count: usize) -> String {
    match step {
        Step::ToBroker => {
            format!("1. {} publishes {} on the topic {}.", capital(by), value(message), message.topic)
        }
        Step::AtBroker if message.kept => "1. The broker has kept this value for whoever comes later.".into(),
        Step::AtBroker if message.retain => {
            "2. The broker keeps the value, and looks up who follows this topic.".into()
        }
        Step::AtBroker => "2. The broker looks up who follows this topic.".into(),
        Step::ToFollowers => {
            let to = match count {
                1 => "the one who follows".into(),
                count => format!("each of the {} who follow", number(count)),
            };
            format!("3. The broker hands it to {to}. Sender and receivers need not know each other.")
        }
    }
}

/// Small numbers as words.
pub(crate) fn number(number: usize) -> String {
    NUMBERS.get(number).map_or_else(|| number.to_string(), |word| (*word).into())
}

const NUMBERS: [&str; 13] = [
    "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

/// With a capital letter, if it begins with a word and not with an identifier.
pub(crate) fn capital(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let is_word = ["the", "this", "another", "dimmer", "lamp", "recorder", "somebody"].contains(&word)
        || NUMBERS.contains(&word);
    if !is_word {
        return text.into();
    }
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn is_discovery(topic: &str) -> bool {
    topic.starts_with("homeassistant/") && topic.ends_with("/config")
}

fn quoted(payload: &str, is_cut: bool) -> String {
    let is_plain =
        !payload.is_empty() && payload.len() <= 12 && payload.bytes().all(|byte| byte.is_ascii_graphic());
    match (is_plain, is_cut) {
        (true, false) => payload.into(),
        (_, false) => format!("“{payload}”"),
        (_, true) => format!("“{payload}…”"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, payload: &str) -> Message {
        Message {
            topic: topic.into(),
            payload: Some(payload.into()),
            bytes: payload.len() as u64,
            retain: true,
            ..Message::default()
        }
    }

    const DESK: &str = "lights/Desk/intensity";

    #[test]
    fn a_deed_is_told_in_plain_words() {
        let check = |topic: &str, payload: &str, expected: &str| {
            assert_eq!(deed("the Desk dimmer", &message(topic, payload)), expected);
        };
        check(DESK, "42", "The Desk dimmer set Desk to 42 %.");
        check(DESK, "0", "The Desk dimmer turned Desk off.");
        check(DESK, "bright", "The Desk dimmer published bright for Desk, which is no percentage.");
        check(DESK, "", "The Desk dimmer cleared Desk.");
        check("lights/Desk/availability", "online", "The Desk dimmer told that Desk is there.");
        check("lights/Desk/availability", "offline", "The Desk dimmer told that Desk is gone.");
        check("home/temperature", "21.5", "The Desk dimmer set home/temperature to 21.5.");
        check("home/note", "See you later", "The Desk dimmer set home/note to “See you later”.");
        check(
            "homeassistant/light/x/config",
            "{}",
            "The Desk dimmer described a light, for whoever wants to control it.",
        );
        let binary = Message { payload: None, bytes: 12, ..message("cam/still", "") };
        assert_eq!(deed("mqttjs", &binary), "mqttjs set cam/still to 12 bytes.");
        let cut = Message { is_cut: true, ..message("home/note", "See you") };
        assert_eq!(deed("mqttjs", &cut), "mqttjs set home/note to “See you…”.");
    }

    #[test]
    fn followers_are_named_while_they_are_few() {
        let check = |names: &[&str], count, retain, expected: &str| {
            let names: Vec<String> = names.iter().map(|name| (*name).into()).collect();
            assert_eq!(followers(&names, count, retain), expected);
        };
        check(&[], 0, true, "Nobody follows it; the broker keeps the value for whoever comes.");
        check(&[], 0, false, "Nobody follows it, and it was not to be kept: it is gone.");
        check(&["the Desk lamp"], 1, true, "The Desk lamp follows it and has it.");
        check(&["mqttjs", "this page"], 2, true, "mqttjs and this page follow it: they have it.");
        check(&["this page", "x", "y"], 3, true, "This page, x and y follow it: they have it.");
        check(&["this page"], 7, true, "Seven follow it: they have it.");
        check(&[], 200, true, "200 follow it: they have it.");
    }

    fn set(by: &str) -> Subject {
        Subject::Set { by: by.into(), topic: DESK.into() }
    }

    #[test]
    fn a_sentence_stands_long_enough_to_be_read() {
        let mut story = Story::default();
        story.tell(Rank::Light, set("a"), "A set it.".into(), 0.0);
        story.tell(Rank::Light, set("b"), "B set it.".into(), 500.0);
        assert_eq!(story.text(), "A set it.");
        assert_eq!(story.advance(600.0), Some(STANDS_MS));
        story.advance(STANDS_MS);
        assert_eq!(story.text(), "B set it.");
    }

    #[test]
    fn what_goes_on_only_changes_its_value_and_the_last_one_stands() {
        let mut story = Story::default();
        for value in 0..=20 {
            story.tell(Rank::Light, set("a"), format!("A set it to {value}."), f64::from(value) * 10.0);
        }
        assert_eq!(story.text(), "A set it to 18.");
        story.advance(1_000.0);
        assert_eq!(story.text(), "A set it to 20.");
    }

    #[test]
    fn somebody_who_comes_is_not_missed_for_one_more_value() {
        let mut story = Story::default();
        story.tell(Rank::Light, set("a"), "A set it.".into(), 0.0);
        story.tell(Rank::Event, Subject::Event, "B joined.".into(), 10.0);
        story.tell(Rank::Light, set("c"), "C set it.".into(), 20.0);
        story.advance(STANDS_MS);
        assert_eq!(story.text(), "B joined.");
    }

    #[test]
    fn what_somebody_does_here_is_said_at_once_and_stays_in_view() {
        let mut story = Story::default();
        story.tell(Rank::Light, set("a"), "A set it.".into(), 0.0);
        story.tell(Rank::Own, set("this page"), "This page set it.".into(), 10.0);
        assert_eq!(story.text(), "This page set it.");
        story.tell(Rank::Light, set("a"), "A set it.".into(), 20.0);
        story.tell(Rank::Own, set("this page"), "This page set it again.".into(), 2_000.0);
        story.advance(STANDS_MS + 20.0);
        assert_eq!(story.text(), "This page set it again.");
        story.advance(STANDS_MS + 2_000.0);
        assert_eq!(story.text(), "A set it.");
    }

    #[test]
    fn a_light_goes_before_what_means_little_to_a_newcomer() {
        let mut story = Story::default();
        story.tell(Rank::Light, set("a"), "A set it.".into(), 0.0);
        story.tell(Rank::Light, set("b"), "B set it.".into(), 10.0);
        story.tell(Rank::Other, set("c"), "C set something.".into(), 20.0);
        story.advance(STANDS_MS);
        assert_eq!(story.text(), "B set it.");
    }

    #[test]
    fn kept_values_are_counted() {
        let mut story = Story::default();
        story.tell_kept("this page", "Desk: 40 %", 0.0);
        assert_eq!(story.text(), "The broker kept Desk: 40 % on its shelf, and has handed it to this page.");
        story.tell_kept("this page", "Shelf: 10 %", 1.0);
        story.tell_kept("this page", "Window: 10 %", 2.0);
        assert_eq!(
            story.text(),
            "The broker kept 3 values on its shelf for this page, and has handed them over."
        );
    }

    #[test]
    fn what_is_read_out_loud_changes_seldom() {
        let mut story = Story::default();
        story.tell(Rank::Light, set("a"), "One.".into(), 0.0);
        story.advance(0.0);
        assert_eq!(story.aloud(), "One.");
        story.tell(Rank::Light, set("a"), "Two.".into(), 1_000.0);
        assert_eq!(story.advance(1_000.0), Some(ALOUD_MS));
        assert_eq!((story.text(), story.aloud()), ("Two.", "One."));
        story.advance(ALOUD_MS);
        assert_eq!(story.aloud(), "Two.");
    }

    #[test]
    fn the_last_of_many_values_is_what_stays() {
        let mut story = Story::default();
        story.tell(Rank::Light, set("a"), "One.".into(), 0.0);
        story.tell(Rank::Light, set("a"), "Two.".into(), 10.0);
        // Nobody advanced it in between: the page was held up.
        story.tell(Rank::Light, set("a"), "Three.".into(), CHANGES_MS + 10.0);
        story.advance(2.0 * CHANGES_MS + 20.0);
        assert_eq!(story.text(), "Three.");
    }

    #[test]
    fn one_message_is_told_step_by_step() {
        let message = message(DESK, "42");
        let told = |at| step(at, "the Desk dimmer", &message, 3);
        assert_eq!(
            told(Step::ToBroker),
            "1. The Desk dimmer publishes 42 % on the topic lights/Desk/intensity."
        );
        assert_eq!(
            told(Step::AtBroker),
            "2. The broker keeps the value, and looks up who follows this topic."
        );
        assert_eq!(
            told(Step::ToFollowers),
            "3. The broker hands it to each of the three who follow. Sender and receivers need not know each other."
        );
    }
}
