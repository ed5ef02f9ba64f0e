//! Finds what was asked for, and writes it as JSON of bounded length.
//!
//! A question with steps is answered from hours or minutes where those fill the steps exactly, and otherwise from the
//! values. Whatever it takes is bounded by the caller, who may interrupt it at any time.

use super::{Question, steps::Stepper, when::rfc3339};
use crate::recorder::{
    arrival::{Millis, Origin},
    limits,
    store::{Bucket, Span, bucket_from_row, number},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::to_string;

/// An answer as whoever asked reads it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(in crate::recorder) struct Answer {
    pub(in crate::recorder) from: String,
    pub(in crate::recorder) to: String,
    /// How long its steps are, `300s`.
    #[serde(default)]
    pub(in crate::recorder) step: Option<String>,
    #[serde(default)]
    pub(in crate::recorder) kept_from: Option<String>,
    #[serde(default)]
    pub(in crate::recorder) before: Option<ValueRow>,
    #[serde(default)]
    pub(in crate::recorder) values: Vec<ValueRow>,
    #[serde(default)]
    pub(in crate::recorder) steps: Vec<StepRow>,
    /// To be asked for as `from`, to go on.
    #[serde(default)]
    pub(in crate::recorder) next: Option<String>,
}

/// One value in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::recorder) struct ValueRow {
    pub(in crate::recorder) set_at: String,
    /// The payload if it is text, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::recorder) payload: Option<String>,
    /// ... otherwise its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::recorder) payload_base64: Option<String>,
    /// Whose clock says so.
    pub(in crate::recorder) time_from: String,
    /// Counts values in the order of their arrival.
    pub(in crate::recorder) seq: i64,
}

/// One step in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::recorder) struct StepRow {
    pub(in crate::recorder) from: String,
    pub(in crate::recorder) count: i64,
    pub(in crate::recorder) min: f64,
    pub(in crate::recorder) max: f64,
    pub(in crate::recorder) mean: f64,
    pub(in crate::recorder) last: f64,
}

impl Answer {
    /// How long its steps are.
    pub(in crate::recorder) fn step_millis(&self) -> Option<Millis> {
        let step = super::when::duration(self.step.as_deref()?).ok()?;
        Millis::try_from(step.as_millis()).ok().filter(|step| *step > 0)
    }
}

/// The body of an answer; `None` if nothing was ever recorded of that topic.
pub(in crate::recorder) fn answer(
    db: &Connection,
    question: &Question,
    now: Millis,
) -> Result<Option<Vec<u8>>> {
    // One state of the file for all of it.
    let transaction = db.unchecked_transaction()?;
    let db = &*transaction;
    let topic = "SELECT id FROM topic WHERE name = ?1";
    let topic =
        db.prepare_cached(topic)?.query_row([question.topic.as_str()], |row| row.get(0)).optional()?;
    let Some(topic) = topic else { return Ok(None) };
    // Where clocks differ, or one was set back, values may lie ahead of the present.
    let newest = "SELECT max(set_at) FROM value WHERE topic = ?1";
    let newest: Option<Millis> = db.query_row(newest, [topic], |row| row.get(0))?;
    let end = newest.map_or(now, |newest| now.max(newest + 1));
    let to = question.to.unwrap_or(end).max(question.from);
    match question.step {
        None => values(db, topic, question, to).map(Some),
        Some(step) => steps(db, topic, question, step, to.min(end), now).map(Some),
    }
}

