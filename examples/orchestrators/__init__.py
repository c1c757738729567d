"""Definitions for orchestrators, to start from; `docs/orchestrators.md` shows them."""
