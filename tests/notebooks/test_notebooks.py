"""The worked notebooks run from their first cell to their last."""

import shutil
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "examples" / "notebooks"


@pytest.mark.filterwarnings("ignore")  # of the notebook's own machinery
@pytest.mark.parametrize(
    "name",
    [
        "raid",
        "intervals",
        pytest.param("study", marks=pytest.mark.slow),
        pytest.param("siting", marks=pytest.mark.slow),
    ],
)
def test_a_notebook_runs(name, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for folder in ("studies", "siting", "seven-rockets"):
        shutil.copytree(NOTEBOOKS.parent / folder, tmp_path / folder)
    (tmp_path / "notebooks").mkdir()
    book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells)  # kept without results: they are made here
    client = nbclient.NotebookClient(
        book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path / "notebooks")}}
    )
    client.execute()
    assert [cell for cell in book.cells if cell.get("outputs")]
