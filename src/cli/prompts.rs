//! `madoguchi prompts render`: makes a site's own announcements from texts, by the synthesisers that are
//! installed (`open_jtalk`, `flite`). The running desk never calls them.

use super::{Language, Reply};
use crate::dialplan::reader::{self, Table};
use crate::dialplan::shape::TextRule;
use crate::dialplan::{Finding, Findings, Lang, Source, tame};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Peak of what is made: −3 dBFS, as of the announcements that come with the program.
const PEAK: f64 = 23_197.0;
/// What is quieter than this, against that peak, is silence at the ends: −50 dB.
const QUIET: f64 = 104.0;
/// Silence that is left before and behind, milliseconds.
const LEAD_MS: u32 = 50;
const TAIL_MS: u32 = 90;

/// Announcements of a site's own.
#[derive(Clone, Debug, Args)]
pub struct Prompts {
    #[command(subcommand)]
    command: Which,
}

#[derive(Clone, Debug, Subcommand)]
enum Which {
    /// Speak the texts of a file ([[prompt]] id, ja, en) into a folder of WAV files, English ones into its folder en.
    Render(Render),
}

/// Ends with 0 when all was made, 1 when something could not be, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Render {
    /// The texts, in the form of prompts/catalogue.toml.
    pub texts: PathBuf,
    /// Only these; all without them.
    pub ids: Vec<String>,
    /// Where the WAV files are put: the folder that the configuration names.
    #[arg(long, value_name = "FOLDER")]
    pub into: PathBuf,
    /// The voice of `open_jtalk` (….htsvoice).
    #[arg(long, value_name = "FILE")]
    pub voice: Option<PathBuf>,
    /// The dictionary of `open_jtalk`.
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/mecab/dic/open-jtalk/naist-jdic")]
    pub dictionary: PathBuf,
    /// Files that are there already are made anew; a recording of a person's voice would be lost.
    #[arg(long)]
    pub overwrite: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// What is to be spoken.
#[derive(Debug, PartialEq, Eq)]
struct Text {
    id: String,
    ja: Option<String>,
    en: Option<String>,
}

/// Makes announcements.
#[must_use]
pub fn prompts(arguments: &Prompts) -> ExitCode {
    let Which::Render(render) = &arguments.command;
    answer(render, render.language.choose()).finish()
}

fn answer(render: &Render, lang: Lang) -> Reply {
    let name = render.texts.display().to_string();
    let text = match std::fs::read_to_string(&render.texts) {
        Ok(text) => text,
        Err(error) => return Reply::wrong(&format!("{name}: {error}")),
    };
    let texts = match read(&text, &name) {
        Ok(texts) => texts,
        Err(findings) => return super::refused(&findings, lang, 1),
    };
    if let Some(unknown) = render.ids.iter().find(|id| texts.iter().all(|text| text.id != **id)) {
        let unknown = tame(unknown);
        return Reply::wrong(
            &lang.pick(format!("{name} に {unknown} がない"), format!("{name} has no {unknown}")),
        );
    }
    let mut reply = Reply::default();
    let wanted = |text: &&Text| render.ids.is_empty() || render.ids.contains(&text.id);
    for text in texts.iter().filter(wanted) {
        let spoken = [("ja", &text.ja, ""), ("en", &text.en, "en")];
        for (language, words, folder) in spoken {
            let Some(words) = words else { continue };
            let path = render.into.join(folder).join(format!("{}.wav", text.id));
            if path.exists() && !render.overwrite {
                let said = lang.pick(
                    "あるので作らない（--overwrite で作り直す）",
                    "is there (--overwrite makes it anew)",
                );
                let _ = writeln!(reply.out, "{}: {said}", path.display());
                continue;
            }
            match speak(render, language, words).and_then(|raw| keep(&raw, &path)) {
                Ok(seconds) => {
                    let _ = writeln!(reply.out, "{}: {seconds:.1} s", path.display());
                }
                Err(error) => {
                    let _ = writeln!(reply.err, "{}: {error}", path.display());
                    reply.code = 1;
                }
            }
        }
    }
    reply
}

/// Reads the texts; what is wrong comes with line and column.
fn read(text: &str, name: &str) -> Result<Vec<Text>, Vec<Finding>> {
    let mut out = Findings::new(Source::new(text, name));
    let Some(document) = reader::document(&mut out) else { return Err(out.into_sorted()) };
    let mut top = Table::new(&document);
    let mut texts = Vec::new();
    let list = top.need("prompt", "[[prompt]]", &mut out).and_then(|item| item.list(&mut out));
    for item in list.unwrap_or_default() {
        let Some(mut table) = item.table(&mut out) else { continue };
        let id = table
            .need("id", "id = \"welcome\"", &mut out)
            .and_then(|item| item.text(TextRule::Id, &mut out));
        let mut words = |key| table.get(key).and_then(|item| item.raw(&mut out));
        let (ja, en) = (words("ja"), words("en"));
        if let Some(id) = id {
            let words = |text: Option<reader::At<String>>| text.map(|text| text.value);
            texts.push(Text { id: id.value, ja: words(ja), en: words(en) });
        }
    }
    if out.refuse() { Err(out.into_sorted()) } else { Ok(texts) }
}

