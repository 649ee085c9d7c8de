"""Ratings: once a visit, without the visit, and read by somebody before anyone sees them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from signaling.sql.tables import rated, ratings
from tests.http_api import Api, open_api


async def _held(api: Api) -> tuple[str, str]:
    """A visit that took place, and its patient's token."""
    made = await api.visit()
    facts = await api.store.load(made["id"])
    assert facts is not None
    await api.store.save(
        type(facts)(
            **{name: getattr(facts, name) for name in facts.__struct_fields__}
            | {"phase": "ended", "live": facts.created, "ended_at": facts.created, "seq": 9}
        )
    )
    return made["id"], made["links"]["patient"].split("#")[1]


async def test_a_patient_rates_once_and_nothing_kept_says_which_visit_it_was(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        visit, token = await _held(api)
        rating = {"stars": 4, "text": "说得很清楚"}
        assert await api.call("POST", "/api/v1/ratings", token, json=rating) == (201, {"state": "pending"})
        status, problem = await api.call("POST", "/api/v1/ratings", token, json=rating)
        assert (status, problem["code"]) == (409, "already_rated")
        async with api.store.engine.connect() as db:
            row = (await db.execute(select(ratings))).one()
            assert visit not in map(str, row)
            assert len(row.month) == 7
            assert [tuple(each) for each in await db.execute(select(rated))] == [(visit,)]


async def test_a_rating_is_shown_only_after_somebody_has_read_it(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        _, token = await _held(api)
        await api.call("POST", "/api/v1/ratings", token, json={"stars": 5})
        _, pending = await api.call("GET", "/api/v1/ratings")
        assert [(each["stars"], each["text"], each["state"]) for each in pending["ratings"]] == [(5, None, "pending")]
        assert (await api.call("GET", "/api/v1/ratings?state=shown"))[1]["ratings"] == []
        name = pending["ratings"][0]["id"]
        assert (await api.call("GET", "/api/v1/ratings", token))[0] == 403  # the patient's own link
        token = api.links.desk(600, "coordinator").partition("#")[2]
        status, read = await api.call("POST", f"/api/v1/ratings/{name}/review", token, json={"decision": "shown"})
        assert (status, read["state"]) == (200, "shown")
        doctor = read["doctor"]
        assert len((await api.call("GET", f"/api/v1/ratings?state=shown&doctor={doctor}"))[1]["ratings"]) == 1
        status, problem = await api.call("POST", "/api/v1/ratings/nobody/review", json={"decision": "shown"})
        assert (status, problem["code"]) == (404, "rating_unknown")


async def test_only_the_patient_rates_and_only_a_visit_that_took_place(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        made = await api.visit()
        for role, status, code in (("doctor", 403, "role_wrong"), ("patient", 409, "phase_wrong")):
            token = made["links"][role].split("#")[1]
            said, problem = await api.call("POST", "/api/v1/ratings", token, json={"stars": 1})
            assert (said, problem["code"]) == (status, code)
        _, token = await _held(api)
        for stars in (0, 6):
            assert (await api.call("POST", "/api/v1/ratings", token, json={"stars": stars}))[0] == 400
