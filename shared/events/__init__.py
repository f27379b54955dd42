"""The contract: event types with their data, code lists, answers and their codes."""
