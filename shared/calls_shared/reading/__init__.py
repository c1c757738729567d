"""Lists: pages, order, inventory, state, and what a sync tells of them."""
