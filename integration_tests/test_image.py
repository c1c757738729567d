"""Images: the Dockerfile against the platform's contract, and the parts of `make image-test`.

That an image does what it should is proved by `make image-test`, which needs an engine.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration_tests.airbyte_platform import FakePlatform
from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.image.base import MADE, base_for, import_commands, mirror_of, usual_base
from integration_tests.image.container import START, START_AND_END, Container, Job
from integration_tests.image.figures import Figures, Later, table
from integration_tests.image.inspection import (
    ImageConfig,
    config_faults,
    config_from,
    facts_faults,
    facts_of,
    tree_changes,
    tree_script,
)
from integration_tests.image.proofs import differences, lacking
from integration_tests.registering import register
from integration_tests.versions import current_version
from release import ReleaseError, images
from release.engines import Build, Engine, build_command, working_engine
from release.images import chosen, image_of, main, secrets_of
from release.pip_settings import PipSettings, settings_of

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SKIPCALL = CONNECTORS["skipcall"]

# The Dockerfile


def instructions() -> list[tuple[str, str]]:
    """The instructions and their arguments, each on one line."""
    text = re.sub(r"(?m)^#.*\n", "", DOCKERFILE).replace("\\\n", " ")
    lines = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [(name, re.sub(r"\s+", " ", rest).strip()) for name, _, rest in lines]


def last_stage() -> dict[str, list[str]]:
    """The arguments of the last stage's instructions."""
    found: dict[str, list[str]] = {}
    for name, rest in instructions():
        found = {} if name == "FROM" else found
        found.setdefault(name, []).append(rest)
    return found


def test_the_image_is_started_as_the_platform_starts_it() -> None:
    stage = last_stage()

    (entrypoint,) = json.loads(stage["ENTRYPOINT"][0])
    (environment,) = stage["ENV"]
    assert f"AIRBYTE_ENTRYPOINT={entrypoint} " in environment
    assert Path(entrypoint).is_absolute()
    assert stage["USER"] == ["1000:1000"]
    assert stage["WORKDIR"] == ["/airbyte"]
    assert "--from=connector --chown=1000:1000 /airbyte /airbyte" in stage["COPY"]


def test_the_labels_name_what_the_metadata_name() -> None:
    stage = last_stage()
    labels = dict(one.split("=") for one in stage["LABEL"][0].split())

    assert stage["ARG"] == ["CONNECTOR", f"VERSION={current_version()}"]
    for connector in CONNECTORS.values():
        values = {"${CONNECTOR}": connector.name, "${VERSION}": current_version()}
        said = dict(labels)
        for variable, value in values.items():
            said = {label: text.replace(variable, value) for label, text in said.items()}
        config = ImageConfig(("/e",), {"AIRBYTE_ENTRYPOINT": "/e"}, said, "1000:1000", "/airbyte")
        assert [*config_faults(config, connector)] == []


def test_packages_are_those_of_the_lock_and_come_from_where_the_machine_says() -> None:
    commands = [rest for name, rest in instructions() if name == "RUN"]
    installs = [one for one in commands if " install " in one]
    assert len(installs) == 2
    assert "--require-hashes --requirement /packages/runtime.lock" in installs[0]
    assert "--no-index --find-links /packages" in installs[1]
    assert all("--no-deps" in one for one in installs)
    assert installs[1].endswith(" check")
    assert re.findall(r"(?i)https?://|index-url|pypi", DOCKERFILE) == []
    assert [rest for name, rest in instructions() if name == "ARG"] == [
        f"BASE={usual_base(DOCKERFILE)}",
        "SOURCE_DATE_EPOCH",
        "CONNECTOR",
        "CONNECTOR",
        f"VERSION={current_version()}",
    ]


def test_no_layer_of_an_earlier_build_with_another_date_is_taken() -> None:
    """An engine looks for a layer by its contents, so the first that is copied holds the date."""
    stages = re.split(r"(?m)^FROM ", DOCKERFILE)
    (dependencies,) = [one for one in stages if re.match(r"\S+ AS dependencies\n", one)]
    written = re.findall(r'echo "\$\{SOURCE_DATE_EPOCH\}" > (\S+)', dependencies)
    before_it, _, _ = dependencies.partition("RUN ")

    assert "\nARG SOURCE_DATE_EPOCH\n" in before_it
    source, target = last_stage()["COPY"][0].removeprefix("--from=dependencies ").split()
    assert source == target == str(Path(*written).parent)