/// Every topic in the file, in the order of their names.
pub(in crate::recorder) fn topics(db: &Connection) -> Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM topic ORDER BY name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn values(db: &Connection, topic: i64, question: &Question, to: Millis) -> Result<Vec<u8>> {
    let from = question.from;
    let mut body = Body::begin(question, from, to);
    body.kept_from(db, "value_from", from)?;
    let sql = "SELECT set_at, seq, origin, payload FROM value WHERE topic = ?1 AND set_at < ?2 \
               ORDER BY set_at DESC, seq DESC LIMIT 1";
    let before = db.prepare_cached(sql)?.query_row(params![topic, from], value_row).optional()?;
    if let Some((before, ..)) = before.filter(|_| question.after_seq == 0) {
        let before = to_json(&before);
        // A large one would leave no room for those that were asked for.
        if before.len() <= limits::ANSWER / 8 {
            body.member("before", &before);
        }
    }
    body.open("values");
    let sql = "SELECT set_at, seq, origin, payload FROM value \
               WHERE topic = ?1 AND (set_at, seq) > (?2, ?3) AND set_at < ?4 ORDER BY set_at, seq";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![topic, from, question.after_seq, to])?;
    let (mut count, mut last, mut next) = (0, None, None);
    while let Some(row) = rows.next()? {
        let (value, set_at, seq) = value_row(row)?;
        let element = to_json(&value);
        if count == question.limit || !body.has_room(&element) {
            next = last.map(|(set_at, seq)| format!("{set_at}.{seq}"));
            break;
        }
        body.element(&element);
        count += 1;
        last = Some((set_at, seq));
    }
    Ok(body.end(next))
}

fn value_row(row: &Row<'_>) -> Result<(ValueRow, Millis, i64)> {
    let (set_at, seq) = (row.get(0)?, row.get(1)?);
    let bytes = row.get_ref(3)?.as_bytes().unwrap_or_default();
    // Escaped, a text may become six times as long; in base64 every payload fits into an answer.
    let fits =
        |text: &&str| text.len() <= limits::ANSWER / 8 || to_json(*text).len() <= limits::ANSWER / 8 * 7;
    let text = str::from_utf8(bytes).ok().filter(fits);
    let value = ValueRow {
        set_at: rfc3339(set_at),
        payload: text.map(str::to_owned),
        payload_base64: text.is_none().then(|| BASE64.encode(bytes)),
        time_from: Origin::from_number(row.get(2)?).as_str().to_owned(),
        seq,
    };
    Ok((value, set_at, seq))
}

fn steps(
    db: &Connection,
    topic: i64,
    question: &Question,
    step: Millis,
    to: Millis,
    now: Millis,
) -> Result<Vec<u8>> {
    let start = question.from - question.from.rem_euclid(step);
    // Whole steps.
    let to = if to.rem_euclid(step) == 0 { to } else { (to - to.rem_euclid(step)).saturating_add(step) };
    let to = to.max(start);
    let source = [Span::Hour, Span::Minute].into_iter().find(|span| step % span.millis() == 0);
    let mut body = Body::begin(question, start, to);
    body.member("step", &to_json(&format!("{}s", step / 1_000)));
    let column = match source {
        None => "value_from",
        Some(Span::Minute) => "minute_from",
        Some(Span::Hour) => "hour_from",
    };
    body.kept_from(db, column, start)?;
    body.open("steps");
    let carried = carried(db, topic, start)?;
    let mut out = Steps {
        stepper: Stepper::new(step, start, carried, now),
        is_known: carried.is_some(),
        left: question.limit,
        body,
    };
    let bounds = params![topic, start, to];
    let next_bucket = |row: &Row<'_>| -> Result<Option<Bucket>> {
        Ok(match source {
            None => number(row.get_ref(1)?.as_bytes().unwrap_or_default())
                .map(|number| row.get(0).map(|at| Bucket::of(at, number)))
                .transpose()?,
            Some(_) => Some(bucket_from_row(row, 0)?),
        })
    };
    let mut statement = db.prepare_cached(match source {
        None => {
            "SELECT set_at, payload FROM value WHERE topic = ?1 AND set_at >= ?2 AND set_at < ?3 \
             ORDER BY set_at, seq"
        }
        Some(Span::Minute) => {
            "SELECT count, min, max, first_at, first, last_at, last, area FROM minute \
             WHERE topic = ?1 AND start >= ?2 AND start < ?3 ORDER BY start"
        }
        Some(Span::Hour) => {
            "SELECT count, min, max, first_at, first, last_at, last, area FROM hour \
             WHERE topic = ?1 AND start >= ?2 AND start < ?3 ORDER BY start"
        }
    })?;
    let mut rows = statement.query(bounds)?;
    while let Some(row) = rows.next()? {
        let Some(bucket) = next_bucket(row)? else { continue };
        if !out.is_known {
            let start = bucket.first_at - bucket.first_at.rem_euclid(step);
            (out.stepper, out.is_known) = (Stepper::new(step, start, None, now), true);
        }
        while out.stepper.is_beyond(bucket.first_at) {
            if !out.step() {
                return Ok(out.end());
            }
        }
        out.stepper.add(&bucket);
    }
    while out.is_known && out.stepper.start() < to {
        if !out.step() {
            return Ok(out.end());
        }
    }
    Ok(out.body.end(None))
}

