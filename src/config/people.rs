//! The people file: accounts for pages and API, as TOML that a person can read and that the `people` command
//! rewrites. Its password hashes are no passwords, but guessable at leisure: only its owner may read it.

use super::files::read;
use super::people_problem::PeopleProblem;
use super::problem::Problem;
use super::show::quoted;
use crate::base::AgentId;
use crate::dialplan::reader::{Table, document};
use crate::dialplan::shape::{Shape, TextRule};
use crate::dialplan::{Finding, Findings, Source};
use crate::people::{MOST_PEOPLE, PasswordHash, People, Person, Role, is_user};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// Reads the people file. One that is not there holds nobody, with a warning.
///
/// # Errors
///
/// Everything that is wrong in it, when any of it is an error.
pub fn read_people(path: &Path) -> Result<(People, Vec<Finding>), Vec<Finding>> {
    let name = path.display().to_string();
    if !path.exists() {
        let nobody = Problem::People(PeopleProblem::Nobody { file: name.clone() });
        return Ok((People::default(), super::files::whole(&name, nobody)));
    }
    parse_people(&read(path, &name, true)?, &name)
}

/// The people of a text.
///
/// # Errors
///
/// As [`read_people`].
pub fn parse_people(text: &str, name: &str) -> Result<(People, Vec<Finding>), Vec<Finding>> {
    let mut out = Findings::new(Source::secret(text, name));
    let mut people = People::default();
    if let Some(document) = document(&mut out) {
        let mut top = Table::new(&document);
        let listed = top.get("people").and_then(|item| item.list(&mut out)).unwrap_or_default();
        for entry in listed {
            let Some(table) = entry.table(&mut out) else { continue };
            if people.len() >= MOST_PEOPLE {
                let key = "people".to_owned();
                out.at(&entry.span, Shape::TooMany { key, most: MOST_PEOPLE });
                break;
            }
            let Some(person) = person(table, &mut out) else { continue };
            let user = person.user.clone();
            if !people.add(person) {
                let twice = PeopleProblem::Twice { user, most: MOST_PEOPLE };
                out.at(&entry.span, Problem::People(twice));
            }
        }
        let left = top.get("signed_out").and_then(|item| item.list(&mut out)).unwrap_or_default();
        for entry in left.iter().take(MOST_PEOPLE) {
            let Some(mut table) = entry.table(&mut out) else { continue };
            let user = table.need("user", "user = \"sato\"", &mut out);
            let user = user.and_then(|item| item.raw(&mut out));
            let at = table.need("at", "at = 1790816400", &mut out);
            let at = at.and_then(|item| item.integer(0..=u64::from(u32::MAX) * 16, &mut out));
            table.finish(&mut out);
            match (user, at) {
                (Some(user), Some(at_s)) if is_user(&user.value) => {
                    people.sign_out(&user.value, at_s.value);
                }
                (Some(user), _) if !is_user(&user.value) => {
                    out.at(&user.span, Problem::People(PeopleProblem::BadUser));
                }
                _ => {}
            }
        }
        top.finish(&mut out);
    }
    if out.refuse() { Err(out.into_sorted()) } else { Ok((people, out.into_sorted())) }
}

fn person(mut table: Table, out: &mut Findings) -> Option<Person> {
    let user = table.need("user", "user = \"sato\"", out).and_then(|item| item.raw(out));
    let name = table.need("name", "name = \"佐藤 一郎\"", out);
    let name = name.and_then(|item| item.text(TextRule::Name, out));
    let role = table.need("role", "role = \"agent\"", out);
    let role = role.and_then(|item| item.word(&Role::ALL, out));
    let extension = table.get("extension").and_then(|item| item.text(TextRule::Id, out));
    let extension = extension.map(|text| AgentId::from(text.value));
    let span = table.span.clone();
    let mut whole = true;
    let password = table.get("password").and_then(|item| {
        let text = item.raw(out)?;
        PasswordHash::read(&text.value)
            .map_err(|why| {
                whole = false;
                out.at(&text.span, Problem::People(PeopleProblem::BadHash(why)));
            })
            .ok()
    });
    table.finish(out);
    let (user, name, role) = (user?, name?, role?);
    if !is_user(&user.value) {
        out.at(&user.span, Problem::People(PeopleProblem::BadUser));
        return None;
    }
    let user = user.value;
    if password.is_none() && whole {
        out.at(&span, Problem::People(PeopleProblem::NoPassword { user: user.clone() }));
    }
    if role == Role::Agent && extension.is_none() {
        out.at(&span, Problem::People(PeopleProblem::NoExtension { user: user.clone() }));
    }
    Some(Person { user, name: name.value, role, extension, password })
}

