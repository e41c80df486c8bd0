"""The house rules, as tests: each failure names the place."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import warming

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "src" / "opencram"
STAGES = ("tracking", "prediction", "threat", "warning", "engagement")
CORE = (*STAGES, "earth", "ballistics", "estimation", "messages.py", "simulation", "studies")
TERMINAL = ("cli", "runtime/terminal", "__main__")  # what may print
SHELL = ("cli", "runtime", "display", "adapters", "__main__")  # what may read a clock
RANDOM = ("simulation", "studies")  # what may draw random numbers

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".sh", ".cfg", ".yml", ".yaml", ".ts", ".css", ".html"}
# Written in halves, so that this file does not hold them.
FORBIDDEN = [
    re.compile("/wo" + "rk/"),
    re.compile("/ro" + "ot/"),
    re.compile(r"\bTO" + r"DO\b"),
    re.compile(r"\bFIX" + r"ME\b"),
    re.compile(r"\bX" + r"XX\b"),
    re.compile(r"\bfor " + r"now\b(?! in\b)", re.IGNORECASE),
]
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "monotonic_ns"),
    ("time", "perf_counter"),
    ("time", "perf_counter_ns"),
    ("time", "sleep"),
}
IMPURE_MODULES = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "sys", "threading", "time", "uuid"}

Source = tuple[str, ast.Module]


@cache
def all_sources() -> tuple[tuple[Path, str, ast.Module], ...]:
    """Path, text and syntax tree of every Python file of the repository."""
    paths = [path for folder in ("src", "tests", "benchmarks") for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    own = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(REPOSITORY).parts)]
    texts = [(path, path.read_text()) for path in own]
    return tuple((path.relative_to(REPOSITORY), text, ast.parse(text)) for path, text in texts)


@cache
def package_sources() -> tuple[Source, ...]:
    """Path below the package, and syntax tree, of every module of the program."""
    package = PACKAGE.relative_to(REPOSITORY)
    return tuple(
        (path.relative_to(package).as_posix(), tree) for path, _, tree in all_sources() if path.is_relative_to(package)
    )


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """A tree and all that it holds."""
    return tuple(ast.walk(tree))


def is_in(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith((f"{place}/", f"{place}.")) for place in places)


def dotted(node: ast.expr) -> tuple[str, ...]:
    """The parts of a dotted name: `np.random.normal` → ("np", "random", "normal"); empty for anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*dotted(node.value), node.attr) if dotted(node.value) else ()
    return ()


