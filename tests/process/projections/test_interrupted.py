"""What a person does to the command: Ctrl-C in the middle of a rebuild, a projection named twice."""

import asyncio
import signal

from eventstore.port import IngestStore
from projections.open import open_store
from projections.vaults import VAULTS
from tests.process.projections.conftest import Projector, wait_until
from tests.unit.projections.following import append
from tests.unit.projections.histories import random_history


async def position_reached(projector: Projector) -> int:
    """Of the generation that was being built."""
    store = open_store(projector.settings["VAULT_READ_MODELS_URL"], create=False)
    generation = await store.open_generation(VAULTS, 1)
    checkpoint = await generation.checkpoint()
    await generation.close()
    await store.close()
    return checkpoint.position


def test_a_rebuild_that_is_interrupted_stops_at_once_and_flips_nothing(
    projector: Projector, events: IngestStore
) -> None:
    append(events, random_history(steps=20_000, vaults=300))
    process = projector.start("rebuild", "--projection", "vaults", settings={"VAULT_REBUILD_BATCH": "10"})
    wait_until(lambda: (projector.models / "vaults.g1.db").exists(), "it builds")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert projector.json("status")[0]["generation"] is None, "flipped after Ctrl-C"
    assert asyncio.run(position_reached(projector)) < events.last_position(), "went on building after Ctrl-C"


def test_a_projection_that_is_named_twice_is_projected_once(projector: Projector, events: IngestStore) -> None:
    append(events, random_history(steps=50, vaults=3))
    done = projector.run("rebuild", "--projection", "vaults", "--projection", "vaults")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stderr
