"""Reads the definitions that ship with the service."""

from pathlib import Path

import yaml

from services.survey.domain.definitions import Definition, definition_from

_FOLDER = Path(__file__).resolve().parents[1] / "data"


def read_definitions(folder: Path = _FOLDER) -> dict[str, Definition]:
    """Every definition of the folder by key. Raises ValueError that names the file and what is wrong in it."""
    found: dict[str, Definition] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            definition = definition_from(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: key, title, scale_max and texts are needed: {error}") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        found[definition.key] = definition
    return found