/// The synthesiser's WAV.
fn speak(render: &Render, language: &str, words: &str) -> io::Result<Vec<u8>> {
    let made = tempfile_in(&render.into)?;
    let mut command;
    if language == "ja" {
        let voice = render.voice.as_deref().ok_or_else(|| {
            io::Error::other("--voice: Open JTalk needs a voice (….htsvoice) / 声のファイルが要る")
        })?;
        command = Command::new("open_jtalk");
        command.arg("-x").arg(&render.dictionary).arg("-m").arg(voice);
        command.args(["-r", "0.95", "-ow"]).arg(&made);
    } else {
        command = Command::new("flite");
        command.args(["-voice", "slt", "-t", words, "-o"]).arg(&made);
    }
    let wav = run(&mut command, words).and_then(|()| std::fs::read(&made));
    let _ = std::fs::remove_file(&made);
    wav
}

fn run(command: &mut Command, words: &str) -> io::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child =
        spawned.map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
    if let Some(mut into) = child.stdin.take() {
        into.write_all(words.as_bytes())?;
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{program}: {status}")))
}

/// A name in the folder that nobody else uses.
fn tempfile_in(folder: &Path) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    Ok(folder.join(format!(".render-{}.wav", std::process::id())))
}

/// Trims and levels what was spoken, and puts it in its place; its length in seconds.
fn keep(wav: &[u8], path: &Path) -> io::Result<f64> {
    let mut reader = hound::WavReader::new(wav).map_err(io::Error::other)?;
    let spec = reader.spec();
    let samples: Result<Vec<i16>, _> = reader.samples().collect();
    let samples = levelled(&samples.map_err(io::Error::other)?, spec.sample_rate);
    if samples.is_empty() {
        return Err(io::Error::other("nothing was spoken"));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut writer = hound::WavWriter::create(path, spec).map_err(io::Error::other)?;
    for sample in &samples {
        writer.write_sample(*sample).map_err(io::Error::other)?;
    }
    writer.finalize().map_err(io::Error::other)?;
    let count = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    Ok(f64::from(count) / f64::from(spec.sample_rate.max(1)))
}

/// The same sound as loud as the others, with little silence at its ends; empty when it is silent.
#[expect(clippy::cast_possible_truncation, reason = "within the peak")]
fn levelled(samples: &[i16], rate: u32) -> Vec<i16> {
    let peak = samples.iter().map(|sample| f64::from(*sample).abs()).fold(0.0, f64::max);
    if peak < 1.0 {
        return Vec::new();
    }
    let gain = PEAK / peak;
    let loud = |sample: &i16| f64::from(*sample).abs() * gain > QUIET;
    let (Some(first), Some(last)) = (samples.iter().position(loud), samples.iter().rposition(loud))
    else {
        return Vec::new();
    };
    let part = |ms: u32| usize::try_from(rate.saturating_mul(ms) / 1000).unwrap_or(0);
    let (from, to) = (first.saturating_sub(part(LEAD_MS)), last.saturating_add(part(TAIL_MS)));
    let part = samples.get(from..to.min(samples.len())).unwrap_or_default();
    part.iter().map(|sample| (f64::from(*sample) * gain) as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_judged() {
        let texts = read(
            "[[prompt]]\nid = \"own\"\nja = \"あ\"\n[[prompt]]\nid = \"two\"\nen = \"b\"\n",
            "t",
        );
        let texts = texts.expect("good");
        assert_eq!((texts[0].id.as_str(), texts[0].ja.as_deref()), ("own", Some("あ")));
        assert_eq!((texts[1].ja.as_deref(), texts[1].en.as_deref()), (None, Some("b")));
        for bad in ["", "[[prompt]]\nja = \"a\"\n", "[[prompt]]\nid = \"../x\"\n", "prompt = 1\n"] {
            assert!(read(bad, "t").is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_spoken_is_trimmed_and_as_loud_as_the_others() {
        let mut sound = vec![0; 8000];
        sound.extend([1000, -2000, 1500].repeat(800));
        sound.extend(vec![0; 8000]);
        let kept = levelled(&sound, 8000);
        assert_eq!(kept.len(), 400 + 2400 + 720 - 1);
        let peak = kept.iter().map(|sample| i32::from(*sample).abs()).max();
        assert!(peak.is_some_and(|peak| (23_190..=23_197).contains(&peak)), "{peak:?}");
        assert_eq!(levelled(&[0; 100], 8000), Vec::<i16>::new());
    }
}
