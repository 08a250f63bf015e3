"""What the tests of the GLiNER extractor share: a tokenizer, and a cleaner over a base of its own."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[int], Any]:
    """`make_tokenizer(longest)`: one that spells words letter by letter and cuts after `longest`."""
    return tokenizer_of_letters


def tokenizer_of_letters(longest: int) -> Any:
    """A tokenizer whose subwords are single letters, for networks made in a test."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = string.ascii_lowercase + string.digits + string.punctuation + "æøå"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    ids = {token: row for row, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(vocab=ids, unk_token="[UNK]", max_input_chars_per_word=10_000))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=longest,
    )


@pytest.fixture(scope="session")
def make_bert() -> Callable[[Any, int], Any]:
    """`make_bert(tokenizer, longest)`: settings of a BERT of one layer and width 16."""
    return tiny_bert


def tiny_bert(tokenizer: Any, longest: int) -> Any:
    """Settings of a BERT of one layer and width 16 for `longest` subwords."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=longest,
    )


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package `tiny_base`: a BERT of one layer and width 16, as a cleaner's base."""
    import torch
    from transformers import BertModel

    home = tmp_path_factory.mktemp("packages")
    model = home / "tiny_base" / "model"
    model.mkdir(parents=True)
    (home / "tiny_base" / "__init__.py").touch()
    tokenizer = tokenizer_of_letters(160)
    tokenizer.save_pretrained(model)
    torch.manual_seed(0)
    BertModel(tiny_bert(tokenizer, 160)).save_pretrained(model, safe_serialization=True)
    return home
