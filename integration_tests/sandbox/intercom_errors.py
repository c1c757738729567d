"""How Intercom refuses: the envelope of its errors, and what may be wrong with a key."""

from .answers import Answer, json_answer

REFUSALS: dict[str, tuple[int, str, str]] = {
    "unauthorized": (401, "unauthorized", "Access Token Invalid"),
    "token_unauthorized": (401, "token_unauthorized", "Not authorized to access resource"),
    "token_revoked": (401, "token_revoked", "Access Token Revoked"),
    "api_plan_restricted": (403, "api_plan_restricted", "Active subscription needed."),
    "payment_required": (402, "payment_required", "Payment required"),
}
"""What is wrong with a key: status, code, message (the text of 402 is UNKNOWN)."""

REFUSALS_OF_ADMINS = {
    "no_admins": REFUSALS["token_unauthorized"],
    "admins_restricted": REFUSALS["api_plan_restricted"],
}
"""What is wrong with a key that reads calls, but no admins."""


def refusal(status: int, code: str, message: str, field: str | None = None) -> Answer:
    """An `error.list` envelope."""
    error = {"code": code, "message": message, "field": field}
    request_id = "f93ecfa8-d08a-4325-8694-89aeb89c8f85"
    return json_answer(status, {"type": "error.list", "request_id": request_id, "errors": [error]})
