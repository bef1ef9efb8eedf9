"""A smaller network of the same family, taught by the parent while it learns from the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sightline.compressing.exporting import counted, form_of
from sightline.compressing.form import Budget, Form
from sightline.compressing.learning import SHARE as TAUGHT
from sightline.compressing.learning import TEMPERATURE
from sightline.compressing.learning import why_not as able
from sightline.compressing.subject import Subject
from sightline.core import catalog
from sightline.predicting.model import trained

ORDER, SHARE, USUAL = 6, 8, True
LARGEST = 0.65  # of the parent's parameters: a student that is hardly smaller is not worth its time


def why_not(subject: Subject) -> str:
    """Why there is nobody to teach; empty where there is."""
    if not smaller(subject):
        return f"there is no smaller variant of '{subject.info['model']}'; name one with --student"
    return able(subject)


def smaller(subject: Subject) -> str:
    """The student: as it was named, or the largest variant of the same family that is clearly smaller."""
    named = str(subject.info.get("student") or "")
    if named:
        catalog.find("models", named)
        return named
    family, _, size = str(subject.info["model"]).partition(":")
    counts = getattr(catalog.find("models", family), "VARIANTS", {})
    if not isinstance(counts, Mapping) or not size:
        return ""
    mine = counts.get(size, 0)
    fit = [(count, name) for name, count in counts.items() if count <= LARGEST * mine]
    return f"{family}:{max(fit)[1]}" if fit else ""


def forms(subject: Subject, budget: Budget) -> Iterator[Form]:
    """One run like any other, with the parent as teacher; it stays in the folder of the search."""
    from sightline.training.train import train

    model = smaller(subject)
    info = subject.info
    settings = {name: info["settings"][name] for name in ("seed", "resample", "scale") if name in info["settings"]}
    settings |= {"teacher": subject.where, "teacher_share": TAUGHT, "temperature": TEMPERATURE}
    run = train(
        subject.parted, info["task"], model=model, out=subject.folder / f"student-{model.replace(':', '-')}",
        settings=settings, options=info["options"], minutes=budget.seconds / 60, look=False, tell=budget.tell,
    )  # fmt: skip
    _, _, network = trained(run)
    before, now = counted(subject, subject.network), counted(subject, network)
    says = (
        f"{model} taught by {info['model']}: {now['parameters']:,} of {before['parameters']:,} parameters, "
        f"{now['multiplications'] / before['multiplications']:.0%} of the multiplications"
    )
    told = {"model": model, "run": str(run.path), "epochs": len(run.history)}
    yield form_of(subject, network, f"student-{model.replace(':', '-')}", "student", says, told)
