"""joblens' own GLiNER as a small folder: only what differs from an encoder that a package brings.

The network is gliner's bi-encoder for tokens (Stepanov and Shtopko, 2024): one encoder reads the text, a
second, frozen one reads the label names, and a scorer says for each word and label whether an entity starts
there, ends there or goes on, which `gliner_chain` weighs over the sentence. Both encoders begin as the same
packaged weights. Label names are therefore read once per model and not with every sentence, and the folder
holds only what training has changed.

    config.json        base package and its SHA-256, shape of the scorer, labels, threshold of each label
    model.safetensors  the tensors that differ from the base, in half precision; float32 in memory
    glossary.json      the words of a language that are read as English ones; may be empty
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError, ModelError
from joblens.extractors.gliner_chain import use_chain
from joblens.extractors.glossary import Glossary, GlossingSplitter, WordList
from joblens.packaged import WEIGHTS, check_hash, packaged_folder
from joblens.storage import content_hash, file_hash, read_strict_json, write_json

if TYPE_CHECKING:
    from torch import Tensor

SETTINGS = "config.json"
GLOSSARY = "glossary.json"
FILES = (SETTINGS, WEIGHTS, GLOSSARY)
"""What a cleaner is read from; its card is for people."""
FORMAT = 3
"""Words may be read as English ones since 3; scores have been weights of a chain since 2."""
_TEXT_ENCODER = "token_rep_layer.bert_layer.model."
_LABEL_ENCODER = "token_rep_layer.labels_encoder.model."


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network over a packaged encoder is made of."""

    package: str
    """Installed package whose `model` folder carries the base encoder."""
    sha256: str
    """Expected SHA-256 of the base's `model.safetensors`."""
    hidden_size: int
    """Width of word and label vectors in the scorer."""
    max_words: int
    """Longest window in words of gliner's splitter."""
    mark_capitals: bool
    """Put "^ " before words with a capital first letter, for bases that know lower case only."""
    dropout: float = 0.2
    """Share of activations dropped while training."""
    glossary: WordList | None = None
    """Words that are read as English ones; None reads all as they are."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A loaded network with what its training has fixed."""

    model: Any
    """A `gliner.model.BiEncoderTokenGLiNER` in float32 on the CPU, in evaluation mode."""
    shape: Shape
    thresholds: Mapping[str, float]
    """Least score of an entity by label, chosen on development data; its keys are the trained labels."""
    fingerprint: str
    """Hash of settings, weights and words; the base is fixed by its SHA-256 in the settings."""


def is_bundle(folder: Path) -> bool:
    """Whether the folder is in this format, and not a GLiNER checkpoint."""
    return (folder / SETTINGS).is_file() and not (folder / "gliner_config.json").exists()


def new_model(shape: Shape) -> Any:
    """A network whose encoders are the packaged base and whose scorer is untrained.

    Raises:
        ModelError: The package is missing or its weights are not the expected ones.
    """
    import warnings

    from gliner.config import BiEncoderTokenConfig
    from gliner.model import BiEncoderTokenGLiNER
    from transformers.utils import logging as transformers_logging

    base = packaged_folder(shape.package)
    check_hash(base / WEIGHTS, shape.sha256)
    config = BiEncoderTokenConfig(
        model_name=str(base),
        labels_encoder=str(base),
        hidden_size=shape.hidden_size,
        dropout=shape.dropout,
        max_len=shape.max_words,
        num_rnn_layers=0,
        fine_tune=True,
        subtoken_pooling="mean",
        words_splitter_type="whitespace",
    )
    had_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Resizing embeddings", UserWarning)  # no token was added
            model = BiEncoderTokenGLiNER.load_from_config(config, backbone_from_pretrained=True)
    finally:
        if had_bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    read_words_by(model, shape.glossary)
    if shape.mark_capitals:
        _mark_capitals(model.data_processor.transformer_tokenizer)
    model = model.float().eval()
    use_chain(model)
    _start_well(model)
    return model


