"""A table of a result: columns with units in their names, for a notebook and for other people's libraries."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.errors import UsageError

if TYPE_CHECKING:
    import pandas
    import polars
    import xarray

ROWS_SHOWN: Final = 20


@dataclass(frozen=True)
class Table:
    """Columns of one length: numbers, texts, times as `datetime64[ns]`, UTC; NaN, NaT, None: not known."""

    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column."""
        try:
            return self.columns[name]
        except KeyError:
            raise UsageError(f"no column is called {name!r}; there are: {', '.join(self.columns)}") from None

    def records(self) -> list[dict[str, Any]]:
        """Return a record for each row, plain values."""
        plain = [column.astype(object) if column.dtype.kind == "M" else column for column in self.columns.values()]
        rows = zip(*(column.tolist() for column in plain), strict=True)
        return [dict(zip(self.columns, row, strict=True)) for row in rows]

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the table as a pandas frame."""
        import pandas

        return pandas.DataFrame(dict(self.columns))

    def to_polars(self) -> "polars.DataFrame":
        """Return the table as a polars frame."""
        import polars

        return polars.DataFrame({name: _for_polars(column) for name, column in self.columns.items()})

    def to_xarray(self) -> "xarray.Dataset":
        """Return the table as a dataset along the dimension `row`."""
        import xarray

        return xarray.Dataset({name: ("row", column) for name, column in self.columns.items()})

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        first = Table({name: column[:ROWS_SHOWN] for name, column in self.columns.items()})
        lines = "".join(
            "<tr>" + "".join(f"<td>{escape(_shown(value))}</td>" for value in row.values()) + "</tr>"
            for row in first.records()
        )
        left = len(self) - ROWS_SHOWN
        more = f"<p>and {left} rows more</p>" if left > 0 else ""
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>{more}"


def table_of(records: Sequence[Mapping[str, Any]], kinds: Mapping[str, type] | None = None) -> Table:
    """Return records of the same keys as a table; `kinds` names the columns and their types where there may be none.

    `numpy.datetime64` in `kinds` stands for whole nanoseconds since 1970, UTC.
    """
    names = list(kinds) if kinds is not None else list(records[0]) if records else []
    return Table({name: _column([each[name] for each in records], (kinds or {}).get(name)) for name in names})


def _column(values: list[Any], kind: type | None) -> NDArray[Any]:
    if kind is np.datetime64:
        return np.array([np.datetime64("NaT", "ns") if v is None else np.datetime64(v, "ns") for v in values], "M8[ns]")
    if kind is float or (kind is None and values and all(isinstance(v, float) or v is None for v in values)):
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    if (kind in (int, bool) or kind is None) and values and all(isinstance(v, int) for v in values):
        return np.array(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _for_polars(column: NDArray[Any]) -> Any:
    return column.tolist() if column.dtype == object else column


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else ""
    if isinstance(value, int) and value > 10**17:  # nanoseconds: object columns of datetime64[ns] give whole numbers
        return str(np.datetime64(value, "ns"))[:23]
    return str(value)
