"""The one decorator of compiled code, and where its cache lives.

Plain `numba.njit(cache=True)` looks only at the file of the function itself, and so returns old results
after an edit in a file that it calls.  Here the cache folder of a package is named after a hash of the
source and data of that package and of all below it, of the compiler's version and of the processor: an
edit below, or a copy to another machine, means a new folder.  `opencram warmup` fills it.
"""

import functools
import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parent
_HASHED = {".py", ".csv"}
# What a kernel may be built from besides its own package: the packages that hold compiled code, lowest first.
_BELOW = ("earth", "estimation", "ballistics")
_kernels: list[Any] = []


@functools.cache
def source_hash(package: str) -> str:
    """Return the hash (16 hex digits) of the source and data that kernels of `package` are built from."""
    folders = [*_BELOW[: _BELOW.index(package)], package] if package in _BELOW else [*_BELOW, package]
    paths = [path for folder in folders for path in (_PACKAGE / folder).rglob("*") if path.suffix in _HASHED]
    digest = hashlib.sha256()
    for path in [Path(__file__), *sorted(paths)]:
        digest.update(str(path.relative_to(_PACKAGE)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """Return the folder that holds all compiled kernels; `OPENCRAM_CACHE_DIR` overrides the user's cache."""
    override = os.environ.get("OPENCRAM_CACHE_DIR")
    return Path(override) if override else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opencram"


@functools.cache
def cache_folder(package: str) -> Path:
    """Return the folder of the compiled kernels of `package` for this source, compiler and processor."""
    import llvmlite.binding as llvm
    import numba

    host = hashlib.sha256(f"{platform.machine()} {llvm.get_host_cpu_name()} {numba.__version__}".encode())
    folder = cache_root() / f"{package}-{source_hash(package)}-{host.hexdigest()[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kernel(function: F) -> F:
    """Compile `function`: strict arithmetic, IEEE division, GIL released, cached by source hash."""
    _kernels.append(_compile(function, inline=False))
    compiled: F = _kernels[-1]
    return compiled


def helper(function: F) -> F:
    """Compile a small scalar function that is always merged into its caller (else lanes do not vectorise)."""
    return _compile(function, inline=True)


def signatures() -> dict[str, frozenset[str]]:
    """Return the argument types that each kernel of the loaded modules is ready for, by its module and name."""
    return {
        f"{each.__module__.removeprefix('opencram.')}.{each.__name__}": frozenset(
            map(str, getattr(each, "signatures", ()))
        )
        for each in _kernels
    }


def _compile(function: F, *, inline: bool) -> F:
    import numba

    package = function.__module__.split(".")[1]
    numba.config.CACHE_DIR = str(cache_folder(package))  # type: ignore[attr-defined]  # read while it decorates
    compiled: F = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=inline)(function)  # type: ignore[assignment]
    return compiled