def test_the_base_is_pinned_and_has_a_shell() -> None:
    pinned = r"docker\.io/library/python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}"
    assert re.fullmatch(pinned, usual_base(DOCKERFILE))


def test_only_what_the_image_is_made_of_goes_to_the_engine() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line for line in lines if line and not line.startswith("#")]
    copies = [rest.split()[:-1] for name, rest in instructions() if name == "COPY"]
    copied = [source for words in copies if "--from" not in words[0] for source in words]

    assert allowed == ["*", *(f"!{source}" for source in copied)]


# The engine


def answers(**statuses: int | str) -> Any:
    """Stands for the machine: a program answers with a text, or fails with a status."""

    def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        answer = statuses.get(command[0], 127)
        status, text = (0, answer) if isinstance(answer, str) else (answer, "")
        return subprocess.CompletedProcess(list(command), status, text, "")

    return run


BARE_BUILDAH = json.dumps({"host": {"OCIRuntime": ""}})


def test_a_client_without_an_engine_is_passed_over() -> None:
    runtime = json.dumps({"host": {"OCIRuntime": "crun"}})

    assert working_engine(answers(docker="28.2", podman="{}")) == Engine("docker")
    assert working_engine(answers(docker=1, podman="{}")) == Engine("podman")
    assert working_engine(answers(docker=1, buildah=runtime)) == Engine("buildah")
    bare = Engine("buildah", ("--isolation", "chroot"))
    assert working_engine(answers(docker=1, podman=125, buildah=BARE_BUILDAH)) == bare
    everything = answers(docker="28.2", podman="{}", buildah=BARE_BUILDAH)
    assert working_engine(everything, "buildah") == bare


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("", "No image can be built here: neither docker .* nor podman nor buildah works; start"),
        ("podman", "podman does not work here; see what `podman info` says"),
        ("kaniko", "ENGINE may be docker, podman, buildah; 'kaniko' is none of them"),
    ],
)
def test_no_engine_is_said_in_a_sentence(asked: str, said: str) -> None:
    with pytest.raises(ReleaseError, match=said):
        working_engine(answers(docker=1), asked)


BUILD = Build("source-skipcall-calls", "7.8.9", "host.example/it:7.8.9", 86400)


def test_the_command_line_of_each_engine() -> None:
    bare = Engine("buildah", ("--isolation", "chroot"))
    full = replace(
        BUILD,
        base="a-base",
        platform="linux/amd64",
        secrets=(("pip.conf", Path("/s/pip.conf")),),
        folders=(Path("/wheels"),),
        is_fresh=True,
    )

    assert build_command(Engine("docker"), BUILD, Path("/here")) == [
        *("docker", "build", "--build-arg", "SOURCE_DATE_EPOCH=86400"),
        *("--build-arg", "CONNECTOR=source-skipcall-calls", "--build-arg", "VERSION=7.8.9"),
        *("--tag", "host.example/it:7.8.9", "/here"),
    ]
    assert build_command(bare, full, Path("/here")) == [
        *("buildah", "build", "--isolation", "chroot", "--build-arg", "SOURCE_DATE_EPOCH=86400"),
        *("--layers", "--timestamp", "86400"),
        *("--no-cache", "--platform", "linux/amd64", "--secret", "id=pip.conf,src=/s/pip.conf"),
        *("--volume", "/wheels:/wheels:ro"),
        *("--build-arg", "CONNECTOR=source-skipcall-calls", "--build-arg", "VERSION=7.8.9"),
        *("--build-arg", "BASE=a-base", "--tag", "host.example/it:7.8.9", "/here"),
    ]
    with pytest.raises(ReleaseError, match=r"packages from /wheels here, .* docker cannot see"):
        build_command(Engine("docker"), full, Path("/here"))


