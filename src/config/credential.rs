//! Secrets that the service manager hands over (`LoadCredential=`, systemd.exec(5)): how a path names one, where
//! they lie, and who may read them there.

use super::problem::Problem;
use std::path::{Path, PathBuf};

/// How a path begins that names a credential, as systemd.exec(5) writes it.
const PREFIX: &str = "$CREDENTIALS_DIRECTORY";

/// Where the service manager put them; none: nobody hands any over.
pub(super) fn folder() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The file that a path of the configuration means when it names a credential; none: it is a path as any other.
pub(super) fn resolve(path: &str, folder: Option<&Path>) -> Option<Result<PathBuf, Problem>> {
    let rest = path.strip_prefix(PREFIX)?;
    let name = rest.strip_prefix('/').filter(|name| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        !name.is_empty() && name.bytes().all(plain) && !name.starts_with('.')
    });
    Some(match (name, folder) {
        (Some(name), Some(folder)) => Ok(folder.join(name)),
        (Some(name), None) => Err(Problem::NoCredentials { name: name.to_owned() }),
        (None, _) => Err(Problem::BadCredential { found: path.to_owned() }),
    })
}

/// The bits of a secret's mode that say others may read it. Credentials are given to the service's user by an
/// access list, whose mask stands where the group's bits else do (acl(5)): reading may be set there.
pub(super) fn open_bits(path: &Path, folder: Option<&Path>) -> u32 {
    if folder.is_some_and(|folder| path.starts_with(folder)) { 0o037 } else { 0o077 }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse_with;
    use super::*;
    use crate::dialplan::Lang;

    #[test]
    fn a_path_may_name_a_credential() {
        let run = Path::new("/run/credentials/madoguchi.service");
        let at = |name: &str| Some(Ok(run.join(name)));
        let bad = |found: &str| Some(Err(Problem::BadCredential { found: found.to_owned() }));
        let table = [
            ("secrets/http-token", Some(run), None),
            ("$CREDENTIALS_DIRECTORY/http-token", Some(run), at("http-token")),
            ("$CREDENTIALS_DIRECTORY/desk.key", Some(run), at("desk.key")),
            (
                "$CREDENTIALS_DIRECTORY/http-token",
                None,
                Some(Err(Problem::NoCredentials { name: "http-token".to_owned() })),
            ),
            ("$CREDENTIALS_DIRECTORY", Some(run), bad("$CREDENTIALS_DIRECTORY")),
            ("$CREDENTIALS_DIRECTORY/", Some(run), bad("$CREDENTIALS_DIRECTORY/")),
            ("$CREDENTIALS_DIRECTORYX/a", Some(run), bad("$CREDENTIALS_DIRECTORYX/a")),
            (
                "$CREDENTIALS_DIRECTORY/../shadow",
                Some(run),
                bad("$CREDENTIALS_DIRECTORY/../shadow"),
            ),
            ("$CREDENTIALS_DIRECTORY/..", Some(run), bad("$CREDENTIALS_DIRECTORY/..")),
        ];
        for (path, folder, want) in table {
            assert_eq!(resolve(path, folder), want, "{path}");
        }
    }

    #[test]
    fn every_secret_of_a_configuration_may_be_a_credential() {
        let text = "[sip]\nlisten = [\"udp:127.0.0.1:5060\", \"tls:127.0.0.1:5061\"]\nrealm = \"desk.example\"\n\
                    [sip.tls]\ncertificate = \"desk.pem\"\nkey = \"$CREDENTIALS_DIRECTORY/desk.key\"\n\
                    [http]\ntoken_file = \"$CREDENTIALS_DIRECTORY/http-token\"\n\
                    [recording]\ndirectory = \"recordings\"\nkey_file = \"$CREDENTIALS_DIRECTORY/recording-key\"\n\
                    [plan]\nfile = \"plan.toml\"\n[accounts]\nfile = \"$CREDENTIALS_DIRECTORY/accounts.tsv\"\n";
        let (etc, run) = (Path::new("/etc/madoguchi"), Path::new("/run/credentials/m"));
        let (config, _) = parse_with(text, "madoguchi.toml", etc, Some(run)).expect("whole");
        assert_eq!(config.http.token_file, run.join("http-token"));
        assert_eq!(config.accounts_file, Some(run.join("accounts.tsv")));
        assert_eq!(config.sip.tls.map(|tls| tls.key), Some(run.join("desk.key")));
        assert_eq!(config.plan, etc.join("plan.toml"));
        let refused = parse_with(text, "madoguchi.toml", etc, None).expect_err("nobody hands over");
        let said: String = refused.iter().map(|finding| finding.render(Lang::En)).collect();
        assert_eq!(said.matches("error[no-credentials]").count(), 4, "{said}");
        assert!(said.contains("LoadCredential=http-token:"), "{said}");
    }

    #[test]
    fn a_credential_may_bear_the_mask_of_its_access_list_and_nothing_more() {
        let run = Path::new("/run/credentials/m");
        let open = |mode: u32, path: &str| mode & open_bits(Path::new(path), Some(run)) != 0;
        assert!(!open(0o440, "/run/credentials/m/http-token"), "as systemd makes it");
        assert!(
            open(0o444, "/run/credentials/m/http-token") && open(0o460, "/run/credentials/m/x")
        );
        assert!(open(0o440, "/etc/madoguchi/secrets/http-token"), "elsewhere a group is a group");
    }
}
