//! Answers questions on a thread of its own, so that a long history holds up neither the broker's messages nor the disk.

use super::{
    arrival::Millis,
    limits,
    query::{Asked, Problem, Question, answer},
    store::{Place, StoreError},
};
use rusqlite::ErrorCode;
use std::{
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Instant,
};
use tokio::sync::oneshot;

/// Asks the history that is recorded into.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    questions: SyncSender<Job>,
    filters: std::sync::Arc<str>,
}

type Job = (Question, Millis, oneshot::Sender<Result<Vec<u8>, Problem>>);

impl Asker {
    /// Starts the thread, which ends with the last asker. `filters` is what is recorded, in words.
    pub(super) fn start(place: Place, filters: &str) -> std::io::Result<Self> {
        let (questions, jobs) = sync_channel::<Job>(limits::QUESTIONS);
        let run = move || {
            for (question, now, reply) in jobs {
                // Whoever waited for it may have gone meanwhile.
                if !reply.is_closed() {
                    let _ = reply.send(find(&place, &question, now));
                }
            }
        };
        thread::Builder::new().name("history".to_owned()).spawn(run)?;
        Ok(Self { questions, filters: filters.into() })
    }

    /// The body of the answer, or why there is none.
    pub(super) async fn ask(&self, asked: &Asked, now: Millis) -> Result<Vec<u8>, Problem> {
        let question = asked.understand(now).map_err(|error| Problem::new(400, error))?;
        let topic = question.topic.clone();
        let (reply, replied) = oneshot::channel();
        self.questions
            .try_send((question, now, reply))
            .map_err(|_| Problem::new(503, "too many questions at once; try again later"))?;
        let mut outcome = replied.await.map_err(|_| Problem::new(503, "the recorder is stopping"))?;
        if let Err(problem) = &mut outcome
            && problem.status == 404
        {
            problem.detail = format!(
                "no value of {:?} is recorded; this recorder follows {}",
                topic.as_str(),
                self.filters
            );
        }
        outcome
    }
}

/// Opens the file, looks, and closes it: somebody may have replaced it since.
fn find(place: &Place, question: &Question, now: Millis) -> Result<Vec<u8>, Problem> {
    let unavailable = |error: StoreError| Problem::new(503, error.to_string());
    let mut db = place.open_to_read().map_err(unavailable)?;
    answered(&mut db, question, now).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Problem::new(
            503,
            "it takes too long to find that; ask for a shorter time, a smaller limit, or steps of whole minutes or hours",
        ),
        _ => unavailable(place.error(&error)),
    })?
    .ok_or_else(|| Problem::new(404, "no value of this topic is recorded"))
}

/// Looks for no longer than an answer may take.
pub(super) fn answered(
    db: &mut rusqlite::Connection,
    question: &Question,
    now: Millis,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let begun = Instant::now();
    db.progress_handler(10_000, Some(move || begun.elapsed() > limits::ANSWER_WITHIN))?;
    answer(db, question, now)
}
