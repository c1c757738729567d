"""What the four connectors of calls share.

Named in manifests (`class_name: calls_shared.<name>`):

    CallNormalization    a provider's record becomes one call in the shared columns
    CallSchema           the schema of those columns
    ListedCallSchema     the schema of what a call is known by
    RowNormalization     a provider's record becomes a row of a stream beside `calls`
    RowSchema            the schema of such a stream
    CallRequester        sends a request until it is answered well, skipped, or has failed
    CallRetriever        reads the pages of a list, whatever they announce
    ListRetriever        the same for a stream that is one list: its complete readings converge
    ListedCallsRetriever   provider and id of each call that such a list holds now
    FanOutRetriever      the same for a slice that is asked once for each of some values
    OldestFirstRetriever   the same for parents, which it gives out by windows of time
    WindowsRetriever     the same where the server filters by creation: windows of time at once
    CallDetails          each call that a retriever reads becomes the rows of what there is to it
    DetailsInRecord, DetailsOfCall, DetailsOfSeveral    where that is found
    PageRecords          takes the records out of a checked page
    PageNumbers, NextLink, PageToken    how the next page is found
    ParentSlices         a slice for each parent; the parents' state is what its slices prove
    CheckedState         the state that is handed in, checked and in our own form
    ParentFields, OneItemMatches, ForgetGlobalCursor    small components for parent streams
    ApiKey, BasicAuth    the credential, exactly as given

Used by a connector's few lines of Python:

    CallsSource          the source class
    run                  the console script
"""

from calls_shared.http.authenticator import ApiKey, BasicAuth
from calls_shared.http.requester import CallRequester
from calls_shared.normalization.columns import CallSchema, ListedCallSchema
from calls_shared.normalization.normalization import CallNormalization
from calls_shared.normalization.row_columns import RowSchema
from calls_shared.normalization.rows import RowNormalization
from calls_shared.protocol.entrypoint import run
from calls_shared.protocol.source import CallsSource
from calls_shared.reading.checked_state import CheckedState
from calls_shared.reading.details import CallDetails
from calls_shared.reading.details_in_record import DetailsInRecord
from calls_shared.reading.details_of_call import DetailsOfCall
from calls_shared.reading.details_of_several import DetailsOfSeveral
from calls_shared.reading.extractor import PageRecords
from calls_shared.reading.fan_out import FanOutRetriever
from calls_shared.reading.list_retriever import ListRetriever
from calls_shared.reading.listed_calls import ListedCallsRetriever
from calls_shared.reading.oldest_first import OldestFirstRetriever
from calls_shared.reading.pagination import NextLink, PageNumbers, PageToken
from calls_shared.reading.parent_slices import ParentSlices
from calls_shared.reading.parents import ForgetGlobalCursor, OneItemMatches, ParentFields
from calls_shared.reading.retriever import CallRetriever
from calls_shared.reading.windows_retriever import WindowsRetriever

__all__ = [
    "ApiKey",
    "BasicAuth",
    "CallDetails",
    "CallNormalization",
    "CallRequester",
    "CallRetriever",
    "CallSchema",
    "CallsSource",
    "CheckedState",
    "DetailsInRecord",
    "DetailsOfCall",
    "DetailsOfSeveral",
    "FanOutRetriever",
    "ForgetGlobalCursor",
    "ListRetriever",
    "ListedCallSchema",
    "ListedCallsRetriever",
    "NextLink",
    "OldestFirstRetriever",
    "OneItemMatches",
    "PageNumbers",
    "PageRecords",
    "PageToken",
    "ParentFields",
    "ParentSlices",
    "RowNormalization",
    "RowSchema",
    "WindowsRetriever",
    "run",
]
