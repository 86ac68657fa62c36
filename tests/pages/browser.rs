//! Debian's chromium, without windows of its own, on a lead: `driver.mjs` (playwright-core in node) does what is ordered here. It knows no page
//! of the desk.
#![allow(dead_code)] // what one page's tests have no use for, another's may

use crate::support::desk::Desk;
use crate::support::process::Dir;
use crate::support::s;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// One order may take so long, its own patience not counted.
const PATIENCE: Duration = s(40);

/// Where the scripts, their packages and the lock file are.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pages")
}

/// A running browser; gone with the last of its pages and this.
#[derive(Clone)]
pub struct Browser(Rc<RefCell<Driver>>);

struct Driver {
    child: Child,
    orders: Option<ChildStdin>,
    answers: mpsc::Receiver<String>,
    dir: Dir,
    _place: Place,
}

/// How a page is opened.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// Behind the address.
    pub path: &'a str,
    /// `ja` or `en`.
    pub language: &'a str,
    /// `light` or `dark`.
    pub theme: &'a str,
    /// Of the window, pixels.
    pub size: (u32, u32),
    /// Whether somebody logs in first.
    pub known: bool,
}

impl Default for Look<'_> {
    fn default() -> Self {
        Self { path: "/", language: "ja", theme: "light", size: (1920, 1080), known: true }
    }
}

impl Look<'_> {
    /// Both languages under both themes.
    pub fn all() -> [Self; 4] {
        let look = |language, theme| Self { language, theme, ..Self::default() };
        [look("ja", "light"), look("ja", "dark"), look("en", "light"), look("en", "dark")]
    }

    /// `ja-dark`, for pictures' names.
    pub fn name(&self) -> String {
        format!("{}-{}", self.language, self.theme)
    }
}

/// Browsers at once: each has a core for itself at times, and a desk that gets none refuses callers, as it should.
const MOST: u32 = 3;
static PLACES: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

/// One browser's place among them.
struct Place;

impl Place {
    fn take() -> Self {
        let taken = PLACES.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = PLACES
            .1
            .wait_while(taken, |taken| *taken >= MOST)
            .unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *PLACES.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        PLACES.1.notify_one();
    }
}

