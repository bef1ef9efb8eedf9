"""From pictures to decisions that people can trust; every name loads its room on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sightline.applying.apply import apply as apply
    from sightline.applying.chain import Chain as Chain
    from sightline.auditing.agree import agree as agree
    from sightline.auditing.audit import audit as audit
    from sightline.auditing.clustering import cluster as cluster
    from sightline.auditing.gate import Gate as Gate
    from sightline.auditing.suspects import suspects as suspects
    from sightline.composing.align import align as align
    from sightline.composing.burst import burst as burst
    from sightline.composing.difference import difference as difference
    from sightline.composing.focus import focus_stack as focus_stack
    from sightline.composing.fuse import fuse as fuse
    from sightline.composing.panorama import panorama as panorama
    from sightline.compressing.search import compress as compress
    from sightline.core.annotations import Annotation as Annotation
    from sightline.core.annotations import Heatmap as Heatmap
    from sightline.core.annotations import Labels as Labels
    from sightline.core.annotations import Objects as Objects
    from sightline.core.annotations import Picture as Picture
    from sightline.core.annotations import Regions as Regions
    from sightline.core.annotations import Text as Text
    from sightline.core.annotations import Value as Value
    from sightline.core.annotations import Vector as Vector
    from sightline.core.conversion import Conversion as Conversion
    from sightline.core.conversion import convert as convert
    from sightline.core.data import open_data as open_data
    from sightline.core.data import open_stream as open_stream
    from sightline.core.dataset import Dataset as Dataset
    from sightline.core.errors import SightlineError as SightlineError
    from sightline.core.image import examine as examine
    from sightline.core.image import read_image as read_image
    from sightline.core.image import write_image as write_image
    from sightline.core.progress import Event as Event
    from sightline.core.run import Run as Run
    from sightline.core.run import all_runs
    from sightline.core.run import open_run as open_run
    from sightline.core.sample import Sample as Sample
    from sightline.core.splitting import folds as folds
    from sightline.core.splitting import split as split
    from sightline.core.stream import Shot as Shot
    from sightline.core.stream import Stream as Stream
    from sightline.core.versions import diff as diff
    from sightline.enhancing.enhance import Enhanced as Enhanced
    from sightline.enhancing.enhance import enhance as enhance
    from sightline.enhancing.enhance import enhance_all as enhance_all
    from sightline.evaluating.describe import report as report
    from sightline.evaluating.evaluate import Evaluation as Evaluation
    from sightline.evaluating.evaluate import evaluate as evaluate
    from sightline.evaluating.rivals import rivals
    from sightline.explaining.explain import explain as explain
    from sightline.exporting.export import Exported as Exported
    from sightline.exporting.export import export as export
    from sightline.predicting.local_first import LocalFirst as LocalFirst
    from sightline.predicting.local_first import ask as ask
    from sightline.predicting.model import Model as Model
    from sightline.predicting.model import load as load
    from sightline.registering.registry import Registry as Registry
    from sightline.registering.registry import open_registry as open_registry
    from sightline.training.curve import learning_curve as learning_curve
    from sightline.training.folding import cross_validate as cross_validate
    from sightline.training.settings import Settings as Settings
    from sightline.training.train import train as train
    from sightline.training.tuning import tune as tune

    compare, runs = rivals, all_runs

_PLACES = {  # public name -> where it lives, and what it is called there if otherwise
    "Annotation": "core.annotations",
    "Chain": "applying.chain",
    "Conversion": "core.conversion",
    "Dataset": "core.dataset",
    "Enhanced": "enhancing.enhance",
    "Evaluation": "evaluating.evaluate",
    "Event": "core.progress",
    "Exported": "exporting.export",
    "Gate": "auditing.gate",
    "Heatmap": "core.annotations",
    "Labels": "core.annotations",
    "LocalFirst": "predicting.local_first",
    "Model": "predicting.model",
    "Objects": "core.annotations",
    "Picture": "core.annotations",
    "Regions": "core.annotations",
    "Registry": "registering.registry",
    "Run": "core.run",
    "Sample": "core.sample",
    "Settings": "training.settings",
    "Shot": "core.stream",
    "SightlineError": "core.errors",
    "Stream": "core.stream",
    "Text": "core.annotations",
    "Value": "core.annotations",
    "Vector": "core.annotations",
    "agree": "auditing.agree",
    "align": "composing.align",
    "apply": "applying.apply",
    "ask": "predicting.local_first",
    "audit": "auditing.audit",
    "burst": "composing.burst",
    "cluster": "auditing.clustering",
    "compare": "evaluating.rivals:rivals",
    "compress": "compressing.search",
    "convert": "core.conversion",
    "cross_validate": "training.folding",
    "diff": "core.versions",
    "difference": "composing.difference",
    "enhance": "enhancing.enhance",
    "enhance_all": "enhancing.enhance",
    "evaluate": "evaluating.evaluate",
    "examine": "core.image",
    "explain": "explaining.explain",
    "export": "exporting.export",
    "focus_stack": "composing.focus",
    "folds": "core.splitting",
    "fuse": "composing.fuse",
    "learning_curve": "training.curve",
    "load": "predicting.model",
    "open_data": "core.data",
    "open_registry": "registering.registry",
    "open_run": "core.run",
    "open_stream": "core.data",
    "panorama": "composing.panorama",
    "read_image": "core.image",
    "report": "evaluating.describe",
    "runs": "core.run:all_runs",
    "split": "core.splitting",
    "suspects": "auditing.suspects",
    "train": "training.train",
    "tune": "training.tuning",
    "write_image": "core.image",
}

__all__ = ["__version__", *_PLACES]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'sightline' has no attribute '{name}'")
    import importlib

    module, _, other = place.partition(":")
    found = getattr(importlib.import_module(f"sightline.{module}"), other or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
