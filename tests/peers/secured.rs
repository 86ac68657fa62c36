//! Kamailio as a carrier that speaks nothing but TLS and wants to see our certificate; and we want to see its.

use crate::carriers::agent;
use crate::support::desk::{Desk, Setup};
use crate::support::kamailio::{self, HOME};
use crate::support::ports::Block;
use crate::support::process::{Dir, Process};
use crate::support::softphone::{self, Softphone};
use crate::support::sound::Sound;
use crate::support::{eventually, poll, rest, s};
use std::net::SocketAddr;

/// A carrier at 127.0.0.9 whose customers come by TLS with a certificate of the test's authority, and whose
/// other numbers lead to `callee` by UDP. Its own certificate is for `name`.
fn carrier(
    dir: &Dir,
    desk: &Desk,
    tls: SocketAddr,
    udp: SocketAddr,
    callee: u16,
    name: &str,
) -> Process {
    desk.authority.sign_for(&[name]).write(dir, "carrier");
    desk.authority.write(&dir.file("ca.pem"));
    let here = dir.path().display();
    let side = format!(
        "method = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n\
         private_key = {here}/carrier.key\ncertificate = {here}/carrier.pem\nca_list = {here}/ca.pem\n"
    );
    dir.write("tls.cfg", &format!("[server:default]\n{side}[client:default]\n{side}"));
    let text = format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
enable_tls=yes
tcp_source_ipv4={HOME}
listen=tls:{tls}
listen=udp:{udp}
loadmodule "tls.so"
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
modparam("tls", "config", "{here}/tls.cfg")
modparam("registrar", "max_expires", 60)
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
    if (!loose_route() && is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_relay();
    exit;
  }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
  record_route();
  if (proto == UDP) {{
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
    exit;
  }}
  $du = "sip:127.0.0.1:{callee}";
  t_relay();
}}
"#
    );
    kamailio::launch(dir, &text)
}

fn stop(mut carrier: Process) {
    carrier.signal("TERM");
    let _ = carrier.wait(s(5));
}

#[test]
fn a_carrier_by_tls_sees_our_certificate_and_we_see_its_and_calls_go_both_ways() {
    use std::os::unix::fs::PermissionsExt;
    let (ports, dir) = (Block::take(), Dir::new("carrier-tls"));
    let [tls, udp] = [0; 2].map(|_| SocketAddr::from((HOME, ports.port())));
    let file = dir.write("password", "secret-of-the-carrier\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let more = format!(
        "client_ca = \"tls/ca.pem\"\npeer_ca = \"tls/ca.pem\"\n\
         [[trunks]]\nname = \"line\"\nprofile = \"digest-trunk\"\ntransport = \"tls\"\nsources = [\"{HOME}\"]\n\
         servers = [\"tls:{tls}\"]\ntls_names = [\"carrier.example\"]\ndomain = \"carrier.example\"\n\
         user = \"0312345678\"\npassword_file = \"{file}\"\noptions_every = \"1s\"\n",
        file = file.display(),
    );
    let setup = Setup { plan: "carriers.toml", secure: true, more: &more, ..Setup::default() };
    let mut desk = Desk::with(&setup);
    let (his, hers) = (Sound::voice(91, 30), Sound::voice(92, 30));
    let callee = softphone::Setup {
        user: "0398765432",
        password: "x",
        desk: None,
        voice: &his,
        answers: true,
        codecs: "PCMU",
        expires_s: 0,
    };
    let callee = Softphone::start(&ports, &callee);
    let registered = |desk: &Desk| {
        let all = desk.get("/api/v1/trunks");
        all["trunks"].as_array().unwrap().iter().any(|trunk| trunk["registered"] == true)
    };

    // Somebody who shows another's name gets nothing from us.
    let impostor = carrier(&dir, &desk, tls, udp, callee.port(), "impostor.example");
    eventually("the impostor is seen through", s(15), || {
        // The log quotes a reason that has quotes of its own.
        let printed = desk.process().printed().replace("\\\"", "\"");
        printed.contains("certificate not valid for name \"carrier.example\"")
            && desk.metric("madoguchi_sip_handshakes_failed_total") > 0.0
    });
    rest(1500);
    assert!(!registered(&desk));
    stop(impostor);

    let carrier = carrier(&dir, &desk, tls, udp, callee.port(), "carrier.example");
    eventually("registered by TLS", s(40), || registered(&desk));
    let agent = agent(&desk, &hers);
    let both_hear = |times: usize| {
        rest(2500);
        agent.tell("hangup", "");
        callee.wait_count("CALL_CLOSED", times, s(5));
        desk.agent_is("6001", "idle");
        let heard = |phone: &Softphone, voice: &Sound| {
            poll(s(3), || phone.heard().get(times - 1)?.holds(voice))
        };
        assert!(heard(&agent, &his).is_some(), "the agent hears the other side");
        assert!(heard(&callee, &hers).is_some(), "the other side hears the agent");
    };
    agent.tell("dial", &format!("sip:0398765432@{}", desk.sip));
    agent.wait("CALL_ESTABLISHED", s(8));
    both_hear(1);
    // By a connection of the carrier's own, which has to show the name as well.
    callee.tell("dial", &format!("sip:0312345678@{udp}"));
    agent.wait("CALL_INCOMING", s(8));
    agent.tell("accept", "");
    callee.wait_count("CALL_ESTABLISHED", 2, s(8));
    both_hear(2);
    assert_eq!(desk.calls()[0]["outcome"], "answered");
    desk.at_rest(s(5));
    stop(carrier);
}
