"""Installations of the real PocketBase are taken over: what was there is here, and works."""

import json
import signal
import sqlite3
import subprocess
import time

from platform_process import ADMIN as OUR_ADMIN
from platform_process import ENVIRONMENT, Platform
from platform_process import PASSWORD as OUR_PASSWORD
from pocketbase_process import ADMIN, PASSWORD, PocketBase, call, sign_in

# A PNG of one pixel, so that the type of the file is found in its bytes.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360"
    "60f8cf00000301010018dd8db40000000049454e44ae426082"
)
MEMBER = "ann@example.com"
MEMBER_PASSWORD = "the password of a member"
KEY = "0123456789abcdef0123456789abcdef"


def field(name, kind, **options):
    return {"name": name, "type": kind, **options}


def seed(old):
    """Collections of every kind with records, files and accounts; returns what a client holds."""
    authors = old.ok("POST", "/api/collections", {
        "name": "authors",
        "type": "auth",
        "fields": [field("nick", "text", max=40), field("portrait", "file", maxSelect=1)],
        "indexes": ["CREATE UNIQUE INDEX `idx_nick` ON `authors` (`nick`) WHERE `nick` != ''"],
        "listRule": "", "viewRule": "", "updateRule": "id = @request.auth.id",
        "passwordAuth": {"enabled": True, "identityFields": ["email", "nick"]},
        "otp": {"enabled": True, "duration": 120, "length": 6},
    })
    posts = old.ok("POST", "/api/collections", {
        "name": "posts",
        "type": "base",
        "listRule": "author = @request.auth.id || public = true", "viewRule": "public = true",
        "createRule": "@request.auth.id != '' && author = @request.auth.id",
        "fields": [
            field("title", "text", required=True), field("body", "editor"), field("score", "number"),
            field("public", "bool"), field("contact", "email"), field("link", "url"), field("due", "date"),
            field("tags", "select", maxSelect=3, values=["a", "b", "c"]),
            field("state", "select", maxSelect=1, values=["new", "old"]),
            field("author", "relation", collectionId=authors["id"], maxSelect=1, cascadeDelete=True),
            field("readers", "relation", collectionId=authors["id"], maxSelect=9),
            field("files", "file", maxSelect=5, thumbs=["10x10"]),
            field("secret", "file", maxSelect=1, protected=True),
            field("extra", "json"), field("place", "geoPoint"),
            field("created", "autodate", onCreate=True), field("updated", "autodate", onCreate=True, onUpdate=True),
        ],
        "indexes": ["CREATE INDEX `idx_due` ON `posts` (`due`)"],
    })
    old.ok("POST", "/api/collections", {
        "name": "numbers", "type": "view", "listRule": "",
        "viewQuery": "SELECT author AS id, COUNT(*) AS total, MAX(score) AS best FROM posts GROUP BY author",
    })
    members = []
    for number in range(3):
        body = {
            "email": MEMBER if number == 0 else f"member{number}@example.com", "verified": number == 0,
            "nick": f"nick{number}", "password": MEMBER_PASSWORD, "passwordConfirm": MEMBER_PASSWORD,
        }
        path = "/api/collections/authors/records"
        members.append(old.ok("POST", path, body, [("portrait", f"p{number}.png", PIXEL)]))
    for number in range(7):
        body = {
            "title": f"Post {number} — ünïcode \U0001f600", "body": "<p>words</p>" * number, "score": number * 1.5,
            "public": number % 2 == 0, "contact": "c@example.com", "link": "https://example.com/a?b=c",
            "due": "2026-01-02 03:04:05.678Z", "tags": ["a", "c"], "state": "new",
            "author": members[number % 3]["id"], "readers": [member["id"] for member in members],
            "extra": [None, 1, "text", {"a": [True]}][number % 4], "place": {"lon": 8.5, "lat": 47.3},
        }
        created = old.ok("POST", "/api/collections/posts/records", body)
        if number < 4:
            files = [("files", "one.txt", b"one" * 50_000), ("files", "dot.png", PIXEL), ("secret", "s.txt", b"secret")]
            old.ok("PATCH", f"/api/collections/posts/records/{created['id']}", None, files)
    old.ok("PATCH", "/api/settings", {
        "meta": {"appName": "The old place", "appURL": "https://old.example.com", "senderName": "Old",
                 "senderAddress": "old@example.com"},
        "smtp": {"enabled": True, "host": "mail.example.com", "port": 2525, "username": "u", "password": "p"},
        "batch": {"enabled": True, "maxRequests": 7, "timeout": 2},
        "rateLimits": {"enabled": False, "rules": [{"label": "posts:create", "duration": 9, "maxRequests": 8}]},
        "backups": {"cron": "0 3 * * *", "cronMaxKeep": 4},
    })
    path = f"/api/collections/authors/impersonate/{members[1]['id']}"
    return {
        "member": old.sign_in("authors", MEMBER, MEMBER_PASSWORD),
        "admin": old.token,
        "impersonated": old.ok("POST", path, {"duration": 3_600})["token"],
        "last": members[2]["id"],
        "posts": posts["id"],
    }


