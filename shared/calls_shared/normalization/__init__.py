"""What a call is: columns, sources, converters, and what follows from them."""
