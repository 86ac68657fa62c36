//! Months simulated beside the desk's work: a supervisor's question about agents, one at a time, and every few minutes
//! what today comes to by tonight. By threads of a low priority: calls go before a forecast. How months
//! are simulated is `forecast`'s.

mod shown;

use super::engine_loop::Clock;
use super::reload::Reload;
use crate::base::{AgentId, PromptId, Wall};
use crate::cli::bundle;
use crate::dialplan::Plan;
use crate::forecast::{
    Demand, Enough, Interval, Judged, Known, MOST_AGENTS, NoRest, Past, Roster, Run, Scenario,
    SoFar, Step, Wanted, World, rest_of_day, tonight, with_agents,
};
use crate::io::http::{
    NoTonight, NotAsked, Planner, Planning, PlanningAnswer, PlanningBasis, PlanningState,
    PlanningStep, PlanningWanted, Tonight, TonightRates, ViewHub,
};
use crate::io::store::{Entries, Place};
use crate::view::{Month, Policy};
use chrono::NaiveDate;
use shown::{shift, span};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Months that each number is tried with.
const MONTHS: u64 = 40;
/// Calls of a month that are reckoned with.
const MOST_CALLS: f64 = 50_000.0;
/// Evenings of one forecast of today.
const EVENINGS: u64 = 60;
/// How long a word of today holds before it is reckoned anew, milliseconds.
const HOLDS_MS: u64 = 300_000;
/// How often it is asked whether one is due: also who has just signed in is soon reckoned with where nobody was.
const LOOK: Duration = Duration::from_secs(15);
/// An older word is not shown, milliseconds.
const OLDEST_MS: u64 = 3 * HOLDS_MS;
/// The first look after a start, which has enough to do by itself.
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// How nice their threads are: beside one that is not, a tenth of a core. With less, a busy machine never comes to an
/// end with them.
const NICE: i32 = 10;

/// What is known of the past on one day, under one plan.
struct Remembered {
    day: NaiveDate,
    plan: String,
    known: Arc<Known>,
}

/// A question under the plan that it was asked by.
struct Understood {
    month: Month,
    plan: Plan,
    /// The plan with as many agents as the shifts have.
    with_all: Arc<Plan>,
    roster: Roster,
}

impl Understood {
    /// What cannot be understood is said with what is due.
    fn of(wanted: &PlanningWanted, plan: Plan) -> Result<Self, String> {
        let month = wanted.month.parse();
        let month = month
            .map_err(|_| format!("month is {:?}; due is one such as 2027-04", wanted.month))?;
        let due: u32 = wanted.shifts.iter().map(|shift| shift.agents).sum();
        if due as usize > MOST_AGENTS {
            return Err(format!("the shifts have {due} agents; due are at most {MOST_AGENTS}"));
        }
        let shifts: Vec<_> = wanted.shifts.iter().map(shift).collect();
        let with_all = Arc::new(with_agents(&plan, (due as usize).max(plan.agents.len())));
        let roster = Roster::of(&shifts, &with_all).map_err(|error| error.to_string())?;
        Ok(Self { month, plan, with_all, roster })
    }
}

struct Question {
    wanted: Option<PlanningWanted>,
    since: Option<Wall>,
    state: PlanningState,
    off: Arc<AtomicBool>,
}

/// Answers questions, and looks at today.
pub(super) struct Forecaster {
    place: Place,
    hub: ViewHub,
    reload: Arc<Reload>,
    lengths: BTreeMap<PromptId, Duration>,
    clock: Clock,
    question: Mutex<Question>,
    today: Mutex<Result<Tonight, NoTonight>>,
    /// Held by the look at today that goes on.
    looking: Mutex<()>,
    /// Held while the history is read, so that it is read once.
    remembered: Mutex<Option<Remembered>>,
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that lets others go before it.
pub(super) fn beside(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Of Linux' threads each has a priority of its own; where it cannot be had, the work is done all the same.
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "no lower priority");
        }
        work();
    });
    spawned.map(drop)
}

/// Half of the cores, so that nothing of the desk waits for one.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

impl Forecaster {
    /// Nothing is asked yet; from now on today is looked at. Call inside a tokio runtime.
    pub(super) fn start(
        place: Place,
        hub: ViewHub,
        reload: Arc<Reload>,
        lengths: BTreeMap<PromptId, Duration>,
        clock: Clock,
    ) -> Arc<Self> {
        let question =
            Question { wanted: None, since: None, state: PlanningState::Idle, off: Arc::default() };
        let all = Arc::new(Self {
            place,
            hub,
            reload,
            lengths,
            clock,
            question: Mutex::new(question),
            today: Mutex::new(Err(NoTonight::NotYet)),
            looking: Mutex::new(()),
            remembered: Mutex::new(None),
        });
        let looker = Arc::clone(&all);
        tokio::spawn(async move {
            sleep(FIRST_LOOK).await;
            loop {
                let one = Arc::clone(&looker);
                if looker.is_due()
                    && let Err(error) = beside("tonight", move || one.look_again())
                {
                    tracing::warn!(%error, "no thread to say what today comes to");
                }
                sleep(LOOK).await;
            }
        });
        all
    }