/// The text of a people file.
#[must_use]
pub fn show_people(people: &People) -> String {
    let mut text = String::from(
        "# 画面と API の利用者（docs/PEOPLE.md）。madoguchi people が書き換える。替えたら systemctl reload madoguchi\n\
         # Accounts of pages and API; the people command rewrites this file.\n",
    );
    for person in people.iter() {
        let mut line = |key: &str, value: &str| {
            let _ = writeln!(text, "{key} = {}", quoted(value)); // a String takes all
        };
        line("\n[[people]]\nuser", &person.user);
        line("name", &person.name);
        line("role", person.role.name());
        if let Some(extension) = &person.extension {
            line("extension", extension.as_str());
        }
        if let Some(password) = &person.password {
            line("password", password.reveal());
        }
    }
    for (user, at_s) in people.signed_out() {
        let _ = write!(text, "\n[[signed_out]]\nuser = {}\nat = {at_s}\n", quoted(user)); // a String takes all
    }
    text
}

/// Puts a people file in the place of the old one, as [`replace_private`](super::replace_private).
///
/// # Errors
///
/// What the operating system says; the old file is untouched then.
pub fn write_people(path: &Path, people: &People) -> io::Result<()> {
    super::replace_private(path, &show_people(people))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::Lang;

    const HASH: &str =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    fn said(text: &str) -> String {
        let (Ok((_, findings)) | Err(findings)) = parse_people(text, "people.toml");
        findings.iter().map(|finding| finding.render(Lang::En)).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = format!(
            "[[people]]\nuser = \"sato\"\nname = \"佐藤 \\\"一郎\\\"\"\nrole = \"agent\"\nextension = \"2001\"\npassword = \"{HASH}\"\n\
             [[people]]\nuser = \"kacho\"\nname = \"課長\"\nrole = \"supervisor\"\npassword = \"{HASH}\"\n\
             [[signed_out]]\nuser = \"suzuki\"\nat = 1790816400\n"
        );
        let (people, findings) = parse_people(&text, "people.toml").expect("whole");
        assert_eq!((people.len(), findings.len()), (2, 0));
        let (again, _) = parse_people(&show_people(&people), "people.toml").expect("whole");
        assert_eq!(again, people);
        assert_eq!(people.signed_out_s("suzuki"), Some(1_790_816_400));
        let sato = people.get("sato").expect("there");
        assert_eq!((sato.name.as_str(), sato.role), ("佐藤 \"一郎\"", Role::Agent));
    }

    #[test]
    fn what_is_wrong_is_told_and_no_line_is_shown() {
        let person = |more: &str| format!("[[people]]\nuser = \"sato\"\nname = \"佐藤\"\n{more}");
        let hash = format!("password = \"{HASH}\"\n");
        let agent = format!("role = \"agent\"\nextension = \"2001\"\n{hash}");
        let table = [
            (person(&agent), ""),
            (String::new(), ""),
            (person(&format!("role = \"boss\"\n{hash}")), "boss"),
            (person(&format!("role = \"agent\"\n{hash}")), "no-extension"),
            (person("role = \"admin\"\n"), "no-password"),
            (person("role = \"admin\"\npassword = \"geheim\"\n"), "bad-person"),
            (person(&format!("role = \"admin\"\n{hash}rolle = 1\n")), "rolle"),
            (format!("{}{}", person(&agent), person(&agent)), "person-twice"),
            ("[[signed_out]]\nuser = \"佐藤\"\nat = 1\n".into(), "bad-person"),
            ("[[signed_out]]\nuser = \"sato\"\n".into(), "missing-key"),
            (
                "[[people]]\nuser = \"佐藤\"\nname = \"佐藤\"\nrole = \"admin\"\n".into(),
                "bad-person",
            ),
        ];
        for (text, due) in table {
            let said = said(&text);
            assert!(
                if due.is_empty() { said.is_empty() } else { said.contains(due) },
                "{text}\n{said}"
            );
            assert!(!said.contains("geheim") && !said.contains("argon2id$"), "{said}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_stays_its_owners() {
        use std::fs;
        use std::os::unix::fs::PermissionsExt as _;
        let dir = std::env::temp_dir().join(format!("madoguchi-people-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a folder");
        let path = dir.join("people.toml");
        let (nobody, findings) = read_people(&path).expect("nobody yet");
        assert!(
            nobody.is_empty() && findings.len() == 1 && !findings.iter().any(Finding::is_error)
        );
        fs::write(dir.join("people.toml.new"), "left by a killed command").expect("written");
        let (people, _) = parse_people(
            &format!(
                "[[people]]\nuser = \"a\"\nname = \"a\"\nrole = \"admin\"\npassword = \"{HASH}\"\n"
            ),
            "",
        )
        .expect("whole");
        write_people(&path, &people).expect("written");
        assert_eq!(read_people(&path).expect("whole").0, people);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        assert!(read_people(&path).is_err(), "others could read it");
        fs::remove_dir_all(dir).expect("removed");
    }
}
