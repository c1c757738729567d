"""Faults of the network and of an address: what they are called in a message to the user."""

import requests
import urllib3

LARGEST_BODY = 256 << 20  # bytes, unpacked: a few kilobytes can unpack to more than any memory


class ForeignUrlError(ValueError):
    """A URL that is not the provider's; the message names its host."""


class AnswerTooLargeError(requests.RequestException):
    """An answer whose body, unpacked, is larger than any page can be."""


def fault_name(fault: Exception | None) -> str:
    """What a network fault is called in a message to the user; never the fault's own text."""
    if isinstance(fault, AnswerTooLargeError):
        return f"the answer is larger than {LARGEST_BODY >> 20} MB"
    if isinstance(fault, (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError)):
        return "the connection timed out"
    if isinstance(fault, (requests.Timeout, urllib3.exceptions.ReadTimeoutError)):
        return "the answer did not come in time"
    if isinstance(fault, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return "the TLS connection failed"
    if isinstance(fault, requests.exceptions.ProxyError):
        return "the proxy failed"
    if isinstance(
        fault, (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError)
    ):
        return "the compressed answer was damaged"
    text = str(fault).lower()
    for sign, name in (
        ("name or service not known", "its host name could not be resolved"),
        ("nameresolution", "its host name could not be resolved"),
        ("connection refused", "the connection was refused"),
        ("reset by peer", "the connection was reset"),
        ("incomplete", "the answer was cut short"),
        ("closed connection without response", "the connection was closed without an answer"),
        ("remote end closed", "the connection was closed without an answer"),
    ):
        if sign in text:
            return name
    return "the connection failed"
