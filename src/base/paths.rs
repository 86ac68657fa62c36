//! Names of files by the names of others.

use std::path::{Path, PathBuf};

/// The file that lies beside `path` and is named as it is, with `end` behind the name: `desk.db-wal` by `desk.db`.
#[must_use]
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The folder that `path` lies in; `.` of a bare name.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_another_and_lies_in_its_folder() {
        for (path, wal, folder) in [
            ("store/desk.db", "store/desk.db-wal", "store"),
            ("/desk.db", "/desk.db-wal", "/"),
            ("desk.db", "desk.db-wal", "."),
        ] {
            let path = Path::new(path);
            assert_eq!(
                (beside(path, "-wal").as_path(), folder_of(path)),
                (Path::new(wal), Path::new(folder))
            );
        }
    }
}
