//! Repository rules as tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest as _, Sha256};

/// Which crates of ours a crate may use: DESIGN's direction, top may use bottom.
const MAY_USE: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("network", &["core"]),
    ("database", &["core", "network"]),
    ("cache", &["core", "network"]),
    ("queue", &["core", "network", "database", "cache"]),
    (
        "objects",
        &["core", "network", "database", "cache", "queue"],
    ),
    (
        "records",
        &["core", "network", "database", "cache", "queue", "objects"],
    ),
    (
        "gateway",
        &[
            "core", "network", "database", "cache", "queue", "objects", "records",
        ],
    ),
    (
        "api",
        &[
            "core", "network", "database", "cache", "queue", "objects", "records",
        ],
    ),
    (
        "admin",
        &[
            "core", "network", "database", "cache", "queue", "objects", "records",
        ],
    ),
    (
        "mobile",
        &[
            "core", "network", "database", "cache", "queue", "objects", "records",
        ],
    ),
    (
        "notifications",
        &[
            "core", "network", "database", "cache", "queue", "objects", "records",
        ],
    ),
    (
        "ai",
        &[
            "core", "network", "database", "cache", "queue", "objects", "records",
        ],
    ),
];

/// No file is longer than this, in lines.
const LONGEST_FILE_LINES: usize = 600;
/// Most files are no longer than this, in lines.
const MEDIAN_FILE_LINES: usize = 160;

/// Licences that dependencies may have.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "MPL-2.0",
    "CDLA-Permissive-2.0",
    "bzip2-1.0.6",
    "OpenSSL",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder with one of the endings, without build results.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if path.is_dir()
                && !["target", "node_modules", "dist", ".git", ".venv"].contains(&name.as_str())
            {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn crates_use_each_other_only_downwards() {
    for (name, allowed) in MAY_USE {
        let manifest = read(&root().join(format!("src/{name}/Cargo.toml")));
        for line in manifest.lines().filter(|line| line.starts_with("mito-")) {
            let used = line
                .trim_start_matches("mito-")
                .split(['.', ' ', '='])
                .next()
                .unwrap();
            assert!(allowed.contains(&used), "src/{name} must not use {used}");
        }
    }
    let roles: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for entry in fs::read_dir(root().join("src"))
        .unwrap()
        .map(Result::unwrap)
    {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().join("Cargo.toml").exists() {
            assert!(
                roles.contains(name.as_str()),
                "src/{name} is missing in this table"
            );
        }
    }
}

#[test]
fn files_stay_readable_in_one_sitting() {
    let mut lengths = Vec::new();
    for path in files("src", &[".rs"])
        .into_iter()
        .chain(files("tests", &[".rs"]))
    {
        let text = read(&path);
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST_FILE_LINES,
            "{} has {lines} lines",
            path.display()
        );
        assert!(
            text.starts_with("//!"),
            "{} does not say what it is",
            path.display()
        );
        assert!(
            path.file_name().unwrap() != "mod.rs",
            "{}: write foo.rs beside foo/",
            path.display()
        );
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(
        median <= MEDIAN_FILE_LINES,
        "the median file has {median} lines"
    );
}

#[test]
fn nothing_is_left_undone_or_unsaid() {
    let this = root().join("tests/it/tidy.rs");
    // Written apart so that this file does not find itself.
    let undone = ["todo", "unimplemented", "dbg"].map(|word| format!("{word}!("));
    for path in files("src", &[".rs"])
        .into_iter()
        .chain(files("tests", &[".rs"]))
    {
        let text = read(&path);
        for word in &undone {
            assert!(
                path == this || !text.contains(word.as_str()),
                "{} has {word}",
                path.display()
            );
        }
        assert!(
            !text.contains(concat!("#[", "ignore")),
            "{} ignores a test",
            path.display()
        );
        assert!(
            !text.contains(concat!("#[", "allow(")),
            "{}: write #[expect(…, reason = …)]",
            path.display()
        );
    }
}

#[test]
fn the_project_names_no_machine_and_no_registry() {
    let endings = [
        ".rs", ".toml", ".md", ".ts", ".tsx", ".mjs", ".json", ".py", ".sh", ".yaml", "run",
        ".lock",
    ];
    let machine = ["/ro", "ot/"].concat();
    for path in files("", &endings) {
        let text = read(&path);
        assert!(
            !text.contains(&machine),
            "{} names a path of a machine",
            path.display()
        );
        if path.ends_with("package-lock.json") {
            assert!(
                !text.contains("\"resolved\""),
                "{} names a registry",
                path.display()
            );
        }
    }
}

#[test]
fn the_built_site_is_the_build_of_its_sources() {
    let web = root().join("web");
    let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in ["web/src", "web/public"] {
        if root().join(folder).exists() {
            for path in files(folder, &[""]) {
                sources.insert(
                    path.strip_prefix(&web)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                    path,
                );
            }
        }
    }
    for entry in fs::read_dir(&web)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
        let is_source = [
            "index.html",
            "package.json",
            "package-lock.json",
            "vite.config.ts",
        ]
        .contains(&name.as_str())
            || (name.starts_with("tsconfig") && entry.extension() == Some("json".as_ref()));
        if is_source {
            sources.insert(name, entry);
        }
    }
    let mut hash = Sha256::new();
    for (name, path) in &sources {
        let content = hex::encode(Sha256::digest(fs::read(path).unwrap()));
        hash.update(format!("{name}\n{content}\n"));
    }
    let recorded = read(&web.join("dist/source.sha256"));
    assert_eq!(
        recorded.trim(),
        hex::encode(hash.finalize()),
        "run `npm run build` in web and commit web/dist"
    );
}

