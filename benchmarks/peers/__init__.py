"""The programs that `make bench` compares with; each one stands alone."""
