import sys
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.past import Past
from bot.errors import ConfigError, StrategyError
from bot.margin.assess import assess
from bot.plugins import anchored, load_strategy
from bot.settings import load
from tests.kit.builders import NOON, a_market, a_position, an_instrument

RISK = assess(a_position(), an_instrument())
HEAD = """
from dataclasses import dataclass, field
from decimal import Decimal
from bot.domain.band import Levels
from bot.margin.bands import band_at_distances
"""
MINE = (
    HEAD
    + """
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    wide: Decimal = Decimal("0.3")

class Mine:
    def __init__(self, settings: Settings) -> None:
        self.wide = settings.wide

    def choose(self, risk, market):
        near, mid = Decimal("0.1"), Decimal("0.15")
        levels = Levels(emergency=near, trigger=near, target=mid, give_back=self.wide)
        return band_at_distances(risk, levels)
"""
)


def give_back(path: str, **own: str) -> D:
    return load_strategy(path, own).choose(RISK, a_market()).distance.give_back


def written(file: Path, text: str = MINE) -> Path:
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("path", "own", "message"),
    [
        pytest.param("nowhere.at:All", {}, "must be importable", id="no module"),
        pytest.param("strategies.hazard:Nothing", {}, "must define a class", id="no class"),
        pytest.param("strategies.hazard:Settings", {}, "must take one argument", id="no strategy"),
        pytest.param("/nowhere.py:X", {}, "must exist", id="no file"),
        pytest.param(
            "strategies.hazard:Hazard", {"hazzard": "1"}, "hazzard: is not a setting", id="key"
        ),
        pytest.param("strategies.hazard:Hazard", {"hazard": 1.5}, "must be quoted", id="float"),
        pytest.param(
            "strategies.hazard:Hazard", {"hazard": "much"}, "must be a number", id="no number"
        ),
        pytest.param("strategies.hazard:Hazard", {"hazard": "-1"}, "hazard must be > 0", id="sign"),
        pytest.param(
            "strategies.hazard:Hazard", {"target": "2"}, "1 < target < give_back", id="order"
        ),
        pytest.param(
            "strategies.liquidation_buffer:LiquidationBuffer",
            {"trigger": "0.2"},
            "distances must satisfy",
            id="impossible band",
        ),
        pytest.param(
            "strategies.flexible_leverage:FlexibleLeverage",
            {"ripcord": "2"},
            "maximum <= ripcord",
            id="impossible ripcord",
        ),
        pytest.param(
            "strategies.volatility_target:VolatilityTarget",
            {"hours": "0"},
            "hours must be > 0",
            id="no horizon",
        ),
        pytest.param(
            "strategies.fixed_leverage:FixedLeverage",
            {"target": "9"},
            "leverages must satisfy",
            id="impossible leverages",
        ),
    ],
)
def test_a_strategy_that_cannot_be_made_is_named(
    path: str, own: dict[str, Any], message: str
) -> None:
    with pytest.raises(StrategyError, match=message):
        load_strategy(path, own)


