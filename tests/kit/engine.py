"""Where can a container image be built and run on this machine, if anywhere?"""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT = 30.0
"""How long a Docker engine may take until it answers. [s]"""

BUILD_TIMEOUT = 600.0
"""How long an image may take to build, downloads included. [s]"""

DEBIAN_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"


class NoEngineError(Exception):
    """Images cannot be built or run here; the text is the reason to skip with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A Docker engine that answers.

    Attributes:
        client: The command-line client.
        host: The engine's socket, or ``None`` for the one the environment names.
        is_ours: Started by these tests and gone after them, so anything may be tagged in it.
    """

    client: Path
    host: str | None
    is_ours: bool

    def run(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run the client and return what it printed, whatever its exit code.

        Args:
            arguments: The client's command and options.
            timeout: After which the client is killed. [s]
        """
        environment = os.environ | {"DOCKER_BUILDKIT": "1"}
        if self.host is not None:
            environment |= {"DOCKER_HOST": self.host}
        return subprocess.run(  # noqa: S603 - a client this module chose
            [str(self.client), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def output(self, *arguments: str, timeout: float = 60.0) -> str:
        """Run the client and return its standard output.

        Args:
            arguments: The client's command and options.
            timeout: After which the client is killed. [s]

        Raises:
            AssertionError: If the client failed; the text ends in what it printed.
        """
        done = self.run(*arguments, timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(
                f"docker {' '.join(arguments[:2])} must succeed, was exit {done.returncode}:\n"
                f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
            )
        return done.stdout

    def has_image(self, tag: str) -> bool:
        """Tell whether the engine holds an image under this name."""
        return self.run("image", "inspect", tag).returncode == 0


@contextmanager
def docker_engine(folder: Path) -> Iterator[Engine]:
    """Yield the running engine, or start one below ``folder`` and end it afterwards.

    The one started here has its own socket and storage and touches neither the firewall nor
    the network: builds and runs in it use the host's network or none.

    Raises:
        NoEngineError: If none runs and none can be started.
    """
    # Debian's client first: another one on the path may not speak to Debian's engine.
    client = next(
        (p for p in (Path("/usr/bin/docker"), _which("docker")) if p and p.exists()), None
    )
    if client is None:
        raise NoEngineError("no docker client on this machine")
    running = Engine(client=client, host=None, is_ours=False)
    if _answers(running):
        yield running
        return
    daemon = _which("dockerd")
    if daemon is None:
        raise NoEngineError("no Docker engine answers and dockerd is not installed")
    if os.geteuid() != 0:
        raise NoEngineError("no Docker engine answers and only root may start dockerd")
    socket = f"unix://{folder / 'docker.sock'}"
    ours = Engine(client=client, host=socket, is_ours=True)
    log = folder / "dockerd.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - the engine found above
            [
                str(daemon),
                "--storage-driver=overlay2",
                "--iptables=false",
                "--ip6tables=false",
                "--bridge=none",
                f"--data-root={folder / 'data'}",
                f"--exec-root={folder / 'exec'}",
                f"--pidfile={folder / 'pid'}",
                f"--host={socket}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(ours):
            if process.poll() is not None or time.monotonic() > deadline:
                last = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise NoEngineError(f"dockerd does not start here: {' '.join(last)}")
            time.sleep(0.2)
        yield ours
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def provide_base(engine: Engine, tag: str, cache: Path) -> None:
    """See to it that the base image is there under ``tag``.

    A registry is asked first only where the engine is somebody's own. In an engine of ours the
    base is Debian with its Python, made by mmdebstrap and kept below ``cache``.

    Raises:
        NoEngineError: If the base can neither be pulled nor made.
    """
    if engine.has_image(tag):
        return
    maker = _which("mmdebstrap")
    if not engine.is_ours or maker is None or os.geteuid() != 0:
        pulled = engine.run("pull", tag, timeout=BUILD_TIMEOUT)
        if pulled.returncode != 0:
            raise NoEngineError(
                f"{tag} can neither be pulled nor made (that needs root and mmdebstrap): "
                f"{pulled.stderr.strip()[-200:]}"
            )
        return
    tarball = cache / f"base-{tag.replace(':', '-')}.tar"
    if not tarball.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = tarball.with_suffix(".part.tar")
        made = subprocess.run(  # noqa: S603 - the program found above
            [
                str(maker),
                "--variant=apt",
                f"--include={DEBIAN_PACKAGES}",
                '--aptopt=APT::Install-Recommends "0"',
                tag.rpartition("-")[2],
                str(unfinished),
            ],
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT,
            check=False,
        )
        if made.returncode != 0:
            raise NoEngineError(f"mmdebstrap cannot make {tag} here: {made.stderr.strip()[-300:]}")
        unfinished.rename(tarball)
    engine.output("import", str(tarball), tag, timeout=BUILD_TIMEOUT)


def pip_secrets(folder: Path) -> list[str]:
    """Return build options that hand this machine's pip configuration to one build.

    They are secret mounts, so that no index address or authority reaches a layer. Locations
    in this machine's file system are left out: a build cannot see them.
    """
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), key=lambda text: text.startswith(":env:")):
        name, _, value = line.partition("=")
        if name.startswith((":env:.", "global.", "install.")):
            found[name.rpartition(".")[2]] = str(ast.literal_eval(value))
    passed: dict[str, str] = {
        name: found[name]
        for name in ("index-url", "proxy", "trusted-host", "timeout", "default-timeout")
        if name in found and not found[name].startswith("file:")
    }
    extra = found.get("extra-index-url", "").split()
    if remote := [address for address in extra if not address.startswith("file:")]:
        passed["extra-index-url"] = " ".join(remote)
    options: list[str] = []
    authority = found.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE")
    if authority is not None and Path(authority).is_file():
        passed["cert"] = "/run/secrets/pip_ca"
        options += ["--secret", f"id=pip_ca,src={authority}"]
    configuration = folder / "pip.conf"
    configuration.touch(mode=0o600)
    lines = [f"{name} = {value}\n" for name, value in passed.items()]
    configuration.write_text("[global]\n" + "".join(lines))
    return [*options, "--secret", f"id=pip_conf,src={configuration}"]


def last_object(printed: str) -> dict[str, object]:
    """Return the last line that is a JSON object.

    Raises:
        AssertionError: If there is none.
    """
    for line in reversed(printed.splitlines()):
        if line.startswith("{"):
            value: dict[str, object] = json.loads(line)
            return value
    raise AssertionError(f"a JSON object must be printed, was: {printed[-2000:]!r}")


def _which(name: str) -> Path | None:
    paths: Sequence[str] = (os.environ.get("PATH", ""), "/usr/sbin", "/sbin")
    found = shutil.which(name, path=os.pathsep.join(paths))
    return None if found is None else Path(found)


def _answers(engine: Engine) -> bool:
    try:
        asked = engine.run("version", "--format", "{{.Server.Version}}", timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0
