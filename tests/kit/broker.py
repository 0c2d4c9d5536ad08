"""A real MQTT broker on a loopback port, for as long as a test needs it."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"  # where distributions put daemons


def program() -> str:
    """Return the broker program; skip the test without it, but fail where all must run."""
    path = f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}"
    found = shutil.which("mosquitto", path=path)
    if found is None:
        reason = "the program mosquitto is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """One mosquitto that keeps nothing on disk; it can be ended and started again."""

    def __init__(self, folder: Path, *, extra: str = "allow_anonymous true") -> None:
        self.port = free_port()
        self._program = program()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\npersistence false\n{extra}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(  # noqa: S603 - the program found above
            [self._program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                pytest.fail(f"mosquitto ended with code {self._process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        pytest.fail("mosquitto did not listen within 10 s")

    def kill(self) -> None:
        """End this broker without a goodbye to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