def test_a_users_own_file_works_by_its_path(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.py")
    assert give_back(f"{file}:Mine") == D("0.3")
    assert give_back(f"{file}:Mine", wide="0.4") == D("0.4")


def test_two_files_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    one = written(tmp_path / "one" / "mine.py")
    two = written(tmp_path / "two" / "mine.py", MINE.replace('"0.3"', '"0.5"'))
    first = load_strategy(f"{one}:Mine", {})
    second = load_strategy(f"{two}:Mine", {"wide": "0.6"})
    modules = {type(strategy).__module__ for strategy in (first, second)}
    assert len(modules) == 2
    assert {Path(str(sys.modules[name].__file__)).parent.name for name in modules} == {"one", "two"}
    assert give_back(f"{one}:Mine") == D("0.3")
    assert give_back(f"{two}:Mine") == D("0.5")
    assert first.choose(RISK, a_market()).distance.give_back == D("0.3")
    assert second.choose(RISK, a_market()).distance.give_back == D("0.6")


def test_annotations_that_are_texts_are_those_of_their_own_file(tmp_path: Path) -> None:
    later = "from __future__ import annotations\n"
    one = written(tmp_path / "one" / "mine.py", later + MINE)
    two = written(tmp_path / "two" / "mine.py", later + MINE.replace("wide", "broad"))
    assert give_back(f"{two}:Mine", broad="0.4") == D("0.4")
    assert give_back(f"{one}:Mine", wide="0.4") == D("0.4")


def test_a_file_that_fails_leaves_no_module_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    with pytest.raises(StrategyError, match="failed to load"):
        load_strategy(f"{written(tmp_path / 'broken.py', '1 / 0')}:Mine", {})
    assert not [name for name in set(sys.modules) - before if "broken" in name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("1 / 0", "failed to load: ZeroDivisionError", id="raises"),
        pytest.param("def (", "failed to load: SyntaxError", id="is no Python"),
        pytest.param("import not_there_at_all", "ModuleNotFoundError", id="needs a module"),
        pytest.param("import sys; sys.exit(3)", r"failed to load: SystemExit\(3\)", id="exits"),
        pytest.param("", "must define a class Mine", id="is empty"),
        pytest.param("Mine = 3", "must define a class Mine", id="has something else"),
        pytest.param("class Mine: pass", "one argument 'settings'", id="no settings"),
        pytest.param(
            "class Mine:\n    def __init__(self, settings: int): pass", "that is a dataclass",
            id="other settings",
        ),
        pytest.param(
            "class Mine:\n    def __init__(self, settings: 'Nowhere'): pass",
            "annotations of Mine must be known: NameError", id="unknown settings",
        ),
        pytest.param(MINE.replace("choose", "chose"), "a method choose", id="no method"),
        pytest.param(MINE.replace("def choose", "async def choose"), "a method", id="a coroutine"),
        pytest.param(
            MINE.replace("self.wide = settings.wide", "self.wide = settings.broad"),
            "Mine failed to start: AttributeError", id="fails to start",
        ),
        pytest.param(
            MINE.replace("self.wide = settings.wide", "raise SystemExit"),
            "Mine failed to start: SystemExit", id="exits at its start",
        ),
        pytest.param(
            MINE.replace("self.wide = settings.wide", "raise ValueError('too wide')"),
            "strategy: too wide", id="refuses its settings",
        ),
        pytest.param(
            MINE.replace('wide: Decimal = Decimal("0.3")', "wide: Decimal"),
            "strategy.wide: must be set, it has no default", id="needs a setting",
        ),
        pytest.param(
            MINE.replace(
                '"0.3")\n', '"0.3")\n    def __post_init__(self): raise TypeError("never")\n', 1
            ),
            "settings were refused: never", id="settings refuse",
        ),
    ],
)  # fmt: skip
def test_a_users_file_that_is_no_strategy_is_one_message(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(StrategyError, match=message):
        load_strategy(f"{written(tmp_path / 'mine.py', text)}:Mine", {})


@pytest.mark.parametrize("name", ["not_there.py", "folder.py", "nul\0.py"])
def test_a_file_that_is_not_there_is_named_from_the_root(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(StrategyError, match=f"file {tmp_path}/.* must exist"):
        load_strategy(f"{tmp_path / name}:Mine", {})


KINDS = (
    HEAD
    + """
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    amount: Decimal = Decimal(1)
    count: int = 1
    share: float = 0.5
    bold: bool = False
    name: str = ""
    odd: tuple = ()
    derived: int = field(default=3, init=False)

class Mine:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def choose(self, risk, market):
        raise ValueError("never")
"""
)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("amount", "0.1", D("0.1")),
        ("amount", 3, D(3)),
        ("count", 7, 7),
        ("count", "7", 7),
        ("share", 0.25, 0.25),
        ("share", "0.25", 0.25),
        ("bold", True, True),
        ("bold", "False", False),
        ("bold", "true", True),
        ("name", "x", "x"),
    ],
)
def test_a_setting_is_the_same_from_the_configuration_and_from_the_text_of_a_journal(
    name: str, value: object, expected: object, tmp_path: Path
) -> None:
    path = f"{written(tmp_path / 'mine.py', KINDS)}:Mine"
    for given in (value, str(value)):
        made: Any = load_strategy(path, {name: given})
        found = getattr(made.settings, name)
        assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("amount", 0.1, "amount: must be quoted"),
        ("amount", "NaN", "amount: must be a number"),
        ("amount", [1], "amount: must be a number"),
        ("count", 1.5, "count: must be a whole number"),
        ("share", "inf", "share: must be a number"),
        ("share", "some", "share: must be a number"),
        ("bold", 1, "bold: must be true or false"),
        ("name", 1, "name: must be a text"),
        ("odd", [1], "odd: must be declared as Decimal, int, float, bool, str"),
        ("derived", 4, "derived: is not a setting"),
        ("nothing", 4, "nothing: is not a setting .* amount, bold, count, name, odd, share"),
    ],
)
def test_a_wrong_setting_of_a_users_file_is_named(
    name: str, value: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(StrategyError, match=message):
        load_strategy(f"{written(tmp_path / 'mine.py', KINDS)}:Mine", {name: value})


ACCOUNT = """
[[accounts]]
name = "main"
symbols = ["BTC/USDT:USDT"]
api_key = "k"
secret = "s"
"""


def configured(folder: Path, path: str) -> Path:
    return written(folder / "bot.toml", f"{ACCOUNT}\n[strategy]\npath = '{path}'\n")


def test_a_relative_file_lies_beside_the_configuration_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = written(tmp_path / "config" / "mine.py")
    written(tmp_path / "elsewhere" / "mine.py", "1 / 0")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for file in (
        configured(tmp_path / "config", "mine.py:Mine"),
        configured(Path("../config"), "mine.py:Mine"),
    ):
        path = load([file], environ={}).settings.strategy.path
        assert Path(path).is_absolute()
        assert Path(path.removesuffix(":Mine")).resolve() == beside
        assert give_back(path) == D("0.3")


def test_a_file_of_models_lies_beside_the_configuration_that_names_it(tmp_path: Path) -> None:
    base = written(
        tmp_path / "base" / "bot.toml",
        f"{ACCOUNT}\n[strategy]\npath = 'strategies.hazard:Hazard'\n"
        "models = 'mine.json'\nstress = 'none'\nhazard = '2'\n",
    )
    own = load([base], environ={}).settings.strategy.own()
    assert own == {"models": f"{tmp_path}/base/mine.json", "stress": "none", "hazard": "2"}


def test_of_two_configurations_the_one_that_names_the_file_counts(tmp_path: Path) -> None:
    base = configured(tmp_path / "base", "mine.py:Mine")
    own = written(tmp_path / "own" / "own.toml", "[strategy]\nwide = '0.4'\n")
    assert load([base, own], environ={}).settings.strategy.path == f"{tmp_path}/base/mine.py:Mine"


def test_a_relative_file_in_the_environment_begins_where_the_program_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = configured(tmp_path / "base", "mine.py:Mine")
    environ = {"PLIMSOLL_STRATEGY__PATH": "other.py:Mine"}
    assert load([base], environ=environ).settings.strategy.path == f"{tmp_path}/other.py:Mine"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/mine.py:Mine", "/a/mine.py:Mine"),
        ("mine.py:Mine", "/config/mine.py:Mine"),
        ("sub/mine.py:Mine", "/config/sub/mine.py:Mine"),
        ("strategies.hazard:Hazard", "strategies.hazard:Hazard"),
        ("nothing", "nothing"),
    ],
)
def test_only_the_path_of_a_file_is_anchored(path: str, expected: str) -> None:
    assert anchored(path, Path("/config")) == expected


@pytest.mark.parametrize("path", ["mine.py", ":Mine", "mine.py:", "mine.py:1", "a:b:C"])
def test_a_path_of_another_form_is_refused_by_its_name(path: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"strategy\.path"):
        load([configured(tmp_path, path)], environ={})


def test_the_example_that_looks_back_stays_careful_after_an_escape() -> None:
    file = Path(__file__).parents[2] / "docs" / "examples" / "after_the_storm.py"
    choose: Any = load_strategy(f"{file}:AfterTheStorm", {"hours": "12"}).choose
    near = assess(a_position(margin="4000"), an_instrument())
    far = assess(a_position(margin="30000"), an_instrument())
    assert choose(far, a_market()).carry is None
    escape = choose(near, a_market(), Past(now=NOON))
    assert escape.distance.trigger == D("0.12")
    for hours, trigger in ((11, "0.12"), (12, "0.08")):
        past = Past(now=NOON + timedelta(hours=hours), carried=escape.carry)
        found = choose(far, a_market(), past)
        assert found.distance.trigger == D(trigger)
        assert found.carry == (escape.carry if hours < 12 else None)
