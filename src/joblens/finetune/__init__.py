"""Flows that take a model and data and give a better model. They are no stages of the pipeline."""

import os
from pathlib import Path

from joblens.errors import ConfigError


def data_folder(variable: str) -> Path:
    """The folder that an environment variable names.

    Raises:
        ConfigError: It is not set, or names no folder.
    """
    folder = Path(os.environ.get(variable, ""))
    if variable not in os.environ or not folder.is_dir():
        raise ConfigError(
            f"{variable} is not set to a folder; set it to the one with the corpora, "
            "or name the data on the command line"
        )
    return folder
