"""Tests that cross packages, and the sandbox that they run against."""
