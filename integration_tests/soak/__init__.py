"""Long runs at the sizes of large customers, not part of the tests."""
