"""Mutants of the check of a manifest, and of what a manifest says about requests and slices."""

from integration_tests.mutant import SHARED, UNIT, Mutant

CHECK = f"{SHARED}/protocol/manifest_check.py"
CHECKED = (f"{UNIT}/protocol/test_manifest_check.py",)
REQUESTER = f"{SHARED}/http/requester.py"
REQUESTED = (f"{UNIT}/http/test_requester.py",)

MUTANTS_OF_MANIFESTS: tuple[Mutant, ...] = (
    Mutant(
        "a manifest is not checked when it is loaded",
        f"{SHARED}/protocol/source.py",
        "return checked(manifest_of(sys.modules[type(self).__module__]))",
        "return manifest_of(sys.modules[type(self).__module__])",
        CHECKED,
    ),
    Mutant(
        "a check with a mistyped manifest ends with a trace",
        f"{SHARED}/protocol/entrypoint.py",
        "(is_answered or isinstance(failure, ManifestError))",
        "is_answered",
        CHECKED,
    ),
    Mutant(
        "a mistyped key of a component is taken",
        CHECK,
        "        if key not in known | _OF_ANY:\n",
        "        if key not in known | _OF_ANY | set(node):\n",
        ("integration_tests/test_manifests.py",),
    ),
    Mutant(
        "a mistyped parameter is taken",
        CHECK,
        "        if name not in understood:\n",
        "        if not name:\n",
        CHECKED,
    ),
    Mutant(
        "what is left over in the definitions is not told",
        CHECK,
        'for name in manifest.get("definitions", {}).keys() - referenced:',
        "for name in ():",
        CHECKED,
    ),
    Mutant(
        "a key below a part of a component is taken as it is",
        f"{SHARED}/keys.py",
        "if self.known is not None and key not in self.known:",
        "if self.known == frozenset() and key not in self.known:",
        CHECKED,
    ),
    Mutant(
        "a mistyped word of a schema is taken",
        f"{SHARED}/keys.py",
        "        for word in node.keys() - _SCHEMA_WORDS:\n",
        "        for word in ():\n",
        CHECKED,
    ),
    Mutant(
        "what a component finds wrong with its values is not told",
        CHECK,
        '                yield f"{place}: {error}"\n',
        "                pass\n",
        CHECKED,
    ),
    Mutant(
        "slices need not carry a failure of their parents",
        f"{SHARED}/reading/parent_slices.py",
        'require_carried(node, [node["cursor_at"], deferred.FIELD])',
        'require_carried(node, [node["cursor_at"]])',
        CHECKED,
    ),
    Mutant(
        "slices need not carry the users",
        f"{SHARED}/reading/fan_out.py",
        'named = ("values_in_slice", "group_in_slice", "group_named_by")',
        'named = ("group_in_slice", "group_named_by")',
        CHECKED,
    ),
    Mutant(
        "a slice does not raise the failure that it carries",
        f"{SHARED}/reading/deferred.py",
        "        raise found.cause\n",
        "        return\n",
        (f"{UNIT}/reading/test_fan_out.py",),
    ),
    Mutant(
        "a request goes out without the parameter that names its slice",
        REQUESTER,
        "        self._refuse_empty(parameters)\n",
        "",
        REQUESTED,
    ),
    Mutant(
        "a null in a slice is sent as the text None",
        REQUESTER,
        'in (None, "", "None"):',
        'in (None, ""):',
        REQUESTED,
    ),
    Mutant(
        "no parameter is optional",
        REQUESTER,
        "_that_name_the_slice(self.request_parameters) - {*self.optional_parameters}",
        "_that_name_the_slice(self.request_parameters)",
        REQUESTED,
    ),
    Mutant(
        "of a key that stands twice the last one counts",
        f"{SHARED}/protocol/manifest.py",
        "            if names.count(name) > 1:\n",
        "            if names.count(name) > 2:\n",
        CHECKED,
    ),
    Mutant(
        "a value of a wrong type ends as an unexpected error",
        CHECK,
        "    except Exception as error:  # a value",
        "    except ManifestError as error:  # a value",
        CHECKED,
    ),
    Mutant(
        "a credential need not be a secret",
        CHECK,
        'if not specification["properties"][key].get("airbyte_secret"):',
        'if not specification["properties"][key]:',
        CHECKED,
    ),
    Mutant(
        "a check may name any stream",
        CHECK,
        "        if name not in names:\n",
        "        if not name:\n",
        CHECKED,
    ),
    Mutant(
        "a rate may allow no request",
        f"{SHARED}/http/rate.py",
        "isinstance(number, (int, float)) and number > 0",
        "isinstance(number, (int, float))",
        CHECKED,
    ),
    Mutant(
        "a sentence may have anything in braces",
        f"{SHARED}/error_mapping/errors.py",
        'self.message.format(**dict.fromkeys(FILLED, ""))',
        "str(self.message)",
        CHECKED,
    ),
)
