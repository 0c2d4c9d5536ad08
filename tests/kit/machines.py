"""Another machine, as far as a journal can tell."""

from pathlib import Path


def forget_locks(journal: Path) -> None:
    """Let the locks of whoever has a journal not reach whoever comes next."""
    journal.with_name(journal.name + ".lock").unlink()
    note = journal.with_name(journal.name + ".tip")
    content = note.read_bytes()
    note.unlink()
    note.write_bytes(content)
