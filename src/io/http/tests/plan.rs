//! The plan over HTTP: read, judged, replaced; a month's report as files.

use super::super::{
    NotActivated, NotCompared, PlanEffect, PlanEffectNumber, PlanText, Plans, ReportFn,
};
use super::*;
use crate::dialplan::{self, Finding};

const SHIPPED: &str = include_str!("../../../../dialplans/service-desk.toml");
const SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A plan that lies in memory.
#[derive(Default)]
pub(super) struct Lies(Mutex<Option<String>>);

impl Plans for Lies {
    fn text(&self) -> Result<PlanText, String> {
        let (file, sha256) = ("plan.toml".to_owned(), SUM.to_owned());
        let text = self.0.lock().expect("whole").clone().unwrap_or_else(|| SHIPPED.to_owned());
        Ok(PlanText { file, text, sha256, in_force: true })
    }

    fn check(&self, text: &str) -> Vec<Finding> {
        let (Ok((_, findings)) | Err(findings)) = dialplan::load(text, "plan.toml", None);
        findings
    }

    fn effect(&self, text: &str) -> Result<PlanEffect, NotCompared> {
        let findings = self.check(text);
        if findings.iter().any(Finding::is_error) {
            return Err(NotCompared::Refused(findings));
        }
        if self.0.lock().expect("whole").is_some() {
            return Err(NotCompared::Busy);
        }
        let (number, name) = ("0312345678".to_owned(), "代表".to_owned());
        let number = PlanEffectNumber { number, name, calls: 12, changed: 3 };
        Ok(PlanEffect { numbers: vec![number], ..PlanEffect::default() })
    }

    fn activate(&self, text: &str, instead_of: &str) -> Result<Vec<Finding>, NotActivated> {
        if instead_of != SUM {
            return Err(NotActivated::Changed);
        }
        let findings = self.check(text);
        if findings.iter().any(Finding::is_error) {
            return Err(NotActivated::Refused(findings));
        }
        *self.0.lock().expect("whole") = Some(text.to_owned());
        Ok(findings)
    }
}

/// One file, of one month only.
pub(super) fn report() -> ReportFn {
    Arc::new(|month| {
        let made = match month.to_string().as_str() {
            "2026-09" => Ok(vec![("report-2026-09.html".to_owned(), b"<p>".to_vec())]),
            _ => Err("the disk".to_owned()),
        };
        Box::pin(async move { made })
    })
}

#[tokio::test]
async fn a_plan_is_read_judged_and_replaced_and_a_wrong_one_is_not() {
    let world = World::new().await;
    let shown = world.get("/api/v1/plan").await.json();
    assert_eq!((shown["text"].as_str(), &shown["in_force"]), (Some(SHIPPED), &Value::Bool(true)));
    let body = |text: &str| serde_json::json!({ "text": text }).to_string();
    let good = world.post("/api/v1/plan/check", &body(SHIPPED)).await.json();
    assert_eq!(good["fits"], true, "{good}");
    let wrong = SHIPPED.replacen("\nname = ", "\nnama = ", 1);
    let told = world.post("/api/v1/plan/check", &body(&wrong)).await.json();
    let first = &told["findings"][0];
    assert_eq!((&told["fits"], &first["severity"]), (&false.into(), &"error".into()), "{told}");
    let names_it = |row: &Value| {
        row["line"].is_u64() && row["ja"]["found"].as_str().is_some_and(|it| it.contains("nama"))
    };
    assert!(told["findings"].as_array().is_some_and(|rows| rows.iter().any(names_it)), "{told}");
    let put =
        |text: &str, sum: &str| serde_json::json!({ "text": text, "instead_of": sum }).to_string();
    let activate = "/api/v1/plan/activate";
    assert_eq!(world.post(activate, &put(SHIPPED, "other")).await.status(), 409);
    let refused = world.post(activate, &put(&wrong, SUM)).await;
    assert_eq!((refused.status(), &refused.json()["fits"]), (422, &false.into()));
    let longer = format!("{SHIPPED}\n# {}\n", "長".repeat(20_000));
    assert_eq!(world.post(activate, &put(&longer, SUM)).await.status(), 200, "a plan may be long");
    assert_eq!(world.get("/api/v1/plan").await.json()["text"], longer);
    for broken in ["", "{}", "[]", r#"{"text": 1}"#] {
        assert_eq!(world.post(activate, broken).await.status(), 400, "{broken}");
        assert_eq!(world.post("/api/v1/plan/check", broken).await.status(), 400, "{broken}");
    }
    let huge = put(&"x".repeat(3 << 20), SUM);
    assert_eq!(world.post(activate, &huge).await.status(), 413);
}

#[tokio::test]
async fn a_months_report_comes_as_files() {
    let world = World::new().await;
    let files = world.get("/api/v1/months/2026-09/report").await.json();
    assert_eq!(files, serde_json::json!({"files": ["report-2026-09.html"]}));
    let page = world.get("/api/v1/months/2026-09/report?file=report-2026-09.html").await;
    assert_eq!((page.status(), page.body.as_str()), (200, "<p>"));
    assert!(page.header("content-disposition").is_some_and(|it| it.contains("attachment")));
    let table =
        [("2026-09/report?file=../secrets", 404), ("2026-08/report", 503), ("soon/report", 400)];
    for (path, status) in table {
        assert_eq!(world.get(&format!("/api/v1/months/{path}")).await.status(), status, "{path}");
    }
}

#[tokio::test]
async fn a_waiting_call_is_put_first_and_orders_are_listed() {
    let world = World::new().await;
    world.post(&format!("/api/v1/calls/{}/queue/first", id(1).0), "").await;
    assert!(
        matches!(world.commands.lock().expect("whole").last(), Some(Command::PutFirst { call, .. }) if *call == id(1))
    );
    let fact = |what: &str| Fact::Desk {
        event: DeskEvent::Ordered {
            who: "kacho".into(),
            role: "supervisor".into(),
            what: what.into(),
        },
    };
    let entry = |seq, what| Entry { seq, at: Wall(MORNING), fact: fact(what) };
    world.feed(vec![entry(1, "POST /first"), entry(2, "POST /second")]).await;
    let orders = world.get("/api/v1/orders").await.json();
    assert_eq!(orders["orders"][0]["what"], "POST /second");
    assert_eq!(orders["orders"][1]["who"], "kacho");
}

#[tokio::test]
async fn which_calls_another_plan_would_move_is_told_one_question_at_a_time() {
    let world = World::new().await;
    let text = |text: &str| serde_json::json!({ "text": text }).to_string();
    let told = world.post("/api/v1/plan/effect", &text(SHIPPED)).await;
    assert_eq!(told.status(), 200, "{}", told.body);
    let json = told.json();
    assert_eq!(
        (&json["numbers"][0]["calls"], &json["numbers"][0]["changed"]),
        (&12.into(), &3.into())
    );
    let wrong = world.post("/api/v1/plan/effect", &text("name = 7")).await;
    assert!(wrong.status() == 422 && wrong.json()["fits"] == false, "{}", wrong.body);
    assert_eq!(world.post("/api/v1/plan/effect", "{}").await.status(), 400);
    let activation = serde_json::json!({ "text": SHIPPED, "instead_of": SUM }).to_string();
    assert_eq!(world.post("/api/v1/plan/activate", &activation).await.status(), 200);
    assert_eq!(world.post("/api/v1/plan/effect", &text(SHIPPED)).await.status(), 409);
}
