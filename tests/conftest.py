"""Profiles for property tests, and one rule: nothing here reaches beyond this machine."""

import decimal
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.kit.disks import a_small_disk

settings.register_profile(
    "default",
    # With CI they are the same each time: what another hundred would find was found before.
    max_examples=100 if os.environ.get("CI") else 200,
    deadline=None,  # shared machines stall; time is measured in bench/, never asserted
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=bool(os.environ.get("CI")),  # there a change is judged, not luck
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=5000)
settings.register_profile(  # the same few examples each time: for what runs tests to judge them
    "brief",
    settings.get_profile("default"),
    max_examples=25,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # nobody reads why one failed
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def arithmetic() -> None:
    """Begin with Python's own decimal rules: ccxt, where a test calls it, changes them for all."""
    decimal.setcontext(decimal.DefaultContext.copy())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the paper exchange's certificate: making it costs a second."""
    return tmp_path_factory.mktemp("authority")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 4 MiB."""
    with a_small_disk(tmp_path / "disk") as place:
        yield place