COLLECTIONS = ["authors", "posts", "numbers", "users", "_superusers"]


def everything(base, token):
    """Definitions, records and files, as an administrator sees them."""
    found = {}
    for name in COLLECTIONS:
        status, definition = call(base, "GET", f"/api/collections/{name}", token=token)
        assert status == 200, definition
        for changing in ("created", "updated"):
            definition.pop(changing)
        status, records = call(base, "GET", f"/api/collections/{name}/records?perPage=500&sort=id", token=token)
        assert status == 200, records
        found[name] = {"definition": definition, "records": records["items"]}
        if name == "_superusers":
            found[name]["records"] = [record for record in records["items"] if record["email"] == ADMIN]
        for record in records["items"]:
            files = [record.get("portrait", ""), record.get("secret", ""), *record.get("files", [])]
            for file in filter(None, files):
                _, file_token = call(base, "POST", "/api/files/token", token=token)
                path = f"/api/files/{name}/{record['id']}/{file}?token={file_token['token']}"
                status, content = call(base, "GET", path, token=token)
                assert status == 200, (path, content)
                found[path.split("?")[0]] = content
    status, settings = call(base, "GET", "/api/settings", token=token)
    assert status == 200
    for group in ("meta", "smtp", "batch", "rateLimits", "logs"):
        found[f"settings.{group}"] = settings[group]
    return found


def run(platform, *arguments, expect=0, **environment):
    done = subprocess.run(
        platform.command("import", "pocketbase", *arguments),
        capture_output=True, text=True, timeout=120, env={**ENVIRONMENT, **environment},
    )
    assert done.returncode == expect, done.stderr
    return done


def report(platform, *arguments, **environment):
    return json.loads(run(platform, *arguments, "--json", **environment).stdout)


def counts(found):
    return {taken["name"]: (taken["records"], taken["replaced"], taken["refused"]) for taken in found["collections"]}


def api(platform):
    return f"http://{platform.ready['services']['api']}"


