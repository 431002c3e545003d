"""Google Web Risk and URLhaus on this machine, as far as their documentation describes them.

Web Risk: `GET /v1/uris:search?key=…&threatTypes=…&uri=…` answers `{}` or a threat with its types;
400 without its parameters, 403 for a bad key. https://cloud.google.com/web-risk/docs/lookup-api

URLhaus: `POST /v1/url/` and `POST /v1/host/` with an `Auth-Key` header and a form; `query_status`
is `ok`, `no_results`, `invalid_url` or `invalid_host`; 401 for a bad key.
https://urlhaus-api.abuse.ch/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from gzip import compress
from typing import Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.wire.loopback import Received, Sent, listening

KEY = "key-of-nobody-4f1d"
THREAT_TYPES = frozenset(
    {"MALWARE", "SOCIAL_ENGINEERING", "UNWANTED_SOFTWARE", "SOCIAL_ENGINEERING_EXTENDED_COVERAGE"}
)

Mood = Literal[
    "well",
    "refusing",
    "limiting",
    "broken",
    "moved",
    "garbled",
    "a list",
    "foreign",
    "deep",
    "packed",
    "endless",
    "late",
    "dripping",
    "cut short",
    "hanging up",
]


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass
class ReputationService:
    """What the service knows, how it feels today, and what it was asked."""

    address: str = ""
    threats: dict[str, list[str]] = field(default_factory=dict)
    """Link → Web Risk's threat types."""
    malware: dict[str, list[str]] = field(default_factory=dict)
    """Link → URLhaus' tags."""
    malware_hosts: set[str] = field(default_factory=set)
    mood: Mood = "well"
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def reputation_service() -> Iterator[ReputationService]:
    """Both services on one port of this machine, for as long as the block lasts."""
    service = ReputationService()

    async def answer(received: Received) -> Sent:
        asked = _read(received)
        service.asked.append(asked)
        known = _web_risk if asked.path == "/v1/uris:search" else _urlhaus
        status, told = known(service, asked)
        good = Sent(status, body=json.dumps(told).encode())
        if "gzip" in asked.headers.get("accept-encoding", ""):
            # Real services pack an answer for whoever takes packed ones.
            good = replace(good, headers={"content-encoding": "gzip"}, body=compress(good.body))
        return _moods(service.address, good)[service.mood]

    with listening(answer) as service.address:
        yield service


def _read(received: Received) -> Asked:
    parts = urlsplit(received.path)
    return Asked(
        method=received.method,
        path=parts.path,
        query=parse_qs(parts.query, keep_blank_values=True),
        form=dict(parse_qsl(received.body.decode(), keep_blank_values=True)),
        headers=received.headers,
    )


def _moods(address: str, good: Sent) -> Mapping[Mood, Sent]:
    return {
        "well": good,
        "refusing": Sent(403, body=b'{"error": {"message": "no"}}'),
        "limiting": Sent(429, {"retry-after": "60"}, b"{}"),
        "broken": Sent(500, body=b"{}"),
        "moved": Sent(302, {"location": f"{address}/elsewhere"}, b"{}"),
        "garbled": Sent(body=b"<html>busy</html>"),
        "a list": Sent(body=b"[]"),
        "foreign": Sent(body=b'{"status": "fine"}'),
        "deep": Sent(body=b"[" * 100_000),
        "packed": Sent(200, {"content-encoding": "gzip"}, b"\x1f\x8b\x08\x00"),
        "endless": Sent(body=b" " * 1_000_000 + b"{}"),
        "late": Sent(body=good.body, after=5.0),
        "dripping": Sent(body=b" " * 500 + good.body, drip=0.02),
        "cut short": Sent(200, body=good.body + b" " * 100, cut_at=1),
        "hanging up": Sent(reset=True),
    }


def _web_risk(service: ReputationService, asked: Asked) -> tuple[int, object]:
    if asked.query.get("key") != [KEY]:
        return 403, {"error": {"code": 403, "message": "bad key", "status": "PERMISSION_DENIED"}}
    wanted, links = set(asked.query.get("threatTypes", [])), asked.query.get("uri", [])
    if not wanted or not wanted <= THREAT_TYPES or len(links) != 1:
        return 400, {"error": {"code": 400, "message": "bad request", "status": "INVALID_ARGUMENT"}}
    found = [name for name in service.threats.get(links[0], []) if name in wanted]
    if not found:
        return 200, {}
    return 200, {"threat": {"threatTypes": found, "expireTime": "2030-01-01T00:00:00.000000000Z"}}


def _urlhaus(service: ReputationService, asked: Asked) -> tuple[int, object]:
    if asked.headers.get("auth-key") != KEY:
        return 401, {"error": "Unauthorized"}
    if asked.path == "/v1/url/":
        link = asked.form.get("url", "")
        if not link.startswith("http"):
            return 200, {"query_status": "invalid_url"}
        if link not in service.malware:
            return 200, {"query_status": "no_results"}
        return 200, {
            "query_status": "ok",
            "url": link,
            "url_status": "online",
            "threat": "malware_download",
            "tags": service.malware[link] or None,
        }
    host = asked.form.get("host", "")
    if not host:
        return 200, {"query_status": "invalid_host"}
    known = host in service.malware_hosts
    return 200, {"query_status": "ok", "host": host} if known else {"query_status": "no_results"}
