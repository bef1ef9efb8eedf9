"""What Prometheus reads: requests, seconds, what was turned down, and the state of the engine when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.serving.asking import Reply

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
REASONS = {"queue_full": "queue_full", "rate": "rate", "deadline": "deadline", "draining": "draining", "body": "body"}


class Metrics:
    """Counts and times; labels are models, versions, arms and codes, never callers or files."""

    def __init__(self) -> None:
        from sightline.core.extras import need

        client = need("prometheus_client")
        self._client, self.registry = client, client.CollectorRegistry()
        to = {"registry": self.registry}
        self._requests = client.Counter(
            "sightline_requests", "Requests, by what was answered", ("model", "version", "arm", "code"), **to
        )
        self._seconds = client.Histogram(
            "sightline_request_duration_seconds", "From the first byte of a request to its answer", ("model",),
            buckets=SECONDS, **to,
        )  # fmt: skip
        self._queue = client.Histogram(
            "sightline_queue_wait_seconds", "Waiting for a worker", ("model",), buckets=SECONDS, **to
        )
        self._compute = client.Histogram(
            "sightline_compute_seconds", "In the network", ("model",), buckets=SECONDS, **to
        )
        self._rejected = client.Counter("sightline_rejected", "Requests turned down", ("reason",), **to)
        self._decode = client.Counter("sightline_decode_errors", "Pictures that cannot be used", ("code",), **to)
        self.inflight = client.Gauge("sightline_inflight", "Requests in hand", **to)
        self._known: dict[tuple[str, ...], Any] = {}
        for reason in REASONS.values():
            self._rejected.labels(reason)

    def answered(self, reply: Reply) -> None:
        """One picture got its answer."""
        for name, metric in (("queue", self._queue), ("compute", self._compute)):
            if name in reply.seconds:
                self._child(metric, name, reply.model).observe(reply.seconds[name])

    def done(self, reply: Reply | None, code: str, seconds: float) -> None:
        """One request is done."""
        mine = ("", "", "") if reply is None else (reply.model, str(reply.number), reply.arm)
        self._child(self._requests, "requests", *mine, code).inc()
        if reply is not None:
            self._child(self._seconds, "seconds", reply.model).observe(seconds)
        if code in REASONS:
            self._rejected.labels(REASONS[code]).inc()

    def unusable(self, code: str) -> None:
        """A picture was refused."""
        self._decode.labels(code).inc()

    def _child(self, metric: Any, name: str, *labels: str) -> Any:
        key = (name, *labels)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = metric.labels(*labels)
        return found

    def page(self, state: Mapping[str, Any]) -> bytes:
        """The text that Prometheus reads; numbers of the engine's state become gauges and counters of their names."""
        lines = [self._client.generate_latest(self.registry)]
        told: Mapping[str, Any] = state.get("metrics", {})
        for name, value in told.items():
            lines += [_told(f"sightline_{name}", value)]
        return b"".join(lines)


def _told(name: str, value: Any) -> bytes:
    """A number, or rows of labels and numbers, as text."""
    rows = value if isinstance(value, list) else [({}, value)]
    kind = "counter" if name.endswith("_total") else "gauge"
    text = [f"# HELP {name} Of the engine.", f"# TYPE {name} {kind}"]
    for labels, number in rows:
        said = ",".join(f'{key}="{_escaped(str(word))}"' for key, word in labels.items())
        text.append(f"{name}{{{said}}} {float(number)}" if said else f"{name} {float(number)}")
    return ("\n".join(text) + "\n").encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
