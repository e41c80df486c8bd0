"""Where compiled code is kept: a change below a package means a new folder, a change above it does not."""

import re
import shutil
from pathlib import Path

import pytest

from opencram import kernel

PACKAGE = Path(kernel.__file__).parent
KERNELS = ("earth", "estimation", "ballistics", "tracking")  # packages with compiled code, lowest first


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package whose source can be changed; the hashes are taken of it."""
    copy = tmp_path / "opencram"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "*.js"))
    monkeypatch.setattr(kernel, "_PACKAGE", copy)
    monkeypatch.setattr(kernel, "__file__", str(copy / "kernel.py"))
    monkeypatch.setenv("OPENCRAM_CACHE_DIR", str(tmp_path / "cache"))
    forget()
    yield copy
    forget()


def forget():
    kernel.source_hash.cache_clear()
    kernel.cache_folder.cache_clear()


def folders():
    forget()
    return {name: kernel.cache_folder(name) for name in KERNELS}


def changed(package, path, text="\n# changed\n"):
    """The packages whose folder is another one after this file has changed."""
    before = folders()
    with (package / path).open("a") as stream:
        stream.write(text)
    after = folders()
    return {name for name in KERNELS if before[name] != after[name]}


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("earth/gravity.py", {"earth", "estimation", "ballistics", "tracking"}),
        ("estimation/linear.py", {"estimation", "ballistics", "tracking"}),
        ("ballistics/motion.py", {"ballistics", "tracking"}),
        ("ballistics/data/drag_G7.csv", {"ballistics", "tracking"}),
        ("tracking/fit.py", {"tracking"}),
        ("kernel.py", {"earth", "estimation", "ballistics", "tracking"}),
        ("prediction/ground.py", set()),
        ("cli.py", set()),
        ("runtime/pipeline.py", set()),
    ],
)
def test_a_change_makes_new_folders_above_it_only(package, path, above):
    assert changed(package, path) == above


def test_a_new_file_and_a_renamed_one_count_as_changes(package):
    assert changed(package, "ballistics/wings.py", "LIFT = 1\n") == {"ballistics", "tracking"}
    before = folders()
    (package / "ballistics" / "wings.py").rename(package / "ballistics" / "fins.py")
    assert folders()["tracking"] != before["tracking"]


def test_the_same_source_means_the_same_folder_wherever_it_lies(package):
    here = {name: folder.name for name, folder in folders().items()}
    kernel._PACKAGE = PACKAGE  # monkeypatch puts it back
    kernel.__file__ = str(PACKAGE / "kernel.py")
    assert {name: folder.name for name, folder in folders().items()} == here


def test_another_compiler_or_processor_means_another_folder(package, monkeypatch):
    import llvmlite.binding
    import numba

    usual = folders()["earth"]
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_name", lambda: "another-processor")
    other_processor = folders()["earth"]
    monkeypatch.setattr(numba, "__version__", "0.0.0")
    assert len({usual, other_processor, folders()["earth"]}) == 3


def test_the_cache_lies_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENCRAM_CACHE_DIR", str(tmp_path / "own"))
    assert kernel.cache_root() == tmp_path / "own"
    monkeypatch.delenv("OPENCRAM_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert kernel.cache_root() == tmp_path / "xdg" / "opencram"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert kernel.cache_root() == Path.home() / ".cache" / "opencram"
    monkeypatch.setenv("OPENCRAM_CACHE_DIR", "")
    assert kernel.cache_root() == Path.home() / ".cache" / "opencram"


def test_every_package_below_is_hashed():
    """A package with compiled code that others call must stand in the list, or its changes go unseen."""
    with_kernels = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if re.search(r"from opencram\.kernel import .*\b(kernel|helper)\b", path.read_text())
    }
    imported = {
        name
        for name in with_kernels
        for other in with_kernels - {name}
        for path in (PACKAGE / other).rglob("*.py")
        if f"from opencram.{name}." in path.read_text()
    }
    assert imported <= set(kernel._BELOW), "add the package to kernel._BELOW"
