"""`make register` when it cannot go on: one sentence, which names what to do, and no secret."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from deploy.client import Call, Client
from deploy.failures import RegisterError, masked
from deploy.settings import Settings, settings_of
from integration_tests.airbyte_platform import (
    CLIENT_ID,
    CLIENT_SECRET,
    DESTINATION_ID,
    WORKSPACE_ID,
    FakePlatform,
    Switches,
)
from integration_tests.connectors import CONNECTORS
from integration_tests.registering import (
    REPOSITORY,
    TAG,
    Registered,
    configure,
    register,
    with_connections,
)
from release.names import prefix_note

ONE = dict(list(CONNECTORS.items())[:1])
(FIRST,) = ONE.values()
IMAGE = f"{REPOSITORY}/{FIRST.name}:{TAG}"
KEY = FIRST.secret_keys[0]
GOOD = {
    "AIRBYTE_URL": "http://localhost:8000",
    "CLIENT_ID": CLIENT_ID,
    "CLIENT_SECRET": CLIENT_SECRET,
    "WORKSPACE_ID": WORKSPACE_ID,
}
ASKED = {**GOOD, "CONNECTIONS": "1", "DESTINATION_ID": DESTINATION_ID, "CONFIGS": "configs"}

Answer = tuple[int, str, str]


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    with FakePlatform() as found:
        yield found


def the_sentence(done: Registered) -> str:
    """The one line that says why it cannot go on."""
    assert done.exit_status == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith((".", '"', "?"))
    assert "Traceback" not in line
    assert CLIENT_SECRET not in done.stdout + done.stderr
    return line


def settings(environment: dict[str, str], **changes: str | None) -> Settings:
    changed = {**environment, **changes}
    return settings_of({key: value for key, value in changed.items() if value is not None}, "1.2.3")


# --- what is asked ---


def test_what_is_asked() -> None:
    asked = settings(GOOD)
    assert (asked.url, asked.repository, asked.tag) == (
        "http://localhost:8000",
        "localhost/airbyte-calls",
        "1.2.3",
    )
    assert asked.connections is None
    assert CLIENT_SECRET not in repr(asked)
    connections = settings(ASKED, SCHEDULE="0 0 */6 * * ? UTC").connections
    assert connections is not None
    assert (connections.destination_id, connections.configs, connections.schedule) == (
        DESTINATION_ID,
        Path("configs"),
        "0 0 */6 * * ?",
    )
    assert not connections.renew_secrets


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:8000/", "http://localhost:8000"),
        ("https://airbyte.example/api/public/v1/", "https://airbyte.example"),
        ("https://airbyte.example/api/v1", "https://airbyte.example"),
        (f"http://x:80/workspaces/{WORKSPACE_ID}/connections", "http://x:80"),
        ("https://tools.example/airbyte", "https://tools.example/airbyte"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_address_may_be_copied_from_anywhere(given: str, url: str) -> None:
    assert settings(GOOD, AIRBYTE_URL=given).url == url


@pytest.mark.parametrize(
    ("repository", "has_host"),
    [
        ("ghcr.io/you", True),
        ("registry:5000/you", True),
        ("localhost/airbyte-calls", True),
        ("you", False),
        ("airbyte-calls/you", False),
    ],
)
def test_the_rule_of_the_registry_prefix(repository: str, has_host: bool) -> None:
    assert (prefix_note(settings(GOOD, REPOSITORY=repository).repository) is None) is has_host


def test_a_repository_without_a_host_is_noted(platform: FakePlatform) -> None:
    done = register(platform, ONE, REPOSITORY="airbyte-calls")
    assert done.exit_status == 0
    assert "Note: airbyte-calls names no registry." in done.stdout
    assert "Note: " not in register(platform, ONE).stdout


@pytest.mark.parametrize("name", sorted(ASKED.keys() - {"CONNECTIONS"}))
def test_a_missing_variable_is_named_with_where_it_is_found(name: str) -> None:
    for missing in (None, "", " "):
        with pytest.raises(RegisterError, match=rf"^{name} is not set: .{{20,}}\.$"):
            settings(ASKED, **{name: missing})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AIRBYTE_URL", "localhost:8000", "not an address that begins with http"),
        ("AIRBYTE_URL", "http://user:word@localhost", "holds no credentials"),
        ("AIRBYTE_URL", "http://localhost:port", "not an address"),
        ("AIRBYTE_URL", "https://api.airbyte.com/v1", "Airbyte Cloud runs no images of others"),
        ("AIRBYTE_URL", "https://cloud.airbyte.com", "Airbyte Cloud runs no images of others"),
        ("CLIENT_ID", "\x1b[36mabc\x1b[0m", "CLIENT_ID holds a character"),
        ("CLIENT_SECRET", "two words", "CLIENT_SECRET holds a character"),
        ("WORKSPACE_ID", "default", "WORKSPACE_ID is not an id of 36 characters: it stands in"),
        ("DESTINATION_ID", "postgres", "DESTINATION_ID is not an id of 36 characters"),
        ("REPOSITORY", "ghcr.io/You", "REPOSITORY 'ghcr.io/You' is not the first part"),
        ("REPOSITORY", "ghcr.io/you/", "REPOSITORY 'ghcr.io/you/'"),
        ("REPOSITORY", "https://ghcr.io/you", "REPOSITORY 'https://ghcr.io/you'"),
        ("TAG", ":latest", "TAG ':latest' is not the tag of an image"),
        ("MEMORY_LIMIT", "2GB", "MEMORY_LIMIT '2GB' is not an amount of memory, such as 2Gi"),
        ("TIMEOUT", "0", "TIMEOUT '0' is not a number of seconds"),
        ("CONNECTIONS", "yes", "CONNECTIONS is 'yes'; set it to 1, or leave it out"),
        ("REMOVE", "1", "REMOVE=1 and CONNECTIONS=1 exclude each other"),
        ("RENEW_SECRETS", "true", "RENEW_SECRETS is 'true'"),
        ("SCHEDULE", "0 */6 * * *", "SCHEDULE '0 */6 * * *' is neither manual nor a Quartz cron"),
        ("SCHEDULE", "* 0 * * * ?", "begins with the seconds"),
        ("SCHEDULE", "hourly", "SCHEDULE 'hourly'"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, sentence: str) -> None:
    with pytest.raises(RegisterError) as caught:
        settings(ASKED, **{name: value})
    assert sentence in str(caught.value)
    assert value == "\x1b[36mabc\x1b[0m" or not any(ord(one) < 32 for one in str(caught.value))


def test_what_is_wrong_is_said_before_anything_is_asked(platform: FakePlatform) -> None:
    assert "WORKSPACE_ID" in the_sentence(register(platform, ONE, WORKSPACE_ID="default"))
    assert platform.log == []


# --- the folder of configurations ---


def test_there_must_be_a_configuration(platform: FakePlatform, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    said = the_sentence(register(platform, ONE, **with_connections(missing)))
    assert said == f"The folder CONFIGS={missing} does not exist."
    said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert f"put {FIRST.provider}.json there" in said
    assert platform.log == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("acme", "{}", "acme.json names no provider: a file is <provider>.json"),
        (f"{FIRST.provider}-", "{}", "names no provider"),
        (f"{FIRST.provider}-North", "{}", "names no provider"),
        (FIRST.provider, "{", f"{FIRST.provider}.json is not JSON in UTF-8, or"),
        (FIRST.provider, "[]", "The configuration must be a JSON object"),
        (FIRST.provider, "{}", f"lacks the key {KEY}"),
        (FIRST.provider, f'{{"{KEY}": "test-key-not-real", "lokback_days": 3}}', "did you mean"),
    ],
)
def test_a_file_that_will_not_do(
    name: str, content: str, sentence: str, platform: FakePlatform, tmp_path: Path
) -> None:
    (tmp_path / f"{name}.json").write_text(content, encoding="utf-8")
    said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert sentence in said
    assert f"{name}.json" in said
    assert "test-key" not in said
    assert platform.log == []


def test_a_file_that_cannot_be_read(platform: FakePlatform, tmp_path: Path) -> None:
    (tmp_path / f"{FIRST.provider}.json").mkdir()
    said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert said.endswith(f"{FIRST.provider}.json cannot be read: Is a directory.")


def test_two_files_of_one_namespace(platform: FakePlatform, tmp_path: Path) -> None:
    configure(tmp_path, FIRST, "north-east")
    configure(tmp_path, FIRST, "north_east")
    said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert f"would write into the namespace {FIRST.provider}_north_east." in said


# --- what the platform answers ---


def test_wrong_credentials(platform: FakePlatform) -> None:
    said = the_sentence(register(platform, ONE, CLIENT_ID="wrong"))
    assert "could not give a token to the application (HTTP 400)" in said
    assert "`abctl local credentials`" in said
    assert 'It said: "Invalid client id or token"' in said


def test_an_application_whose_tokens_are_worth_nothing() -> None:
    """A token once more, and then it is enough."""
    with FakePlatform(Switches(requests_per_token=0)) as platform:
        said = the_sentence(register(platform, ONE))
        assert "could not list the source definitions of the workspace (HTTP 401)" in said
        assert len(platform.tokens) == 2


def test_an_airbyte_without_a_log_in(platform: FakePlatform) -> None:
    with FakePlatform(Switches(has_auth=False)) as open_platform:
        done = register(open_platform, ONE, NO_AUTH="1", CLIENT_ID="", CLIENT_SECRET="")
        assert (done.exit_status, done.lines[-1]) == (0, "Done: 1 changed.")
        said = the_sentence(register(open_platform, ONE))
        assert "could not give a token to the application (HTTP 404)" in said
        assert "set NO_AUTH=1" in said
    said = the_sentence(register(platform, ONE, NO_AUTH="1"))
    assert "leave out NO_AUTH" in said
    assert len(platform.log) == 1


def test_an_unknown_workspace(platform: FakePlatform) -> None:
    unknown = "00000000-0000-4000-8000-0000000000ff"
    said = the_sentence(register(platform, ONE, WORKSPACE_ID=unknown))
    assert "(HTTP 404). WORKSPACE_ID may be no workspace here" in said
    assert f"STANDARD_WORKSPACE: {unknown}" in said


@pytest.mark.parametrize(
    "destination", ["00000000-0000-4000-8000-0000000000ff", "00000000-0000-4000-8000-00000000000d"]
)
def test_a_destination_that_is_not_of_the_workspace(
    destination: str, platform: FakePlatform, tmp_path: Path
) -> None:
    configure(tmp_path, FIRST)
    variables = with_connections(tmp_path, DESTINATION_ID=destination)
    said = the_sentence(register(platform, ONE, **variables))
    assert "DESTINATION_ID is no destination of the workspace" in said
    assert platform.changes == []


def test_airbyte_cloud_takes_no_images() -> None:
    with FakePlatform(Switches(is_cloud=True)) as platform:
        said = the_sentence(register(platform, ONE))
        assert f"could not register {IMAGE} (HTTP 403)" in said
        assert "on Airbyte Cloud nobody may" in said


def test_a_platform_without_a_public_api() -> None:
    with FakePlatform(Switches(has_public_api=False)) as platform:
        said = the_sentence(register(platform, ONE))
        assert "(HTTP 404). AIRBYTE_URL must be the address of Airbyte itself, version 1.0" in said
        assert "<html>" not in said


def test_an_image_that_cannot_be_pulled(platform: FakePlatform) -> None:
    register(platform, ONE)
    image = f"{REPOSITORY}/{FIRST.name}:7.9.0"
    platform.workspace.unpullable = frozenset({image})
    said = the_sentence(register(platform, ONE, TAG="7.9.0"))
    assert f"could not change to {image} (HTTP 500). It runs the image first" in said
    assert f"see that {image} is in the cluster or can be pulled there" in said
    assert f"Get Spec Job failed (imageName={image}" in said


def test_a_destination_that_cannot_deduplicate(platform: FakePlatform, tmp_path: Path) -> None:
    configure(tmp_path, FIRST)
    platform.workspace.destinations[DESTINATION_ID]["modes"] = ["append"]
    said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert "The destination may not offer the mode Incremental | Append + Deduped" in said
    assert "Cannot set sync mode to incremental_deduped_history for stream calls" in said


def test_what_an_image_of_another_version_wants(platform: FakePlatform, tmp_path: Path) -> None:
    """The platform's sentence about the configuration, without the schema and the secret in it."""
    configure(tmp_path, FIRST)
    register(platform, ONE)
    specification = platform.workspace.specifications[IMAGE]["connectionSpecification"]
    specification["properties"] = {KEY: {"type": "integer", "airbyte_secret": True}}
    said = the_sentence(register(platform, ONE, **with_connections(tmp_path)))
    assert "The configuration may not be what the connector of this TAG wants" in said
    assert "'****' is not of type 'integer'" in said
    assert "Schema" not in said
    assert str(FIRST.sample("sample_config.json")[KEY]) not in said


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((200, "text/html", "<html>Log in</html>"), "answered to /api/v1/source_definitions"),
        ((200, "application/json", "[]"), "its answer is no object: it may be older than 1.0"),
        ((302, "text/html", ""), "sends us elsewhere (HTTP 302), and a token must not follow."),
        ((403, "application/json", "{}"), "lacks the role of an editor or admin"),
        ((502, "text/html", "<html>Bad Gateway</html>"), "(HTTP 502)."),
        ((418, "application/json", '{"message": "I am\\u001b[31m\\na pot"}'), '"I am [31m"'),
        ((400, "application/json", '{"detail": "' + "x" * 999 + '"}'), "x…"),
    ],
)
def test_odd_answers(answer: Answer, sentence: str) -> None:
    def instead(_: str, path: str) -> Answer | None:
        return answer if path.startswith("/api/v1/") else None

    with FakePlatform(Switches(instead=instead)) as platform:
        said = the_sentence(register(platform, ONE))
    assert sentence in said
    assert len(said) < 700
    assert "<html>" not in said


