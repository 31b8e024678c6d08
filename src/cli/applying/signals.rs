//! Whoever wants a run to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use tokio::sync::Notify;

/// The first signal ends the run when what is under way has ended; the second ends it at once.
pub(crate) struct Signals {
    came: Arc<AtomicI32>,
    told: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let (came, told) = (Arc::new(AtomicI32::new(0)), Arc::new(Notify::new()));
        let task = tokio::spawn(heed(Arc::clone(&came), Arc::clone(&told)));
        Self { came, told, task }
    }

    pub(crate) fn has_come(&self) -> bool {
        self.came.load(Ordering::Relaxed) != 0
    }

    /// Which one came, if one did.
    pub(crate) fn number(&self) -> Option<u8> {
        u8::try_from(self.came.load(Ordering::Relaxed)).ok().filter(|number| *number > 0)
    }

    /// Waits for the first.
    pub(crate) async fn first(&self) {
        while !self.has_come() {
            self.told.notified().await;
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn heed(came: Arc<AtomicI32>, told: Arc<Notify>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    loop {
        let number = tokio::select! {
            _ = interrupt.recv() => 2,
            _ = terminate.recv() => 15,
        };
        if came.swap(number, Ordering::Relaxed) != 0 {
            std::process::exit(128 + number);
        }
        told.notify_one();
    }
}
