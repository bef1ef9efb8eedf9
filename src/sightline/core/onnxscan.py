"""What a graph file may hold, decided on its raw bytes before a runtime written in C++ sees any of them.

A strict reader of the wire format: a field that is not in the tables below is refused, so a stranger's graph has no
way to name files, memory addresses, code, functions of its own or endless loops.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sightline.core.archive import refuse

LARGEST = 2**31 - 1  # bytes: what a protobuf can hold
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")  # com.microsoft stays out: its EPContext opens files named in the graph
OLDEST = 13  # operator set; older ones bring operators that nobody maintains
LOOPS = ("Loop", "Scan", "SequenceMap")  # how long a pass takes must follow from the size of its input
_DEEPEST = 8  # graphs in graphs, types in types
_MOST_FIELDS = 2_000_000
_MOST_NUMBERS = 2**33  # elements of one tensor
# ONNX Runtime multiplies attributes unchecked: a DepthToSpace of blocksize 2**62 divides by zero and ends the process.
# Slices to the end are written with huge constants, so operators that only pass numbers on may hold any.
_LARGEST_ATTRIBUTE = 2**24
_POSITIVE = {"Resize": 2, "SplitToSequence": 1}  # which input of these must be a constant above zero
_ANY_NUMBER = ("Constant", "Shape")
# How many inputs operators need where that is more than one: OpenVINO ends the process on a Pad that has too few.
_INPUTS = """
2: Add AffineGrid And ArrayFeatureExtractor BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CausalConvWithState
    CenterCropPad Compress Conv ConvInteger ConvTranspose CumProd CumSum DequantizeLinear Div Equal Expand Gather
    GatherElements GatherND Gemm Greater GreaterOrEqual GridSample LayerNormalization Less LessOrEqual MatMul
    MatMulInteger MaxRoiPool MaxUnpool Mod Mul NegativeLogLikelihoodLoss NonMaxSuppression Or PRelu Pad Pow
    QuantizeLinear RMSNormalization Reshape ReverseSequence STFT SequenceAt SequenceInsert SoftmaxCrossEntropyLoss
    StringConcat Sub SwiGLU TensorScatter Tile TopK Unsqueeze Upsample Xor
3: Attention Col2Im DeformConv GRU GroupNormalization InstanceNormalization LSTM LinearAttention OneHot RNN Range
    RoiAlign RotaryEmbedding Scatter ScatterElements ScatterND Slice Where
5: BatchNormalization MelWeightMatrix
8: QLinearConv QLinearMatMul
"""
_LEAST = {
    operator: int(line.split(":")[0])
    for line in _INPUTS.replace("\n    ", " ").strip().splitlines()
    for operator in line.split(":")[1].split()
}

# message -> field number -> what it is; * marks a field that may repeat, ints and floats may also come packed
_TABLE = """
Model: 1 int, 2 text, 3 text, 4 text, 5 int, 6 text, 7 Graph, 8 Opset*, 14 Entry*
Opset: 1 text, 2 int
Entry: 1 text, 2 text
Graph: 1 Node*, 2 text, 5 Tensor*, 10 text, 11 Value*, 12 Value*, 13 Value*, 14 Note*, 16 Entry*
Note: 1 text, 2 Entry*
Node: 1 text*, 2 text*, 3 text, 4 text, 5 Attribute*, 6 text, 7 text, 9 Entry*
Attribute: 1 text, 2 float, 3 int, 4 bytes, 5 Tensor, 6 Graph, 7 float*, 8 int*, 9 bytes*, 10 Tensor*, 11
    Graph*, 13 text, 14 Type, 15 Type*, 20 int
Tensor: 1 int*, 2 int, 4 float*, 5 ints*, 6 bytes*, 7 ints*, 8 text, 9 bytes, 10 double*, 11 ints*, 12 text,
    14 int, 16 Entry*
