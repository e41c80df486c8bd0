"""libasterix beside us: an independent codec (MIT), in an environment of its own, asked through a pipe.

Where it is: the environment variable `OPENCRAM_ORACLE` names its Python; else `.venv-oracle` (`make oracle`).
"""

import json
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("libasterix_oracle.py")


def python_of_oracle() -> Path | None:
    """Return the Python that has libasterix, or None."""
    named = os.environ.get("OPENCRAM_ORACLE")
    path = Path(named) if named else REPOSITORY / ".venv-oracle" / "bin" / "python"
    if not path.exists():
        return None
    probe = subprocess.run([path, "-c", "import asterix.base"], capture_output=True, check=False)
    return path if probe.returncode == 0 else None


class Oracle:
    """libasterix, running."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [python, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, op: str, **request: object) -> dict:
        """Return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"op": op, **request}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()
