//! Room for the journal on its disk: how much is free, and a file beside the store that holds some of it back until
//! the journal needs it. Recordings and snapshots stop long before; calls are refused for want of disk never.

use crate::base::{beside, folder_of};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// With less free, the reserve is given to the journal: what a second of a busy desk writes is a hundredth of it.
pub const RELEASE_BELOW_BYTES: u64 = 8 << 20;

/// How it stands with the room for the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Room {
    /// Enough is free, and the reserve is held.
    #[default]
    Enough,
    /// Less is free than must be; the reserve is held.
    Low,
    /// Less is free than must be, and nothing is held back any more.
    NoReserve,
}

/// What is to be done about the reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is to be held.
    Hold,
    /// The journal is to have it.
    Release,
}

/// What was found at a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Bytes that we may still write.
    pub free: u64,
    /// Bytes that the reserve holds.
    pub held: u64,
    /// Whether the journal's last try failed.
    pub failing: bool,
}

/// How much must be free and how much is held back, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Below, it is low.
    pub least_free: u64,
    /// The reserve's length; 0: none is held.
    pub reserve: u64,
}

impl Budget {
    /// How it stands, and what is due.
    #[must_use]
    pub fn judge(self, look: Look) -> (Room, Option<Due>) {
        let Look { free, held, failing } = look;
        let whole = held >= self.reserve;
        let wanted = free < RELEASE_BELOW_BYTES || (failing && free < self.reserve);
        if held > 0 && wanted {
            return (Room::NoReserve, Some(Due::Release));
        }
        // Held again only when that leaves as much free as must be: else it would go to and fro.
        if !whole && free.saturating_add(held) >= self.least_free.saturating_add(self.reserve) {
            return (Room::Enough, Some(Due::Hold));
        }
        let room = match (free >= self.least_free, whole) {
            (true, _) => Room::Enough,
            (false, true) if self.reserve > 0 => Room::Low,
            (false, true) if free >= RELEASE_BELOW_BYTES => Room::Low,
            (false, _) => Room::NoReserve,
        };
        (room, None)
    }
}

/// The file that holds some of the disk back, and the folder it lies in.
#[derive(Clone, Debug)]
pub struct Reserve {
    path: PathBuf,
    folder: PathBuf,
}

impl Reserve {
    /// Beside a store.
    #[must_use]
    pub fn beside(store: &Path) -> Self {
        Self { path: beside(store, ".reserve"), folder: folder_of(store).to_owned() }
    }

    /// Bytes of the disk that it holds.
    #[must_use]
    pub fn held(&self) -> u64 {
        let blocks = std::fs::metadata(&self.path).map_or(0, |file| file.blocks());
        blocks.saturating_mul(512)
    }

    /// Bytes that we may still write on the disk.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn free(&self) -> io::Result<u64> {
        let room = rustix::fs::statvfs(&self.folder)?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    /// Holds so many bytes back.
    ///
    /// # Errors
    ///
    /// The system's; nothing is held then.
    pub fn hold(&self, bytes: u64) -> io::Result<()> {
        let mut open = OpenOptions::new();
        let file = open.write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
        // Blocks that are ours: a file that is only long would hold nothing.
        let held = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)
            .map_err(io::Error::from)
            .and_then(|()| file.sync_all());
        if held.is_err() {
            drop(file);
            let _ = std::fs::remove_file(&self.path); // a part of it is of no use
        }
        held
    }

    /// Gives it to whoever writes next.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn release(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::open(&self.folder)?.sync_all(),
        }
    }
}

/// Whether two places are on one disk; also a place that is still to be made.
#[must_use]
pub fn on_one_disk(one: &Path, other: &Path) -> bool {
    let disk = |path: &Path| {
        let whole = std::path::absolute(path).ok()?;
        whole.ancestors().find_map(|path| Some(std::fs::metadata(path).ok()?.dev()))
    };
    disk(one).is_some_and(|disk_of_one| disk(other) == Some(disk_of_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_reserve_is_held_while_there_is_room_and_given_when_there_is_none() {
        let budget = Budget { least_free: 512 * MIB, reserve: 32 * MIB };
        let full = 32 * MIB;
        let table = [
            ("a start on an empty disk", 9_000, 0, false, Room::Enough, Some(Due::Hold)),
            ("well", 9_000, full, false, Room::Enough, None),
            ("room for the journal, none for a reserve", 520, 0, false, Room::Enough, None),
            ("just enough for both", 544, 0, false, Room::Enough, Some(Due::Hold)),
            ("low", 511, full, false, Room::Low, None),
            ("a try failed for another reason", 511, full, true, Room::Low, None),
            ("hardly any", 7, full, false, Room::NoReserve, Some(Due::Release)),
            ("the journal cannot be written", 20, full, true, Room::NoReserve, Some(Due::Release)),
            ("it has the reserve", 30, 0, false, Room::NoReserve, None),
            ("some came back", 520, 0, false, Room::Enough, None),
            ("a reserve that was cut", 9_000, MIB, false, Room::Enough, Some(Due::Hold)),
        ];
        for (case, free, held, failing, room, due) in table {
            let look = Look { free: free * MIB, held, failing };
            assert_eq!(budget.judge(look), (room, due), "{case}");
        }
        let none = Budget { least_free: 512 * MIB, reserve: 0 };
        for (free, room) in [(600, Room::Enough), (100, Room::Low), (3, Room::NoReserve)] {
            let look = Look { free: free * MIB, held: 0, failing: false };
            assert_eq!(none.judge(look), (room, None), "{free} MiB without a reserve");
        }
    }

    #[test]
    fn what_is_held_is_really_held_and_comes_back() {
        let folder = std::env::temp_dir().join(format!("madoguchi-room-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let reserve = Reserve::beside(&folder.join("desk.db"));
        assert_eq!(reserve.held(), 0);
        reserve.hold(4 * MIB).unwrap();
        assert!(reserve.held() >= 4 * MIB, "blocks, not only a length");
        assert!(reserve.free().unwrap() > 0);
        reserve.hold(4 * MIB).unwrap();
        reserve.release().unwrap();
        assert_eq!(reserve.held(), 0);
        reserve.release().unwrap();
        assert!(on_one_disk(&folder, &folder.join("to/be/made")));
        assert!(!on_one_disk(&folder, Path::new("/proc/self")));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
