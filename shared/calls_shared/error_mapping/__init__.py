"""What an answer means: its body, its envelope, the table of errors."""
