"""Runs in the environment of libasterix: answers requests on standard input, one JSON object a line.

{"op": "decode", "category": 48, "block": "3000…"}      → {"records": [...]} in the form of `record.decode_records`
{"op": "encode", "category": 48, "records": [...]}      → {"block": "3000…"}
{"op": "describe", "category": 48}                      → {"values": {"040/RHO": [bits, signed, lsb, unit], …}}
{"op": "speed", "block": "3000…", "times": 100}         → {"records": …, "seconds": …}, each value of a plot read
"""

import json
import sys
import time

from asterix import base, generated


def spec(number):
    return max(generated.manifest["CATS"][number], key=lambda cat: cat.cv_edition)


def variation_of(rule):
    return rule.cv_variation if hasattr(rule, "cv_variation") else rule.cv_default_variation


def content_of(element):
    rule = element.cv_rule
    return rule.cv_content if hasattr(rule, "cv_content") else base.ContentRaw


def is_signed(element):
    return getattr(content_of(element), "cv_signedness", None) is base.Signed


def named(variation):
    """Yield name and variation class of the values of a group or a part, groups within flattened."""
    for entry in variation:
        if entry is None:
            continue
        item = entry[0]
        if issubclass(item, base.Spare):
            yield None, item
        else:
            inner = variation_of(item.cv_non_spare.cv_rule)
            if issubclass(inner, base.Group):
                yield from ((f"{item.cv_non_spare.cv_name}_{n}", v) for n, v in named(inner.cv_items_list))
            else:
                yield item.cv_non_spare.cv_name, inner


# ---- decode ----


def number(bits, element):
    raw = bits.to_uinteger()
    return raw - (1 << element.cv_bit_size) if is_signed(element) and raw >> (element.cv_bit_size - 1) else raw


def group_values(objects):
    found = {}
    for entry in objects:
        if entry is None or isinstance(entry, base.Spare):
            continue
        inner = entry.arg.arg.arg if hasattr(entry.arg.arg, "arg") else entry.arg.arg
        name = entry.cv_non_spare.cv_name
        if isinstance(inner, base.Group):
            found |= {f"{name}_{n}": v for n, v in group_values(inner.arg).items()}
        else:
            bits = inner.bs if hasattr(inner, "bs") else entry.arg.arg.bs
            found[name] = number(bits, variation_of(entry.cv_non_spare.cv_rule))
    return found


def content(variation):
    if isinstance(variation, base.Element):
        return number(variation.bs, type(variation))
    if isinstance(variation, base.Group):
        return group_values(variation.arg)
    if isinstance(variation, base.Extended):
        return {n: v for part in variation.arg for n, v in group_values(part).items()}
    if isinstance(variation, base.Repetitive):
        return [content(one) for one in variation.arg]
    if isinstance(variation, base.Explicit):
        return variation.get_bytes().hex()
    return {name: item_content(item) for name, item in variation.arg.items()}


def item_content(item):
    rule = item.arg
    if hasattr(rule, "arg"):
        return content(rule.arg)
    return content(variation_of(type(rule))._parse(rule.bs)[0])


def decode(category, block):
    blocks = base.RawDatablock.parse(base.Bits.from_bytes(bytes.fromhex(block)))
    if isinstance(blocks, ValueError):
        return {"error": str(blocks)}
    records = spec(category).cv_uap.parse(blocks[0].get_raw_records())
    if isinstance(records, ValueError):
        return {"error": str(records)}
    return {"records": [{n: item_content(i) for n, i in record.items_regular.items()} for record in records]}


# ---- encode ----


def unsigned(value, bits):
    return value & ((1 << bits) - 1)


def flat(entries, values):
    """Return the bits of a group or part, without the last bit of a part, as one integer."""
    whole = 0
    for name, variation in named(entries):
        bits = variation.cv_bit_size
        whole = whole << bits | (0 if name is None else unsigned(values.get(name, 0), bits))
    return whole


def arguments(variation, value):
    if issubclass(variation, base.Element):
        return unsigned(value, variation.cv_bit_size)
    if issubclass(variation, base.Group):
        return flat(variation.cv_items_list, value)
    if issubclass(variation, base.Extended):
        parts = [p for p in variation.cv_items_list if any(name in value for name, _ in named(p))]
        return [flat(part, value) for part in parts]
    if issubclass(variation, base.Repetitive):
        return [arguments(variation.cv_variation, one) for one in value]
    if issubclass(variation, base.Explicit):
        return bytes.fromhex(value)
    return {n: arguments(variation_of(variation._spec(n).cv_rule), v) for n, v in value.items()}


def encode(category, records):
    cat = spec(category)
    record = cat.cv_uap.cv_record
    made = [
        record.create({n: arguments(variation_of(record.cv_items_dict[n].cv_rule), v) for n, v in one.items()})
        for one in records
    ]
    return {"block": cat.create(made).unparse().to_bytes().hex()}


# ---- describe ----


def described(path, variation):
    if issubclass(variation, base.Element):
        found = content_of(variation)
        quantity = issubclass(found, base.ContentQuantity)
        lsb, unit = (found.cv_lsb, found.cv_unit) if quantity else (1.0, "")
        yield path, [variation.cv_bit_size, is_signed(variation), lsb, unit]
    elif issubclass(variation, base.Group):
        for name, inner in named(variation.cv_items_list):
            if name is not None:
                yield from described(f"{path}/{name}", inner)
    elif issubclass(variation, base.Extended):
        for part in variation.cv_items_list:
            for name, inner in named(part):
                if name is not None:
                    yield from described(f"{path}/{name}", inner)
    elif issubclass(variation, base.Repetitive):
        yield from described(path, variation.cv_variation)
    elif issubclass(variation, base.Compound):
        for item in variation.cv_items_list:
            if item is not None:
                yield from described(f"{path}/{item.cv_name}", variation_of(item.cv_rule))


def describe(category):
    cat = spec(category)
    items = cat.cv_uap.cv_record.cv_items_list
    values = {}
    for item in items:
        if issubclass(item, base.UapItem):
            values |= dict(described(item.cv_non_spare.cv_name, variation_of(item.cv_non_spare.cv_rule)))
    order = [item.cv_non_spare.cv_name if issubclass(item, base.UapItem) else None for item in items]
    return {"values": values, "order": order, "edition": ".".join(map(str, cat.cv_edition))}


# ---- speed ----


def speed(block, times):
    """Decode CAT048 as a tracker would: the seven values of a plot, in their units."""
    data = bytes.fromhex(block)
    record = spec(48).cv_uap
    count, total = 0, 0.0
    start = time.perf_counter()
    for _ in range(times):
        for raw in base.RawDatablock.parse(base.Bits.from_bytes(data)):
            for one in record.parse(raw.get_raw_records()):
                source = one.get_item("010").variation
                total += source.get_item("SAC").variation.content.as_uint()
                total += source.get_item("SIC").variation.content.as_uint()
                total += one.get_item("140").variation.content.as_quantity("s")
                place = one.get_item("040").variation
                total += place.get_item("RHO").variation.content.as_quantity("NM")
                total += place.get_item("THETA").variation.content.as_quantity("°")
                height = one.get_item("110")
                if height is not None:
                    total += height.variation.get_item("3DH").variation.content.as_quantity("ft")
                count += 1
    return {"records": count, "seconds": time.perf_counter() - start, "total": total}


OPERATIONS = {"decode": decode, "encode": encode, "describe": describe, "speed": speed}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        answer = OPERATIONS[request.pop("op")](**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
