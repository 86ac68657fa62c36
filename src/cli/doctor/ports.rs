//! Who has a port: by trying to bind it, and by what the kernel tells of sockets (proc(5)).

use crate::doctor::Held;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

/// Processes that are looked through.
const MOST_PROCESSES: usize = 100_000;
/// Descriptors of one process that are looked through.
const MOST_DESCRIPTORS: usize = 200_000;

/// Who has an address for UDP, or for TCP.
pub(super) fn held(udp: bool, address: SocketAddr) -> Held {
    let bound: io::Result<()> =
        if udp { UdpSocket::bind(address).map(drop) } else { TcpListener::bind(address).map(drop) };
    match bound {
        Ok(()) => Held::Free,
        Err(error) => match error.kind() {
            ErrorKind::AddrInUse => match holder(udp, address.port()) {
                None => Held::Unknown,
                Some((_, name)) if name == "madoguchi" => Held::Ours,
                Some((_, name)) => Held::By(name),
            },
            ErrorKind::AddrNotAvailable => Held::NotHere,
            _ => Held::Refused(error.to_string()),
        },
    }
}

/// Whether an address is this machine's own.
pub(super) fn is_here(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// The process that has a port, and its name; none when the system does not tell.
pub(super) fn holder(udp: bool, port: u16) -> Option<(u32, String)> {
    let tables: &[&str] = if udp { &["udp", "udp6"] } else { &["tcp", "tcp6"] };
    let mut sockets = BTreeSet::new();
    for table in tables {
        let text = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        sockets.extend(
            sockets_of(&text, port, udp).into_iter().map(|inode| format!("socket:[{inode}]")),
        );
    }
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten().take(MOST_PROCESSES);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        let has = descriptors.flatten().take(MOST_DESCRIPTORS).any(|descriptor| {
            let target = fs::read_link(descriptor.path()).unwrap_or_default();
            target.to_str().is_some_and(|target| sockets.contains(target))
        });
        if has {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// The inodes of the sockets that have a local port; of TCP those that listen.
fn sockets_of(table: &str, port: u16, udp: bool) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let row = |line: &str| {
        let mut fields = line.split_whitespace();
        let (local, state) = (fields.nth(1)?, fields.nth(1)?);
        let (_, found) = local.rsplit_once(':')?;
        let inode = fields.nth(5)?.parse().ok()?;
        let fits = u16::from_str_radix(found, 16) == Ok(port) && (udp || state == LISTEN);
        fits.then_some(inode)
    };
    table.lines().skip(1).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0\n\
            1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000 20 4 30 10 -1\n\
            broken\n";
        assert_eq!(sockets_of(table, 8080, false), [4711]);
        assert_eq!(sockets_of(table, 8080, true), [4711, 4712]);
        assert!(sockets_of(table, 8081, false).is_empty());
    }

    #[test]
    fn a_port_that_we_hold_is_seen() {
        let own = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let here = own.local_addr().expect("an address");
        assert!(matches!(held(true, here), Held::By(_) | Held::Ours | Held::Unknown));
        assert_eq!(holder(true, here.port()).map(|(pid, _)| pid), Some(std::process::id()));
        drop(own);
        assert_eq!(held(true, here), Held::Free);
        assert_eq!(held(true, "192.0.2.250:5060".parse().expect("one")), Held::NotHere);
    }
}
