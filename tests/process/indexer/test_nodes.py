"""Whatever a node answers at the start: one clear line, exit code 1, no key of its URL, and nothing changed."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web

from tests.process.indexer.conftest import DEADLINE_S, DEPOSIT, SECRET, Answer, Indexer, MakeIndexer, MakeNode, Node


def says(body: str, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


async def endless(request: web.Request) -> web.StreamResponse:
    """At a trickle."""
    response = web.StreamResponse()
    await response.prepare(request)
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)


async def flood(request: web.Request) -> web.StreamResponse:
    """As much as the line takes."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 2**20)


async def broken(request: web.Request) -> web.StreamResponse:
    """Ends in the middle."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"result":')
    assert request.transport is not None
    request.transport.abort()
    return response


async def redirect(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"http://elsewhere.invalid/{SECRET}")


async def quoting(request: web.Request) -> web.StreamResponse:
    """As many do that do not know the path."""
    return web.Response(text=f"Cannot POST {request.rel_url}")


async def refusing(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": {"code": -32052, "message": f"API key {SECRET} is not allowed"}})


ANSWERS: dict[str, tuple[Answer, str]] = {
    "html": (says("<html>hello</html>"), "begins '<html>"),
    "limited": (says("", 429, Retry_After="60"), "HTTP 429"),
    "failing": (says("oops", 500), "HTTP 500"),
    "null": (says("null"), "not what was asked for"),
    "null-result": (says('{"jsonrpc":"2.0","id":1,"result":null}'), "not what was asked for"),
    "nested": (says('{"result":' + "[" * 100_000), "not what was asked for"),
    "endless": (endless, "timed out"),
    "flood": (flood, "larger than"),
    "broken": (broken, "ClientPayloadError"),
    "redirect": (redirect, "HTTP 302"),
    "quoting": (quoting, "begins 'Cannot POST"),
    "refusing": (refusing, "-32052 API key"),
}


async def test_a_node_that_makes_no_sense_is_named_without_its_key_and_the_store_is_as_it_was(
    make_indexer: MakeIndexer, make_node: MakeNode, unused_tcp_port: int
) -> None:
    nodes = {name: await make_node() for name in ANSWERS}
    for name, node in nodes.items():
        node.answer = ANSWERS[name][0]
    urls = {name: node.url for name, node in nodes.items()}
    urls["absent"] = f"http://user:{SECRET}@127.0.0.1:{unused_tcp_port}/{SECRET}"
    reasons = {name: reason for name, (_, reason) in ANSWERS.items()} | {"absent": "Cannot connect"}
    indexers = {name: make_indexer(name, url) for name, url in urls.items()}
    # together, because each is tried for a while before it is given up
    done = await asyncio.gather(*(one.run(settings={"RPC_TIMEOUT_S": "1"}) for one in indexers.values()))
    for (name, indexer), ended in zip(indexers.items(), done, strict=True):
        assert reasons[name] in ended.refusal
        assert urls[name].split("@")[1].split("/")[0] in ended.refusal
        assert "VAULT_RPC_URLS" in ended.refusal
        assert indexer.facts() == []


async def test_a_url_that_is_none_is_refused_before_anything_is_made(make_indexer: MakeIndexer) -> None:
    indexer = make_indexer("indexer", f"http://127.0.0.1:1,ftp://user:{SECRET}@host/{SECRET}")
    settings = {"WS_URL": f"https://host/{SECRET}"}
    for command in ("run", "status"):
        said = (await indexer.run(command, settings=settings)).refusal
        assert "VAULT_RPC_URLS: Value error, number 2 is not of the form http://" in said
        assert "VAULT_WS_URL: Value error, it is not of the form ws://" in said
    assert not indexer.path.exists()


async def test_another_cluster_than_the_stores_is_refused_and_the_facts_are_as_they_were(
    indexer: Indexer, node: Node
) -> None:
    running = await indexer.start()
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    await running.stop()
    before = indexer.facts()
    node.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
    said = (await indexer.run()).refusal
    for part in (str(indexer.path), "5eykt4UsFv8P8", "EtWTRABZaYq6", "VAULT_RPC_URLS", "VAULT_EVENT_STORE_URL"):
        assert part in said
    assert indexer.facts() == before


async def test_a_second_endpoint_of_another_chain_is_refused_at_the_start_and_never_read_from_later(
    make_indexer: MakeIndexer, make_node: MakeNode, node: Node
) -> None:
    other = await make_node()
    other.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
    for transaction in list(node.transactions.values())[:3]:
        other.add(transaction | {"slot": transaction["slot"] + 1_000})
    indexer = make_indexer("indexer", f"{node.url},{other.url}")
    assert "another chain" in (await indexer.run()).refusal
    assert indexer.events() == []
    other.answer = says("", 500)
    running = await indexer.start()
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    assert running.logged("endpoint_unusable")
    before = indexer.events()
    other.answer, node.answer = other.honest, says("", 500)
    assert "another chain" in (await running.end()).refusal
    assert indexer.events() == before


async def test_a_node_that_comes_back_with_another_chain_is_never_read_from(indexer: Indexer, node: Node) -> None:
    running = await indexer.start(settings={"RPC_TIMEOUT_S": "1"})
    await running.until(lambda: indexer.covers(node.finalized), "coverage")
    before = indexer.facts()
    node.answer = drop
    await running.until_logged("waiting")
    moved = [transaction | {"slot": transaction["slot"] + 1_000} for transaction in node.transactions.values()]
    node.transactions.clear()
    for transaction in moved:
        node.add(transaction)
    node.answer = node.honest
    said = (await running.end()).refusal
    assert "another chain" in said
    assert indexer.facts() == before


async def test_another_chain_of_the_same_genesis_is_refused_before_the_first_coverage_too(
    indexer: Indexer, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(node, "finalized_block", None)
        running = await indexer.start()
        await running.until(lambda: len(indexer.events()) == 9, "all events")
        await running.stop()
    before = indexer.facts()
    assert indexer.progress().coverage == -1
    node.transactions = {f"other{name}": transaction for name, transaction in node.transactions.items()}
    assert "it does not know signature" in (await indexer.run()).refusal
    assert indexer.facts() == before


async def drop(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_a_program_that_is_not_on_the_cluster_is_named(indexer: Indexer, node: Node) -> None:
    node.is_program = False
    said = (await indexer.run()).refusal
    assert "CVxtopwzPR1UqUTjThq2UqFvfYFxmDsCHpgD6FjcjyGk is no program on this cluster" in said
    assert "check VAULT_PROGRAM_ID and VAULT_RPC_URLS" in said
    assert indexer.facts() == []


NONSENSE: list[tuple[str, object]] = [
    ("getSlot", 2**70),
    ("getSlot", -1),
    ("getBlockTime", 2**70),
    ("getBlock", {"blockhash": 7}),
    ("getSignaturesForAddress", [{"signature": "s", "slot": 2**63}]),
    ("getTransaction", {"slot": 2**63}),
]


async def test_a_nonsense_value_is_waited_over_and_nothing_is_lost(
    indexer: Indexer, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await indexer.start()
    late = node.transactions[DEPOSIT]
    for number, (method, result) in enumerate(NONSENSE):
        await running.until(lambda: indexer.covers(node.finalized), "coverage")
        with monkeypatch.context() as patch:
            patch.setattr(node, method, lambda *_, result=result: result)
            signatures = [f"late{number}"]
            node.add(
                late | {"slot": node.finalized + 1, "transaction": late["transaction"] | {"signatures": signatures}}
            )
            await running.until(was_asked(node, method, 2), f"{method} twice")
    await running.until(lambda: indexer.covers(node.finalized), "coverage after the nonsense")
    await running.stop()
    assert {f"late{number}" for number in range(len(NONSENSE))} < {signature for signature, *_ in indexer.events()}
    with monkeypatch.context() as patch:
        patch.setattr(node, "getSignatureStatuses", lambda *_: {"value": []})
        running = await indexer.start()
        await running.until(was_asked(node, "getSignatureStatuses", 2), "statuses at the start, twice")
    await running.until_logged("started")
    await running.stop()


def was_asked(node: Node, method: str, times: int) -> Callable[[], bool]:
    """From now on."""
    before = len(node.asked)
    return lambda: sum(name == method for name, _ in node.asked[before:]) >= times
