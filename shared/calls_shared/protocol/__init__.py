"""The source and its command: configuration, files, signs of life, masking, the end."""
