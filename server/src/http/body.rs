//! The body of a request: bounded while it comes, not when it has come.

use super::Problem;
use crate::limits;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tokio::{spawn, sync::Semaphore, time::timeout};

/// How much may be uploaded, by one and by all.
#[derive(Clone, Debug)]
pub(crate) struct Uploads {
    len_max: usize,
    large: Arc<Semaphore>,
}

/// A body that nobody has read. If it is dropped so, what still comes is thrown away, unless its sender waits for
/// permission and need not begin.
#[derive(Debug)]
pub(super) struct Upload {
    body: Option<Body>,
    len: Option<u64>,
    waits_for_permission: bool,
}

impl Uploads {
    /// `len_max` is the largest MQTT packet: what is larger could not be passed on.
    pub(crate) fn new(len_max: usize) -> Self {
        Self { len_max, large: Arc::new(Semaphore::new(limits::LARGE_UPLOADS)) }
    }

    pub(super) fn len_max(&self) -> usize {
        self.len_max
    }

    pub(super) fn too_large(&self) -> Problem {
        let detail =
            format!("the message is larger than the {} bytes that limits.packet_size allows", self.len_max);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// The whole body.
    pub(super) async fn read(&self, mut upload: Upload) -> Result<Bytes, Problem> {
        if upload.len.is_some_and(|len| len > self.len_max as u64) {
            // It has not begun, if its sender waits for permission.
            return Err(self.too_large());
        }
        // Who reads gives the permission.
        upload.waits_for_permission = false;
        let Some(body) = &mut upload.body else { return Ok(Bytes::new()) };
        let bytes = timeout(limits::UPLOAD_WITHIN, self.collect(body)).await.map_err(|_| {
            let detail = format!("the body took longer than {} seconds", limits::UPLOAD_WITHIN.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        })??;
        upload.body = None;
        Ok(bytes)
    }

    async fn collect(&self, body: &mut Body) -> Result<Bytes, Problem> {
        let (mut bytes, mut place) = (BytesMut::new(), None);
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|error| Problem::bad_request(format!("the body broke off: {error}")))?;
            let Ok(piece) = frame.into_data() else { continue };
            if bytes.len() + piece.len() > self.len_max {
                return Err(self.too_large());
            }
            if place.is_none() && bytes.len() + piece.len() > limits::LARGE_UPLOAD {
                place = Some(self.large.try_acquire().map_err(|_| {
                    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many large bodies are being sent")
                        .with(header::RETRY_AFTER, "1")
                })?);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }
}

impl Upload {
    pub(super) fn new(headers: &HeaderMap, body: Body) -> Self {
        let len = headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
        Self { body: Some(body), len, waits_for_permission: headers.contains_key(header::EXPECT) }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|_| !self.waits_for_permission) else { return };
        spawn(async move {
            let mut body = body;
            let _ = timeout(limits::REFUSED_UPLOAD_WITHIN, async {
                while let Some(Ok(_)) = body.frame().await {}
            })
            .await;
        });
    }
}
