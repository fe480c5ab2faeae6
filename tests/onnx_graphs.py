"""Small ONNX graphs with seeded weights, and what they give by ONNX Runtime alone."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FREE = ("n", 3, "h", "w")


def weights(name, *shape, seed=None):
    values = np.random.default_rng(len(name) if seed is None else seed).standard_normal(shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


def conv(source, target, kernel, **attributes):
    return helper.make_node("Conv", [source, kernel], [target], **{"strides": [2, 2], "pads": [1] * 4, **attributes})


NODES = [
    conv("image", "first", "first.weight"),
    helper.make_node("Relu", ["first"], ["first.relu"]),
    conv("first.relu", "second", "second.weight"),
    helper.make_node("GlobalAveragePool", ["second"], ["pooled"]),
    helper.make_node("Flatten", ["pooled"], ["logits"]),
]
CONSTANTS = (weights("first.weight", 4, 3, 3, 3), weights("second.weight", 6, 4, 3, 3))


def build(nodes=NODES, shape=FREE, outputs=("logits",), inputs=(), more=(), kind=TensorProto.FLOAT, opset=18, constants=CONSTANTS, **options):
    """A model of two strided convolutions, or of other nodes with the same weights at hand."""
    values = [helper.make_tensor_value_info("image", kind, shape), *inputs]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    made = helper.make_graph(nodes, "net", values, results, [*constants, *more])
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("nowhere", 1)]
    return helper.make_model(made, opset_imports=imports, **{"ir_version": 8, **options})


def tiny(path, seed=7, shape=FREE):
    """An .onnx file of two layers, `shallow` (stride 4, 6 channels, not negative) and `deep` (stride 8, 10 channels, signed)."""
    random = np.random.default_rng(seed)
    kernels = {"w1": random.normal(size=(6, 3, 4, 4)), "w2": random.normal(size=(10, 6, 2, 2))}
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["conv"], strides=[4, 4], kernel_shape=[4, 4]),
        helper.make_node("Relu", ["conv"], ["shallow"]),
        helper.make_node("Conv", ["shallow", "w2"], ["deep"], strides=[2, 2], kernel_shape=[2, 2]),
    ]
    constants = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in kernels.items()]
    onnx.save(build(nodes, shape, ["deep"], constants=constants, opset=17, ir_version=9), path)
    return path


CHANNELS, HEADS = 16, 2


def transformer(patch=16, prefix=1, shape=FREE, positions=None, nodes=(), source="image"):
    """Patches of an image as a map (`patches`), tokens (`tokens`), and a map with channels last (`last`), all of the same values.

    prefix: class and register tokens before them. positions: the number of tokens that embeddings of places are added to (`placed`).
    `attention` is that of two heads. nodes, source: what is computed before, and its result.
    """
    whole = "placed" if positions else "tokens"
    made = [
        *nodes,
        conv(source, "patches", "kernel", strides=[patch] * 2, pads=[0] * 4),
        helper.make_node("Transpose", ["patches"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["patches", "flat.shape"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["alone"], perm=[0, 2, 1]),
        helper.make_node("Concat", ["class", "alone"] if prefix else ["alone"], ["tokens"], axis=1),
        *([helper.make_node("Add", ["tokens", "positions"], ["placed"])] if positions else []),
        helper.make_node("Reshape", [whole, "heads.shape"], ["heads"]),
        helper.make_node("Transpose", ["heads"], ["queries"], perm=[0, 2, 1, 3]),
        helper.make_node("Transpose", ["heads"], ["keys"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["queries", "keys"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["attention"], axis=-1),
    ]
    constants = [
        weights("kernel", CHANNELS, 3, patch, patch),
        weights("class", 1, prefix, CHANNELS),
        numpy_helper.from_array(np.array([0, CHANNELS, -1]), "flat.shape"),
        numpy_helper.from_array(np.array([0, -1, HEADS, CHANNELS // HEADS]), "heads.shape"),
        *([weights("positions", 1, positions, CHANNELS)] if positions else []),
    ]
    return build(made, shape, ["attention"], constants=constants)


def reference(model, images, names):
    """What ONNX Runtime gives for the whole graph, on ImageNet-normalised pixels, image by image."""
    whole = onnx.ModelProto.FromString(model.SerializeToString())
    whole.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in [value.name for value in whole.graph.output])
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    pixels = pixels.transpose(0, 3, 1, 2).astype(np.float32)
    parts = [session.run(list(names), {"image": pixels[i : i + 1]}) for i in range(len(images))]
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


def images(count, height, width):
    """Seeded noise, uint8 (count, height, width, 3)."""
    return np.random.default_rng(3).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
