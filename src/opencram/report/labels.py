"""Where to write on a crowded map: labels that overlap neither each other nor the marks.

Greedy: what matters most is placed first, at the best of a few places around its mark; what finds no
room is left out and counted, for a table beside the map names everything.
"""

from dataclasses import dataclass, field

# Mean advance of Arial-like faces by kind of character, in units of the font size; a little generous.
_NARROW = set("ijlt.,:;|!'()[]fI /·-")
_WIDE = set("mwMW%@▲")


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is."""
    units = sum(0.32 if c in _NARROW else 0.88 if c in _WIDE else 0.66 if c.isupper() else 0.56 for c in text)
    return units * size


@dataclass(frozen=True)
class Box:
    """A rectangle on the page, y down."""

    x0: float
    y0: float
    x1: float
    y1: float

    def meets(self, other: "Box") -> bool:
        """Whether the two overlap."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1


@dataclass(frozen=True)
class Placed:
    """A label with its place: the left end of its base line."""

    x: float
    y: float
    box: Box
    moved: bool  # away from its mark, so that a leader line helps


@dataclass
class Placer:
    """The page so far."""

    frame: Box
    taken: list[Box] = field(default_factory=list)
    left_out: int = 0

    def block(self, x: float, y: float, half: float) -> None:
        """Keep a square around a mark free of text."""
        self.taken.append(Box(x - half, y - half, x + half, y + half))

    def place(
        self, text: str, x: float, y: float, *, size: float, gap: float = 7.0, must: bool = False
    ) -> Placed | None:
        """Return a free place for a label beside (x, y), or None.  `must`: look further away, with a leader line."""
        width, height = text_width(text, size), size * 1.15
        rings = (gap, gap * 2.6, gap * 5.0, gap * 8.0) if must else (gap,)
        for ring_index, ring in enumerate(rings):
            diagonal = 0.75 * ring
            for left, middle in (
                (x + ring, y),
                (x - ring - width, y),
                (x - width / 2, y - ring - height / 2),
                (x - width / 2, y + ring + height / 2),
                (x + diagonal, y - diagonal - height / 2),
                (x + diagonal, y + diagonal + height / 2),
                (x - diagonal - width, y - diagonal - height / 2),
                (x - diagonal - width, y + diagonal + height / 2),
            ):
                box = Box(left - 1.5, middle - height / 2, left + width + 1.5, middle + height / 2)
                if self._free(box):
                    self.taken.append(box)
                    return Placed(left, middle + 0.35 * size, box, moved=ring_index > 0)
        self.left_out += 1
        return None

    def centred(self, text: str, x: float, y: float, *, size: float) -> Placed | None:
        """Return the place of a label centred on (x, y), or None if that is not free."""
        width, height = text_width(text, size), size * 1.15
        box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        if not self._free(box):
            return None
        self.taken.append(box)
        return Placed(box.x0, y + 0.35 * size, box, moved=False)

    def _free(self, box: Box) -> bool:
        frame = self.frame
        inside = box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
        return inside and not any(box.meets(other) for other in self.taken)