/// The number that held just before a step begins.
fn carried(db: &Connection, topic: i64, start: Millis) -> Result<Option<f64>> {
    let minute = Span::Minute.start(start);
    let sql = "SELECT payload FROM value WHERE topic = ?1 AND set_at >= ?2 AND set_at < ?3 \
               ORDER BY set_at DESC, seq DESC";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![topic, minute, start])?;
    while let Some(row) = rows.next()? {
        if let Some(number) = row.get_ref(0)?.as_bytes().ok().and_then(number) {
            return Ok(Some(number));
        }
    }
    // An hour says nothing of what held within it.
    let whole_hour = minute - Span::Hour.millis();
    for (sql, until) in [
        ("SELECT last FROM minute WHERE topic = ?1 AND start < ?2 ORDER BY start DESC LIMIT 1", minute),
        ("SELECT last FROM hour WHERE topic = ?1 AND start <= ?2 ORDER BY start DESC LIMIT 1", whole_hour),
    ] {
        let last = db.prepare_cached(sql)?.query_row(params![topic, until], |row| row.get(0)).optional()?;
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

/// Steps on their way into the body.
struct Steps {
    stepper: Stepper,
    /// Whether something held already.
    is_known: bool,
    left: u64,
    body: Body,
}

impl Steps {
    /// Ends a step; `false` if there is no room for it.
    fn step(&mut self) -> bool {
        if self.left == 0 || self.body.text.len() > limits::ANSWER - STEP_LEN {
            return false;
        }
        if let Some(step) = self.stepper.next() {
            let from = rfc3339(step.start);
            let row = StepRow {
                from,
                count: step.count,
                min: step.min,
                max: step.max,
                mean: step.mean,
                last: step.last,
            };
            self.body.element(&to_json(&row));
            self.left -= 1;
        }
        true
    }

    fn end(self) -> Vec<u8> {
        let next = self.stepper.start().to_string();
        self.body.end(Some(next))
    }
}

/// No step is longer in JSON: four numbers of up to 25 characters, and names.
const STEP_LEN: usize = 256;

/// The JSON, as it grows.
struct Body {
    text: String,
    has_elements: bool,
}

impl Body {
    fn begin(question: &Question, from: Millis, to: Millis) -> Self {
        let topic = to_json(question.topic.as_str());
        let text = format!(r#"{{"topic":{topic},"from":"{}","to":"{}""#, rfc3339(from), rfc3339(to));
        Self { text, has_elements: false }
    }

    fn member(&mut self, name: &str, json: &str) {
        self.text += &format!(r#","{name}":{json}"#);
    }

    /// Says if what was asked for begins before what is kept.
    fn kept_from(&mut self, db: &Connection, column: &str, from: Millis) -> Result<()> {
        let kept: Millis = db.query_row(&format!("SELECT {column} FROM state"), [], |row| row.get(0))?;
        if kept > from {
            self.member("kept_from", &to_json(&rfc3339(kept)));
        }
        Ok(())
    }

    fn open(&mut self, list: &str) {
        self.text += &format!(r#","{list}":["#);
    }

    /// The first element always has: no payload is longer than an answer.
    fn has_room(&self, element: &str) -> bool {
        !self.has_elements || self.text.len() + element.len() + STEP_LEN <= limits::ANSWER
    }

    fn element(&mut self, json: &str) {
        if self.has_elements {
            self.text.push(',');
        }
        self.text += json;
        self.has_elements = true;
    }

    fn end(mut self, next: Option<String>) -> Vec<u8> {
        self.text += "],\"next\":";
        self.text += &to_json(&next);
        self.text.push('}');
        self.text.into_bytes()
    }
}

fn to_json(value: &(impl Serialize + ?Sized)) -> String {
    to_string(value).expect("texts and finite numbers")
}