def test_an_installation_goes_on_here(tmp_path):
    old = PocketBase(tmp_path / "pb_data")
    held = seed(old)
    before = everything(old.base, old.token)
    # The first pass runs beside it, the second after it has stopped.
    with Platform(tmp_path / "data") as platform:
        platform.create_admin()
        base = api(platform)
        dry = report(platform, str(tmp_path), "--dry-run")
        assert dry["dry_run"] and counts(dry)["posts"] == (7, 0, 0), dry
        assert call(base, "GET", "/api/collections/posts", token=platform.sign_in())[0] == 404
        first = report(platform, str(tmp_path))
        assert counts(first)["posts"] == (7, 0, 0) and counts(first)["authors"] == (3, 0, 0), first
        assert first["problems"] == dry["problems"], first
        refresh = "/api/collections/authors/auth-refresh"
        session = sign_in(base, "authors", "nick2", MEMBER_PASSWORD)
        assert call(base, "POST", refresh, token=session)[0] == 200
        late = old.ok("POST", "/api/collections/posts/records", {"title": "Late", "public": True})
        new = {"password": "another password here", "passwordConfirm": "another password here"}
        old.ok("PATCH", f"/api/collections/authors/records/{held['last']}", new)
        changed = everything(old.base, old.token)
        old.stop()
        second = report(platform, str(tmp_path / "pb_data"))
        assert counts(second)["posts"] == (8, 7, 0) and counts(second)["authors"] == (3, 3, 0), second
        assert [taken["files"] for taken in second["collections"] if taken["name"] == "posts"] == [12]
        here = everything(base, platform.sign_in())
        assert here.keys() == changed.keys()
        for key in changed:
            assert here[key] == changed[key], key
        assert before.keys() <= here.keys() and late["id"] in str(here["posts"]["records"])
        # Tokens from before work, also to get new ones; so do passwords, whose hash is then ours.
        for collection, token in (("authors", held["member"]), ("_superusers", held["admin"])):
            status, answer = call(base, "POST", f"/api/collections/{collection}/auth-refresh", token=token)
            assert status == 200, answer
        # Tokens of impersonation stay what they are until they expire.
        status, answer = call(base, "POST", refresh, token=held["impersonated"])
        assert (status, answer.get("token")) == (200, held["impersonated"]), answer
        # A password that was changed over there has ended the sessions here.
        assert call(base, "POST", refresh, token=session)[0] == 401
        assert not sign_in(base, "authors", "nick2", MEMBER_PASSWORD)
        assert sign_in(base, "authors", "nick2", new["password"])
        status, mine = call(base, "GET", "/api/collections/posts/records", token=held["member"])
        assert status == 200 and mine["totalItems"] == 6, mine
        for _ in range(2):
            assert sign_in(base, "authors", "nick0", MEMBER_PASSWORD)
            assert sign_in(base, "_superusers", ADMIN, PASSWORD)
        assert not sign_in(base, "authors", MEMBER, "another password")
        assert set(second["settings"]) >= {"meta", "smtp", "batch", "rateLimits", "backups", "logs"}


def spoil(folder):
    """What hands and other versions leave in an installation."""
    data = sqlite3.connect(folder / "data.db")
    with data:
        update = "UPDATE _collections SET {} = ? WHERE name = ?"
        data.execute(update.format("createRule"), ("nonsense(title) = 1", "posts"))
        data.execute(update.format("indexes"), (json.dumps([
            "CREATE INDEX `idx due` ON `posts` (`due`)",
            "CREATE INDEX `idx_score` ON `posts` (`score`)",
        ]), "posts"))
        data.execute(
            "INSERT INTO _collections (id, type, name, listRule, options) VALUES (?, 'view', 'broken', '', ?)",
            ("brokenviewabcde", json.dumps({"viewQuery": "SELECT id, no_such_function(title) AS x FROM posts"})),
        )
        rows = [row[0] for row in data.execute("SELECT id FROM posts ORDER BY title")]
        data.execute("UPDATE posts SET files = ? WHERE id = ?", ('["../../../data.db","gone_abc.txt"]', rows[6]))
        data.execute("UPDATE posts SET score = 'many' WHERE id = ?", (rows[5],))
        data.execute("UPDATE posts SET title = ? WHERE id = ?", (b"\xff\xfe", rows[4]))
        data.execute("UPDATE _superusers SET email = ?", (OUR_ADMIN,))
    data.close()
    (folder.parent / "pb_hooks").mkdir()
    (folder.parent / "pb_hooks" / "main.pb.js").write_text("")