def uses(tree: ast.Module) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and parts of every dotted name of a module."""
    for node in nodes(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (name := dotted(node)):
            yield node.lineno, name


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and top-level name of everything that a module imports from outside its package."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]


def none(offenders: Iterable[str]) -> None:
    """Fail with every offender, a line each."""
    listed = list(offenders)
    if listed:
        pytest.fail(f"{len(listed)} in all:\n" + "\n".join(listed), pytrace=False)


def test_modules_fit_on_a_few_screens() -> None:
    lines = {path: text.count("\n") for path, text, _ in all_sources()}
    none(f"{path}: {count} lines" for path, count in lines.items() if count > MODULE_LINES_MAX)


def test_functions_fit_on_one_screen() -> None:
    none(
        f"{path}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path, _, tree in all_sources()
        for node in nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    )


def test_every_module_says_what_it_is() -> None:
    none(path for path, tree in package_sources() if not ast.get_docstring(tree))


def test_everything_public_says_what_it_is() -> None:
    none(
        f"{path}:{node.lineno} {node.name}"
        for path, tree in package_sources()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    )


def test_no_error_is_swallowed_unseen() -> None:
    """No bare `except`; whoever catches everything raises it again."""
    none(
        f"{path}:{node.lineno}"
        for path, _, tree in all_sources()
        for node in nodes(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) == ("BaseException",))
        and not (node.type is not None and isinstance(node.body[-1], ast.Raise))
    )


def test_only_the_terminal_prints() -> None:
    none(
        f"{path}:{line} {'.'.join(name)}"
        for path, tree in package_sources()
        for line, name in uses(tree)
        if (name == ("print",) and not is_in(path, TERMINAL))
        or (name in (("sys", "stdout"), ("sys", "stderr")) and not is_in(path, ("cli", "runtime")))
    )


def test_only_the_shell_reads_a_clock() -> None:
    none(
        f"{path}:{line} {'.'.join(name)}"
        for path, tree in package_sources()
        if not is_in(path, SHELL)
        for line, name in uses(tree)
        if name[-2:] in CLOCKS
    )


def test_only_the_simulation_draws_random_numbers() -> None:
    none(
        f"{path}:{line} {'.'.join(name)}"
        for path, tree in package_sources()
        for line, name in uses(tree)
        if "uuid4" in name or (name[:2] in (("np", "random"), ("numpy", "random")) and not is_in(path, RANDOM))
    )


def test_random_numbers_come_from_named_streams() -> None:
    """The old global generator of NumPy would let one radar change the draws of another."""
    allowed = {"Generator", "PCG64", "PCG64DXSM", "Philox", "SFC64", "SeedSequence", "BitGenerator", "default_rng"}
    none(
        f"{path}:{line} {'.'.join(name)}"
        for path, tree in package_sources()
        for line, name in uses(tree)
        if name[:2] in (("np", "random"), ("numpy", "random")) and len(name) > 2 and name[2] not in allowed
    )


def test_the_core_imports_nothing_impure() -> None:
    none(
        f"{path}:{line} imports {name}"
        for path, tree in package_sources()
        if is_in(path, CORE)
        for line, name in imported(tree)
        if name in IMPURE_MODULES
    )


def test_nothing_walks_through_a_set() -> None:
    """The order of a set of strings changes from run to run."""

    def is_set(node: ast.expr) -> bool:
        return isinstance(node, ast.Set | ast.SetComp) or (
            isinstance(node, ast.Call) and dotted(node.func) in (("set",), ("frozenset",))
        )

    none(
        f"{path}:{node.iter.lineno}"
        for path, tree in package_sources()
        for node in nodes(tree)
        if isinstance(node, ast.For | ast.comprehension) and is_set(node.iter)
    )


def test_numbers_are_computed_soundly() -> None:
    """No inverse where a solve belongs, no `np.matrix`, no arithmetic that makes `isnan` false."""
    banned = {("linalg", "inv"), ("np", "matrix")}
    found = [
        f"{path}:{line} {'.'.join(name)}"
        for path, tree in package_sources()
        for line, name in uses(tree)
        if name[-2:] in banned
    ]
    found += [
        f"{path}:{node.value.lineno} fastmath"
        for path, tree in package_sources()
        for node in nodes(tree)
        if isinstance(node, ast.keyword) and node.arg == "fastmath"
    ]
    none(found)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_four_names(stage: str) -> None:
    tree = dict(package_sources())[f"{stage}/__init__.py"]
    names = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and dotted(node.targets[0]) == ("__all__",)
    ]
    assert [sorted(exported) for exported in names] == [["Config", "State", "initial", "step"]]


def test_no_text_holds_what_belongs_elsewhere() -> None:
    """No path of one person's machine, and no note that something is unfinished: that is an issue."""
    folders = [REPOSITORY / name for name in ("src", "tests", "benchmarks", "docs", "examples", "requirements", ".ci")]
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in TEXT_SUFFIXES]
    paths += [*sorted(REPOSITORY.glob("*.md")), REPOSITORY / "Makefile", REPOSITORY / "pyproject.toml"]
    hidden = [path for path in paths if any(part.startswith(".venv") for part in path.parts)]
    none(
        f"{path.relative_to(REPOSITORY)}:{number} {line.strip()}"
        for path in paths
        if path not in hidden
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if any(word.search(line) for word in FORBIDDEN)
    )


def test_the_order_of_a_whole_run_names_files_that_are_there() -> None:
    named = (*warming.APART, *warming.BEHIND, *warming.TRACKING, *warming.LONG)
    none(place for place in named if not (REPOSITORY / "tests" / place).exists())
