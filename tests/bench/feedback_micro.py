"""What transport-wide feedback costs: `python -m tests.bench.feedback_micro [--rounds N]`.

A visit in virtual time (`tests.lab.visit`: sound, pictures of a camera, probes, a browser that is held up now and then) is
noted down on links of several kinds, and played again with nothing but its feedback: what comes goes through `parse` and
`Downlink.hear`, what leaves through `Arrivals`. Prints
µs a message and a packet: the best of the rounds, hot, without sockets.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace

from media.congestion.downlink import Downlink
from media.congestion.twcc import Arrivals, parse
from tests.lab.link import Forecast, Weather
from tests.lab.visit import Camera, Visit

SECONDS, WARM_S = 30.0, 5.0
BASE = Weather(delay_s=0.04, jitter_s=0.002)
LINKS = {
    "wide": replace(BASE, rate_bps=8e6, queue_s=0.3),
    "500 kbit/s": replace(BASE, rate_bps=5e5, queue_s=0.3),
    "10 % random": replace(BASE, loss=0.1),
}


class _Noted(Downlink):
    """A downlink that writes down what is done with it."""

    __slots__ = ("done",)

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.done: list[tuple[float, int, int | None]] = []

    def number(self, now: float, size: int) -> int:
        self.done.append((now, size, self.probing))
        return super().number(now, size)


def _visit(
    weather: Weather,
) -> tuple[list[tuple[float, int, int | None]], list[tuple[float, bytes]], list[tuple[int, float]]]:
    """Packets that left, messages that came, and what arrived at the other side, each with its time."""
    visit = Visit(Forecast.steady(weather), Forecast.steady(BASE), 1, camera=Camera())
    noted = visit.downlink = _Noted(0.0)
    noted.want(2.4e6)
    came: list[tuple[float, bytes]] = []
    arrived: list[tuple[int, float]] = []
    back, collects = visit._back, visit._arrivals
    pop, hear = back.pop, collects.hear

    def popped(now: float) -> list[bytes]:
        told = pop(now)
        came.extend((now, message) for message in told)
        return told

    def heard(number: int, at: float) -> None:
        arrived.append((number, at))
        hear(number, at)

    back.pop, collects.hear = popped, heard  # type: ignore[method-assign]
    visit.run(SECONDS)
    return noted.done, came, arrived


def _hearing(sent: list[tuple[float, int, int | None]], came: list[tuple[float, bytes]]) -> tuple[float, int]:
    """Seconds spent on the messages after the warm-up, and how many those are."""
    downlink, clock, place = Downlink(0.0), time.perf_counter, 0
    downlink.want(2.4e6)
    downlink.begin(0.0)
    spent, count = 0.0, 0
    for at, message in came:
        while place < len(sent) and sent[place][0] <= at:
            downlink.probing = sent[place][2]
            downlink.number(sent[place][0], sent[place][1])
            place += 1
        began = clock()
        downlink.hear(parse(message), at)
        if at >= WARM_S:
            spent += clock() - began
            count += 1
    return spent, count


def _telling(arrived: list[tuple[int, float]]) -> tuple[float, float, int]:
    """Seconds spent on noting arrivals and on writing, and how many messages were written."""
    arrivals, clock, due = Arrivals(), time.perf_counter, 0.05
    noting = writing = 0.0
    count, place = 0, 0
    while place < len(arrived):
        begins = place
        while place < len(arrived) and arrived[place][1] < due:
            place += 1
        due += 0.05
        began = clock()
        for number, at in arrived[begins:place]:
            arrivals.hear(number, at)
        noted = clock()
        count += arrivals.write(1, 2) is not None
        writing += clock() - noted
        noting += noted - began
    return noting, writing, count


def main() -> None:
    """Run and print JSON."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rounds", type=int, default=7)
    rounds = given.parse_args().rounds
    found = {}
    for name, weather in LINKS.items():
        sent, came, arrived = _visit(weather)
        heard = min(_hearing(sent, came) for _ in range(rounds))
        told = min((_telling(arrived) for _ in range(rounds)), key=lambda times: times[0] + times[1])
        packets = sum(len(parse(message).arrivals) for at, message in came if at >= WARM_S) / heard[1]
        found[name] = {
            "packets a message": round(packets, 1),
            "heard, us a message": round(heard[0] / heard[1] * 1e6, 1),
            "heard, us a packet": round(heard[0] / heard[1] / packets * 1e6, 2),
            "noted, us a packet": round(told[0] / len(arrived) * 1e6, 2),
            "written, us a message": round(told[1] / told[2] * 1e6, 1),
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
