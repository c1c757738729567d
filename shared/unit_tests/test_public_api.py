import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import calls_shared

PACKAGE = Path(calls_shared.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
WINGS = ["error_mapping", "http", "normalization", "protocol", "reading"]
NAMES = [
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
ROOT = PACKAGE.parents[1]
FOLDERS = [*ROOT.glob("source-*-calls"), *ROOT.glob("examples/source-*-calls")]
NAMED = [re.escape(folder.name.split("-")[1]) for folder in FOLDERS]
PROVIDERS = re.compile(rf"{'|'.join(NAMED)}|(?<![a-z])quo(?![a-z])", re.I)


def test_public_names() -> None:
    assert calls_shared.__all__ == NAMES
    assert sorted(calls_shared.__all__) == calls_shared.__all__


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_importable_and_documented(name: str) -> None:
    public = getattr(calls_shared, name)
    assert public.__name__ == name
    assert public.__module__.startswith("calls_shared.")
    assert (public.__doc__ or "").strip()
    assert re.search(rf"^    .*\b{name}\b", calls_shared.__doc__ or "", re.M)


def test_the_docstring_names_nothing_else() -> None:
    rows = re.findall(r"^    (\S+(?:, \S+)*)   ", calls_shared.__doc__ or "", re.M)
    assert sorted(name for row in rows for name in row.split(", ")) == NAMES


def test_every_class_that_a_manifest_names_is_public(manifests: dict[str, object]) -> None:
    examples = (PACKAGE.parents[1] / "examples").glob("source-*-calls/source_*/manifest.yaml")
    texts = [repr(manifests), *(example.read_text(encoding="utf-8") for example in examples)]
    named = set(re.findall(r"'?class_name'?: '?(calls_shared\.\w+)", "".join(texts)))
    assert named == {f"calls_shared.{name}" for name in NAMES if name not in ("CallsSource", "run")}


def test_every_module_can_be_imported_alone_and_says_what_it_is() -> None:
    found = {name for _, name, _ in pkgutil.walk_packages([str(PACKAGE)], "calls_shared.")}
    parts = (module.relative_to(PACKAGE.parent).with_suffix("").parts for module in MODULES)
    named = {".".join(part).removesuffix(".__init__") for part in parts}
    assert found == named - {"calls_shared"}
    for name in sorted(found):
        assert (importlib.import_module(name).__doc__ or "").strip(), name


def test_the_readme_has_each_module_in_one_row() -> None:
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)(?:/`|`[^|]*) \| [^|]+ \| (`.+`) \|$", readme, re.M)
    named = {wing: sorted(re.findall(r"`(\w+)`", row)) for wing, row in rows}
    folders = {"calls_shared": PACKAGE, **{wing: PACKAGE / wing for wing in WINGS}}
    assert named == {
        wing: sorted(module.stem for module in folder.glob("*.py") if module.stem != "__init__")
        for wing, folder in folders.items()
    }


def words_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """All identifiers and text constants of a module with their lines, docstrings left out."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, (str, bytes)) and id(node) not in docstrings:
                yield line, str(node.value)
            continue
        for field in ("id", "attr", "arg", "name", "asname", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield line, value


def test_the_guard_sees_what_it_has_to() -> None:
    source = '''"""Intercom here is fine."""
import skipcall.x as y
quo = 1
def openphone(amplemarket=f"{1} Quo"):
    """Skipcall here too."""
    z.skipcall_y = b"intercom"  # and Quo here
    return quote("status quoted")
'''
    found = [(line, word) for line, word in words_of(ast.parse(source)) if PROVIDERS.search(word)]
    assert sorted(found) == [
        (2, "skipcall.x"),
        (3, "quo"),
        (4, " Quo"),
        (4, "amplemarket"),
        (4, "openphone"),
        (6, "b'intercom'"),
        (6, "skipcall_y"),
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_no_module_names_a_provider(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert [(line, word) for line, word in words_of(tree) if PROVIDERS.search(word)] == []
