"""How Amplemarket refuses: the `_errors` envelope."""

from .answers import Answer, json_answer


def refusal(status: int, code: str, title: str, detail: str) -> Answer:
    """The `_errors` envelope."""
    return json_answer(
        status, {"object": "error", "_errors": [{"code": code, "title": title, "detail": detail}]}
    )
