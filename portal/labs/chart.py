"""Where everything of a trend goes in its picture: marks, broken lines, range bands and ticks, in SVG units. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from portal.labs import trend
from portal.labs.times import When
from portal.labs.trend import Point, Series

WIDTH, HEIGHT = 640, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 616, 16, 236
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True)
class Mark:
    """One result. `censored` is "<" or ">" when the true value lies beyond the number."""

    x: float
    y: float
    point: Point
    censored: str = ""

    @property
    def outside(self) -> bool:
        flag = self.point.result.flag
        return bool(flag and flag.severity)


@dataclass(frozen=True)
class Band:
    """A reference range over the time it was given for; a side that is open runs to the edge of the picture."""

    left: float
    right: float
    upper: float
    lower: float
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class Tick:
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    marks: tuple[Mark, ...]
    lines: tuple[tuple[Mark, ...], ...]
    bands: tuple[Band, ...]
    goals: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    first: When
    last: When
    left: float = _LEFT
    right: float = _RIGHT
    top: float = _TOP
    bottom: float = _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class _Scale:
    start: datetime
    end: datetime
    least: Decimal
    most: Decimal
    step: Decimal = field(default=Decimal(1))

    def x(self, at: datetime) -> float:
        whole = (self.end - self.start).total_seconds()
        share = (at - self.start).total_seconds() / whole if whole else 0.5
        return round(_LEFT + 12 + share * (_RIGHT - _LEFT - 24), 1)

    def y(self, number: Decimal) -> float:
        share = float((number - self.least) / (self.most - self.least))
        return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)


def chart(series: Series) -> Chart:
    """The picture of a series that has at least one point."""
    scale = _scale(series)
    marks = tuple(
        Mark(scale.x(point.when.order), scale.y(point.number), point, point.comparator) for point in series.points
    )
    return Chart(
        marks=marks,
        lines=tuple(_lines(series, marks)),
        bands=tuple(_bands(series, marks, scale, lambda point: point.usual)),
        goals=tuple(_bands(series, marks, scale, lambda point: point.goal)),
        ticks=tuple(_ticks(scale)),
        first=series.points[0].when,
        last=series.points[-1].when,
    )


def _scale(series: Series) -> _Scale:
    edges = [point.number for point in series.points]
    held = [band for point in series.points for band in (point.usual, point.goal) if band]
    edges += [side for band in held for side in (band.low, band.high) if side is not None]
    least, most = min(edges), max(edges)
    room = (most - least) * Decimal("0.1") or abs(most) * Decimal("0.1") or Decimal(1)
    step = _step((most - least + 2 * room) / 4)
    floor = (least - room) // step * step - (step if (least - room) < 0 and (least - room) % step else 0)
    if least >= 0 > floor:
        floor = Decimal(0)
    top = floor
    while top < most + room / 2:
        top += step
    return _Scale(series.points[0].when.order, series.points[-1].when.order, floor, top, step)


def _step(wanted: Decimal) -> Decimal:
    """A round step at least as large as wanted: 1, 2, 2.5, 5 times a power of ten."""
    power = Decimal(10) ** wanted.adjusted()
    return next(power * each for each in _STEPS if power * each >= wanted)


def _ticks(scale: _Scale) -> Iterator[Tick]:
    """All with as many decimals as the step needs: 0.75, 1.00, 1.25."""
    shown = min(Decimal(1), Decimal(10) ** int(scale.step.normalize().as_tuple().exponent))
    at = scale.least
    while at <= scale.most:
        yield Tick(scale.y(at), format(at.quantize(shown) if at else Decimal(0), "f"))
        at += scale.step


def _lines(series: Series, marks: tuple[Mark, ...]) -> Iterator[tuple[Mark, ...]]:
    """Runs of marks that a line may join: broken at a censored value and where a result had no number."""
    run: list[Mark] = []
    for mark in marks:
        if run and any(run[-1].point.when.order < gap.order < mark.point.when.order for gap in series.gaps):
            yield tuple(run)
            run = []
        if mark.censored:
            if run:
                yield tuple(run)
            run = []
        else:
            run.append(mark)
    if run:
        yield tuple(run)


def _bands(
    series: Series, marks: tuple[Mark, ...], scale: _Scale, held: Callable[[Point], trend.Band | None]
) -> Iterator[Band]:
    """Each range from half-way to the result before until half-way to the result after; equal neighbours joined."""
    middles = [(before.x + after.x) / 2 for before, after in pairwise(marks)]
    lefts, rights = [float(_LEFT), *middles], [*middles, float(_RIGHT)]
    run: Band | None = None
    for point, left, right in zip(series.points, lefts, rights, strict=True):
        found = held(point)
        if run and found and (run.low, run.high) == (found.low, found.high):
            run = Band(run.left, right, run.upper, run.lower, run.low, run.high)
            continue
        if run:
            yield run
        run = _band(found, left, right, scale) if found else None
    if run:
        yield run


def _band(held: trend.Band, left: float, right: float, scale: _Scale) -> Band:
    upper = _TOP if held.high is None else scale.y(held.high)
    lower = _BOTTOM if held.low is None else scale.y(held.low)
    return Band(left, right, upper, lower, held.low, held.high)