def _start_well(model: Any) -> None:
    """Scale the untrained layers so that words and labels count alike, and few words are in an entity.

    With torch's own start the product of word and label vectors, which tells the labels apart, is ten times
    weaker than the word vector beside it, and the first hundreds of steps are spent on that, at the encoder's
    expense. Each layer is scaled to unit variance on a probe (Mishkin and Matas, 2016); the last one begins
    at a low probability (Lin et al., 2017, section 4.1).
    """
    import torch

    rep, scorer = model.model.token_rep_layer, model.model.scorer
    probe = [{"tokenized_text": "We need a nurse who can plan the work of the ward".split(), "ner": []}]
    batch = model.create_collator()(probe, entity_types=["occupation", "skill", "task", "person"])
    outputs: list[Tensor] = []
    with torch.no_grad():
        for layer in (
            rep.projection,
            rep.labels_projection,
            scorer.proj_token,
            scorer.proj_label,
            scorer.out_mlp[0],
        ):
            handle = layer.register_forward_hook(lambda _layer, _input, output: outputs.append(output))
            model.model(**{name: value for name, value in batch.items() if torch.is_tensor(value)})
            handle.remove()
            layer.weight.div_(outputs.pop().std())
        scorer.out_mlp[-1].bias.fill_(-4.0)  # a span of one word: a probability of exp(-12)


def _mark_capitals(tokenizer: Any) -> None:
    """Let the tokenizer say which words began with a capital, before it lower-cases them.

    "^ " is put before every word and taken away again where no capital follows; words come one by one, so the
    pattern's start is the word's.
    """
    from tokenizers import Regex, normalizers

    backend = tokenizer.backend_tokenizer
    backend.normalizer = normalizers.Sequence(
        [
            normalizers.Prepend("^ "),
            normalizers.Replace(Regex(r"\A\^ (?!\p{Lu})"), ""),
            backend.normalizer,
        ]
    )


def read_words_by(model: Any, words: WordList | None) -> None:
    """Have a model read words by a list from now on, or, without one, as they are."""
    processor = model.data_processor
    if isinstance(processor.words_splitter, GlossingSplitter):
        processor.words_splitter = processor.words_splitter.split
    if words is not None:
        processor.words_splitter = GlossingSplitter(processor.words_splitter, Glossary(words))


def save_bundle(folder: Path, model: Any, *, shape: Shape, thresholds: Mapping[str, float]) -> None:
    """Write `config.json` and `model.safetensors` into an existing folder.

    Tensors equal to the base are left out, the others are stored in half precision.

    Raises:
        ModelError: A weight is not finite, or too large for half precision.
    """
    import torch

    from joblens.storage import write_tensors

    base = _base_tensors(packaged_folder(shape.package))
    changed: dict[str, Tensor] = {}
    for name, tensor in model.model.state_dict().items():
        original = base.get(_base_name(name))
        if original is not None and torch.equal(tensor.float().cpu(), original):
            continue
        stored = tensor.detach().cpu().half().contiguous() if tensor.is_floating_point() else tensor.cpu()
        if not bool(torch.isfinite(stored).all()):
            raise ModelError(f"weight {name} is not finite in half precision; train again at a lower rate")
        changed[name] = stored
    write_tensors(folder / WEIGHTS, changed)
    settings = {
        "format": FORMAT,
        "base": {"package": shape.package, "sha256": shape.sha256},
        "hidden_size": shape.hidden_size,
        "max_words": shape.max_words,
        "mark_capitals": shape.mark_capitals,
        "dropout": shape.dropout,
        "thresholds": {label: round(float(value), 4) for label, value in thresholds.items()},
    }
    write_json(folder / GLOSSARY, (shape.glossary or WordList({})).as_json())
    write_json(folder / SETTINGS, settings)


