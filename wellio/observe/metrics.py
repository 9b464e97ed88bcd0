"""Metrics for Prometheus: one registry per app, with what requests cost and what plugins count.

Requests are counted by hand: two dictionary look-ups and an addition each, where the client
library's counter and histogram take ten times as long. Nothing here holds a name of a person or an
id; a label is a route (`/api/v1/clients/{id}`), a method, a status.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiohttp.hdrs import METH_ALL
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset(METH_ALL)
_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Reading = Callable[[], Awaitable[Mapping[tuple[str, ...], float]]]


class Traffic(Collector):
    """How many requests came, how they ended and how long they took."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, int], list[float]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            method: The request's; one that HTTP does not define is counted as `OTHER`.
            route: The route's template, never the path that was asked for.
            status: The answer's.
            seconds: From its headers to the answer.
        """
        series = self._series.get((method, route, status))
        if series is None:
            known = method if method in _METHODS else "OTHER"
            # A count for each bucket, one for what is slower, and the sum of seconds.
            series = self._series.setdefault((known, route, status), [0.0] * (len(_BOUNDS_S) + 2))
        series[bisect_left(_BOUNDS_S, seconds)] += 1
        series[-1] += seconds

    def collect(self) -> Iterable[CounterMetricFamily | HistogramMetricFamily]:
        """Return both figures in the client library's form."""
        requests = CounterMetricFamily(
            "wellio_http_requests", "Requests answered.", labels=["method", "route", "status"]
        )
        latency = HistogramMetricFamily(
            "wellio_http_request_seconds", "Time to answer.", labels=["method", "route"]
        )
        merged: dict[tuple[str, str], list[float]] = {}
        for (method, route, status), series in self._series.items():
            requests.add_metric([method, route, str(status)], sum(series[:-1]))
            total = merged.setdefault((method, route), [0.0] * len(series))
            merged[method, route] = [a + b for a, b in zip(total, series, strict=True)]
        for labels, series in merged.items():
            latency.add_metric(labels, _buckets(series[:-1]), series[-1])
        return [requests, latency]


class Metrics:
    """The metrics of one app; plugins add theirs at boot.

    Attributes:
        registry: What `/metrics` shows.
        traffic: The requests.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.traffic = Traffic()
        self.registry.register(self.traffic)
        #: Told how late the event loop was, in seconds, at each look.
        self.loop_lag = self.histogram(
            "event_loop_lag_seconds", "How late the event loop wakes up."
        ).observe
        self._readings: list[tuple[Gauge, Reading]] = []

    def counter(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Counter:
        """Add something that only grows; `wellio_` is put before its name."""
        return Counter(f"wellio_{name}", help_text, labels, registry=self.registry)

    def histogram(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Histogram:
        """Add a distribution, in seconds, with the buckets that requests have."""
        return Histogram(
            f"wellio_{name}", help_text, labels, registry=self.registry, buckets=_BOUNDS_S
        )

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Add a figure that is read when somebody asks for the metrics."""
        gauge = Gauge(f"wellio_{name}", help_text, registry=self.registry)
        gauge.set_function(read)

    def reading(self, name: str, help_text: str, labels: Sequence[str], read: Reading) -> None:
        """Add figures that take a query, by the values of one label or more."""
        gauge = Gauge(f"wellio_{name}", help_text, labels, registry=self.registry)
        self._readings.append((gauge, read))

    async def expose(self) -> bytes:
        """Return everything in Prometheus' text format."""
        for gauge, read in self._readings:
            figures = await read()
            gauge.clear()
            for labels, value in figures.items():
                gauge.labels(*labels).set(value)
        return generate_latest(self.registry)


def _buckets(counts: Sequence[float]) -> list[tuple[str, float]]:
    """Return running totals under each bucket's upper bound."""
    total, buckets = 0.0, []
    for bound, count in zip([*map(str, _BOUNDS_S), "+Inf"], counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
