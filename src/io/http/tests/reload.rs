//! What reading the files again would change, over HTTP.

use super::super::{Differs, Reading, Reloads};
use super::{TOKEN, VIEWER, World};
use crate::dialplan::Finding;

/// Files of which one setting and one account are others; taken over as often as is asked.
pub struct Files;

impl Reloads for Files {
    fn look(&self) -> Result<Reading, Vec<Finding>> {
        let ring = Differs {
            what: "plan groups.desk.ring".to_owned(),
            before: Some("\"20s\"".to_owned()),
            after: Some("\"25s\"".to_owned()),
        };
        let account = Differs {
            what: "account 2011".to_owned(),
            before: None,
            after: Some("•••".to_owned()),
        };
        let waiting = vec!["[media] ports".to_owned()];
        Ok(Reading { differences: vec![ring, account], waiting, findings: Vec::new() })
    }

    fn take_over(&self) -> Result<Reading, Vec<Finding>> {
        self.look()
    }
}

#[tokio::test]
async fn what_changes_is_told_before_and_after_and_to_nobody_but_administrators() {
    let world = World::new().await;
    let ask = |method: &str, token: &str| {
        format!("{method} /api/v1/reload HTTP/1.1\r\nAuthorization: Bearer {token}")
    };
    for method in ["GET", "POST"] {
        assert_eq!(world.ask(&ask(method, VIEWER), "").await.status(), 403, "{method}");
        let answer = world.ask(&ask(method, TOKEN), "").await;
        assert_eq!(answer.status(), 200, "{method}");
        let json = answer.json();
        assert_eq!((&json["fits"], &json["count"]), (&true.into(), &2.into()), "{json}");
        assert_eq!(json["differences"][0]["after"], "\"25s\"");
        assert_eq!(json["waiting"][0], "[media] ports");
    }
}
