//! `luxwire history`: shows what was recorded, and exports it.
//!
//! It asks the recorder over MQTT, wherever that runs, or reads a file. Either way answers come in pages; what is shown is
//! written page by page, so that a long history needs no more memory than a short one.

mod args;
mod ask;
mod csv;
mod influx;
mod json;
mod local;
mod output;
mod parquet;
mod plot;
mod table;

pub use args::Args;

use super::{
    clock, limits,
    query::{Asked, when::rfc3339},
};
use anyhow::Result;
use ask::Source;
use output::{Output, is_broken_pipe};

/// Prints what is asked for.
pub async fn run(args: Args) -> Result<()> {
    let now = clock::wall();
    let form = args.form();
    let mut asked = args.asked(now)?;
    if let Some(columns) = form.columns() {
        asked = plot::in_columns(asked, columns, now)?;
    }
    let mut output = form.open(asked.step.is_some())?;
    let mut source = Source::open(&args)?;
    let outcome = print(&mut source, &asked, &args, output.as_mut()).await;
    source.close().await;
    match outcome.and_then(|()| output.finish()) {
        // Whoever read it has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        other => other,
    }
}

async fn print(source: &mut Source, asked: &Asked, args: &Args, output: &mut dyn Output) -> Result<()> {
    for topic in source.topics(&args.topic)? {
        let mut asked = Asked {
            topic: topic.as_str().to_owned(),
            limit: Some(limits::ANSWER_VALUES_MAX.to_string()),
            ..asked.clone()
        };
        let mut page = source.ask(&asked).await?;
        output.begin(topic.as_str(), &page)?;
        loop {
            output.page(&page)?;
            let Some(next) = page.next else { break };
            // Where relative times lead is settled by the first page.
            asked.to = Some(page.to);
            asked.from = Some(next);
            page = source.ask(&asked).await?;
        }
        output.end()?;
    }
    Ok(())
}

/// For the header of tables and plots.
fn kept_from(page: &super::query::Answer) -> Option<String> {
    page.kept_from
        .as_ref()
        .map(|from| format!("what is older than {} was deleted", local::time(from, local::Detail::Seconds)))
}

/// Milliseconds as the recorder understands them.
fn as_asked(millis: i64) -> String {
    rfc3339(millis)
}