def test_the_names_of_images() -> None:
    version = current_version()
    assert image_of("source-a-calls") == f"localhost/airbyte-calls/source-a-calls:{version}"
    assert image_of("source-a-calls", "ghcr.io/you", "1") == "ghcr.io/you/source-a-calls:1"
    assert chosen("") == [one.name for one in CONNECTORS.values()]
    assert chosen("source-skipcall-calls") == ["source-skipcall-calls"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPOSITORY", "GHCR.io/You"),
        ("REPOSITORY", "a b"),
        ("REPOSITORY", "ghcr.io/you/"),
        ("TAG", "-x"),
        ("TAG", "x'; touch broken-in; '"),
    ],
)
def test_images_and_register_refuse_a_name_in_the_same_words(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv(name, value)
    assert main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{name} {value!r} is not the ")
    with FakePlatform() as platform:
        assert register(platform, **{name: value}).stderr == said
    # as Make hands it on, from an empty folder: the quote in it ends no word of the shell
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\nimages: ")[1].split("\n\n")[0].split("\n", 1)[1]
    python = f"@cd {ROOT} && {sys.executable} -m"
    text = f"images:\n{recipe.replace('@$(BIN)/python -m', python)}\n"
    (tmp_path / "Makefile").write_text(text, encoding="utf-8")
    monkeypatch.delenv(name)
    command = ["make", "--no-print-directory", "images", f"{name}={value}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[0] == said.rstrip()
    assert not list(ROOT.glob("broken-in"))


def test_images_tell_the_rule_of_the_prefix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = list[str]()
    monkeypatch.setattr(images, "working_engine", lambda asked: Engine("docker"))
    monkeypatch.setattr(images, "build_images", lambda _, names, **__: built.extend(names.values()))
    assert main(["--repository", "you", "--tag", "1"]) == 0
    assert "Note: you names no registry." in capsys.readouterr().out
    assert built == [f"you/{one.name}:1" for one in CONNECTORS.values()]
    assert main(["--repository", "ghcr.io/you"]) == 0
    assert capsys.readouterr().out == ""


def test_a_connector_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--connector", "source-acme-calls"]) == 1

    said = capsys.readouterr().err
    assert said.startswith("There is no connector 'source-acme-calls'; choose of source-")
    assert said.count("\n") == 1


# Where packages come from


def test_what_pip_is_told_here_goes_into_a_build(tmp_path: Path) -> None:
    index, wheels = tmp_path / "index" / "simple", tmp_path / "wheels"
    for folder in (index, wheels):
        folder.mkdir(parents=True)
    listed = f"""\
:env:.find-links='{wheels} https://wheels.example/a'
:env:.require-virtualenv='1'
global.cert='/etc/ca.pem'
global.constraint='/etc/constraints.txt'
global.extra-index-url='\\nhttps://user:made-up@other.example/simple\\nfile://{index}'
global.find-links='/not/used'
global.index-url='https://global.example/simple'
install.index-url='https://install.example/simple'
wheel.index-url='https://wheel.example/simple'
"""

    found = settings_of(listed)

    assert found.text.splitlines() == [
        "[global]",
        "index-url = https://install.example/simple",
        f"extra-index-url = https://user:made-up@other.example/simple file://{index}",
        f"find-links = {wheels} https://wheels.example/a",
        "cert = /run/ca.pem",
    ]
    assert found.certificate == Path("/etc/ca.pem")
    assert found.folders == (tmp_path / "index", wheels)
    assert settings_of("") == PipSettings("", None, ())


def test_settings_of_pip_are_in_a_file_of_ours_for_as_long_as_the_build_lasts() -> None:
    settings = PipSettings("[global]\nproxy = made-up\n", Path("/etc/ca.pem"), ())

    with secrets_of(settings) as secrets:
        (_, file), certificate = secrets
        assert secrets[0][0] == "pip.conf"
        assert certificate == ("ca.pem", Path("/etc/ca.pem"))
        assert file.read_text(encoding="utf-8") == settings.text
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not file.exists()
    with secrets_of(PipSettings("", None, ())) as secrets:
        assert secrets == ()


# The base that is made


def test_the_base_that_is_asked_for_or_can_be_pulled_is_taken() -> None:
    buildah = Engine("buildah")
    assert base_for(buildah, "mine", answers()) == "mine"
    assert base_for(buildah, "", answers(buildah="")) == usual_base(DOCKERFILE)


def test_a_base_is_made_only_with_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ReleaseError, match=r"cannot be pulled here, and debootstrap, .* BASE="):
        base_for(Engine("podman"), "", answers())


def test_the_mirror_is_that_of_apt() -> None:
    listed = """\
bookworm-security main http://security.example/debian/
bookworm contrib http://contrib.example/debian/
bookworm main http://main.example/debian/
"""
    assert mirror_of("bookworm", listed) == "http://main.example/debian/"
    assert mirror_of("trixie", listed) == ""


def test_an_image_is_made_of_a_tree() -> None:
    tree = Path("/there/base")
    (packed, imported) = import_commands(Engine("docker"), tree)
    assert packed[:4] == ["tar", "--create", "--file", "/there/base.tar"]
    assert imported == ["docker", "import", "/there/base.tar", MADE]
    assert import_commands(Engine("buildah"), tree)[-1][-1] == MADE


# What is asked of an image

GOOD = ImageConfig(
    ("/opt/it",),
    {"AIRBYTE_ENTRYPOINT": "/opt/it"},
    {
        "io.airbyte.name": "airbyte-calls/source-skipcall-calls",
        "io.airbyte.version": current_version(),
    },
    "1000:1000",
    "/airbyte",
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"user": "airbyte"}, ["The user is 'airbyte', not 1000:1000."]),
        ({"folder": "/"}, ["The working directory is '/', not /airbyte."]),
        ({"entrypoint": ("python", "it")}, ["AIRBYTE_ENTRYPOINT is '/opt/it', the entrypoint ['p"]),
        (
            {"entrypoint": ("it",), "environment": {"AIRBYTE_ENTRYPOINT": "it"}},
            ["AIRBYTE_ENTRYPOINT is 'it', which is no absolute path."],
        ),
        (
            {"labels": {"io.airbyte.version": "1"}},
            ["The label io.airbyte.name is None, not ", "The label io.airbyte.version is '1', not"],
        ),
    ],
)
def test_what_an_image_says_of_itself(change: dict[str, Any], said: list[str]) -> None:
    found = [*config_faults(replace(GOOD, **change), SKIPCALL)]

    assert len(found) == len(said)
    assert [one for one, begin in zip(found, said, strict=True) if not one.startswith(begin)] == []