impl Browser {
    /// Starts it, when its turn comes.
    #[track_caller]
    pub fn start() -> Self {
        let place = Place::take();
        let dir = Dir::new("browser");
        let log = std::fs::File::create(dir.file("driver.log")).unwrap();
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "node", "driver.mjs"])
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("node drives the browser");
        let (orders, out) = (child.stdin.take(), child.stdout.take().unwrap());
        let (told, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self(Rc::new(RefCell::new(Driver { child, orders, answers, dir, _place: place })))
    }

    /// A page of the desk.
    #[track_caller]
    pub fn open(&self, desk: &Desk, look: &Look) -> Page {
        let login = look.known.then(|| json!({ "token": desk.token() }));
        let done = self.order(
            json!({
                "do": "open", "url": format!("http://{}", desk.http), "path": look.path, "login": login,
                "language": look.language, "theme": look.theme, "width": look.size.0, "height": look.size.1,
            }),
            s(0),
        );
        Page { browser: self.clone(), number: done.as_u64().expect("a page's number") }
    }

    #[track_caller]
    fn order(&self, order: Value, more: Duration) -> Value {
        let mut driver = self.0.borrow_mut();
        let sent = driver.orders.as_mut().map(|orders| writeln!(orders, "{order}"));
        let answer = driver.answers.recv_timeout(PATIENCE + more);
        let Ok(answer) = answer else {
            let log = std::fs::read_to_string(driver.dir.file("driver.log")).unwrap_or_default();
            panic!("the browser does not answer to {order} ({sent:?}):\n{log}");
        };
        let mut answer: Value = serde_json::from_str(&answer).expect("answers are JSON");
        assert!(answer["failed"].is_null(), "{order}: {}", answer["failed"]);
        answer["done"].take()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Without orders it closes the browser and ends.
        drop(self.orders.take());
        let until = Instant::now() + s(5);
        while Instant::now() < until && self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An open page.
pub struct Page {
    browser: Browser,
    number: u64,
}

impl Page {
    #[track_caller]
    fn order(&self, what: &str, more: Value, patience: Duration) -> Value {
        let mut order = json!({ "do": what, "page": self.number });
        for (key, value) in more.as_object().into_iter().flatten() {
            order[key] = value.clone();
        }
        self.browser.order(order, patience)
    }

    /// What a script says.
    #[track_caller]
    pub fn evaluate(&self, script: &str) -> Value {
        self.order("evaluate", json!({ "script": script }), s(0))
    }

    /// Waits until a script says something that is true; panics when it does not within `within`.
    #[track_caller]
    pub fn wait(&self, script: &str, within: Duration) -> Value {
        let within_ms = within.as_millis() as u64;
        self.order("wait", json!({ "script": script, "within_ms": within_ms }), within)
    }

    /// The text of the first such element.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let script = format!("document.querySelector({selector:?})?.textContent ?? null");
        self.evaluate(&script).as_str().unwrap_or_else(|| panic!("no {selector}")).to_owned()
    }

    /// Waits until the first such element has exactly this text.
    #[track_caller]
    pub fn shows(&self, selector: &str, text: &str, within: Duration) {
        let text = Value::from(text);
        self.wait(
            &format!("document.querySelector({selector:?})?.textContent.trim() === {text}"),
            within,
        );
    }

    /// Presses the mouse on it.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.order("click", json!({ "selector": selector }), s(0));
    }

    /// Types into it.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) {
        self.order("fill", json!({ "selector": selector, "text": text }), s(0));
    }

    /// Chooses from it.
    #[track_caller]
    pub fn select(&self, selector: &str, value: &str) {
        self.order("select", json!({ "selector": selector, "value": value }), s(0));
    }

    /// Presses a key.
    #[track_caller]
    pub fn press(&self, key: &str) {
        self.order("press", json!({ "key": key }), s(0));
    }

    /// Goes to another page of the desk.
    #[track_caller]
    pub fn go(&self, path: &str) {
        self.order("go", json!({ "path": path }), s(0));
    }

    /// The window becomes so large.
    #[track_caller]
    pub fn resize(&self, (width, height): (u32, u32)) {
        self.order("resize", json!({ "width": width, "height": height }), s(0));
    }

    /// From the next loading on it gets this board over and over, and none of the desk's.
    #[track_caller]
    pub fn pretend(&self, board: &Value) {
        self.order("pretend", json!({ "board": board }), s(0));
    }

    /// From now on it gets this, so much later, from that address by that method, and nothing of the desk's; `asked`
    /// says what it sent there.
    #[track_caller]
    pub fn answers(&self, method: &str, path: &str, status: u16, body: &Value, after: Duration) {
        let after_ms = after.as_millis() as u64;
        let it = json!({ "method": method, "path": path, "status": status, "body": body, "after_ms": after_ms });
        self.order("answer", it, s(0));
    }

    /// What it sent to such addresses since this was asked last: `method`, `path`, `query`, `body`.
    #[track_caller]
    pub fn asked(&self) -> Vec<Value> {
        serde_json::from_value(self.order("asked", json!({}), s(0))).unwrap()
    }

    /// Keeps a picture of what is seen as target/pages/NAME.png.
    #[track_caller]
    pub fn picture(&self, name: &str) {
        self.order("picture", json!({ "name": name }), s(0));
    }

    /// Demands that nobody is kept out by it, as far as axe can tell.
    #[track_caller]
    pub fn is_open_to_all(&self, case: &str) {
        let found = self.order("barriers", json!({}), s(0));
        assert_eq!(found, json!([]), "{case}: axe finds {found:#}");
    }

    /// Demands that every such element holds what is in it.
    #[track_caller]
    pub fn nothing_overflows(&self, selector: &str, case: &str) {
        let found = self.order("overflowing", json!({ "selector": selector }), s(0));
        assert_eq!(found, json!([]), "{case}: {found:#}");
    }

    /// Where such elements are: x, y, width, height.
    #[track_caller]
    pub fn places(&self, selector: &str) -> BTreeMap<String, [i64; 4]> {
        serde_json::from_value(self.order("places", json!({ "selector": selector }), s(0))).unwrap()
    }

    /// What its console complained of since this was asked last.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        serde_json::from_value(self.order("complaints", json!({}), s(0))).unwrap()
    }

    /// What it asked since this was asked last and was not let: status and path.
    #[track_caller]
    pub fn refused(&self) -> Vec<String> {
        serde_json::from_value(self.order("refused", json!({}), s(0))).unwrap()
    }

    /// Demands that its console has complained of nothing.
    #[track_caller]
    pub fn has_no_complaints(&self, case: &str) {
        assert_eq!(self.complaints(), Vec::<String>::new(), "{case}");
    }

    /// Closes it.
    #[track_caller]
    pub fn close(self) {
        self.order("close", json!({}), s(0));
    }
}
