"""The limit: the least Python that reads every call, `requests` and `orjson` in one loop.

`python bare_loop.py PROVIDER URL` writes each call as a JSON line to stdout. It retries nothing,
keeps no state and trusts every answer; a refusal ends it with exit status 1.
"""

import sys
from collections.abc import Iterator
from typing import Any

import orjson
import requests

Call = dict[str, Any]


def get(session: requests.Session, url: str, **parameters: object) -> Any:
    """The JSON body of an answer; SystemExit on any status but 200."""
    answer = session.get(url, params={name: str(value) for name, value in parameters.items()})
    if answer.status_code != 200:
        raise SystemExit(f"HTTP {answer.status_code}")
    return orjson.loads(answer.content)


def intercom(session: requests.Session, base: str) -> Iterator[list[Call]]:
    """Pages by number, up to the announced last one."""
    page, last = 1, 1
    while page <= last:
        body = get(session, f"{base}/calls", page=page, per_page=25)
        last = body["pages"]["total_pages"]
        yield body["data"]
        page += 1


def skipcall(session: requests.Session, base: str) -> Iterator[list[Call]]:
    """Pages by number, up to the announced last one."""
    page, last = 1, 1
    while page <= last:
        body = get(session, f"{base}/v1/calls", page=page, limit=100)
        last = body["totalPages"]
        yield body["data"]
        page += 1


def amplemarket(session: requests.Session, base: str) -> Iterator[list[Call]]:
    """Pages by link, until there is none."""
    link: str | None = "/calls?page[size]=100"
    while link:
        body = get(session, base + link)
        yield body["calls"]
        link = body["_links"].get("next", {}).get("href")


def tokens(session: requests.Session, url: str, **parameters: object) -> Iterator[list[Call]]:
    """Pages by token, until there is none."""
    while True:
        body = get(session, url, maxResults=100, **parameters)
        yield body["data"]
        if not body["nextPageToken"]:
            return
        parameters["pageToken"] = body["nextPageToken"]


def openphone(session: requests.Session, base: str) -> Iterator[list[Call]]:
    """Numbers, all conversations at once, then the calls of each user of each conversation."""
    numbers = get(session, f"{base}/v1/phone-numbers")["data"]
    users = {number["id"]: [user["id"] for user in number["users"]] for number in numbers}
    for conversations in tokens(session, f"{base}/v1/conversations"):
        for conversation in conversations:
            participants, number = conversation["participants"], conversation["phoneNumberId"]
            if len(participants) != 1 or not participants[0].startswith("+"):
                continue
            for user in users[number] or [None]:
                asked = {} if user is None else {"userId": user}
                yield from tokens(
                    session,
                    f"{base}/v1/calls",
                    phoneNumberId=number,
                    participants=participants[0],
                    **asked,
                )


PROVIDERS = {
    "intercom": intercom,
    "openphone": openphone,
    "amplemarket": amplemarket,
    "skipcall": skipcall,
}


def main() -> None:
    """Read one provider."""
    provider, base = sys.argv[1:]
    key = f"test-key-{provider}-not-real"
    with requests.Session() as session:
        session.headers["Authorization"] = key if provider == "openphone" else f"Bearer {key}"
        session.headers["Accept"] = "application/json"
        session.headers["Intercom-Version"] = "2.14"
        write = sys.stdout.buffer.write
        for page in PROVIDERS[provider](session, base):
            for call in page:
                write(orjson.dumps(call, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