    /// Is what was said last still good enough? What could not be said is tried again at the next look.
    fn is_due(&self) -> bool {
        let now = self.clock.now().wall.0;
        // Also a clock that was set back makes it due.
        !held(&self.today).is_ok_and(|told| now.abs_diff(told.at_ms.0) < HOLDS_MS)
    }

    /// One look at a time: on a machine that is too busy for it the next waits its turn.
    fn look_again(&self) {
        let _alone = match self.looking.try_lock() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let found = self.look().unwrap_or_else(|why| {
            let before = *held(&self.today);
            // Once, not at every look.
            if before != Err(NoTonight::Unreadable) {
                tracing::warn!(why, "what today comes to cannot be said");
            }
            Err(NoTonight::Unreadable)
        });
        *held(&self.today) = found;
    }

    /// What the history says as of today, read once a day and plan.
    fn past(&self, plan: &Plan, off: &AtomicBool) -> Result<Option<Arc<Known>>, String> {
        let text = self.reload.plan_in_force();
        let day = plan.local(self.clock.now().wall).date_naive();
        let mut remembered = held(&self.remembered);
        if let Some(there) = remembered.as_ref().filter(|it| it.day == day && it.plan == text) {
            return Ok(Some(Arc::clone(&there.known)));
        }
        let mut past = Past::before(plan, day);
        for block in Entries::of(&self.place).map_err(|error| error.to_string())? {
            if off.load(Ordering::Relaxed) {
                return Ok(None);
            }
            for entry in &block.map_err(|error| error.to_string())? {
                past.apply(entry);
            }
        }
        let known = Arc::new(past.finish());
        *remembered = Some(Remembered { day, plan: text, known: Arc::clone(&known) });
        Ok(Some(known))
    }

    fn policy(&self) -> Policy {
        self.hub.read(|views, _, _| views.policy().clone())
    }

    /// What today comes to, or why nothing can be said; outside: what cannot be read.
    fn look(&self) -> Result<Result<Tonight, NoTonight>, String> {
        let plan = self.reload.plan_now().ok_or("the plan cannot be read")?;
        let never = AtomicBool::new(false);
        let known = self.past(&plan, &never)?.ok_or("it was called off")?;
        if !known.is_enough() {
            return Ok(Err(NoTonight::ShortHistory));
        }
        let (now, day, month, there, arrived) = self.hub.read(|views, now, _| {
            let day = plan.local(now.wall).date_naive();
            let there = views.agents(now.wall).filter(|it| it.signed_in).map(|it| it.agent);
            let there = there.collect::<std::collections::BTreeSet<AgentId>>();
            let (today, month) = (views.day_tally(day), views.month_tally(Month::of(day)));
            (now.wall, today, month, there, today.arrived)
        });
        let so_far = SoFar { now, arrived, there };
        let (people, each) = (&known.people.scenario, known.per_first_try());
        let world = match rest_of_day(&plan, people, each, &self.lengths, &so_far) {
            Ok(world) => world,
            Err(NoRest::NobodyThere) => return Ok(Err(NoTonight::NobodyThere)),
            Err(NoRest::NothingToCome) => return Ok(Err(NoTonight::NothingToCome)),
            Err(NoRest::TooMany) => return Ok(Err(NoTonight::TooMany)),
        };
        let policy = self.policy();
        let runs = bundle(&world, &policy, (1, EVENINGS), false, 1, &|_| true);
        let found = tonight(&runs, &day, &month, &policy);
        let rates = |of: [Option<Interval>; 2]| TonightRates {
            abandon: of[0].map(span),
            busy: of[1].map(span),
        };
        Ok(Ok(Tonight {
            at_ms: now,
            agents: u32::try_from(so_far.there.len()).unwrap_or(u32::MAX),
            calls: found.calls.map(span),
            day: rates(found.day),
            month: rates(found.month),
        }))
    }

    fn tell(&self, state: PlanningState) {
        held(&self.question).state = state;
    }