Value: 1 text, 2 Type, 3 text, 4 Entry*
Type: 1 TensorType, 4 SequenceType, 6 text, 9 SequenceType
TensorType: 1 int, 2 Shape
SequenceType: 1 Type
Shape: 1 Dimension*
Dimension: 1 int, 2 text, 3 text
"""
_FIELDS: dict[str, dict[int, str]] = {
    kind.strip(): {int(number): what for number, what in (field.split() for field in fields.split(","))}
    for kind, fields in (line.split(":") for line in _TABLE.replace("\n    ", " ").strip().splitlines())
}
_KNOWN_EVILS = {
    ("Model", 20): "training steps",
    ("Model", 25): "functions of its own",
    ("Graph", 15): "sparse weights",
    ("Attribute", 21): "a function's argument",
    ("Attribute", 22): "sparse weights",
    ("Attribute", 23): "sparse weights",
    ("Tensor", 13): "weights in another file",
}
_WIRES = {"int": 0, "ints": 0, "double": 1, "float": 5}  # all else is length-delimited
_NUMBER_BYTES = {"double": 8, "float": 4}
_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 16: 16}
_BITS |= {17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4}
_STRINGS = 8
_TYPED = {1: 4, 7: 7, 11: 10, 12: 11, 13: 11, _STRINGS: 6}  # where numbers stand that are not raw; else field 5


def check_onnx(data: bytes, name: str) -> frozenset[str]:
    """The operators of a graph; refused if it reaches outside itself, loops, or is not well-formed (`BundleError`)."""
    if len(data) > LARGEST:
        refuse(name, f"{len(data):,} bytes; a graph has at most {LARGEST:,}.")
    if data[4:8] == b"ORTM":  # the runtime would take the same bytes for its own format, which is not scanned
        refuse(name, "is in the runtime's own format, not ONNX.")
    scan = _Scan(memoryview(data), name)
    model = scan.message("Model", 0, len(data), 0)
    if 7 not in model:
        refuse(name, "holds no graph.")
    if 8 not in model:
        refuse(name, "names no operator set.")
    for operators in model[8]:
        if operators.get(1, [""])[0] in DOMAINS[:2] and operators.get(2, [0])[0] < OLDEST:
            refuse(name, f"is of an operator set before {OLDEST}; export it again with Sightline.")
    scan.check_positive()
    return frozenset(scan.operators)


class _Scan:
    """One pass over one graph file; the state is how many fields were met, and what is asked of constants."""

    def __init__(self, data: memoryview, name: str) -> None:
        self.data, self.name, self.met = data, name, 0
        self.operators: set[str] = set()
        self.wanted: dict[str, str] = {}  # names of tensors that must be positive, and the operator that says so
        self.positive: dict[str, bool] = {}  # of each short constant, by name

    def message(self, kind: str, place: int, end: int, depth: int) -> dict[int, list[Any]]:
        """The fields of one message: numbers as they are, text and bytes as views, messages scanned."""
        known, found = _FIELDS[kind], dict[int, list[Any]]()
        depth += kind in ("Graph", "Type")
        if depth > _DEEPEST:
            refuse(self.name, f"is nested deeper than {_DEEPEST} graphs.")
        while place < end:
            self.met += 1
            tag, place = self.varint(place, end)
            number, wire = tag >> 3, tag & 7
            if number not in known:
                evil = _KNOWN_EVILS.get((kind, number), f"a field {number} that is unknown in a {kind}")
                refuse(self.name, f"holds {evil}; export it again with Sightline.")
            what, many = known[number].rstrip("*"), known[number].endswith("*")
            if number in found and not many:
                refuse(self.name, f"holds field {number} of a {kind} twice.")
            values = found.setdefault(number, [])
            place = self._field(what, many, wire, place, end, depth, values)
            if self.met > _MOST_FIELDS:
                refuse(self.name, f"holds more than {_MOST_FIELDS:,} fields.")
        check = getattr(self, f"_check_{kind.lower()}", None)
        if check:
            check(found)
        return found

    def _field(self, what: str, many: bool, wire: int, place: int, end: int, depth: int, values: list[Any]) -> int:
        """Read one field into `values`; the place after it."""
        if wire == 2:
            length, place = self.varint(place, end)
            stop = place + length
            if stop > end:
                refuse(self.name, "is cut: a field reaches past its end.")
            if what in _FIELDS:
                values.append(self.message(what, place, stop, depth))
            elif what in ("text", "bytes"):
                values.append(self._text(place, stop) if what == "text" else self.data[place:stop])
            elif many and what != "int":
                values.append(self._packed(what, place, stop))
            else:
                refuse(self.name, "is malformed: a number is written as text.")
            return stop
        if wire != _WIRES.get(what):
            refuse(self.name, f"is malformed: wire type {wire} where {what} belongs.")
        if wire == 0:
            number, place = self.varint(place, end)
            values.append(number - 2**64 if number >= 2**63 else number)
            return place
        place += _NUMBER_BYTES[what]
        if place > end:
            refuse(self.name, "is cut inside a number.")
        values.append(0.0)
        return place

    def _text(self, start: int, stop: int) -> str:
        try:
            return str(self.data[start:stop], "utf-8")
        except UnicodeDecodeError:
            refuse(self.name, "is malformed: a name is not UTF-8 text.")

    def _packed(self, what: str, start: int, stop: int) -> np.ndarray:
        """Numbers in a row: whole fixed-size ones (as bytes), or varints of at most ten bytes."""
        raw = np.frombuffer(self.data[start:stop], np.uint8)
        if what != "ints":
            if len(raw) % _NUMBER_BYTES[what]:
                refuse(self.name, "is malformed: a row of numbers is cut.")
            return raw.reshape(-1, _NUMBER_BYTES[what])
        ends = np.flatnonzero(raw < 128)
        if len(raw) and (not len(ends) or ends[-1] != len(raw) - 1 or np.diff(ends, prepend=-1).max() > 10):
            refuse(self.name, "is malformed: a row of numbers is cut.")
        return ends

    def varint(self, place: int, end: int) -> tuple[int, int]:
        value, data = 0, self.data
        for shift in range(0, 70, 7):
            if place >= end:
                break
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & (2**64 - 1), place
        return refuse(self.name, "is cut inside a number, or holds one without end.")

    def _check_opset(self, found: dict[int, list[Any]]) -> None:
        self._check_domain(found.get(1, [""])[0])

    def _check_node(self, found: dict[int, list[Any]]) -> None:
        self._check_domain(found.get(7, [""])[0])
        operator = found.get(4, [""])[0]
        self.operators.add(operator)
        if operator in LOOPS:
            refuse(self.name, f"holds the operator {operator}; a graph that loops has no bound on its time.")
        inputs, least = found.get(1, []), _LEAST.get(operator, 1)
        if least > 1 and (len(inputs) < least or not all(inputs[:least])):
            refuse(self.name, f"holds {operator} with fewer than the {least} inputs it needs.")
        for attribute in found.get(5, []) if operator not in _ANY_NUMBER else []:
            for number in (*attribute.get(3, []), *attribute.get(8, [])):
                if abs(number) > _LARGEST_ATTRIBUTE:
                    refuse(self.name, f"holds {operator[:40]!a} with a number beyond {_LARGEST_ATTRIBUTE:,}.")
        place = _POSITIVE.get(operator)
        if place is not None:
            self.wanted.update({name: operator for name in found.get(1, [])[place : place + 1] if name})
        elif operator == "Constant":
            for tensor in (tensor for attribute in found.get(5, []) for tensor in attribute.get(5, [])):
                self._keep(found.get(2, [""])[0], tensor)

    def _keep(self, name: str, tensor: dict[int, list[Any]]) -> None:
        """Remember whether a short constant is positive throughout."""
        raw, kind = tensor.get(9, [b""])[0], {1: "<f4", 6: "<i4", 7: "<i8"}.get(tensor.get(2, [0])[0])
        good = kind is not None and 9 in tensor and len(raw) <= 1024
        if good:
            numbers = np.frombuffer(raw, kind)
            good = bool(((numbers > 0) & (numbers <= _LARGEST_ATTRIBUTE)).all())
        self.positive[name] = good and self.positive.get(name, True)

    def check_positive(self) -> None:
        """ONNX Runtime ends the process when a constant below zero resizes, or when nothing is split off."""
        for name, operator in self.wanted.items():
            if not self.positive.get(name, False):
                refuse(self.name, f"holds a {operator} by {name[:40]!a}, which is not a constant above zero.")

    def _check_graph(self, found: dict[int, list[Any]]) -> None:
        """Inputs that are always empty are refused: recurrent operators of ONNX Runtime end the process on them."""
        for tensor in found.get(5, []):
            self._keep(tensor.get(8, [""])[0], tensor)
        for value in found.get(11, []):
            if any(dimension.get(1) == [0] for dimension in _dimensions(value)):
                refuse(self.name, "takes an input that is always empty.")

    def _check_domain(self, domain: str) -> None:
        if domain not in DOMAINS:
            refuse(self.name, f"asks for operators of {domain[:60]!a}; allowed are {', '.join(filter(None, DOMAINS))}.")

    def _check_entry(self, found: dict[int, list[Any]]) -> None:
        if found.get(1) == ["ort_config"]:
            refuse(self.name, "carries settings for the runtime.")

    def _check_shape(self, found: dict[int, list[Any]]) -> None:
        self._count([dimension[1][0] for dimension in found.get(1, []) if 1 in dimension])

    def _check_tensor(self, found: dict[int, list[Any]]) -> None:
        """Weights stand here in full, and are as many as the shape says."""
        if found.get(14, [0])[0] != 0:
            refuse(self.name, "holds weights in another file; export it again with Sightline.")
        count, kind = self._count(found.get(1, [])), found.get(2, [0])[0]
        if kind not in _BITS and kind != _STRINGS:
            refuse(self.name, f"holds weights of an unknown type ({kind}).")
        stores = [field for field in (4, 5, 6, 7, 9, 10, 11) if field in found]
        expected = 9 if 9 in found else _TYPED.get(kind, 5)
        if stores not in ([], [expected]) or (kind == _STRINGS and expected == 9):
            refuse(self.name, "holds weights in a place that is not theirs.")
        if expected == 9:
            have, need = len(found[9][0]), math.ceil(count * _BITS[kind] / 8)
        else:
            have = sum(len(part) if isinstance(part, np.ndarray) else 1 for part in found.get(expected, []))
            need = math.ceil(count * _BITS.get(kind, 64) / 8) if kind in (21, 22) else count
        if have != need:
            refuse(self.name, f"holds {have:,} numbers or bytes of weights where its shape says {need:,}.")

    def _count(self, dims: list[Any]) -> int:
        if any(length < 0 for length in dims) or math.prod(dims) > _MOST_NUMBERS:
            refuse(self.name, f"holds a shape that cannot be: {str(dims)[:60]}.")
        return math.prod(dims)


def _dimensions(value: dict[int, list[Any]]) -> list[dict[int, list[Any]]]:
    """The axes of a declared input or output."""
    level = [value]
    for field in (2, 1, 2, 1):  # type, tensor type, shape, dimensions
        level = [inner for outer in level for inner in outer.get(field, [])]
    return level
