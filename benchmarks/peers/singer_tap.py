"""A peer: a tap made with Meltano's Singer SDK, with its own paginators and parent-child streams.

`python singer_tap.py PROVIDER URL [FIELD=VALUE]` writes Singer messages to stdout, a JSON line for
each call. A field makes it the replication key, of which the state holds the value.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from singer_sdk import RESTStream, Stream, Tap  # type: ignore[import-not-found]
from singer_sdk import typing as th
from singer_sdk.authenticators import (  # type: ignore[import-not-found]
    APIKeyAuthenticator,
    BearerTokenAuthenticator,
)
from singer_sdk.pagination import (  # type: ignore[import-not-found]
    BaseHATEOASPaginator,
    JSONPathPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)

E164 = re.compile(r"\+[1-9]\d{1,14}")
Record = dict[str, Any]


def schema(texts: str = "", integers: str = "", flags: str = "", objects: str = "") -> Record:
    """A stream's schema: names of fields by type, `id` always."""
    free = th.CustomType({"type": ["object", "null"], "additionalProperties": True})
    found: Record = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        *(th.Property(name, th.StringType) for name in texts.split()),
        *(th.Property(name, th.IntegerType) for name in integers.split()),
        *(th.Property(name, th.BooleanType) for name in flags.split()),
        *(th.Property(name, free) for name in objects.split()),
    ).to_dict()
    return found


class CallsStream(RESTStream[Any]):  # type: ignore[misc]
    """What the streams have in common."""

    name = "calls"
    primary_keys = ("id",)
    records_jsonpath = "$.data[*]"
    fixed_params: Mapping[str, Any] = MappingProxyType({})
    page_param = ""

    @property
    def url_base(self) -> str:
        """The sandbox's address of the provider."""
        return str(self.config["url"])

    @property
    def authenticator(self) -> Any:
        """The provider's way to name the key."""
        key = self.config["api_key"]
        if self.config["provider"] == "openphone":
            return APIKeyAuthenticator(key="Authorization", value=key, location="header")
        return BearerTokenAuthenticator(token=key)

    def post_process(self, row: Record, context: Any = None) -> Record | None:
        """No call from before the state: none of the lists can be asked for that."""
        since = self.get_starting_replication_key_value(context)
        return None if since is not None and str(row[self.replication_key]) < since else row

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """The fixed parameters and the page."""
        page = {self.page_param: next_page_token} if self.page_param and next_page_token else {}
        return {**self.fixed_params, **page}


class Numbered(PageNumberPaginator):  # type: ignore[misc]
    """The SDK's page numbers, with the number of pages that the answer announces."""

    def __init__(self, pages_at: str) -> None:
        super().__init__(1)
        self._pages_at = pages_at.split(".")

    def has_more(self, response: requests.Response) -> bool:
        """Whether this was not the last page."""
        value = response.json()
        for name in self._pages_at:
            value = value[name]
        return bool(self.current_value < value)


class IntercomCalls(CallsStream):
    """Pages by number."""

    path = "/calls"
    page_param = "page"
    fixed_params = MappingProxyType({"per_page": 25})
    schema = schema(
        texts="type conversation_id admin_id contact_id state recording_url transcription_url"
        " call_type direction ended_reason phone fin_recording_url fin_transcription_url",
        integers="initiated_at answered_at ended_at created_at updated_at",
    )

    @property
    def http_headers(self) -> dict[str, str]:
        """The API version that has calls."""
        return {"Intercom-Version": "2.14", "Accept": "application/json"}

    def get_new_paginator(self) -> Numbered:
        """Page numbers."""
        return Numbered("pages.total_pages")


class SkipcallCalls(CallsStream):
    """Pages by number."""

    path = "/v1/calls"
    page_param = "page"
    fixed_params = MappingProxyType({"limit": 100})
    schema = schema(
        texts="callType phoneNumberId userProviderSid adminProviderSid providerConferenceId status"
        " type startedAt endedAt createdAt updatedAt sequenceRunId sequenceId syncedWithCrmDate"
        " deletedAt organizationId organizationMembershipId managedPhoneNumberId notes",
        flags="transferred",
        objects="contact phoneNumber caller callerPhoneNumber",
    )

    def get_new_paginator(self) -> Numbered:
        """Page numbers."""
        return Numbered("totalPages")


class Links(BaseHATEOASPaginator):  # type: ignore[misc]
    """The SDK's links."""

    def get_next_url(self, response: requests.Response) -> str | None:
        """The link to the next page."""
        link: str | None = response.json()["_links"].get("next", {}).get("href")
        return link


