"""A cleaner that `joblens export-cleaner` has written for another runtime: checked, and run on the CPU.

Its folder lies in the cleaner's own, named by the backend, and holds the network for fixed labels with what
it was measured by before it was accepted:

    model.onnx or model.xml with model.bin
    agreement.json   the cleaner it was made of, labels, hashes of the files, agreement with torch
"""

from __future__ import annotations

import importlib.util
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError, DeviceError, ModelError
from joblens.extractors.gliner_bundle import fingerprint, is_bundle
from joblens.extractors.gliner_networks import Network, Scores
from joblens.storage import content_hash, file_hash, read_json

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
    Run = Callable[[Iterable[dict[str, Array]]], Iterator[Array]]

AGREEMENT = "agreement.json"
ONNX_FILE = "model.onnx"
INPUTS = ("input_ids", "attention_mask", "words_mask", "text_lengths")
"""What the network is given of `Frame.tensors`, in this order."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A runtime beside torch."""

    files: tuple[str, ...]
    """What an exported network consists of."""
    package: str
    """The module that runs it."""
    extra: str
    """The extra of joblens that installs it."""
    precision: str = "f32"
    """Of its arithmetic on floats: `f32`, or `bf16`, which needs a processor that multiplies in it."""
    has_room: bool = False
    """Whether other work may go on beside it: it reads two batches at a time, and one goes on while the other
    is held up. In torch all threads share a batch and wait for the one that the other work holds up."""


OPENVINO_FILES = ("model.xml", "model.bin")

BACKENDS = {
    "onnx": Backend((ONNX_FILE,), "onnxruntime", "onnx"),
    "onnx_int8": Backend((ONNX_FILE,), "onnxruntime", "onnx"),
    "openvino": Backend(OPENVINO_FILES, "openvino", "openvino", has_room=True),
    "openvino_bf16": Backend(OPENVINO_FILES, "openvino", "openvino", "bf16", has_room=True),
}

READS_ALONE = frozenset({"onnx_int8"})
"""Backends that read one window at a time. ONNX Runtime scales the eight-bit activations of a batch by the
largest among them, so in a larger batch the entities of a sentence would depend on those beside it."""


STREAMS = 2
"""Batches that OpenVINO reads at a time, each on its part of the threads; one more waits."""


