//! Erasing on request over HTTP: who may, what is due, what is told.

use super::super::{Anchored, BoxFuture, Erasure, ErasureFailure, ErasureWanted};
use super::*;

/// Does it in words only; a number that ends in 9 cannot be looked for, one that ends in 8 meets a broken disk.
pub(super) fn done(wanted: ErasureWanted) -> BoxFuture<Result<Erasure, ErasureFailure>> {
    let ends = |digit| wanted.number.as_ref().is_some_and(|it| it.reveal().ends_with(digit));
    let result = if ends('9') {
        Err(ErasureFailure::Unfit("no number".to_owned()))
    } else if ends('8') {
        Err(ErasureFailure::Failed("the disk".to_owned()))
    } else {
        let anchored = |seq| Anchored { seq, hash: Some(format!("{seq:064x}")) };
        Ok(Erasure {
            reference: wanted.reference,
            author: wanted.author,
            began_at: "2026-11-27T10:00:00+09:00".to_owned(),
            ended_at: "2026-11-27T10:00:01+09:00".to_owned(),
            before: anchored(1),
            after: anchored(2),
            calls: vec![id(1)],
            incidents: vec![],
            entries: 1,
            texts: 2,
            recordings: vec![],
            left: vec![],
            handed_over: vec![],
            searched_again: 9,
            found_again: 0,
            copies_emptied: true,
            traces_possible: false,
            not_reached_ja: vec![],
            not_reached: vec![],
        })
    };
    Box::pin(async { result })
}

#[tokio::test]
async fn an_administrator_orders_an_erasure_and_gets_its_proof_and_nobody_else_does() {
    let world = World::new().await;
    let good = r#"{"number":"03-1234-5670","reference":"個情-1","author":"佐藤"}"#;
    let proof = world.post("/api/v1/erasures", good).await;
    assert!(proof.head.starts_with("HTTP/1.1 200"), "{}", proof.head);
    let proof = proof.json();
    assert_eq!((&proof["reference"], &proof["author"]), (&"個情-1".into(), &"佐藤".into()));
    assert_eq!(proof["found_again"], 0);
    let ordered = world.notes.lock().expect("whole").clone();
    let told = format!("{ordered:?}");
    assert!(told.contains("POST /api/v1/erasures") && !told.contains("5670"), "{told}");

    let table = [
        (400, r#"{"reference":"個情-1","author":"佐藤"}"#),
        (400, r#"{"number":" ","reference":"個情-1","author":"佐藤"}"#),
        (400, r#"{"number":"0312345670","author":"佐藤"}"#),
        (400, r#"{"number":"0312345670","reference":"個情-1"}"#),
        (400, r#"{"number":"0312345670","reference":"個情-1","author":"佐藤","more":1}"#),
        (400, r#"{"number":"0312345679","reference":"個情-1","author":"佐藤"}"#),
        (503, r#"{"number":"0312345678","reference":"個情-1","author":"佐藤"}"#),
    ];
    for (status, body) in table {
        let answer = world.post("/api/v1/erasures", body).await;
        assert!(answer.head.starts_with(&format!("HTTP/1.1 {status}")), "{body}: {}", answer.head);
        assert!(!answer.body.contains("031234567"), "no answer repeats a number: {}", answer.body);
    }
    let head = format!("POST /api/v1/erasures HTTP/1.1\r\nAuthorization: Bearer {VIEWER}");
    assert!(world.ask(&head, good).await.head.starts_with("HTTP/1.1 403"));
}
