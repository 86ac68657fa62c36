//! People sign in by an identity provider that nobody here wrote, over TLS, with curl as the browser.

use super::support::provider::Provider;
use super::*;
use madoguchi::event::SignedInBy;

/// Roles by the groups that the provider names.
fn by_claim() -> String {
    format!(
        "[http.oidc]\nissuer = \"{}\"\nclient_id = \"madoguchi\"\nclient_secret_file = \"secrets/oidc\"\naddress = \"https://desk.example:@PORT@\"\n\
         scopes = [\"profile\", \"desk\"]\nca = \"authority.pem\"\nprivate = true\nname_claim = \"name\"\nextension_claim = \"line\"\n\
         role_claim = \"groups\"\n[http.oidc.roles]\ndesk-agents = \"agent\"\ndesk-leads = \"supervisor\"\n",
        Provider::issuer(0, true).replace(":0", ":@PROVIDER@")
    )
}

impl Desk {
    fn provider(&self) -> Provider {
        let back = format!("https://desk.example:{}/login/oidc/back", self.port);
        Provider::start(self.provider, &back, Some(&self.authority))
    }

    /// As a browser that follows where it is led: status, where it ended, what is shown there.
    fn browse(&self, jar: &str, url: &str, form: &[(&str, &str)]) -> (u16, String, String) {
        let (jar, page) = (self.dir.file(jar), self.dir.file("page.html"));
        let _ = std::fs::remove_file(&page);
        let mut curl = Command::new("curl");
        curl.args(["-sSL", "--max-time", "30", "--cacert"]).arg(self.dir.file("authority.pem"));
        curl.args(["--resolve", &format!("desk.example:{}:127.0.0.1", self.port), "-w"]);
        curl.arg("%{http_code} %{url_effective}")
            .arg("-b")
            .arg(&jar)
            .arg("-c")
            .arg(&jar)
            .arg("-o")
            .arg(&page);
        for (name, value) in form {
            curl.arg("--data-urlencode").arg(format!("{name}={value}"));
        }
        let out = curl.arg(url).output().unwrap();
        let told = String::from_utf8_lossy(&out.stdout).into_owned();
        let (status, at) = told.split_once(' ').unwrap_or_else(|| panic!("{told} {out:?}"));
        let page = std::fs::read_to_string(page).unwrap_or_default();
        (status.parse().unwrap(), at.to_owned(), page)
    }

    /// The whole way: the desk's button, the provider's forms, back at the desk.
    fn sign_on(&self, user: &str, jar: &str) -> (u16, String, String) {
        let _ = std::fs::remove_file(self.dir.file(jar));
        let button = format!("https://desk.example:{}/login/oidc", self.port);
        let mut shown = self.browse(jar, &button, &[]);
        for form in [
            &[("prompt", "login"), ("login", user), ("password", "any")][..],
            &[("prompt", "consent")],
        ] {
            let Some(action) =
                shown.2.split("action=\"").nth(1).filter(|_| shown.1.contains("/interaction/"))
            else {
                break;
            };
            let action = action.split('"').next().unwrap().to_owned();
            shown = self.browse(jar, &action, form);
        }
        shown
    }

    /// That it came to this, with this on the page, and that nobody is signed in by it.
    #[track_caller]
    fn refuses(&self, user: &str, status: u16, words: &str) {
        let (found, at, page) = self.sign_on(user, "refused");
        assert_eq!(found, status, "{at}\n{page}\n{}", self.log());
        let said =
            page.lines().find(|line| line.contains("role=\"alert\"") && !line.contains("hidden"));
        assert!(said.is_some_and(|said| said.contains(words)), "{words}: {said:?}");
        assert_eq!(self.ask("refused", "GET", "/api/v1/me", "").0, 401);
    }
}

