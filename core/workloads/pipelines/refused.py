"""Words of the language that runs do not carry out yet: refused before anything is read, each with a way around it."""

from __future__ import annotations

from core.pipelines.language.spec import HttpSource, PipelineSpec
from core.pipelines.refusals import PipelineRefused, Refusal


def refuse_unbuilt(spec: PipelineSpec) -> None:
    """Raise PipelineRefused: the spec has such words."""
    found = []
    for name, source in spec.sources.items():
        path = f"sources.{name}"
        if isinstance(source, HttpSource):
            found.append(Refusal(path, "http is not read yet; land its answers as JSON files in a folder"))
        if source.drift.new == "add":
            found.append(Refusal(f"{path}.drift.new", "add is not carried out yet; say ignore or stop"))
        if source.drift.type == "widen":
            found.append(Refusal(f"{path}.drift.type", "widen is not carried out yet; say stop or dead"))
    if spec.run.visible == "batch":
        found.append(Refusal("run.visible", "batch is not carried out yet; a run is visible as a whole"))
    if found:
        raise PipelineRefused(found)
