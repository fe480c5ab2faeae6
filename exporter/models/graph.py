"""ONNX graphs: reading one from bytes, what depends on the image, and cutting it after the layers that are wanted."""

from collections.abc import Iterable, Iterator

import onnx
from google.protobuf.message import DecodeError

from exporter.errors import ModelError


def parse(data: bytes, label: str) -> onnx.ModelProto:
    """The model in `data`; ModelError, naming `label`, where that is not a whole ONNX file."""
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError:
        model = onnx.ModelProto()
    if not model.graph.node or not model.opset_import:
        raise ModelError(
            f"{label} is not a readable ONNX file ({len(data)} bytes): expected a graph with nodes, "
            "it may be truncated; export or copy it again."
        )
    return model


def tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """All constant tensors, those of inner graphs too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
    for inner in (inner for node in graph.node for inner in _subgraphs(node)):
        yield from tensors(inner)


def inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The graph's inputs, without the initializers that IR versions below 4 list among them."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def image_tensors(model: onnx.ModelProto) -> list[str]:
    """Names of all tensors computed from the graph's inputs, in forward order; constants are left out."""
    reached = {value.name for value in inputs(model)}
    names = []
    for node in model.graph.node:
        if reached.intersection(_reads(node)):
            new = [name for name in node.output if name]
            reached.update(new)
            names += new
    return names


def cut(model: onnx.ModelProto, outputs: Iterable[str]) -> onnx.ModelProto:
    """A copy of the model that computes `outputs` and holds no node or weight that they do not need."""
    outputs = list(outputs)
    nodes, needed = _needed(model.graph, outputs)
    part = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions)
    part.graph.name = model.graph.name or "network"
    part.graph.node.extend(nodes)
    part.graph.input.extend(value for value in model.graph.input if value.name in needed)
    part.graph.initializer.extend(tensor for tensor in model.graph.initializer if tensor.name in needed)
    part.graph.sparse_initializer.extend(model.graph.sparse_initializer)
    # A name is enough: ONNX Runtime infers type and shape, and shapes noted for one image size would mislead it.
    part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    return part


def _needed(graph: onnx.GraphProto, outputs: list[str]) -> tuple[list[onnx.NodeProto], set[str]]:
    needed = set(outputs)
    nodes = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(_reads(node))
    return nodes[::-1], needed


def _reads(node: onnx.NodeProto) -> set[str]:
    # An If or Loop reads tensors of the graph around it without listing them among its inputs.
    names = {name for name in node.input if name}
    for inner in _subgraphs(node):
        names.update(value.name for value in inner.output)
        names.update(*(_reads(child) for child in inner.node))
    return names


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs
