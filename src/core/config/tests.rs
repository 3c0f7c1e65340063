//! Layers, errors, origins and the example, on a configuration of the same shapes as mito's.

use std::{collections::BTreeMap, fs, net::SocketAddr};

use serde::Deserialize;

use super::*;

/// What the tests configure.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// The domain.
    domain: String,
    /// Where `data` is kept.
    ///
    /// A second paragraph that explains it.
    data: Option<String>,
    /// The gateway.
    gateway: Gateway,
    /// Storage.
    database: Database,
    /// Replicas by role.
    scale: BTreeMap<String, u16>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Gateway {
    /// Entry points.
    entrypoints: BTreeMap<String, EntryPoint>,
    /// The entry point for people.
    web: EntryPoint,
    /// Tries, at most 255.
    retries: u8,
    /// Seconds, negative for never.
    offset: i64,
    /// Of all requests.
    share: f64,
    /// Whether to compress.
    compress: bool,
    /// How lines look.
    format: Format,
    /// Networks that may be reached.
    allow: Vec<String>,
    /// Ports.
    ports: Vec<u16>,
    /// Where to listen.
    listen: Option<SocketAddr>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct EntryPoint {
    /// `address:port`.
    address: String,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// As Apache writes it.
    #[default]
    Common,
    /// One object a line.
    Json,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Database {
    /// Where it is.
    url: String,
    /// How to get in.
    password: String,
    /// Marked by hand.
    #[schemars(extend("secret" = true))]
    pepper: String,
    /// No secret, though it is called so.
    max_tokens: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: "localhost".to_owned(),
            data: None,
            gateway: Gateway {
                retries: 3,
                allow: vec!["::1".to_owned()],
                ..Gateway::default()
            },
            database: Database::default(),
            scale: BTreeMap::new(),
        }
    }
}

const ALIASES: &[(&str, &str)] = &[
    ("DOMAIN", "domain"),
    ("PG_PASSWORD", "database.password"),
    ("DATABASE_URL", "?database.url"),
    ("NODE_ENV", ""),
];

/// Sources in a folder of their own.
struct Given {
    folder: tempfile::TempDir,
    sources: Sources,
}

impl Given {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            folder,
            sources: Sources {
                aliases: ALIASES,
                ..Sources::default()
            },
        }
    }

    fn file(mut self, text: &str) -> Self {
        let path = self.folder.path().join("mito.toml");
        fs::write(&path, text).expect("written");
        self.sources.file = Some(path);
        self
    }

    fn env_file(mut self, text: &str) -> Self {
        let path = self.folder.path().join(".env");
        fs::write(&path, text).expect("written");
        self.sources.env_file = Some(path);
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources
            .environment
            .insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, path: &str, value: &str) -> Self {
        let flag = format!("--set {path}={value}");
        self.sources
            .flags
            .push((path.to_owned(), value.to_owned(), flag));
        self
    }

    #[track_caller]
    fn load(&self) -> Loaded<Config> {
        load(&self.sources).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The errors, with the folder's name taken out.
    #[track_caller]
    fn errors(&self) -> Vec<String> {
        let Error(errors) = load::<Config>(&self.sources).expect_err("a broken configuration");
        let folder = format!("{}/", self.folder.path().display());
        errors
            .into_iter()
            .map(|error| error.replace(&folder, ""))
            .collect()
    }
}

