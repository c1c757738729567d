"""Examples: `make demo`, and one connector read with PyAirbyte."""
