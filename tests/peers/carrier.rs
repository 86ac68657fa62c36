//! Kamailio as a carrier: it asks for a password at registration, at every call and at every request in one,
//! and brings calls to the number that registered. Beside it a carrier that is dead.

use crate::support::desk::{Desk, Setup, password};
use crate::support::kamailio;
use crate::support::ports::Block;
use crate::support::process::{Dir, Process};
use crate::support::softphone::{self, Softphone};
use crate::support::sound::Sound;
use crate::support::{eventually, poll, rest, s};
use std::time::Instant;

/// A carrier with one customer, 0312345678, and one number outside that leads to a softphone.
pub struct Carrier {
    process: Process,
    dir: Dir,
    port: u16,
    callee: u16,
}

impl Carrier {
    pub fn start(ports: &Block, callee: u16) -> Self {
        let (dir, port) = (Dir::new("kamailio"), ports.port());
        let process = Self::spawn(&dir, port, callee);
        Self { process, dir, port, callee }
    }

    fn spawn(dir: &Dir, port: u16, callee: u16) -> Process {
        let text = format!(
            r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
auto_aliases=no
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("registrar", "max_expires", 60)
modparam("rr", "enable_full_lr", 1)
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("carrier.example", "secret-of-the-carrier", "0")) {{
      www_challenge("carrier.example", "1");
      exit;
    }}
    save("location");
    exit;
  }}
  if (has_totag()) {{
    if (src_port != {callee} && !is_method("ACK")) {{
      if (!pv_proxy_authenticate("carrier.example", "secret-of-the-carrier", "0")) {{
        proxy_challenge("carrier.example", "1");
        exit;
      }}
      consume_credentials();
    }}
    if (!loose_route() && is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_relay();
    exit;
  }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
  record_route();
  if (src_port == {callee}) {{
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
    exit;
  }}
  if (!pv_proxy_authenticate("carrier.example", "secret-of-the-carrier", "0")) {{
    proxy_challenge("carrier.example", "1");
    exit;
  }}
  consume_credentials();
  $du = "sip:127.0.0.1:{callee}";
  t_relay();
}}
"#
        );
        kamailio::launch(dir, &text)
    }

    /// Ends it with its helpers.
    fn stop(&mut self) {
        self.process.signal("TERM");
        let _ = self.process.wait(s(3));
    }

    fn again(&mut self) {
        self.process = Self::spawn(&self.dir, self.port, self.callee);
    }

    /// Where it takes calls.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What the desk is told of it, with its password in a file of its own.
    pub fn trunk(&self) -> String {
        use std::os::unix::fs::PermissionsExt;
        let file = self.dir.write("password", "secret-of-the-carrier\n");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        format!(
            "[[trunks]]\nname = \"works\"\nprofile = \"digest-trunk\"\nsources = [\"127.0.0.1:{port}\"]\n\
             servers = [\"127.0.0.1:{port}\"]\ndomain = \"carrier.example\"\nuser = \"0312345678\"\n\
             password_file = \"{file}\"\noptions_every = \"1s\"\n",
            port = self.port,
            file = file.display(),
        )
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        if self.process.ended().is_none() {
            self.stop();
        }
    }
}

fn trunk_state(desk: &Desk, name: &str) -> serde_json::Value {
    let all = desk.get("/api/v1/trunks");
    let found = all["trunks"].as_array().unwrap().iter().find(|trunk| trunk["trunk"] == name);
    found.cloned().unwrap_or_default()
}

pub fn registered(desk: &Desk) -> bool {
    trunk_state(desk, "works")["registered"] == true
}

#[test]
fn an_agent_calls_outside_by_the_carrier_that_works_and_both_hear_each_other() {
    let ports = Block::take();
    let (hers, his) = (Sound::voice(61, 30), Sound::voice(62, 30));
    let phone = |user, voice, answers| softphone::Setup {
        user,
        password: "x",
        desk: None,
        voice,
        answers,
        codecs: "PCMU",
        expires_s: 0,
    };
    let callee = Softphone::start(&ports, &phone("0398765432", &his, true));
    let mut carrier = Carrier::start(&ports, callee.port());
    let dead = ports.port();
    let more = format!(
        "[[trunks]]\nname = \"dead\"\nsources = [\"127.0.0.1:{dead}\"]\nservers = [\"127.0.0.1:{dead}\"]\n\
         user = \"0312345678\"\noptions_every = \"0s\"\n{}",
        carrier.trunk()
    );
    let desk = Desk::with(&Setup { plan: "outside.toml", more: &more, ..Setup::default() });
    eventually("registered with the carrier", s(8), || registered(&desk));
    assert_eq!(desk.metric("madoguchi_trunk_registered{trunk=\"works\"}"), 1.0);

    let agent = softphone::Setup {
        password: &password("6001"),
        desk: Some(desk.sip),
        expires_s: 600,
        ..phone("6001", &hers, false)
    };
    let agent = Softphone::start(&desk.ports, &agent);
    desk.agent_is("6001", "idle");
    let began = Instant::now();
    agent.tell("dial", &format!("sip:0398765432@{}", desk.sip));
    agent.wait("CALL_ESTABLISHED", s(8));
    assert!(began.elapsed() < s(6), "the dead carrier cost {:?}", began.elapsed());
    desk.agent_is("6001", "talking");
    rest(2500);
    // Our BYE is asked for the password too.
    agent.tell("hangup", "");
    callee.wait("CALL_CLOSED", s(5));
    desk.agent_is("6001", "idle");
    let heard =
        |phone: &Softphone, voice: &Sound| poll(s(3), || phone.heard().last()?.holds(voice));
    assert!(heard(&agent, &his).is_some(), "the agent hears the called party");
    assert!(heard(&callee, &hers).is_some(), "the called party hears the agent");

    // In the history, and in no figure of the contract.
    let placed = desk.get("/api/v1/placed-calls");
    let call = &placed["calls"][0];
    assert_eq!(
        (call["by"].as_str(), call["trunk"].as_str()),
        (Some("6001"), Some("works")),
        "{placed}"
    );
    assert!(call["answered_ms"].is_u64() && call["why"] == "hung_up", "{placed}");
    assert_eq!(desk.get("/api/v1/calls")["calls"].as_array().map(Vec::len), Some(0));

    // The carrier goes and comes back: both are noticed, and the desk registers anew by itself.
    carrier.stop();
    eventually("the loss is seen", s(12), || trunk_state(&desk, "works")["servers_well"] == 0);
    agent.tell("dial", &format!("sip:0398765432@{}", desk.sip));
    agent.wait("CALL_CLOSED", s(6));
    carrier.again();
    eventually("its return is seen", s(40), || {
        trunk_state(&desk, "works")["servers_well"] == 1 && registered(&desk)
    });
}
