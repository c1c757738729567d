"""`make bench`: the four connectors beside dlt, a Singer tap and a bare loop, on the sandbox."""
