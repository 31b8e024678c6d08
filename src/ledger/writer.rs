//! One thread has the connection; everybody else asks it.
//!
//! Whatever is queued when it looks is written in one transaction and one flush, so that a burst of
//! journal entries costs about what one costs. Nobody is answered before the flush is done.

use std::thread;

use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::error::LedgerError;
use super::session::{Purpose, Session};

/// So that nobody waits for too many others.
const BATCH: usize = 1024;

/// Something to do with the connection, and somebody who waits for it.
trait Job: Send {
    fn purpose(&self) -> Purpose;
    /// May be asked for again, where the transaction came to nothing.
    fn run<'a>(
        &'a mut self,
        session: &'a mut Session,
    ) -> LocalBoxFuture<'a, Result<(), LedgerError>>;
    fn done(self: Box<Self>);
    fn failed(self: Box<Self>, error: LedgerError);
}

struct Call<F, T> {
    purpose: Purpose,
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<F, T> Job for Call<F, T>
where
    F: AsyncFn(&mut Session) -> Result<T, LedgerError> + Send,
    T: Send,
{
    fn purpose(&self) -> Purpose {
        self.purpose
    }

    fn run<'a>(
        &'a mut self,
        session: &'a mut Session,
    ) -> LocalBoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async move {
            self.value = Some((self.work)(session).await?);
            Ok(())
        })
    }

    fn done(self: Box<Self>) {
        if let Some(value) = self.value {
            // Whoever asked may have gone.
            let _ = self.reply.send(Ok(value));
        }
    }

    fn failed(self: Box<Self>, error: LedgerError) {
        let _ = self.reply.send(Err(error));
    }
}

/// The way to the thread.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::UnboundedSender<Box<dyn Job>>,
}

/// Ends once the thread has closed the connection.
pub(super) type Ended = oneshot::Receiver<()>;

impl Writer {
    /// Starts the thread, which opens the connection itself.
    pub(super) async fn start<T: Send + 'static>(
        open: impl AsyncFnOnce() -> Result<(Session, T), LedgerError> + Send + 'static,
    ) -> Result<(Self, Ended, T), LedgerError> {
        let (queue, jobs) = mpsc::unbounded_channel();
        let (opened, is_open) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        let started = thread::Builder::new().name("ledger".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(async move {
                    match open().await {
                        Ok((session, value)) => {
                            let _ = opened.send(Ok(value));
                            serve(session, jobs).await;
                        }
                        Err(error) => {
                            let _ = opened.send(Err(error));
                        }
                    }
                }),
                Err(error) => {
                    let _ = opened.send(Err(gone(error)));
                }
            }
            let _ = ending.send(());
        });
        started.map_err(gone)?;
        let value = is_open.await.map_err(gone)??;
        Ok((Self { queue }, ended, value))
    }

    /// Does something in a transaction and answers when it is durable.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        purpose: Purpose,
        work: impl AsyncFn(&mut Session) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let call = Call { purpose, work, value: None, reply };
        self.queue.send(Box::new(call)).map_err(|_| gone(Stopped))?;
        answer.await.map_err(gone)?
    }
}

/// The thread is no more: the ledger was closed, or it failed beyond help.
#[derive(Debug)]
struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the ledger is closed")
    }
}

impl std::error::Error for Stopped {}

fn gone(error: impl std::error::Error + Send + Sync + 'static) -> LedgerError {
    LedgerError::Unavailable { place: "this process".to_owned(), cause: std::sync::Arc::new(error) }
}

async fn serve(mut session: Session, mut jobs: mpsc::UnboundedReceiver<Box<dyn Job>>) {
    let mut next = None;
    loop {
        let Some(first) = (match next.take() {
            Some(job) => Some(job),
            None => jobs.recv().await,
        }) else {
            return;
        };
        let mut batch = vec![first];
        if batch.iter().all(|job| job.purpose() == Purpose::Write) {
            while batch.len() < BATCH {
                match jobs.try_recv() {
                    Ok(job) if job.purpose() == Purpose::Write => batch.push(job),
                    Ok(job) => {
                        next = Some(job);
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
        flush(&mut session, batch).await;
    }
}

/// All together; and if one of them cannot be, each for itself, so that it fails alone.
async fn flush(session: &mut Session, mut batch: Vec<Box<dyn Job>>) {
    let outcome = together(session, &mut batch).await;
    let is_alone = batch.len() == 1;
    for mut job in batch {
        match &outcome {
            Ok(()) => job.done(),
            // Once more could be twice.
            Err(error) if is_alone || error.leaves_doubt() => job.failed(error.clone()),
            Err(_) => match together(session, std::slice::from_mut(&mut job)).await {
                Ok(()) => job.done(),
                Err(error) => job.failed(error),
            },
        }
    }
}

async fn together(session: &mut Session, batch: &mut [Box<dyn Job>]) -> Result<(), LedgerError> {
    let purpose = batch.first().map_or(Purpose::Read, |job| job.purpose());
    session.begin(purpose).await?;
    for job in batch {
        if let Err(error) = job.run(session).await {
            session.roll_back().await;
            return Err(error);
        }
    }
    match session.commit().await {
        Ok(()) => {
            if purpose == Purpose::Write {
                tracing::trace!(name: "kept", "what was written is durable");
            }
            Ok(())
        }
        Err(error) => {
            session.roll_back().await;
            Err(error)
        }
    }
}
