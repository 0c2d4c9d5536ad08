"""Does the image run the paper crash with no root, no write access, no rights and no network?"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.kit.engine import (
    BUILD_TIMEOUT,
    Engine,
    NoEngineError,
    docker_engine,
    last_object,
    pip_secrets,
    provide_base,
)

pytestmark = pytest.mark.container

ROOT = Path(__file__).parents[2]
BASE = "python:3.11-slim-bookworm"
STATE = "/var/lib/plimsoll/state"
SCRATCH = "/tmp"  # noqa: S108 - the container's own tmpfs
LARGEST = 650_000_000
"""A third above what the image needs over Debian with its Python. [bytes]"""

CONFINED = (
    "--network=none",
    "--read-only",
    f"--tmpfs={SCRATCH}",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=512m",
    "--pids-limit=128",
)
SEEN_FROM_INSIDE = """
import json, os, pathlib
status = dict(line.split(":\\t", 1) for line in open("/proc/1/status").read().splitlines())
def writable(folder):
    try:
        (pathlib.Path(folder) / "probe").write_text("")
    except OSError:
        return False
    return True
print(json.dumps({
    "uid": status["Uid"].split(),
    "gid": status["Gid"].split(),
    "in_group_of_root": "0" in status["Groups"].split(),
    "no_new_privileges": status["NoNewPrivs"],
    "capabilities": [int(status[name], 16) for name in ("CapEff", "CapPrm", "CapAmb")],
    "system_calls_filtered": status["Seccomp"],
    "writable": [d for d in ("/", "/opt/plimsoll", os.environ["HOME"],
                             "/var/lib/plimsoll/state", "/tmp") if writable(d)],
    "interfaces": sorted(os.listdir("/sys/class/net")),
}))
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    try:
        with docker_engine(folder) as found:
            provide_base(found, BASE, ROOT / ".cache")
            yield found
    except NoEngineError as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tag = f"plimsoll-test:{uuid4().hex[:12]}"
    secrets = pip_secrets(tmp_path_factory.mktemp("pip"))
    engine.output(
        "build",
        "--network=host",
        "--progress=plain",
        *secrets,
        f"--tag={tag}",
        str(ROOT),
        timeout=BUILD_TIMEOUT,
    )
    yield tag
    engine.run("image", "rm", "--force", tag)


@pytest.fixture
def start(engine: Engine, image: str) -> Iterator[Callable[..., str]]:
    """Start confined containers that are gone with their volumes after the test."""
    names: list[str] = []

    def start_one(*verb: str, options: tuple[str, ...] = ()) -> str:
        name = f"plimsoll-{uuid4().hex[:12]}"
        names.append(name)
        engine.output("run", "--detach", f"--name={name}", *CONFINED, *options, image, *verb)
        return name

    yield start_one
    for name in names:
        engine.run("rm", "--force", "--volumes", name)


def state(engine: Engine, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(engine.output("inspect", "--format={{json .State}}", name))
    return value


def wait_for_health(engine: Engine, name: str, *, within: float) -> None:
    deadline = time.monotonic() + within
    while (now := state(engine, name))["Health"]["Status"] != "healthy":
        printed = engine.run("logs", "--tail=20", name)
        assert now["Running"], printed.stdout + printed.stderr
        assert time.monotonic() < deadline, now["Health"]["Log"][-1:]
        time.sleep(0.5)


def test_the_image_names_a_numeric_user_and_starts_without_a_shell(
    engine: Engine, image: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    (told,) = json.loads(engine.output("image", "inspect", image))
    settings = told["Config"]
    record_testsuite_property("image_size_mb", round(told["Size"] / 1e6))

    assert settings["User"] == "10001:10001"
    assert settings["Entrypoint"] == ["plimsoll"]
    assert settings["Cmd"] == ["paper", "--scenario", "crash"]
    assert settings["Healthcheck"]["Test"][:3] == ["CMD", "plimsoll", "health"]
    assert told["Size"] < LARGEST


def test_nothing_of_the_build_stays_in_the_image(engine: Engine, image: str) -> None:
    (told,) = json.loads(engine.output("image", "inspect", image))
    left = "import pathlib; print([p for p in ('/build', '/run/secrets', '/etc/pip.conf')"
    found = engine.output(
        "run", "--rm", *CONFINED, "--entrypoint=python", image, "-c",
        left + " if pathlib.Path(p).exists()])",
    )  # fmt: skip

    assert found.strip() == "[]"
    assert not [entry for entry in told["Config"]["Env"] if entry.startswith("PIP_")]
    assert "pip" not in engine.output("history", "--no-trunc", "--format={{.CreatedBy}}", image)


def test_the_bot_is_confined_and_reports_healthy_while_it_runs(
    engine: Engine, start: Callable[..., str]
) -> None:
    name = start(
        "paper", "--scenario", "crash", "--speed", "60",
        options=("--health-interval=2s", "--health-start-period=40s"),
    )  # fmt: skip
    wait_for_health(engine, name, within=60)
    seen = json.loads(engine.output("exec", name, "python", "-c", SEEN_FROM_INSIDE))

    assert seen == {
        "uid": ["10001"] * 4,
        "gid": ["10001"] * 4,
        "in_group_of_root": False,
        "no_new_privileges": "1",
        "capabilities": [0, 0, 0],
        "system_calls_filtered": "2",
        "writable": [STATE, SCRATCH],
        "interfaces": ["lo"],
    }


def test_the_paper_crash_ends_without_liquidations(
    engine: Engine, start: Callable[..., str]
) -> None:
    name = start("paper", "--scenario", "crash", "--for", "2h", "--speed", "300", "--json")
    exit_code = engine.output("wait", name, timeout=150).strip()
    printed = engine.run("logs", name)

    assert exit_code == "0", printed.stderr[-4000:]
    assert last_object(printed.stdout)["liquidations"] == 0


def test_the_bot_leaves_within_its_grace_when_told_to_stop(
    engine: Engine, start: Callable[..., str]
) -> None:
    name = start(
        "paper", "--scenario", "crash", "--speed", "60",
        options=("--health-interval=2s", "--health-start-period=40s"),
    )  # fmt: skip
    wait_for_health(engine, name, within=60)
    engine.output("stop", "--time=20", name)

    assert state(engine, name)["ExitCode"] == 0


def test_a_health_check_without_a_heartbeat_fails(engine: Engine, image: str) -> None:
    asked = engine.run(
        "run", "--rm", *CONFINED, image, "health", "--state-dir", SCRATCH, "--max-age", "60"
    )

    assert asked.returncode == 1, asked.stdout + asked.stderr
