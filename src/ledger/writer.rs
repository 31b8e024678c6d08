//! One thread has the connection; everybody else asks it.
//!
//! Whatever is queued when it looks is written in one transaction and one flush, so that a burst of
//! journal entries costs about what one costs. Nobody is answered before the flush is done. Where many
//! are known to write, whoever comes first waits a moment for the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::error::LedgerError;
use super::session::{Purpose, Session};

/// So that nobody waits for too many others.
const BATCH: usize = 1024;
/// So many make a crowd. A few are not kept waiting for each other.
const CROWD: usize = 8;
/// So long is waited for the rest of a crowd: about what it takes to make something durable.
const MOMENT: Duration = Duration::from_millis(4);

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
    /// How many may write at the same time.
    crowd: Arc<AtomicUsize>,
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
        let crowd = Arc::new(AtomicUsize::new(1));
        let expected = Arc::clone(&crowd);
        let started = thread::Builder::new().name("ledger".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(async move {
                    match open().await {
                        Ok((session, value)) => {
                            let _ = opened.send(Ok(value));
                            serve(session, jobs, &expected).await;
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
        Ok((Self { queue, crowd }, ended, value))
    }

    pub(super) fn expect(&self, writers: usize) {
        self.crowd.store(writers, Ordering::Relaxed);
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
    LedgerError::Unavailable { place: "this process".to_owned(), cause: Arc::new(error) }
}

async fn serve(
    mut session: Session,
    mut jobs: mpsc::UnboundedReceiver<Box<dyn Job>>,
    crowd: &AtomicUsize,
) {
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
            let crowd = crowd.load(Ordering::Relaxed);
            next = gather(&mut batch, &mut jobs, if crowd < CROWD { 1 } else { crowd }).await;
        }
        flush(&mut session, batch).await;
    }
}

/// Adds what can be written together with the first: all that is there, and what comes in a moment
/// from as many as may still come. Returns what cannot, if that is next.
async fn gather(
    batch: &mut Vec<Box<dyn Job>>,
    jobs: &mut mpsc::UnboundedReceiver<Box<dyn Job>>,
    crowd: usize,
) -> Option<Box<dyn Job>> {
    let moment = tokio::time::sleep(MOMENT);
    tokio::pin!(moment);
    while batch.len() < BATCH {
        let job = match jobs.try_recv() {
            Ok(job) => Some(job),
            Err(_) if batch.len() < crowd => tokio::select! {
                biased;
                job = jobs.recv() => job,
                () = &mut moment => None,
            },
            Err(_) => None,
        };
        match job {
            Some(job) if job.purpose() == Purpose::Write => batch.push(job),
            other => return other,
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    /// Nothing but a purpose.
    struct Just(Purpose);

    impl Job for Just {
        fn purpose(&self) -> Purpose {
            self.0
        }

        fn run<'a>(
            &'a mut self,
            _: &'a mut Session,
        ) -> LocalBoxFuture<'a, Result<(), LedgerError>> {
            Box::pin(async { Ok(()) })
        }

        fn done(self: Box<Self>) {}

        fn failed(self: Box<Self>, _: LedgerError) {}
    }

    /// How many are written together with a first one, whether something else is next, and how long
    /// was waited; `others` come after so many milliseconds each.
    async fn gathered(crowd: usize, others: &[(u64, Purpose)]) -> (usize, bool, u128) {
        let (queue, mut jobs) = mpsc::unbounded_channel::<Box<dyn Job>>();
        let mut batch: Vec<Box<dyn Job>> = vec![Box::new(Just(Purpose::Write))];
        let started = Instant::now();
        let coming = async {
            for (after, purpose) in others {
                sleep(Duration::from_millis(*after)).await;
                let _ = queue.send(Box::new(Just(*purpose)));
            }
            std::future::pending::<()>().await;
        };
        let next = tokio::select! {
            biased;
            () = coming => None,
            next = gather(&mut batch, &mut jobs, crowd) => next,
        };
        (batch.len(), next.is_some(), started.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_waited_for_and_no_longer_than_a_moment() {
        use Purpose::{Read, Write};
        let (soon, late) = ([(1, Write), (1, Write), (1, Write)], [(1, Write), (9, Write)]);
        assert_eq!(gathered(1, &soon).await, (1, false, 0), "who is alone waits for nobody");
        assert_eq!(gathered(1, &[(0, Write), (0, Write)]).await, (3, false, 0));
        assert_eq!(gathered(4, &soon).await, (4, false, 3), "nobody else can come");
        assert_eq!(gathered(9, &soon).await, (4, false, 4), "a moment and no longer");
        assert_eq!(gathered(9, &late).await, (2, false, 4));
        assert_eq!(gathered(9, &[(1, Write), (1, Read)]).await, (2, true, 2), "reads do not wait");
    }
}
