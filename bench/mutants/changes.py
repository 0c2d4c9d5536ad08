"""Which small changes does the syntax tree of a module allow?"""

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
RECKONED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceiling",
           "ceiling": "floor", "setdefault": "get"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One small change of a module.

    Attributes:
        module: Its name.
        line: Where. [line number]
        change: Before and after, for people.
        source: The changed module.
        nth: Of the same changes of the module.
        within: The function whose code it changes; empty outside of functions.
    """

    module: str
    line: int
    change: str
    source: str
    nth: int = 0
    within: str = ""

    @property
    def id(self) -> str:
        """The same change keeps its name when the code around it changes."""
        told = f"{self.module} {self.change} {self.nth}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]


Path_ = tuple[tuple[str, int | None], ...]


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Yield every change of a module, in the order of its lines."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for path, node in _sites(tree):
        for new in _variants(node):
            changed = copy.deepcopy(tree)
            _put(changed, path, new)
            text = ast.unparse(ast.fix_missing_locations(changed))
            after = "(removed)" if isinstance(new, ast.Pass) else ast.unparse(new)
            change = f"{_line(node)} -> {' '.join(after.split())[:90]}"
            seen[change] += 1
            yield Mutant(
                module=module,
                line=getattr(node, "lineno", 0),
                change=change,
                source=text,
                nth=seen[change],
                within=_within(tree, path),
            )


def _within(tree: ast.AST, path: Path_) -> str:
    """Return the qualified name of the outermost function of whose body a way leads through."""
    names: list[str] = []
    for step, at in path:
        if isinstance(tree, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(tree.name)
            if not isinstance(tree, ast.ClassDef):
                return ".".join(names) if step == "body" else ""
        found = getattr(tree, step)
        tree = found if at is None else found[at]
    return ""


def _line(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_comment", "type_params"}


def _sites(tree: ast.AST, path: Path_ = ()) -> Iterator[tuple[Path_, ast.AST]]:
    """Yield what may be changed and the way to it; types, decorators and prose are left out."""
    for name, value in ast.iter_fields(tree):
        if name in SKIPPED_FIELDS:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.ImportFrom | ast.Import | ast.Raise):
                continue
            if isinstance(tree, ast.Assign) and _is_type(tree):
                continue
            here = (*path, (name, index))
            yield here, child
            yield from _sites(child, here)


TYPES = {"Check", "Denial", "K", "Open", "Propose"}


def _is_type(node: ast.Assign) -> bool:
    """Whether an assignment at the top names a type."""
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id in TYPES


def _put(tree: ast.AST, path: Path_, new: ast.AST) -> None:
    *way, (name, index) = path
    for step, at in way:
        found = getattr(tree, step)
        tree = found if at is None else found[at]
    if index is None:
        setattr(tree, name, new)
    else:
        getattr(tree, name)[index] = new


def _variants(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912, PLR0915 - one table of cases
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                for other in COMPARED[type(op)]:
                    changed = copy.deepcopy(node)
                    changed.ops[index] = other()
                    yield changed
        case ast.BoolOp(op=op, values=values):
            changed = copy.deepcopy(node)
            changed.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield changed
            for index in range(len(values)):
                rest = copy.deepcopy(values[:index] + values[index + 1 :])
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op=op, values=rest)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            yield copy.deepcopy(left)
            yield copy.deepcopy(right)
        case ast.BinOp(op=op) if type(op) in RECKONED:
            for other in RECKONED[type(op)]:
                changed = copy.deepcopy(node)
                changed.op = other()
                yield changed
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield copy.deepcopy(operand)
        case ast.IfExp(body=body, orelse=orelse):
            yield copy.deepcopy(body)
            yield copy.deepcopy(orelse)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if value and " " not in value:
            yield ast.Constant(f"{value}x")
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            changed = copy.deepcopy(node)
            changed.func = ast.Name(SWAPPED[name])
            yield changed
        case ast.Return(value=ast.AST() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Assign(value=value) if not _is_none(value) and not _is_type(node):
            changed = copy.deepcopy(node)
            changed.value = ast.Constant(None)
            yield changed
        case ast.Expr():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.AugAssign(op=op) if type(op) in RECKONED:
            changed = copy.deepcopy(node)
            changed.op = RECKONED[type(op)][0]()
            yield changed
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) if len(elements) > 3:  # noqa: PLR2004 - a table, not a pair
            for index in range(len(elements)):
                changed = copy.deepcopy(node)
                del changed.elts[index]
                yield changed


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
