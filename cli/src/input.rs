//! What a person gives a command to read: a file, or standard input for `-`.

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crossvault_embedded::socket::{Failure, Kind};

/// More than anything that is read whole.
const BYTES_MAX: u64 = 64 << 20;

/// A file as people name it.
pub fn name(file: &Path) -> String {
    if is_stdin(file) { "standard input".to_owned() } else { file.display().to_string() }
}

/// Refuses to read standard input twice.
///
/// # Errors
/// [`Failure`] when `-` stands twice among the files.
pub fn refuse_second_stdin<'a>(
    files: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), Failure> {
    if files.into_iter().filter(|file| is_stdin(file)).count() < 2 {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Usage,
        "STDIN_TWICE",
        "standard input was named twice, and can be read only once",
        "Name a file in place of one `-`.",
    ))
}

/// Reads a whole text from a file, or from standard input for `-`.
///
/// # Errors
/// [`Failure`] when it can't be read, or is no text.
pub fn read_text(file: &Path) -> Result<String, Failure> {
    let unreadable = |why: &dyn fmt::Display| {
        Failure::new(
            Kind::Usage,
            "DOCUMENT_UNREADABLE",
            format!("`{}` can't be read: {why}", name(file)),
            "Name a file that can be read, or `-` for standard input.",
        )
    };
    let mut bytes = Vec::new();
    let read = if is_stdin(file) {
        io::stdin().lock().take(BYTES_MAX).read_to_end(&mut bytes)
    } else {
        fs::File::open(file).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes))
    };
    let length = read.map_err(|error| unreadable(&error))?;
    if u64::try_from(length).is_ok_and(|length| length == BYTES_MAX) {
        return Err(unreadable(&"it is longer than 64 MiB"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let (valid, _) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = valid.split(|byte| *byte == b'\n').count();
        Failure::new(
            Kind::Usage,
            "DOCUMENT_NOT_TEXT",
            format!("`{}` is no text in UTF-8: line {line} has other bytes", name(file)),
            "Save the file as UTF-8.",
        )
    })
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}
