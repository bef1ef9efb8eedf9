"""What Prometheus reads: requests, seconds, what was turned down, and the state of the engine when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.serving.asking import Reply

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
Rows = list[tuple[dict[str, str], float]]
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

    def page(self, *told: Mapping[str, tuple[str, Rows]]) -> bytes:
        """The text that Prometheus reads: what was counted here, and what others tell when they are asked."""
        lines = [self._client.generate_latest(self.registry)]
        lines += [_told(f"sightline_{name}", *said) for one in told for name, said in one.items()]
        return b"".join(lines)


def of_engine(state: Mapping[str, Any]) -> dict[str, tuple[str, Rows]]:
    """The state of the engine as metrics: queues, workers and swaps of every version, and what the engine counts."""
    counts = state.get("counts", {})
    rows: dict[str, Rows] = {name: [] for name in ("model_info", "queue_length", "workers", "model_swaps_total")}
    for name, model in state.get("models", {}).items():
        rows["model_swaps_total"] += [
            ({"model": name, "result": "done"}, model.get("swaps", 0)),
            ({"model": name, "result": "refused"}, len(model.get("refused", ()))),
        ]
        for number, crew in model.get("versions", {}).items():
            labels = {"model": name, "version": str(number)}
            rows["model_info"].append(({**labels, "sha256": str(crew.get("seal", ""))}, 1))
            rows["queue_length"].append((labels, crew.get("queue", 0)))
            rows["workers"].append((labels, len(crew.get("workers", ()))))
    return {
        "ready": ("Whether requests should be sent here.", [({}, bool(state.get("ready")))]),
        "estimated_wait_seconds": ("Until something asked now would be begun.", [({}, state.get("wait", 0))]),
        "decode_worker_restarts_total": ("Workers that died of themselves.",
                                         [({"cause": "crash"}, counts.get("crashes", 0))]),
        "answers_kept_total": ("Answers out of the memory.", [({}, counts.get("kept", 0))]),
        "shadow_total": ("Answers that nobody waited for.", [
            ({"result": "answered"}, counts.get("shadow", 0)), ({"result": "failed"}, counts.get("shadow_failed", 0)),
            ({"result": "dropped"}, counts.get("shadow_dropped", 0)),
        ]),
        "model_info": ("Versions that are held ready.", rows["model_info"]),
        "queue_length": ("Pictures that wait.", rows["queue_length"]),
        "workers": ("Processes that compute.", rows["workers"]),
        "model_swaps_total": ("Versions that were put in place of others.", rows["model_swaps_total"]),
    }  # fmt: skip


def _told(name: str, help: str, rows: Rows) -> bytes:
    """Rows of labels and numbers as text."""
    kind = "counter" if name.endswith("_total") else "gauge"
    text = [f"# HELP {name} {help}", f"# TYPE {name} {kind}"]
    for labels, number in rows:
        said = ",".join(f'{key}="{_escaped(str(word))}"' for key, word in labels.items())
        text.append(f"{name}{{{said}}} {float(number)}" if said else f"{name} {float(number)}")
    return ("\n".join(text) + "\n").encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
