"""One request: budget, patience, transport, credential."""
