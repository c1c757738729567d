"""`make certify`: Airbyte's own checks of connectors, on ours; `docs/certification.md` explains it.

    layout          a tree that looks to the checks like Airbyte's repository
    airbyte_checks  runs the checks in such a tree; the one module that imports Airbyte's package
    expectations    what `docs/certification.md` says of checks that cannot pass
    verdicts        what the results mean beside those expectations, as a table
"""
