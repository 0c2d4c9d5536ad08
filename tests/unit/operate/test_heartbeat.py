from datetime import timedelta
from pathlib import Path

import pytest

from bot.operate import heartbeat
from tests.kit.records import NOON


def test_the_age_counts_from_the_last_beat(tmp_path: Path) -> None:
    path = tmp_path / heartbeat.FILE_NAME
    assert heartbeat.age(path, NOON) is None
    assert heartbeat.beat(path, at=NOON, seq=1, mode="normal")
    assert heartbeat.beat(path, at=NOON + timedelta(seconds=5), seq=2, mode="degraded")
    assert heartbeat.age(path, NOON + timedelta(seconds=12)) == 7
    content = heartbeat.read(path)
    assert content is not None
    assert (content["seq"], content["mode"]) == (2, "degraded")
    assert [entry.name for entry in tmp_path.iterdir()] == [heartbeat.FILE_NAME]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"at":"soon"}', b'{"at":7}', b'{"at":"2026-03-01"}']
)
def test_a_damaged_heartbeat_is_no_heartbeat(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / heartbeat.FILE_NAME
    path.write_bytes(content)
    assert heartbeat.age(path, NOON) is None


def test_a_heartbeat_that_cannot_be_written_does_not_disturb(tmp_path: Path) -> None:
    assert not heartbeat.beat(tmp_path / "gone" / "beat.json", at=NOON, seq=1, mode="normal")