def test_every_engine_says_it_in_its_own_form() -> None:
    config = {
        "User": "1000:1000",
        "Env": ["PATH=/bin", "A=b=c"],
        "Entrypoint": ["/it"],
        "WorkingDir": "/airbyte",
        "Labels": None,
    }
    expected = ImageConfig(("/it",), {"PATH": "/bin", "A": "b=c"}, {}, "1000:1000", "/airbyte")

    assert config_from({"OCIv1": {"config": config}, "Config": "text"}) == expected
    assert config_from({"Config": config}) == expected


def test_what_a_container_holds() -> None:
    tools = "tool=sh\ntool=sleep\ntool=kill\ntool=mv\ntool=touch\n"
    good = f"user=1000:1000\n{tools}writable=/airbyte\nexecutable=/it\nnoise\n"

    assert [*facts_faults(facts_of(good))] == []
    assert [*facts_faults(facts_of(good.replace("tool=mv\n", "")))] == ["There is no mv."]
    assert [*facts_faults(facts_of(good.replace("1000:1000", "0:0")))] == [
        "Commands run as ['0:0'], not as 1000:1000."
    ]
    assert len([*facts_faults({})]) == 1 + 5 + 2


# How a command is run there


def test_a_command_is_run_in_a_shell_with_its_files() -> None:
    folder, variables = Path("/f"), {"URL": "http://127.0.0.1:1"}
    shared = ["--network", "host", "--env", "URL=http://127.0.0.1:1", "--volume", "/f:/source"]

    podman = Container(Engine("podman"), "image").command("script", folder, variables)
    assert podman == [
        *("podman", "run", "--rm", *shared, "--workdir", "/source"),
        *("--entrypoint", "sh", "image", "-c", "script"),
    ]
    bare = Engine("buildah", ("--isolation", "chroot"))
    assert Container(bare, "container").command("script", folder, variables) == [
        *("buildah", "run", "--isolation", "chroot", *shared, "--workingdir", "/source"),
        *("container", "--", "sh", "-c", "script"),
    ]


