//! Index statements: what is read, what is refused, and what is written anew.

use serde_json::json;

use super::*;

fn check(statement: &str, expected: Result<&str, &str>) {
    let collection: Collection = serde_json::from_value(json!({
        "name": "t", "type": "base", "fields": [
            {"name": "id", "type": "text"}, {"name": "a", "type": "text"}, {"name": "b", "type": "number"},
        ],
    }))
    .unwrap();
    let written = Index::parse(statement).and_then(|index| {
        index.fits(&collection)?;
        Ok(index.sql(Dialect::Sqlite))
    });
    assert_eq!(
        written.as_deref().map_err(String::as_str),
        expected,
        "{statement}"
    );
}

#[test]
fn statements_are_read_and_written_anew() {
    check(
        "CREATE UNIQUE INDEX `idx_t` ON `t` (`a`)",
        Ok("CREATE UNIQUE INDEX \"idx_t\" ON \"t\" (\"a\")"),
    );
    check(
        "create index if not exists i on t (a collate nocase, b desc) where b != ''",
        Ok("CREATE INDEX \"i\" ON \"t\" (\"a\" COLLATE NOCASE, \"b\" DESC) WHERE \"b\" != ''"),
    );
    check(
        "CREATE UNIQUE INDEX `i` ON `` (`a`)",
        Ok("CREATE UNIQUE INDEX \"i\" ON \"\" (\"a\")"),
    );
    check(
        "CREATE INDEX main.i ON [t] (lower(a), json_extract(a, 'x.y')) WHERE (a IS NOT NULL and b in (1, 2))",
        Ok(
            "CREATE INDEX \"i\" ON \"t\" ((lower(\"a\")), (json_extract(\"a\", 'x.y'))) \
            WHERE (\"a\" IS NOT NULL and \"b\" in(1, 2))",
        ),
    );
}

#[test]
fn what_is_no_index_is_refused() {
    check(
        "CREATE INDEX i ON t (a); DROP TABLE users",
        Err("Sign(\";\") was not expected"),
    );
    check("CREATE INDEX i ON t (nope)", Err("no such column: nope"));
    check(
        "CREATE INDEX i ON t (a) WHERE nope = 1",
        Err("no such column: nope"),
    );
    check(
        "CREATE INDEX i ON t (a) WHERE b IN (SELECT 1)",
        Err("subqueries prohibited in index expressions"),
    );
    check(
        "CREATE INDEX i ON t (readfile(a))",
        Err("no such function: readfile"),
    );
    check(
        "CREATE INDEX `i\"; DROP` ON t (a)",
        Err("Quoted(\"i\\\"; DROP\") is not a name"),
    );
    check("DROP TABLE users", Err("expected \"create\""));
    check("CREATE INDEX `i", Err("a quoted text does not end"));
    check("CREATE INDEX i ON t ()", Err("a column is missing"));
    check("", Err("expected \"create\""));
}

#[test]
fn statements_are_shown_as_pocketbase_shows_them() {
    let check = |statement: &str, expected: &str| {
        assert_eq!(Index::parse(statement).unwrap().shown(), expected);
    };
    check("create index i on t (a)", "CREATE INDEX `i` ON `t` (`a`)");
    check(
        "create unique index i on t (a, b desc) where a != ''",
        "CREATE UNIQUE INDEX `i` ON `t` (\n  `a`,\n  `b` DESC\n) WHERE a != ''",
    );
}
