"""Everything that the commands do as a Python call, for notebooks and scripts.

    from opencram import api
    raid = api.process("site.toml", "plots.ndjson")     # or api.simulate("scenario.toml"), api.load("raid.opencram")
    raid                                                # in a notebook: what it came to, a row a round
    raid.impacts.to_pandas()

Results are typed, show themselves in a notebook, and hand their tables to pandas, polars and xarray.  Names of columns
carry their units.  Errors are `opencram.errors.OpencramError`, in the words of the commands.
"""

from opencram.api.raids import Raid, load, process, simulate
from opencram.api.tables import Table
from opencram.api.tools import Bounds, Evaluation, Register, Siting, bound, evaluate, plan, raids
from opencram.studies.api import run_study as study
from opencram.studies.results import StudyResult, load_result

__all__ = [
    "Bounds",
    "Evaluation",
    "Raid",
    "Register",
    "Siting",
    "StudyResult",
    "Table",
    "bound",
    "evaluate",
    "load",
    "load_result",
    "plan",
    "process",
    "raids",
    "simulate",
    "study",
]
