//! Questions about a month's agents over HTTP: taken one at a time, called off, refused with what is due.

use super::super::{
    NoTonight, NotAsked, Planner, Planning, PlanningState, PlanningStep, PlanningWanted, Tonight,
};
use super::*;

/// Takes a question and is never done with it.
#[derive(Default)]
pub(super) struct Asked(Mutex<Option<PlanningWanted>>);

impl Planner for Asked {
    fn shown(&self) -> Planning {
        let wanted = self.0.lock().expect("whole").clone();
        let running =
            PlanningState::Running { step: PlanningStep::Curve, tried: 2, done: 7, of: 40 };
        let state = if wanted.is_some() { running } else { PlanningState::Idle };
        Planning { since_ms: wanted.is_some().then_some(Wall(MORNING)), wanted, state }
    }

    fn ask(&self, wanted: PlanningWanted) -> Result<(), NotAsked> {
        let mut asked = self.0.lock().expect("whole");
        if asked.is_some() {
            return Err(NotAsked::Busy);
        }
        *asked = Some(wanted);
        Ok(())
    }

    fn call_off(&self) -> bool {
        self.0.lock().expect("whole").take().is_some()
    }

    fn tonight(&self) -> Result<Tonight, NoTonight> {
        Err(NoTonight::NobodyThere)
    }
}

#[tokio::test]
async fn one_question_is_answered_at_a_time_and_can_be_called_off() {
    let world = World::new().await;
    let question = r#"{"month": "2027-04", "author": "佐藤", "calls": 12558, "shifts": [
        {"agents": 6, "time": "08:30-18:15", "breaks": ["12:00-13:00"]}]}"#;
    assert_eq!(world.get("/api/v1/planning").await.json()["state"], "idle");
    assert_eq!(world.post("/api/v1/planning", question).await.status(), 204);
    let shown = world.get("/api/v1/planning").await.json();
    assert_eq!((&shown["state"], &shown["step"]), (&"running".into(), &"curve".into()), "{shown}");
    assert_eq!(shown["wanted"]["author"], "佐藤");
    assert_eq!(shown["wanted"]["certainty"], 95, "what was left out is there with its default");
    assert_eq!(world.post("/api/v1/planning", question).await.status(), 409);
    let off = format!("DELETE /api/v1/planning HTTP/1.1\r\nAuthorization: Bearer {TOKEN}");
    assert_eq!(world.ask(&off, "").await.status(), 204);
    assert_eq!(world.ask(&off, "").await.status(), 409, "nothing is left to call off");
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_refused_with_what_is_due() {
    let world = World::new().await;
    for (body, due) in [
        (r#"{"author": "佐藤"}"#, "month"),
        (r#"{"month": "2027-04", "author": "佐藤", "calls": 50001}"#, "1 to 50000"),
        (r#"{"month": "2027-04", "author": "佐藤", "certainty": 100}"#, "50 to 99"),
        (r#"{"month": "2027-04", "author": "佐藤", "lines": 0}"#, "1 to 256"),
        (
            r#"{"month": "2027-04", "author": "佐藤", "shifts": [{"agents": 0, "time": "08:30-18:15"}]}"#,
            "1 to 100",
        ),
        (r#"{"month": "2027-04"}"#, "author"),
    ] {
        let refused = world.post("/api/v1/planning", body).await;
        assert_eq!(refused.status(), 400, "{body}");
        let why = refused.json();
        assert!(why["error"].as_str().is_some_and(|why| why.contains(due)), "{body}: {why}");
    }
}