def test_what_cannot_be_taken_is_named_and_the_rest_is_here(tmp_path):
    folder = tmp_path / "pb_data"
    old = PocketBase(folder, "--encryptionEnv=PB_KEY", environment={"PB_KEY": KEY})
    seed(old)
    old.stop()
    spoil(folder)
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with Platform(tmp_path / "data") as platform:
        platform.create_admin()
        data, settings = platform.data, platform.settings
    # Nobody runs: the command does it by itself.
    platform.settings = settings
    found = report(platform, str(folder))
    problems = {problem["place"]: problem["reason"] for problem in found["problems"]}
    assert "encrypted" in problems["settings"], problems
    assert found["settings"] == []
    # A dry run sees what is in the way here.
    dry = report(platform, str(folder), "--dry-run")
    assert counts(dry)["_superusers"] == (0, 0, 1) and counts(dry)["posts"] == (7, 7, 0), dry
    found = report(platform, str(folder), "--encryption-env", "PB_KEY", PB_KEY=KEY)
    assert "meta" in found["settings"]
    text = json.dumps(found["problems"])
    for words in ("createRule is locked", "idx due", "pb_hooks", "no file name", "the file is missing",
                  "no number became 0", "must be unique", "no_such_function"):
        assert words in text, (words, text)
    assert counts(found)["posts"] == (7, 7, 0) and counts(found)["_superusers"] == (0, 0, 1), found
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == stamps, "pb_data was touched"
    wrong = run(platform, str(folder), "--encryption-env", "PB_KEY", PB_KEY="x" * 32)
    assert "not the one" in wrong.stdout
    assert "no variable" in run(platform, str(folder), "--encryption-env", "PB_KEY", expect=1).stderr
    assert "no data.db" in run(platform, str(tmp_path / "data"), expect=1).stderr
    with Platform(data) as platform:
        base, token = api(platform), platform.sign_in()
        status, posts = call(base, "GET", "/api/collections/posts", token=token)
        assert status == 200 and posts["createRule"] is None and posts["viewRule"] == "public = true"
        assert [index for index in posts["indexes"] if "idx_score" in index]
        assert call(base, "GET", "/api/collections/broken", token=token)[0] == 404
        assert sign_in(base, "authors", MEMBER, MEMBER_PASSWORD)
        assert sign_in(base, "_superusers", OUR_ADMIN, OUR_PASSWORD)


def test_an_import_that_ends_early_is_finished_by_the_next(tmp_path):
    folder = tmp_path / "pb_data"
    old = PocketBase(folder)
    old.ok("POST", "/api/collections", {
        "name": "many", "type": "base", "listRule": "",
        "fields": [field("title", "text"), field("paper", "file", maxSelect=1)],
    })
    collection = old.ok("GET", "/api/collections/many")["id"]
    old.stop()
    rows = 4_000
    data = sqlite3.connect(folder / "data.db")
    with data:
        for number in range(rows):
            name = f"paper_{number:06}.txt" if number % 8 == 0 else ""
            data.execute("INSERT INTO many (id, title, paper) VALUES (?, ?, ?)", (f"r{number:014}", "t" * 200, name))
            if name:
                paper = folder / "storage" / collection / f"r{number:014}" / name
                paper.parent.mkdir(parents=True)
                paper.write_bytes(b"paper %d" % number * 3_000)
    data.close()
    platform = Platform(tmp_path / "data")
    platform.create_admin()
    for number, kill in enumerate([signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]):
        importing = subprocess.Popen(
            platform.command("import", "pocketbase", str(folder)),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        )
        # The import has come to the records when it tells of them.
        said = importing.stderr.readline()
        while said and "many: " not in said:
            said = importing.stderr.readline()
        assert "of 4000 records" in said, said
        time.sleep(0.15 * number)
        platform.process.send_signal(kill)
        platform.process.wait()
        code, said = importing.wait(timeout=30), importing.stderr.read()
        assert code == 0 or (code == 1 and "import again" in said), (code, said)
        platform = Platform(tmp_path / "data")
    with platform:
        found = report(platform, str(folder))
        assert counts(found)["many"][0] == rows, found
        assert [problem["place"] for problem in found["problems"]] == ["auxiliary.db", "_authOrigins"], found
        status, page = call(api(platform), "GET", "/api/collections/many/records?perPage=1")
        assert status == 200 and page["totalItems"] == rows
        for number in range(0, rows, 80):
            path = f"/api/files/many/r{number:014}/paper_{number:06}.txt"
            assert call(api(platform), "GET", path) == (200, b"paper %d" % number * 3_000), path


