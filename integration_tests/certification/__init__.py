"""`make certify`: Airbyte's own checks of connectors, on ours; `docs/certification.md` explains it.

`layout` makes a tree that looks to the checks like Airbyte's repository. `airbyte_checks` runs them
in such a tree; it is the one module that imports Airbyte's package. `expectations` reads what
`docs/certification.md` says of checks that cannot pass, and `verdicts` holds the results beside it.
"""