class ExportedNetwork:
    """A network that a runtime other than torch runs.

    Args:
        run: Takes the arrays of `INPUTS` by name, batch after batch, and gives logits (B, W, C, 3) float32
            of each in the same order.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, batches: Iterable[Mapping[str, Tensor]]) -> Iterator[Scores]:
        """The scores of batches, in their order."""
        return map(Scores, self._run(map(_arrays, batches)))


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    return {name: tensors[name].numpy() for name in INPUTS}


def open_exported(
    folder: Path, backend: str, labels: Sequence[str], device: str = "auto"
) -> tuple[Network, str]:
    """The network that was exported from the cleaner in `folder`, and a hash of what decides its scores.

    Args:
        folder: The cleaner.
        backend: A key of `BACKENDS`.
        labels: What to look for, in order.
        device: `compute.device`; these backends run on the CPU.

    Raises:
        DeviceError: `device` is `gpu`, or the processor does not multiply in the backend's numbers.
        ModelError: The folder is no cleaner, the runtime is not installed, nothing was exported, or it was
            exported from other weights, for other labels or another backend, or is damaged.
    """
    if device == "gpu":
        raise DeviceError(
            f"cleaning.backend is {backend!r}, which runs on the CPU, and compute=gpu was asked for; "
            "set cleaning.backend=torch, or compute=auto"
        )
    if not is_bundle(folder):
        raise ModelError(
            f"{folder} is no cleaner of joblens, and cleaning.backend={backend} runs only those; "
            "set cleaning.backend=torch"
        )
    check_installed(backend)
    exported = folder / backend
    again = f"run `joblens export-cleaner --backend {backend} --model {folder}`"
    if not (exported / AGREEMENT).is_file():
        raise ModelError(f"there is no {exported / AGREEMENT}; {again}, or set cleaning.backend=torch")
    files = _files(exported, BACKENDS[backend].files)
    try:
        said = read_json(exported / AGREEMENT)
        made_of, made_for, hashes = said["fingerprint"], said["labels"], said["files"]
        checked = said["backend"]
    except (DataError, KeyError, TypeError) as error:
        raise ModelError(f"{exported / AGREEMENT} cannot be read; {again}") from error
    if checked != backend:
        raise ModelError(f"{exported} was compared with torch as {checked}, not as {backend}; {again}")
    if made_of != fingerprint(folder):
        raise ModelError(f"{exported} was exported from other weights or thresholds than {folder}; {again}")
    if made_for != list(labels):
        raise ModelError(
            f"{exported} was exported for the labels {', '.join(map(str, made_for))}, "
            f"and {', '.join(labels)} are asked for; {again}"
        )
    if hashes != files:
        raise ModelError(f"{exported} is damaged or incomplete; {again}")
    return open_network(exported, backend), content_hash(backend, *files.values())


def check_installed(backend: str, *more: str) -> None:
    """Check that the packages of a backend are there; none is imported.

    Args:
        backend: A key of `BACKENDS`.
        more: Further modules that are needed.

    Raises:
        ModelError: One is missing.
    """
    wanted = BACKENDS[backend]
    for package in (wanted.package, *more):
        if importlib.util.find_spec(package) is None:
            raise ModelError(
                f"cleaning.backend={backend} needs the package {package}, which is not installed; "
                f'run `pip install "joblens[{wanted.extra}]"`, or set cleaning.backend=torch'
            )


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16; OpenVINO, which has to be installed, says so."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def hashes_of(folder: Path, backend: str) -> dict[str, str]:
    """The SHA-256 of each file of an exported network, by name."""
    return _files(folder, BACKENDS[backend].files)


def _files(folder: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: file_hash(folder / name) if (folder / name).is_file() else "" for name in names}


def open_network(folder: Path, backend: str) -> Network:
    """The network in the folder of a backend, with as many threads as torch has.

    Raises:
        DeviceError: The processor does not multiply in the backend's numbers.
    """
    wanted = BACKENDS[backend]
    if wanted.precision == "bf16" and not has_bfloat16():
        # OpenVINO would imitate it, which is slower than float32, or do without, and find other entities
        raise DeviceError(
            f"cleaning.backend is {backend!r}, and this processor does not multiply in bfloat16 (AVX-512 "
            "BF16 or AMX); set cleaning.backend=openvino"
        )
    if wanted.package == "openvino":
        return ExportedNetwork(_openvino(folder / "model.xml", wanted.precision))
    return ExportedNetwork(_onnx_runtime(folder / ONNX_FILE))


def _onnx_runtime(path: Path) -> Run:
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors; its warnings are about how it arranges the graph
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(batches: Iterable[dict[str, Array]]) -> Iterator[Array]:
        for inputs in batches:
            yield session.run(None, inputs)[0]

    return run


def _openvino(path: Path, precision: str) -> Run:
    import openvino
    import torch

    threads = torch.get_num_threads()
    streams = min(STREAMS, threads)
    settings = {
        "INFERENCE_PRECISION_HINT": precision,  # else it takes bfloat16 where the processor has it
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": streams,
    }
    network = openvino.Core().compile_model(str(path), "CPU", settings)
    idle: list[Any] = []  # requests of all calls; one that is left in the middle keeps its own from others

    def run(batches: Iterable[dict[str, Array]]) -> Iterator[Array]:
        running: deque[tuple[Any, dict[str, Array]]] = deque()

        def first() -> Array:
            request, _ = running.popleft()
            request.wait()
            scores: Array = request.get_output_tensor(0).data.copy()  # the next batch writes into it
            idle.append(request)
            return scores

        try:
            for inputs in batches:
                if len(running) > streams:
                    yield first()
                request = idle.pop() if idle else network.create_infer_request()
                running.append((request, inputs))  # it reads these very arrays
                request.start_async(inputs, share_inputs=True)
            while running:
                yield first()
        finally:
            for request, _ in running:
                request.wait()
                idle.append(request)

    return run
