//! Cases for `fields`.

use serde_json::json;

use super::*;

/// What the real PocketBase answered.
#[test]
fn picks_are_those_of_pocketbase() {
    let all = || {
        json!({"id": "1", "title": "  Hello   World & <b>bold</b>  ", "n": 5, "tags": ["aa", "bb"],
            "j": {"a": {"b": 1, "c": [{"d": 1, "e": 2}, {"d": 3}]}, "s": "<i>x y z</i>"}})
    };
    let check = |fields: &str, expected: Value| {
        assert_eq!(parse(fields).err(), None, "{fields}");
        assert_eq!(pick(all(), fields), expected, "{fields}");
    };
    let with_title = |title: &str| {
        let mut all = all();
        all["title"] = json!(title);
        all
    };
    check("", all());
    check(",", all());
    check("*", all());
    check("id", json!({"id": "1"}));
    check(" id , n ", json!({"id": "1", "n": 5}));
    check("nope", json!({}));
    check("ID", json!({}));
    check(".", json!({}));
    check("n.x", json!({"n": 5}));
    check("tags.0", json!({"tags": ["aa", "bb"]}));
    check(
        "j.a.b,j.s",
        json!({"j": {"a": {"b": 1}, "s": "<i>x y z</i>"}}),
    );
    check("j.a.c.d", json!({"j": {"a": {"c": [{"d": 1}, {"d": 3}]}}}));
    check("j.*", json!({"j": all()["j"]}));
    check("j.*.b", json!({"j": {}}));
    check("j..a", json!({"j": {}}));
    check("*.a", json!({}));
    check("j,j.s", json!({"j": all()["j"]}));
    check("j.s,j", json!({"j": all()["j"]}));
    check("title:excerpt(3)", json!({"title": "Hel"}));
    check("title:excerpt(7,true)", json!({"title": "Hello W..."}));
    check("title:excerpt(11,true)", json!({"title": "Hello World..."}));
    check(
        "title:excerpt(12, true)",
        json!({"title": "Hello World..."}),
    );
    check("title:excerpt(3,1)", json!({"title": "Hel..."}));
    check("title:excerpt(3,yes)", json!({"title": "Hel"}));
    check("title,title:excerpt(3)", json!({"title": "Hel"}));
    check("*,title:excerpt(3)", with_title("Hel"));
    check("title:excerpt(3),*", with_title("Hel"));
    check("j.s:excerpt(3)", json!({"j": {"s": "x y"}}));
    check("n:excerpt(3)", json!({"n": 5}));
    check("j:excerpt(3)", json!({"j": all()["j"]}));
    check("tags:excerpt(1)", json!({"tags": ["aa", "bb"]}));
    let mut short = with_title("Hel");
    short["id"] = json!("1");
    check("*:excerpt(3)", short);
}

#[test]
fn what_cannot_be_read_is_refused() {
    for fields in [
        "title:",
        "title:excerpt",
        "title:excerpt()",
        "title:excerpt(0)",
        "title:excerpt(-1)",
        "title:excerpt(a)",
        "title:excerpt(1,2,3)",
        "title:excerpt(3",
        "title:nope(3)",
        "title:excerpt(5,true):excerpt(2)",
        "id,title:excerpt(1)x",
    ] {
        assert_eq!(parse(fields), Err(Malformed), "{fields}");
        assert_eq!(pick(json!({"id": "1"}), fields), json!({"id": "1"}));
    }
    assert_eq!(parse(&"a".repeat(8_001)), Err(Malformed));
    let many: Vec<String> = (0..501).map(|number| number.to_string()).collect();
    assert_eq!(parse(&many.join(",")), Err(Malformed));
}

#[test]
fn the_fields_of_a_page_stay() {
    let page = json!({"page": 1, "items": [{"id": "1", "a": 2}, {"id": "2"}]});
    assert_eq!(
        pick_items(page, "a,page"),
        json!({"page": 1, "items": [{"a": 2}, {}]})
    );
}