#[test]
fn people_come_by_the_sites_identity_provider_with_the_roles_that_it_gives() {
    let desk = Desk::with(&by_claim());
    desk.people(&["add", "root", "--name", "管理者", "--role", "admin"], PASSWORD);
    desk.reload();
    let (_, page) = desk.curl(&["/"]);
    let button = format!("href=\"https://desk.example:{}/login/oidc\"", desk.port);
    assert!(page.contains(&button) && page.contains("認証基盤でログイン"), "{page}");
    // Nobody is there yet.
    desk.refuses("sato", 502, "届かない");
    assert_eq!(desk.login("root", PASSWORD, "root").0, 303, "passwords go on");
    let provider = desk.provider();
    support::rest(10_500);
    let (status, at, page) = desk.sign_on("sato", "sato");
    assert_eq!(status, 200, "{at}\n{page}\n{}", desk.log());
    assert!(page.contains("url=/panel") && page.contains("ログインしました"), "{page}");
    let cookie = std::fs::read_to_string(desk.dir.file("sato")).unwrap();
    let person = cookie.lines().find(|line| line.contains("madoguchi_person")).expect("a session");
    assert!(person.starts_with("#HttpOnly_") && person.contains("\tTRUE\t"), "{person}");
    assert!(!cookie.contains("madoguchi_sign_on"), "the way there is over: {cookie}");
    let (_, me) = desk.ask("sato", "GET", "/api/v1/me", "");
    let due = r#"{"user":"sato","name":"sato of the provider","role":"agent","extension":"2001"}"#;
    assert!(me.contains(due), "{me}");
    assert_eq!(desk.ask("sato", "POST", "/api/v1/hours/all/restore", "{}").0, 403);
    assert_eq!(desk.sign_on("kacho", "kacho").0, 200);
    assert!(desk.ask("kacho", "GET", "/api/v1/me", "").1.contains("\"supervisor\""));
    desk.refuses("mori", 403, "役割がありません");
    desk.refuses("kato", 403, "内線がありません");
    // Its keys change while it runs.
    support::rest(10_500);
    provider.misbehave("rotate");
    assert_eq!(desk.sign_on("sato", "again").0, 200, "{}", desk.log());
    // Out is out, whoever gave the role; so is everywhere.
    assert_eq!(desk.ask("again", "POST", "/logout", "").0, 303);
    assert_eq!(desk.ask("again", "GET", "/api/v1/me", "").0, 401);
    assert_eq!(desk.ask("sato", "GET", "/api/v1/me", "").0, 200);
    desk.people(&["sign-out", "sato"], "");
    desk.reload();
    assert_eq!(desk.ask("sato", "GET", "/api/v1/me", "").0, 401);
    assert_eq!(desk.ask("kacho", "GET", "/api/v1/me", "").0, 200);
    let came: Vec<String> = desk
        .events()
        .into_iter()
        .filter_map(|event| match event {
            DeskEvent::PersonSignedIn { who, role, by } => Some(format!(
                "{who} {role}{}",
                if by == SignedInBy::Provider { " by it" } else { "" }
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        came,
        ["root admin", "sato agent by it", "kacho supervisor by it", "sato agent by it"]
    );
}

#[test]
fn an_identity_provider_that_lies_or_dawdles_lets_nobody_in() {
    let desk = Desk::with(&by_claim());
    let provider = desk.provider();
    let table = [
        ("nonce", 502, "確かめられません"),
        ("audience", 502, "確かめられません"),
        ("over", 502, "確かめられません"),
        ("long", 502, "届かない"),
        ("words", 502, "届かない"),
        ("slow", 502, "届かない"),
    ];
    for (how, status, words) in table {
        provider.misbehave(how);
        desk.refuses("sato", status, words);
    }
    provider.misbehave("none");
    assert_eq!(desk.sign_on("sato", "sato").0, 200, "an honest one does: {}", desk.log());
    let log = desk.log();
    for why in [
        "answers another login",
        "for another client",
        "is over",
        "more than 262144 bytes",
        "answer is 500",
        "no answer in 10 s",
    ] {
        assert!(log.contains(why), "{why}: {log}");
    }
    assert!(!log.contains("secret word") && !log.contains("secret of"), "{log}");
}

#[test]
fn an_answer_that_this_browser_did_not_ask_for_is_nobodys() {
    let desk = Desk::with(&by_claim());
    let _provider = desk.provider();
    let stale = |answer: (u16, String)| {
        assert_eq!(answer.0, 400, "{}", answer.1);
        assert!(!answer.1.contains("madoguchi_person"), "{}", answer.1);
    };
    stale(desk.curl(&["/login/oidc/back?code=x&state=y"]));
    let jar = desk.dir.file("begun").display().to_string();
    let (status, begun) = desk.curl(&["/login/oidc", "-c", &jar]);
    assert_eq!(status, 303, "{begun}");
    assert!(begun.contains("SameSite=Lax") && begun.contains("; Secure"), "{begun}");
    let parameter = |name: &str| {
        let rest = begun.split(&format!("&{name}=")).nth(1).unwrap();
        rest.split(['&', '\r']).next().unwrap().to_owned()
    };
    let state = parameter("state");
    for query in [
        "code=x&state=y".to_owned(),
        "code=x".to_owned(),
        format!("state={state}"),
        format!("code=x&code=y&state={state}"),
    ] {
        let path = format!("/login/oidc/back?{query}");
        stale(desk.curl(&[&path, "-b", &jar]));
    }
    let refused = format!(
        "/login/oidc/back?error=access_denied&error_description=%3Cb%3Esecret-word&state={state}"
    );
    let (status, page) = desk.curl(&[&refused, "-b", &jar]);
    assert!(status == 401 && !page.contains("secret-word"), "{page}");
    let other = format!("/login/oidc/back?code=x&iss=https://evil.example&state={state}");
    assert_eq!(desk.curl(&[&other, "-b", &jar]).0, 502, "another provider's answer");
    let issuer = format!("https%3A%2F%2Flocalhost%3A{}", desk.provider);
    let guessed = format!("/login/oidc/back?code=guessed&iss={issuer}&state={state}");
    for _ in 0..4 {
        assert_eq!(desk.curl(&[&guessed, "-b", &jar]).0, 401, "{}", desk.log());
    }
    assert_eq!(desk.curl(&[&guessed, "-b", &jar]).0, 429, "who guesses waits");
}
