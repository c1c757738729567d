"""The rows of the error table that hold for every provider; they follow the provider's own."""

from typing import Final

from calls_shared.error_mapping.errors import LINK, NETWORK, SHAPE, ErrorRow

_BAD_KEY = (
    "{provider} refused the API key (HTTP {status}). Check the value of {key}: it may be mistyped,"
    " revoked or expired. {provider} says: {says}"
)

SHARED_ROWS: Final[tuple[ErrorRow, ...]] = (
    # by its code too, so that it is known under HTTP 200 as well
    ErrorRow(401, "fail", _BAD_KEY, "config_error", code="unauthorized"),
    ErrorRow(401, "fail", _BAD_KEY, "config_error"),
    ErrorRow(
        402,
        "fail",
        "{provider} asks for a payment before it answers (HTTP 402). Renew the subscription of the"
        " workspace that {key} belongs to. {provider} says: {says}",
        "config_error",
    ),
    *(
        ErrorRow(
            status,
            "retry",
            "HTTP {status} came in a form that is not {provider}'s own, as from a firewall or a"
            " gateway that stands in between{tried}. {again} If it stays, ask who runs the network,"
            " or {provider}. It says: {says}",
            "transient_error",
            own=False,
        )
        for status in (403, 404)
    ),
    ErrorRow(
        403,
        "fail",
        "{provider} does not let this API key read calls (HTTP 403). Check the plan of the"
        " workspace and the permissions of {key}. {provider} says: {says}",
        "config_error",
    ),
    ErrorRow(
        429,
        "wait",
        "{provider} still refuses because of its rate limit (HTTP 429). Lower requests_per_minute,"
        " or wait until other programs that use the same key have ended.",
        "transient_error",
    ),
    *(
        ErrorRow(
            status,
            "retry",
            "{provider} could not answer (HTTP {status}){tried}. {again} {provider} says: {says}",
            "transient_error",
        )
        for status in (408, 409, 423, 425, (500, 599))
    ),
    ErrorRow(
        (400, 499),
        "fail",
        "{provider} refused the request (HTTP {status}) and says: {says}",
    ),
    ErrorRow(
        (300, 399),
        "fail",
        "{provider} answered with a redirect to {target} (HTTP {status}). Redirects are not"
        " followed, so that the API key stays with {provider}. Check whether a proxy stands in"
        " between.",
    ),
    ErrorRow(
        LINK,
        "fail",
        "{provider} answered with a link to another host than its own, {target}; it was not"
        " followed, so that the API key stays with {provider}. {again}",
        "transient_error",
    ),
    ErrorRow(
        NETWORK,
        "retry",
        "{provider} could not be reached ({detail}){tried}. Check the network and any proxy."
        " {again}",
        "transient_error",
    ),
    ErrorRow(
        SHAPE,
        "retry",
        "{provider} answered HTTP {status} with something else than a page of records ({detail})"
        "{tried}. No record was taken from it. Check whether a proxy stands in between. {again}",
        "transient_error",
    ),
    ErrorRow(
        (100, 999),
        "fail",
        "{provider} answered with the unexpected status HTTP {status} and says: {says}",
    ),
)
