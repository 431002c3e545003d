"""The ways to ask a language model from many threads that `bench_throughput` compares."""

from __future__ import annotations

import atexit
import http.client
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from agent.llm.anthropic_provider import AnthropicProvider
from agent.llm.breaker import CircuitBreaker
from agent.llm.exchange import Message, Provider, Request
from agent.llm.limiter import Limiter
from agent.llm.openai_provider import OpenAIProvider
from agent.llm.retrying import RetryingProvider

Ask = Callable[[str], object]
"""Asks about one case and returns when there is an answer; raises where there is none."""
Client = Callable[[str, int], Ask]
"""Opens a way to ask the server at an address, for so many threads."""

POLICY = "Content may not call for violence against people, whoever they are. " * 180
CASE = "A post of ordinary length that somebody has reported, with its context. " * 8
KEY = "sk-bench"


def request(case: str) -> Request:
    """Return a question of the size of a real one."""
    return Request(system=("You review content.", POLICY), messages=(Message("user", case + CASE),))


def _openai_body(case: str) -> dict[str, Any]:
    system = {"role": "system", "content": f"You review content.\n\n{POLICY}"}
    return {"model": "any", "messages": [system, {"role": "user", "content": case + CASE}]}


def _anthropic_body(case: str) -> dict[str, Any]:
    turns = [{"role": "user", "content": case + CASE}]
    return {"model": "any", "max_tokens": 500, "system": POLICY, "messages": turns}


def amicus_openai(url: str, threads: int) -> Ask:
    """Open what Amicus uses: provider, limiter, breaker and retries together."""
    return _patient(OpenAIProvider("any", key=KEY, base_url=f"{url}/v1"), threads)


def amicus_anthropic(url: str, threads: int) -> Ask:
    """Open the same for the other protocol."""
    return _patient(AnthropicProvider("any", key=KEY, base_url=url), threads)


def _patient(inner: Provider, threads: int) -> Ask:
    provider = RetryingProvider(inner, Limiter(threads), CircuitBreaker(inner.name))
    return lambda case: provider.send(request(case))


def openai_as_it_comes(url: str, threads: int) -> Ask:  # noqa: ARG001 (a client has this form)
    """Open one client of the openai SDK, with all its defaults, for all threads."""
    return _openai(url)


def openai_tuned_pool(url: str, threads: int) -> Ask:
    """Open the SDK over httpx with a pool of as many connections as there are threads."""
    import httpx

    limits = httpx.Limits(max_connections=threads, max_keepalive_connections=threads)
    return _openai(url, http_client=httpx.Client(limits=limits, timeout=60))


def openai_httpx2(url: str, threads: int) -> Ask:
    """Open the SDK over httpx2 with such a pool."""
    import httpx2

    limits = httpx2.Limits(max_connections=threads, max_keepalive_connections=threads)
    return _openai(url, http_client=httpx2.Client(limits=limits, timeout=60))


def openai_client_a_thread(url: str, threads: int) -> Ask:  # noqa: ARG001
    """Open a client of the SDK in every thread."""
    own = threading.local()

    def ask(case: str) -> object:
        if not hasattr(own, "ask"):
            own.ask = _openai(url)
        return own.ask(case)

    return ask


def openai_over_aiohttp(url: str, threads: int) -> Ask:
    """Open the SDK over aiohttp, which runs in a loop of its own beside the threads."""
    import asyncio

    import aiohttp
    import httpx2

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def opened() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=threads))

    session = asyncio.run_coroutine_threadsafe(opened(), loop).result()
    atexit.register(lambda: asyncio.run_coroutine_threadsafe(session.close(), loop).result())

    class Bridge(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            async def exchange() -> httpx2.Response:
                headers = dict(request.headers)
                async with session.post(
                    str(request.url), data=request.read(), headers=headers
                ) as got:
                    body = await got.read()
                    return httpx2.Response(got.status, headers=dict(got.headers), content=body)

            return asyncio.run_coroutine_threadsafe(exchange(), loop).result()

    return _openai(url, http_client=httpx2.Client(transport=Bridge(), timeout=60))


def openai_plain_sockets(url: str, threads: int) -> Ask:  # noqa: ARG001
    """Open the SDK, its typed method, over our transport."""
    from agent.llm.transport import open_http_client

    return _openai(url, http_client=open_http_client(url))


def _openai(url: str, **options: Any) -> Ask:
    import openai

    client = openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", **options)
    return lambda case: client.chat.completions.create(**_openai_body(case))


def anthropic_as_it_comes(url: str, threads: int) -> Ask:  # noqa: ARG001
    """Open one client of the anthropic SDK, with all its defaults, for all threads."""
    import anthropic

    client = anthropic.Anthropic(api_key=KEY, base_url=url)
    return lambda case: client.messages.create(**_anthropic_body(case))


def bare_sockets(url: str, threads: int) -> Ask:  # noqa: ARG001
    """Open the standard library's client in every thread: what this machine can do at best."""
    parts = urlsplit(url)
    own = threading.local()

    def ask(case: str) -> object:
        if not hasattr(own, "http"):
            own.http = http.client.HTTPConnection(parts.hostname or "", parts.port)
        body = json.dumps(_openai_body(case)).encode()
        headers = {"authorization": f"Bearer {KEY}"}
        own.http.request("POST", "/v1/chat/completions", body, headers)
        return json.loads(own.http.getresponse().read())

    return ask


TRANSPORTS: Mapping[str, Client] = {
    "no SDK, bare sockets": bare_sockets,
    "Amicus, openai": amicus_openai,
    "Amicus, anthropic": amicus_anthropic,
    "openai SDK as it comes": openai_as_it_comes,
    "openai SDK, tuned httpx pool": openai_tuned_pool,
    "openai SDK, httpx2": openai_httpx2,
    "openai SDK, a client a thread": openai_client_a_thread,
    "openai SDK, aiohttp in a loop": openai_over_aiohttp,
    "openai SDK, our sockets": openai_plain_sockets,
    "anthropic SDK as it comes": anthropic_as_it_comes,
}
PATIENT: Mapping[str, Client] = {
    "Amicus, openai": amicus_openai,
    "Amicus, anthropic": amicus_anthropic,
    "openai SDK as it comes": openai_as_it_comes,
    "anthropic SDK as it comes": anthropic_as_it_comes,
}
