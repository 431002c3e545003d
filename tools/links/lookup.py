"""Asking a reputation service about a link: opt-in, and never the link itself.

**Privacy.** A look-up sends the link, with its path and query, to the service. That is why none is
made unless a user names the service and gives a key. Sent are only links to public hosts on the
web, without user name, password and fragment.

A service that gives no usable answer (a refusal, a limit, a time-out, something that is not its
protocol) has said nothing: the answer is `no_answer`, never `not_listed`. The reason is in our own
words, because the words of others can hold the key or the link.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

from errors import SettingsError
from tools.links.anatomy import dissect
from tools.links.facts import hosts, is_among, official_domains

if TYPE_CHECKING:
    import ssl

    import httpx

WEB_RISK_URL = "https://webrisk.googleapis.com"
URLHAUS_URL = "https://urlhaus-api.abuse.ch"
WEB_RISK_THREATS = ("MALWARE", "SOCIAL_ENGINEERING", "UNWANTED_SOFTWARE")

_LARGEST_ANSWER = 256 * 1024
_LONGEST_THREAT = 60
_NO_HIT = {"no_results"}
_HIT = {"ok"}

Outcome = Literal["listed", "not_listed", "no_answer"]


@dataclass(frozen=True)
class LookupAnswer:
    """What a reputation service said about a link."""

    service: str
    outcome: Outcome
    threats: tuple[str, ...] = ()
    """What it is listed for, in the words of the service."""
    because: str = ""
    """Why there is no answer."""


Lookup = Callable[[str], LookupAnswer]
"""Ask about one link, in its usual spelling."""


class Secret(Protocol):
    """A key that does not print itself."""

    def get_secret_value(self) -> str:
        """Return the key."""


class LookupSettings(Protocol):
    """What the settings say about look-ups."""

    @property
    def url_lookup(self) -> Sequence[str]:
        """The services to ask."""

    @property
    def webrisk_api_key(self) -> Secret | None:
        """The key for Google Web Risk."""

    @property
    def urlhaus_auth_key(self) -> Secret | None:
        """The key for URLhaus."""


def open_lookups(settings: LookupSettings) -> tuple[Lookup, ...]:
    """The look-ups that a user asked for, usually none.

    Raises:
        SettingsError: A service is named without its key.
    """
    known: dict[str, tuple[Callable[[str], Lookup], Secret | None, str]] = {
        "webrisk": (web_risk, settings.webrisk_api_key, "AMICUS_WEBRISK_API_KEY"),
        "urlhaus": (urlhaus, settings.urlhaus_auth_key, "AMICUS_URLHAUS_AUTH_KEY"),
    }
    lookups = []
    for service in dict.fromkeys(settings.url_lookup):
        make, key, variable = known[service]
        if key is None or not key.get_secret_value():
            raise SettingsError(
                f"AMICUS_URL_LOOKUP names {service}, which needs a key",
                hint=f"set {variable}, or take {service} out of AMICUS_URL_LOOKUP",
            )
        lookups.append(make(key.get_secret_value()))
    return tuple(lookups)


def web_risk(
    key: str, *, base_url: str = WEB_RISK_URL, seconds: float = 3.0, trust_env: bool = True
) -> Lookup:
    """Bind a key to Google Web Risk's `uris:search`.

    Args:
        key: An API key of a project that has Web Risk turned on.
        base_url: Where the service is.
        seconds: How long one answer may take.
        trust_env: Let the proxies of the environment carry the request.
    """
    client = _Client("Google Web Risk", base_url, seconds, trust_env)

    def ask(url: str) -> LookupAnswer:
        answer = client.answer(
            "GET",
            "/v1/uris:search",
            params=[
                ("key", key),
                *(("threatTypes", name) for name in WEB_RISK_THREATS),
                ("uri", url),
            ],
        )
        return answer if isinstance(answer, LookupAnswer) else _read_web_risk(client, answer)

    return ask


def urlhaus(
    key: str, *, base_url: str = URLHAUS_URL, seconds: float = 3.0, trust_env: bool = True
) -> Lookup:
    """Bind a key to URLhaus of abuse.ch: first the link, then its host.

    The host is not asked about where strangers share one (hosting, brands' own domains): some link
    on such a host is always listed.

    Args:
        key: An Auth-Key of abuse.ch.
        base_url: Where the service is.
        seconds: How long one answer may take.
        trust_env: Let the proxies of the environment carry the request.
    """
    client = _Client("URLhaus", base_url, seconds, trust_env)

    def ask_about(path: str, form: Mapping[str, str]) -> LookupAnswer:
        answer = client.answer("POST", path, data=form, headers={"Auth-Key": key})
        return answer if isinstance(answer, LookupAnswer) else _read_urlhaus(client, answer)

    def ask(url: str) -> LookupAnswer:
        answer = ask_about("/v1/url/", {"url": url})
        parts = dissect(url)
        shared = (
            parts.owner.platform
            or is_among(parts.host, hosts("free_hosting") | hosts("shorteners"))
            or parts.registered_domain in official_domains()
        )
        if answer.outcome != "not_listed" or shared:
            return answer
        return ask_about("/v1/host/", {"host": parts.host.strip("[]")})

    return ask


@dataclass(frozen=True)
class _Client:
    """Requests to one service; whatever goes wrong becomes `no_answer`."""

    service: str
    base_url: str
    seconds: float
    trust_env: bool

    def answer(self, method: str, path: str, **request: Any) -> Mapping[str, object] | LookupAnswer:
        """The JSON object that the service sent, or why there is none."""
        import httpx

        deadline = time.monotonic() + self.seconds
        try:
            with (
                _unlogged(),
                httpx.Client(
                    headers={"accept-encoding": "identity"},
                    timeout=self.seconds,
                    follow_redirects=False,
                    trust_env=self.trust_env,
                    verify=_trusted_authorities(),
                ) as client,
                client.stream(method, self.base_url.rstrip("/") + path, **request) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    return self.no_answer(_refusal(response.status_code))
                body = _read_body(response, deadline)
        except httpx.TimeoutException:
            return self.no_answer(f"it took longer than {self.seconds:g} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
            return self.no_answer("it could not be reached")
        if body is None:
            return self.no_answer("its answer was too long or too slow")
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            return self.no_answer("its answer was not JSON")
        return parsed if isinstance(parsed, dict) else self.unexpected()

    def no_answer(self, because: str) -> LookupAnswer:
        return LookupAnswer(self.service, "no_answer", because=because)

    def unexpected(self) -> LookupAnswer:
        return self.no_answer("its answer was not what it documents")

    def listed(self, threats: Sequence[object]) -> LookupAnswer:
        names = [name[:_LONGEST_THREAT] for name in threats if isinstance(name, str) and name]
        return LookupAnswer(self.service, "listed", tuple(dict.fromkeys(names)) or ("listed",))

    def not_listed(self) -> LookupAnswer:
        return LookupAnswer(self.service, "not_listed")


@cache
def _trusted_authorities() -> ssl.SSLContext:
    """Read once: it takes longer than a request does."""
    import httpx

    return httpx.create_ssl_context()


def _read_web_risk(client: _Client, answer: Mapping[str, object]) -> LookupAnswer:
    """`{}` means that nothing is known; a threat names its types."""
    if not answer:
        return client.not_listed()
    threat = answer.get("threat")
    types = threat.get("threatTypes") if isinstance(threat, dict) else None
    return client.listed(types) if isinstance(types, list) and types else client.unexpected()


def _read_urlhaus(client: _Client, answer: Mapping[str, object]) -> LookupAnswer:
    status = answer.get("query_status")
    if status in _NO_HIT:
        return client.not_listed()
    if status not in _HIT:
        return client.unexpected()
    tags = answer.get("tags")
    return client.listed([answer.get("threat"), *(tags if isinstance(tags, list) else [])])


def _refusal(status: int) -> str:
    if status in {401, 403}:
        return f"it refused the key (status {status})"
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return "it was asked too often (status 429)"
    return f"it answered with status {status}"


def _read_body(response: httpx.Response, deadline: float) -> bytes | None:
    """The body as it was sent; None if it is too long, too slow, or packed.

    A packed body was not asked for: a few packed bytes can stand for any number.
    """
    if response.headers.get("content-encoding", "identity") != "identity":
        return None
    body = b""
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > _LARGEST_ANSWER or time.monotonic() > deadline:
            return None
    return body


_quiet = ContextVar("quiet", default=False)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep httpx from logging the address that it asks: it holds the link, and the key."""
    logging.getLogger("httpx").addFilter(_is_loud)
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def _is_loud(_: logging.LogRecord) -> bool:
    return not _quiet.get()
