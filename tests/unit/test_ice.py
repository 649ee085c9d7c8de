"""ICE-lite: who is let in, and where we send."""

from __future__ import annotations

from media.plane import IceCredentials
from media.transports import stun
from media.transports.ice import MAX_PATHS, IceLite, packed

LOCAL = IceCredentials("ours", "p" * 22)
NEW = IceCredentials("anew", "q" * 22)
HERE = (b"\x7f\x00\x00\x01", 9)


def check(
    agent: IceLite[str],
    path: str,
    *,
    to: IceCredentials = LOCAL,
    nominate: bool = False,
    password: str = "",
    n: int = -1,
) -> tuple[bool, bool]:
    """(accepted, moved) of one check; `n` names its transaction."""
    check.count = getattr(check, "count", 0) + 1  # type: ignore[attr-defined]
    transaction = (check.count if n < 0 else n + (1 << 40)).to_bytes(12, "big")  # type: ignore[attr-defined]
    key = stun.ShortTermKey(password or to.pwd)
    datagram = stun.binding_request(transaction, f"{to.ufrag}:theirs", key, 1, nominate)
    answer = agent.check(datagram, stun.parse(datagram), path, HERE)
    kind = stun.parse(answer.reply).kind
    assert kind == (stun.BINDING_SUCCESS if answer.accepted else stun.BINDING_ERROR)
    return answer.accepted, answer.moved


def test_the_first_validated_address_is_used_until_one_is_nominated() -> None:
    agent: IceLite[str] = IceLite(LOCAL)
    assert check(agent, "a") == (True, True)
    assert check(agent, "b") == (True, False)
    assert check(agent, "b", nominate=True) == (True, True)
    assert check(agent, "a") == (True, False)
    assert (agent.selected, list(agent.paths)) == ("b", ["a", "b"])


def test_a_wrong_password_validates_nothing() -> None:
    agent: IceLite[str] = IceLite(LOCAL)
    assert check(agent, "a", nominate=True, password="wrong") == (False, False)
    assert (agent.selected, agent.paths) == (None, {})


def test_a_check_repeated_from_elsewhere_gains_nothing() -> None:
    agent: IceLite[str] = IceLite(LOCAL)
    assert check(agent, "a", nominate=True, n=1) == (True, True)
    assert check(agent, "a", nominate=True, n=1) == (True, False), "a retransmission"
    assert check(agent, "thief", nominate=True, n=1) == (False, False)
    assert list(agent.paths) == ["a"]


def test_old_credentials_work_until_the_new_have_been_seen() -> None:
    agent: IceLite[str] = IceLite(LOCAL)
    check(agent, "a")
    assert agent.restart(NEW) is None
    assert agent.fragments == ["anew", "ours"]
    assert check(agent, "a") == (True, False)
    assert check(agent, "b", to=NEW, nominate=True) == (True, True)
    assert agent.fragments == ["anew"]
    assert check(agent, "a") == (False, False)


def test_the_first_check_after_a_restart_moves_us_and_the_next_ones_must_nominate() -> None:
    agent: IceLite[str] = IceLite(LOCAL)
    check(agent, "a", nominate=True)
    agent.restart(NEW)
    assert check(agent, "b") == (True, False), "with the old credentials nothing moves unasked"
    assert check(agent, "c", to=NEW, password="wrong") == (False, False)
    assert check(agent, "c", to=NEW) == (True, True)
    assert check(agent, "d", to=NEW) == (True, False)
    assert check(agent, "d", to=NEW, nominate=True) == (True, True)


def test_addresses_are_bounded_and_the_one_in_use_stays() -> None:
    agent: IceLite[int] = IceLite(LOCAL)
    for n in range(MAX_PATHS + 5):
        check(agent, n)  # type: ignore[arg-type]
    assert len(agent.paths) == MAX_PATHS
    assert agent.selected == 0
    assert 0 in agent.paths


def test_addresses_are_packed_with_or_without_a_zone() -> None:
    assert packed("127.0.0.1") == b"\x7f\x00\x00\x01"
    assert packed("fe80::1%eth0") == b"\xfe\x80" + bytes(13) + b"\x01"