class AmplemarketCalls(CallsStream):
    """Pages by link."""

    path = "/calls"
    records_jsonpath = "$.calls[*]"
    schema = schema(
        texts="disposition_id start_date from to notes transcription task_id user_id recording_url",
        integers="duration",
        flags="external human answered",
        objects="contact",
    )

    def get_new_paginator(self) -> Links:
        """Links."""
        return Links()

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """The page size, then the link's own parameters."""
        if next_page_token:
            return dict(parse_qsl(urlsplit(next_page_token.geturl()).query))
        return {"page[size]": 100}


class PhoneNumbers(CallsStream):
    """The parent of the conversations."""

    name = "phone_numbers"
    path = "/v1/phone-numbers"
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        th.Property("number", th.StringType),
        th.Property("users", th.ArrayType(th.ObjectType(th.Property("id", th.StringType)))),
    ).to_dict()

    def get_new_paginator(self) -> SinglePagePaginator:
        """There is one page."""
        return SinglePagePaginator()

    def get_child_context(self, record: Record, context: Any) -> Record:
        """What the conversations need."""
        users = [user["id"] for user in record["users"]]
        return {"phone_number_id": record["id"], "users": users}


class Conversations(CallsStream):
    """The parent of the calls."""

    name = "conversations"
    path = "/v1/conversations"
    parent_stream_type = PhoneNumbers
    state_partitioning_keys = ()
    page_param = "pageToken"
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        th.Property("phoneNumberId", th.StringType),
        th.Property("participants", th.ArrayType(th.StringType)),
    ).to_dict()

    def get_new_paginator(self) -> JSONPathPaginator:
        """Tokens."""
        return JSONPathPaginator("$.nextPageToken")

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """The number and the page."""
        number = {"phoneNumbers": context["phone_number_id"], "maxResults": 100}
        return number | super().get_url_params(context, next_page_token)

    def generate_child_contexts(self, record: Record, context: Any) -> Iterator[Record]:
        """What the calls need: once for each user of the number."""
        participants = record["participants"]
        if len(participants) == 1 and E164.fullmatch(participants[0]):
            asked = {"phone_number_id": record["phoneNumberId"], "participant": participants[0]}
            for user in context["users"] or [None]:
                yield {**asked, "user_id": user}


class OpenPhoneCalls(CallsStream):
    """The calls of a user of a conversation."""

    path = "/v1/calls"
    parent_stream_type = Conversations
    state_partitioning_keys = ()
    page_param = "pageToken"
    schema = th.PropertiesList(
        *(
            th.Property(name, th.StringType)
            for name in "id answeredAt answeredBy initiatedBy direction status completedAt"
            " createdAt callRoute forwardedFrom forwardedTo aiHandled phoneNumberId updatedAt"
            " userId".split()
        ),
        th.Property("duration", th.IntegerType),
        th.Property("participants", th.ArrayType(th.StringType)),
    ).to_dict()

    def get_new_paginator(self) -> JSONPathPaginator:
        """Tokens."""
        return JSONPathPaginator("$.nextPageToken")

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """The question and the page."""
        asked = {
            "phoneNumberId": context["phone_number_id"],
            "participants": context["participant"],
            "userId": context["user_id"],
            "maxResults": 100,
        }
        return asked | super().get_url_params(context, next_page_token)


STREAMS: dict[str, tuple[type[CallsStream], ...]] = {
    "intercom": (IntercomCalls,),
    "openphone": (PhoneNumbers, Conversations, OpenPhoneCalls),
    "amplemarket": (AmplemarketCalls,),
    "skipcall": (SkipcallCalls,),
}


class TapCalls(Tap):  # type: ignore[misc]
    """The tap of one provider."""

    name = "tap-calls"
    config_jsonschema = th.PropertiesList(
        th.Property("provider", th.StringType, required=True),
        th.Property("url", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
        th.Property("replication_key", th.StringType),
    ).to_dict()

    def discover_streams(self) -> Iterable[Stream]:
        """The provider's streams."""
        streams = [stream(tap=self) for stream in STREAMS[self.config["provider"]]]
        if self.config.get("replication_key"):
            streams[-1].replication_key = self.config["replication_key"]
        return streams


def main() -> None:
    """Read one provider."""
    provider, url, *since = sys.argv[1:]
    key = f"test-key-{provider}-not-real"
    config, state = {"provider": provider, "url": url, "api_key": key}, {}
    if since:
        name, value = since[0].split("=", 1)
        config["replication_key"] = name
        state = {"bookmarks": {"calls": {"replication_key": name, "replication_key_value": value}}}
    TapCalls(config=config, state=state).sync_all()


if __name__ == "__main__":
    main()
