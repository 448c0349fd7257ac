"""What a server tells of itself: Prometheus's figures."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128)
OTHER = ""  # what requests of unknown models are counted as


class Monitor:
    """Counts of one server.

    Attributes:
        content_type: str, of `text`.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self):
        self._registry = CollectorRegistry()
        own = {"registry": self._registry}
        self._requests = Counter(
            "keras_gans_requests",
            "Requests, by model, protocol and code.",
            ["model", "protocol", "code"],
            **own,
        )
        self._seconds = Histogram(
            "keras_gans_request_seconds",
            "Time from a request to its answer.",
            ["model", "protocol"],
            buckets=SECONDS,
            **own,
        )
        self._rows = Histogram(
            "keras_gans_batch_rows",
            "Rows of each batch that a model was run on.",
            ["model"],
            buckets=ROWS,
            **own,
        )
        self._waiting = Gauge(
            "keras_gans_waiting_rows", "Rows that wait now.", ["model"], **own
        )
        self._available = Gauge(
            "keras_gans_model_available",
            "1 for each version that is served, 0 for one that cannot be.",
            ["model", "version"],
            **own,
        )

    def request(self, model: str, protocol: str, code: str, seconds: float) -> None:
        """Counts a request.

        Args:
            model: str, a model that is known, or `OTHER`.
            protocol: "rest" or "grpc".
            code: str, one of `status.HTTP`.
            seconds: float, how long it took.
        """
        self._requests.labels(model, protocol, code).inc()
        self._seconds.labels(model, protocol).observe(seconds)

    def batch(self, model: str, rows: int) -> None:
        """Counts a batch."""
        self._rows.labels(model).observe(rows)

    def text(self, models) -> bytes:
        """The figures, as Prometheus reads them.

        Args:
            models: `versions.Models`.
        """
        self._waiting.clear()
        self._available.clear()
        for name, versions in models.states().items():
            self._waiting.labels(name).set(models.waiting(name))
            for number, version in versions.items():
                served = version.state == "AVAILABLE"
                self._available.labels(name, number).set(served)
        return generate_latest(self._registry)