def load_bundle(folder: Path) -> Bundle:
    """The network in the folder, put together with its packaged base.

    Raises:
        ModelError: A file is missing or damaged, or the base is not the one it was trained from.
    """
    import torch

    from joblens.storage import read_tensors

    shape, thresholds = _read_settings(folder)
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"{folder} has no {WEIGHTS}; copy the bundle again whole")
    model = new_model(shape)
    try:
        stored = read_tensors(folder / WEIGHTS)
    except DataError as error:
        raise ModelError(f"{folder / WEIGHTS} is damaged; copy the bundle again whole") from error
    own = model.model.state_dict()
    base = _base_tensors(packaged_folder(shape.package))
    wrong = [name for name, tensor in stored.items() if name not in own or own[name].shape != tensor.shape]
    missing = [name for name in own if name not in stored and _base_name(name) not in base]
    if wrong or missing:
        raise ModelError(
            f"{folder / WEIGHTS} does not fit its {SETTINGS} ({(wrong + missing)[0]} first); "
            "copy the bundle again whole"
        )
    if not all(bool(torch.isfinite(tensor).all()) for tensor in stored.values()):
        raise ModelError(f"{folder / WEIGHTS} holds weights that are not finite; copy the bundle again whole")
    model.model.load_state_dict({name: tensor.float() for name, tensor in stored.items()}, strict=False)
    return Bundle(model.eval(), shape, thresholds, fingerprint(folder))


def fingerprint(folder: Path) -> str:
    """Hash of the bundle's settings, weights and words."""
    return content_hash(*(f"{name}={file_hash(folder / name)}" for name in FILES))


def _read_settings(folder: Path) -> tuple[Shape, dict[str, float]]:
    path = folder / SETTINGS
    try:
        settings = read_strict_json(path)
        if settings["format"] != FORMAT:
            older = isinstance(settings["format"], int) and settings["format"] < FORMAT
            raise ModelError(
                f"{path} has format {settings['format']!r}, expected {FORMAT}; "
                + ("train it again with `joblens finetune ner`" if older else "update joblens")
            )
        shape = Shape(
            package=_text(settings["base"]["package"]),
            sha256=_text(settings["base"]["sha256"]),
            hidden_size=_whole(settings["hidden_size"], 2, 4096),
            max_words=_whole(settings["max_words"], 8, 4096),
            mark_capitals=settings["mark_capitals"] is True,
            dropout=float(settings["dropout"]),
            glossary=_read_words(folder),
        )
        if not 0 <= shape.dropout < 1:
            raise ValueError("dropout")
        thresholds = {_text(label): float(value) for label, value in settings["thresholds"].items()}
        if not thresholds or not all(0 < value < 1 for value in thresholds.values()):
            raise ValueError("thresholds")
    except DataError as error:
        raise ModelError(f"{error}; copy the bundle again whole") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is no {SETTINGS} of a cleaner ({type(error).__name__}); copy the bundle again whole"
        ) from error
    return shape, thresholds


def _read_words(folder: Path) -> WordList | None:
    path = folder / GLOSSARY
    if not path.is_file():
        raise ModelError(f"{folder} has no {GLOSSARY}; copy the bundle again whole")
    try:
        words = WordList.from_json(read_strict_json(path))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is no list of words ({type(error).__name__}); copy the bundle again whole"
        ) from error
    return words if words.english else None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("text")
    return value


def _whole(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise TypeError("whole number")
    return value


def _base_tensors(folder: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}


def _base_name(name: str) -> str:
    """The tensor's name in the base; the name itself when the base has no part in it."""
    for prefix in (_TEXT_ENCODER, _LABEL_ENCODER):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def trainable(model: Any, *, first_layer: int = 0) -> Sequence[str]:
    """Names of the parameters that training may change; all others are frozen.

    Word and position vectors stay the base's, and so does the label encoder. `first_layer` is the lowest
    layer of the text encoder that may change, from 0.
    """
    names: list[str] = []
    for name, parameter in model.model.named_parameters():
        inner = name.removeprefix(_TEXT_ENCODER)
        is_frozen = name.startswith(_LABEL_ENCODER) or (
            inner != name and (inner.startswith(("embeddings.", "pooler.")) or _layer(inner) < first_layer)
        )
        parameter.requires_grad = not is_frozen
        if not is_frozen:
            names.append(name)
    return names


def text_encoder(model: Any) -> Any:
    """The encoder that reads the text, a transformers model."""
    return model.model.token_rep_layer.bert_layer.model


def _layer(inner: str) -> int:
    parts = inner.split(".")
    return int(parts[2]) if parts[:2] == ["encoder", "layer"] else 0
