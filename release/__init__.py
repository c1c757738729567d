"""What leaves the checkout: packages (`make dist`) and images (`make images`)."""


class ReleaseError(Exception):
    """Nothing was built, or not all; the text is one sentence for the user."""
