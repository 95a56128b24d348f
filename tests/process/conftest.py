"""For all tests that run our commands as processes."""

from collections.abc import Callable

import pytest


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints what a run has found, also when it has passed."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
    assert reporter is not None
    assert capture is not None

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"\n{text}")

    return line
