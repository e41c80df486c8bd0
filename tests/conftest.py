"""What all tests share.  Being here also puts this folder on the path, so that tests can `import scoring`."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of the raids: `seven-rockets`, `mortars`, `ripple-24`, each with site, plots and truth."""
    return REPOSITORY / "examples"
