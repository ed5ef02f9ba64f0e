//! `luxwire passwd FILE USER`: gives a user a password, or another one.
//!
//! The file is replaced as a whole or not at all, and only its owner can read it.

use super::{
    hash::Hash,
    passwords::{Passwords, check_user},
    read,
};
use crate::cli::Passwd;
use anyhow::{Context as _, anyhow, bail};
use luxwire_devices::Usage;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufRead as _, IsTerminal as _, Stdin, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

/// Does what the command line says, and says what it did.
pub(crate) fn passwd(passwd: &Passwd) -> anyhow::Result<()> {
    let Passwd { file, user, password, scram, delete } = passwd;
    check_user(user).map_err(|why| Usage(format!("USER: {why}")))?;
    let path = resolved(file)?;
    let mut passwords = match path.try_exists() {
        Ok(false) => Passwords::default(),
        Ok(true) | Err(_) => read("FILE", &path, Passwords::parse)?,
    };
    let done = if *delete {
        if !passwords.remove(user) {
            bail!("{} has no user {user}", file.display());
        }
        "removed from"
    } else {
        let password = match password {
            Some(password) => password.clone(),
            None => ask(user)?,
        };
        if password.is_empty() {
            bail!("the password is empty, and nothing was changed");
        }
        let hash = if *scram { Hash::scram_of(&password, random()?) } else { Hash::of(&password, random()?) };
        if passwords.set(user, hash) { "added to" } else { "changed in" }
    };
    replace(&path, &passwords.to_text())
        .with_context(|| format!("{} cannot be written, and is what it was", file.display()))?;
    // Nothing is left to say when the reader has gone.
    let _ = writeln!(
        io::stdout(),
        "{user}: {done} {}; a server that runs reads the file at its next start",
        file.display()
    );
    Ok(())
}

fn random<const LEN: usize>() -> anyhow::Result<[u8; LEN]> {
    let mut bytes = [0; LEN];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    Ok(bytes)
}

/// Behind links: they stay, and what they lead to is replaced.
fn resolved(file: &Path) -> anyhow::Result<PathBuf> {
    match file.canonicalize() {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.symlink_metadata().is_err() => {
            Ok(file.to_owned())
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be found", file.display())),
    }
}

/// Twice from somebody at a terminal, who cannot see what is typed; otherwise the first line of standard input.
fn ask(user: &str) -> anyhow::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line(&stdin);
    }
    let _dark = Dark::begin(&stdin)?;
    let first = prompted(&stdin, &format!("Password for {user}: "))?;
    let again = prompted(&stdin, "The same again: ")?;
    if first != again {
        bail!("these were two different passwords, and nothing was changed");
    }
    Ok(first)
}

fn prompted(stdin: &Stdin, prompt: &str) -> anyhow::Result<String> {
    eprint!("{prompt}");
    let typed = line(stdin);
    eprintln!();
    typed
}

fn line(stdin: &Stdin) -> anyhow::Result<String> {
    let mut line = String::new();
    stdin.lock().read_line(&mut line).context("the password cannot be read")?;
    Ok(line
        .strip_suffix('\n')
        .map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line))
        .to_owned())
}

/// As long as it exists, a terminal does not show what is typed.
struct Dark<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl<'a> Dark<'a> {
    fn begin(terminal: &'a Stdin) -> anyhow::Result<Self> {
        let before = tcgetattr(terminal).context("the terminal does not say how it is set")?;
        let mut dark = before.clone();
        dark.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &dark).context("the terminal would show the password")?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Dark<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no setting.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Writes a new file beside the old one and then puts it in its place, so that nobody ever finds half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new_name = name.to_owned();
    let number = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
    new_name.push(format!(".new-{number:016x}"));
    let new = folder.join(new_name);
    let written = write(&new, path, text).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // If it was not made, there is nothing to remove.
        let _ = fs::remove_file(&new);
        return written;
    }
    File::open(folder)?.sync_all()
}

fn write(new: &Path, old: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    // The mask of the process may have taken something away.
    file.set_permissions(Permissions::from_mode(0o600))?;
    if let Ok(metadata) = fs::metadata(old) {
        let ours = file.metadata()?;
        if (metadata.uid(), metadata.gid()) != (ours.uid(), ours.gid()) {
            // Root changes a password; the server still has to read the file.
            fchown(&file, Some(metadata.uid()), Some(metadata.gid()))?;
        }
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
