//! Kamailio (Debian: kamailio) before the desk: a carrier's proxy, or the proxy through which phones
//! register. It keeps itself on the way (Record-Route, Path) and adds `rport`.

use super::ports::Block;
use super::process::{Dir, Process};
use super::{poll, s};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// Where it lives: not the phones' address, so that a trunk can be known by it alone.
pub const HOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// A running Kamailio.
pub struct Kamailio {
    process: Process,
    _dir: Dir,
    /// Where it listens, UDP and TCP.
    pub sip: SocketAddr,
}

impl Kamailio {
    /// Starts it. What begins elsewhere goes to the desk by this transport (`udp` or `tcp`); what the
    /// desk begins goes where it says.
    #[track_caller]
    pub fn start(ports: &Block, desk: SocketAddr, transport: &str) -> Self {
        let dir = Dir::new("kamailio");
        let sip = SocketAddr::from((HOME, ports.port()));
        let process = launch(
            &dir,
            &format!(
                r#"#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
tcp_source_ipv4={HOME}
listen=udp:{sip}
listen=tcp:{sip}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "path.so"
modparam("path", "use_received", 1)
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans())) {{ t_relay(); exit; }}
        if (!is_method("ACK")) {{ sl_send_reply("404", "Not Here"); }}
        exit;
    }}
    t_check_trans();
    force_rport();
    if (is_method("INVITE")) {{ record_route(); }}
    if (is_method("REGISTER")) {{ add_path(); }}
    # Our own Route, when a phone has it preloaded.
    loose_route();
    # Who calls the carrier means the customer behind it.
    if (is_method("INVITE") && uri == myself) {{ $ru = "sip:" + $rU + "@{desk}"; }}
    if (!($ua =~ "^Madoguchi")) {{ $du = "sip:{desk};transport={transport}"; }}
    t_relay();
}}
"#
            ),
        );
        let up = poll(super::COMES_UP, || TcpStream::connect(sip).ok());
        assert!(up.is_some(), "Kamailio does not listen:\n{}", process.printed());
        Self { process, _dir: dir, sip }
    }
}

/// Runs it on this configuration, with all that it writes in `dir`.
pub fn launch(dir: &Dir, text: &str) -> Process {
    let config = dir.write("kamailio.cfg", text);
    let here = dir.path().display().to_string();
    let pid = dir.file("pid").display().to_string();
    let argv: Vec<String> = [
        "kamailio",
        "-f",
        &config.display().to_string(),
        "-DD",
        "-E",
        "-m",
        "32",
        "-M",
        "4",
        "-P",
        &pid,
        "-Y",
        &here,
        "-w",
        &here,
    ]
    .map(str::to_owned)
    .to_vec();
    Process::start("kamailio", &argv, dir.path(), dir.file("log"))
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // In order, so that its children go too.
        self.process.signal("TERM");
        let _ = self.process.wait(s(5));
    }
}
