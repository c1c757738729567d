"""The names of images: what `make images` and `make register` take, and what becomes of them."""

import re

from release import ReleaseError

REPOSITORY = "localhost/airbyte-calls"
"""It begins with a host, or the platform puts its own registry before it."""

_REPOSITORY = re.compile(r"[a-z0-9]+([.:_-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


def checked_repository(value: str) -> str:
    """The first part of the images' names; ReleaseError if it cannot be one."""
    if _REPOSITORY.fullmatch(value) is None:
        raise ReleaseError(
            f"REPOSITORY {value!r} is not the first part of an image's name, in small letters and"
            " without a tag, such as ghcr.io/you."
        )
    return value


def checked_tag(value: str) -> str:
    """The tag; ReleaseError if it cannot be one."""
    if _TAG.fullmatch(value) is None:
        raise ReleaseError(f"TAG {value!r} is not the tag of an image, such as 1.2.3.")
    return value


def has_host(repository: str) -> bool:
    """Whether the images' names begin with a registry, by the platform's own rule."""
    first = repository.split("/", maxsplit=1)[0]
    return "." in first or ":" in first or first == "localhost"


def prefix_note(repository: str) -> str | None:
    """What to know of a repository without a host; None for one with it."""
    if has_host(repository):
        return None
    return (
        f"Note: {repository} names no registry. Where the chart sets global.image.registry, the"
        " platform puts that before it."
    )
