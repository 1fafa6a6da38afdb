"""Which line of a YAML file a key stands on, anchors and merges included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

MERGE = "<<"


def line_of(root: Node | None, path: Sequence[str | int]) -> int:
    """The line (from 1) of the key at `path`, or of the nearest thing above it that the file has."""
    line, node = 1, root
    for step in path:
        found = None if node is None else _child(node, step)
        if found is None:
            break
        line, node = found
    return line


def compose(text: str) -> Node | None:
    """The file as nodes that know their place. Raises yaml.YAMLError."""
    return yaml.compose(text, Loader=yaml.SafeLoader)


def doubled(root: Node | None) -> tuple[int, str] | None:
    """Line and name of the first key that its mapping has already; YAML's readers silently take the last."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if (twice := _twice(node)) is not None:
            return twice.start_mark.line + 1, str(twice.value)
        waiting += reversed(_below(node))
    return None


def _twice(node: Node) -> Node | None:
    """The first key of a mapping that is there already."""
    keys: set[str] = set()
    for key, _ in node.value if isinstance(node, MappingNode) else ():
        if key.value in keys:
            return cast(Node, key)
        keys.add(str(key.value))
    return None


def _below(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _child(node: Node, step: str | int) -> tuple[int, Node] | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child.start_mark.line + 1, child
    if not isinstance(node, MappingNode):
        return None
    merged: list[Node] = []
    for key, value in node.value:
        if key.value == step:
            return key.start_mark.line + 1, value
        if key.value == MERGE:
            merged += value.value if isinstance(value, SequenceNode) else [value]
    return next((found for each in merged if (found := _child(each, step)) is not None), None)
