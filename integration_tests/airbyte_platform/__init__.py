"""A fake of an Airbyte platform, on a real socket: what `make register` and orchestrators ask.

It checks method, path, token, content type and body as the platform does, holds definitions,
sources, connections and destinations of one workspace, and gives lists in pages. In one thing it
is stricter: a key that a body does not have is refused; the platform would ignore it.

    schemas       the bodies, as in the platform's `config.yaml` and `api_documentation_*.yaml`
    refusals      the errors, in the form of either API
    workspace     what there is
    config_api    `/api/v1`: source definitions, as `SourceDefinitionsHandler` answers, and one
                  connection in whole
    public_api    `/api/public/v1`, as `SourcesController` and `ConnectionsController` answer
    jobs          `/api/public/v1/jobs`, as `JobsController` answers
    streams       which streams a connection may have, as `AirbyteCatalogHelper` says
    routes        which call is answered by what
    server        HTTP, tokens, and the log of requests
"""

from integration_tests.airbyte_platform.server import FakePlatform, Switches
from integration_tests.airbyte_platform.workspace import (
    CLIENT_ID,
    CLIENT_SECRET,
    DESTINATION_ID,
    WORKSPACE_ID,
)

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "DESTINATION_ID",
    "WORKSPACE_ID",
    "FakePlatform",
    "Switches",
]
