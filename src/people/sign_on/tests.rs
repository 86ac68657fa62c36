//! What is believed, and who comes in: the standards' own vectors, and one provider whose word is bent in each way.

use super::attempt::challenge;
use super::token::LEEWAY_S;
use super::*;
use crate::people::{People, Person, Role};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

const NOW: u64 = 1_790_816_400;
const SECRET: &[u8] = b"the desk's own secret";

fn terms() -> Terms {
    Terms {
        issuer: "https://id.example".into(),
        client_id: "madoguchi".into(),
        redirect: "https://desk.example/login/oidc/back".into(),
        scope: "openid profile".into(),
        user: ClaimPath::new("preferred_username").expect("a path"),
        domain: None,
        name: None,
        extension: None,
        roles: None,
    }
}

fn attempt() -> Attempt {
    Attempt::begin(SECRET, [7; 16], NOW + ATTEMPT_S)
}

/// A provider's key, the same each time.
struct Key {
    pair: Ed25519KeyPair,
    id: &'static str,
}

impl Key {
    fn new(seed: u8, id: &'static str) -> Self {
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key"), id }
    }

    fn public(&self) -> Value {
        let x = Base64UrlUnpadded::encode_string(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.id, "use": "sig"})
    }

    fn sign(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let message = format!("{}.{}", part(head), part(claims));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", Base64UrlUnpadded::encode_string(signature.as_ref()))
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "EdDSA", "kid": self.id}), claims)
    }
}

fn keys(all: &[&Key]) -> Keys {
    let all: Vec<Value> = all.iter().map(|key| key.public()).collect();
    Keys::read(json!({ "keys": all }).to_string().as_bytes()).expect("keys")
}

/// What an honest provider says of an agent.
fn honest() -> Value {
    json!({
        "iss": "https://id.example", "sub": "8f1c", "aud": "madoguchi", "exp": NOW + 300, "iat": NOW,
        "nonce": attempt().nonce(), "preferred_username": "sato",
    })
}

/// With other claims; null takes one away.
fn with(more: Value) -> Value {
    let mut claims = honest();
    for (name, value) in more.as_object().expect("claims") {
        match value {
            Value::Null => claims.as_object_mut().expect("claims").remove(name),
            value => claims.as_object_mut().expect("claims").insert(name.clone(), value.clone()),
        };
    }
    claims
}

