"""The hub: a frozen graph with its contract and golden inputs and outputs."""
