"""A peer: dlt's declarative `rest_api` source with the paginators that its documentation names.

`python dlt_source.py PROVIDER URL [--parallelized] [--since FIELD=VALUE [--newest-first]]` writes
each call as a JSON line to stdout. With `--since`, dlt's `incremental` keeps the calls whose field
is at least the value; with `--newest-first` it is told so (`row_order`), believes it, and ends the
list at the first page of older ones. The
resource is iterated and written with dlt's own JSON, which is the least a dlt user can do for JSON
lines: `dlt.pipeline` with the filesystem destination would also normalize and load, and takes
longer. `--parallelized` asks for the dependent resource's requests in dlt's thread pool; only the
fan-out has a dependent resource.
"""

import os
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

from dlt.common import json  # type: ignore[import-not-found] # it reads the environment
from dlt.sources.helpers.rest_client.paginators import (  # type: ignore[import-not-found]
    JSONLinkPaginator,
)
from dlt.sources.rest_api import (  # type: ignore[import-not-found]
    RESTAPIConfig,
    rest_api_source,
)

E164 = re.compile(r"\+[1-9]\d{1,14}")


class PrefixedLinkPaginator(JSONLinkPaginator):  # type: ignore[misc]
    """dlt's `json_link`, for a rooted link below the sandbox's path; the real host needs none."""

    def __init__(self, base: str) -> None:
        super().__init__(next_url_path="_links.next.href")
        self._base = base

    def update_request(self, request: Any) -> None:
        """Put the sandbox's address before the link."""
        link: str | None = self._next_reference  # type: ignore[has-type]
        if link is not None and link.startswith("/"):
            self._next_reference = self._base + link
        super().update_request(request)


def intercom(base: str) -> RESTAPIConfig:
    """The paginator `page_number`."""
    paginator = {
        "type": "page_number",
        "base_page": 1,
        "page_param": "page",
        "total_path": "pages.total_pages",
    }
    endpoint = {"path": "calls", "params": {"per_page": 25}, "data_selector": "data"}
    return {
        "client": {**client("intercom", base), "headers": {"Intercom-Version": "2.14"}},
        "resources": [{"name": "calls", "endpoint": {**endpoint, "paginator": paginator}}],
    }


def skipcall(base: str) -> RESTAPIConfig:
    """The paginator `page_number`."""
    paginator = {
        "type": "page_number",
        "base_page": 1,
        "page_param": "page",
        "total_path": "totalPages",
    }
    endpoint = {"path": "v1/calls", "params": {"limit": 100}, "data_selector": "data"}
    return {
        "client": client("skipcall", base),
        "resources": [{"name": "calls", "endpoint": {**endpoint, "paginator": paginator}}],
    }


def amplemarket(base: str) -> RESTAPIConfig:
    """The paginator `json_link`."""
    endpoint = {"path": "calls", "params": {"page[size]": 100}, "data_selector": "calls"}
    paginator = PrefixedLinkPaginator(base)
    return {
        "client": client("amplemarket", base),
        "resources": [{"name": "calls", "endpoint": {**endpoint, "paginator": paginator}}],
    }


def openphone(base: str, parallelized: bool = False) -> RESTAPIConfig:
    """Dependent resources, and the paginator `cursor`."""
    pages = {
        "type": "cursor",
        "cursor_path": "nextPageToken",
        "cursor_param": "pageToken",
    }
    return {
        "client": client("openphone", base),
        "resources": [
            {
                "name": "phone_numbers",
                "endpoint": {
                    "path": "v1/phone-numbers",
                    "data_selector": "data",
                    "paginator": "single_page",
                },
            },
            {
                "name": "conversations",
                "endpoint": {
                    "path": "v1/conversations",
                    "params": {"phoneNumbers": "{resources.phone_numbers.id}", "maxResults": 100},
                    "data_selector": "data",
                    "paginator": pages,
                },
                "include_from_parent": ["users"],
                "processing_steps": [{"yield_map": questions}],
            },
            {
                "name": "calls",
                "endpoint": {
                    "path": "v1/calls?{resources.conversations.question}",
                    "params": {"maxResults": 100},
                    "data_selector": "data",
                    "paginator": pages,
                },
                "parallelized": parallelized,
            },
        ],
    }


def questions(conversation: dict[str, Any]) -> Iterator[list[dict[str, str]]]:
    """What to ask for the calls of a conversation: once for each user of its number.

    In one list, because a dependent resource of `rest_api` wants lists of parents.
    """
    participants = conversation["participants"]
    if len(participants) != 1 or not E164.fullmatch(participants[0]):
        return
    asked = {"phoneNumberId": conversation["phoneNumberId"], "participants": participants[0]}
    users = [{"userId": user["id"]} for user in conversation["_phone_numbers_users"]]
    yield [{"question": urlencode(asked | user)} for user in users or [{}]]


def client(provider: str, base: str) -> dict[str, Any]:
    """The client's configuration."""
    key = f"test-key-{provider}-not-real"
    if provider == "openphone":
        auth = {"type": "api_key", "name": "Authorization", "api_key": key, "location": "header"}
    else:
        auth = {"type": "bearer", "token": key}
    return {"base_url": f"{base}/", "auth": auth}


def main() -> None:
    """Read one provider."""
    parser = ArgumentParser()
    parser.add_argument("provider", choices=["intercom", "openphone", "amplemarket", "skipcall"])
    parser.add_argument("url")
    parser.add_argument("--parallelized", action="store_true")
    parser.add_argument("--since", metavar="FIELD=VALUE")
    parser.add_argument("--newest-first", action="store_true")
    options = parser.parse_args()
    if options.provider == "openphone":
        config = openphone(options.url, options.parallelized)
    else:
        sources = {"intercom": intercom, "amplemarket": amplemarket, "skipcall": skipcall}
        config = sources[options.provider](options.url)
    if options.since:
        name, value = options.since.split("=", 1)
        since: dict[str, Any] = {"cursor_path": name, "on_cursor_value_missing": "include"}
        since["initial_value"] = int(value) if value.isdigit() else value
        since["row_order"] = "desc" if options.newest_first else None
        config["resources"][-1]["endpoint"]["incremental"] = since
    write = sys.stdout.buffer.write
    for call in rest_api_source(config).resources["calls"]:
        write(json.dumpb(call) + b"\n")


if __name__ == "__main__":
    main()
