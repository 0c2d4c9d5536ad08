"""The protocols hold in every interleaving of their models, and each broken variant is caught."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
DEPTH = 100_000
MEMORY = 1_000  # of one search [MiB]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What must hold in one Promela file, and what must break it.

    Attributes:
        states: Fewest states a complete search stores; fewer means that the model shrank.
        safe: Claims that nothing bad happens.
        live: Claims that something happens in the end, every process getting its turns.
        witnesses: Claims that something cannot happen which does: the others are not vacuous.
        variants: By definition, the claim that it breaks.
    """

    states: int
    safe: tuple[str, ...]
    live: tuple[str, ...] = ()
    witnesses: tuple[str, ...]
    variants: dict[str, str]


MODELS = {
    "journal": Model(
        states=500_000,
        safe=("safe", "truth"),
        live=("live",),
        witnesses=(
            "never_applied",
            "never_gave_up_with_effect",
            "never_third_try_took_effect",
            "never_crashed_twice_and_done",
        ),
        variants={
            "NO_WAIT": "safe",
            "NO_BOUND": "safe",
            "LAG_0": "safe",
            "LONG_WINDOW": "safe",
            "NO_WRITE_AHEAD": "safe",
            "TIMEOUT_IS_NO": "safe",
            "ANY_ANSWER_IS_YES": "truth",
            "NO_GIVING_UP": "live",
        },
    ),
    "over_add": Model(
        states=60_000,
        safe=("budget", "one_over", "truth"),
        live=("add_settles", "over_settles"),
        witnesses=("never_full", "never_both_applied", "never_gave_up_with_effect"),
        variants={
            "SLOT_NOT_COUNTED": "budget",
            "GAVE_UP_IS_FREE": "budget",
            "NO_WAIT": "budget",
            "SHARED_FINGERPRINT": "truth",
            "OVER_ADD_IN_MEMORY": "one_over",
            "ONE_SLOT_SETTLED": "over_settles",
        },
    ),
    "lease": Model(
        states=600_000,
        safe=("one_writer",),
        live=("progress",),
        witnesses=(
            "never_second_epoch_writes",
            "never_third_epoch_writes",
            "never_late_flight",
        ),
        variants={
            "CHECK_AT_PLANNING": "one_writer",
            "NO_WAIT": "one_writer",
            "ANY_LEFT": "one_writer",
            "NO_WINDOW": "one_writer",
            "SIGNED_AFTER_LOOK": "one_writer",
            "ENDLESS": "progress",
        },
    ),
    "command": Model(
        states=40_000,
        safe=("once", "fresh", "same_run"),
        witnesses=(
            "never_all_act",
            "never_kill_of_an_earlier_run",
            "never_a_nonce_without_act",
        ),
        variants={
            "NONCE_IN_MEMORY": "once",
            "RETAIN_ONLY": "once",
            "ACT_BEFORE_NONCE": "once",
            "EQUAL_NONCE": "once",
            "NO_EXPIRY": "fresh",
            "ONE_LOOK": "fresh",
            "NO_EPOCH": "same_run",
        },
    ),
    "transit": Model(
        states=80_000,
        safe=("conservation", "agreement", "usable_not_negative", "no_double_spend"),
        live=("settles",),
        witnesses=(
            "never_spends_what_arrived",
            "never_settles_a_part",
            "never_two_on_the_way",
            "never_between_accounts",
        ),
        variants={
            "CREDIT_AT_SEND": "no_double_spend",
            "VOID_ON_TIMEOUT": "agreement",
            "ALL_OR_NOTHING": "agreement",
            "REPORTED_ONLY": "no_double_spend",
            "TWO_TRANSACTIONS": "agreement",
            "NO_FLOOR": "usable_not_negative",
        },
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the verifier says of one claim."""

    errors: int
    states: int
    is_complete: bool
    text: str


class Verifier:
    """The verifier that spin generates from one model, compiled."""

    def __init__(self, name: str, folder: Path, *, variant: str = "") -> None:
        self._folder = folder
        shutil.copy(FOLDER / f"{name}.pml", folder)
        defined = [f"-D{variant}"] if variant else []
        _run([_program("spin"), *defined, "-a", f"{name}.pml"], folder)
        # NOREDUCE: every interleaving is stored, so that the count of states means something.
        options = ["-DNOREDUCE", "-DNFAIR=3", f"-DMEMLIM={MEMORY}"]
        # A variant is searched once, and only to its first error.
        effort = "-O0" if variant else "-O1"
        _run([_program("gcc"), effort, "-w", *options, "-o", "pan", "pan.c"], folder)

    def search(self, claim: str, *, fair: bool = False) -> Search:
        """Search for a run that breaks a claim."""
        fairness = ["-f"] if fair else []
        text = _run(["./pan", "-a", *fairness, "-N", claim, f"-m{DEPTH}"], self._folder)
        errors = re.search(r"errors: (\d+)", text)
        states = re.search(r"(\d+) states, stored", text)
        assert errors is not None, text
        assert states is not None, text
        assert f"never claim         \t+ ({claim})" in text, text
        truncated = ("max search depth too small", "Search not completed", "out of memory")
        return Search(
            errors=int(errors[1]),
            states=int(states[1]),
            is_complete=not any(sign in text for sign in truncated),
            text=text,
        )


def _program(name: str) -> str:
    """Return a program; skip the test without it, but fail where all must run."""
    found = shutil.which(name)
    if found is None:
        reason = f"the program {name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def _run(command: list[str], folder: Path) -> str:
    ended = subprocess.run(  # noqa: S603 - spin, the compiler, and what they made
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    text = ended.stdout + ended.stderr
    assert ended.returncode == 0, text
    return text


@pytest.fixture(scope="module")
def verifiers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verifier]:
    return {name: Verifier(name, tmp_path_factory.mktemp(name)) for name in MODELS}


@pytest.mark.parametrize(
    ("name", "claim", "fair"),
    [
        pytest.param(name, claim, claim in model.live, id=f"{name} {claim}")
        for name, model in MODELS.items()
        for claim in (*model.safe, *model.live)
    ],
)
def test_a_claim_holds_in_every_state(
    name: str, claim: str, fair: bool, verifiers: dict[str, Verifier]
) -> None:
    found = verifiers[name].search(claim, fair=fair)
    assert found.errors == 0, found.text
    assert found.is_complete, found.text
    assert found.states >= MODELS[name].states, found.text
    print(f"{name} {claim}: {found.states} states")


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        pytest.param(name, claim, id=f"{name} {claim}")
        for name, model in MODELS.items()
        for claim in model.witnesses
    ],
)
def test_what_the_claims_speak_of_does_happen(
    name: str, claim: str, verifiers: dict[str, Verifier]
) -> None:
    assert verifiers[name].search(claim).errors >= 1


@pytest.mark.parametrize(
    ("name", "variant", "claim"),
    [
        pytest.param(name, variant, claim, id=f"{name} {variant}")
        for name, model in MODELS.items()
        for variant, claim in model.variants.items()
    ],
)
def test_a_broken_variant_is_caught(name: str, variant: str, claim: str, tmp_path: Path) -> None:
    verifier = Verifier(name, tmp_path, variant=variant)
    found = verifier.search(claim, fair=claim in MODELS[name].live)
    assert found.errors >= 1, f"{variant} of {name} does not break {claim}: {found.text}"


@pytest.mark.parametrize("name", MODELS)
def test_the_table_names_every_claim_and_every_variant_of_its_model(name: str) -> None:
    text = (FOLDER / f"{name}.pml").read_text()
    model = MODELS[name]
    assert set(re.findall(r"^ltl (\w+)", text, re.MULTILINE)) == {
        *model.safe,
        *model.live,
        *model.witnesses,
    }
    tested = set(re.findall(r"^#ifn?def (\w+)", text, re.MULTILINE))
    tested |= set(re.findall(r"defined\((\w+)\)", text))
    assert tested == set(model.variants)
