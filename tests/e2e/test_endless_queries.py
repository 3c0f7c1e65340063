"""Questions that would run for ever are stopped by time, with an error that says so."""

import concurrent.futures
import json
import time
import urllib.parse

import pytest
from hostile_platform import ANSWER_SECONDS, OFTEN, OPEN, RECORDS, Hostile, envelope
from platform_process import Platform

# As many readers on every machine, and a limit that tests need not wait long for.
READERS = 2
LIMIT_SECONDS = 2
SETTINGS = ("--set", f"database.readers={READERS}", "--set", f"database.statement_timeout_ms={LIMIT_SECONDS * 1000}")
# The console has its own limit.
CONSOLE_SECONDS = 10
# What may be on top of a limit.
MARGIN_SECONDS = 3
# How long somebody else's short question may take meanwhile: it need not wait for a limit.
SHORT_SECONDS = LIMIT_SECONDS
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as id from n"
MEMBERS = 150
# Everybody is linked with everybody: six steps make 150⁶ ways.
WAYS = "links." * 5 + "name"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("endless") / "data", *OFTEN, *SETTINGS) as platform:
        hostile = Hostile(platform)
        mesh = {"name": "mesh", "type": "base", "fields": [{"name": "name", "type": "text"}], **OPEN}
        made = platform.request("POST", "/api/collections", mesh, hostile.token)
        links = {"name": "links", "type": "relation", "collectionId": made["id"], "maxSelect": 999}
        platform.request("PATCH", "/api/collections/mesh", {"fields": [*made["fields"], links]}, hostile.token)
        numbers = f"with recursive n(i) as (select 1 union all select i + 1 from n limit {MEMBERS})"
        for query in (
            f"insert into mesh (id, name) {numbers} select printf('m%014d', i), 'n' || i from n",
            "update mesh set links = (select json_group_array(id) from mesh)",
        ):
            platform.request("POST", "/api/sql", {"query": query}, hostile.token)
        yield hostile


@pytest.fixture(autouse=True)
def nothing_is_harmed(hostile):
    hostile.collections = hostile.names_of_collections()
    yield
    hostile.unharmed()


def timed(ask):
    began = time.monotonic()
    answer = ask()
    return time.monotonic() - began, answer


def watched(hostile, *asks):
    """Asks all at once; their times and answers, and the longest time of short questions meanwhile."""
    slowest = 0
    with concurrent.futures.ThreadPoolExecutor(len(asks)) as pool:
        running = [pool.submit(timed, ask) for ask in asks]
        # As long as the long ones run, short ones are asked.
        while concurrent.futures.wait(running, timeout=0.1).not_done:
            seconds, (status, _, body) = timed(lambda: hostile.send("GET", f"{RECORDS}?fields=id"))
            assert status == 200, body
            slowest = max(slowest, seconds)
    return [future.result() for future in running], slowest


def post(hostile, path, body):
    return lambda: hostile.send("POST", path, json.dumps(body), Authorization=hostile.token)


def find(hostile, **query):
    return lambda: hostile.send("GET", f"/api/collections/mesh/records?{urllib.parse.urlencode(query)}")


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        ("/api/sql", {"query": ENDLESS}, CONSOLE_SECONDS),
        ("/api/collections/meta/dry-run-view", {"query": ENDLESS}, LIMIT_SECONDS),
        ("/api/collections", {"name": "endless", "type": "view", "viewQuery": ENDLESS}, LIMIT_SECONDS),
    ],
)
def test_an_administrators_query_is_stopped(hostile, path, body, limit):
    [(seconds, (status, _, told))], slowest = watched(hostile, post(hostile, path, body))
    assert status == 400, told
    message = json.dumps(envelope(told, status))
    assert "too long" in message or "ran longer than" in message, message
    assert seconds < limit + MARGIN_SECONDS
    assert slowest < SHORT_SECONDS, "nobody waits for it"


QUESTIONS = {
    "any of them": {"filter": f"{WAYS} ?= 'nobody'"},
    "all of them": {"filter": f"{WAYS} != 'nobody'"},
    "without a count": {"filter": f"{WAYS} != 'nobody'", "skipTotal": 1},
    "an order": {"sort": WAYS},
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_guests_question_is_stopped(hostile, what):
    [(seconds, (status, _, told))], slowest = watched(hostile, find(hostile, **QUESTIONS[what]))
    assert status >= 400, told[:300]
    envelope(told, status)
    assert seconds < LIMIT_SECONDS + MARGIN_SECONDS
    assert slowest < SHORT_SECONDS, "nobody waits for it"


def test_who_asks_too_much_is_told_so(hostile):
    status, headers, told = find(hostile, **QUESTIONS["all of them"])()
    assert "busy" not in envelope(told, status)["message"]
    assert headers["Retry-After"] is None


def test_many_questions_without_end_leave_room_for_short_ones(hostile):
    asked = [find(hostile, **QUESTIONS["all of them"])] * READERS * 3
    _, slowest = watched(hostile, *asked)
    assert slowest < SHORT_SECONDS


def test_texts_and_expansions_have_an_end(hostile):
    for query in (
        {"filter": "name ~ '" + "%a" * 1_000 + "'"},
        {"expand": "links.links.links.links.links.links", "perPage": 500},
        {"expand": "mesh_via_links.mesh_via_links.mesh_via_links", "perPage": 500},
    ):
        [(seconds, (status, _, told))], slowest = watched(hostile, find(hostile, **query))
        assert status in (200, 400), told[:300]
        assert seconds < ANSWER_SECONDS, query
        assert slowest < SHORT_SECONDS, "nobody waits for it"