#[test]
fn a_browser_is_sent_with_all_that_is_due_and_known_again_for_ten_minutes() {
    // RFC 7636 appendix B.
    assert_eq!(
        challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let attempt = attempt();
    let address = attempt.address("https://id.example/auth?tenant=1", &terms());
    for part in [
        "https://id.example/auth?tenant=1&response_type=code",
        "&client_id=madoguchi&",
        "&redirect_uri=https%3A%2F%2Fdesk.example%2Flogin%2Foidc%2Fback&",
        "&scope=openid%20profile&",
        "&code_challenge_method=S256&",
        &format!("&nonce={}&", attempt.nonce()),
        &format!("&code_challenge={}", challenge(attempt.verifier())),
    ] {
        assert!(address.contains(part), "{part}: {address}");
    }
    assert!((43..=128).contains(&attempt.verifier().len()), "RFC 7636 §4.1");
    assert!(
        !address.contains(attempt.verifier()) && !attempt.ticket().contains(attempt.verifier())
    );
    let state = address.split("&state=").nth(1).and_then(|rest| rest.split('&').next());
    let state = state.expect("a state");
    let again = Attempt::resumed(SECRET, attempt.ticket(), NOW + ATTEMPT_S - 1).expect("in time");
    assert_eq!(again, attempt);
    assert!(again.is_answered_by(state) && !again.is_answered_by("") && !again.is_answered_by("x"));
    assert!(Attempt::resumed(SECRET, attempt.ticket(), NOW + ATTEMPT_S).is_none(), "over");
    assert!(Attempt::resumed(b"another", attempt.ticket(), NOW).is_none());
    let stretched = attempt.ticket().replacen(&(NOW + ATTEMPT_S).to_string(), "9999999999", 1);
    for forged in ["", ".", "..", "1.2.3", stretched.as_str()] {
        assert!(Attempt::resumed(SECRET, forged, NOW).is_none(), "{forged}");
    }
    let other = Attempt::begin(SECRET, [8; 16], NOW + ATTEMPT_S);
    assert!(!other.is_answered_by(state), "each has a state of its own");
}

#[test]
fn what_a_provider_says_of_itself_is_read_or_refused() {
    let said = |more: Value| {
        let mut said = json!({
            "issuer": "https://id.example", "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://token.example/token", "jwks_uri": "https://id.example/jwks",
        });
        for (name, value) in more.as_object().expect("members") {
            said.as_object_mut().expect("members").insert(name.clone(), value.clone());
        }
        said.to_string()
    };
    let read = |text: &str, plain| Metadata::read(text.as_bytes(), "https://id.example", plain);
    let plain = read(&said(json!({})), false).expect("whole");
    assert_eq!((plain.auth, plain.names_itself), (ClientAuth::Basic, false));
    assert_eq!(plain.token, "https://token.example/token");
    let post = json!({"token_endpoint_auth_methods_supported": ["client_secret_post", "none"]});
    assert_eq!(read(&said(post), false).expect("whole").auth, ClientAuth::Post);
    let table = [
        ("", Doubt::Metadata),
        ("[]", Doubt::Metadata),
        ("{\"issuer\": \"https://id.example\"}", Doubt::Metadata),
        (&said(json!({"issuer": "https://id.example/"})), Doubt::OtherIssuer),
        (&said(json!({"token_endpoint": "http://id.example/token"})), Doubt::Address),
        (&said(json!({"authorization_endpoint": "javascript:alert(1)"})), Doubt::Address),
        (&said(json!({"jwks_uri": "https://u:p@id.example/"})), Doubt::Address),
        (
            &said(json!({"jwks_uri": format!("https://id.example/{}", "x".repeat(3_000))})),
            Doubt::Address,
        ),
    ];
    for (text, due) in table {
        assert_eq!(read(text, false), Err(due), "{text}");
    }
    let inside = said(json!({"token_endpoint": "http://id.example/token"}));
    assert!(read(&inside, true).is_ok(), "inside a private network");
    assert_eq!(
        read_answer(b"{\"id_token\": \"a.b.c\", \"access_token\": \"x\"}").as_deref(),
        Ok("a.b.c")
    );
    assert_eq!(read_answer(b"{\"access_token\": \"x\"}"), Err(Doubt::NoToken));
}

/// RFC 7515 appendix A.2 (RS256) and A.3 (ES256), RFC 8037 appendix A.4 (Ed25519).
#[test]
fn the_standards_own_signatures_are_judged_right() {
    signature::install();
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa = json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"});
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let ed =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let table = [
        (
            Algorithm::RS256,
            &rsa,
            format!("eyJhbGciOiJSUzI1NiJ9.{claims}"),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            Algorithm::ES256,
            &ec,
            format!("eyJhbGciOiJFUzI1NiJ9.{claims}"),
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            Algorithm::EdDSA,
            &ed,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ];
    for (algorithm, key, message, signed) in &table {
        let jwk: Jwk = serde_json::from_value((*key).clone()).expect("a key");
        let own = DecodingKey::from_jwk(&jwk).expect("a key");
        let judged = |message: &str| crypto::verify(signed, message.as_bytes(), &own, *algorithm);
        assert_eq!(judged(message).ok(), Some(true), "{algorithm:?}");
        assert_eq!(judged(&message.replacen('e', "f", 1)).ok(), Some(false), "{algorithm:?}");
        // A key of one kind judges nothing of another, and no MAC is ever taken.
        for (other, ..) in table.iter().filter(|(other, ..)| other != algorithm) {
            let judged = crypto::verify(signed, message.as_bytes(), &own, *other);
            assert!(!judged.unwrap_or(false), "{algorithm:?} as {other:?}");
        }
        assert!(crypto::verify(signed, message.as_bytes(), &own, Algorithm::HS256).is_err());
    }
}

#[test]
fn a_token_is_believed_only_when_it_is_the_providers_word_to_us_about_this_login_now() {
    let (key, terms) = (Key::new(1, "first"), terms());
    let keys = keys(&[&key]);
    let judged = |claims: &Value, at: u64| keys.believe(&key.token(claims), &attempt(), &terms, at);
    assert!(judged(&honest(), NOW).is_ok());
    let table = [
        ("another issuer", json!({"iss": "https://id.example/"}), Err(Doubt::Issuer)),
        ("an issuer among several", json!({"iss": ["https://id.example"]}), Err(Doubt::Issuer)),
        ("no issuer", json!({"iss": null}), Err(Doubt::Form)),
        ("for another client", json!({"aud": "wiki"}), Err(Doubt::Audience)),
        ("for nobody", json!({"aud": null}), Err(Doubt::Form)),
        ("for us in a list", json!({"aud": ["madoguchi"]}), Ok(())),
        ("for several, to us", json!({"aud": ["wiki", "madoguchi"], "azp": "madoguchi"}), Ok(())),
        ("for several, to nobody", json!({"aud": ["wiki", "madoguchi"]}), Err(Doubt::Audience)),
        (
            "for several, to another",
            json!({"aud": ["wiki", "madoguchi"], "azp": "wiki"}),
            Err(Doubt::Audience),
        ),
        ("for us, to another", json!({"azp": "wiki"}), Err(Doubt::Audience)),
        ("to what is no text", json!({"azp": 1}), Err(Doubt::Audience)),
        ("over", json!({"exp": NOW - LEEWAY_S}), Err(Doubt::Time)),
        ("just over, by our clock", json!({"exp": NOW - LEEWAY_S + 1}), Ok(())),
        ("with a fraction", json!({"exp": 1_790_816_400.5}), Ok(())),
        ("without an end", json!({"exp": null}), Err(Doubt::Form)),
        ("with an end in words", json!({"exp": "tomorrow"}), Err(Doubt::Form)),
        ("not valid yet", json!({"nbf": NOW + LEEWAY_S + 1}), Err(Doubt::Time)),
        ("not made yet", json!({"iat": NOW + LEEWAY_S + 1}), Err(Doubt::Time)),
        ("made at no time", json!({"iat": null}), Err(Doubt::Time)),
        ("another login's nonce", json!({"nonce": "0000"}), Err(Doubt::Nonce)),
        ("no nonce", json!({"nonce": null}), Err(Doubt::Nonce)),
        ("of nobody", json!({"sub": null}), Err(Doubt::Form)),
        ("of an empty subject", json!({"sub": ""}), Err(Doubt::Form)),
    ];
    for (case, more, due) in table {
        assert_eq!(judged(&with(more), NOW).map(|_| ()), due, "{case}");
    }
    assert_eq!(judged(&honest(), NOW + 300 + LEEWAY_S).map(|_| ()), Err(Doubt::Time));
    let other = Attempt::begin(SECRET, [8; 16], NOW + ATTEMPT_S);
    let theirs = keys.believe(&key.token(&honest()), &other, &terms, NOW);
    assert_eq!(theirs, Err(Doubt::Nonce), "a token of another login");
}

#[test]
fn a_token_that_nobody_signed_is_nothing() {
    let (key, stranger, terms) = (Key::new(1, "first"), Key::new(2, "first"), terms());
    let keys = keys(&[&key]);
    let judged = |token: &str| keys.believe(token, &attempt(), &terms, NOW).map(|_| ());
    assert_eq!(judged(&stranger.token(&honest())), Err(Doubt::Signature), "a key of the same name");
    let token = key.token(&honest());
    let (message, _) = token.rsplit_once('.').expect("three parts");
    assert_eq!(judged(&format!("{message}.")), Err(Doubt::Signature));
    for head in [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": "first"}),
        json!({"alg": "ES256K", "kid": "first"}),
        json!({"kid": "first"}),
    ] {
        assert_eq!(judged(&key.sign(&head, &honest())), Err(Doubt::Form), "{head}");
    }
    // The family is right by the header, and not the key's.
    let bent = key.sign(&json!({"alg": "RS256", "kid": "first"}), &honest());
    assert_eq!(judged(&bent), Err(Doubt::Signature));
    let long = "x".repeat(MOST_TOKEN + 1);
    for broken in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d.e", long.as_str()] {
        assert_eq!(judged(broken), Err(Doubt::Form), "{}", broken.len());
    }
    for broken in [
        "",
        "{}",
        "{\"keys\": []}",
        "{\"keys\": [{\"kty\": \"RSA\", \"use\": \"enc\", \"n\": \"AQAB\", \"e\": \"AQAB\"}]}",
    ] {
        assert_eq!(Keys::read(broken.as_bytes()), Err(Doubt::NoKeys), "{broken}");
    }
}

#[test]
fn a_new_key_is_asked_for_and_the_old_one_is_taken_as_long_as_it_is_there() {
    let (old, new, terms) = (Key::new(1, "2026-01"), Key::new(2, "2026-02"), terms());
    let judged =
        |keys: &Keys, token: &str| keys.believe(token, &attempt(), &terms, NOW).map(|_| ());
    let (before, both, after) = (keys(&[&old]), keys(&[&old, &new]), keys(&[&new]));
    let token = new.token(&honest());
    assert_eq!(judged(&before, &token), Err(Doubt::UnknownKey));
    assert_eq!(judged(&both, &token), Ok(()));
    assert_eq!(judged(&both, &old.token(&honest())), Ok(()));
    assert_eq!(judged(&after, &old.token(&honest())), Err(Doubt::UnknownKey));
    // Whose tokens name no key may have a new one as well.
    let nameless = new.sign(&json!({"alg": "EdDSA"}), &honest());
    assert_eq!(judged(&before, &nameless), Err(Doubt::UnknownKey));
    assert_eq!(judged(&both, &nameless), Ok(()), "each is tried");
}

fn file() -> People {
    let mut people = People::default();
    for (user, name, role, line) in [
        ("sato", "佐藤 一郎", Role::Agent, Some("2001")),
        ("kacho", "課長", Role::Supervisor, None),
    ] {
        let (user, name) = (user.to_owned(), name.to_owned());
        let extension = line.map(Into::into);
        assert!(people.add(Person { user, name, role, extension, password: None }));
    }
    people
}

#[test]
fn who_it_is_comes_from_the_claims_and_the_people_file() {
    let claims = |value: Value| Claims(value.as_object().expect("claims").clone());
    let path = |text: &str| ClaimPath::new(text);
    let roles = [("boss", Role::Supervisor), ("desk", Role::Agent), ("look", Role::Viewer)];
    let roles = roles.map(|(group, role)| (group.to_owned(), role)).into_iter().collect();
    let by_file = terms();
    let by_claim = Terms {
        roles: path("realm.groups").map(|path| (path, roles)),
        name: path("name"),
        extension: path("line"),
        ..terms()
    };
    let by_mail = Terms {
        user: path("email").expect("a path"),
        domain: Some("desk.example".into()),
        ..terms()
    };
    let user = |user: &str, more: Value| {
        let mut all = json!({"preferred_username": user});
        for (name, value) in more.as_object().expect("claims") {
            all.as_object_mut().expect("claims").insert(name.clone(), value.clone());
        }
        claims(all)
    };
    let groups =
        |all: Value| json!({"realm": {"groups": all}, "name": "鈴木 花子", "line": "2002"});
    let mail =
        |address: &str, seen: bool| claims(json!({"email": address, "email_verified": seen}));
    let file = file();
    let shown = |found: Result<Person, NoEntry>| {
        found.map(|it| {
            format!(
                "{} {} {} {}",
                it.user,
                it.name,
                it.role,
                it.extension.map_or("-".into(), |line| line.0.to_string())
            )
        })
    };
    let table: [(&str, Claims, &Terms, Result<&str, NoEntry>); 17] = [
        ("of the file", user("sato", json!({})), &by_file, Ok("sato 佐藤 一郎 agent 2001")),
        ("in no file", user("suzuki", json!({})), &by_file, Err(NoEntry::NoRole)),
        ("no user claim", claims(json!({"sub": "1"})), &by_file, Err(NoEntry::NoUser)),
        (
            "a user claim that is none",
            claims(json!({"preferred_username": ["sato"]})),
            &by_file,
            Err(NoEntry::NoUser),
        ),
        ("cannot be a user", user("佐藤", json!({})), &by_file, Err(NoEntry::NoUser)),
        (
            "by group",
            user("suzuki", groups(json!(["desk", "wiki"]))),
            &by_claim,
            Ok("suzuki 鈴木 花子 agent 2002"),
        ),
        (
            "one group as a text",
            user("suzuki", groups(json!("look"))),
            &by_claim,
            Ok("suzuki 鈴木 花子 viewer 2002"),
        ),
        (
            "the greatest of several",
            user("suzuki", groups(json!(["desk", "boss", 7]))),
            &by_claim,
            Ok("suzuki 鈴木 花子 supervisor 2002"),
        ),
        (
            "no group that gives one",
            user("suzuki", groups(json!(["wiki"]))),
            &by_claim,
            Err(NoEntry::NoRole),
        ),
        ("no groups at all", user("kacho", json!({})), &by_claim, Err(NoEntry::NoRole)),
        (
            "name and line of the file",
            user("sato", groups(json!(["boss"]))),
            &by_claim,
            Ok("sato 佐藤 一郎 supervisor 2001"),
        ),
        (
            "an agent without a line",
            user("mori", json!({"realm": {"groups": ["desk"]}})),
            &by_claim,
            Err(NoEntry::NoLine),
        ),
        (
            "a colleague's name",
            user("mori", json!({"realm": {"groups": ["boss"]}, "name": "課長"})),
            &by_claim,
            Err(NoEntry::Clash),
        ),
        (
            "a colleague's line",
            user("mori", json!({"realm": {"groups": ["desk"]}, "line": "2001"})),
            &by_claim,
            Err(NoEntry::Clash),
        ),
        ("by mail", mail("sato@Desk.Example", true), &by_mail, Ok("sato 佐藤 一郎 agent 2001")),
        (
            "by mail that nobody saw",
            mail("sato@desk.example", false),
            &by_mail,
            Err(NoEntry::Unverified),
        ),
        ("of another domain", mail("sato@evil.example", true), &by_mail, Err(NoEntry::OtherDomain)),
    ];
    for (case, claims, terms, due) in table {
        assert_eq!(shown(person(&claims, terms, &file)), due.map(str::to_owned), "{case}");
    }
    let dotted = Terms { user: path("https://desk.example/user").expect("a path"), ..terms() };
    let found = person(&claims(json!({"https://desk.example/user": "sato"})), &dotted, &file);
    assert!(found.is_ok(), "a claim whose name has dots");
    for bad in ["", "two words", &"x".repeat(129), "a.b.c.d.e.f.g.h.i"] {
        assert_eq!(ClaimPath::new(bad), None, "{bad}");
    }
}

#[test]
fn what_is_escaped_is_no_part_of_an_address() {
    assert_eq!(escaped("a-b.c_d~9"), "a-b.c_d~9");
    assert_eq!(escaped("a b&c=佐"), "a%20b%26c%3D%E4%BD%90");
}