    /// Answers; none when it was called off.
    fn answer(
        &self,
        wanted: &PlanningWanted,
        Understood { month, plan, with_all, roster }: &Understood,
        off: &AtomicBool,
    ) -> Result<Option<PlanningAnswer>, String> {
        let (began, month) = (Instant::now(), *month);
        let Some(known) = self.past(plan, off)? else { return Ok(None) };
        let based_on = known.people.based_on;
        let made_up = !known.is_enough();
        let (mut scenario, season) =
            if made_up { (Scenario::default(), None) } else { known.scenario(plan, month) };
        if let Some(calls) = wanted.calls {
            (scenario.calls.month, scenario.calls.service_day) = (f64::from(calls), None);
        }
        if let Some(lines) = wanted.lines {
            scenario.set_lines(plan, lines);
        }
        let demand = Demand::expected(&scenario.calls, plan, month);
        let demand = demand.map_err(|error| error.to_string())?;
        if demand.mean() > MOST_CALLS {
            let expected = demand.mean();
            return Err(format!(
                "the history expects {expected:.0} calls in that month; at most {MOST_CALLS:.0} are reckoned with: say how many / \
                 履歴からは {expected:.0} 呼になる。{MOST_CALLS:.0} 呼まで。月の呼数を入れる"
            ));
        }
        let (with_all, roster) = (Arc::clone(with_all), roster.clone());
        let world = World::of(with_all, &scenario, demand, roster, self.lengths.clone());
        let policy = self.policy();
        let mut tried: BTreeMap<PlanningStep, u32> = BTreeMap::new();
        let mut ask = |step: Step, world: &World| -> Vec<Run> {
            let step = shown::step(step);
            let tries = tried.entry(step).or_default();
            let running =
                |done: u64| PlanningState::Running { step, tried: *tries, done, of: MONTHS };
            let told = |done: u64| {
                if off.load(Ordering::Relaxed) {
                    return false;
                }
                self.tell(running(done));
                true
            };
            if !told(0) {
                return Vec::new();
            }
            let runs = bundle(world, &policy, (1, MONTHS), false, cores(), &told);
            *tries = tries.saturating_add(1);
            runs
        };
        let roster = (!wanted.shifts.is_empty()).then(|| {
            let runs = ask(Step::Roster, &world);
            Judged::of(&world, &runs, &policy)
        });
        let certainty = f64::from(wanted.certainty) / 100.0;
        let how_far = Wanted { certainty, by_half_hour: wanted.by_half_hour };
        let found = Enough::of(&world, plan, &policy, how_far, &mut ask);
        if off.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let based_on =
            PlanningBasis { calls: based_on.calls, days: based_on.days, season, made_up };
        Ok(Some(shown::answer(&found, roster.as_ref(), based_on, &policy, took)))
    }
}

impl Planner for Arc<Forecaster> {
    fn shown(&self) -> Planning {
        let question = held(&self.question);
        Planning {
            wanted: question.wanted.clone(),
            since_ms: question.since,
            state: question.state.clone(),
        }
    }

    fn ask(&self, wanted: PlanningWanted) -> Result<(), NotAsked> {
        let wrong = NotAsked::Wrong;
        // What is wrong is told at once, not by an answer that never comes.
        let plan = self.reload.plan_now().ok_or_else(|| wrong("the plan cannot be read".into()))?;
        let understood = Understood::of(&wanted, plan).map_err(wrong)?;
        let off = Arc::new(AtomicBool::new(false));
        let mut question = held(&self.question);
        if matches!(question.state, PlanningState::Running { .. }) {
            return Err(NotAsked::Busy);
        }
        *question = Question {
            wanted: Some(wanted.clone()),
            since: Some(self.clock.now().wall),
            state: PlanningState::Running {
                step: PlanningStep::History,
                tried: 0,
                done: 0,
                of: MONTHS,
            },
            off: Arc::clone(&off),
        };
        drop(question);
        let all = Arc::clone(self);
        let begun = beside("planning", move || {
            // A fault of a forecast is its own: the desk goes on, and the next question is taken.
            let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                all.answer(&wanted, &understood, &off)
            }));
            all.tell(match answered {
                Ok(Ok(Some(answer))) => PlanningState::Done { answer: Box::new(answer) },
                Ok(Ok(None)) => PlanningState::Cancelled,
                Ok(Err(why)) => PlanningState::Failed { why },
                Err(_) => PlanningState::Failed {
                    why: "a fault of the program; the log says where / プログラムの不具合。場所はログに"
                        .to_owned(),
                },
            });
        });
        begun.map_err(|error| {
            self.tell(PlanningState::Idle);
            wrong(format!("no thread for it: {error}"))
        })
    }

    fn call_off(&self) -> bool {
        let question = held(&self.question);
        question.off.store(true, Ordering::Relaxed);
        matches!(question.state, PlanningState::Running { .. })
    }

    fn tonight(&self) -> Result<Tonight, NoTonight> {
        let told = (*held(&self.today))?;
        // A look that never came to its end leaves an old one, which is not shown.
        let age = self.clock.now().wall.0.abs_diff(told.at_ms.0);
        if age <= OLDEST_MS { Ok(told) } else { Err(NoTonight::NotYet) }
    }
}
