"""The demo visit of `teleconsult serve --demo`: made over the HTTP API like any other, with the hospital's key."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import urllib.request
from collections.abc import Iterator
from typing import Any

from config.pinned import pinned
from config.secrets import secret_text
from config.settings import Settings

PEOPLE = {
    "doctor": {
        "id": "demo-doctor",
        "name": "李敏",
        "title": "主治医师",
        "department": "内科",
        "licence": "110312345678217",
    },
    "patient": {"id": "demo-patient", "name": "王桂英", "age": 68, "sex": "female", "complaint": "头晕三天，晨起明显"},
    "summary": {
        "allergies": [{"substance": "青霉素", "reaction": "全身皮疹", "severity": "severe"}],
        "conditions": [{"name": "高血压", "since": "2014 年"}, {"name": "2 型糖尿病", "since": "2019 年"}],
        "medication": [
            {"name": "苯磺酸氨氯地平片", "dosage": "5 mg，每日 1 次"},
            {"name": "盐酸二甲双胍片", "dosage": "0.5 g，每日 2 次"},
        ],
        "weight_kg": 62,
    },
}


class Here:
    """Our own HTTP API, reached directly, past any proxy that `public_url` may name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._base = settings.url_at("127.0.0.1" if settings.everywhere else settings.host)

    @contextlib.contextmanager
    def open(self, path: str, body: object = None, within_s: float = 10.0) -> Iterator[Any]:
        """An answered request; with a body it is a POST. Raises `OSError` for whatever is no success."""
        headers = {"Content-Type": "application/json"}
        if body is not None:
            headers["Authorization"] = f"Bearer {secret_text(self._settings.keys / 'api.key')}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._base}{path}", data=data, headers=headers)  # noqa: S310
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._context())
        )
        try:
            with opener.open(request, timeout=within_s) as answer:
                yield answer
        except http.client.HTTPException as error:
            raise OSError(f"no HTTP answer: {type(error).__name__}") from error

    def _context(self) -> ssl.SSLContext | None:
        """As the certificate is now: it may have been renewed."""
        certificate = self._settings.tls_cert
        return None if self._settings.tls == "off" or certificate is None else pinned(certificate)


def demo_links(settings: Settings) -> dict[str, str]:
    """Links for doctor, patient and auditor of a new visit, and for a coordinator of them all. Raises `OSError`."""
    here = Here(settings)
    with here.open("/api/v1/visits", PEOPLE) as answer:
        links: dict[str, str] = json.load(answer)["links"]
    with here.open("/api/v1/links", {"role": "coordinator"}) as answer:
        links["coordinator"] = json.load(answer)["link"]
    return links
