"""One application, its stores in a folder of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from api.app import make_app
from projections.read_models import open_read_models
from tests.integration.api.served import Served, read_models_url


@pytest.fixture
async def served(tmp_path: Path, aiohttp_client: AiohttpClient) -> AsyncIterator[Served]:
    """Without read models until a test projects."""
    app = make_app(open_read_models(read_models_url(tmp_path)), ready_max_age_s=10.0)
    served = Served(tmp_path, await aiohttp_client(app))
    yield served
    await served.close()
