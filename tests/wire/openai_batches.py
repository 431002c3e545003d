"""OpenAI's files and batches as the server side sees them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.wire import openai_wire
from tests.wire.answers import Answer, Broken, Refused
from tests.wire.batches import Batching, Fate, Job, React, Result, as_json, json_line
from tests.wire.loopback import Received, Sent
from tests.wire.problem import ProblemError, known_only, required

ENDPOINT = "/v1/chat/completions"
_DAY = 86_400
_MOST_METADATA, _LONGEST_NAME, _LONGEST_VALUE = 16, 64, 512
_NAME = re.compile(rb'name="([^"]*)"')
_GIVEN_BACK: Mapping[Fate, tuple[str, str]] = {
    "expired": (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
    "canceled": ("batch_cancelled", "This request was cancelled."),
}


def answer(  # noqa: PLR0911 (one return for every address)
    received: Received, batching: Batching, react: React
) -> Sent | None:
    """Answer a request about files or batches; None leaves it to others.

    Raises:
        ProblemError: The request is wrong.
    """
    path, _, query = received.path.partition("?")
    match [received.method, *(unquote(part) for part in path.split("/")[1:])]:
        case ["POST", "v1", "files"]:
            return _uploaded(received, batching)
        case ["GET", "v1", "files", file_id, "content"]:
            return Sent(200, {"content-type": "application/octet-stream"}, _file(batching, file_id))
        case ["POST", "v1", "batches"]:
            return as_json(_opened(received, batching))
        case ["GET", "v1", "batches"]:
            return as_json(_listed(parse_qs(query), batching))
        case ["GET", "v1", "batches", batch_id]:
            job = _job(batching, batch_id)
            batching.look(job, react)
            _write_files(job, batching)
            return as_json(_batch(job, batching))
        case ["POST", "v1", "batches", batch_id, "cancel"]:
            job = _job(batching, batch_id)
            job.is_cancelled = True
            return as_json(_batch(job, batching))
    return None


def _uploaded(received: Received, batching: Batching) -> Sent:
    form = _form(received)
    if form.get("purpose") != b"batch" or "file" not in form:
        raise ProblemError("Invalid value for 'purpose'.", param="purpose")
    file_id = f"file-{len(batching.files)}"
    batching.files[file_id] = form["file"]
    described = {
        "id": file_id,
        "object": "file",
        "bytes": len(form["file"]),
        "created_at": int(batching.now()),
        "filename": "requests.jsonl",
        "purpose": "batch",
        "status": "processed",
    }
    return as_json(described)


def _form(received: Received) -> dict[str, bytes]:
    """The fields of a multipart form (RFC 7578), by their names."""
    kind, _, boundary = received.headers.get("content-type", "").partition("; boundary=")
    if kind != "multipart/form-data" or not boundary:
        raise ProblemError("The request is no multipart form.")
    fields = {}
    for part in received.body.split(b"--" + boundary.encode())[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name:
            fields[name[1].decode()] = data.removesuffix(b"\r\n")
    return fields


def _file(batching: Batching, file_id: str) -> bytes:
    if file_id not in batching.files:
        raise ProblemError(f"No such File object: {file_id}", status=404, param="id")
    return batching.files[file_id]


def _opened(received: Received, batching: Batching) -> dict[str, Any]:
    try:
        body = json.loads(received.body)
    except ValueError:
        raise ProblemError("We could not parse the JSON body of your request.") from None
    known_only(body, {"completion_window", "endpoint", "input_file_id", "metadata"})
    if required(body, "completion_window", str) != "24h":
        raise ProblemError("Invalid value for 'completion_window'.", param="completion_window")
    if required(body, "endpoint", str) != ENDPOINT:
        raise ProblemError("Invalid value for 'endpoint'.", param="endpoint")
    metadata = body.get("metadata")
    _check_metadata(metadata or {})
    file_id = required(body, "input_file_id", str)
    requests, problem = _read(_file(batching, file_id))
    job = batching.open(
        "openai", requests, metadata=metadata, input_file_id=file_id, problem=problem
    )
    return _batch(job, batching)


def _check_metadata(metadata: Mapping[str, object]) -> None:
    for name, value in metadata.items():
        if not isinstance(value, str) or len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE:
            raise ProblemError(f"Invalid 'metadata.{name}'.", param="metadata")
    if len(metadata) > _MOST_METADATA:
        raise ProblemError("Invalid 'metadata': too many properties.", param="metadata")


def _read(file: bytes) -> tuple[list[tuple[str, Any]], tuple[str, str] | None]:
    """The requests in a file, or code and words of what is wrong with it, found out later."""
    requests: list[tuple[str, Any]] = []
    for number, line in enumerate(file.splitlines(), 1):
        try:
            entry = json.loads(line)
            requests.append((entry["custom_id"], entry["body"]))
        except (ValueError, KeyError, TypeError):
            return [], ("invalid_json_line", f"Line {number} is not parseable as valid JSON.")
        if (entry.get("method"), entry.get("url")) != ("POST", ENDPOINT):
            return [], ("invalid_url", f"The URL of line {number} does not match the endpoint.")
    if not requests:
        return [], ("empty_file", "The input file is empty.")
    if len({custom_id for custom_id, _ in requests}) < len(requests):
        return [], ("duplicate_custom_id", "Each custom_id must be unique.")
    if len({body.get("model") for _, body in requests}) > 1:
        return [], ("mismatched_model", "A batch may hold requests to one model only.")
    return requests, None


def _job(batching: Batching, batch_id: str) -> Job:
    job = batching.job("openai", batch_id)
    if job is None:
        raise ProblemError(f"No batch found with id '{batch_id}'.", status=404)
    return job


def _listed(query: Mapping[str, list[str]], batching: Batching) -> dict[str, Any]:
    limit = int(query.get("limit", ["20"])[0])
    jobs, has_more = batching.page("openai", query.get("after", [""])[0], limit)
    return {
        "object": "list",
        "data": [_batch(job, batching) for job in jobs],
        "has_more": has_more,
    }


def _batch(job: Job, batching: Batching) -> dict[str, Any]:
    names = {"output": f"file-{job.id}-output", "error": f"file-{job.id}-error"}
    errors = None
    if job.problem and job.looks:
        code, words = job.problem
        wrong = {"code": code, "line": None, "message": words, "param": None}
        errors = {"object": "list", "data": [wrong]}
    return {
        "id": job.id,
        "object": "batch",
        "endpoint": ENDPOINT,
        "errors": errors,
        "input_file_id": job.input_file_id,
        "completion_window": "24h",
        "status": _status(job),
        "output_file_id": names["output"] if names["output"] in batching.files else None,
        "error_file_id": names["error"] if names["error"] in batching.files else None,
        "created_at": int(job.created_at),
        "expires_at": int(job.created_at) + _DAY,
        "request_counts": {
            "total": len(job.requests) if job.looks else 0,
            "completed": job.count("answered"),
            "failed": job.count("errored", "expired", "canceled", "missing"),
        },
        "metadata": job.metadata,
    }


def _status(job: Job) -> str:
    if job.problem and job.looks:
        return "failed"
    if job.results is None:
        return "cancelling" if job.is_cancelled else "in_progress" if job.looks else "validating"
    if job.is_cancelled:
        return "cancelled"
    return "expired" if job.count("expired") else "completed"


def _write_files(job: Job, batching: Batching) -> None:
    """Put what became of a batch into its files, the first time it has ended."""
    output, error = f"file-{job.id}-output", f"file-{job.id}-error"
    if job.results is None or output in batching.files or error in batching.files:
        return
    lines = [(result.fate, _line(at, result)) for at, result in enumerate(job.results)]
    good = [line for fate, line in lines if fate == "answered"]
    bad = [line for fate, line in lines if fate not in {"answered", "missing"}]
    good += batching.strays(job)
    if good:
        batching.files[output] = batching.mixed(good)
    if bad:
        batching.files[error] = batching.mixed(bad)


def _line(at: int, result: Result) -> bytes:
    line: dict[str, Any] = {"id": f"batch_req_{at}", "custom_id": result.custom_id}
    if result.fate in _GIVEN_BACK:
        code, words = _GIVEN_BACK[result.fate]
        return json_line(line | {"response": None, "error": {"code": code, "message": words}})
    match result.reaction:
        case Broken() as broken:
            return broken.body
        case Answer() as answered if result.asked:
            status, body = 200, openai_wire.completion(answered, result.asked)
        case Refused() as refused:
            status, body = refused.status, openai_wire.error_body(refused)
        case _:
            return b""  # nothing is known of it
    response = {"status_code": status, "request_id": f"req_{at}", "body": body}
    return json_line(line | {"response": response, "error": None})
