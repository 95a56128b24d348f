"""The store around the generations: one catalog, changed by compare-and-set, and exclusive rights to write."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from projections.catalog import change_catalog
from projections.errors import CatalogMoved, ProjectorRunning, ReadModelsUnavailable
from projections.open import open_store
from projections.store import Catalog, GenerationEntry, ReadModelStore
from tests.contract.projections.conftest import Opener

HOLD = (
    "import sys; from projections.open import open_store\n"
    "store = open_store(sys.argv[1], create=True); store.hold('vaults', 'host one, process 7')\n"
    "print('held', flush=True); sys.stdin.read()"
)
ADD = (
    "import asyncio, sys; from projections.open import open_store; from projections.catalog import change_catalog\n"
    "from projections.store import GenerationEntry\n"
    "def add(c):\n"
    "    entry = GenerationEntry(number=c.next_number('vaults'), version=1, state='kept', since_s=0)\n"
    "    return c.with_generations('vaults', [*c.of('vaults'), entry])\n"
    "async def main():\n"
    "    store = open_store(sys.argv[1], create=True)\n"
    "    for _ in range(5): await change_catalog(store, add)\n"
    "asyncio.run(main())"
)


def entry(number: int) -> GenerationEntry:
    return GenerationEntry(number=number, version=1, state="live", since_s=1.5)


async def test_a_reader_says_that_there_are_no_read_models_yet(url: str) -> None:
    with pytest.raises(ReadModelsUnavailable, match="is vault-projector running there"):
        open_store(url, create=False)


async def test_an_empty_store_has_an_empty_catalog(models: ReadModelStore) -> None:
    catalog = await models.catalog()
    assert catalog == Catalog()
    assert catalog.live("vaults") is None
    assert catalog.next_number("vaults") == 1


async def test_a_catalog_is_replaced_by_who_saw_the_one_before(models: ReadModelStore, open_models: Opener) -> None:
    other = open_models()
    seen = await other.catalog()
    first = (await models.catalog()).with_generations("vaults", [entry(1)])
    await models.replace_catalog(first)
    assert await other.catalog() == first
    with pytest.raises(CatalogMoved):
        await other.replace_catalog(seen.with_generations("vaults", [entry(2)]))
    assert await models.catalog() == first
    await other.replace_catalog(first.with_generations("transactions", [entry(1)]))
    assert (await models.catalog()).live("vaults") == entry(1), "other projections are left as they were"


async def test_a_change_of_the_catalog_is_tried_again_when_another_was_first(
    models: ReadModelStore, open_models: Opener
) -> None:
    other = open_models()
    overtaken = asyncio.Event()

    class Overtaken:
        """The other process is first, once."""

        def __getattr__(self, name: str) -> object:
            return getattr(models, name)

        async def replace_catalog(self, new: Catalog) -> None:
            if not overtaken.is_set():
                overtaken.set()
                await other.replace_catalog((await other.catalog()).with_generations("transactions", [entry(4)]))
            await models.replace_catalog(new)

    store: ReadModelStore = Overtaken()  # type: ignore[assignment]  # the rest is delegated
    changed = await change_catalog(store, lambda c: c.with_generations("vaults", [entry(c.next_number("vaults"))]))
    assert (changed.live("vaults"), changed.live("transactions")) == (entry(1), entry(4))
    assert await models.catalog() == changed


def test_processes_that_start_at_once_make_one_store_and_lose_no_change_of_the_catalog(url: str) -> None:
    children = [subprocess.Popen([sys.executable, "-c", ADD, url], stderr=subprocess.PIPE, text=True) for _ in range(6)]
    assert [child.communicate(timeout=60)[1] for child in children] == [""] * 6

    async def numbers() -> list[int]:
        store = open_store(url, create=False)
        entries = (await store.catalog()).of("vaults")
        await store.close()
        return [e.number for e in entries]

    assert asyncio.run(numbers()) == list(range(1, 31))


@pytest.fixture
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds `vaults` until it is killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


async def test_what_another_process_holds_is_refused_and_its_holder_named_until_it_dies(
    holder: subprocess.Popen[str], models: ReadModelStore
) -> None:
    with pytest.raises(ProjectorRunning, match=r"vaults is already being written by host one, process 7: stop it"):
        models.hold("vaults", "me")
    models.hold("transactions", "me")
    holder.kill()
    holder.wait()
    models.hold("vaults", "me")


async def test_closing_gives_back_what_was_held(models: ReadModelStore, open_models: Opener) -> None:
    models.hold("vaults", "a long name of a holder on some host")
    other = open_models()
    with pytest.raises(ProjectorRunning, match="some host"):
        other.hold("vaults", "other")
    await models.close()
    other.hold("vaults", "other")
    third = open_models()
    with pytest.raises(ProjectorRunning, match="by other:"):
        third.hold("vaults", "third")
