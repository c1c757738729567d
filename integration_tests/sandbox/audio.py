"""Recordings as they sound: large, so that the sandbox notices whether somebody hears them out."""

from aiohttp import web

from .answers import Answer

PIECE = bytes(1 << 16)
PIECES = 1024
"""64 MiB, more than two sockets buffer."""


def is_audio(answer: Answer) -> bool:
    """Whether the answer is a recording."""
    return answer.status == 200 and answer.content_type.startswith("audio/")


async def played_to_the_end(request: web.BaseRequest, answer: Answer) -> web.StreamResponse | None:
    """Play a recording; None if the client does not take all of it."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.headers["Content-Type"] = answer.content_type
    response.content_length = len(PIECE) * PIECES
    await response.prepare(request)
    try:
        for _ in range(PIECES):
            await response.write(PIECE)
    except ConnectionError:
        return None
    return response
