"""Where a time series goes in its picture: one lane a dimension, lines broken where nothing could be measured, in SVG units. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from portal.labs.samples import Samples

WIDTH, LANE, LEFT, RIGHT, PAD = 640, 120, 64, 632, 14
MOST_POINTS = 1200
"""Points a lane is drawn with; of more samples each stretch is drawn by its least and its most, so that no peak is lost."""

Line = tuple[Decimal | None, ...]


@dataclass(frozen=True)
class Lane:
    """`runs` are the points of unbroken lines ("x,y x,y"); `least` and `most` are labels at their heights."""

    runs: tuple[str, ...]
    least: str
    most: str
    top: float
    bottom: float


@dataclass(frozen=True)
class Wave:
    lanes: tuple[Lane, ...]
    height: int
    thinned: bool
    width: int = WIDTH
    left: int = LEFT
    right: int = RIGHT


def wave(samples: Samples) -> Wave:
    """The picture of a series that is `drawable`."""
    drawn = [line for line in samples.lines if any(each is not None for each in line)]
    lanes = tuple(_lane(line, number * LANE) for number, line in enumerate(drawn))
    return Wave(lanes, LANE * len(lanes) + 28, any(len(line) > MOST_POINTS for line in drawn))


def _lane(line: Line, offset: int) -> Lane:
    numbers = [each for each in line if each is not None]
    least, most = min(numbers), max(numbers)
    top, bottom = float(offset + PAD), float(offset + LANE - PAD)
    places = list(_thin(line))
    wide = max(len(line) - 1, 1)

    def at(place: int, number: Decimal) -> str:
        share = float((number - least) / (most - least)) if most > least else 0.5
        return f"{LEFT + (RIGHT - LEFT) * place / wide:.1f},{bottom - share * (bottom - top):.1f}"

    runs: list[list[str]] = [[]]
    for place, number in places:
        if number is None:
            runs.append([])
        else:
            runs[-1].append(at(place, number))
    return Lane(tuple(" ".join(run) for run in runs if run), _short(least), _short(most), top, bottom)


def _thin(line: Line) -> Iterator[tuple[int, Decimal | None]]:
    """Every sample with its place; of long series the least and the most of each stretch, and where something is missing."""
    if len(line) <= MOST_POINTS:
        yield from enumerate(line)
        return
    stretch = -(-len(line) // (MOST_POINTS // 2))
    for start in range(0, len(line), stretch):
        part = list(enumerate(line[start : start + stretch], start))
        there = [(place, number) for place, number in part if number is not None]
        if there:
            ends = {min(there, key=lambda pair: pair[1]), max(there, key=lambda pair: pair[1])}
            yield from sorted(ends)
        if len(there) < len(part):
            yield part[-1][0], None


def _short(number: Decimal) -> str:
    """At most five digits, for the edge of a picture; the table has the number."""
    text = format(number.normalize(), "f")
    return text if len(text) <= 7 else f"{float(number):.5g}"
