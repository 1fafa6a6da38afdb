"""Samples as text for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from core.metrics.catalog import CATALOG
from core.metrics.catalog import Metric as Known

CONTENT_TYPE = CONTENT_TYPE_LATEST

# Metric name -> its samples: values of its labels, in their order, and the number.
Samples = Mapping[str, Sequence[tuple[tuple[str, ...], float]]]


class _Given(Collector):
    def __init__(self, samples: Samples, catalog: Mapping[str, Known]) -> None:
        self._samples = samples
        self._catalog = catalog

    def collect(self) -> Iterator[Metric]:
        for name, rows in self._samples.items():
            known = self._catalog[name]
            family = CounterMetricFamily if known.kind == "counter" else GaugeMetricFamily
            metric = family(name, f"{known.meaning} ({known.unit})", labels=known.labels)
            for labels, value in rows:
                metric.add_metric(labels, value)
            yield metric


def render(samples: Samples, catalog: Mapping[str, Known] = CATALOG) -> bytes:
    """The text. KeyError: a name that is not in the catalogue."""
    registry = CollectorRegistry()
    registry.register(_Given(samples, catalog))
    return generate_latest(registry)
