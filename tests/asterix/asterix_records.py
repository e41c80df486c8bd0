"""Random records of any category, drawn from its table: every kind of item, every combination of items."""

from hypothesis import strategies as st

from opencram.adapters.asterix.layout import Category, Item, Value, category


def number(value: Value) -> st.SearchStrategy[int]:
    high = 1 << value.bits
    return st.integers(-high // 2, high // 2 - 1) if value.signed else st.integers(0, high - 1)


def group(item: Item, part: tuple[Value, ...]) -> st.SearchStrategy:
    if item.plain:
        return number(part[0])
    return st.fixed_dictionaries({v.name: number(v) for v in part if not v.spare})


def extended(item: Item) -> st.SearchStrategy:
    """As many parts as drawn, each whole."""
    return st.integers(1, len(item.parts)).flatmap(
        lambda count: st.fixed_dictionaries(
            {v.name: number(v) for part in item.parts[:count] for v in part if not v.spare}
        )
    )


def content(item: Item) -> st.SearchStrategy:
    if item.kind == "compound":
        return subset(item.items)
    if item.kind == "explicit":
        return st.binary(max_size=12)
    if item.kind == "extended":
        return extended(item)
    if item.kind == "list":
        return st.lists(group(item, item.parts[0]), max_size=3)
    if item.kind == "chain":
        return st.lists(group(item, item.parts[0]), min_size=1, max_size=4)
    return group(item, item.parts[0])


def subset(items: tuple[Item | None, ...]) -> st.SearchStrategy:
    known = {item.name: content(item) for item in items if item is not None}
    chosen = st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=8, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: known[name] for name in names}))


def records(layout: Category | int) -> st.SearchStrategy:
    """Return a strategy for one record."""
    layout = category(layout) if isinstance(layout, int) else layout
    return subset(layout.items)


def as_json(record: object) -> object:
    """Return the record with its bytes as hexadecimal text."""
    if isinstance(record, dict):
        return {name: as_json(value) for name, value in record.items()}
    if isinstance(record, list):
        return [as_json(value) for value in record]
    return record.hex() if isinstance(record, bytes) else record
