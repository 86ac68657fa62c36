//! A certificate authority of the test's own, and what it signs for the desk.

use super::process::Dir;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// An authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both in PEM.
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// Its serial number in hex digits, as openssl prints it.
    pub serial: String,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for `desk.example` and `127.0.0.1`.
    pub fn sign(&self) -> Signed {
        self.sign_for(&["desk.example", "127.0.0.1"])
    }

    /// One for other names.
    pub fn sign_for(&self, names: &[&str]) -> Signed {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let serial = format!("{:016X}", now.as_nanos() as u64 >> 1);
        let bytes: Vec<u8> =
            (0..8).map(|n| u8::from_str_radix(&serial[2 * n..2 * n + 2], 16).unwrap()).collect();
        parameters.serial_number = Some(rcgen::SerialNumber::from_slice(&bytes));
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        Signed { certificate: certificate.pem(), key: key.serialize_pem(), serial }
    }

    /// Puts the authority's own certificate there.
    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.0.pem()).unwrap();
    }
}

impl Signed {
    /// Puts `name.pem` and `name.key` into a folder, as the daemon wants them.
    pub fn write(&self, dir: &Dir, name: &str) {
        dir.write(&format!("{name}.pem"), &self.certificate);
        let key = dir.write(&format!("{name}.key"), &self.key);
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}
