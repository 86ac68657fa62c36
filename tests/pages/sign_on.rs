//! The login page, and the way to the site's identity provider and back, as a browser goes it.

use crate::browser::{Browser, Look};
use crate::support::desk::{Desk, Setup};
use crate::support::ports::Block;
use crate::support::provider::Provider;
use crate::support::s;
use serde_json::json;

#[test]
fn a_person_goes_to_the_provider_and_comes_back_signed_in() {
    let ports = Block::take();
    let port = ports.port();
    // Of another site than the desk's: what is for our own pages only must come along all the same.
    let issuer = Provider::issuer(port, false);
    let more = format!(
        "[http.oidc]\nissuer = \"{issuer}\"\nclient_id = \"pages\"\naddress = \"http://@HTTP@\"\n\
         scopes = [\"profile\", \"desk\"]\nprivate = true\nextension_claim = \"line\"\nrole_claim = \"groups\"\n\
         [http.oidc.roles]\ndesk-agents = \"agent\"\ndesk-leads = \"supervisor\"\n"
    );
    let desk = Desk::with(&Setup { plan: "desk.toml", more: &more, ..Setup::default() });
    let _provider = Provider::start(port, &format!("http://{}/login/oidc/back", desk.http), None);
    let browser = Browser::start();
    let page = browser.open(&desk, &Look { known: false, ..Look::default() });
    page.click("a[href$='/login/oidc']");
    page.wait("document.querySelector('input[name=login]') !== null", s(10));
    page.fill("input[name=login]", "kacho");
    page.fill("input[name=password]", "any");
    page.click("button[type=submit]");
    page.wait("document.querySelector('input[name=prompt][value=consent]') !== null", s(10));
    page.click("button[type=submit]");
    page.wait(
        "location.pathname === '/supervisor' && document.querySelector('.login') === null",
        s(10),
    );
    assert_eq!(page.evaluate("location.host"), json!(desk.http.to_string()));
    page.close();
}

#[test]
fn the_login_page_has_the_theme_of_the_others_and_is_open_to_all() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    for theme in ["light", "dark"] {
        let page = browser.open(&desk, &Look { known: false, theme, ..Look::default() });
        page.wait(&format!("document.documentElement.dataset.theme === '{theme}'"), s(5));
        page.is_open_to_all(theme);
        page.has_no_complaints(theme);
        page.picture(&format!("login-{theme}"));
        page.close();
    }
}
