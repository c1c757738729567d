"""Settings of the tests that cross packages."""