#[test]
fn the_readme_tells_what_is_there() {
    let readme = read(&root().join("README.md"));
    let help = Command::new(env!("CARGO_BIN_EXE_mito"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = readme
        .lines()
        .filter_map(|line| line.trim().strip_prefix("mito "));
    for command in commands {
        let word = command.split(' ').next().unwrap();
        if word.starts_with(|letter: char| letter.is_ascii_lowercase()) {
            assert!(
                help.contains(&format!("  {word}")),
                "the README names `mito {word}`: {help}"
            );
        }
    }
    for flag in readme
        .split('`')
        .filter(|word| word.starts_with("--") && !word.contains(' '))
    {
        let name = flag.split('=').next().unwrap();
        assert!(
            help.contains(name) || name == "--release" || name == "--long",
            "the README names {flag}"
        );
    }
    for command in ["cargo run --release", "cargo test"] {
        assert!(readme.contains(command), "the README lacks {command}");
    }
    for (role, _) in MAY_USE {
        assert!(
            readme.contains(&format!("src/{role}")),
            "the README lacks src/{role}"
        );
    }
}

#[test]
fn every_option_is_documented() {
    let example = mito_core::config::example::<mito::config::Config>();
    let schema = schemars::schema_for!(mito::config::Config);
    let undocumented = undocumented(schema.as_value(), schema.as_value(), "", 0);
    assert!(
        undocumented.is_empty(),
        "options without a doc comment: {undocumented:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mito.toml");
    fs::write(&file, &example).unwrap();
    let sources = mito_core::config::Sources {
        file: Some(file),
        ..Default::default()
    };
    mito_core::config::load::<mito::config::Config>(&sources)
        .unwrap_or_else(|error| panic!("the example must load: {error}"));
}

fn undocumented(
    root: &serde_json::Value,
    schema: &serde_json::Value,
    path: &str,
    depth: u32,
) -> Vec<String> {
    assert!(
        depth < 16,
        "the configuration is nested without end at {path}"
    );
    let resolved = schema["$ref"].as_str().map_or(schema, |reference| {
        root.pointer(reference.trim_start_matches('#')).unwrap()
    });
    let mut found = Vec::new();
    for (name, option) in resolved["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let described = option["description"].is_string()
            || option["$ref"].as_str().is_some_and(|reference| {
                root.pointer(reference.trim_start_matches('#')).unwrap()["description"].is_string()
            });
        if !described {
            found.push(path.clone());
        }
        found.extend(undocumented(root, option, &path, depth + 1));
    }
    found
}

#[test]
fn dependencies_have_permissive_licences() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // Dependencies of other systems have not been downloaded.
        .args(["--filter-platform", &host()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(licence) = package["license"].as_str() else {
            assert!(package["license_file"].is_string(), "{name} has no licence");
            continue;
        };
        // One alternative of an OR must be allowed whole.
        let allowed = licence
            .replace('/', " OR ")
            .replace(['(', ')'], "")
            .split(" OR ")
            .any(|one| {
                one.split(" AND ")
                    .all(|part| LICENCES.contains(&part.trim()))
            });
        assert!(allowed, "{name} is {licence}");
    }
}

/// The target triple of this machine.
fn host() -> String {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}
