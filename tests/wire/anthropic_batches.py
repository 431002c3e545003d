"""Anthropic's batches of messages as the server side sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.wire import anthropic_wire
from tests.wire.answers import Answer, Broken, Refused
from tests.wire.batches import Batching, Job, React, Result, as_json, json_line, stamp
from tests.wire.loopback import Received, Sent
from tests.wire.problem import TOOL_NAME, ProblemError, known_only, required

_DAY = 86_400
_BATCHES = ["v1", "messages", "batches"]


def answer(  # noqa: PLR0911 (one return for every address)
    received: Received, batching: Batching, react: React
) -> Sent | None:
    """Answer a request about batches; None leaves it to others.

    Raises:
        ProblemError: The request is wrong.
    """
    path, _, query = received.path.partition("?")
    parts = [unquote(part) for part in path.split("/")[1:]]
    if parts[:3] != _BATCHES:
        return None
    match [received.method, *parts[3:]]:
        case ["POST"]:
            return as_json(_batch(_opened(received, batching), received))
        case ["GET"]:
            return as_json(_listed(parse_qs(query), batching, received))
        case ["GET", batch_id]:
            job = _job(batching, batch_id)
            batching.look(job, react)
            return as_json(_batch(job, received))
        case ["GET", batch_id, "results"]:
            return _results(_job(batching, batch_id), batching)
        case ["POST", batch_id, "cancel"]:
            job = _job(batching, batch_id)
            job.is_cancelled = True
            return as_json(_batch(job, received))
    return None


def _opened(received: Received, batching: Batching) -> Job:
    try:
        body = json.loads(received.body)
    except ValueError:
        raise ProblemError("the body is no JSON") from None
    known_only(body, {"requests"})
    entries = required(body, "requests", list)
    if not entries:
        raise ProblemError("requests: List should have at least 1 item")
    requests = [_checked(entry, at) for at, entry in enumerate(entries)]
    if len({custom_id for custom_id, _ in requests}) < len(requests):
        raise ProblemError("requests: custom_id must be unique")
    return batching.open("anthropic", requests)


def _checked(entry: Mapping[str, Any], at: int) -> tuple[str, Any]:
    known_only(entry, {"custom_id", "params"}, f"requests.{at}")
    custom_id = required(entry, "custom_id", str)
    if not TOOL_NAME.fullmatch(custom_id):  # the same letters and the same length
        raise ProblemError(
            f"requests.{at}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
        )
    return custom_id, required(entry, "params", dict)


def _job(batching: Batching, batch_id: str) -> Job:
    job = batching.job("anthropic", batch_id)
    if job is None:
        raise ProblemError(f"batch_id: Batch '{batch_id}' not found", status=404)
    return job


def _listed(
    query: Mapping[str, list[str]], batching: Batching, received: Received
) -> dict[str, Any]:
    limit = int(query.get("limit", ["20"])[0])
    jobs, has_more = batching.page("anthropic", query.get("after_id", [""])[0], limit)
    return {
        "data": [_batch(job, received) for job in jobs],
        "has_more": has_more,
        "first_id": jobs[0].id if jobs else None,
        "last_id": jobs[-1].id if jobs else None,
    }


def _batch(job: Job, received: Received) -> dict[str, Any]:
    has_ended = job.results is not None
    status = "ended" if has_ended else "canceling" if job.is_cancelled else "in_progress"
    host = received.headers.get("host", "")
    return {
        "id": job.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": {
            "processing": 0 if has_ended else len(job.requests),
            "succeeded": job.count("answered"),
            "errored": job.count("errored"),
            "canceled": job.count("canceled"),
            "expired": job.count("expired", "missing"),
        },
        "created_at": stamp(job.created_at),
        "expires_at": stamp(job.created_at + _DAY),
        "ended_at": stamp(job.created_at) if has_ended else None,
        "cancel_initiated_at": None,
        "archived_at": None,
        "results_url": f"http://{host}/v1/messages/batches/{job.id}/results" if has_ended else None,
    }


def _results(job: Job, batching: Batching) -> Sent:
    if job.results is None:
        raise ProblemError(f"Batch {job.id} has no results yet", status=404)
    known = [result for result in job.results if result.fate != "missing"]
    lines = [*map(_line, known), *batching.strays(job)]
    return Sent(200, {"content-type": "application/x-jsonl"}, batching.mixed(lines))


def _line(result: Result) -> bytes:
    match result.reaction:
        case Broken() as broken:
            return broken.body
        case Answer() as answered if result.asked:
            message = anthropic_wire.message(answered, result.asked)
            became: dict[str, Any] = {"type": "succeeded", "message": message}
        case Refused() as refused:
            became = {"type": "errored", "error": anthropic_wire.error_body(refused)}
        case _:
            became = {"type": result.fate}
    return json_line({"custom_id": result.custom_id, "result": became})
