"""What every `VisitStore` must do; here the SQL one, over SQLite and over PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from signaling.law.facts import Consent, Contact, Contacts, Ending, Prescription, VisitFacts
from signaling.law.summary import Allergy, Summary
from signaling.ports import Access, IdempotencyConflict, StoreAway, VisitStore
from signaling.sql.database import open_engine
from signaling.sql.store import CursorInvalid, SqlVisitStore
from tests.http_api import open_store, some_visit
from tests.postgresql.server import Postgresql


def created(second: int) -> str:
    return f"2026-05-04T09:{second // 60:02d}:{second % 60:02d}.123Z"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'visits.db'}"
    server: Postgresql = request.getfixturevalue("postgresql")
    return server.database()


@pytest.fixture
async def store(tmp_path: Path, url: str) -> AsyncIterator[SqlVisitStore]:
    async with open_store(tmp_path, url) as opened:
        yield opened


async def test_what_is_stored_comes_back_whole(store: VisitStore) -> None:
    facts = some_visit(
        "v1",
        created=created(0),
        scheduled=created(5),
        consents={"patient": Consent("agreed", "2026-05", "ab", "zh", "tap", created(3))},
        phase="ended",
        seq=17,
        entered=created(1),
        live=created(2),
        ended_at=created(4),
        ended=Ending("patient", "left"),
        log_open=True,
        links_epoch=2,
        promised_until=created(6),
        guests={"guest-1": "family"},
        admitted={"guest-1": 3},
        came={"guest-1": "2026-05-04T09:21:00.000Z"},
        late="doctor",
        phone_back=created(7),
        rebook=created(7),
        held=True,
        advice="三天后复诊",
        notes="脉细",
        summary=Summary(allergies=[Allergy("青霉素", "皮疹", "severe")], medication=[]),
        prescriptions=[Prescription("rx-1", 2, "ab" * 32, "signed", "claimed", "cd" * 32, created(8))],
        rx_due=created(9),
        moved_to="v9",
        moved_from="v0",
        contacts=Contacts(Contact("县人民医院", "0571-88776655"), None),
    )
    await store.create(facts, None, "")
    assert await store.load("v1") == facts
    assert await store.load("nobody") is None


def test_the_example_above_says_every_fact() -> None:
    said = some_visit("v1", scheduled="x", consents={"a": Consent()}, phase="ended", seq=1, entered="x", live="x")
    said = msgspec.structs.replace(said, ended_at="x", ended=Ending("patient", "left"), log_open=True, links_epoch=2)
    said = msgspec.structs.replace(said, guests={"guest-1": "family"}, admitted={"guest-1": 1}, came={"guest-1": "x"})
    more = {
        "promised_until": "x",
        "late": "doctor",
        "phone_back": "x",
        "rebook": "x",
        "held": True,
        "advice": "x",
        "notes": "x",
        "rx_due": "x",
        "moved_to": "x",
        "moved_from": "x",
    }
    more |= {"contacts": Contacts(), "summary": Summary()}
    said = msgspec.structs.replace(said, **more, prescriptions=[Prescription("rx", 1, "ab", "signed", "claimed")])
    default = some_visit("v1")
    optional = [one.name for one in msgspec.structs.fields(VisitFacts) if not one.required]
    assert [name for name in optional if getattr(said, name) == getattr(default, name)] == []


async def test_a_doctors_last_visits_are_those_that_went_live_and_ended(store: VisitStore) -> None:
    for number in range(4):
        times = {"live": created(number), "ended_at": created(10 + number), "phase": "ended"}
        await store.create(some_visit(f"v{number}", **times), None, "")
    await store.create(some_visit("never", phase="ended", ended_at=created(20)), None, "")
    await store.create(some_visit("live", phase="live", live=created(1)), None, "")
    assert [facts.id for facts in await store.past_of("d-1", 3)] == ["v3", "v2", "v1"]
    assert await store.past_of("d-2", 3) == []


async def test_one_key_makes_one_visit(store: VisitStore) -> None:
    first = await store.create(some_visit("v1"), "key", "body")
    assert (await store.create(some_visit("v2"), "key", "body")).id == first.id
    assert await store.load("v2") is None


async def test_a_key_with_another_body_is_a_conflict_and_stores_nothing(store: VisitStore) -> None:
    await store.create(some_visit("v1"), "key", "body")
    with pytest.raises(IdempotencyConflict):
        await store.create(some_visit("v2"), "key", "another")
    assert await store.load("v2") is None


async def test_many_at_once_with_one_key_all_get_the_same_visit(store: VisitStore) -> None:
    made = await asyncio.gather(*(store.create(some_visit(f"v{number}"), "key", "body") for number in range(20)))
    assert len({facts.id for facts in made}) == 1
    assert len((await store.page(50, None)).visits) == 1


async def test_an_older_state_never_overwrites_a_newer_one(store: VisitStore) -> None:
    facts = await store.create(some_visit("v1", seq=5), None, "")
    await store.save(msgspec.structs.replace(facts, seq=7, phase="waiting"))
    await store.save(msgspec.structs.replace(facts, seq=6, phase="ended"))
    found = await store.load("v1")
    assert found is not None
    assert (found.seq, found.phase) == (7, "waiting")


async def test_revoked_links_stay_revoked_whatever_is_saved(store: VisitStore) -> None:
    facts = await store.create(some_visit("v1"), None, "")
    assert await store.revoke_links("v1") == 1
    assert await store.revoke_links("v1") == 2
    assert await store.revoke_links("nobody") is None
    await store.save(msgspec.structs.replace(facts, seq=1))
    found = await store.load("v1")
    assert found is not None
    assert (found.seq, found.links_epoch) == (1, 2)


async def test_pages_are_newest_first_and_whole_even_among_equal_times(store: VisitStore) -> None:
    for number in range(25):
        await store.create(some_visit(f"v{number:02d}", created=created(number // 5)), None, "")
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.page(4, cursor)
        seen += [facts.id for facts in page.visits]
        cursor = page.next
        if cursor is None:
            break
    assert seen == sorted((f"v{number:02d}" for number in range(25)), reverse=True)


async def test_a_page_may_be_of_one_phase(store: VisitStore) -> None:
    await store.create(some_visit("v1", phase="waiting"), None, "")
    await store.create(some_visit("v2"), None, "")
    assert [facts.id for facts in (await store.page(10, None, "waiting")).visits] == ["v1"]


@pytest.mark.parametrize("cursor", ["", "x", "1.v1", "1790000000000.", "1790000000000.v1\n", "1790000000000.v 1"])
async def test_a_cursor_of_nobodys_is_refused(store: VisitStore, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        await store.page(10, cursor)


async def test_a_start_takes_up_what_is_unfinished(store: VisitStore) -> None:
    await store.create(some_visit("scheduled"), None, "")
    await store.create(some_visit("waiting", created(1), phase="waiting"), None, "")
    await store.create(some_visit("live", created(2), phase="live"), None, "")
    await store.create(some_visit("ended", created(3), phase="ended"), None, "")
    await store.create(some_visit("closing", created(4), phase="ended", log_open=True), None, "")
    assert [facts.id for facts in await store.open_visits()] == ["waiting", "live", "closing"]


async def test_a_doctors_queue_is_theirs_longest_wait_first(store: VisitStore) -> None:
    await store.create(some_visit("b", phase="waiting", entered=created(2)), None, "")
    await store.create(some_visit("a", phase="live", entered=created(1)), None, "")
    await store.create(some_visit("c", phase="ended", entered=created(0)), None, "")
    assert [facts.id for facts in await store.queue_of("d-1")] == ["a", "b"]
    assert await store.queue_of("d-2") == []


async def test_what_nobody_came_to_is_overdue_once_its_links_have_run_out(store: SqlVisitStore) -> None:
    await store.create(some_visit("late", expires=created(10)), None, "")
    await store.create(some_visit("later", expires=created(11)), None, "")
    await store.create(some_visit("not yet", expires=created(60)), None, "")
    await store.create(some_visit("live", phase="live", expires=created(10)), None, "")
    assert await store.overdue(created(30), 10) == ["late", "later"]
    assert await store.overdue(created(30), 1) == ["late"]


async def test_every_look_is_kept_latest_first(store: SqlVisitStore) -> None:
    await store.log_access(Access(created(1), "auditor-1", "auditor", "v1", "recording"))
    await store.log_access(Access(created(2), "auditor-2", "auditor", "v1", "bundle"))
    await store.log_access(Access(created(3), "auditor-2", "auditor", None, "list"))
    looks = await store.accesses_of("v1")
    assert [(look.who, look.what, look.at) for look in looks] == [
        ("auditor-2", "bundle", created(2)),
        ("auditor-1", "recording", created(1)),
    ]


async def test_facts_survive_a_new_start(tmp_path: Path, url: str) -> None:
    async with open_store(tmp_path, url) as store:
        await store.create(some_visit("v1", created=created(1)), "key", "body")
    async with open_store(tmp_path, url) as store:
        assert (await store.create(some_visit("v2"), "key", "body")).id == "v1"


async def test_a_database_that_cannot_be_reached_is_a_typed_error(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    store = SqlVisitStore(open_engine(f"sqlite+aiosqlite:///{tmp_path}/nowhere/visits.db"))
    assert not await store.answers()
    with pytest.raises(StoreAway):
        await store.load("v1")
    with pytest.raises(StoreAway):
        await store.create(some_visit("v1"), "key", "body")
    await store.close()
    # The driver does not wait for the thread of a connection that failed; the loop must not be closed under it.
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