#[test]
fn nothing_gives_the_defaults() {
    let loaded = Given::new().load();
    assert_eq!(loaded.value, Config::default());
    assert!(
        loaded
            .origins
            .values()
            .all(|origin| *origin == Origin::Default)
    );
    assert_eq!(loaded.shown["domain"], r#""localhost""#);
    assert_eq!(loaded.shown["data"], "(unset)");
    assert_eq!(loaded.shown["gateway.allow"], r#"["::1"]"#);
    let leaves: Vec<_> = loaded.shown.keys().collect();
    assert_eq!(leaves, loaded.origins.keys().collect::<Vec<_>>());
}

#[test]
fn a_higher_layer_wins() {
    let file = |given: Given| given.file("domain = 'file'");
    let env_file = |given: Given| file(given).env_file("MITO_DOMAIN=dotenv");
    let env = |given: Given| env_file(given).env("MITO_DOMAIN", "environment");
    let flag = |given: Given| env(given).flag("domain", "flag");
    for (layer, expected) in [
        (&file as &dyn Fn(Given) -> Given, "file"),
        (&env_file, "dotenv"),
        (&env, "environment"),
        (&flag, "flag"),
    ] {
        assert_eq!(layer(Given::new()).load().value.domain, expected);
    }
}

#[test]
fn origins_name_file_line_variable_and_flag() {
    let given = Given::new()
        .file("domain = 'a'\n\n[gateway]\nretries = 1\n[gateway.entrypoints.web]\naddress = ':80'")
        .env_file("# note\nMITO_GATEWAY__OFFSET=-5")
        .env("MITO_GATEWAY__SHARE", "0.5")
        .flag("gateway.compress", "true");
    let loaded = given.load();
    let at = |name: &str| given.folder.path().join(name);
    let file = |line| Origin::File {
        path: at("mito.toml"),
        line,
    };
    let check = |path: &str, origin: Origin| assert_eq!(loaded.origins[path], origin, "{path}");
    check("domain", file(1));
    check("gateway.retries", file(4));
    check("gateway.entrypoints.web.address", file(6));
    let variable = "MITO_GATEWAY__OFFSET".to_owned();
    check(
        "gateway.offset",
        Origin::Environment {
            variable,
            file: Some((at(".env"), 2)),
        },
    );
    let variable = "MITO_GATEWAY__SHARE".to_owned();
    check(
        "gateway.share",
        Origin::Environment {
            variable,
            file: None,
        },
    );
    check(
        "gateway.compress",
        Origin::Flag("--set gateway.compress=true".to_owned()),
    );
    check("gateway.allow", Origin::Default);
}

#[test]
fn every_kind_of_value_is_read_from_text() {
    let check = |path: &str, text: &str, shown: &str| {
        let loaded = Given::new().flag(path, text).load();
        assert_eq!(loaded.shown[path], shown, "{path} = {text}");
        let variable =
            layers::variable_name(&path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(
            Given::new().env(&variable, text).load().shown[path],
            shown,
            "{variable}"
        );
    };
    check("domain", "", r#""""#);
    check("domain", "a.example", r#""a.example""#);
    check("data", "/srv", r#""/srv""#);
    check("gateway.retries", "255", "255");
    check("gateway.offset", "-7", "-7");
    check("gateway.share", "0.25", "0.25");
    check("gateway.compress", "on", "true");
    check("gateway.compress", "0", "false");
    check("gateway.format", "json", r#""json""#);
    check(
        "gateway.allow",
        "10.0.0.0/8, db.internal",
        r#"["10.0.0.0/8", "db.internal"]"#,
    );
    check("gateway.allow", "", "[]");
    check("gateway.allow", r#"["a,b"]"#, r#"["a,b"]"#);
    check("gateway.ports", "80,443", "[80, 443]");
    check("gateway.listen", "127.0.0.1:0", r#""127.0.0.1:0""#);
    check("gateway.web.address", ":80", r#"":80""#);
    check("gateway.entrypoints.extra.address", ":81", r#"":81""#);
    check("scale.notifications", "4", "4");
}

#[test]
fn toml_tables_inline_tables_and_dotted_keys_are_the_same() {
    for text in [
        "[gateway.entrypoints.web]\naddress = ':1'",
        "[gateway]\nentrypoints = { web = { address = ':1' } }",
        "gateway.entrypoints.web.address = ':1'",
    ] {
        let loaded = Given::new().file(text).load();
        assert_eq!(
            loaded.value.gateway.entrypoints["web"].address, ":1",
            "{text}"
        );
    }
    let loaded = Given::new()
        .flag("gateway.entrypoints.\"a.b\".address", ":1")
        .load();
    assert_eq!(loaded.value.gateway.entrypoints["a.b"].address, ":1");
    assert!(
        loaded
            .shown
            .contains_key("gateway.entrypoints.\"a.b\".address")
    );
}

#[test]
fn an_error_names_key_place_and_the_nearest_key() {
    let check = |given: Given, expected: &[&str]| assert_eq!(given.errors(), expected);
    check(
        Given::new().file("\ndomian = 'x'"),
        &["mito.toml:2: unknown key domian; did you mean domain?"],
    );
    check(
        Given::new().file("[gateway]\n[gateway.entrypoint.web]\naddress = ''"),
        &["mito.toml:2: unknown key gateway.entrypoint; did you mean gateway.entrypoints?"],
    );
    check(
        Given::new().file("[gateway.entrypoints.web]\nadress = ''"),
        &[
            "mito.toml:2: unknown key gateway.entrypoints.web.adress; did you mean \
           gateway.entrypoints.web.address?",
        ],
    );
    check(
        Given::new().file("password = 'x'"),
        &["mito.toml:1: unknown key password; did you mean database.password?"],
    );
    check(
        Given::new().env("MITO_GATEWAY_RETRIES", "3"),
        &[
            "environment: MITO_GATEWAY_RETRIES: unknown variable MITO_GATEWAY_RETRIES; did you mean \
           MITO_GATEWAY__RETRIES?",
        ],
    );
    check(
        Given::new().env_file("\nMITO_LOK=debug"),
        &[".env:2: unknown variable MITO_LOK; did you mean MITO_LOG?"],
    );
    check(
        Given::new().flag("gateway.retry", "3"),
        &["--set gateway.retry: unknown key gateway.retry; did you mean gateway.retries?"],
    );
    check(
        Given::new().flag("domain.name", "3"),
        &["--set domain.name: unknown key domain.name; did you mean domain?"],
    );
}

#[test]
fn an_impossible_value_is_named_with_what_is_possible() {
    let check = |given: Given, expected: &str| assert_eq!(given.errors(), [expected]);
    check(
        Given::new().file("[gateway]\nretries = 256"),
        "mito.toml:2: gateway.retries = 256 is not an integer from 0 to 255",
    );
    check(
        Given::new().file("[gateway]\nretries = '3'"),
        "mito.toml:2: gateway.retries = \"3\" is not an integer from 0 to 255",
    );
    check(
        Given::new().file("[gateway]\nformat = 'jsn'"),
        "mito.toml:2: gateway.format = \"jsn\" is not one of common, json; did you mean json?",
    );
    check(
        Given::new().file("gateway = 1"),
        "mito.toml:1: gateway is a table, not a value",
    );
    check(
        Given::new().file("domain = { a = 1 }"),
        "mito.toml:1: domain = { a = 1 } is not text",
    );
    check(
        Given::new().env("MITO_GATEWAY__COMPRESS", "maybe"),
        "environment: MITO_GATEWAY__COMPRESS: gateway.compress = \"maybe\" is not true or false",
    );
    check(
        Given::new().env("MITO_GATEWAY__RETRIES", ""),
        "environment: MITO_GATEWAY__RETRIES: gateway.retries = \"\" is not an integer from 0 to 255",
    );
    check(
        Given::new().flag("gateway.ports", "80,x"),
        "--set gateway.ports: gateway.ports = \"80,x\" is not a list, each an integer from 0 to \
         65535",
    );
    check(
        Given::new().flag("gateway", "1"),
        "--set gateway: gateway is a table; set one of its keys, gateway.…",
    );
    check(
        Given::new().flag("gateway.listen", "nowhere"),
        "--set gateway.listen: gateway.listen: invalid socket address syntax",
    );
    check(
        Given::new().env_file("A=1\nbroken"),
        ".env:2: is not NAME=value",
    );
}

#[test]
fn a_file_that_is_no_toml_is_named_with_the_line() {
    let errors = Given::new().file("domain = 'a'\ndata = ").errors();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("mito.toml:2: "), "{errors:?}");
}

#[test]
fn a_file_is_optional_unless_it_was_named() {
    let mut given = Given::new();
    given.sources.file = Some(given.folder.path().join("other.toml"));
    assert_eq!(given.load().value, Config::default());
    given.sources.file_required = true;
    assert_eq!(given.errors(), ["other.toml: there is no such file"]);
}

#[test]
fn all_errors_are_reported_at_once() {
    let given = Given::new()
        .file("domian = 'x'\n[gateway]\nretries = -1\nlisten = 'a'")
        .env_file("MITO_X=1")
        .env("MITO_Y", "1")
        .flag("z", "1");
    assert_eq!(given.errors().len(), 6, "{:#?}", given.errors());
}

#[test]
fn variables_that_are_no_options_are_read_from_both_places() {
    let given = || Given::new().env_file("MITO_LOG=warn");
    assert_eq!(given().load().variables["MITO_LOG"], "warn");
    let loaded = given().env("MITO_LOG", "debug").load();
    assert_eq!(loaded.variables["MITO_LOG"], "debug");
}

#[test]
fn old_variables_keep_working_and_what_is_set_aside_is_explained() {
    let given = Given::new()
        .env_file("DOMAIN=old.example\nPG_PASSWORD=hunter2\nUNRELATED=1")
        .env("DATABASE_URL", "postgres://postgres:5432/app")
        .env("NODE_ENV", "production")
        .env("DOMAIN", "")
        .env("PATH", "/bin")
        .env("MITO_LOG", "debug")
        .env("MITO_BIN", "/tmp/mito");
    let loaded = given.load();
    assert_eq!(loaded.value.domain, "old.example");
    assert_eq!(loaded.value.database.password, "hunter2");
    assert_eq!(loaded.value.database.url, "");
    assert_eq!(
        loaded.ignored,
        [
            "DOMAIN: it is empty",
            "DATABASE_URL: it is set aside; to use it, set database.url or MITO_DATABASE__URL",
            "NODE_ENV: mito has no use for it",
        ]
    );
}

#[test]
fn the_new_name_wins_over_the_old_one() {
    let loaded = Given::new()
        .env("DOMAIN", "old")
        .env("MITO_DOMAIN", "new")
        .load();
    assert_eq!(loaded.value.domain, "new");
    assert_eq!(loaded.ignored, ["DOMAIN: MITO_DOMAIN is set too and wins"]);
}

#[test]
fn secrets_are_never_shown() {
    let loaded = Given::new()
        .flag("database.password", "hunter2")
        .flag("database.pepper", "hunter2")
        .flag("database.max_tokens", "9")
        .flag(
            "database.url",
            "postgres://mito:hunter2@db.internal/mito?sslmode=require",
        )
        .load();
    assert_eq!(loaded.shown["database.password"], "[hidden]");
    assert_eq!(loaded.shown["database.pepper"], "[hidden]");
    assert_eq!(loaded.shown["database.max_tokens"], "9");
    let url = &loaded.shown["database.url"];
    assert_eq!(
        url,
        r#""postgres://mito:[hidden]@db.internal/mito?sslmode=require""#
    );
    for (url, shown) in [
        (
            "redis://:pa/ss@host:6379/0",
            "redis://:[hidden]@host:6379/0",
        ),
        ("redis://u:p?#@host", "redis://u:[hidden]@host"),
        ("https://token@host/x", "https://[hidden]@host/x"),
        (
            "postgres://db/mito?user=u&password=hunter2&sslmode=require",
            "postgres://db/mito?user=u&password=[hidden]&sslmode=require",
        ),
        (
            "https://h/x?api_key=1&Token=2#f",
            "https://h/x?api_key=[hidden]&Token=[hidden]#f",
        ),
        (
            "http://localhost:8000/@me?q=1",
            "http://localhost:8000/@me?q=1",
        ),
        (
            "host=db password=hunter2 user=u",
            "host=db password=[hidden] user=u",
        ),
    ] {
        let loaded = Given::new().flag("database.url", url).load();
        assert_eq!(loaded.shown["database.url"], format!("{shown:?}"), "{url}");
    }
    assert_eq!(Given::new().load().shown["database.password"], r#""""#);
    let errors = Given::new().file("[database]\npassword = 271828").errors();
    assert_eq!(
        errors,
        ["mito.toml:2: database.password = the value is not text"]
    );
}

/// Takes the options of the example off their comments.
fn uncommented(example: &str) -> String {
    let option = |line: &str| {
        line.strip_prefix('#')
            .filter(|rest| !rest.starts_with([' ', '#']))
            .map(str::to_owned)
    };
    example
        .lines()
        .filter_map(option)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_example_says_what_holds_without_it() {
    let example = example::<Config>();
    assert_eq!(Given::new().file(&example).load().value, Config::default());
    let text = uncommented(&example);
    let loaded = Given::new().file(&text).load();
    assert_eq!(loaded.value, Config::default());
    let said = loaded
        .origins
        .values()
        .filter(|origin| **origin != Origin::Default)
        .count();
    let unset = loaded
        .shown
        .values()
        .filter(|shown| *shown == "(unset)")
        .count();
    assert_eq!(
        said + unset,
        loaded.origins.len(),
        "every option stands in the example:\n{text}"
    );
}

#[test]
fn the_example_explains_every_option() {
    let example = example::<Config>();
    for line in [
        "# The domain.\n#domain = \"localhost\"\n",
        "# Where `data` is kept.\n# A second paragraph that explains it.\n# data has no default: text\n",
        "# The gateway.\n#[gateway]\n",
        "# - \"json\": One object a line.\n#format = \"common\"\n",
        "# Entry points.\n# [gateway.entrypoints.<name>]\n",
        "# Replicas by role.\n#[scale]\n# <name> = an integer from 0 to 65535\n",
    ] {
        let found = example.contains(line);
        assert!(found, "{line:?} is missing in\n{example}");
    }
}

proptest::proptest! {
    /// Whatever text a variable carries, it arrives unchanged or is refused with its name.
    #[test]
    fn text_arrives_unchanged(text in "(?s)[^\0]{0,40}") {
        assert_eq!(Given::new().env("MITO_DOMAIN", &text).load().value.domain, text);
        let quoted = value::to_toml(&text.as_str().into());
        let loaded = Given::new().file(&format!("domain = {quoted}")).load();
        assert_eq!(loaded.value.domain, text);
    }

    #[test]
    fn a_file_loads_or_is_named_in_every_error(text in "(?s).{0,120}") {
        let given = Given::new().file(&text);
        if let Err(error) = load::<Config>(&given.sources) {
            assert!(!error.0.is_empty());
            assert!(error.0.iter().all(|line| line.contains("mito.toml")), "{error}");
        }
    }
}