def job(folder: Path) -> Job:
    return Job(folder / "job", "read", {"state": [], "config": {"a": 1}, "catalog": {}})


def shell(script: str, of: Job, entrypoint: str) -> None:
    """Run a script of a container here; its `/source` is the job's folder."""
    text = script.format(arguments=of.arguments).replace("/source", str(of.folder))
    subprocess.run(
        ["sh", "-c", text],
        env={"PATH": "/usr/bin:/bin", "AIRBYTE_ENTRYPOINT": entrypoint},
        check=False,
    )


def test_a_command_gets_the_words_that_the_platform_gives(tmp_path: Path) -> None:
    prepared = job(tmp_path)
    prepared.prepare()

    shell(START, prepared, 'sh -c \'echo "$@"; cat "$3"; echo no >&2; exit 3\' it')

    ran = prepared.ran()
    words = "read --config /source/config.json --catalog /source/catalog.json --state /source/state"
    assert prepared.arguments == f"{words}.json"
    shown = ran.outcome.stdout.replace(str(prepared.folder), "/source")
    assert shown == f'{words}.json\n{{"a": 1}}'
    assert (ran.outcome.exit_status, ran.outcome.stderr) == (3, "no\n")
    assert ran.seconds > 0


def test_the_connector_itself_is_told_to_end(tmp_path: Path) -> None:
    program = tmp_path / "it"
    program.write_text("#!/bin/sh\ntrap 'echo told; exit 9' TERM\nwhile true; do sleep 0.1; done\n")
    program.chmod(0o755)
    prepared = job(tmp_path)
    prepared.prepare()
    (prepared.folder / "end").touch()

    shell(START_AND_END.replace("began=", "sleep 1; began="), prepared, str(program))

    outcome = prepared.ran().outcome
    assert (outcome.exit_status, outcome.stdout) == (9, "told\n")


def test_what_was_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("as it is")
    (tmp_path / "changed").write_text("a")
    (tmp_path / "gone").touch()
    trees = []
    for name in ("before", "after"):
        script = tree_script(name).replace("find / ", f"find {tmp_path} ")
        subprocess.run(["sh", "-c", script.replace("/source/", f"{tmp_path}-")], check=True)
        trees.append(Path(f"{tmp_path}-{name}").read_text(encoding="utf-8"))
        (tmp_path / "changed").write_text("b")
        (tmp_path / "gone").unlink(missing_ok=True)
        (tmp_path / "new").touch()

    assert tree_changes(*trees) == [
        str(tmp_path),
        *(str(tmp_path / name) for name in ("changed", "gone", "new")),
    ]
    assert tree_changes(trees[0], trees[0]) == []


def test_calls_are_compared_by_all_their_columns() -> None:
    truth = {"1": {"id": "1", "status": "busy"}, "2": {"id": "2"}}

    assert differences(truth, truth) == []
    held = {"1": {"id": "1", "status": "completed", "notes": "n"}, "3": {"id": "3"}}
    assert differences(held, truth) == [
        "2 is missing.",
        "3 is not listed.",
        "1 differs in notes, status.",
    ]
    assert lacking(held, truth) == ["2 is missing.", "1 differs in notes, status."]


def test_the_table_of_what_was_measured() -> None:
    figures = Figures("source-a-calls", 393.4, 218, 1.04, 1.1, 1.2, 2.25, 400, Later(137, 96, 0.03))

    assert [line.split("  ") for line in table([figures]).splitlines()][1][0] == "source-a-calls"
    assert re.sub(r"  +", "|", table([figures]).splitlines()[1]) == (
        "source-a-calls|393|218|1.0|1.1|1.2|400 in 2.2|137|0.0 after 96"
    )
    assert replace(figures, later=None).cells[-2:] == ("–", "–")
