//! Who signs out is out, and so is whoever holds a copy of the cookie.

use super::*;

#[test]
fn a_copied_cookie_opens_nothing_after_its_owner_signed_out_also_after_a_kill() {
    let mut desk = Desk::start();
    desk.people(&["add", "kacho", "--name", "課長", "--role", "supervisor"], PASSWORD);
    desk.reload();
    for jar in ["office", "home"] {
        assert_eq!(desk.login("kacho", PASSWORD, jar).0, 303);
    }
    std::fs::copy(desk.dir.file("office"), desk.dir.file("stolen")).unwrap();
    let me = |desk: &Desk, jar: &str| desk.ask(jar, "GET", "/api/v1/me", "").0;
    assert_eq!(me(&desk, "stolen"), 200);
    assert_eq!(desk.ask("office", "POST", "/logout", "").0, 303);
    assert_eq!((me(&desk, "stolen"), me(&desk, "office")), (401, 401), "at once");
    assert_eq!(me(&desk, "home"), 200, "another browser of the same person");
    desk.again();
    assert_eq!((me(&desk, "stolen"), me(&desk, "home")), (401, 200), "after a kill");
    // A screen that came with a token, too.
    let token = std::fs::read_to_string(desk.dir.file("secrets/wall")).unwrap();
    let jar = desk.dir.file("wall").display().to_string();
    let form = format!("token={}", token.trim());
    assert_eq!(desk.curl(&["/login", "-c", &jar, "-d", &form]).0, 303);
    assert_eq!(desk.ask("wall", "POST", "/logout", "").0, 303);
    assert_eq!(me(&desk, "wall"), 401);
    let ended = desk.events().into_iter().filter_map(|event| match event {
        DeskEvent::PersonSignedOut { who, session: Some(session), until: Some(_) } => {
            assert_eq!(session.len(), 32);
            Some(who)
        }
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), ["kacho", "token"]);
}

#[test]
fn a_person_is_signed_out_everywhere_by_a_command_and_others_stay() {
    let desk = Desk::start();
    desk.people(&["add", "kacho", "--name", "課長", "--role", "supervisor"], PASSWORD);
    desk.people(&["add", "root", "--name", "管理者", "--role", "admin"], PASSWORD);
    desk.reload();
    for (user, jar) in [("kacho", "office"), ("kacho", "home"), ("root", "root")] {
        assert_eq!(desk.login(user, PASSWORD, jar).0, 303);
    }
    let me = |jar: &str| desk.ask(jar, "GET", "/api/v1/me", "").0;
    desk.people(&["sign-out", "kacho"], "");
    desk.reload();
    assert_eq!(["office", "home", "root"].map(me), [401, 401, 200]);
    support::rest(1_100); // sessions count in seconds
    assert_eq!(desk.login("kacho", PASSWORD, "office").0, 303);
    assert_eq!(me("office"), 200, "came again");
}