@pytest.mark.parametrize(
    "answer", [(200, "text/html", "<html></html>"), (200, "application/json", '{"token": 1}')]
)
def test_something_else_than_a_token(answer: Answer) -> None:
    def instead(_: str, path: str) -> Answer | None:
        return answer if path.endswith("/token") else None

    with FakePlatform(Switches(instead=instead)) as platform:
        said = the_sentence(register(platform, ONE))
    assert "AIRBYTE_URL" in said
    assert ("Airbyte itself" in said) or ("answer lacks access_token" in said)


# --- the network ---


def test_nobody_listens(platform: FakePlatform) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    said = the_sentence(register(platform, ONE, AIRBYTE_URL=url))
    assert said.startswith(f"{url} cannot be reached. Check AIRBYTE_URL")


def served(answer: Callable[[socket.socket], None]) -> str:
    """The address of a server that does this with its first connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(65536)
            answer(connection)

    Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_answer_that_is_cut_short(platform: FakePlatform) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    url = served(lambda connection: connection.sendall(head))
    assert "cannot be reached" in the_sentence(register(platform, ONE, AIRBYTE_URL=url))


def test_no_answer_in_time(platform: FakePlatform) -> None:
    def wait(connection: socket.socket) -> None:
        while connection.recv(65536):  # until the client hangs up
            pass

    url = served(wait)
    said = the_sentence(register(platform, ONE, AIRBYTE_URL=url, TIMEOUT="0.2"))
    assert "did not give a token to the application within 0.2 s." in said
    assert "run the command again" in said


def test_a_server_that_speaks_no_tls(platform: FakePlatform) -> None:
    url = served(lambda connection: connection.sendall(b"no\n")).replace("http", "https")
    said = the_sentence(register(platform, ONE, AIRBYTE_URL=url))
    assert said.startswith(f"The certificate of {url} is not trusted here.")


def test_a_netrc_does_not_take_the_place_of_the_token(
    platform: FakePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password word\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    assert urlsplit(platform.url).hostname == "127.0.0.1"
    assert register(platform, ONE).exit_status == 0


def test_no_message_quotes_a_secret() -> None:
    """A platform that repeats what it was sent, in any encoding, and its own token too."""

    def instead(_: str, path: str) -> Answer | None:
        said = f'{{"message": "{CLIENT_SECRET} test-token-0-not-real test-key-not-real c2VjcmV0"}}'
        return (400, "application/json", said) if path == "/odd" else None

    with FakePlatform(Switches(instead=instead)) as platform:
        secrets = frozenset({"test-key-not-real", "secret"})
        client = Client(platform.url, CLIENT_ID, CLIENT_SECRET, secrets)
        with pytest.raises(RegisterError) as caught:
            client.send(Call("GET", "/odd", "do it"))
    assert str(caught.value) == (
        'The platform could not do it (HTTP 400). It said: "**** **** **** ****"'
    )
    assert masked("a%2Fb a/b", ["a/b", ""]) == "**** ****"
