//! Progress on a terminal: what is under way, how far it is, how long it may take.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::report::clean;

/// A bar for the whole, and below it a line for each step under way.
#[derive(Debug)]
pub(crate) struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    under_way: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    pub(super) fn new(steps: usize) -> Self {
        let all = MultiProgress::new();
        let whole = all.add(ProgressBar::new(steps as u64));
        let shape = "{bar:30} {pos} of {len}  {elapsed_precise}, {eta_precise} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(shape) {
            whole.set_style(style.progress_chars("=> "));
        }
        whole.enable_steady_tick(Duration::from_millis(250));
        Self { all, whole, under_way: Mutex::default() }
    }

    pub(super) fn began(&self, id: &str, summary: &str) {
        let line = self.all.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg}") {
            line.set_style(style.tick_chars("-\\|/ "));
        }
        line.set_message(clean::line(summary));
        line.enable_steady_tick(Duration::from_millis(250));
        if let Ok(mut under_way) = self.under_way.lock() {
            under_way.insert(id.to_owned(), line);
        }
    }

    /// A step ended; what was not as it should be stays on the screen.
    pub(super) fn ended(&self, id: &str, line: Option<&str>) {
        let under_way = self.under_way.lock().ok().and_then(|mut all| all.remove(id));
        if let Some(bar) = under_way {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        if let Some(line) = line {
            drop(self.all.println(line));
        }
        self.whole.inc(1);
    }

    /// For whoever writes beside them.
    pub(super) fn all(&self) -> MultiProgress {
        self.all.clone()
    }

    /// What everybody waits for, or nothing.
    pub(super) fn paced(&self, why: &str) {
        self.whole.set_message(why.to_owned());
    }

    pub(super) fn end(&self) {
        self.whole.finish_and_clear();
        drop(self.all.clear());
    }
}
