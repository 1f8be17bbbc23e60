"""The house: floors, the front door, what importing costs, and how large a file may grow."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fairlattice

ROOT = Path(fairlattice.__file__).parent
FLOORS = [
    {"_column", "exceptions"},
    {"_display", "_validation", "_files", "_threads"},
    {"tables"},
    {"groups", "divergences", "datasets", "encoders"},
    {"metrics", "generators", "diagnostics"},
    {"samplers"},
    {"strategies", "classifiers"},
    {"benchmark"},
    {"report"},
    {"cli"},
]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(ROOT.rglob("*.py"))
ROOMS = sorted(p.parent.name for p in ROOT.glob("*/__init__.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(source: str) -> set[str]:
    """Rooms that a file imports from, deferred imports included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module or ""]
            if node.module == "fairlattice":
                names = [f"fairlattice.{alias.name}" for alias in node.names]
        found |= {n.split(".")[1] for n in names if n.startswith("fairlattice.")}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_from_lower_floors(path):
    room = room_of(path)
    if room in ("__init__", "__main__"):  # the front doors stand above all floors
        return
    for other in imported_rooms(path.read_text()) - {room}:
        assert FLOOR[other] < FLOOR[room], f"{room} imports {other}"


def test_the_floor_check_sees_deferred_and_plain_imports():
    source = "def f():\n    from fairlattice.cli import main\n    import fairlattice.report._text\n"
    assert imported_rooms(source) == {"cli", "report"}


def test_rooms_speak_to_each_other_through_their_doors():
    """The front door is public; what else rooms use of each other comes through `_shared`."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fairlattice."):
                parts = node.module.split(".")
                private = len(parts) > 2 and parts[2].startswith("_") and parts[2] != "_shared"
                assert not private or parts[1] == room_of(path), f"{path.name} imports {node.module}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/_shared.py")), ids=lambda p: p.parent.name)
def test_a_shared_door_holds_only_what_other_rooms_use_and_users_do_not(path):
    room = path.parent.name
    stub = path.with_suffix(".pyi")
    tree = ast.parse((stub if stub.is_file() else path).read_text())
    names = {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert names - {"annotations"} == set(importlib.import_module(f"fairlattice.{room}._shared").__all__)
    assert not names & set(importlib.import_module(f"fairlattice.{room}").__all__)
    others = "\n".join(f.read_text() for f in FILES if room_of(f) != room)
    for name in names:
        assert re.search(rf"\b{name}\b", others), f"no other room uses {name}"


# Files above 400 lines that were looked at, and the one idea that needs them whole.
LONG = {
    "groups/_counts.py": "counts, and how they are written and read",
    "metrics/_audit.py": "every question that an auditor asks of counts",
    "report/_schemas.py": "the JSON of every kind of result",
    "samplers/_augmenter.py": "the augmenter: its parameters, its fit, and the rows that it draws",
}


def test_files_above_four_hundred_lines_have_been_looked_at():
    long = {str(p.relative_to(ROOT)) for p in FILES if len(p.read_text().splitlines()) > 400}
    assert long == set(LONG)


@pytest.mark.parametrize("room", ["", *(r for r in ROOMS if r != "cli")])
def test_public_names_are_sorted_importable_and_documented(room):
    module = importlib.import_module(f"fairlattice.{room}".rstrip("."))
    names = list(module.__all__)
    assert len(set(names)) == len(names)
    assert sorted(names) == sorted(set(names))
    for name in names:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing):
            assert (thing.__doc__ or "").strip(), f"{name} has no docstring"


@pytest.mark.parametrize("room", [r for r in ROOMS if r != "cli"])
def test_a_front_door_lists_all_that_it_imports(room):
    door = ROOT / room / "__init__.pyi"  # of a room that is loaded when first used
    tree = ast.parse((door if door.is_file() else door.with_suffix(".py")).read_text())
    imported = {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert set(importlib.import_module(f"fairlattice.{room}").__all__) == imported


def test_the_top_level_lists_all_that_its_stub_imports():
    tree = ast.parse((ROOT / "__init__.pyi").read_text())
    imported = {a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    listed = next(ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign))
    assert set(listed) == imported == set(fairlattice.__all__)


def test_public_functions_of_the_top_level_have_examples():
    for name in fairlattice.__all__:
        thing = getattr(fairlattice, name)
        if inspect.isfunction(thing):
            assert ">>>" in thing.__doc__, name


def test_every_module_imports():
    for info in pkgutil.walk_packages(fairlattice.__path__, "fairlattice."):
        importlib.import_module(info.name)


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_importing_loads_no_frame_library_no_plotting_library_and_no_torch():
    watched = ["pandas", "polars", "pyarrow", "matplotlib", "altair", "torch", "rich", "sklearn"]
    code = f"import sys, fairlattice; print([m for m in {watched} if m in sys.modules])"
    assert run_python(code) == "[]"


def test_auditing_arrays_loads_no_frame_library_either():
    code = (
        "import sys, fairlattice as fl\n"
        "fl.audit([1, 0, 1], [1, 0, 0], sensitive_features={'sex': ['f', 'm', 'f']}).worst('tpr')\n"
        "print([m for m in ('pandas', 'polars', 'pyarrow', 'matplotlib', 'torch') if m in sys.modules])"
    )
    assert run_python(code) == "[]"


def test_everything_works_without_torch_and_without_plotting_libraries():
    code = (
        "import sys\n"
        "class Absent:\n"
        "    gone = {'torch', 'matplotlib', 'altair', 'pandas', 'pyarrow', 'fairlearn', 'aif360'}\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in self.gone:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from fairlattice.cli import main\n"
        "sys.exit(main(['demo', '--repeats', '1', '--jobs', '1', '--strategies', 'none,equal,augment']))"
    )
    assert "fairlattice compare" in run_python(code)
