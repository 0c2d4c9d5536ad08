"""The scenarios that were selected run side by side; their figures end the report."""

from collections.abc import Iterator

import pytest

from tests.chaos.beside import Scenes

FIGURES = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session")
def scenes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenes]:
    functions = [item.function for item in request.session.items if hasattr(item, "function")]
    chosen = [function.scenario for function in functions if hasattr(function, "scenario")]
    with Scenes(chosen, tmp_path_factory.mktemp("chaos")) as running:
        yield running
    request.config.stash[FIGURES] = running.figures


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for name, value in config.stash.get(FIGURES, {}).items():
        terminalreporter.write_line(f"{name}: {value}")
