"""What every section of the configuration stands on."""

import re

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration: no unknown keys, no changes after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


def check_variable_name(name: str) -> str:
    """`name` if it can be an environment variable; what is refused may be a URL and is never quoted.

    Raises:
        ValueError: It holds something else than letters, digits and underscores, or begins with a digit.
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
        raise ValueError(
            "should be the name of an environment variable, such as JOBLENS_DB_URL, and is not; "
            "put the URL in that variable and give its name"
        )
    return name
