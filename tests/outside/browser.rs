//! A browser without a window, in which pages are used as a person uses them: a field is found by
//! its label, a button by its words, keys and the mouse do the rest.
//!
//! Chromium is spoken to in its own protocol over a pipe (JSON texts that end with a zero byte).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

const ANSWER_MAX: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_millis(20);
const WAITS_MAX: usize = 1_000;

/// What pages must fit: a desk and a telephone.
const SIZES: [(u32, u32); 2] = [(1280, 800), (390, 844)];

/// One tab of one browser, which ends with it.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last: u64,
    session: Option<String>,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Browser {
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // It reads from 3 and writes to 4: a shell hands it our two pipes under these numbers.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "chromium"])
            // The pages are ours, and whoever runs tests as root has no sandbox.
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
            .args(["--no-proxy-server", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let (send, from) = channel();
        thread::spawn(move || {
            let mut text = Vec::new();
            while said.read_until(0, &mut text).is_ok_and(|read| read > 0) {
                let whole = serde_json::from_slice(text.strip_suffix(&[0]).unwrap_or(&text));
                if whole.is_ok_and(|whole: Value| send.send(whole).is_err()) {
                    return;
                }
                text.clear();
            }
        });
        let mut browser = Self { child, to, from, last: 0, session: None, _profile: profile };
        let tab = browser.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": tab["targetId"], "flatten": true});
        let attached = browser.ask("Target.attachToTarget", &attach);
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        browser.see(SIZES[0], "light");
        browser
    }

    /// Goes to an address, and stays when the document is whole.
    pub(crate) fn open(&mut self, address: &str) {
        // A link that differs in its fragment alone opens nothing.
        for address in ["about:blank", address] {
            let went = self.ask("Page.navigate", &json!({"url": address}));
            assert_eq!(went["errorText"], Value::Null, "{address}");
        }
    }

    /// Waits for the page with this heading.
    pub(crate) fn reads(&mut self, heading: &str) {
        let heading = json!(heading);
        self.until(&format!(
            "document.readyState === 'complete' && document.querySelector('h1')?.textContent === {heading}"
        ));
        self.fits();
    }

    /// Waits until the page says this somewhere.
    pub(crate) fn shows(&mut self, text: &str) {
        let text = json!(text);
        self.until(&format!(
            "document.readyState === 'complete' && document.body.innerText.includes({text})"
        ));
        self.fits();
    }

    /// Types into the field that has this label, over what was in it.
    pub(crate) fn types(&mut self, label: &str, text: &str) {
        let label = json!(label);
        let field = self.evaluate(&format!(
            "(() => {{ const field = [...document.querySelectorAll('label')]
                .find((one) => one.textContent.trim() === {label})?.control;
              field?.focus(); field?.select(); return document.activeElement === field; }})()"
        ));
        assert_eq!(field, json!(true), "no field is called {label}: {}", self.text());
        self.ask("Input.insertText", &json!({"text": text}));
    }

    /// Presses the button, or follows the link, that has this text.
    pub(crate) fn presses(&mut self, text: &str) {
        let text = json!(text);
        // After two frames it stands where it stays, and nothing stands before it. What goes over
        // two lines has a box for each.
        let place = self.evaluate(&format!(
            "(async () => {{ const one = [...document.querySelectorAll('button, a')]
                .find((one) => one.textContent.trim() === {text});
              one?.scrollIntoView({{block: 'center'}});
              for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
              const box = one?.getClientRects()[0];
              if (!box) return null;
              const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
              return document.elementFromPoint(x, y) === one && [x, y]; }})()"
        ));
        assert!(place.is_array(), "nothing to press is called {text}: {}", self.text());
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let mouse = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.ask("Input.dispatchMouseEvent", &mouse);
        }
    }

    /// All that can be read on the page.
    pub(crate) fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// What a script says, once it can be run: between two pages it cannot.
    pub(crate) fn evaluate(&mut self, script: &str) -> Value {
        self.try_evaluate(script).unwrap_or_default()
    }

    /// Writes how the page looks, at a desk and on a telephone, by day and by night, into the
    /// folder `PARTNERCTL_SCREENSHOTS`, for whoever wants to look.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("PARTNERCTL_SCREENSHOTS").map(PathBuf::from) else {
            return;
        };
        fs::create_dir_all(&folder).unwrap();
        for (width, height) in SIZES {
            for scheme in ["light", "dark"] {
                self.see((width, height), scheme);
                let shot = self.ask("Page.captureScreenshot", &json!({"format": "png"}));
                let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
                fs::write(folder.join(format!("{name}-{width}-{scheme}.png")), bytes).unwrap();
            }
        }
        self.see(SIZES[0], "light");
    }

    /// No page is wider than what it is seen on.
    fn fits(&mut self) {
        for size in SIZES {
            self.see(size, "light");
            let wider = self.evaluate("document.documentElement.scrollWidth - innerWidth");
            assert!(wider.as_i64().is_some_and(|wider| wider <= 0), "{size:?}: by {wider}");
        }
        self.see(SIZES[0], "light");
    }

    fn see(&mut self, (width, height): (u32, u32), scheme: &str) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.ask("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.ask("Emulation.setEmulatedMedia", &json!({"features": scheme}));
        self.until(&format!("innerWidth === {width} && innerHeight === {height}"));
    }

    /// Waits for a script to say yes.
    pub(crate) fn until(&mut self, condition: &str) {
        for _ in 0..WAITS_MAX {
            if self.try_evaluate(condition) == Some(Value::Bool(true)) {
                return;
            }
            thread::sleep(WAIT);
        }
        panic!("it never came to {condition}: {}", self.text());
    }

    fn try_evaluate(&mut self, script: &str) -> Option<Value> {
        let asked = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let answer = self.exchange("Runtime.evaluate", &asked);
        let result = &answer["result"];
        let fails = result["exceptionDetails"].is_object() || answer["error"].is_object();
        (!fails).then(|| result["result"]["value"].clone())
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.exchange(method, params);
        assert_eq!(answer["error"], Value::Null, "{method}");
        answer["result"].clone()
    }

    fn exchange(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let mut request = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        write!(self.to, "{request}\0").expect("chromium is there (Debian's package of that name)");
        self.to.flush().unwrap();
        loop {
            let said = self.from.recv_timeout(ANSWER_MAX);
            let said = said.unwrap_or_else(|_| panic!("chromium does not answer {method}"));
            if said["id"] == self.last {
                return said;
            }
        }
    }
}
