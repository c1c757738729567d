"""The plan of the house: the arrows between the wings, the quick checks, what is written of it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from integration_tests import lint_manifests
from integration_tests.connectors import CONNECTORS, ROOT

BIN = Path(sys.executable).parent
DOCUMENTS = ("CONTRIBUTING.md", "AGENTS.md", "docs/adding-a-provider.md")


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def lint_imports(root: Path) -> tuple[int, str]:
    """Run the contract on the `calls_shared` of a checkout."""
    done = subprocess.run(
        [str(BIN / "lint-imports"), "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package and its contract."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        ROOT / "shared" / "calls_shared", tmp_path / "shared/calls_shared", ignore=ignored
    )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_the_arrows_between_the_wings_run_one_way(house: Path) -> None:
    for root in (ROOT, house):
        status, said = lint_imports(root)
        assert status == 0, said
        assert "1 kept, 0 broken" in said


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("normalization/words.py", "calls_shared.protocol.files"),
        ("error_mapping/body.py", "calls_shared.http.rate"),
        ("http/rate.py", "calls_shared.reading.moments"),
        ("quoting.py", "calls_shared.normalization.words"),
        ("paths.py", "calls_shared.report"),
    ],
)
def test_an_upward_import_breaks_the_contract(module: str, imported: str, house: Path) -> None:
    file = house / "shared" / "calls_shared" / module
    file.write_text(f"{file.read_text(encoding='utf-8')}\nimport {imported}\n", encoding="utf-8")

    status, said = lint_imports(house)

    assert status == 1
    name = module.removesuffix(".py").replace("/", ".")
    assert re.search(rf"calls_shared\.{re.escape(name)}\s*->\s*{re.escape(imported)}", said), said


def test_a_module_outside_of_the_wings_breaks_the_contract(house: Path) -> None:
    (house / "shared" / "calls_shared" / "helpers.py").write_text('"""More."""\n', encoding="utf-8")
    assert lint_imports(house)[0] == 1


def test_lint_manifests_prints_each_problem_with_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = CONNECTORS["skipcall"].manifest.read_text(encoding="utf-8")
    typo, unreadable = tmp_path / "typo.yaml", tmp_path / "unreadable.yaml"
    typo.write_text(manifest.replace("error_rows:", "error_row:"), encoding="utf-8")
    unreadable.write_text("a: [", encoding="utf-8")

    assert lint_manifests.main([]) == 0
    assert capsys.readouterr().out == ""
    assert lint_manifests.main([str(typo), str(unreadable), str(tmp_path / "none.yaml")]) == 1

    first, *_, last_but_one, last = capsys.readouterr().out.splitlines()
    assert first == (
        f"{typo}: streams[0].retriever.requester.error_row is not known to"
        " calls_shared.CallRequester"
    )
    assert last_but_one.startswith(f"{unreadable}: it cannot be read: ")
    assert last.startswith(f"{tmp_path / 'none.yaml'}: it cannot be read: ")


def test_each_hook_before_a_commit_is_local_and_passes() -> None:
    (repository,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    assert [hook["id"] for hook in repository["hooks"]] == [
        "ruff",
        "format",
        "lint-imports",
        "lint-manifests",
    ]
    for hook in repository["hooks"]:
        program, *words = hook["entry"].split()
        assert program.startswith(".venv/bin/")
        files = [] if hook.get("pass_filenames") is False else ["integration_tests/connectors.py"]
        command = [str(BIN / Path(program).name), *words, *files]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_make_lint_runs_what_the_hooks_run() -> None:
    asked = ["make", "--dry-run", "lint", "lint-manifests"]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in ("ruff check .", "ruff format --check .", "lint-imports", "lint_manifests"):
        assert command in said


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_names_is_there(document: str) -> None:
    text = text_of(document)
    folder = (ROOT / document).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (folder / link).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", text))
    assert named
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_pytest_commands_of_a_document_find_tests(document: str) -> None:
    commands = re.findall(r"`\.venv/bin/python -m (pytest [^`]+)`", text_of(document))
    for command in commands:
        if "FILE" in command or "acme" in command:
            continue
        words = [sys.executable, "-m", *command.split(), "--collect-only", "-q"]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_plan_is_that_of_the_contract() -> None:
    layers = re.findall(r"^    (\w[\w |]*)$", text_of(".importlinter"), flags=re.MULTILINE)
    (plan,) = re.findall(r"```text\n(.*?)```", text_of("CONTRIBUTING.md"), flags=re.DOTALL)
    drawn = re.findall(r"^   (\w+(?:, \w+)*) ", plan, flags=re.MULTILINE)
    assert drawn == [layer.replace(" | ", ", ") for layer in layers]


def test_each_decision_is_listed() -> None:
    files = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert re.findall(r"docs/decisions/(\S+\.md)", text_of("CONTRIBUTING.md")) == files
    assert [file[:4] for file in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
