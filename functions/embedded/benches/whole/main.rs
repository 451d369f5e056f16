//! Backup, incremental backup and restore of one tree, side by side in one run: the vault library
//! alone, Crossvault with its whole control plane, and stock `restic` where it is installed.
//!
//! Each measurement is a process of its own. Run it with `cargo bench --bench whole`;
//! `CROSSVAULT_BENCH_MIB` sets the tree's size (1024 by default).

mod library;
mod plane;
mod process;
mod tree;

use std::{env, error::Error, fs, path::Path, process::Command};

use process::Measured;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["library", "backup", tree, vault] => library::back_up(tree, Path::new(vault)),
        ["library", "restore", vault, target] => library::restore(Path::new(vault), target),
        ["plane", "set-up", tree, home] => plane::set_up(Path::new(tree), Path::new(home)),
        ["plane", "backup", home] => plane::back_up(Path::new(home)),
        ["plane", "restore", home] => plane::restore(Path::new(home)),
        _ => compare(),
    }
}

/// One way to do the three things.
struct Contender {
    name: &'static str,
    backup: Vec<String>,
    restore: Vec<String>,
}

fn compare() -> Outcome {
    let mib: u64 = env::var("CROSSVAULT_BENCH_MIB").ok().map_or(Ok(1024), |text| text.parse())?;
    let place = tempfile::tempdir()?;
    let path = |name: &str| place.path().join(name).display().to_string();
    println!("a tree of {mib} MiB: 20,000 small files and 8 large ones, in proportion");
    tree::make(Path::new(&path("tree")), mib)?;

    let own = env::current_exe()?.display().to_string();
    let command = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    run(&command(&[&own, "plane", "set-up", &path("tree"), &path("home")]))?;
    let mut contenders = vec![
        Contender {
            name: "library",
            backup: command(&[&own, "library", "backup", &path("tree"), &path("library")]),
            restore: command(&[&own, "library", "restore", &path("library"), &path("out-library")]),
        },
        Contender {
            name: "crossvault",
            backup: command(&[&own, "plane", "backup", &path("home")]),
            restore: command(&[&own, "plane", "restore", &path("home")]),
        },
    ];
    if Command::new("restic").arg("version").output().is_ok() {
        fs::write(path("password"), "secret")?;
        let restic = ["restic", "-q", "-r", &path("restic"), "-p", &path("password"), "--no-cache"]
            .map(str::to_owned);
        let with = |rest: &[&str]| {
            restic.iter().cloned().chain(rest.iter().map(|part| (*part).to_owned())).collect()
        };
        let init: Vec<String> = with(&["init"]);
        run(&init)?;
        contenders.push(Contender {
            name: "restic",
            backup: with(&["backup", &path("tree")]),
            restore: with(&["restore", "latest", "--target", &path("out-restic")]),
        });
    } else {
        println!("restic is not installed: it is left out");
    }

    println!("{:<12} {:<12} {:>8} {:>8} {:>9}", "", "", "wall s", "cpu s", "peak MiB");
    let mut rows = Vec::new();
    for step in ["backup", "unchanged", "changed", "restore"] {
        if step == "changed" {
            tree::change(Path::new(&path("tree")))?;
        }
        for contender in &contenders {
            let command = if step == "restore" { &contender.restore } else { &contender.backup };
            let measured = process::measure(command)?;
            println!("{step:<12} {:<12} {measured}", contender.name);
            rows.push((step, contender.name, measured));
        }
    }
    for step in ["backup", "unchanged", "changed", "restore"] {
        let of = |name| rows.iter().find(|row| row.0 == step && row.1 == name).map(|row| row.2);
        if let (Some(floor), Some(own)) = (of("library"), of("crossvault")) {
            println!("{step:<12} crossvault / library  cpu {}", ratio(own, floor));
        }
    }
    Ok(())
}

/// The quotient of two CPU times in hundredths.
fn ratio(one: Measured, other: Measured) -> String {
    let percent = one.cpu_ms.saturating_mul(100).checked_div(other.cpu_ms).unwrap_or(0);
    format!("{percent} %")
}

fn run(command: &[String]) -> Outcome {
    let (program, rest) = command.split_first().ok_or("an empty command")?;
    let status = Command::new(program).args(rest).status()?;
    if status.success() { Ok(()) } else { Err(format!("{program} failed: {status}").into()) }
}
